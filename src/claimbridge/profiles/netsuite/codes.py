"""What NetSuite's records have in common: references by code, fields of dimensions, doubles."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from claimbridge.errors import ClaimError
from claimbridge.model import Posting
from claimbridge.model.money import EXACT
from claimbridge.profiles.kit.sourced import Sourced, dimensions_of

if TYPE_CHECKING:
    from claimbridge.profiles.netsuite import requests

Field = Literal[
    "account",
    "subsidiary",
    "currency",
    "department",
    "class",
    "location",
    "entity",
    "customer",
    "category",
    "tax_code",
]
LineField = Literal["department", "class", "location", "entity", "customer"]
LINE_FIELDS: Final[Mapping[str, LineField]] = MappingProxyType(
    {
        "cost_centre": "department",
        "project": "class",
        "partner": "entity",
        "department": "department",
        "class": "class",
        "location": "location",
    }
)
"""The line's field for each dimension, unless an option says otherwise."""
_DIGITS: Final = 15


class Codes(msgspec.Struct, frozen=True, kw_only=True):
    """How codes of the chart and of claims name NetSuite's records.

    ``internal_ids`` are NetSuite's ids by field and code; ``line_fields`` the fields of a line by
    dimension.
    """

    internal_ids: Mapping[str, Mapping[str, str]]
    line_fields: Mapping[str, LineField]

    def ref(self, field: Field, code: Sourced) -> requests.RecordRef:
        """Return a reference to a record: by NetSuite's id where that is known, else by code."""
        id_ = self.internal_ids.get(field, {}).get(code.text)
        return {"@internalId": Sourced(id_, code.field)} if id_ else {"@externalId": code}

    def by_line_field(self, posting: Posting, claim_id: str) -> dict[LineField, Sourced]:
        """Return the codes of dimensions by the line's fields; no dimension is dropped.

        Raises ClaimError CB-168 for a dimension without a field, or whose field has another code.
        """
        codes: dict[LineField, Sourced] = {}
        for name, code in dimensions_of(posting, claim_id=claim_id).items():
            field = self.line_fields.get(name)
            if field is None:
                raise _no_place(name, code.field, "no field of a line is named for it", claim_id)
            if field in codes and codes[field].text != code.text:
                why = f"{field} holds {codes[field].text!r} already"
                raise _no_place(name, code.field, why, claim_id)
            codes[field] = code
        return codes


def double(amount: Decimal, field: str, claim_id: str) -> Sourced:
    """Return an amount as ``xsd:double`` carries it unchanged.

    ``field`` is the claim field behind the amount. Raises ClaimError CB-169 if a double would
    change the amount.
    """
    text = f"{amount:f}"
    # XSD 1.0 part 2 §3.2.5: an IEEE 754 double, which keeps 15 decimal digits for certain.
    if len(amount.normalize(EXACT).as_tuple().digits) > _DIGITS:
        raise ClaimError(
            f"{field}: {text} has more than {_DIGITS} digits, but NetSuite takes amounts as "
            "doubles; divide the claim",
            code="CB-169",
            claim_id=claim_id,
        )
    return Sourced(text, field)


def _no_place(name: str, field: str, why: str, claim_id: str) -> ClaimError:
    return ClaimError(
        f"{field}: there is no place for the dimension {name!r}: {why}; name one in the profile's "
        "option dimensions (department, class, location, entity, or a report's customer)",
        code="CB-168",
        claim_id=claim_id,
    )
