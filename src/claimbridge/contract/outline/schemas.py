"""The outline of a contract's schemas, read from the documents themselves.

zeep keeps neither facets nor documentation; here nothing is left out. Each named type is read
once, when first asked for, and its content when that is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Final

from lxml import etree

from claimbridge import xmlio
from claimbridge.contract.files.documents import Documents
from claimbridge.contract.names import WSDL, XSD, unique_local_names
from claimbridge.contract.outline.annotations import note_of
from claimbridge.contract.outline.content import ContentReader
from claimbridge.contract.outline.declared import Component, Declared, Scope
from claimbridge.contract.outline.simple import ANY_TYPE, BUILT_IN, built_in, occurs, restricted
from claimbridge.contract.outline.types import Attribute, Element, Type
from claimbridge.errors import ContractError

_DEEPEST: Final = 50
"""Types derived from types: no real contract comes near."""
_ARRAY_TYPE: Final = f"{{{WSDL}}}arrayType"
_NO_TEXT: Final = Type(name="")


class Schemas:
    """Reads elements and types by name; what it returns is shared, and recursive where they are.

    Reading raises ContractError CB-215 for schemas with no meaning: a reference to nothing, a
    type derived from itself, a number that is none. May be used from many threads.
    """

    def __init__(self, documents: Documents) -> None:
        self.title: Final = documents.title
        self.declared: Final = Declared(documents)
        self._elements: dict[str, Element] = {}
        self._types: dict[str, Type] = {}
        self._derived = _listed(_derivations(self.declared))
        self._substitutes = _listed(_substitutions(self.declared))

    def type_names(self) -> tuple[str, ...]:
        """Return the ``{namespace}name`` of every global type."""
        return tuple(self.declared.of("type"))

    def element(self, name: str) -> Element | None:
        """Return the global element ``{namespace}name``, the same object whenever asked.

        None when there is none.
        """
        known = name in self._elements or name in self.declared.of("element")
        return self._global(name) if known else None

    def type(self, name: str) -> Type | None:
        """Return the global or built-in type ``{namespace}name``; None when there is none."""
        known = name in BUILT_IN or name in self.declared.of("type")
        return self._named(name, None, 0) if known else None

    def xsi_type(self, name: str) -> Type | None:
        """Return the type that a request's ``@xsi:type`` names; None when there is none.

        ``name`` is ``{namespace}name``, or the local name alone where only one type has it.
        """
        return self.type(name) or self.type(self.unique_types.get(name, ""))

    @cached_property
    def unique_types(self) -> Mapping[str, str]:
        """The ``{namespace}name`` of each global type by its local name, where only one has it."""
        return unique_local_names(self.type_names())

    def attribute(self, name: str) -> Type | None:
        """Return the type of the global attribute ``{namespace}name``; None when there is none."""
        found = self.declared.of("attribute").get(name)
        return self._type_of(found, 0) if found else None

    def part(self, name: str, *, of: str) -> Element:
        """Return what a message part becomes that has a type (``of``) instead of an element."""
        return Element(name=name, typed=lambda: self._named(of, None, 0))

    def _global(self, name: str) -> Element:
        if name not in self._elements:
            found = self.declared.find("element", name)
            self._elements.setdefault(name, self._element(found, name))
        return self._elements[name]

    def _element(self, found: Component, name: str) -> Element:
        """Return a declared element, global or local, with its own cardinality."""
        node = found.node
        least, most = occurs(node)
        return Element(
            name=name,
            min=least,
            max=most,
            nillable=_true(node, "nillable"),
            abstract=_true(node, "abstract"),
            default=node.get("default"),
            fixed=node.get("fixed"),
            note=note_of(node),
            substitutes=self._substitutes.get(name, ()) if _is_global(node) else (),
            typed=lambda: self._type_of(found, 0),
        )

    def _type_of(self, found: Component, depth: int) -> Type:
        """Return the type of an element or attribute: named, of its own, its head's, or any."""
        node, scope, _ = found
        named, head = node.get("type"), node.get("substitutionGroup")
        if named:
            return self._named(scope.name(named, node), found, depth)
        for kind in ("complexType", "simpleType"):
            inner = node.find(f"{{{XSD}}}{kind}")
            if inner is not None:
                return self._read(Component(inner, scope), "", depth)
        if head:
            return self._type_of(
                self.declared.find("element", scope.name(head, node)), self._deeper(depth)
            )
        return built_in(ANY_TYPE)

    def _named(self, name: str, near: Component | None, depth: int) -> Type:
        if name in BUILT_IN:
            return self._types.setdefault(name, built_in(name))
        found = self.declared.find("type", name, near=near)
        if found is not self.declared.of("type").get(name):
            return self._read(found, name, depth)  # the original of a redefinition
        if name not in self._types:
            self._types.setdefault(name, self._read(found, name, depth))
        return self._types[name]

    def _read(self, found: Component, name: str, depth: int) -> Type:
        depth = self._deeper(depth)
        if xmlio.local_name(found.node) == "simpleType":
            return self._simple(found, name, depth)
        return self._complex(found, name, depth)

    def _simple(self, found: Component, name: str, depth: int) -> Type:
        node, note = found.node, note_of(found.node)
        for step in node.iterchildren(etree.Element):
            kind = xmlio.local_name(step)
            if kind == "restriction":
                base = self._base(step, found, "base", depth)
                return replace(
                    base, name=name, base=base.name, derivation=kind, note=note,
                    facets=restricted(base.facets, step), extended_by=self._derived.get(name, ()),
                )  # fmt: skip
            if kind == "list":
                item = self._base(step, found, "itemType", depth)
                return Type(
                    name=name, text="anySimpleType", derivation=kind, note=note, members=(item,),
                    is_list=True,
                )  # fmt: skip
            if kind == "union":
                members = tuple(self._members(step, found, depth))
                texts = {member.text for member in members}
                text = texts.pop() if len(texts) == 1 else "anySimpleType"
                return Type(name=name, text=text, derivation=kind, note=note, members=members)
        raise self._meaningless(f"the simple type {name or 'of an element'} says nothing")

    def _base(self, step: etree._Element, found: Component, key: str, depth: int) -> Type:
        written = step.get(key)
        if written:
            return self._named(found.scope.name(written, step), found, depth)
        inner = step.find(f"{{{XSD}}}simpleType")
        if inner is None:
            raise self._meaningless(f"a {xmlio.local_name(step)} names no {key}")
        return self._read(Component(inner, found.scope), "", depth)

    def _members(self, step: etree._Element, found: Component, depth: int) -> Iterator[Type]:
        for written in step.get("memberTypes", "").split():
            yield self._named(found.scope.name(written, step), found, depth)
        for inner in step.iterchildren(f"{{{XSD}}}simpleType"):
            yield self._read(Component(inner, found.scope), "", depth)

    def _complex(self, found: Component, name: str, depth: int) -> Type:
        node, scope, _ = found
        made = Type(
            name=name,
            abstract=_true(node, "abstract"),
            mixed=_true(node, "mixed"),
            note=note_of(node),
            extended_by=self._derived.get(name, ()),
        )
        outer = next(node.iterchildren(f"{{{XSD}}}complexContent", f"{{{XSD}}}simpleContent"), None)
        step = None if outer is None else _derivation(outer)
        if outer is None or step is None:
            attributes, is_open = self._attributes(node, found, {}, depth)
            return replace(
                made, attributes=attributes, open_attributes=is_open,
                content_read=lambda: self._content().of(node, found),
            )  # fmt: skip
        base = self._named(scope.name(step.get("base", ""), step), found, depth)
        how = xmlio.local_name(step)
        inherited = {attribute.name: attribute for attribute in base.attributes}
        attributes, is_open = self._attributes(step, found, inherited, depth)
        simple = _NO_TEXT
        if xmlio.local_name(outer) == "simpleContent":
            simple = self._restricted_text(base, step, found, depth)
        return replace(
            made, base=base.name, derivation=how, attributes=attributes,
            open_attributes=is_open or (how == "extension" and base.open_attributes),
            mixed=made.mixed or _true(outer, "mixed") or (how == "extension" and base.mixed),
            text=simple.text, facets=simple.facets, members=simple.members, is_list=simple.is_list,
            array_of=_array_of(step, found.scope) or base.array_of,
            content_read=lambda: self._content().derived(base, step, found),
        )  # fmt: skip

    def _restricted_text(
        self, base: Type, step: etree._Element, found: Component, depth: int
    ) -> Type:
        """Return the type whose text simple content has; that of ``base`` unless narrowed."""
        if xmlio.local_name(step) != "restriction":
            return base
        inner = step.find(f"{{{XSD}}}simpleType")
        if inner is not None:
            base = self._read(Component(inner, found.scope), "", depth)
        return replace(base, facets=restricted(base.facets, step)) if base.text else base

    def _attributes(
        self, node: etree._Element, found: Component, known: dict[str, Attribute], depth: int
    ) -> tuple[tuple[Attribute, ...], bool]:
        """Return the attributes that ``node`` adds to ``known``, and whether any may stand."""
        is_open = False
        waiting, seen = [(node, found)], set[str]()
        while waiting:
            holder, place = waiting.pop()
            for child in holder.iterchildren(etree.Element):
                kind = xmlio.local_name(child)
                is_open |= kind == "anyAttribute"
                if kind == "attributeGroup":
                    name = place.scope.name(child.get("ref", ""), child)
                    group = self.declared.find("attributeGroup", name, near=place)
                    if name not in seen or group is place.origin:
                        seen.add(name)
                        waiting.append((group.node, group))
                elif kind == "attribute":
                    made = self._attribute(child, place, depth)
                    known[made.name] = made
                    if child.get("use") == "prohibited":
                        del known[made.name]
        return tuple(known.values()), is_open

    def _attribute(self, node: etree._Element, found: Component, depth: int) -> Attribute:
        scope = found.scope
        declared, name = Component(node, scope), scope.local(node, "attribute")
        if node.get("ref"):
            name = scope.name(node.get("ref", ""), node)
            declared = self.declared.find("attribute", name)
        typed = self._type_of(declared, depth)
        if typed.name == ANY_TYPE:
            typed = built_in(f"{{{XSD}}}anySimpleType")
        return Attribute(
            name=name,
            required=node.get("use") == "required",
            type=typed,
            default=node.get("default", declared.node.get("default")),
            fixed=node.get("fixed", declared.node.get("fixed")),
            note=note_of(node),
        )

    def _content(self) -> ContentReader:
        return ContentReader(self.declared, self._element, self._global)

    def _deeper(self, depth: int) -> int:
        if depth >= _DEEPEST:
            raise self._meaningless(f"types derive from themselves, or {_DEEPEST} levels deep")
        return depth + 1

    def _meaningless(self, why: str) -> ContractError:
        return ContractError(f"in the schemas of the contract {self.title}, {why}", code="CB-215")


