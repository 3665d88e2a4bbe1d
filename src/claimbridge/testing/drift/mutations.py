"""Mutations of a reply's Body: each says whether it took a value away.

The SOAP frame stays as it is: an envelope that cannot be read is no reply.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable

import msgspec
from lxml import etree

Element = etree._Element
CONTRADICTED = "element contradicted"


class MutationNote(msgspec.Struct, frozen=True, eq=False):
    """What one mutation did.

    ``touched`` are the elements of the original, by their number, whose value, name or place it
    changed; empty for what only adds, or changes how things are written.
    """

    how: str
    touched: tuple[int, ...] = ()


Mutation = Callable[[list[Element], random.Random], MutationNote]
"""Changes the tree; the list holds the elements below the Body's child, in document order."""


def _any(elements: list[Element], draw: random.Random) -> tuple[int, Element]:
    number = draw.randrange(len(elements))
    return number, elements[number]


def _below(elements: list[Element], number: int) -> tuple[int, ...]:
    inside = set(elements[number].iter(etree.Element))
    return tuple(n for n, one in enumerate(elements) if one in inside)


def add_element(elements: list[Element], draw: random.Random) -> MutationNote:
    """A new element beside or before others, with a value of its own."""
    _, place = _any(elements, draw)
    parent = place.getparent()
    assert parent is not None
    names = ("ProcessingStage", "LegacyNumber", "Extension", "Status2")
    space = draw.choice(("", "{urn:new}", f"{{{etree.QName(place).namespace}}}"))
    made = etree.Element(f"{space if space != '{None}' else ''}{draw.choice(names)}")
    made.text = draw.choice(("2", "0999999999", "OK", "E", ""))
    parent.insert(parent.index(place) + draw.randrange(2), made)
    return MutationNote("element added")


def add_subtree(elements: list[Element], draw: random.Random) -> MutationNote:
    """A new wrapper that holds what looks like known elements, with other values."""
    _, place = _any(elements, draw)
    parent = place.getparent()
    assert parent is not None
    made = etree.Element("{urn:new}PreviousVersion")
    held = copy.deepcopy(place)
    for one in held.iter(etree.Element):
        if one.text and one.text.strip():
            one.text = "0000000001"
    made.append(held)
    parent.append(made)
    return MutationNote("subtree added")


def reorder(elements: list[Element], draw: random.Random) -> MutationNote:
    """The children of one element in another order."""
    parents = [one for one in elements if len(one) > 1]
    if not parents:
        return MutationNote("children reordered")
    parent = draw.choice(parents)
    if len({child.tag for child in parent}) != len(parent):
        return MutationNote("children reordered")  # the order of what repeats may mean something
    children = list(parent)
    draw.shuffle(children)
    parent[:] = children
    return MutationNote("children reordered")


def wrap(elements: list[Element], draw: random.Random) -> MutationNote:
    """One element in a new wrapper, moved a level down; where it repeats, each of its kind."""
    _, place = _any(elements, draw)
    parent = place.getparent()
    assert parent is not None
    for one in [child for child in parent if child.tag == place.tag]:
        made = etree.Element("{urn:new}Result")
        parent.replace(one, made)
        made.append(one)
    return MutationNote("element wrapped")


def unwrap(elements: list[Element], draw: random.Random) -> MutationNote:
    """One wrapper gone: its children stand in its place."""
    parents = [n for n, one in enumerate(elements) if len(one) and one.getparent() is not None]
    if not parents:
        return MutationNote("wrapper removed")
    number = draw.choice(parents)
    place, touched = elements[number], _below(elements, number)
    parent = place.getparent()
    assert parent is not None
    at = parent.index(place)
    parent[at : at + 1] = list(place)
    return MutationNote("wrapper removed", touched)


def rename(elements: list[Element], draw: random.Random) -> MutationNote:
    """One element under another name."""
    number, place = _any(elements, draw)
    name = etree.QName(place)
    space = f"{{{name.namespace}}}" if name.namespace else ""
    place.tag = f"{space}{name.localname}{draw.choice(('2', 'New', '_v3'))}"
    return MutationNote("element renamed", _below(elements, number))


def empty(elements: list[Element], draw: random.Random) -> MutationNote:
    """One element without its text and children."""
    number, place = _any(elements, draw)
    touched = _below(elements, number)
    for child in list(place):
        place.remove(child)
    place.text = draw.choice((None, " ", "\n"))
    return MutationNote("element emptied", touched)


