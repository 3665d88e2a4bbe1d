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
from claimbridge.model.claim_lines import (
    ADVANCE_TEXT,
    CLAIM_TEXT,
    MAX_LINES,
    MAX_REVISION,
    PAYEE_TEXT,
    Advance,
    ClaimLine,
    Payee,
    converted,
)
from claimbridge.model.digests import Digest, digest_of
from claimbridge.model.fields import (
    as_structs,
    check_day,
    check_instant,
    check_texts,
    with_fields,
)
from claimbridge.model.line_checks import normalise_line
from claimbridge.model.money import EXACT, as_amount, as_decimal, excerpt, exponent, summed
from claimbridge.model.text import check_codes

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class Claim(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An approved claim, as its source gave it.

    ``revision`` counts from 1 and grows with every change after approval. ``company`` and
    ``employee`` are codes in the ERP. ``total`` is in ``currency`` and equals the sum of the lines,
    converted by their rates and rounded line by line, half up. ``grade`` is the employee's 职级.
    ``approved_at`` carries a time zone; None: the source does not say. ``advances`` are settled
    against what the employee paid. ``payees`` are paid what then remains, and add up to it; empty:
    the employee is paid. Raises ClaimError (or a subclass) when the claim cannot exist.
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
            _normalise(self)
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


def owed_to_employee(claim: Claim) -> Decimal:
    """Return what the employee paid, in the claim's currency, before any advance is settled."""
    paid = (line for line in claim.lines if line.payment == "employee")
    return summed(converted(line, claim.currency) for line in paid)


def _normalise(claim: Claim) -> None:
    """Check every field, and write each amount with its currency's decimals.

    The order of the checks is the reader's.
    """
    check_texts(claim, CLAIM_TEXT)
    _check_revision(claim.revision)
    exponent(claim.currency)
    check_instant(claim.approved_at, "approved_at")
    if claim.posting_date is not None:
        check_day(claim.posting_date, "posting_date")
    check_codes(claim.dimensions, "dimensions")
    _set(claim, "total", as_amount(claim.total, claim.currency, what="total"))
    _set(claim, "lines", _normalise_lines(claim.lines, claim.currency))
    _check_total(claim)
    if claim.advances or claim.payees:
        remaining = owed_to_employee(claim)
        advances, remaining = _normalise_advances(claim, remaining)
        _set(claim, "advances", advances)
        _set(claim, "payees", _normalise_payees(claim, remaining))


def _check_revision(revision: object) -> None:
    if isinstance(revision, bool) or not isinstance(revision, int):
        raise ClaimError(
            f"revision must be a whole number, not {type(revision).__name__}", code="CB-146"
        )
    if not 1 <= revision <= MAX_REVISION:
        raise ClaimError(
            f"revision {excerpt(revision)} is out of range: from 1 to {MAX_REVISION}", code="CB-145"
        )


def _normalise_lines(stated: tuple[ClaimLine, ...], currency: str) -> tuple[ClaimLine, ...]:
    lines = as_structs(stated, ClaimLine, "lines")
    if not lines:
        raise ClaimError("the claim has no lines", code="CB-141")
    if len(lines) > MAX_LINES:
        raise ClaimError(f"{len(lines)} lines; the limit is {MAX_LINES}", code="CB-141")
    return tuple(
        normalise_line(line, f"lines[{index}]", currency) for index, line in enumerate(lines)
    )


def _check_total(claim: Claim) -> None:
    total = summed(converted(line, claim.currency) for line in claim.lines)
    if total != claim.total:
        raise ClaimError(
            f"the lines add up to {total} {claim.currency}, not to the total {claim.total}",
            code="CB-108",
        )


def _normalise_advances(claim: Claim, owed: Decimal) -> tuple[tuple[Advance, ...], Decimal]:
    """Return the checked advances, and what remains of what the employee is ``owed``."""
    advances: list[Advance] = []
    for index, stated in enumerate(as_structs(claim.advances, Advance, "advances")):
        path = f"advances[{index}]"
        check_texts(stated, ADVANCE_TEXT, f"{path}.")
        advance = with_fields(
            stated,
            {
                "settled": _not_negative(stated.settled, claim.currency, f"{path}.settled"),
                "returned": _not_negative(stated.returned, claim.currency, f"{path}.returned"),
            },
        )
        advances.append(advance)
        owed = EXACT.subtract(owed, advance.settled)
        if advance.settled and owed < 0:
            raise ClaimError(
                f"{path}.settled {advance.settled} is more than the claim owes the employee; "
                "write what the employee hands back as returned",
                code="CB-190",
            )
    return tuple(advances), owed


def _not_negative(value: Decimal, currency: str, what: str) -> Decimal:
    amount = as_amount(value, currency, what=what)
    if amount < 0:
        raise ClaimError(f"{what} {amount} is negative", code="CB-190")
    return amount


def _normalise_payees(claim: Claim, owed: Decimal) -> tuple[Payee, ...]:
    """Return the checked payees; together they are paid what the employee is ``owed``."""
    payees: list[Payee] = []
    for index, payee in enumerate(as_structs(claim.payees, Payee, "payees")):
        path = f"payees[{index}]"
        check_texts(payee, PAYEE_TEXT, f"{path}.")
        amount = as_amount(payee.amount, claim.currency, what=f"{path}.amount")
        if amount <= 0:
            raise ClaimError(f"{path}.amount {amount} must be positive", code="CB-190")
        payees.append(with_fields(payee, {"amount": amount}))
        owed = EXACT.subtract(owed, amount)
    if payees and owed:
        raise ClaimError(
            f"the payees' amounts differ by {owed.copy_abs()} {claim.currency} from what the "
            "claim owes after its advances",
            code="CB-190",
        )
    return tuple(payees)


_set: Final = msgspec.structs.force_setattr
"""Only a claim that is being made sets its own fields."""


def _without_defaults(value: object) -> Any:
    """Return plain values without the fields that say nothing."""
    return _prune(msgspec.to_builtins(value))


def _prune(plain: Any) -> Any:
    if isinstance(plain, dict):
        return {
            name: value if name == "dimensions" else _prune(value)  # whose names are the user's
            for name, value in plain.items()
            if value not in _UNSAID
        }
    return [_prune(item) for item in plain] if isinstance(plain, (list, tuple)) else plain


_UNSAID: Final[tuple[object, ...]] = (None, False, "", {}, (), [])


def _from_json(data: bytes | str) -> Claim:
    try:
        return _DECODER.decode(data)
    except ClaimBridgeError:
        raise
    except (msgspec.MsgspecError, UnicodeError, RecursionError, ValueError) as error:
        raise _as_claim_error(error, _id_of(data)) from error


def _from_dict(data: dict[str, Any]) -> Claim:
    stated = data.get("id") if isinstance(data, dict) else None
    claim_id = stated[:64] if isinstance(stated, str) else None
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
    match = re.search(r'"id"\s*:\s*"([^"\\\x00-\x1f]{1,64})"', text[:100_000])
    return match.group(1) if match else None


def _refuse_floats(value: object, what: str) -> None:
    if isinstance(value, float):
        as_decimal(value, what=what)
    elif isinstance(value, dict):
        for name, item in value.items():
            _refuse_floats(item, f"{what}.{name}")
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            _refuse_floats(item, f"{what}[{index}]")
