"""A contract's schemas cut down to what some of its elements and types can reach.

The cut keeps too much rather than too little: references are followed by their local names alone,
whatever their namespace, so that chameleon includes and redefinitions need no rules of their own
(which ``Declarations`` has, whose names are exact, and for which a cut could be too tight).
What is kept is kept word for word, save for annotations; libxml2 says of it what it says of the
whole.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final

import msgspec
from lxml import etree

from claimbridge import xmlio
from claimbridge.contract.files.documents import REFERENCES, Documents
from claimbridge.contract.names import XSD, full_name, split_name, unprefixed
from claimbridge.contract.outline.declarations import KINDS

_KINDS: Final = KINDS | {"notation": "notation"}
_TYPE_KEYS: Final = ("type", "base", "itemType", "memberTypes")
_INLINE: Final = (f"{{{XSD}}}simpleType", f"{{{XSD}}}complexType")

_Name = tuple[str, str]
"""The kind of a global component, and its local name."""


class Pruned(msgspec.Struct, frozen=True):
    """Documents cut down, and what is left of them by ``{namespace}name``.

    ``elements`` and ``types`` are the global ones that are there. ``hidden`` are the local names
    of the global elements that are not, where a wildcard is left that might let them in.
    """

    documents: Documents
    elements: frozenset[str]
    types: frozenset[str]
    hidden: frozenset[str]


def prune(documents: Documents, elements: Iterable[str], types: Iterable[str]) -> Pruned:
    """Return what the global ``elements`` and ``types`` (``{namespace}name``) can reach."""
    trees = {place: xmlio.parse(text, what=place) for place, text in documents.schemas.items()}
    cut = _Cut(trees)
    cut.follow([("element", split_name(name)[1]) for name in elements])
    cut.follow([("type", split_name(name)[1]) for name in types])
    hidden = cut.names("element", kept=False) if cut.has_wildcard else ()
    remaining = _remaining(trees, cut.kept)
    schemas = {place: _written(trees[place], cut.kept, remaining) for place in remaining}
    smaller = msgspec.structs.replace(
        documents,
        sources={},
        schemas=schemas,
        namespaces={
            name: place for name, place in documents.namespaces.items() if place in remaining
        },
    )
    return Pruned(
        smaller,
        frozenset(cut.names("element", kept=True)),
        frozenset(cut.names("type", kept=True)),
        frozenset(split_name(name)[1] for name in hidden),
    )


class _Cut:
    """Follows references from component to component; ``kept`` are the nodes reached."""

    def __init__(self, trees: Mapping[str, etree._Element]) -> None:
        self.kept: set[etree._Element] = set()
        self.has_wildcard = False
        self._named: dict[_Name, list[etree._Element]] = {}
        self._members: dict[str, list[etree._Element]] = {}
        self._redefined: list[etree._Element] = []
        for tree in trees.values():
            for node in tree.iterchildren(etree.Element):
                self._register(node)
        for node in self._redefined:
            self.kept.add(node)
            self.follow(self._references(node))

    def follow(self, names: Iterable[_Name]) -> None:
        """Keep the components of these names, and all that they lead to."""
        waiting = deque(names)
        while waiting:
            for node in self._found(waiting.popleft()):
                if node not in self.kept:
                    self.kept.add(node)
                    waiting.extend(self._references(node))

    def names(self, kind: str, *, kept: bool) -> Iterator[str]:
        """Yield the ``{namespace}name`` of the components of a kind, kept or not."""
        for (found, local), nodes in self._named.items():
            for node in nodes:
                if found == kind and (node in self.kept) == kept:
                    space = node.getroottree().getroot().get("targetNamespace", "")
                    yield full_name(space, local)

    def _register(self, node: etree._Element) -> None:
        kind = xmlio.local_name(node)
        if kind in ("redefine", "override"):
            self._redefined.append(node)
        elif kind in _KINDS:
            self._named.setdefault((_KINDS[kind], node.get("name", "")), []).append(node)
            head = unprefixed(node.get("substitutionGroup", ""))
            if head:
                self._members.setdefault(head, []).append(node)

    def _found(self, name: _Name) -> Iterator[etree._Element]:
        yield from self._named.get(name, ())
        if name[0] == "element":
            # XSD 1.0 Part 1 §3.3.6: wherever a head may stand, so may those that substitute it.
            yield from self._members.get(name[1], ())

    def _references(self, node: etree._Element) -> Iterator[_Name]:
        for each in node.iter(etree.Element):
            kind = xmlio.local_name(each)
            for key in _TYPE_KEYS:
                for written in each.get(key, "").split():
                    yield "type", unprefixed(written)
                    self.has_wildcard |= unprefixed(written) == "anyType"
            if each.get("ref"):
                yield _KINDS.get(kind, kind), unprefixed(each.get("ref", ""))
            if each.get("substitutionGroup"):
                yield "element", unprefixed(each.get("substitutionGroup", ""))
            if kind in ("any", "anyAttribute") or _is_untyped(each):
                self.has_wildcard = True
                yield from (name for name in self._named if name[0] == "attribute")


def _is_untyped(node: etree._Element) -> bool:
    """Tell whether an element declares no type: it then is an anyType, a wildcard."""
    return (
        node.tag == f"{{{XSD}}}element"
        and not any(node.get(key) for key in ("type", "ref"))
        and next(node.iterchildren(*_INLINE), None) is None
    )


def _remaining(
    trees: Mapping[str, etree._Element], kept: Collection[etree._Element]
) -> frozenset[str]:
    """Return the documents that hold something kept, or bring one in that does."""
    remaining = {
        place
        for place, tree in trees.items()
        if any(node in kept for node in tree.iterchildren(etree.Element))
    }
    brings = {
        place: {
            node.get("schemaLocation", "")
            for node in tree.iterchildren(*(f"{{{XSD}}}{name}" for name in REFERENCES[1:]))
        }
        for place, tree in trees.items()
    }
    while True:
        more = {place for place, held in brings.items() if held & remaining} - remaining
        if not more:
            # In the order of the whole: libxml2 asks for them in the same order.
            return frozenset(remaining)
        remaining |= more


def _written(
    tree: etree._Element, kept: Collection[etree._Element], remaining: Collection[str]
) -> bytes:
    for node in list(tree):
        if not isinstance(node.tag, str):
            tree.remove(node)
            continue
        kind = xmlio.local_name(node)
        if kind in ("import", "include") and node.get("schemaLocation"):
            useless = node.get("schemaLocation") not in remaining
        else:
            useless = kind in _KINDS and node not in kept
        if useless:
            tree.remove(node)
    etree.strip_elements(tree, f"{{{XSD}}}annotation", with_tail=False)
    etree.strip_tags(tree, etree.Comment, etree.ProcessingInstruction)
    for node in tree.iter(etree.Element):
        node.text = node.tail = None  # white space, which XML Schema gives no meaning
    return etree.tostring(tree, with_tail=False, encoding="utf-8")


__all__ = ["Pruned", "prune"]
