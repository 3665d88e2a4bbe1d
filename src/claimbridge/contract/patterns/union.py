"""Whether a value is one of a union's member, patterns aside: asked of libxml2, type by type."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lxml import etree

from claimbridge.contract.names import XSD
from claimbridge.contract.outline import Facets, Type

_NUMBERS: Final = {
    "length": "length",
    "min_length": "minLength",
    "max_length": "maxLength",
    "total_digits": "totalDigits",
    "fraction_digits": "fractionDigits",
    "min_inclusive": "minInclusive",
    "max_inclusive": "maxInclusive",
    "min_exclusive": "minExclusive",
    "max_exclusive": "maxExclusive",
    "white_space": "whiteSpace",
}


def fits(member: Type, value: str) -> bool:
    """Whether ``value`` is one of ``member``, whatever its patterns say.

    Unions and lists inside a union are believed: libxml2 has judged the whole already.
    """
    if member.members or member.text == "anySimpleType":
        return True
    probe = etree.Element("value")
    probe.text = value
    try:
        return etree.XMLSchema(_schema(member)).validate(probe)
    except etree.XMLSchemaParseError:  # facets that libxml2 does not combine
        return True


def _schema(member: Type) -> etree._Element:
    root = etree.Element(f"{{{XSD}}}schema", nsmap={"xs": XSD})
    element = etree.SubElement(root, f"{{{XSD}}}element", name="value")
    kind = etree.SubElement(element, f"{{{XSD}}}simpleType")
    step = etree.SubElement(kind, f"{{{XSD}}}restriction", base=f"xs:{member.text}")
    for name, bound in _bounds(member.facets):
        etree.SubElement(step, f"{{{XSD}}}{name}", value=bound)
    return root


def _bounds(facets: Facets) -> Iterator[tuple[str, str]]:
    for field, name in _NUMBERS.items():
        bound = getattr(facets, field)
        if bound is not None:
            yield name, str(bound)
    for value in facets.enumeration:
        yield "enumeration", value


__all__ = ["fits"]
