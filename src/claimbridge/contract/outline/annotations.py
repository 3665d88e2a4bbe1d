"""What schemas say to people: documentation, and the validations that an ERP announces."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lxml import etree

from claimbridge import xmlio
from claimbridge.contract.base.names import WSDL, XSD
from claimbridge.contract.outline.types import NO_NOTE, Note

# Workday's name. Whatever the namespace: it changes with the tenant's version.
_VALIDATION: Final = "Validation_Message"


def note_of(node: etree._Element) -> Note:
    """Return what the annotations directly below ``node`` say; white space is collapsed."""
    texts: list[str] = []
    validations: list[str] = []
    for annotation in node.iterchildren(f"{{{XSD}}}annotation"):
        texts += (_text(child) for child in annotation.iterchildren(f"{{{XSD}}}documentation"))
        validations += validations_in(annotation)
    if not texts and not validations:
        return NO_NOTE
    return Note(" ".join(filter(None, texts)), tuple(dict.fromkeys(validations)))


def documentation_of(node: etree._Element) -> str:
    """Return the ``wsdl:documentation`` directly below ``node``, white space collapsed."""
    child = node.find(f"{{{WSDL}}}documentation")
    return _text(child) if child is not None else ""


def validations_in(node: etree._Element) -> Iterator[str]:
    """Yield every validation message at or below ``node``, in document order."""
    for each in node.iter(etree.Element):
        if xmlio.local_name(each) == _VALIDATION:
            yield _text(each)


def _text(node: etree._Element) -> str:
    return " ".join("".join(node.itertext()).split())


__all__ = ["documentation_of", "note_of", "validations_in"]
