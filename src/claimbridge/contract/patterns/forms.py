"""The pattern facets of one contract's schemas: which values they bind, and what they forbid."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec
from lxml import etree

from claimbridge import xmlio
from claimbridge.contract.base.names import XSD, XSI, qname, split_name
from claimbridge.contract.files.documents import Documents
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
    """Judges the values of a request by the patterns of their types; threads may share it.

    It follows the request down the schemas' outline, ``xsi:type`` and substitutes included.
    """

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas
        self._patterns: dict[str, Pattern] = {}
        # By identity, since a type may have no name. The type stands beside: its number is its own
        # only while it lives.
        self._rules: dict[int, tuple[Type, _Rules]] = {}

    def findings(self, root: etree._Element) -> Iterator[Finding]:
        """Yield what the patterns forbid, in document order."""
        # What libxml2 knows no declaration of it takes for anyType, as XML Schema's "lax" does.
        declared = self._schemas.element(str(root.tag))
        waiting: list[tuple[etree._Element, Element | None]] = [(root, declared)]
        while waiting:
            node, declared = waiting.pop()
            kind = self._type_of(node, declared)
            rules = self._rules_of(kind)
            if node.attrib:
                yield from self._attributes(node, rules)
            if rules.bind_text:
                yield from self._text(node, declared, kind)
            children: list[tuple[etree._Element, Element | None]] = []
            for child in node.iterchildren(etree.Element):
                name = str(child.tag)
                if name in rules.elements:
                    children.append((child, rules.elements[name]))
                elif rules.open:
                    children.append((child, self._schemas.element(name)))
            waiting.extend(reversed(children))

    def _type_of(self, node: etree._Element, declared: Element | None) -> Type:
        written = node.get(_TYPE)
        concrete = self._schemas.type(qname(written, node)) if written else None
        return concrete or (declared.type if declared else _ANYTHING)

    def _rules_of(self, kind: Type) -> _Rules:
        if id(kind) not in self._rules:
            self._rules[id(kind)] = (kind, _Rules.of(kind, self._schemas))
        return self._rules[id(kind)][1]

    def _text(
        self, node: etree._Element, declared: Element | None, kind: Type
    ) -> Iterator[Finding]:
        if next(node.iterchildren(etree.Element), None) is not None:
            return
        if node.get(_NIL, "").strip() in {"true", "1"}:
            return
        # Comments and processing instructions divide a value and are no part of it.
        value = (node.text or "") + "".join(child.tail or "" for child in node)
        if not value and declared is not None:
            value = declared.fixed or declared.default or ""
        why = self._why(kind, value)
        if why:
            yield Finding(xmlio.path_of(node), "pattern", f"{xmlio.local_name(node)} {why}")

    def _attributes(self, node: etree._Element, rules: _Rules) -> Iterator[Finding]:
        for key, value in node.attrib.items():
            name = str(key)
            kind = rules.attributes.get(name)
            if rules.open_attributes and name not in rules.attributes:
                kind = self._schemas.attribute(name)
            why = self._why(kind, str(value)) if kind else ""
            if why:
                above, local = xmlio.path_of(node), split_name(name)[1]
                path = f"{above}/@{local}" if above else f"@{local}"
                yield Finding(path, "pattern", f"{local} {why}")

    def _why(self, kind: Type, value: str) -> str:
        """Return what is wrong with a value; "" where it keeps to its patterns."""
        try:
            broken = self._broken(kind, value)
        except Undecidable as error:
            return f"cannot be judged: {error}"
        if broken is None:
            return ""
        return f"does not have the form {broken[:_SHOWN] or 'of an empty text'}"

    def _broken(self, kind: Type, value: str) -> str | None:
        """Return a pattern that ``value`` does not keep to; None where it keeps to all."""
        if kind.members and not kind.is_list:
            return self._broken_in_union(kind, value)
        plain = spaced(kind, value)
        broken = self._broken_of_own(kind, plain)
        if broken is not None or not kind.is_list:
            return broken
        items = (self._broken(kind.members[0], item) for item in plain.split())
        return next((broken for broken in items if broken is not None), None)

    def _broken_of_own(self, kind: Type, plain: str) -> str | None:
        """Return a pattern of the type's own that ``plain``, spaced as it is, does not keep to."""
        for source in kind.facets.patterns:
            if source not in self._patterns:
                self._patterns[source] = Pattern(source)
            if not self._patterns[source].matches(plain):
                return source
        return None

    def _broken_in_union(self, kind: Type, value: str) -> str | None:
        """A union's value keeps to all that one of its members demands, and is spaced as that."""
        sources: list[str] = []
        for member in kind.members:
            broken = self._broken(member, value)
            if broken is None and fits(member, value):
                return self._broken_of_own(kind, self._spaced_in_union(member, value))
            sources += [] if broken is None else [broken]
        # What no pattern forbids libxml2 has judged.
        return " or ".join(sources) if sources else self._broken_of_own(kind, spaced(kind, value))

    def _spaced_in_union(self, kind: Type, value: str) -> str:
        """Return a value as the innermost type sees it that it is one of."""
        if not kind.members or kind.is_list:
            return spaced(kind, value)
        for member in kind.members:
            if self._broken(member, value) is None and fits(member, value):
                return self._spaced_in_union(member, value)
        return spaced(kind, value)


class _Rules(msgspec.Struct, frozen=True):
    """What the patterns of one type bind: its text, its attributes, and the elements in it.

    ``attributes`` have None where no pattern binds one. ``open`` and ``open_attributes`` let in
    global ones besides.
    """

    bind_text: bool
    attributes: Mapping[str, Type | None]
    open_attributes: bool
    elements: Mapping[str, Element]
    open: bool

    @classmethod
    def of(cls, kind: Type, schemas: Schemas) -> _Rules:
        return cls(
            bind_text=bool(kind.text) and _binds(kind),
            attributes={
                each.name: each.type if _binds(each.type) else None for each in kind.attributes
            },
            open_attributes=kind.open_attributes,
            elements=_elements(kind, schemas),
            open=kind.content is not None and _lets_in(kind.content),
        )


def _binds(kind: Type) -> bool:
    """Whether a pattern of the type, or of a member of it, binds its values."""
    return bool(kind.facets.patterns) or any(map(_binds, kind.members))


def _elements(kind: Type, schemas: Schemas) -> dict[str, Element]:
    """Return what may stand in a type by its name, substitutes included."""
    elements: dict[str, Element] = {}
    for child in kind.children:
        elements.setdefault(child.name, child)
        waiting = list(child.substitutes)
        while waiting:
            name = waiting.pop()
            substitute = schemas.element(name)
            if substitute is not None and name not in elements:
                elements[name] = substitute
                waiting.extend(substitute.substitutes)
    return elements


def _lets_in(group: Group) -> bool:
    return any(
        part.judged if isinstance(part, Wildcard) else isinstance(part, Group) and _lets_in(part)
        for part in group.parts
    )


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
