"""Small XML elements written by a profile itself: SOAP headers that no contract declares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from xml.sax.saxutils import escape, quoteattr  # they write only; nothing is parsed with them

from claimbridge.contract.base.names import split_name
from claimbridge.xmlio import canonical, parse

_CR: Final = {"\r": "&#xD;"}


def element(name: str, content: object) -> bytes:
    """Return the element ``{namespace}local`` with ``content``, in exclusive canonical XML.

    ``content`` is a text, or a mapping of elements and ``@attributes`` by name (``#text`` for the
    text beside attributes); a list repeats its element. A bare element name is in the namespace
    around it, ``{}local`` in none; attributes are in none. Raises DocumentError for characters
    that XML cannot carry.
    """
    uri, local = split_name(name)
    written = _write(uri, local, content, within=None)
    return canonical(parse(written.encode(), what=local))


def _write(uri: str, local: str, content: object, *, within: str | None) -> str:
    attributes, inner = "", ""
    if isinstance(content, Mapping):
        for key, value in content.items():
            if key == "#text":
                inner += escape(str(value), _CR)
            elif key.startswith("@"):
                attributes += f" {key[1:]}={quoteattr(str(value))}"
            else:
                inner += _children(key, value, within=uri)
    else:
        inner = escape(str(content), _CR)
    declared = f" xmlns={quoteattr(uri)}" if uri != (within or "") else ""
    return f"<{local}{declared}{attributes}>{inner}</{local}>"


def _children(key: str, value: object, *, within: str) -> str:
    uri, local = split_name(key) if key.startswith("{") else (within, key)
    values = value if isinstance(value, list) else [value]
    return "".join(_write(uri, local, one, within=within) for one in values)
