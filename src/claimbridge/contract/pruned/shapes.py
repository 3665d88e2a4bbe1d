"""Shapes as data, so that a contract in use needs zeep no more than once.

The data hold every shape that the elements and types in use can lead to, by number; what they do
not hold is asked of the whole contract.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

import msgspec

from claimbridge.contract.calls.service import Lookup
from claimbridge.contract.calls.shape import Group, Leaf, Order, Part, Shape, Wildcard
from claimbridge.contract.names import full_name, split_name
from claimbridge.turns import Turn


class LeafRow(msgspec.Struct, frozen=True, array_like=True, tag="e"):
    """A ``Leaf``; ``shape`` is the number of its shape."""

    key: str
    name: str
    required: bool
    repeats: bool
    most: int | None
    shape: int


class GroupRow(msgspec.Struct, frozen=True, array_like=True, tag="g"):
    """A ``Group``."""

    is_choice: bool
    required: bool
    repeats: bool
    parts: tuple[LeafRow | GroupRow | WildcardRow, ...]


class WildcardRow(msgspec.Struct, frozen=True, array_like=True, tag="w"):
    """A ``Wildcard``."""


class ShapeRow(msgspec.Struct, frozen=True, array_like=True):
    """A ``Shape``."""

    attributes: dict[str, str]
    content: GroupRow | None
    has_text: bool
    is_open: bool
    open_attributes: bool


class ShapeData(msgspec.Struct, frozen=True, array_like=True):
    """Shapes by number; elements by name; types by every name they answer to, with the full one."""

    shapes: tuple[ShapeRow, ...]
    elements: dict[str, LeafRow]
    types: dict[str, tuple[str, int]]


def shape_data(known: Lookup, elements: Iterable[str], types: Iterable[str]) -> ShapeData:
    """Return the data of these elements and types, as far as there are any such."""
    table = _Table()
    leaves = {name: table.leaf(leaf) for name in elements if (leaf := known.element(name))}
    named: dict[str, tuple[str, int]] = {}
    for name in types:
        found = known.named(name)
        if found is None:
            continue
        number = table.number(found[1])
        named[name] = named[found[0]] = (found[0], number)
        local = split_name(found[0])[1]
        if (known.named(local) or ("",))[0] == found[0]:
            named[local] = (found[0], number)
    return ShapeData(table.finished(), leaves, named)


class _Table:
    """Numbers shapes by their identity, each once."""

    def __init__(self) -> None:
        self._shapes: list[Shape] = []
        self._numbers: dict[int, int] = {}

    def number(self, shape: Shape) -> int:
        found = self._numbers.setdefault(id(shape), len(self._shapes))
        if found == len(self._shapes):
            self._shapes.append(shape)
        return found

    def leaf(self, leaf: Leaf) -> LeafRow:
        name = full_name(leaf.namespace, leaf.local)
        return LeafRow(
            leaf.key, name, leaf.required, leaf.repeats, leaf.most, self.number(leaf.shape)
        )

    def finished(self) -> tuple[ShapeRow, ...]:
        rows: list[ShapeRow] = []
        while len(rows) < len(self._shapes):  # a row may bring in more shapes
            shape = self._shapes[len(rows)]
            rows.append(
                ShapeRow(
                    dict(shape.attributes),
                    self._group(shape.content) if shape.content else None,
                    shape.has_text,
                    shape.is_open,
                    shape.open_attributes,
                )
            )
        return tuple(rows)

    def _group(self, group: Group) -> GroupRow:
        parts = tuple(self._part(part) for part in group.parts)
        return GroupRow(group.order is Order.CHOICE, group.required, group.repeats, parts)

    def _part(self, part: Part) -> LeafRow | GroupRow | WildcardRow:
        if isinstance(part, Leaf):
            return self.leaf(part)
        return self._group(part) if isinstance(part, Group) else WildcardRow()


class KnownShapes:
    """A ``Lookup`` in data; ``whole`` gives the one to ask about everything else."""

    def __init__(self, data: ShapeData, whole: Callable[[], Lookup]) -> None:
        self._data: Final = data
        self._whole = whole
        self._made: dict[int, Shape] = {}
        self._leaves: Mapping[str, Leaf] = {
            name: self._leaf(row) for name, row in data.elements.items()
        }
        self._turn = Turn()

    def element(self, name: str) -> Leaf | None:
        """Return the global element ``{namespace}name``; None when there is none."""
        return self._leaves.get(name) or self._whole().element(name)

    def named(self, name: str) -> tuple[str, Shape] | None:
        """Return ``{namespace}name`` and shape of a global type, as ``Types`` promises."""
        found = self._data.types.get(name)
        return (found[0], self._shape(found[1])) if found else self._whole().named(name)

    def _shape(self, number: int) -> Shape:
        made = self._made.get(number)
        if made is not None:
            return made
        with self._turn.held():
            if number not in self._made:
                row = self._data.shapes[number]
                self._made[number] = Shape(
                    attributes=row.attributes,
                    content=self._group(row.content) if row.content else None,
                    has_text=row.has_text,
                    is_open=row.is_open,
                    open_attributes=row.open_attributes,
                )
            return self._made[number]

    def _group(self, row: GroupRow) -> Group:
        order = Order.CHOICE if row.is_choice else Order.SEQUENCE
        parts = tuple(self._part(part) for part in row.parts)
        return Group(order, parts, required=row.required, repeats=row.repeats)

    def _part(self, row: LeafRow | GroupRow | WildcardRow) -> Part:
        if isinstance(row, LeafRow):
            return self._leaf(row)
        return self._group(row) if isinstance(row, GroupRow) else Wildcard()

    def _leaf(self, row: LeafRow) -> Leaf:
        return Leaf(
            row.key,
            row.name,
            required=row.required,
            repeats=row.repeats,
            most=row.most,
            shape=lambda: self._shape(row.shape),
        )


__all__ = ["KnownShapes", "ShapeData", "shape_data"]
