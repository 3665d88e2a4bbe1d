"""The checks of a claim: every field, and whether its parts add up. Amounts are quantised here."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol, TypeVar, cast

import msgspec

from claimbridge.errors import ClaimError
from claimbridge.model.claim_lines import (
    ADVANCE_TEXT,
    ALLOCATION_TEXT,
    CLAIM_TEXT,
    DOCUMENT_ID,
    DOCUMENT_TEXT,
    FREE_TEXT,
    IDENTIFIERS,
    ITEM_TEXT,
    LINE_TEXT,
    MAX_LINES,
    MAX_QUANTITY,
    MAX_RATE,
    MAX_REVISION,
    MIN_RATE,
    PAYEE_TEXT,
    PRINTED,
    REQUIRED_TEXT,
    TAX_TEXT,
    Advance,
    Allocation,
    ClaimLine,
    Item,
    Payee,
    SupportingDocument,
    Tax,
)
from claimbridge.model.money import EXACT, as_amount, as_fraction, exponent, rounded, shown, summed
from claimbridge.model.text import (
    check_code,
    check_codes,
    check_free_text,
    check_identifier,
    check_text,
)

if TYPE_CHECKING:
    from claimbridge.model.claim import Claim


def converted(line: ClaimLine, claim_currency: str) -> Decimal:
    """Return the line's amount in the claim's currency, rounded half up to its decimals."""
    if line.currency is None or line.currency == claim_currency:
        return line.amount
    assert line.rate is not None  # a claim without it cannot exist
    return rounded(EXACT.multiply(line.amount, line.rate), claim_currency)


def owed_to_employee(claim: Claim) -> Decimal:
    """Return what the employee paid, in the claim's currency, before any advance is settled."""
    paid = (line for line in claim.lines if line.payment == "employee")
    return summed(converted(line, claim.currency) for line in paid)


def settle(claim: Claim) -> None:
    """Check every field and quantise the amounts; the order is the reader's."""
    _check_texts(claim, CLAIM_TEXT)
    _check_revision(claim.revision)
    exponent(claim.currency)
    check_instant(claim.approved_at, "approved_at")
    if claim.posting_date is not None:
        _check_date(claim.posting_date, "posting_date")
    check_codes(claim.dimensions, "dimensions")
    _set(claim, "total", as_amount(claim.total, claim.currency, what="total"))
    _set(claim, "lines", _structs(claim.lines, ClaimLine, "lines"))
    if not claim.lines:
        raise ClaimError("the claim has no lines", code="CB-141")
    if len(claim.lines) > MAX_LINES:
        raise ClaimError(f"{len(claim.lines)} lines; the limit is {MAX_LINES}", code="CB-141")
    for index, line in enumerate(claim.lines):
        _settle_line(line, f"lines[{index}]", claim.currency)
    _check_total(claim)
    if claim.advances or claim.payees:
        _settle_payment(claim)


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
    total = summed(converted(line, claim.currency) for line in claim.lines)
    if total != claim.total:
        raise ClaimError(
            f"the lines add up to {total} {claim.currency}, not to the total {claim.total}",
            code="CB-108",
        )


def _settle_payment(claim: Claim) -> None:
    """Check advances and payees against what the employee is owed."""
    remaining = owed_to_employee(claim)
    _set(claim, "advances", _structs(claim.advances, Advance, "advances"))
    for index, advance in enumerate(claim.advances):
        path = f"advances[{index}]"
        _check_texts(advance, ADVANCE_TEXT, f"{path}.")
        for name in ("settled", "returned"):
            what = f"{path}.{name}"
            amount = as_amount(getattr(advance, name), claim.currency, what=what)
            if amount < 0:
                raise ClaimError(f"{what} {amount} is negative", code="CB-190")
            _set(advance, name, amount)
        remaining = EXACT.subtract(remaining, advance.settled)
        if advance.settled and remaining < 0:
            raise ClaimError(
                f"{path}.settled {advance.settled} is more than the claim owes the employee; "
                "what is handed back is returned",
                code="CB-190",
            )
    _set(claim, "payees", _structs(claim.payees, Payee, "payees"))
    for index, payee in enumerate(claim.payees):
        path = f"payees[{index}]"
        _check_texts(payee, PAYEE_TEXT, f"{path}.")
        amount = as_amount(payee.amount, claim.currency, what=f"{path}.amount")
        if amount <= 0:
            raise ClaimError(f"{path}.amount {amount} must be positive", code="CB-190")
        _set(payee, "amount", amount)
        remaining = EXACT.subtract(remaining, amount)
    if claim.payees and remaining:
        raise ClaimError(
            f"the payees' amounts differ by {remaining.copy_abs()} {claim.currency} from what the "
            "claim owes after its advances",
            code="CB-190",
        )


