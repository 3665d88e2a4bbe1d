"""Replies that hold all that a contract lets an ERP say: to see what a reader looks at.

They are not valid: every element stands once, required or not. Alternatives and listed values take
turns, from one specimen to the next, so that a reader that looks at a status first goes every way.
Where a type is abstract those derived from it take turns, and it itself, named by ``xsi:type``.
"""

from __future__ import annotations

from typing import Final

from lxml import etree

from claimbridge.contract.base.names import XSI
from claimbridge.contract.outline.types import Element, Facets, Group, Type
from claimbridge.contract.patterns import Pattern, Undecidable
from claimbridge.contract.study.generation import Generation

MAX_DEPTH: Final = 12
MAX_ELEMENTS: Final = 20_000
FEWEST: Final = 10
"""A text without a list of values is a digit, which takes turns too: severities are digits."""
MOST: Final = 40
_TYPE: Final = f"{{{XSI}}}type"
_DIGITS: Final = tuple("0123456789")
_FORMED: Final = ("0100000008CN012026", "CNY", "S", "E", "A1", "1.00", "EXP-2026-0042")
"""What is tried besides: a document's key of three parts, a currency, kinds of messages."""
_TEXTS: Final = {
    "boolean": ("true", "false"),
    "date": ("2026-03-31",),
    "dateTime": ("2026-03-31T08:00:00Z",),
}


def specimens(root: Element, generation: Generation) -> list[etree._Element]:
    """Return enough specimens of ``root`` for each alternative and each value to have its turn."""
    made: list[etree._Element] = []
    turns = FEWEST
    while len(made) < turns:
        builder = _Builder(len(made), generation)
        made.append(builder.build(root))
        turns = min(max(turns, builder.turns), MOST)
    return made


class _Builder:
    """Builds one specimen; ``turns`` is how many it takes for everything to be seen."""

    def __init__(self, turn: int, generation: Generation) -> None:
        self._turn = turn
        self._generation = generation
        self._count = 0
        self.turns = 1

    def build(self, root: Element) -> etree._Element:
        element = etree.Element(root.name)
        self._fill(element, root.type, 1)
        return element

    def _fill(self, element: etree._Element, kind: Type, depth: int) -> None:
        if kind.abstract:
            # By itself too: a reader may go another way where what it lacks is missing.
            kinds = [*self._generation.concrete(kind), kind]
            self.turns = max(self.turns, len(kinds) * FEWEST)
            # Each as long as listed values take for their turns: a status stands beside it.
            kind = kinds[self._turn // FEWEST % len(kinds)]
            element.set(_TYPE, kind.local)
        for attribute in kind.attributes:
            element.set(attribute.name, self._text(attribute.type, attribute.fixed))
        if kind.content is not None and depth < MAX_DEPTH:
            self._group(element, kind.content, depth)
        elif kind.text:
            element.text = self._text(kind, None)

    def _group(self, element: etree._Element, group: Group, depth: int) -> None:
        parts = list(group.parts)
        if group.is_choice and parts:
            self.turns = max(self.turns, len(parts) * FEWEST)
            parts = [parts[self._turn % len(parts)]]
        for part in parts:
            if isinstance(part, Group):
                self._group(element, part, depth)
            elif isinstance(part, Element) and self._count < MAX_ELEMENTS:
                self._count += 1
                child = etree.SubElement(element, part.name)
                if part.type.content is None and part.fixed is not None:
                    child.text = part.fixed
                else:
                    self._fill(child, part.type, depth + 1)

    def _text(self, kind: Type, fixed: str | None) -> str:
        if fixed is not None:
            return fixed
        values = kind.facets.enumeration or _TEXTS.get(kind.text) or _formed(kind.facets)
        self.turns = max(self.turns, len(values))
        return values[self._turn % len(values)]


def _formed(facets: Facets) -> tuple[str, ...]:
    """Return texts that keep to the facets, as far as any do."""
    most = facets.max_length or facets.length or 1000
    # What is too long is left blank, so that a whole document stands beside no message at all.
    texts = [text if len(text) <= most else "" for text in (*_DIGITS, *_FORMED)]
    forms = [Pattern(source) for source in facets.patterns]
    try:
        fit = [text for text in texts if all(form.matches(text) for form in forms)]
    except Undecidable:
        return _DIGITS
    return tuple(fit) or _DIGITS


__all__ = ["specimens"]
