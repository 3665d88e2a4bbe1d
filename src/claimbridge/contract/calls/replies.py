"""Tolerant reading of a reply: nothing the ERP adds, moves or renames hides or falsifies a value.

What is tolerated, always: other prefixes and namespaces, new elements and attributes, another
order, comments, processing instructions, CDATA, white space, ``xsi:nil``.

What is tolerated where the contract is known (``Contract.reply``): an element that stands in a
wrapper the contract does not have at that place, or whose own wrapper is gone. Nothing is ever
read through an element that the contract knows to mean something else: a reversed document's
number is no document's number.

What goes first, where the contract has one of a name: what stands in the contract's own namespace;
what others put beside it is told (``drift``), and no second value. ``"@type"`` is never
``xsi:type`` where there is another; ``"@xsi:type"`` is that attribute alone.

What is refused: two different values where one is asked for. ``text`` then raises DocumentError
CB-155, and never picks one. A caller that cannot go on without the value has an unknown outcome.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from lxml import etree

from claimbridge import xmlio
from claimbridge.contract.calls.shapes import Shape, Types
from claimbridge.contract.names import XSI, full_name, qname, split_name
from claimbridge.errors import DocumentError

_NIL: Final = f"{{{XSI}}}nil"
_TYPE: Final = f"{{{XSI}}}type"


class Reply:
    """One element of a reply; paths are local names below it, ``"@name"`` an attribute.

    ``element`` is the lxml element, for drift and signatures only. ``drift`` says what was
    tolerated to read it at all, a sentence each.
    """

    __slots__ = ("_shape", "_types", "drift", "element")

    def __init__(
        self,
        element: etree._Element,
        shape: Shape | None = None,
        types: Types | None = None,
        *,
        drift: tuple[str, ...] = (),
    ) -> None:
        self.element: Final = element
        self.drift: Final = drift
        self._shape = concrete(element, shape, types) if shape else None
        self._types = types

    def __repr__(self) -> str:
        return f"Reply({self.local!r})"

    @property
    def name(self) -> str:
        """The ``{namespace}name``; the local name alone where there is no namespace."""
        return str(self.element.tag)

    @property
    def local(self) -> str:
        """The name without its namespace."""
        return xmlio.local_name(self.element)

    @property
    def children(self) -> list[Reply]:
        """Every child element, in document order."""
        return [
            Reply(child, _below(self._shape, xmlio.local_name(child)), self._types)
            for child in self.element.iterchildren(etree.Element)
        ]

    def all(self, *path: str) -> list[Reply]:
        """Return every element at ``path``, in document order; [] when there is none."""
        found = self._exact(path)
        return found or self._moved(path)

    def find(self, *path: str) -> Reply | None:
        """Return the first element at ``path``; None when there is none.

        Use ``all`` for what may repeat, and ``text`` for values: it refuses an ambiguity.
        """
        found = self.all(*path)
        return found[0] if found else None

    def texts(self, *path: str) -> list[str]:
        """Return every value at ``path`` that is not blank, stripped, in document order.

        Raises DocumentError CB-155 for an element that is nil and has a value, or whose text has
        other elements in its middle.
        """
        *steps, last = path or ("",)
        if last.startswith("@"):
            owners = self.all(*steps) if steps else [self]
            return [value for owner in owners if (value := owner._attribute(last[1:]))]
        owners = self.all(*path) if path else [self]
        return [value for owner in owners if (value := owner._value())]

    def text(self, *path: str) -> str:
        """Return the one value at ``path``, stripped; "" when it is absent, nil or blank.

        The same value given twice is one value. Raises DocumentError CB-155 when two values
        differ: none of them is evidence.
        """
        values = dict.fromkeys(self.texts(*path))
        if len(values) > 1:
            raise DocumentError(
                f"the reply gives {len(values)} different values for {'/'.join(path)} in "
                f"{self.local}; none of them can be relied on",
                code="CB-155",
            )
        return next(iter(values), "")

    def _exact(self, path: Iterable[str]) -> list[Reply]:
        found = [self]
        for step in path:
            found = [child for each in found for child in each._called(step)]
        return found

    def _called(self, name: str) -> list[Reply]:
        """Return the children of a local name; the contract's own go before all others."""
        found = [child for child in self.children if child.local == name]
        if len(found) < 2 or self._shape is None:
            return found
        # What may repeat is never left out: it may be another document.
        spaces = self._shape.namespaces_of(name)
        own = [child for child in found if xmlio.namespace(child.element) in spaces]
        return own or found

    def _moved(self, path: tuple[str, ...]) -> list[Reply]:
        """Return what stands in a new wrapper, or without its old one; [] unless it is clear.

        One difference only. Were several ways to lead somewhere, none would be sure.
        """
        if self._shape is None or not path:
            return []
        ways = [found for found in self._ways(path) if found]
        places = {id(each.element) for found in ways for each in found}
        return ways[0] if ways and len(places) == len(ways[0]) else []

    def _ways(self, path: tuple[str, ...]) -> Iterator[list[Reply]]:
        for depth, step in enumerate(path):
            rest = path[depth + 1 :]
            for owner in self._exact(path[:depth]):
                if owner._shape is None or owner._exact((step,)):
                    continue
                yield from _wrapped(owner, path[depth:], owner._shape)
                # ``step`` itself is gone, and what it held stands here, where the contract has
                # nothing of that name.
                if rest and rest[0] not in owner._shape.children:
                    yield owner._exact(rest)

    def _attribute(self, name: str) -> str:
        alike = {
            str(key): value.strip()
            for key, value in self.element.attrib.items()
            if value.strip() and _is_called(str(key), name)
        }
        own = self._shape.attributes.get(f"@{name}") if self._shape else None
        schemas = full_name(XSI, name)
        # ``xsi:type`` and ``xsi:nil`` are about the element; its own of those names are data.
        if own is not None or (len(alike) > 1 and not name.startswith("xsi:")):
            alike.pop(schemas, None)
        values = {alike[own]} if own in alike else set(alike.values())
        if len(values) > 1:
            raise self._unclear(f"has two different attributes {name}")
        return next(iter(values), "")

    def _value(self) -> str:
        """Return the element's own text, whole: comments and instructions do not cut it."""
        element = self.element
        text = "".join([element.text or "", *(child.tail or "" for child in element)]).strip()
        if not text:
            return ""
        if element.get(_NIL, "").strip() in {"true", "1"}:
            raise self._unclear("is nil and has a value")
        if next(element.iterchildren(etree.Element), None) is not None:
            raise self._unclear("has a text with elements in its middle")
        return text

    def _unclear(self, why: str) -> DocumentError:
        return DocumentError(
            f"the reply's {self.local} {why}; it cannot be relied on", code="CB-155"
        )


def _is_called(key: str, name: str) -> bool:
    if name.startswith("xsi:"):
        return key == full_name(XSI, name[4:])
    return split_name(key)[1] == name


def _wrapped(owner: Reply, path: tuple[str, ...], known: Shape) -> Iterable[list[Reply]]:
    """Return what stands at ``path`` in new wrappers; wrappers of one name are one way."""
    ways: dict[str, list[Reply]] = {}
    for wrapper in owner.children:
        if wrapper.local not in known.children:
            ways.setdefault(wrapper.local, []).extend(wrapper._exact(path))
    return ways.values()


def concrete(element: etree._Element, declared: Shape, types: Types | None) -> Shape:
    """Return the shape that the reply's own ``xsi:type`` names, where the contract has it."""
    name = qname(element.get(_TYPE, ""), element)
    if types is None or not name:
        return declared
    found = types.named(name)
    return found[1] if found else declared


def _below(shape: Shape | None, name: str) -> Shape | None:
    leaf = shape.children.get(name) if shape else None
    return leaf.shape if leaf else None


__all__ = ["Reply", "concrete"]
