"""WS-Addressing 1.0: a message names itself, so that its reply can say what it answers."""

from __future__ import annotations

from typing import Final
from xml.sax.saxutils import escape  # writes only; nothing is parsed with it

from lxml import etree

_WSA: Final = "http://www.w3.org/2005/08/addressing"
RELATES_TO: Final = f"{{{_WSA}}}RelatesTo"


def message_headers(message_id: str, action: str) -> tuple[bytes, ...]:
    """Return the header blocks that name a message: MessageID, and Action where there is one."""
    named = [("MessageID", message_id), ("Action", action)]
    return tuple(
        f'<wsa:{name} xmlns:wsa="{_WSA}">{escape(text)}</wsa:{name}>'.encode()
        for name, text in named
        if text
    )


def relates_to(headers: tuple[etree._Element, ...]) -> tuple[str, ...]:
    """Return which messages a reply says it answers; empty when it does not say.

    A RelatesTo with another RelationshipType than "reply" says something else (§3.1).
    """
    return tuple(
        (block.text or "").strip()
        for block in headers
        if block.tag == RELATES_TO
        and block.get("RelationshipType", f"{_WSA}/reply") == f"{_WSA}/reply"
    )


def answering(headers: tuple[etree._Element, ...]) -> tuple[bytes, ...]:
    """Return the header block by which a reply says which request it answers; () for no name."""
    named = [(block.text or "").strip() for block in headers if block.tag == f"{{{_WSA}}}MessageID"]
    if len(named) != 1:
        return ()
    return (f'<wsa:RelatesTo xmlns:wsa="{_WSA}">{escape(named[0])}</wsa:RelatesTo>'.encode(),)
