"""A contract's schemas cut down to what some of its elements and types can reach.

The cut holds too much rather than too little. It follows references by their local names alone,
whatever their namespace, so that chameleon includes and redefinitions need no rules of their own.
Components stay word for word, save for annotations; libxml2 says of them what it says of the whole.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final

import msgspec
from lxml import etree

from claimbridge import xmlio
from claimbridge.contract.base.names import XSD, full_name, split_name, unprefixed
from claimbridge.contract.files.documents import REFERENCES, Documents
from claimbridge.contract.outline.declarations import KINDS

_KINDS: Final = KINDS | {"notation": "notation"}
_TYPE_KEYS: Final = ("type", "base", "itemType", "memberTypes")
_INLINE: Final = (f"{{{XSD}}}simpleType", f"{{{XSD}}}complexType")

_Name = tuple[str, str]
"""The kind of a global component, and its local name."""


class Cut(msgspec.Struct, frozen=True):
    """Documents cut down, and the global components in them by ``{namespace}name``.

    ``hidden`` are the local names of the global elements that are not in them, if a wildcard in
    them might let such an element in.
    """

    documents: Documents
    elements: frozenset[str]
    types: frozenset[str]
    hidden: frozenset[str]


def prune(documents: Documents, elements: Iterable[str], types: Iterable[str]) -> Cut:
    """Return what the global ``elements`` and ``types`` (``{namespace}name``) can reach."""
    trees = {place: xmlio.parse(text, what=place) for place, text in documents.schemas.items()}
    walk = _Walk(trees)
    walk.follow([("element", split_name(name)[1]) for name in elements])
    walk.follow([("type", split_name(name)[1]) for name in types])
    hidden = walk.names("element", reached=False) if walk.has_wildcard else ()
    remaining = _remaining(trees, walk.nodes)
    schemas = {
        place: _rest(tree, walk.nodes, remaining)
        for place, tree in trees.items()
        if place in remaining
    }
    namespaces = {name: place for name, place in documents.namespaces.items() if place in remaining}
    return Cut(
        msgspec.structs.replace(documents, sources={}, schemas=schemas, namespaces=namespaces),
        frozenset(walk.names("element", reached=True)),
        frozenset(walk.names("type", reached=True)),
        frozenset(split_name(name)[1] for name in hidden),
    )


class _Walk:
    """Follows references from component to component; ``nodes`` are those that it has reached."""

    def __init__(self, trees: Mapping[str, etree._Element]) -> None:
        self.nodes: set[etree._Element] = set()
        self.has_wildcard = False
        self._named: dict[_Name, list[etree._Element]] = {}
        self._members: dict[str, list[etree._Element]] = {}
        self._redefinitions: list[etree._Element] = []
        for tree in trees.values():
            for node in tree.iterchildren(etree.Element):
                self._register(node)
        for node in self._redefinitions:
            self.nodes.add(node)
            self.follow(self._references(node))

    def follow(self, names: Iterable[_Name]) -> None:
        """Reach the components of these names, and all that they lead to."""
        waiting = deque(names)
        while waiting:
            for node in self._components(waiting.popleft()):
                if node not in self.nodes:
                    self.nodes.add(node)
                    waiting.extend(self._references(node))

    def names(self, kind: str, *, reached: bool) -> Iterator[str]:
        """Yield the ``{namespace}name`` of the components of a kind, reached or not."""
        for (own_kind, local), nodes in self._named.items():
            for node in nodes:
                if own_kind == kind and (node in self.nodes) == reached:
                    space = node.getroottree().getroot().get("targetNamespace", "")
                    yield full_name(space, local)

    def _register(self, node: etree._Element) -> None:
        kind = xmlio.local_name(node)
        if kind in ("redefine", "override"):
            self._redefinitions.append(node)
        elif kind in _KINDS:
            self._named.setdefault((_KINDS[kind], node.get("name", "")), []).append(node)
            head = unprefixed(node.get("substitutionGroup", ""))
            if head:
                self._members.setdefault(head, []).append(node)

    def _components(self, name: _Name) -> Iterator[etree._Element]:
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
    """Whether an element declares no type: it then is an anyType, a wildcard."""
    return (
        node.tag == f"{{{XSD}}}element"
        and not any(node.get(key) for key in ("type", "ref"))
        and next(node.iterchildren(*_INLINE), None) is None
    )


def _remaining(
    trees: Mapping[str, etree._Element], nodes: Collection[etree._Element]
) -> frozenset[str]:
    """Return the documents that hold one of ``nodes``, or bring one in that does."""
    remaining = {
        place
        for place, tree in trees.items()
        if any(node in nodes for node in tree.iterchildren(etree.Element))
    }
    brings = {
        place: {
            node.get("schemaLocation", "")
            for node in tree.iterchildren(*(f"{{{XSD}}}{name}" for name in REFERENCES[1:]))
        }
        for place, tree in trees.items()
    }
    while True:
        more = {place for place, others in brings.items() if others & remaining} - remaining
        if not more:
            return frozenset(remaining)
        remaining |= more


def _rest(
    tree: etree._Element, nodes: Collection[etree._Element], remaining: Collection[str]
) -> bytes:
    """Return a document without what is not reached; its tree is changed."""
    for node in list(tree):
        if not isinstance(node.tag, str):
            tree.remove(node)
            continue
        kind = xmlio.local_name(node)
        if kind in ("import", "include") and node.get("schemaLocation"):
            useless = node.get("schemaLocation") not in remaining
        else:
            useless = kind in _KINDS and node not in nodes
        if useless:
            tree.remove(node)
    etree.strip_elements(tree, f"{{{XSD}}}annotation", with_tail=False)
    etree.strip_tags(tree, etree.Comment, etree.ProcessingInstruction)
    for node in tree.iter(etree.Element):
        node.text = node.tail = None  # white space, which XML Schema gives no meaning
    return etree.tostring(tree, with_tail=False, encoding="utf-8")


__all__ = ["Cut", "prune"]
