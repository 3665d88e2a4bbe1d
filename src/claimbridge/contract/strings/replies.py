"""Reading a reply that travels as text inside an element: XML, or JSON as if it were XML."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from lxml import etree

from claimbridge import xmlio
from claimbridge.contract.calls.replies import Reply
from claimbridge.errors import DocumentError

_MAX_DEPTH: Final = 50
_MOST_WRAPPERS: Final = 3
# The text was decoded with the message around it, so what it declares is true no more.
_DECLARATION: Final = re.compile(r"\s*<\?xml\b[^>]*\?>\s*")
_NAME: Final = re.compile(r"[^\W\d][\w.\-]*")


def read_inner(text: str) -> Reply:
    """Return the document that ``text`` holds, to be read as any reply.

    A member of a JSON object is an element of its name; the entries of an array repeat the name.
    The root is ``document``. Members whose names no element can have are left out. A member that is
    given twice stands there twice, so that its value is no evidence. A document may be written as
    a JSON string once more, or stand as one in the ``d`` of ASP.NET; ``drift`` then reports that.
    Raises DocumentError CB-150 for a text that is neither XML nor an object or array of JSON.
    """
    return _read(text, ())


def _read(text: str, drift: tuple[str, ...]) -> Reply:
    plain = text.strip().strip("\ufeff").strip()
    if plain.startswith(("{", "[", '"')):
        value = _loaded(plain)
        within, how = _within(value)
        if within is not None and len(drift) < _MOST_WRAPPERS:
            return _read(within, (*drift, how))
        return Reply(_from_json(value), drift=drift)
    # Surrogates have no UTF-8; "replace" makes a mark of them, which no value of ours has.
    data = _DECLARATION.sub("", plain, count=1).encode(errors="replace")
    return Reply(xmlio.parse(data, what="the document in the reply"), drift=drift)


def _within(value: object) -> tuple[str | None, str]:
    """Return the document that a JSON value only wraps, and how; None if there is none."""
    if isinstance(value, str):
        return value, "the document in a reply is written as a JSON string once more"
    if isinstance(value, _Object) and len(value) == 1:
        ((name, text),) = value
        if name == "d" and isinstance(text, str) and text.lstrip().startswith(("{", "[", "<")):
            return text, "the document in a reply stands as a string in the member d of another"
    return None, ""


class _Object(list[tuple[str, Any]]):
    """A JSON object with its members in order, repeated ones included."""


def _loaded(text: str) -> object:
    try:
        value: object = json.loads(
            text, object_pairs_hook=_Object, parse_float=str, parse_int=str, parse_constant=str
        )
    except (ValueError, RecursionError) as error:
        raise _unreadable(error) from error
    return value


def _from_json(value: object) -> etree._Element:
    if not isinstance(value, list):
        raise _unreadable("it is no object and no array of JSON")
    try:
        root = etree.Element("document")
        for child in _children("item", [value] if isinstance(value, _Object) else value, 0):
            root.append(child)
        return _only(root) if isinstance(value, _Object) else root
    except (ValueError, RecursionError) as error:
        raise _unreadable(error) from error


def _unreadable(why: object) -> DocumentError:
    return DocumentError(
        f"the document in the reply cannot be read: {str(why)[:200]}", code="CB-150"
    )


def _only(root: etree._Element) -> etree._Element:
    root.extend(list(root[0]))
    root.remove(root[0])
    return root


def _children(name: str, value: Any, depth: int) -> Iterator[etree._Element]:
    if depth > _MAX_DEPTH:
        raise ValueError("it is nested too deeply")
    if isinstance(value, list) and not isinstance(value, _Object):
        for entry in value:
            yield from _children(name, entry, depth + 1)
        return
    node = etree.Element(name)
    if isinstance(value, _Object):
        for key, content in value:
            if _NAME.fullmatch(key):
                node.extend(list(_children(key, content, depth + 1)))
    elif value is not None:
        node.text = ("true" if value else "false") if isinstance(value, bool) else str(value)
    yield node