def _settle_line(line: ClaimLine, path: str, claim_currency: str) -> None:
    _check_texts(line, LINE_TEXT, f"{path}.")
    _check_date(line.date, f"{path}.date")
    if line.payment not in ("employee", "company_card"):
        raise ClaimError(
            f"{path}.payment must be employee or company_card, not {shown(line.payment)!r}",
            code="CB-146",
        )
    check_codes(line.dimensions, f"{path}.dimensions")
    currency = claim_currency if line.currency is None else line.currency
    _set(line, "amount", as_amount(line.amount, currency, what=f"{path}.amount"))
    _settle_rate(line, path, currency, claim_currency)
    if line.tax is not None:
        _set(line, "tax", as_amount(line.tax, currency, what=f"{path}.tax"))
        _check_tax(line.tax, line.amount, path)
    _settle_fractions(line, ("tax_rate", "deductible"), path)
    _settle_use(line, path)
    if line.taxes:
        _settle_taxes(line, path, currency)
    if line.items:
        _settle_items(line, path, currency)
    if line.allocations:
        _settle_allocations(line, path, currency)
    if line.personal and line.payment != "company_card":
        raise ClaimError(
            f"{path}.personal: only what the company's card paid can be owed by the employee; "
            "leave out what he bought for himself with his own money",
            code="CB-191",
        )
    if line.personal and line.allocations:
        raise ClaimError(f"{path}: nobody bears the cost of what is personal", code="CB-191")
    documents = _structs(line.documents, SupportingDocument, f"{path}.documents")
    _set(line, "documents", documents)
    for index, document in enumerate(documents):
        _settle_document(document, f"{path}.documents[{index}]", currency)


def _settle_fractions(struct: msgspec.Struct, names: tuple[str, ...], path: str) -> None:
    for name in names:
        value = getattr(struct, name)
        if value is not None:
            _set(struct, name, as_fraction(value, what=f"{path}.{name}"))


def _settle_use(line: ClaimLine | Item, path: str) -> None:
    if not isinstance(line.personal, bool):
        raise ClaimError(f"{path}.personal must be true or false", code="CB-146")
    if line.quantity is not None:
        what = f"{path}.quantity"
        _set(line, "quantity", as_fraction(line.quantity, what=what, high=MAX_QUANTITY))


def _settle_taxes(line: ClaimLine, path: str, currency: str) -> None:
    for name in ("tax", "tax_rate", "deductible"):
        if getattr(line, name) is not None:
            raise ClaimError(f"{path} has both {name} and taxes; leave one out", code="CB-191")
    _set(line, "taxes", _structs(line.taxes, Tax, f"{path}.taxes"))
    total = Decimal(0)
    for index, tax in enumerate(line.taxes):
        where = f"{path}.taxes[{index}]"
        check_code(tax.kind, f"{where}.kind", TAX_TEXT["kind"])  # which may stay empty
        _set(tax, "amount", as_amount(tax.amount, currency, what=f"{where}.amount"))
        _check_tax(tax.amount, line.amount, where, name="amount")
        _settle_fractions(tax, ("rate", "deductible"), where)
        total = EXACT.add(total, tax.amount)
    _check_tax(total, line.amount, path, name="taxes")


def _settle_items(line: ClaimLine, path: str, currency: str) -> None:
    for name in ("tax", "tax_rate", "deductible", "quantity"):
        if getattr(line, name) is not None:
            raise ClaimError(f"{path} is itemised: its items have the {name}", code="CB-191")
    if line.taxes or line.personal:
        raise ClaimError(
            f"{path} is itemised: taxes and what is personal stand on its items", code="CB-191"
        )
    _set(line, "items", _structs(line.items, Item, f"{path}.items"))
    total = Decimal(0)
    for index, item in enumerate(line.items):
        where = f"{path}.items[{index}]"
        _check_texts(item, ITEM_TEXT, f"{where}.")
        _set(item, "amount", as_amount(item.amount, currency, what=f"{where}.amount"))
        if item.tax is not None:
            _set(item, "tax", as_amount(item.tax, currency, what=f"{where}.tax"))
            _check_tax(item.tax, item.amount, where)
        _settle_fractions(item, ("tax_rate", "deductible"), where)
        _settle_use(item, where)
        if item.personal and (line.payment != "company_card" or line.allocations):
            raise ClaimError(
                f"{where}.personal: only what the company's card paid, and nobody else bears, can "
                "be owed by the employee",
                code="CB-191",
            )
        total = EXACT.add(total, item.amount)
    if total != line.amount:
        raise ClaimError(
            f"{path}.items add up to {total} {currency}, not to amount {line.amount}", code="CB-192"
        )


