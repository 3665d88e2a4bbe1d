"""References inside an encoded message: ``href="#id0"``, and what it leads to put in its place.

SOAP 1.1 §5.1 and §5.6: a value that is used several times stands once and has an id. It mostly
stands beside the call, as an independent element of the Body (Axis calls it ``multiRef``).
"""

from __future__ import annotations

from typing import Final

from lxml import etree

from claimbridge.contract.base.names import SOAP_ENCODING
from claimbridge.errors import DocumentError

MAX_ELEMENTS: Final = 200_000
"""How many elements a message may have once its references are resolved."""
_MAX_DEPTH: Final = 60
_ROOT: Final = f"{{{SOAP_ENCODING}}}root"


def is_independent(element: etree._Element) -> bool:
    """Whether an element of a Body says that it is only there to be referred to."""
    return bool(element.get("id")) and element.get(_ROOT) == "0"


def resolved(element: etree._Element) -> etree._Element:
    """Return a copy of ``element``, alone, in which every reference is what it leads to.

    Raises DocumentError: CB-155 for a reference to nothing, to several, or in a circle, CB-152
    where the whole grows beyond ``MAX_ELEMENTS``.
    """
    around = element.getparent()
    targets: dict[str, list[etree._Element]] = {}
    for each in (element if around is None else around).iter(etree.Element):
        name = each.get("id")
        if name:
            targets.setdefault(name, []).append(each)
    return _Resolver(targets).copied(element, ())


class _Resolver:
    """Resolves the references of one message; never shared."""

    def __init__(self, targets: dict[str, list[etree._Element]]) -> None:
        self._targets = targets
        self._count = 0

    def copied(self, element: etree._Element, path: tuple[str, ...]) -> etree._Element:
        """Return a copy of ``element``; ``path`` are the references that led here."""
        self._count += 1
        if self._count > MAX_ELEMENTS or len(path) > _MAX_DEPTH:
            raise DocumentError(
                f"the reply's references make it larger than {MAX_ELEMENTS} elements", code="CB-152"
            )
        name = element.get("href", "")
        source = element
        if name.startswith("#") and next(element.iterchildren(etree.Element), None) is None:
            source = self._target(name[1:], path)
            path = (*path, name[1:])
        copy = etree.Element(str(element.tag), nsmap=dict(element.nsmap))
        for key, value in (*source.attrib.items(), *element.attrib.items()):
            if key not in ("href", "id", _ROOT):
                copy.set(key, value)
        copy.text = _text(source)
        copy.extend(self.copied(child, path) for child in source.iterchildren(etree.Element))
        return copy

    def _target(self, name: str, path: tuple[str, ...]) -> etree._Element:
        elements = self._targets.get(name, [])
        if len(elements) != 1 or name in path:
            why = (
                "leads in a circle"
                if elements and name in path
                else f"leads to {len(elements)} places"
            )
            raise DocumentError(f"the reply's reference #{name[:40]} {why}", code="CB-155")
        return elements[0]


def _text(element: etree._Element) -> str:
    return "".join([element.text or "", *(child.tail or "" for child in element)])


__all__ = ["MAX_ELEMENTS", "is_independent", "resolved"]
