"""An approved expense claim 报销单: what an employee is to be paid, and why.

Values are frozen and cannot exist wrong: amounts are exact, in a real currency, and the lines add
up to the total. Sign: a positive amount is owed to the employee; a negative one is a refund.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final, Literal, TypeVar, cast

import msgspec

from claimbridge.errors import ClaimBridgeError, ClaimError
from claimbridge.model.money import (
    EXACT,
    as_amount,
    as_decimal,
    as_fraction,
    exponent,
    rounded,
    shown,
)
from claimbridge.model.text import check_dimensions, check_text

MAX_LINES: Final = 10_000
MAX_REVISION: Final = 2**31 - 1
MIN_RATE: Final = Decimal("0.000000001")
MAX_RATE: Final = Decimal(1_000_000_000)

REQUIRED_TEXT: Final = frozenset({"id", "company", "employee", "type", "kind"})
CLAIM_TEXT: Final = {
    "id": 64,
    "company": 32,
    "employee": 64,
    "title": 1000,
    "employee_name": 200,
    "department": 64,
    "cost_centre": 64,
    "country": 3,
    "approver": 200,
}
LINE_TEXT: Final = {"type": 64, "cost_centre": 64, "department": 64, "project": 64, "text": 4000}
DOCUMENT_TEXT: Final = {"kind": 64, "number": 64, "code": 64, "seller": 300, "uri": 2000}
"""How long each text may be, in characters; ``REQUIRED_TEXT`` may not be blank either."""

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class SupportingDocument(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An invoice 发票 or slip 附件 behind a claim line.

    ``kind`` is free (``vat_special``, ``vat_ordinary``, ``rail_ticket``, ``receipt`` …); ``code``
    is the 发票代码 of a paper invoice, empty for a fully digital one (数电票); ``amount`` is the
    gross amount in the line's currency, ``tax`` the tax in it; None means not stated.
    """

    kind: str
    number: str = ""
    code: str = ""
    date: dt.date | None = None
    amount: Decimal | None = None
    tax: Decimal | None = None
    seller: str = ""
    uri: str = ""


class ClaimLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One expense of a claim.

    ``amount`` is gross (tax included), in ``currency`` (None: the claim's). ``rate`` converts one
    unit of ``currency`` into the claim's currency; it is required where they differ. ``tax`` is
    the tax contained in ``amount`` as the invoice states it, ``tax_rate`` its rate as a fraction
    (0.06); None means that the chart decides. ``deductible`` is the share of the tax that may be
    deducted, from 0 to 1; None means that the chart decides. ``payment`` says who paid: the
    employee, or the company by its card. ``dimensions`` are further codes by name
    (``{"project": "P-7"}``), as the chart asks for them.
    """

    type: str
    date: dt.date
    amount: Decimal
    currency: str | None = None
    rate: Decimal | None = None
    tax: Decimal | None = None
    tax_rate: Decimal | None = None
    deductible: Decimal | None = None
    payment: Literal["employee", "company_card"] = "employee"
    cost_centre: str = ""
    department: str = ""
    project: str = ""
    text: str = ""
    dimensions: dict[str, str] = {}
    documents: tuple[SupportingDocument, ...] = ()


class Claim(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An approved claim, as its source gave it.

    ``revision`` counts from 1 and grows with every change after approval. ``company`` is the
    company's code in the ERP, ``employee`` the employee's. ``total`` is in ``currency`` and equals
    the sum of the lines, converted by their rates and rounded line by line, half up.
    ``approved_at`` carries a time zone; None means that the source does not say. Raises
    ClaimError (or a subclass) when it cannot exist.
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
    approved_at: dt.datetime | None = None
    approver: str = ""
    posting_date: dt.date | None = None
    dimensions: dict[str, str] = {}

    def __post_init__(self) -> None:
        try:
            _settle(self)
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
    def digest(self) -> str:
        """The SHA-256, in hex, of the claim's content: equal claims have equal digests."""
        plain = msgspec.to_builtins(self)
        if self.approved_at is not None:  # one instant, in whatever time zone it is written
            plain["approved_at"] = str(self.approved_at - _EPOCH)
        return hashlib.sha256(msgspec.json.encode(plain, order="deterministic")).hexdigest()


def converted(line: ClaimLine, claim_currency: str) -> Decimal:
    """Return the line's amount in the claim's currency, rounded half up to its decimals."""
    if line.currency is None or line.currency == claim_currency:
        return line.amount
    assert line.rate is not None  # a claim without it cannot exist
    return rounded(EXACT.multiply(line.amount, line.rate), claim_currency)


def _settle(claim: Claim) -> None:
    """Check every field and quantise the amounts; the order is the reader's."""
    _check_texts(claim, CLAIM_TEXT)
    _check_revision(claim.revision)
    exponent(claim.currency)
    check_instant(claim.approved_at, "approved_at")
    if claim.posting_date is not None:
        _check_date(claim.posting_date, "posting_date")
    check_dimensions(claim.dimensions, "dimensions")
    _set(claim, "total", as_amount(claim.total, claim.currency, what="total"))
    _set(claim, "lines", _structs(claim.lines, ClaimLine, "lines"))
    if not claim.lines:
        raise ClaimError("the claim has no lines", code="CB-141")
    if len(claim.lines) > MAX_LINES:
        raise ClaimError(f"{len(claim.lines)} lines; the limit is {MAX_LINES}", code="CB-141")
    for index, line in enumerate(claim.lines):
        _settle_line(line, f"lines[{index}]", claim.currency)
    _check_total(claim)


def _check_revision(revision: object) -> None:
    if isinstance(revision, bool) or not isinstance(revision, int):
        raise ClaimError(
            f"revision must be a whole number, not {type(revision).__name__}", code="CB-146"
        )
    if not 1 <= revision <= MAX_REVISION:
        raise ClaimError(
            f"revision {shown(revision)} is out of range: from 1 to {MAX_REVISION}", code="CB-145"
        )


def _check_total(claim: Claim) -> None:
    total = Decimal(0)
    for line in claim.lines:
        total = EXACT.add(total, converted(line, claim.currency))
    if total != claim.total:
        raise ClaimError(
            f"the lines add up to {total} {claim.currency}, not to the total {claim.total}",
            code="CB-108",
        )


def _settle_line(line: ClaimLine, path: str, claim_currency: str) -> None:
    _check_texts(line, LINE_TEXT, f"{path}.")
    _check_date(line.date, f"{path}.date")
    if line.payment not in ("employee", "company_card"):
        raise ClaimError(
            f"{path}.payment must be employee or company_card, not {shown(line.payment)!r}",
            code="CB-146",
        )
    check_dimensions(line.dimensions, f"{path}.dimensions")
    currency = claim_currency if line.currency is None else line.currency
    _set(line, "amount", as_amount(line.amount, currency, what=f"{path}.amount"))
    _settle_rate(line, path, currency, claim_currency)
    if line.tax is not None:
        _set(line, "tax", as_amount(line.tax, currency, what=f"{path}.tax"))
        _check_tax(line.tax, line.amount, path)
    for name in ("tax_rate", "deductible"):
        value = getattr(line, name)
        if value is not None:
            _set(line, name, as_fraction(value, what=f"{path}.{name}"))
    documents = _structs(line.documents, SupportingDocument, f"{path}.documents")
    _set(line, "documents", documents)
    for index, document in enumerate(documents):
        _settle_document(document, f"{path}.documents[{index}]", currency)


def _settle_rate(line: ClaimLine, path: str, currency: str, claim_currency: str) -> None:
    if line.rate is not None:
        rate = as_fraction(line.rate, what=f"{path}.rate", low=MIN_RATE, high=MAX_RATE)
        _set(line, "rate", rate)
    if currency != claim_currency and line.rate is None:
        raise ClaimError(
            f"{path}.rate is needed: the line is in {currency}, the claim in {claim_currency}",
            code="CB-142",
        )
    if currency == claim_currency and line.rate not in (None, 1):
        raise ClaimError(
            f"{path}.rate must be 1 or left out: the line is in {claim_currency} too",
            code="CB-142",
        )


def _check_tax(tax: Decimal, amount: Decimal, path: str) -> None:
    # Tax goes with its amount: a negative tax is a refund's, and never larger than it.
    opposed = tax and amount and tax.is_signed() != amount.is_signed()
    if opposed or tax.copy_abs() > amount.copy_abs():
        raise ClaimError(
            f"{path}.tax {tax} does not fit amount {amount}: it must have the amount's sign and "
            "not exceed it",
            code="CB-143",
        )


def _settle_document(document: SupportingDocument, path: str, currency: str) -> None:
    _check_texts(document, DOCUMENT_TEXT, f"{path}.")
    if document.date is not None:
        _check_date(document.date, f"{path}.date")
    for name in ("amount", "tax"):
        value = getattr(document, name)
        if value is not None:
            _set(document, name, as_amount(value, currency, what=f"{path}.{name}"))
    if document.amount is not None and document.tax is not None:
        _check_tax(document.tax, document.amount, path)


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


def _check_texts(struct: msgspec.Struct, limits: dict[str, int], prefix: str = "") -> None:
    for name, limit in limits.items():
        check_text(getattr(struct, name), prefix + name, limit, required=name in REQUIRED_TEXT)


def _check_date(value: object, what: str) -> None:
    # A datetime is a date to isinstance, but its day depends on a time zone.
    if type(value) is not dt.date:
        raise ClaimError(f"{what} must be a date, not {type(value).__name__}", code="CB-146")


_S = TypeVar("_S", bound=msgspec.Struct)


def _structs(values: Iterable[_S], kind: type[_S], what: str) -> tuple[_S, ...]:
    found = tuple(values) if isinstance(values, (tuple, list)) else (None,)
    for value in found:
        if not isinstance(value, kind):
            raise ClaimError(f"{what} must hold {kind.__name__} values only", code="CB-146")
    return cast(tuple[_S, ...], found)


def _set(struct: msgspec.Struct, name: str, value: object) -> None:
    msgspec.structs.force_setattr(struct, name, value)


def _without_defaults(claim: Claim) -> dict[str, Any]:
    plain = msgspec.to_builtins(claim)
    plain["lines"] = [_pruned(line) for line in plain["lines"]]
    for line in plain["lines"]:
        if "documents" in line:
            line["documents"] = [_pruned(document) for document in line["documents"]]
    return _pruned(plain)


def _pruned(plain: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in plain.items() if value not in (None, "", {}, ())}


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
