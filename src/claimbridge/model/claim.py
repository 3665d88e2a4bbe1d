"""An approved expense claim 报销单: what an employee is to be paid, and why.

Values are frozen and cannot exist wrong: amounts are exact, in a real currency, and the lines add
up to the total. Sign: a positive amount is owed to the employee; a negative one is a refund.
"""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Any, Final

import msgspec

from claimbridge.errors import ClaimBridgeError, ClaimError
from claimbridge.model.claim_checks import settle
from claimbridge.model.claim_lines import Advance, ClaimLine, Payee
from claimbridge.model.digests import Digest, digest_of
from claimbridge.model.money import as_decimal

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class Claim(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An approved claim, as its source gave it.

    ``revision`` counts from 1 and grows with every change after approval. ``company`` is the
    company's code in the ERP, ``employee`` the employee's. ``total`` is in ``currency`` and equals
    the sum of the lines, converted by their rates and rounded line by line, half up.
    ``grade`` is the employee's 职级. ``approved_at`` carries a time zone; None means that the
    source does not say. ``advances`` are settled against what the employee paid. ``payees`` are
    paid what then remains, and add up to it; empty: the employee is. Raises ClaimError (or a
    subclass) when it cannot exist.
    """

    id: str
    revision: int
    company: str
    employee: str
    currency: str
    total: Decimal
    lines: tuple[ClaimLine, ...]
    title: str = ""
    employee_name: str = ""
    department: str = ""
    cost_centre: str = ""
    country: str = ""
    grade: str = ""
    approved_at: dt.datetime | None = None
    approver: str = ""
    posting_date: dt.date | None = None
    dimensions: dict[str, str] = {}
    advances: tuple[Advance, ...] = ()
    payees: tuple[Payee, ...] = ()

    def __post_init__(self) -> None:
        try:
            settle(self)
        except ClaimBridgeError as error:
            if error.claim_id is None and isinstance(self.id, str):
                error.claim_id = self.id[:64] or None
            raise

    @classmethod
    def from_json(cls, data: bytes | str) -> Claim:
        """Return the claim that ``data`` (one JSON object) describes; numbers are read exactly.

        Raises ClaimError naming the field for JSON that is truncated, has unknown, missing or
        wrongly typed fields, or describes a claim that cannot exist.
        """
        return _from_json(data)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Claim:
        """Return the claim that a dict of plain values describes; floats are refused.

        Raises ClaimError as ``from_json`` does.
        """
        return _from_dict(data)

    def to_json(self) -> bytes:
        """Return the claim as one JSON object: decimals as strings, unset fields left out."""
        return msgspec.json.encode(_without_defaults(self))

    @property
    def digest(self) -> Digest:
        """``2:`` and the SHA-256, in hex, of the content: equal claims have equal digests."""
        plain = _without_defaults(self)  # so that a field of a later version changes no digest
        if self.approved_at is not None:  # one instant, in whatever time zone it is written
            plain["approved_at"] = str(self.approved_at - _EPOCH)
        return digest_of(self, plain)


def _without_defaults(value: object) -> Any:
    """Return plain values without the fields that say nothing."""
    return _pruned(msgspec.to_builtins(value))


def _pruned(plain: Any) -> Any:
    if isinstance(plain, dict):
        return {
            name: value if name == "dimensions" else _pruned(value)  # whose names are the user's
            for name, value in plain.items()
            if value not in _UNSAID
        }
    return [_pruned(item) for item in plain] if isinstance(plain, (list, tuple)) else plain


_UNSAID: Final[tuple[object, ...]] = (None, False, "", {}, (), [])


def _from_json(data: bytes | str) -> Claim:
    try:
        return _DECODER.decode(data)
    except ClaimBridgeError:
        raise
    except (msgspec.MsgspecError, UnicodeError, RecursionError, ValueError) as error:
        raise _as_claim_error(error, _id_of(data)) from error


def _from_dict(data: dict[str, Any]) -> Claim:
    found = data.get("id") if isinstance(data, dict) else None
    claim_id = found[:64] if isinstance(found, str) else None
    try:
        _refuse_floats(data, "claim")
        return msgspec.convert(data, Claim)
    except ClaimBridgeError as error:
        error.claim_id = error.claim_id or claim_id
        raise
    except (msgspec.MsgspecError, UnicodeError, RecursionError, ValueError, TypeError) as error:
        raise _as_claim_error(error, claim_id) from error


_DECODER: Final = msgspec.json.Decoder(Claim)


def _as_claim_error(error: Exception, claim_id: str | None) -> ClaimError:
    return ClaimError(f"not a claim: {error}", code="CB-100", claim_id=claim_id)


def _id_of(data: bytes | str) -> str | None:
    """Return the id that broken JSON seems to carry, so that a person finds the claim."""
    text = data.decode("utf-8", "replace") if isinstance(data, bytes) else data
    found = re.search(r'"id"\s*:\s*"([^"\\\x00-\x1f]{1,64})"', text[:100_000])
    return found.group(1) if found else None


def _refuse_floats(value: object, what: str) -> None:
    if isinstance(value, float):
        as_decimal(value, what=what)
    elif isinstance(value, dict):
        for name, item in value.items():
            _refuse_floats(item, f"{what}.{name}")
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            _refuse_floats(item, f"{what}[{index}]")
