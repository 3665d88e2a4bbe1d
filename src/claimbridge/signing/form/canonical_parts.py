"""Finds the elements to sign in canonical bytes, without a parser.

Canonical form has one spelling for everything. ``<`` begins a tag and nothing else: there are no
comments, and CDATA is text. Attributes stand after declarations as `` name="value"``, with one
space and double quotes. No tag is empty. If the bytes alone are not certain, the functions return
None, and the caller asks the parser.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from claimbridge.signing.form.dsig import DS
from claimbridge.xmlio import Canonical

# What xs:ID allows, within ASCII: it stands in a URI and in XML without any escape.
USABLE_ID: Final = re.compile(rb"[A-Za-z_][A-Za-z0-9._\-]{0,127}")

_DS: Final = DS.encode()
_START: Final = re.compile(
    rb"<(?P<name>[^ >]++)(?P<declared>(?: xmlns(?::[^=]++)?+=\"[^\"]*+\")*+)"
    rb"(?: (?!Id=)[^=]++=\"[^\"]*+\")*+(?: Id=\"(?P<id>[^\"]*+)\")?+(?: [^=]++=\"[^\"]*+\")*+>"
)
# Both look ahead at the value and consume none of it: text and values may look like an attribute,
# and must not hide a real one.
_IDS: Final = re.compile(rb"[ :][iI][dD]=(?=\"([^\"]*))")
_DECLARED: Final = re.compile(rb" xmlns:([^=\"<> ]++)=(?=\"([^\"]*))")
# Instructions may look like tags; names without a prefix may have a namespace; the general way
# refuses elements that carry a signature already.
_UNCLEAR: Final = (b"<?", b' xmlns="', _DS)


class Part(msgspec.Struct, frozen=True):
    """An element to sign: its Id (empty: none), the index of its end tag, its canonical form.

    The form is that of the element alone, as a document of its own.
    """

    name: bytes
    end: int
    content: bytes


def whole(document: Canonical) -> Part | None:
    """Return the root as the element to sign; None when only a parser can decide."""
    tag = _START.match(document)
    if tag is None:
        return None
    # Attributes and declarations have their quotes: without any below, the root has them all.
    marked = document if document.find(b'"', tag.end()) >= 0 else tag[0]
    if marked.find(_DS) >= 0 or not ids_differ(marked):
        return None
    name = tag["id"]
    if name is not None and not USABLE_ID.fullmatch(name):
        return None
    return Part(name or b"", document.rindex(b"</"), document)


def each(document: Canonical, element: str) -> list[Part] | None:
    """Return every ``{namespace}name`` of the document, in order, none inside another.

    None when there is none, one lacks a usable Id, or only a parser can decide.
    """
    uri, _, local = element.rpartition("}")
    declared = set(_DECLARED.findall(document))
    prefixes = {prefix for prefix, found in declared if found == uri[1:].encode()}
    if len(prefixes) != 1 or any(document.find(mark) >= 0 for mark in _UNCLEAR):
        return None
    (prefix,) = prefixes
    if sum(found == prefix for found, _ in declared) > 1 or not ids_differ(document):
        return None
    spans = list(_spans(document, prefix + b":" + local.encode()))
    around = {found for found, _ in _DECLARED.findall(_outside(document, spans))}
    parts = [
        _part(document, span, prefix, b' xmlns:%b="%b"' % (prefix, uri[1:].encode()), around)
        for span in spans
    ]
    found = [part for part in parts if part is not None]
    return found if found and len(found) == len(parts) else None


Span = tuple[int, int]


def _spans(document: bytes, name: bytes) -> Iterator[Span]:
    """Yield start and end of every element called ``name`` up to its first end tag."""
    closing = b"</" + name + b">"
    at = document.find(b"<" + name)
    while at >= 0:
        after = at + len(name) + 1
        if document[after : after + 1] in (b" ", b">"):
            after = document.index(closing, after) + len(closing)
            yield at, after
        at = document.find(b"<" + name, after)


def _outside(document: bytes, spans: list[Span]) -> bytes:
    starts = [start for start, _ in spans] + [len(document)]
    ends = [0] + [end for _, end in spans]
    return b"".join(document[end:start] for end, start in zip(ends, starts, strict=True))


def _part(
    document: bytes, span: Span, prefix: bytes, declaration: bytes, around: set[bytes]
) -> Part | None:
    """Return one element; ``around`` holds the prefixes that are declared outside the elements."""
    start, end = span
    content = document[start:end]
    tag = _START.match(content)
    if tag is None or tag["id"] is None or not USABLE_ID.fullmatch(tag["id"]):
        return None
    name = tag["name"]
    inside = content[tag.end() :]
    if b"<" + name + b" " in inside or b"<" + name + b">" in inside:
        return None
    # Exclusive C14N §3: alone, an element declares the prefixes that it uses and has from its
    # ancestors. Its own prefix goes into its own tag, another one to where it is first used.
    if any(other + b":" in content for other in around if other != prefix):
        return None
    if declaration not in tag["declared"]:
        if tag["declared"]:
            return None
        content = b"<" + name + declaration + content[len(name) + 1 :]
    return Part(tag["id"], end - len(name) - 3, content)


def ids_differ(document: bytes) -> bool:
    """Say whether all ids certainly differ; ``document`` is in canonical form."""
    if document.count(b'd="') + document.count(b'D="') < 2:
        return True
    found = _IDS.findall(document)
    return len(set(found)) == len(found)
