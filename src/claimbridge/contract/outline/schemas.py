"""The outline of a contract's schemas, read from the documents themselves; nothing is left out.

Each named type is read once, when somebody first asks for it, and so is its content.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Final

from lxml import etree

from claimbridge import xmlio
from claimbridge.contract.base.names import WSDL, XSD, unique_local_names
from claimbridge.contract.files.documents import Documents
from claimbridge.contract.outline.annotations import note_of
from claimbridge.contract.outline.content import ContentReader
from claimbridge.contract.outline.declarations import Component, Declarations, Scope
from claimbridge.contract.outline.simple import ANY_TYPE, BUILT_IN, built_in, occurs, restricted
from claimbridge.contract.outline.types import Attribute, Element, Type
from claimbridge.errors import ContractError

_DEEPEST: Final = 50
"""Types derived from types: no real contract comes near."""
_ARRAY_TYPE: Final = f"{{{WSDL}}}arrayType"
_NO_TEXT: Final = Type(name="")


class Schemas:
    """Reads elements and types by name; many threads may use it, and share what it returns.

    Reading raises ContractError CB-215 for schemas with no meaning: a reference to nothing, a
    type derived from itself, a limit that is not a number.
    """

    def __init__(self, documents: Documents) -> None:
        self.title: Final = documents.title
        self.declarations: Final = Declarations(documents)
        self._elements: dict[str, Element] = {}
        self._types: dict[str, Type] = {}
        self._derived = _listed(_derivations(self.declarations))
        self._substitutes = _listed(_substitutions(self.declarations))

    def type_names(self) -> tuple[str, ...]:
        """Return the ``{namespace}name`` of every global type."""
        return tuple(self.declarations.of("type"))

    def element(self, name: str) -> Element | None:
        """Return the global element ``{namespace}name``, the same object whenever asked.

        None when there is none.
        """
        known = name in self._elements or name in self.declarations.of("element")
        return self._global(name) if known else None

    def type(self, name: str) -> Type | None:
        """Return the global or built-in type ``{namespace}name``; None when there is none."""
        known = name in BUILT_IN or name in self.declarations.of("type")
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
        component = self.declarations.of("attribute").get(name)
        return self._type_of(component, 0) if component else None

    def part(self, name: str, *, of: str) -> Element:
        """Return what a message part becomes that has a type (``of``) instead of an element."""
        return Element(name=name, typed=lambda: self._named(of, None, 0))

    def _global(self, name: str) -> Element:
        if name not in self._elements:
            component = self.declarations.find("element", name)
            self._elements.setdefault(name, self._element(component, name))
        return self._elements[name]

    def _element(self, component: Component, name: str) -> Element:
        """Return a declared element, global or local, with its own cardinality."""
        node = component.node
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
            typed=lambda: self._type_of(component, 0),
        )

    def _type_of(self, component: Component, depth: int) -> Type:
        """Return the type of an element or attribute: named, of its own, its head's, or any."""
        node, scope, _ = component
        written, head = node.get("type"), node.get("substitutionGroup")
        if written:
            return self._named(scope.name(written, node), component, depth)
        for kind in ("complexType", "simpleType"):
            inner = node.find(f"{{{XSD}}}{kind}")
            if inner is not None:
                return self._read(Component(inner, scope), "", depth)
        if head:
            return self._type_of(
                self.declarations.find("element", scope.name(head, node)), self._deeper(depth)
            )
        return built_in(ANY_TYPE)

    def _named(self, name: str, near: Component | None, depth: int) -> Type:
        if name in BUILT_IN:
            return self._types.setdefault(name, built_in(name))
        component = self.declarations.find("type", name, near=near)
        if component is not self.declarations.of("type").get(name):
            return self._read(component, name, depth)  # the original of a redefinition
        if name not in self._types:
            self._types.setdefault(name, self._read(component, name, depth))
        return self._types[name]

    def _read(self, component: Component, name: str, depth: int) -> Type:
        depth = self._deeper(depth)
        if xmlio.local_name(component.node) == "simpleType":
            return self._simple(component, name, depth)
        return self._complex(component, name, depth)

    def _simple(self, component: Component, name: str, depth: int) -> Type:
        node, note = component.node, note_of(component.node)
        for step in node.iterchildren(etree.Element):
            kind = xmlio.local_name(step)
            if kind == "restriction":
                base = self._base(step, component, "base", depth)
                return replace(
                    base, name=name, base=base.name, derivation=kind, note=note,
                    facets=restricted(base.facets, step), extended_by=self._derived.get(name, ()),
                )  # fmt: skip
            if kind == "list":
                item = self._base(step, component, "itemType", depth)
                return Type(
                    name=name, text="anySimpleType", derivation=kind, note=note, members=(item,),
                    is_list=True,
                )  # fmt: skip
            if kind == "union":
                members = tuple(self._members(step, component, depth))
                texts = {member.text for member in members}
                text = texts.pop() if len(texts) == 1 else "anySimpleType"
                return Type(name=name, text=text, derivation=kind, note=note, members=members)
        raise self._meaningless(f"the simple type {name or 'of an element'} says nothing")

    def _base(self, step: etree._Element, component: Component, key: str, depth: int) -> Type:
        written = step.get(key)
        if written:
            return self._named(component.scope.name(written, step), component, depth)
        inner = step.find(f"{{{XSD}}}simpleType")
        if inner is None:
            raise self._meaningless(f"a {xmlio.local_name(step)} names no {key}")
        return self._read(Component(inner, component.scope), "", depth)

    def _members(self, step: etree._Element, component: Component, depth: int) -> Iterator[Type]:
        for written in step.get("memberTypes", "").split():
            yield self._named(component.scope.name(written, step), component, depth)
        for inner in step.iterchildren(f"{{{XSD}}}simpleType"):
            yield self._read(Component(inner, component.scope), "", depth)

    def _complex(self, component: Component, name: str, depth: int) -> Type:
        node, scope, _ = component
        kind = Type(
            name=name,
            abstract=_true(node, "abstract"),
            mixed=_true(node, "mixed"),
            note=note_of(node),
            extended_by=self._derived.get(name, ()),
        )
        outer = next(node.iterchildren(f"{{{XSD}}}complexContent", f"{{{XSD}}}simpleContent"), None)
        step = None if outer is None else _derivation(outer)
        if outer is None or step is None:
            attributes, is_open = self._attributes(node, component, {}, depth)
            return replace(
                kind, attributes=attributes, open_attributes=is_open,
                content_read=lambda: self._content().of(node, component),
            )  # fmt: skip
        base = self._named(scope.name(step.get("base", ""), step), component, depth)
        how = xmlio.local_name(step)
        inherited = {attribute.name: attribute for attribute in base.attributes}
        attributes, is_open = self._attributes(step, component, inherited, depth)
        simple = _NO_TEXT
        if xmlio.local_name(outer) == "simpleContent":
            simple = self._restricted_text(base, step, component, depth)
        return replace(
            kind, base=base.name, derivation=how, attributes=attributes,
            open_attributes=is_open or (how == "extension" and base.open_attributes),
            mixed=kind.mixed or _true(outer, "mixed") or (how == "extension" and base.mixed),
            text=simple.text, facets=simple.facets, members=simple.members, is_list=simple.is_list,
            array_of=_array_of(step, component.scope) or base.array_of,
            content_read=lambda: self._content().derived(base, step, component),
        )  # fmt: skip

    def _restricted_text(
        self, base: Type, step: etree._Element, component: Component, depth: int
    ) -> Type:
        """Return the type whose text simple content has; that of ``base`` unless narrowed."""
        if xmlio.local_name(step) != "restriction":
            return base
        inner = step.find(f"{{{XSD}}}simpleType")
        if inner is not None:
            base = self._read(Component(inner, component.scope), "", depth)
        return replace(base, facets=restricted(base.facets, step)) if base.text else base

    def _attributes(
        self, node: etree._Element, component: Component, known: dict[str, Attribute], depth: int
    ) -> tuple[tuple[Attribute, ...], bool]:
        """Return the attributes that ``node`` adds to ``known``, and whether any may stand."""
        is_open = False
        waiting, seen = [(node, component)], set[str]()
        while waiting:
            holder, near = waiting.pop()
            for child in holder.iterchildren(etree.Element):
                kind = xmlio.local_name(child)
                is_open |= kind == "anyAttribute"
                if kind == "attributeGroup":
                    name = near.scope.name(child.get("ref", ""), child)
                    group = self.declarations.find("attributeGroup", name, near=near)
                    if name not in seen or group is near.origin:
                        seen.add(name)
                        waiting.append((group.node, group))
                elif kind == "attribute":
                    made = self._attribute(child, near, depth)
                    known[made.name] = made
                    if child.get("use") == "prohibited":
                        del known[made.name]
        return tuple(known.values()), is_open

    def _attribute(self, node: etree._Element, component: Component, depth: int) -> Attribute:
        scope = component.scope
        declaration, name = Component(node, scope), scope.local(node, "attribute")
        if node.get("ref"):
            name = scope.name(node.get("ref", ""), node)
            declaration = self.declarations.find("attribute", name)
        kind = self._type_of(declaration, depth)
        if kind.name == ANY_TYPE:
            kind = built_in(f"{{{XSD}}}anySimpleType")
        return Attribute(
            name=name,
            required=node.get("use") == "required",
            type=kind,
            default=node.get("default", declaration.node.get("default")),
            fixed=node.get("fixed", declaration.node.get("fixed")),
            note=note_of(node),
        )

    def _content(self) -> ContentReader:
        return ContentReader(self.declarations, self._element, self._global)

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


def _derivations(declarations: Declarations) -> Iterator[tuple[str, str]]:
    """Yield base and name of every global type that is derived from a named one."""
    for name, component in declarations.of("type").items():
        for outer in (component.node, *component.node.iterchildren(etree.Element)):
            step = _derivation(outer)
            if step is not None and step.get("base"):
                yield component.scope.name(step.get("base", ""), step), name


def _substitutions(declarations: Declarations) -> Iterator[tuple[str, str]]:
    for name, component in declarations.of("element").items():
        head = component.node.get("substitutionGroup")
        if head:
            yield component.scope.name(head, component.node), name


def _listed(pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    lists: dict[str, list[str]] = {}
    for key, value in pairs:
        lists.setdefault(key, []).append(value)
    return {key: tuple(values) for key, values in lists.items()}


__all__ = ["Schemas"]