def _settle_allocations(line: ClaimLine, path: str, currency: str) -> None:
    _set(line, "allocations", _structs(line.allocations, Allocation, f"{path}.allocations"))
    by_share = line.allocations[0].share is not None
    total = Decimal(0)
    for index, part in enumerate(line.allocations):
        where = f"{path}.allocations[{index}]"
        _check_texts(part, ALLOCATION_TEXT, f"{where}.")
        check_codes(part.dimensions, f"{where}.dimensions")
        if (part.share is None) == (part.amount is None) or by_share != (part.share is not None):
            raise ClaimError(
                f"{where} must have a share or an amount, and all of a line the same", code="CB-193"
            )
        if part.share is not None:
            share = as_fraction(part.share, what=f"{where}.share")
            _set(part, "share", share)
            total = EXACT.add(total, share)
        else:
            amount = as_amount(part.amount, currency, what=f"{where}.amount")
            _set(part, "amount", amount)
            _check_tax(amount, line.amount, where, name="amount")
            total = EXACT.add(total, amount)
    if not by_share and line.items:
        raise ClaimError(f"{path} is itemised: allocate it by share", code="CB-193")
    if total != (1 if by_share else line.amount):
        raise ClaimError(
            f"{path}.allocations add up to {total}, not to "
            f"{'1' if by_share else f'amount {line.amount}'}",
            code="CB-193",
        )


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


def _check_tax(tax: Decimal, amount: Decimal, path: str, *, name: str = "tax") -> None:
    # Tax goes with its amount: a negative tax is a refund's, and never larger than it.
    opposed = tax and amount and tax.is_signed() != amount.is_signed()
    if opposed or tax.copy_abs() > amount.copy_abs():
        raise ClaimError(
            f"{path}.{name} {tax} does not fit amount {amount}: it must have the amount's sign and "
            "not exceed it",
            code="CB-143",
        )


def _settle_document(document: SupportingDocument, path: str, currency: str) -> None:
    _check_texts(document, DOCUMENT_TEXT, f"{path}.")
    check_text(document.id, f"{path}.id", DOCUMENT_ID)  # which may stay empty
    if document.date is not None:
        _check_date(document.date, f"{path}.date")
    for name in ("amount", "tax", "deductible_tax", "fare", "total"):
        value = getattr(document, name)
        if value is not None:
            _set(document, name, as_amount(value, currency, what=f"{path}.{name}"))
    if document.amount is not None:
        for name in ("tax", "fare"):
            value = getattr(document, name)
            if value is not None:
                _check_tax(value, document.amount, path, name=name)
    if document.deductible_tax is not None and document.tax is not None:
        _check_tax(document.deductible_tax, document.tax, path, name="deductible_tax")
    if document.total is not None:
        _check_part(document.amount, document.total, path)


def _check_part(amount: Decimal | None, total: Decimal, path: str) -> None:
    """Refuse an invoice of which a part is claimed, without saying which, or more than there is."""
    fits = amount is not None and amount and amount.is_signed() == total.is_signed()
    if amount is None or not fits or amount.copy_abs() > total.copy_abs():
        raise ClaimError(
            f"{path}.amount {'is missing' if amount is None else amount}, and total is {total}: "
            "amount is the part of the invoice that is claimed; it has the total's sign and does "
            "not exceed it",
            code="CB-569",
        )


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
        required = name in REQUIRED_TEXT and not (prefix and name == "company")
        _check_of(name)(getattr(struct, name), prefix + name, limit, required=required)


class _TextCheck(Protocol):
    def __call__(self, value: object, what: str, limit: int | None, *, required: bool) -> None: ...


def _check_of(name: str) -> _TextCheck:
    """Return the check of a field: an id, a text for people, what a paper says, or a code."""
    if name in IDENTIFIERS:
        return check_identifier
    if name in FREE_TEXT:
        return check_free_text
    return check_text if name in PRINTED else check_code


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
