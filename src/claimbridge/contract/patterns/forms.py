"""The pattern facets of one contract's schemas: which values they bind, and what they forbid."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec
from lxml import etree

from claimbridge import xmlio
from claimbridge.contract.files.documents import Documents
from claimbridge.contract.names import XSD, XSI, qname, split_name
from claimbridge.contract.outline.schemas import Schemas
from claimbridge.contract.outline.simple import ANY_TYPE, built_in
from claimbridge.contract.outline.types import Element, Group, Type, Wildcard
from claimbridge.contract.patterns.pattern import Pattern, Undecidable
from claimbridge.contract.patterns.union import fits
from claimbridge.findings import Finding

_PATTERN: Final = f"{{{XSD}}}pattern"
_TYPE: Final = f"{{{XSI}}}type"
_NIL: Final = f"{{{XSI}}}nil"
_ANYTHING: Final = built_in(ANY_TYPE)
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

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas
        self._patterns: dict[str, Pattern] = {}
        self._places: dict[int, tuple[Type, _Places]] = {}

    def findings(self, root: etree._Element) -> Iterator[Finding]:
        """Yield what the patterns forbid, in document order."""
        # What libxml2 knows no declaration of it takes for anyType, as XML Schema's "lax" does.
        waiting: list[tuple[etree._Element, Element | None]] = [
            (root, self._schemas.element(str(root.tag)))
        ]
        while waiting:
            node, declared = waiting.pop()
            kind = self._actual(node, declared)
            yield from self._attributes(node, kind)
            yield from self._text(node, declared, kind)
            places = self._of(kind)
            children: list[tuple[etree._Element, Element | None]] = []
            for child in _elements(node):
                name = str(child.tag)
                if name in places.named:
                    children.append((child, places.named[name]))
                elif places.open:
                    children.append((child, self._schemas.element(name)))
            waiting.extend(reversed(children))

    def _actual(self, node: etree._Element, declared: Element | None) -> Type:
        written = node.get(_TYPE)
        named = self._schemas.type(qname(written, node)) if written else None
        return named or (declared.type if declared else _ANYTHING)

    def _of(self, kind: Type) -> _Places:
        # By identity: an anonymous type has no name. The type is kept, so that it stays its own.
        known = self._places.get(id(kind))
        if known is None:
            known = self._places[id(kind)] = (kind, _Places.read(kind, self._schemas))
        return known[1]

    def _text(
        self, node: etree._Element, declared: Element | None, kind: Type
    ) -> Iterator[Finding]:
        if not kind.text or next(_elements(node), None) is not None:
            return
        if node.get(_NIL, "").strip() in {"true", "1"}:
            return
        # Comments and processing instructions divide a value and are no part of it.
        value = (node.text or "") + "".join(child.tail or "" for child in node)
        if not value and declared is not None:
            value = declared.fixed or declared.default or ""
        why = self._why(kind, value, xmlio.local_name(node))
        if why:
            yield Finding(xmlio.path_of(node), "pattern", why)

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
                above = xmlio.path_of(node)
                yield Finding(f"{above}/@{local}" if above else f"@{local}", "pattern", why)

    def _why(self, kind: Type, value: str, name: str) -> str:
        """Return what is wrong with a value, in a sentence; "" where it keeps to its patterns."""
        try:
            broken = self._broken(kind, value)
        except Undecidable as error:
            return f"{name} cannot be judged: {error}"
        if broken is None:
            return ""
        return f"{name} does not have the form {broken[:_SHOWN] or 'of an empty text'}"

    def _broken(self, kind: Type, value: str) -> str | None:
        """Return a pattern that ``value`` does not keep to; None where it keeps to all."""
        if kind.members and not kind.is_list:
            return self._broken_union(kind, value)
        plain = spaced(kind, value)
        broken = self._against(kind, plain)
        if broken is not None or not kind.is_list:
            return broken
        items = (self._broken(kind.members[0], item) for item in plain.split())
        return next((broken for broken in items if broken is not None), None)

    def _against(self, kind: Type, plain: str) -> str | None:
        """Return a pattern of a type's own that a value, spaced as it is, does not keep to."""
        own = kind.facets.patterns
        return next((one for one in own if not self._pattern(one).matches(plain)), None)

    def _broken_union(self, kind: Type, value: str) -> str | None:
        """A union's value keeps to all that one of its members demands, and is spaced as that."""
        broken: list[str] = []
        for member in kind.members:
            found = self._broken(member, value)
            if found is None and fits(member, value):
                return self._against(kind, self._spaced(member, value))
            broken += [] if found is None else [found]
        # What no pattern forbids libxml2 has judged.
        return " or ".join(broken) if broken else self._against(kind, spaced(kind, value))

    def _spaced(self, kind: Type, value: str) -> str:
        """Return a value as the innermost type sees it that it is one of."""
        if not kind.members or kind.is_list:
            return spaced(kind, value)
        for member in kind.members:
            if self._broken(member, value) is None and fits(member, value):
                return self._spaced(member, value)
        return spaced(kind, value)

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


def _lets_in(group: Group) -> bool:
    return any(
        part.judged if isinstance(part, Wildcard) else isinstance(part, Group) and _lets_in(part)
        for part in group.parts
    )


def _elements(node: etree._Element) -> Iterator[etree._Element]:
    return node.iterchildren(etree.Element)


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

__all__ = ["Forms", "spaced", "without_patterns"]
