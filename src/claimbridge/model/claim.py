"""An approved expense claim 报销单: what an employee is to be paid, and why.

Values are frozen and cannot exist wrong: amounts are exact, in a real currency, and the lines add
up to the total. Sign: a positive amount is owed to the employee; a negative one is a refund.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from decimal import Decimal
from typing import Any, Final, Literal

import msgspec

from claimbridge.errors import ClaimBridgeError, ClaimError
from claimbridge.model.money import as_amount, as_decimal, exponent

MAX_LINES: Final = 10_000
_UNPRINTABLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
"""What XML 1.0 §2.2 cannot carry (and DEL): refused rather than dropped."""


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
        return hashlib.sha256(
            msgspec.json.encode(msgspec.to_builtins(self), order="deterministic")
        ).hexdigest()


def converted(line: ClaimLine, claim_currency: str) -> Decimal:
    """Return the line's amount in the claim's currency, rounded half up to its decimals."""
    if line.currency is None or line.currency == claim_currency:
        return line.amount
    assert line.rate is not None  # a claim without it cannot exist
    quantum = Decimal(1).scaleb(-exponent(claim_currency))
    return (line.amount * line.rate).quantize(quantum, rounding="ROUND_HALF_UP")


def _settle(claim: Claim) -> None:
    """Check every field and quantise the amounts; the order is the reader's."""
    for name, limit in _REQUIRED_TEXT.items():
        _check_text(getattr(claim, name), name, limit, required=True)
    for name, limit in _OPTIONAL_TEXT.items():
        _check_text(getattr(claim, name), name, limit)
    if isinstance(claim.revision, bool) or not isinstance(claim.revision, int) or claim.revision < 1:
        raise ClaimError(f"revision must be a whole number from 1, not {claim.revision!r}")
    if claim.revision > 2**31:
        raise ClaimError("revision is beyond belief")
    exponent(claim.currency)
    if claim.approved_at is not None and claim.approved_at.tzinfo is None:
        raise ClaimError("approved_at has no time zone; add one, such as +08:00", code="CB-107")
    _check_dimensions(claim.dimensions, "dimensions")
    _set(claim, "total", as_amount(claim.total, claim.currency, what="total"))
    if not claim.lines:
        raise ClaimError("the claim has no lines")
    if len(claim.lines) > MAX_LINES:
        raise ClaimError(f"{len(claim.lines)} lines; the limit is {MAX_LINES}")
    _set(claim, "lines", tuple(claim.lines))
    for index, line in enumerate(claim.lines):
        _settle_line(line, f"lines[{index}]", claim.currency)
    total = sum((converted(line, claim.currency) for line in claim.lines), Decimal(0))
    if total != claim.total:
        raise ClaimError(
            f"the lines add up to {total} {claim.currency}, not to the total {claim.total}",
            code="CB-108",
        )


def _settle_line(line: ClaimLine, path: str, claim_currency: str) -> None:
    _check_text(line.type, f"{path}.type", 64, required=True)
    for name in ("cost_centre", "department", "project"):
        _check_text(getattr(line, name), f"{path}.{name}", 64)
    _check_text(line.text, f"{path}.text", 4000)
    _check_dimensions(line.dimensions, f"{path}.dimensions")
    currency = claim_currency if line.currency is None else line.currency
    amount = as_amount(line.amount, currency, what=f"{path}.amount")
    _set(line, "amount", amount)
    if line.rate is not None:
        _set(line, "rate", _fraction(line.rate, f"{path}.rate", low=Decimal("1e-9")))
    if currency != claim_currency and line.rate is None:
        raise ClaimError(f"{path}.rate is needed: the line is in {currency}, the claim in "
                         f"{claim_currency}")
    if currency == claim_currency and line.rate not in (None, 1):
        raise ClaimError(f"{path}.rate must be 1 or left out: the line is in {claim_currency} too")
    if line.tax is not None:
        tax = as_amount(line.tax, currency, what=f"{path}.tax")
        _set(line, "tax", tax)
        # Tax goes with its amount: a negative tax is a refund's, and never larger than it.
        if tax * amount < 0 or abs(tax) > abs(amount):
            raise ClaimError(f"{path}.tax {tax} does not fit amount {amount}: it must have the "
                             "amount's sign and not exceed it")
    if line.tax_rate is not None:
        _set(line, "tax_rate", _fraction(line.tax_rate, f"{path}.tax_rate", high=Decimal(1)))
    if line.deductible is not None:
        _set(line, "deductible", _fraction(line.deductible, f"{path}.deductible", high=Decimal(1)))
    _set(line, "documents", tuple(line.documents))
    for index, document in enumerate(line.documents):
        _settle_document(document, f"{path}.documents[{index}]", currency)


def _settle_document(document: SupportingDocument, path: str, currency: str) -> None:
    _check_text(document.kind, f"{path}.kind", 64, required=True)
    for name, limit in (("number", 64), ("code", 64), ("seller", 300), ("uri", 2000)):
        _check_text(getattr(document, name), f"{path}.{name}", limit)
    for name in ("amount", "tax"):
        value = getattr(document, name)
        if value is not None:
            _set(document, name, as_amount(value, currency, what=f"{path}.{name}"))


_REQUIRED_TEXT: Final = {"id": 64, "company": 32, "employee": 64}
_OPTIONAL_TEXT: Final = {
    "title": 1000, "employee_name": 200, "department": 64, "cost_centre": 64, "country": 3,
    "approver": 200,
}


def _check_text(value: object, what: str, limit: int, *, required: bool = False) -> None:
    if not isinstance(value, str):
        raise ClaimError(f"{what} must be text, not {type(value).__name__}")
    if required and not value.strip():
        raise ClaimError(f"{what} is empty")
    if len(value) > limit:
        raise ClaimError(f"{what} has {len(value)} characters; the limit is {limit}")
    found = _UNPRINTABLE.search(value)
    if found:
        raise ClaimError(
            f"{what} holds the control character U+{ord(found.group()):04X} at position "
            f"{found.start()}; remove it",
            code="CB-109",
        )


def _check_dimensions(value: object, what: str) -> None:
    if not isinstance(value, dict) or len(value) > 50:
        raise ClaimError(f"{what} must be a table of at most 50 names and texts")
    for name, text in value.items():
        _check_text(name, f"a name in {what}", 64, required=True)
        _check_text(text, f"{what}.{name}", 200)


def _fraction(
    value: object, what: str, *, low: Decimal = Decimal(0), high: Decimal = Decimal("1e9")
) -> Decimal:
    number = as_decimal(value, what=what)
    if not low <= number <= high or -number.as_tuple().exponent > 12:  # type: ignore[operator]  # finite: as_decimal refuses the others
        raise ClaimError(f"{what} {number} is out of range")
    return number


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
    _refuse_floats(data, "claim")
    try:
        return msgspec.convert(data, Claim)
    except ClaimBridgeError:
        raise
    except (msgspec.MsgspecError, UnicodeError, RecursionError, ValueError, TypeError) as error:
        found = data.get("id") if isinstance(data, dict) else None
        raise _as_claim_error(error, found if isinstance(found, str) else None) from error


_DECODER: Final = msgspec.json.Decoder(Claim)


def _as_claim_error(error: Exception, claim_id: str | None) -> ClaimError:
    cause = error.__cause__
    if isinstance(cause, ClaimBridgeError):  # raised inside a constructor while decoding
        return ClaimError(cause.message, code=cause.code, claim_id=cause.claim_id or claim_id)
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
