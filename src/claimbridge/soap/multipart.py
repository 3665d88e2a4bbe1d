"""A reply in several parts: SOAP with attachments, MTOM (RFC 2387, RFC 2046 §5.1, XOP §4.1).

Only the root part is a document; the others are attachments, of which nothing is read. Where it is
not clear which part is the root, there is none. What XOP has put into parts of its own stays there:
an ``Include`` is an element like any other, and no value.
"""

from __future__ import annotations

import base64
import binascii
import quopri
import re
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

MOST_PARTS: Final = 200
MOST_HEADERS: Final = 50
LONGEST_HEAD: Final = 16_384
"""Bytes of one part's headers."""

_PARAMETER: Final = re.compile(
    r";\s*([!#$%&'*+.^_`|~\w-]{1,60})\s*=\s*(?:\"((?:[^\"\\]|\\.){0,300})\"|([^\s;\"]{0,300}))",
    re.ASCII,
)
# RFC 2046 §5.1.1; servers write more than its characters without quoting them.
_BOUNDARY: Final = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,98}[\x21-\x7e])?")
_BLANK_LINE: Final = re.compile(rb"\r?\n\r?\n")
_HEADER: Final = re.compile(r"([!#$%&'*+.^_`|~\w-]{1,100})[ \t]*:(.*)", re.ASCII | re.DOTALL)


class RootPart(msgspec.Struct, frozen=True):
    """The root part of a reply: its content type, and its body without a transfer encoding."""

    content_type: str
    body: bytes


class NoRoot(Exception):
    """Why a reply in parts has no root that could be read; never leaves this package."""


def root_of(content_type: str, body: bytes) -> RootPart:
    """Return the root part; raises NoRoot where the parts are not as the header says, or too many.

    It is the one that ``start`` names, else the first. Where ``start`` names none, it is the only
    part that is called XML.
    """
    parameters = _parameters(content_type)
    boundary = parameters.get("boundary", "")
    if not _BOUNDARY.fullmatch(boundary):
        raise NoRoot("its header names no boundary")
    parts = list(_parts(body, boundary.encode("ascii")))
    if not parts:
        raise NoRoot("it holds no part that its boundary ends")
    part = _root_among(parts, _bare(parameters.get("start", "")))
    if part.head.get("content-encoding", ""):
        raise NoRoot("its root part is compressed")
    return RootPart(
        part.head.get("content-type", ""), _plain(body[part.start : part.end], part.head)
    )


class _Part(msgspec.Struct, frozen=True):
    """One part: its headers, and where its content stands."""

    head: Mapping[str, str]
    start: int
    end: int


def _root_among(parts: list[_Part], start: str) -> _Part:
    if not start:
        return parts[0]
    candidates = [part for part in parts if _bare(part.head.get("content-id", "")) == start]
    if not candidates:
        candidates = [part for part in parts if _says_xml(part.head)]
    if len(candidates) != 1:
        raise NoRoot(f"{len(candidates)} of its parts may be its root")
    return candidates[0]


def _says_xml(head: Mapping[str, str]) -> bool:
    kind = head.get("content-type", "").partition(";")[0].strip().lower()
    return kind in {"text/xml", "application/xml"} or kind.endswith("+xml")


def _parts(body: bytes, boundary: bytes) -> Iterator[_Part]:
    """Yield headers and content of each part that a delimiter ends, one that is cut off not."""
    # RFC 2046 §5.1.1: the line break before a delimiter belongs to it; white space may follow it.
    delimiter = re.compile(
        rb"--" + re.escape(boundary) + rb"(?:(--)|[ \t]{0,100}\r?(?=\n))"
    )  # it begins with letters, which are match fast
    start: int | None = None
    count = 0
    for match in delimiter.finditer(body):
        end = _line_end(body, match.start())
        if end is None:
            continue
        if count > MOST_PARTS:
            raise NoRoot(f"it has more than {MOST_PARTS} parts")
        if start is not None:
            yield _part(body, start, end)
        if match[1]:
            return
        start, count = match.end(), count + 1


def _line_end(body: bytes, place: int) -> int | None:
    """Return where the line before ``place`` ends; None where a line does not begin there."""
    if place == 0:
        return 0
    if body[place - 1 : place] != b"\n":
        return None
    return place - 2 if body[place - 2 : place - 1] == b"\r" else place - 1


def _part(body: bytes, start: int, end: int) -> _Part:
    """Return the part between two places; it begins with the delimiter's line break."""
    blank = _BLANK_LINE.search(body, start, min(end, start + LONGEST_HEAD))
    if blank is None:
        raise NoRoot("a part has no end of its headers, or too many of them")
    return _Part(_headers(body[start : blank.start()]), blank.end(), end)


def _headers(head: bytes) -> dict[str, str]:
    # RFC 5322 §2.2.3: a line that begins with white space goes on with the one before it.
    text = re.sub(r"\r?\n[ \t]+", " ", head.decode("latin-1"))
    headers: dict[str, str] = {}
    for line in filter(None, re.split(r"\r?\n", text)):
        match = _HEADER.fullmatch(line)
        name = match[1].lower() if match else ""
        if match is None or name in headers or len(headers) >= MOST_HEADERS:
            raise NoRoot("a part has headers that cannot be relied on")
        headers[name] = match[2].strip()
    return headers


def _plain(content: bytes, head: Mapping[str, str]) -> bytes:
    """Return a part's content without its transfer encoding (RFC 2045 §6), which never adds."""
    encoding = head.get("content-transfer-encoding", "").strip().lower()
    if encoding in {"", "7bit", "8bit", "binary"}:
        return content
    try:
        if encoding == "base64":
            return base64.b64decode(content.translate(None, b" \t\r\n"), validate=True)
        if encoding == "quoted-printable":
            return quopri.decodestring(content)
    except (ValueError, binascii.Error) as error:
        raise NoRoot("its root part does not decode") from error
    raise NoRoot(f"its root part is encoded as {encoding[:40]!a}")


def _parameters(content_type: str) -> dict[str, str]:
    parameters: dict[str, str] = {}
    for match in _PARAMETER.finditer(content_type[:4000]):
        name = match[1].lower()
        value = match[3] if match[2] is None else re.sub(r"\\(.)", r"\1", match[2])
        if parameters.setdefault(name, value) != value:
            raise NoRoot(f"its header gives two values for {name}")
    return parameters


def _bare(content_id: str) -> str:
    return content_id.strip().removeprefix("<").removesuffix(">")


__all__ = ["NoRoot", "RootPart", "root_of"]
