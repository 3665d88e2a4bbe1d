"""What a contract lets an element hold, in the contract's own names.

Rendering, drift and tolerant reading share shapes. A shape is the outline of a type, arranged for
look-ups by name; ``Shapes`` makes each when it is first asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Final, Protocol

from claimbridge.contract.base.names import split_name
from claimbridge.contract.outline.schemas import Schemas
from claimbridge.contract.outline.types import Element, Group, Type, shared_names

_ALWAYS: Final = frozenset({"@xsi:type", "@xsi:nil"})


class Leaf:
    """One element's place in a content model.

    ``key`` names it in a request: its local name, or ``{namespace}name`` where two elements of
    one type share a local name. ``shape`` is made when first asked for, so types may recurse.
    """

    def __init__(
        self,
        key: str,
        name: str,
        *,
        required: bool,
        most: int | None,
        shape: Callable[[], Shape],
    ) -> None:
        self.key = key
        self.name = name
        self.namespace, self.local = split_name(name)
        self.required = required
        self.most = most
        """How many may stand here; None when unbounded."""
        self.repeats = most is None or most > 1
        self.keys: frozenset[str] = frozenset({key})
        """The one key that this place takes."""
        self._shape = shape

    @cached_property
    def shape(self) -> Shape:
        """What the element may hold."""
        return self._shape()


class Branch:
    """A sequence or a choice of places; ``all`` counts as a sequence in schema order."""

    def __init__(
        self, parts: tuple[Part, ...], *, is_choice: bool, required: bool, repeats: bool
    ) -> None:
        self.parts = parts
        self.is_choice = is_choice
        self.required = required
        self.repeats = repeats
        self.keys: frozenset[str] = frozenset().union(*(part.keys for part in parts))
        self._places: dict[str, list[int]] = {}
        for number, part in enumerate(parts):
            for key in part.keys:
                self._places.setdefault(key, []).append(number)

    @property
    def is_plain(self) -> bool:
        """Whether its parts may as well stand in the sequence around it."""
        return self.required and not (self.is_choice or self.repeats)

    def parts_for(self, keys: Iterable[str]) -> list[Part]:
        """Return the parts that take any of ``keys``, in schema order.

        Contracts have types of hundreds of elements of which a request uses a few.
        """
        places = {place for key in keys for place in self._places.get(key, ())}
        return [self.parts[place] for place in sorted(places)]

    def leaves(self) -> Iterator[Leaf]:
        """Yield every element's place in schema order."""
        for part in self.parts:
            if isinstance(part, Leaf):
                yield part
            else:
                yield from part.leaves()


Part = Leaf | Branch


class Shape:
    """What one type allows: attributes by ``@key``, and either text or elements.

    ``has_text`` is True for simple types and simple content. ``is_open`` is True where any element
    may stand (``xs:any``, ``xs:anyType``), ``open_attributes`` where any attribute may.
    """

    def __init__(
        self,
        *,
        attributes: Mapping[str, str],
        content: Branch | None,
        has_text: bool,
        is_open: bool = False,
        open_attributes: bool = False,
    ) -> None:
        self.attributes = attributes
        self.content = content
        self.has_text = has_text
        self.is_open = is_open
        self.open_attributes = open_attributes
        leaves = tuple(content.leaves()) if content else ()
        self.keys: frozenset[str] = content.keys if content else frozenset()
        self.allowed: frozenset[str] = (
            self.keys | attributes.keys() | _ALWAYS | ({"#text"} if has_text else set())
        )
        """Every key that a request may use here."""
        self.children: dict[str, Leaf] = {}
        """The first place of each local name, in schema order."""
        for leaf in leaves:
            self.children.setdefault(leaf.local, leaf)
        self.needed: frozenset[str] = frozenset(_needed(content)) if content else frozenset()
        """Local names that the contract requires here, alternatives of a choice included."""
        self.last: dict[str, Leaf] = {leaf.key: leaf for leaf in leaves}
        """The last place of each key: it takes what earlier places left."""

    def may_repeat(self, key: str) -> bool:
        """Whether the element of a key may stand several times here."""
        leaf = self.last.get(key)
        if leaf is None or self.content is None:
            return False
        return leaf.repeats or leaf.local in _repeating(self.content)

    def namespaces_of(self, local: str) -> frozenset[str]:
        """Return the namespaces of the one child of a local name; none where it may repeat."""
        if self.content is None or local in _repeating(self.content):
            return frozenset()
        return frozenset(leaf.namespace for leaf in self.last.values() if leaf.local == local)


