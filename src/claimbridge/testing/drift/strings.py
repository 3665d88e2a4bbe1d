"""Documents in strings: opened to be mutated like the reply around them, and closed again."""

from __future__ import annotations

import json
from typing import Final

from lxml import etree

from claimbridge.contract.strings.replies import read_inner
from claimbridge.errors import DocumentError
from claimbridge.xmlio import local_name

_BEGINS: Final = ("<", "{")


class StringDocument:
    """The document in an element's text: XML, or a JSON object as ``read_inner`` reads it."""

    def __init__(self, holder: etree._Element, document: etree._Element) -> None:
        self._holder, self._document = holder, document
        self._is_json = (holder.text or "").lstrip().startswith("{")

    @property
    def elements(self) -> list[etree._Element]:
        """The elements below its root, in document order."""
        return list(self._document.iterdescendants(etree.Element))

    def close(self) -> None:
        """Write the document, as it is now, into the element's text.

        JSON has no namespaces, attributes and comments: mutations of those are lost.
        """
        written = (
            _json(self._document)
            if self._is_json
            else etree.tostring(self._document, encoding="unicode", with_tail=False)
        )
        self._holder.text = written


def open_document(holder: etree._Element) -> StringDocument | None:
    """Return the document in an element's text; None if the text is not a document."""
    text = (holder.text or "").strip()
    if len(holder) or not text.startswith(_BEGINS):
        return None
    try:
        return StringDocument(holder, read_inner(text).element)
    except DocumentError:
        return None


def _json(element: etree._Element) -> str:
    children = list(element.iterchildren(etree.Element))
    if not children:
        # The text goes on behind a comment in its middle.
        return json.dumps("".join(map(str, element.xpath("text()"))), ensure_ascii=False)
    members = (f"{json.dumps(local_name(child))}: {_json(child)}" for child in children)
    return f"{{{', '.join(members)}}}"
