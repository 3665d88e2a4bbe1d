"""A request as people read it: a line for each element, and inner documents below it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from claimbridge.errors import DocumentError
from claimbridge.xmlio import indented, local_name, parse, serialised

_DECLARATION: Final = re.compile(r"^\s*<\?xml[^>]*\?>\s*")
_BELOW: Final = "(the document below)"


def readable(body: bytes) -> Iterator[str]:
    """Yield the lines of a request, indented; never for sending.

    A document that travels as text in it (XML or JSON) stands below, after the element's name.
    """
    if not body:
        yield ""
        return
    root, inner = parse(body), []
    for element in root.iter():
        document = _document(element.text) if len(element) == 0 and element.text else None
        if document is not None:
            inner.append((local_name(element), document))
            element.text = _BELOW
    yield from indented(serialised(root) if inner else body).split("\n")
    for name, document in inner:
        yield f"{name}, which travels as text:"
        yield from document.split("\n")


def _document(text: str) -> str | None:
    """Return the document that a text is, indented; None for any other text."""
    if text.lstrip().startswith("<"):
        try:
            root = parse(_DECLARATION.sub("", text).encode())
        except DocumentError:
            return None
        return indented(serialised(root)) if len(root) else None
    if text.lstrip().startswith(("{", "[")):
        try:
            shown = _json(text)
        except msgspec.DecodeError:
            return None
        return shown if "\n" in shown else None
    return None


def _json(text: str) -> str:
    """Return JSON indented, the rows of a table on a line each.

    Numbers stay as they are written: 1.10 is not 1.1.
    """
    try:
        rows = msgspec.json.decode(text, type=list[list[msgspec.Raw]])
    except msgspec.ValidationError:
        return msgspec.json.format(text, indent=2)
    lines = (f"  [{', '.join(bytes(cell).decode() for cell in row)}]" for row in rows)
    return "[\n" + ",\n".join(lines) + "\n]"


__all__ = ["readable"]
