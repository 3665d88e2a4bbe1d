"""Writes into a document's own bytes: a signature goes in, and nothing else moves.

The document has been through the secure parser, so it is well-formed UTF-8 without a DOCTYPE. On
such bytes the pattern below is an exact lexer of XML 1.0 markup.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import msgspec

# Possessive: no input makes the pattern look twice at the same bytes.
_MARKUP = re.compile(
    rb"<(?:"
    rb"!--(?s:.*?)-->"
    rb"|!\[CDATA\[(?s:.*?)\]\]>"
    rb"|\?(?s:.*?)\?>"
    rb"|(?P<end>/[^>]*+>)"
    rb"|(?P<start>[^!?/](?:[^\"'>]|\"[^\"]*+\"|'[^']*+')*+>)"
    rb")"
)
# A document can end in its root's end tag, in its empty root (/>), in a comment (-->) or in an
# instruction (?>). So a tag that begins with the last "</", ends with the document and has none of
# those characters before its ">" is the root's end tag. A name that ends in "-" goes to the lexer.
_ROOT_END = re.compile(rb"</[^<>]*+(?<![-?/])>\s*+")
_NAME = re.compile(rb"<([^\s/>]++)")


class Edit(msgspec.Struct, frozen=True, kw_only=True):
    """What to write at one element: before it, into its start tag, and as its last child."""

    before: bytes = b""
    attributes: bytes = b""
    child: bytes = b""


def write(document: bytes, edits: Mapping[int, Edit]) -> bytes:
    """Return ``document`` with ``edits`` made to elements, numbered in its order from the root, 0.

    All other bytes stay as they are, except that an empty tag that gets a child (``<a/>``) becomes
    a start and an end tag.
    """
    edit = edits.get(0)
    last = document.rfind(b"</")
    if len(edits) == 1 and edit and edit.child and _ROOT_END.fullmatch(document, max(last, 0)):
        return document[:last] + edit.child + document[last:]
    pieces: list[bytes] = []
    done = 0
    for start, end, replacement in _replacements(document, edits):
        pieces += (document[done:start], replacement)
        done = end
    return b"".join((*pieces, document[done:]))


def _replacements(document: bytes, edits: Mapping[int, Edit]) -> Iterator[tuple[int, int, bytes]]:
    """Yield, in order, the span of each tag that changes and what it becomes."""
    open_elements: list[int] = []
    count = 0
    for markup in _MARKUP.finditer(document):
        if markup["start"]:
            edit = edits.get(count)
            if edit:
                yield (*markup.span(), _start(markup[0], edit))
            if not markup[0].endswith(b"/>"):
                open_elements.append(count)
            count += 1
        elif markup["end"]:
            edit = edits.get(open_elements.pop())
            if edit and edit.child:
                yield (*markup.span(), edit.child + markup[0])


def _start(tag: bytes, edit: Edit) -> bytes:
    empty = tag.endswith(b"/>")
    inside = tag[:-2] if empty else tag[:-1]
    name = _NAME.match(tag)
    assert name is not None
    if not empty:
        rest = b">"
    elif edit.child:
        rest = b">" + edit.child + b"</" + name[1] + b">"
    else:
        rest = b"/>"
    return edit.before + inside + edit.attributes + rest
