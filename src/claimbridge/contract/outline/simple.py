"""XML Schema's own types, and the facets that restrict them."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from lxml import etree

from claimbridge import xmlio
from claimbridge.contract.base.names import XSD, split_name
from claimbridge.contract.outline.types import Facets, Group, Type, Wildcard
from claimbridge.errors import ContractError

ANY_TYPE: Final = f"{{{XSD}}}anyType"
_INTEGERS: Final = (
    "integer nonPositiveInteger negativeInteger long int short byte nonNegativeInteger "
    "unsignedLong unsignedInt unsignedShort unsignedByte positiveInteger"
)
_OTHERS: Final = (
    "anySimpleType string normalizedString token language Name NCName NMTOKEN NMTOKENS ID IDREF "
    "IDREFS ENTITY ENTITIES QName NOTATION anyURI boolean decimal float double duration dateTime "
    "date time gYearMonth gYear gMonthDay gDay gMonth base64Binary hexBinary"
)
INTEGERS: Final = frozenset(_INTEGERS.split())
"""The local names of the built-in types of whole numbers."""
BUILT_IN: Final = frozenset(
    {ANY_TYPE, *(f"{{{XSD}}}{name}" for name in f"{_INTEGERS} {_OTHERS}".split())}
)

_NUMBERS: Final = {
    "length": "length",
    "minLength": "min_length",
    "maxLength": "max_length",
    "totalDigits": "total_digits",
    "fractionDigits": "fraction_digits",
}
_BOUNDS: Final = {
    "minInclusive": "min_inclusive",
    "maxInclusive": "max_inclusive",
    "minExclusive": "min_exclusive",
    "maxExclusive": "max_exclusive",
    "whiteSpace": "white_space",
}


def built_in(name: str) -> Type:
    """Return the built-in type ``{namespace}name``, which must be one of ``BUILT_IN``."""
    if name == ANY_TYPE:
        return Type(
            name=name, mixed=True, open_attributes=True, text="string", content_read=_anything
        )
    return Type(name=name, text=split_name(name)[1])


def restricted(facets: Facets, node: etree._Element) -> Facets:
    """Return ``facets`` with those of a restriction added, which replace those of their name."""
    changes: dict[str, Any] = {}
    patterns: list[str] = []
    values: list[str] = []
    for child in node.iterchildren(etree.Element):
        kind, value = xmlio.local_name(child), child.get("value", "")
        if kind in _NUMBERS:
            changes[_NUMBERS[kind]] = count(value, f"{kind} of a type")
        elif kind in _BOUNDS:
            changes[_BOUNDS[kind]] = value
        elif kind == "pattern":
            patterns.append(value)
        elif kind == "enumeration":
            values.append(value)
    if patterns:
        # XSD 1.0 Part 2 §4.3.4.3: patterns of one step are alternatives, of several all hold.
        changes["patterns"] = (*facets.patterns, "|".join(patterns))
    if values:
        changes["enumeration"] = tuple(values)
    return msgspec.structs.replace(facets, **changes) if changes else facets


def occurs(node: etree._Element) -> tuple[int, int | None]:
    """Return minOccurs and maxOccurs of a particle; None for unbounded."""
    most = node.get("maxOccurs", "1").strip()
    least = count(node.get("minOccurs", "1"), "minOccurs")
    return least, None if most == "unbounded" else count(most, "maxOccurs")


def count(text: str, what: str) -> int:
    """Return a number of 0 or more; raises ContractError CB-215."""
    digits = text.strip().removeprefix("+")
    if digits.isascii() and digits.isdecimal() and len(digits) < 20:
        return int(digits)
    raise ContractError(f"{what} is {text[:40]!r}, which is not a number", code="CB-215")


def _anything() -> Group:
    return Group(order="sequence", parts=(Wildcard(min=0, max=None),))


__all__ = ["ANY_TYPE", "BUILT_IN", "INTEGERS", "built_in", "count", "occurs", "restricted"]