class Types(Protocol):
    """The contract's global types, for ``xsi:type``."""

    def named(self, name: str) -> tuple[str, Shape] | None:
        """Return ``{namespace}name`` and the shape of a global type; None when there is none.

        ``name`` is ``{namespace}name``, or the local name alone where only one type has it.
        """
        ...


class ShapeSource(Types, Protocol):
    """What a contract knows of its global elements and types."""

    def element(self, name: str) -> Leaf | None:
        """Return the global element ``{namespace}name``; None when there is none."""
        ...


class Shapes:
    """The shapes of a contract's outline, each made once; threads may share them."""

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas
        self._leaves: dict[str, Leaf] = {}
        self._named: dict[str, tuple[str, Shape]] = {}
        # By identity, since a type may have no name. The type stands beside its shape: its number
        # is its own only while it lives.
        self._made: dict[int, tuple[Type, Shape]] = {}

    def element(self, name: str) -> Leaf | None:
        """Return the global element ``{namespace}name``; None when there is none."""
        if name not in self._leaves:
            element = self._schemas.element(name)
            if element is None:
                return None
            self._leaves.setdefault(name, self._leaf(element, element.local))
        return self._leaves[name]

    def named(self, name: str) -> tuple[str, Shape] | None:
        """Return ``{namespace}name`` and shape of a global type, as ``Types`` promises."""
        if name not in self._named:
            kind = self._schemas.xsi_type(name)
            if kind is None:
                return None
            self._named.setdefault(name, (kind.name, self._of(kind)))
        return self._named[name]

    def _of(self, kind: Type) -> Shape:
        if id(kind) not in self._made:
            self._made.setdefault(id(kind), (kind, self._shape(kind)))
        return self._made[id(kind)][1]

    def _shape(self, kind: Type) -> Shape:
        content = kind.content
        return Shape(
            attributes={f"@{each.local}": each.name for each in kind.attributes},
            content=self._branch(content, shared_names(content.elements())) if content else None,
            has_text=bool(kind.text),
            is_open=content is not None and content.is_open,
            open_attributes=kind.open_attributes,
        )

    def _branch(self, group: Group, shared: frozenset[str]) -> Branch:
        return Branch(
            tuple(self._parts(group, shared)),
            is_choice=group.is_choice,
            required=group.min > 0,
            repeats=group.max is None or group.max > 1,
        )

    def _parts(self, group: Group, shared: frozenset[str]) -> Iterator[Part]:
        for part in group.parts:
            if isinstance(part, Element):
                yield self._leaf(part, part.name if part.local in shared else part.local)
            elif isinstance(part, Group):
                branch = self._branch(part, shared)
                # Such a sequence adds nothing: it is what an extension makes of its base's.
                yield from branch.parts if branch.is_plain and not group.is_choice else (branch,)

    def _leaf(self, element: Element, key: str) -> Leaf:
        return Leaf(
            key,
            element.name,
            required=element.min > 0,
            most=element.max,
            shape=lambda: self._of(element.type),
        )


def _needed(branch: Branch) -> Iterator[str]:
    if not branch.required:
        return
    for part in branch.parts:
        if isinstance(part, Branch):
            yield from _needed(part)
        elif part.required or branch.is_choice:
            yield part.local


def _repeating(branch: Branch, around: bool = False) -> Iterator[str]:
    """Yield the local names that may stand more than once, each in its own right."""
    again = around or branch.repeats
    for part in branch.parts:
        if isinstance(part, Branch):
            yield from _repeating(part, again)
        elif again or part.repeats:
            yield part.local


__all__ = ["Branch", "Leaf", "Part", "Shape", "ShapeSource", "Shapes", "Types"]
