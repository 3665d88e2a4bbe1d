"""Replies with the mistakes that real ERPs make."""

from __future__ import annotations

import copy
from collections.abc import Collection
from typing import Final

from lxml import etree

from claimbridge.sandbox.kit.markup import element, render
from claimbridge.xmlio import local_name, parse

_DRIFT: Final = "{urn:claimbridge:sandbox:another-version}"
_DOCUMENT: Final = ("<", "{", "[")
"""How a string begins that is a document itself: XML, or JSON."""


def drift_reply(content: bytes, items: Collection[str]) -> bytes:
    """Return the reply as another version of the ERP would send it, all evidence still in it.

    Everything inside the root is in another namespace. New elements come first. Each item is
    wrapped in a new element, and its parts come in another order. An item that is a text (a
    document in a string) has no parts and is only wrapped.
    """
    root = _read(content)
    for part in root.iterdescendants(etree.Element):
        part.tag = _DRIFT + local_name(part)
    for item in _items(root, items):
        if not (item.text or "").strip():
            item[:] = [element(f"{_DRIFT}ProcessingStage", "2"), *reversed(item)]
        wrapper = etree.Element(f"{_DRIFT}Result")
        _replace(item, wrapper)
        wrapper.append(item)
    root.insert(0, element(f"{_DRIFT}ServerVersion", "2027.1"))
    return render(root)


def misname_reference(content: bytes, reference: str) -> bytes:
    """Return the reply with another reference in place of ``reference``.

    The same inside a document in a string.
    """
    root = _read(content)
    other = reference[:-1] + ("0" if reference[-1:] != "0" else "1")
    for part in root.iter(etree.Element):
        text = (part.text or "").strip()
        if text == reference or text.startswith(_DOCUMENT):
            part.text = text.replace(reference, other)
        for name, value in part.attrib.items():
            if value.strip() == reference:
                part.set(name, other)
    return render(root)


def double_items(content: bytes, other: bytes, items: Collection[str]) -> bytes:
    """Return the reply with the items of ``other`` in front of its own."""
    root = _read(content)
    own = _items(root, items)
    if own:
        place = root.index(own[0])
        root[place:place] = [copy.deepcopy(item) for item in _items(_read(other), items)]
    return render(root)


def _read(content: bytes) -> etree._Element:
    return parse(content, what="the sandbox's own reply")


def _items(root: etree._Element, names: Collection[str]) -> list[etree._Element]:
    return [child for child in root if local_name(child) in names]


def _replace(old: etree._Element, new: etree._Element) -> None:
    parent = old.getparent()
    assert parent is not None  # items are children of the root
    parent.replace(old, new)
