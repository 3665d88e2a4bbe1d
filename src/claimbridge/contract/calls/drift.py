"""How a reply differs from the contract: every difference is reported, none is refused."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final

from lxml import etree

from claimbridge import xmlio
from claimbridge.contract.base.names import XSI, split_name
from claimbridge.contract.calls.replies import concrete
from claimbridge.contract.calls.shapes import Branch, Leaf, Shape, Types

MAX_SENTENCES: Final = 50
MAX_DIFFERENCES: Final = 10_000
"""Differences that are looked at, most of them of a kind: a namespace left out everywhere."""
_INSTANCE: Final = f"{{{XSI}}}"
_IN: Final = " is in "


def drift(
    element: etree._Element, leaf: Leaf | None, types: Types | None = None
) -> tuple[str, ...]:
    """Return a sentence for each kind of difference from the contract, at most 50.

    ``leaf`` is what the contract knows of the element; None when it knows nothing. ``types`` are
    what an ``xsi:type`` in the reply may name.
    """
    if leaf is None:
        return (f"{xmlio.local_name(element)} is not in the contract",)
    told: dict[str, str] = {}
    for sentence in islice(_differences(element, leaf, leaf.local, types), MAX_DIFFERENCES):
        told.setdefault(kind_of(sentence), sentence)
    return tuple(islice(told.values(), MAX_SENTENCES))


def kind_of(sentence: str) -> str:
    """Return what a sentence says, whichever element it is about.

    An ERP that leaves a namespace out does so at hundreds of places: that is one difference.
    """
    return sentence.partition(_IN)[2] or sentence


def _differences(
    element: etree._Element, leaf: Leaf, path: str, types: Types | None
) -> Iterator[str]:
    if element.tag != leaf.name:
        space = xmlio.namespace(element) or "no namespace"
        yield f"{path}{_IN}{space}; the contract has {leaf.namespace or 'no namespace'}"
    shape = concrete(element, leaf.shape, types)
    yield from _attributes(element, shape, path)
    children = [(xmlio.local_name(each), each) for each in element.iterchildren(etree.Element)]
    if shape.is_open or (shape.has_text and not children):
        return
    names = [name for name, _ in children]
    yield from _lacking(element, names, shape, path)
    yield from _misplaced(names, shape, path)
    for name, child in children:
        place = shape.children.get(name)
        if place is None:
            yield f"{path}/{name} is not in the contract"
        else:
            yield from _differences(child, place, f"{path}/{name}", types)


def _attributes(element: etree._Element, shape: Shape, path: str) -> Iterator[str]:
    if shape.open_attributes:
        return
    for key in map(str, element.attrib):
        if key not in shape.attributes.values() and not key.startswith(_INSTANCE):
            yield f"{path}/@{split_name(key)[1]} is not in the contract"


def _lacking(element: etree._Element, names: list[str], shape: Shape, path: str) -> Iterator[str]:
    # An element that is nil, or of another type than the declared one, owes nothing.
    if shape.content is None or any(str(key).startswith(_INSTANCE) for key in element.attrib):
        return
    for name in _required(shape.content):
        if name not in names:
            yield f"{path} lacks {name}, which the contract requires"


def _required(branch: Branch) -> Iterator[str]:
    if branch.is_choice or not branch.required:
        return
    for part in branch.parts:
        if isinstance(part, Branch):
            yield from _required(part)
        elif part.required:
            yield part.local


def _misplaced(names: list[str], shape: Shape, path: str) -> Iterator[str]:
    if shape.content is None or _is_loose(shape.content):
        return
    order = {leaf.local: number for number, leaf in enumerate(shape.content.leaves())}
    latest, latest_name = -1, ""
    for name in names:
        number = order.get(name, latest)
        if number < latest:
            yield f"{path}/{name} stands after {latest_name}; the contract has it before"
        else:
            latest, latest_name = number, name if name in order else latest_name


def _is_loose(branch: Branch) -> bool:
    """Whether the contract itself lets the children come in more than one order."""
    names = [leaf.local for leaf in branch.leaves()]
    return len(set(names)) < len(names) or _repeats_somewhere(branch)


def _repeats_somewhere(branch: Branch) -> bool:
    return branch.repeats or any(
        isinstance(part, Branch) and _repeats_somewhere(part) for part in branch.parts
    )


__all__ = ["drift", "kind_of"]
