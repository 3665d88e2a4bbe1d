"""Whether a value is one of a union's member, patterns aside: libxml2 says so, type by type."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lxml import etree

from claimbridge.contract.base.names import XSD
from claimbridge.contract.outline.types import Facets, Type

_NUMBERS: Final = {
    "white_space": "whiteSpace",
    "length": "length",
    "min_length": "minLength",
    "max_length": "maxLength",
    "total_digits": "totalDigits",
    "fraction_digits": "fractionDigits",
    "min_inclusive": "minInclusive",
    "max_inclusive": "maxInclusive",
    "min_exclusive": "minExclusive",
    "max_exclusive": "maxExclusive",
}


def fits(member: Type, value: str) -> bool:
    """Whether ``value`` is one of ``member``, whatever its patterns say."""
    probe = etree.Element("value")
    probe.text = value
    try:
        return etree.XMLSchema(_schema(member)).validate(probe)
    except etree.XMLSchemaParseError:  # facets that libxml2 does not take
        return True


def _schema(member: Type) -> etree._Element:
    root = etree.Element(f"{{{XSD}}}schema", nsmap={"xs": XSD})
    etree.SubElement(root, f"{{{XSD}}}element", name="value").append(_simple(member))
    return root


def _simple(kind: Type) -> etree._Element:
    """Return a type without its patterns: a step for each facet, since some exclude each other."""
    simple = etree.Element(f"{{{XSD}}}simpleType")
    if kind.is_list:
        etree.SubElement(simple, f"{{{XSD}}}list").append(_simple(kind.members[0]))
    elif kind.members:
        etree.SubElement(simple, f"{{{XSD}}}union").extend(map(_simple, kind.members))
    else:
        etree.SubElement(simple, f"{{{XSD}}}restriction", base=f"xs:{kind.text}")
    for name, bounds in _bounds(kind.facets):
        inner, simple = simple, etree.Element(f"{{{XSD}}}simpleType")
        step = etree.SubElement(simple, f"{{{XSD}}}restriction")
        step.append(inner)
        for bound in bounds:
            etree.SubElement(step, f"{{{XSD}}}{name}", value=bound)
    return simple


def _bounds(facets: Facets) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each facet's name, white space first, and its values."""
    for field, name in _NUMBERS.items():
        bound = getattr(facets, field)
        if bound is not None:
            yield name, (str(bound),)
    if facets.enumeration:
        yield "enumeration", facets.enumeration


__all__ = ["fits"]
