"""Canonical bytes as signatures need them: of a whole document, or of one element.

``claimbridge.xmlio.canonical`` serves every element by reading it afresh. The root of a document
needs no such care, and nearly every signature covers the root.
"""

from __future__ import annotations

import re
from typing import Final

from lxml import etree

from claimbridge.errors import DocumentError
from claimbridge.xmlio import canonical

_NAME: Final = rb"[A-Za-z_][A-Za-z0-9_.\-]*+"
_PLAIN: Final = re.compile(
    b"<"
    + _NAME
    + rb'(?: xmlns="[a-z]++:[^"&<>\s]++")?+(?: Id="[A-Za-z0-9._\-]++")?+>'
    + rb"(?:[^<>&\r]*+(?:</?+"
    + _NAME
    + rb">|&(?:amp|lt|gt|#xD);))*+"
)


def is_plain(document: bytes) -> bool:
    """Say whether a well-formed document is canonical by its spelling alone.

    True if only the root has attributes (one default namespace and one Id), and if no tag, text or
    reference has a second spelling. So there is no prefix, comment, instruction, CDATA or empty
    tag, and nothing around the root. False says nothing.
    """
    return _PLAIN.fullmatch(document) is not None


def canonical_document(root: etree._Element, prefixes: tuple[str, ...] = ()) -> bytes:
    """Return the exclusive C14N of the document around ``root``, without comments.

    Processing instructions before and after the root belong to it (Canonical XML 1.0 §2.3). The
    root must stand in the document it was parsed with. Raises DocumentError CB-154 if there is no
    canonical form.
    """
    try:
        result: bytes = etree.tostring(
            root.getroottree(),
            method="c14n",
            exclusive=True,
            with_comments=False,
            inclusive_ns_prefixes=list(prefixes) or None,
        )
    except (etree.LxmlError, ValueError) as error:
        raise _none() from error
    if not result:
        raise _none()
    return result


def canonical_element(element: etree._Element, prefixes: tuple[str, ...] = ()) -> bytes:
    """Return the exclusive C14N of ``element`` alone; raises as ``canonical_document`` does."""
    alone = element.getparent() is element.getprevious() is element.getnext() is None
    if alone:
        return canonical_document(element, prefixes)
    return canonical(element, inclusive_prefixes=prefixes)


def _none() -> DocumentError:
    return DocumentError(
        "the document has no canonical form; look for a relative namespace URI in it",
        code="CB-154",
    )
