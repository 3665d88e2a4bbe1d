"""The pattern facets of one contract's schemas: which values they bind, and what they forbid."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec
from lxml import etree

from claimbridge import xmlio
from claimbridge.contract.documents import Documents
from claimbridge.contract.findings import path_of
from claimbridge.contract.names import XSD, XSI, qname, split_name
from claimbridge.contract.outline import Element, Group, Type, Wildcard
from claimbridge.contract.patterns.pattern import Pattern, Undecidable
from claimbridge.contract.patterns.union import fits
from claimbridge.contract.schemas import Schemas
from claimbridge.model.outcome import Finding

_PATTERN: Final = f"{{{XSD}}}pattern"
_TYPE: Final = f"{{{XSI}}}type"
_NIL: Final = f"{{{XSI}}}nil"
_SHOWN: Final = 200
"""Characters of a pattern that a finding repeats."""


def without_patterns(documents: Documents) -> Documents | None:
    """Return the schemas without their pattern facets, for libxml2; None where they have none."""
    changed: dict[str, bytes] = {}
    for place, text in documents.schemas.items():
        if b"pattern" not in text:  # they were all written in UTF-8
            continue
        tree = xmlio.parse(text, what=place)
        facets = list(tree.iter(_PATTERN))
        for facet in facets:
            above = facet.getparent()
            if above is not None:
                above.remove(facet)
        if facets:
            changed[place] = etree.tostring(tree, encoding="utf-8")
    if not changed:
        return None
    return msgspec.structs.replace(documents, schemas={**documents.schemas, **changed})


class Forms:
    """Judges the values of a request by the patterns of their types.

    It follows the request down the schemas' outline, ``xsi:type`` and substitutes included. Safe
    for threads.
    """

    def __init__(self, documents: Documents) -> None:
        self._schemas = Schemas(documents)
        self._patterns: dict[str, Pattern] = {}
        self._places: dict[int, tuple[Type, _Places]] = {}

    def findings(self, root: etree._Element) -> Iterator[Finding]:
        """Yield what the patterns forbid, in document order."""
        declared = self._schemas.element(str(root.tag))
        waiting = [(root, declared.type if declared else None)]
        while waiting:
            node, kind = waiting.pop()
            kind = self._actual(node, kind)
            if kind is None:
                continue
            yield from self._attributes(node, kind)
            if kind.text and len(node) == 0 and node.get(_NIL) not in {"true", "1"}:
                why = self._why(kind, node.text or "", xmlio.local_name(node))
                if why:
                    yield Finding(path_of(node), "pattern", why)
            places = self._of(kind)
            children = [(child, places.of(child, self._schemas)) for child in _elements(node)]
            waiting.extend(reversed(children))

    def _actual(self, node: etree._Element, kind: Type | None) -> Type | None:
        written = node.get(_TYPE)
        named = self._schemas.type(qname(written, node)) if written else None
        return named or kind

    def _of(self, kind: Type) -> _Places:
        # By identity: an anonymous type has no name. The type is kept, so that it stays its own.
        known = self._places.get(id(kind))
        if known is None:
            known = self._places[id(kind)] = (kind, _Places.read(kind, self._schemas))
        return known[1]

    def _attributes(self, node: etree._Element, kind: Type) -> Iterator[Finding]:
        if not node.attrib:
            return
        declared = {attribute.name: attribute.type for attribute in kind.attributes}
        for key, value in node.attrib.items():
            name = str(key)
            of = declared.get(name)
            if of is None and kind.open_attributes:
                of = self._schemas.attribute(name)
            local = split_name(name)[1]
            why = self._why(of, str(value), local) if of else ""
            if why:
                above = path_of(node)
                yield Finding(f"{above}/@{local}" if above else f"@{local}", "pattern", why)

    def _why(self, kind: Type, value: str, name: str) -> str:
        """Return what is wrong with a value, in a sentence; "" where it keeps to its patterns."""
        try:
            broken = self._broken(kind, value)
        except Undecidable as error:
            return f"{name} cannot be judged: {error}"
        return f"{name} does not have the form {broken[:_SHOWN]}" if broken else ""

    def _broken(self, kind: Type, value: str) -> str | None:
        """Return a pattern that ``value`` does not keep to; None where it keeps to all."""
        plain = spaced(kind, value)
        for source in kind.facets.patterns:
            if not self._pattern(source).matches(plain):
                return source
        if not kind.members:
            return None
        if is_list(kind):
            items = (self._broken(kind.members[0], item) for item in plain.split())
            return next((broken for broken in items if broken is not None), None)
        return self._broken_union(kind, value)

    def _broken_union(self, kind: Type, value: str) -> str | None:
        """A union's value keeps to all that one of its members demands."""
        broken: list[str] = []
        for member in kind.members:
            found = self._broken(member, value)
            if found is None and fits(member, value):
                return None
            broken += [] if found is None else [found]
        return " or ".join(broken) or None  # what no pattern forbids libxml2 has judged

    def _pattern(self, source: str) -> Pattern:
        known = self._patterns.get(source)
        if known is None:
            known = self._patterns[source] = Pattern(source)
        return known


class _Places(msgspec.Struct, frozen=True):
    """Which type an element has inside one type, by its name; ``open`` lets in global ones."""

    named: Mapping[str, Element]
    open: bool

    @classmethod
    def read(cls, kind: Type, schemas: Schemas) -> _Places:
        named: dict[str, Element] = {}
        for child in kind.children:
            named.setdefault(child.name, child)
            waiting = list(child.substitutes)
            while waiting:
                name = waiting.pop()
                found = schemas.element(name)
                if found is not None and name not in named:
                    named[name] = found
                    waiting.extend(found.substitutes)
        return cls(named, kind.content is not None and _lets_in(kind.content))

    def of(self, child: etree._Element, schemas: Schemas) -> Type | None:
        """Return the type of a child; None where nothing is known of it."""
        name = str(child.tag)
        found = self.named.get(name)
        if found is None and self.open:
            found = schemas.element(name)
        return found.type if found else None


def _lets_in(group: Group) -> bool:
    return any(
        part.judged if isinstance(part, Wildcard) else isinstance(part, Group) and _lets_in(part)
        for part in group.parts
    )


def _elements(node: etree._Element) -> Iterator[etree._Element]:
    return node.iterchildren(etree.Element)


def is_list(kind: Type) -> bool:
    """Whether a type's values are lists, whose items are of its one member."""
    return kind.text == "anySimpleType" and len(kind.members) == 1


def spaced(kind: Type, value: str) -> str:
    """Return a value as its type sees it: white space kept, replaced or collapsed.

    XSD 1.0 Part 2 §4.3.6.
    """
    how = kind.facets.white_space or _SPACE.get(kind.text, "collapse")
    if how == "preserve":
        return value
    replaced = value.translate(_REPLACED)
    return replaced if how == "replace" else " ".join(filter(None, replaced.split(" ")))


_REPLACED: Final = {9: " ", 10: " ", 13: " "}
_SPACE: Final = {"string": "preserve", "normalizedString": "replace"}

__all__ = ["Forms", "is_list", "spaced", "without_patterns"]
