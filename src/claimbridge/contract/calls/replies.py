"""Tolerant reading: what an ERP adds, moves or renames neither hides nor changes a value.

A reader tolerates, always: other prefixes and namespaces, new elements and attributes, another
order, comments, processing instructions, CDATA, white space, ``xsi:nil``.

A reader that knows the contract (``Contract.reply``) also tolerates an element in a wrapper that
the contract does not have at that place, and an element without its wrapper. It never reads through
an element to which the contract gives another meaning: the number of a reversed document is not the
number of the document.

Of several elements of one name, those in the contract's own namespace go first. What others put
beside them is reported (``drift``) and is no second value. ``"@type"`` is never ``xsi:type`` where
there is another ``type``; ``"@xsi:type"`` is that attribute alone.

A reader refuses two different values where one is wanted: ``text`` then raises DocumentError CB-155
and never picks one. If a caller needs the value, the outcome is unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from lxml import etree

from claimbridge import xmlio
from claimbridge.contract.base.names import XSI, full_name, qname, split_name
from claimbridge.contract.calls.shapes import Shape, Types
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
        return [self.child(element) for element in self.element.iterchildren(etree.Element)]

    def child(self, element: etree._Element) -> Reply:
        """Return one child element as a reply of its own."""
        leaf = self._shape.children.get(xmlio.local_name(element)) if self._shape else None
        return Reply(element, leaf.shape if leaf else None, self._types)

    def all(self, *path: str) -> list[Reply]:
        """Return every element at ``path``, in document order; [] when there is none."""
        return self._at(path) or self._elsewhere(path)

    def find(self, *path: str) -> Reply | None:
        """Return the first element at ``path``; None when there is none.

        Use ``all`` for what may repeat, and ``text`` for values: it refuses an ambiguity.
        """
        replies = self.all(*path)
        return replies[0] if replies else None

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

    def _at(self, path: Iterable[str]) -> list[Reply]:
        """Return what stands exactly at ``path``."""
        replies = [self]
        for step in path:
            replies = [child for reply in replies for child in reply._children_called(step)]
        return replies

    def _children_called(self, name: str) -> list[Reply]:
        """Return the children of a local name; those in the contract's own namespace go first."""
        ending = f"}}{name}"
        elements = [
            element
            for element in self.element.iterchildren(etree.Element)
            if element.tag == name or str(element.tag).endswith(ending)
        ]
        if len(elements) > 1 and self._shape is not None:
            # What may repeat is never left out: it may be another document.
            spaces = self._shape.namespaces_of(name)
            elements = [each for each in elements if xmlio.namespace(each) in spaces] or elements
        return [self.child(element) for element in elements]

    def _elsewhere(self, path: tuple[str, ...]) -> list[Reply]:
        """Return what stands in a new wrapper, or without its old one; [] unless it is clear.

        One difference only. If several ways lead somewhere, none is sure.
        """
        if self._shape is None or not path:
            return []
        ways = [replies for replies in self._ways(path) if replies]
        places = {id(reply.element) for replies in ways for reply in replies}
        return ways[0] if ways and len(places) == len(ways[0]) else []

    def _ways(self, path: tuple[str, ...]) -> Iterator[list[Reply]]:
        for depth, step in enumerate(path):
            rest = path[depth + 1 :]
            for owner in self._at(path[:depth]):
                if owner._shape is None or owner._at((step,)):
                    continue
                yield from owner._wrappers(path[depth:], owner._shape)
                # ``step`` itself is gone, and what it held stands here, where the contract has
                # nothing of that name.
                if rest and rest[0] not in owner._shape.children:
                    yield owner._at(rest)

    def _wrappers(self, path: tuple[str, ...], shape: Shape) -> Iterable[list[Reply]]:
        """Return what stands at ``path`` in new wrappers; wrappers of one name are one way."""
        ways: dict[str, list[Reply]] = {}
        for wrapper in self.children:
            if wrapper.local not in shape.children:
                ways.setdefault(wrapper.local, []).extend(wrapper._at(path))
        return ways.values()

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


def concrete(element: etree._Element, shape: Shape, types: Types | None) -> Shape:
    """Return the shape that the reply's own ``xsi:type`` names, where the contract has it."""
    written = element.get(_TYPE)
    if not written or types is None:
        return shape
    named = types.named(qname(written, element))
    return named[1] if named else shape


def _is_called(key: str, name: str) -> bool:
    if name.startswith("xsi:"):
        return key == full_name(XSI, name[4:])
    return split_name(key)[1] == name


__all__ = ["Reply", "concrete"]
