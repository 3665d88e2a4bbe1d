"""What a contract says an element may hold, in the contract's own names.

Shapes are what rendering, drift and tolerant reading share. They are made from zeep's types by
``claimbridge.contract.calls.zeep_reader`` and know nothing of zeep.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum
from functools import cached_property
from typing import Final, Protocol

from claimbridge.contract.names import split_name

_ALWAYS: Final = frozenset({"@xsi:type", "@xsi:nil"})


class Order(Enum):
    """How the parts of a group stand to each other."""

    SEQUENCE = "sequence"
    CHOICE = "choice"


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
        repeats: bool,
        most: int | None,
        shape: Callable[[], Shape],
    ) -> None:
        self.key = key
        self.namespace, self.local = split_name(name)
        self.required = required
        self.repeats = repeats
        self.most = most
        """How many may stand here; None when unbounded."""
        self._shape = shape

    @cached_property
    def shape(self) -> Shape:
        """What the element may hold."""
        return self._shape()

    @property
    def keys(self) -> frozenset[str]:
        """The one key that this place takes."""
        return frozenset({self.key})


class Group:
    """A sequence or a choice of places; ``all`` counts as a sequence in schema order."""

    def __init__(
        self, order: Order, parts: tuple[Part, ...], *, required: bool, repeats: bool
    ) -> None:
        self.order = order
        self.parts = parts
        self.required = required
        self.repeats = repeats
        self.keys: frozenset[str] = frozenset().union(*(part.keys for part in parts))
        self._places: dict[str, list[int]] = {}
        for number, part in enumerate(parts):
            for key in part.keys:
                self._places.setdefault(key, []).append(number)

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
            elif isinstance(part, Group):
                yield from part.leaves()


class Wildcard:
    """A place for any element (``xs:any``); a request cannot fill it."""

    keys: frozenset[str] = frozenset()
    required = False


Part = Leaf | Group | Wildcard


class Shape:
    """What one type allows: attributes by ``@key``, and either text or elements.

    ``has_text`` is True for simple types and simple content. ``open`` is True where any element
    may stand (``xs:any``, ``xs:anyType``), ``open_attributes`` where any attribute may.
    """

    def __init__(
        self,
        *,
        attributes: Mapping[str, str],
        content: Group | None,
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


def _needed(group: Group) -> Iterator[str]:
    if not group.required:
        return
    for part in group.parts:
        # zeep holds the alternatives of a choice for optional, each by itself.
        if isinstance(part, Leaf) and (part.required or group.order is Order.CHOICE):
            yield part.local
        elif isinstance(part, Group):
            yield from _needed(part)


def _repeating(group: Group, around: bool = False) -> Iterator[str]:
    """Yield the local names that may stand more than once, each in its own right."""
    again = around or group.repeats
    for part in group.parts:
        if isinstance(part, Leaf) and (again or part.repeats):
            yield part.local
        elif isinstance(part, Group):
            yield from _repeating(part, again)


__all__ = ["Group", "Leaf", "Order", "Part", "Shape", "Types", "Wildcard"]
