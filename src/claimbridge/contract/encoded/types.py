"""The types of SOAP's section 5 encoding: what a schema's types mean as structs and arrays.

SOAP 1.1 §5.4: the accessors of a struct differ by name alone, the members of an array by place
alone, whatever their names. §5.1: an accessor may be left out, or be nil. They are read from the
declarations, since the outline's types keep no dimensions of arrays.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec
from lxml import etree

from claimbridge import xmlio
from claimbridge.contract.base.names import ITEM, SOAP_ENCODING, WSDL, XSD, split_name
from claimbridge.contract.calls.shapes import Branch, Leaf, Shape
from claimbridge.contract.outline.declarations import Component, Declarations
from claimbridge.errors import ContractError

_ARRAY: Final = f"{{{SOAP_ENCODING}}}Array"
_ARRAY_TYPE: Final = f"{{{WSDL}}}arrayType"


class Simple(msgspec.Struct, frozen=True):
    """A text, of the simple type ``{namespace}name``."""

    name: str


class Array(msgspec.Struct, frozen=True):
    """Members of one type. ``name`` is theirs as arrayType has it; ``dimensions`` as ``[]``."""

    name: str
    dimensions: str = ""

    @property
    def member(self) -> str:
        """The type of a member, as ``EncodedTypes.of`` takes it."""
        return self.name + self.dimensions


class Struct(msgspec.Struct, frozen=True):
    """Accessors: the type of each by its name."""

    accessors: dict[str, str]


EncodedType = Simple | Array | Struct


class EncodedTypes:
    """Every type of a contract's schemas by ``{namespace}name``; ``name[]`` is an array of it."""

    def __init__(self, declarations: Declarations) -> None:
        self._title = declarations.title
        self._types = declarations.of("type")
        self._made: dict[str, EncodedType] = {}

    def of(self, name: str) -> EncodedType:
        """Return what a type means; raises ContractError CB-215 for a type that nobody declares."""
        if name not in self._made:
            self._made[name] = self._read(name)
        return self._made[name]

    def shape(self, name: str) -> Shape:
        """Return a type as rendering and tolerant reading know types."""
        kind = self.of(name)
        if isinstance(kind, Simple):
            return Shape(attributes={}, content=None, has_text=True)
        if isinstance(kind, Array):
            return sequence((self.leaf(ITEM, kind.member, most=None),))
        return sequence(tuple(self.leaf(key, type_) for key, type_ in kind.accessors.items()))

    def leaf(self, key: str, name: str, *, most: int | None = 1, required: bool = False) -> Leaf:
        """Return the place of an accessor of the type ``name``."""
        return Leaf(key, key, required=required, most=most, shape=lambda: self.shape(name))

    def _read(self, name: str) -> EncodedType:
        if name.endswith("]"):
            bare, _, rest = name.partition("[")
            return Array(bare, _inner(f"[{rest}"))
        space, _ = split_name(name)
        if space == XSD or (space == SOAP_ENCODING and name != _ARRAY):
            return Simple(name)
        component = self._types.get(name)
        if component is None:
            raise ContractError(
                f"the contract {self._title} uses the type {name}, which it does not define",
                code="CB-215",
            )
        node = component.node
        if xmlio.local_name(node) == "simpleType" or _holds_text(node):
            return Simple(name)
        return _array(component) or Struct(dict(self._accessors(component, frozenset({name}))))

    def _accessors(self, component: Component, seen: frozenset[str]) -> Iterator[tuple[str, str]]:
        node, scope, _ = component
        extension = node.find(f"{{{XSD}}}complexContent/{{{XSD}}}extension")
        if extension is not None:
            base = scope.name(extension.get("base", ""), extension)
            above = self._types.get(base)
            if above is not None and base not in seen:
                yield from self._accessors(above, seen | {base})
        within = node if extension is None else extension
        places = (f"{{{XSD}}}sequence", f"{{{XSD}}}all")
        for group in within.iterchildren(*places):
            for element in group.iterchildren(f"{{{XSD}}}element"):
                key, type_ = element.get("name", ""), element.get("type", "")
                if not key or not type_:
                    raise ContractError(
                        f"the contract {self._title} has an encoded type with an element that has "
                        f"no name and type of its own ({key or element.get('ref', '?')})",
                        code="CB-217",
                    )
                yield key, scope.name(type_, element)


def _array(component: Component) -> Array | None:
    """Return what WSDL 1.1 §2.2 says of an array: its type stands in wsdl:arrayType."""
    for attribute in component.node.iter(f"{{{XSD}}}attribute"):
        name = attribute.get(_ARRAY_TYPE, "")
        if name:
            bare, bracket, rest = name.partition("[")
            return Array(component.scope.name(bare, attribute), _inner(bracket + rest))
    return None


def sequence(parts: tuple[Leaf, ...]) -> Shape:
    """Return the shape of these places, one after the other."""
    content = Branch(parts, is_choice=False, required=True, repeats=False)
    return Shape(attributes={}, content=content, has_text=False)


def _inner(dimensions: str) -> str:
    """Return the dimensions of a member: the last brackets are the array's (SOAP 1.1 §5.4.2)."""
    return dimensions[: max(dimensions.rfind("["), 0)]


def _holds_text(node: etree._Element) -> bool:
    return node.find(f"{{{XSD}}}simpleContent") is not None


__all__ = ["Array", "EncodedType", "EncodedTypes", "Simple", "Struct", "sequence"]