def _true(node: etree._Element, name: str) -> bool:
    return node.get(name) in {"true", "1"}


def _is_global(node: etree._Element) -> bool:
    parent = node.getparent()
    return parent is not None and xmlio.local_name(parent) == "schema"


def _derivation(outer: etree._Element) -> etree._Element | None:
    return next(outer.iterchildren(f"{{{XSD}}}extension", f"{{{XSD}}}restriction"), None)


def _array_of(step: etree._Element, scope: Scope) -> str:
    """Return what a SOAP-encoded array holds (WSDL 1.1 §2.2); "" for what is no array."""
    for attribute in step.iterchildren(f"{{{XSD}}}attribute"):
        written = attribute.get(_ARRAY_TYPE)
        if written:
            return scope.name(written.partition("[")[0], attribute)
    return ""


def _derivations(declared: Declared) -> Iterator[tuple[str, str]]:
    """Yield base and name of every global type that is derived from a named one."""
    for name, found in declared.of("type").items():
        for outer in (found.node, *found.node.iterchildren(etree.Element)):
            step = _derivation(outer)
            if step is not None and step.get("base"):
                yield found.scope.name(step.get("base", ""), step), name


def _substitutions(declared: Declared) -> Iterator[tuple[str, str]]:
    for name, found in declared.of("element").items():
        head = found.node.get("substitutionGroup")
        if head:
            yield found.scope.name(head, found.node), name


def _listed(pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for key, value in pairs:
        found.setdefault(key, []).append(value)
    return {key: tuple(values) for key, values in found.items()}


__all__ = ["Schemas"]
