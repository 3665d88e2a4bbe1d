"""The checks of single fields that claims, their parts and vouchers share."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Protocol, TypeVar, cast

import msgspec

from claimbridge.errors import ClaimError
from claimbridge.model.claim_lines import FREE_TEXT, IDENTIFIERS, PRINTED, REQUIRED_TEXT
from claimbridge.model.text import check_code, check_free_text, check_identifier, check_text

_S = TypeVar("_S", bound=msgspec.Struct)


def check_texts(struct: msgspec.Struct, limits: Mapping[str, int], prefix: str = "") -> None:
    """Check the text fields of a struct against their ``limits``; raises ClaimError.

    ``prefix`` is the path to the struct within its claim: ``lines[0].``.
    """
    for name, limit in limits.items():
        value = getattr(struct, name)
        required = name in REQUIRED_TEXT and not (prefix and name == "company")
        if required or value != "":  # most of a line's texts are empty
            _check_of(name)(value, prefix + name, limit, required=required)


class _TextCheck(Protocol):
    def __call__(self, value: object, what: str, limit: int | None, *, required: bool) -> None: ...


def _check_of(name: str) -> _TextCheck:
    """Return the check of a field: an id, a text for people, a printed number, or a code."""
    if name in IDENTIFIERS:
        return check_identifier
    if name in FREE_TEXT:
        return check_free_text
    return check_text if name in PRINTED else check_code


def check_day(value: object, what: str) -> None:
    """Refuse what is no date; raises ClaimError naming ``what``."""
    # A datetime is a date to isinstance, but its day depends on a time zone.
    if type(value) is not dt.date:
        raise ClaimError(f"{what} must be a date, not {type(value).__name__}", code="CB-146")


def check_instant(value: object, what: str) -> None:
    """Refuse a moment without a time zone that JSON and XML can carry; None passes.

    Raises ClaimError naming ``what``.
    """
    if value is None:
        return
    if not isinstance(value, dt.datetime):
        raise ClaimError(f"{what} must be a date and time with a time zone", code="CB-146")
    offset = value.utcoffset()
    if offset is None:
        raise ClaimError(f"{what} has no time zone; add one, such as +08:00", code="CB-107")
    if offset.seconds % 60 or offset.microseconds:
        # RFC 3339 §5.6 and XML Schema write offsets in whole minutes: the instant would move.
        raise ClaimError(f"{what} has seconds in its time zone; give it in UTC", code="CB-107")


def as_structs(values: Iterable[_S], kind: type[_S], what: str) -> tuple[_S, ...]:
    """Return a tuple of values of one ``kind``; raises ClaimError naming ``what``."""
    members = tuple(values) if isinstance(values, (tuple, list)) else (None,)
    for member in members:
        if not isinstance(member, kind):
            raise ClaimError(f"{what} must hold {kind.__name__} values only", code="CB-146")
    return cast(tuple[_S, ...], members)


def with_fields(struct: _S, fields: Mapping[str, object]) -> _S:
    """Return the struct with these field values; the struct itself where none is another object."""
    changes = {name: value for name, value in fields.items() if value is not getattr(struct, name)}
    return msgspec.structs.replace(struct, **changes) if changes else struct


__all__ = ["as_structs", "check_day", "check_instant", "check_texts", "with_fields"]