def remove(elements: list[Element], draw: random.Random) -> MutationNote:
    """One element gone."""
    number, place = _any(elements, draw)
    touched = _below(elements, number)
    parent = place.getparent()
    assert parent is not None
    parent.remove(place)
    return MutationNote("element removed", touched)


def repeat(elements: list[Element], draw: random.Random) -> MutationNote:
    """One element twice, the same."""
    number, place = _any(elements, draw)
    parent = place.getparent()
    assert parent is not None
    parent.insert(parent.index(place) + 1, copy.deepcopy(place))
    return MutationNote("element repeated", _below(elements, number))


def contradict(elements: list[Element], draw: random.Random) -> MutationNote:
    """One element twice, with another value the second time."""
    number, place = _any(elements, draw)
    parent = place.getparent()
    assert parent is not None
    other = copy.deepcopy(place)
    for one in other.iter(etree.Element):
        if one.text and one.text.strip():
            one.text = one.text[::-1] + "7"
    parent.insert(parent.index(place) + draw.randrange(2), other)
    return MutationNote(CONTRADICTED, _below(elements, number))


def truncate(elements: list[Element], draw: random.Random) -> MutationNote:
    """One text cut off to nothing but its blanks, or nil."""
    with_text = [n for n, one in enumerate(elements) if one.text and one.text.strip()]
    if not with_text:
        return MutationNote("text cut off")
    number = draw.choice(with_text)
    place = elements[number]
    place.text = ""
    if draw.random() < 0.5:
        place.set("{http://www.w3.org/2001/XMLSchema-instance}nil", "true")
    return MutationNote("text cut off", (number,))


def namespace(elements: list[Element], draw: random.Random) -> MutationNote:
    """Everything, or one element, in another namespace or in none."""
    space = draw.choice(("{urn:another-version}", ""))
    chosen = elements if draw.random() < 0.5 else [_any(elements, draw)[1]]
    for one in chosen:
        one.tag = f"{space}{etree.QName(one).localname}"
    return MutationNote("namespace changed")


def prefix(elements: list[Element], draw: random.Random) -> MutationNote:
    """Another prefix for the same namespace, declared again further in."""
    number, place = _any(elements, draw)
    name, parent = etree.QName(place), place.getparent()
    assert parent is not None
    made = etree.Element(
        place.tag, place.attrib, nsmap={f"p{draw.randrange(99)}": name.namespace or "urn:unused"}
    )
    made.text, made.tail = place.text, place.tail
    made[:] = list(place)
    parent.replace(place, made)
    elements[number] = made
    return MutationNote("prefix changed")


def attribute(elements: list[Element], draw: random.Random) -> MutationNote:
    """A new attribute."""
    _, place = _any(elements, draw)
    place.set(draw.choice(("version", "{urn:new}unit", "lang", "status")), draw.choice(("2", "x")))
    return MutationNote("attribute added")


def comment(elements: list[Element], draw: random.Random) -> MutationNote:
    """A comment or an instruction, between elements or in the middle of a text."""
    _, place = _any(elements, draw)
    made = (
        etree.Comment(" 0000000001 ")
        if draw.random() < 0.6
        else etree.ProcessingInstruction("erp", "number=1")
    )
    text = place.text or ""
    cut = draw.randrange(len(text) + 1)
    place.text, made.tail = text[:cut], text[cut:]
    place.insert(0, made)
    return MutationNote("comment added")


def blank(elements: list[Element], draw: random.Random) -> MutationNote:
    """White space around a value, and between elements."""
    for one in draw.sample(elements, k=min(3, len(elements))):
        if one.text and one.text.strip() and not len(one):  # a comment may stand in its middle
            one.text = f"\n\t {one.text} \n"
        one.tail = "\n   "
    return MutationNote("white space added")


SPELLINGS: frozenset[Mutation] = frozenset({namespace, prefix, attribute, comment, blank})
"""Those that change how a reply is written, and nothing else: another may follow."""

MUTATIONS: tuple[Mutation, ...] = (
    add_element,
    add_subtree,
    reorder,
    wrap,
    unwrap,
    rename,
    empty,
    remove,
    repeat,
    contradict,
    truncate,
    namespace,
    prefix,
    attribute,
    comment,
    blank,
)
