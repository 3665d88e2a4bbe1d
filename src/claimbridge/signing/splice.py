"""Finds elements in a document's own bytes, so that a signature can be put in and nothing moves.

The document has been through the secure parser: it is well-formed UTF-8 without a DOCTYPE. On
such bytes the pattern below is an exact lexer of XML 1.0 markup.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

# Possessive, so that no input makes it look twice at the same bytes.
_MARKUP = re.compile(
    rb"<(?:"
    rb"!--(?s:.*?)-->"
    rb"|!\[CDATA\[(?s:.*?)\]\]>"
    rb"|\?(?s:.*?)\?>"
    rb"|(?P<end>/[^>]*+>)"
    rb"|(?P<start>[^!?/](?:[^\"'>]|\"[^\"]*+\"|'[^']*+')*+>)"
    rb")"
)
_NAME = re.compile(rb"<([^\s/>]++)")


def append_children(document: bytes, children: Mapping[int, bytes]) -> bytes:
    """Return ``document`` with each of ``children`` as the last child of one element.

    Elements are numbered in document order, the root is 0. All other bytes stay as they are,
    except that an empty tag (``<a/>``) becomes a start and an end tag.
    """
    pieces: list[bytes] = []
    done = 0
    for start, end, number in sorted(_places(document, children)):
        pieces += (document[done:start], _inserted(document[start:end], children[number]))
        done = end
    return b"".join((*pieces, document[done:]))


def _places(document: bytes, wanted: Iterable[int]) -> Iterable[tuple[int, int, int]]:
    """Yield, per wanted element, the span of its end tag or empty tag, and its number."""
    numbers = frozenset(wanted)
    open_elements: list[int] = []
    count = 0
    for markup in _MARKUP.finditer(document):
        if markup["start"]:
            if not markup["start"].endswith(b"/>"):
                open_elements.append(count)
            elif count in numbers:
                yield (*markup.span(), count)
            count += 1
        elif markup["end"]:
            number = open_elements.pop()
            if number in numbers:
                yield (*markup.span(), number)


def _inserted(tag: bytes, child: bytes) -> bytes:
    if tag.startswith(b"</"):
        return child + tag
    name = _NAME.match(tag)
    assert name is not None
    return tag[:-2] + b">" + child + b"</" + name[1] + b">"
