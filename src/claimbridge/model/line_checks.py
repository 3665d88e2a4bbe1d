"""The checks of a claim line and its parts, and their amounts with their currency's decimals.

Every function returns a new value where one is needed: nobody's line is changed. ``path`` says
where the part stands in its claim (``lines[0].items[1]``), and begins every message.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from claimbridge.errors import ClaimError
from claimbridge.model.claim_lines import (
    ALLOCATION_TEXT,
    DOCUMENT_ID,
    DOCUMENT_TEXT,
    ITEM_TEXT,
    LINE_TEXT,
    MAX_QUANTITY,
    MAX_RATE,
    MIN_RATE,
    TAX_TEXT,
    Allocation,
    ClaimLine,
    Item,
    SupportingDocument,
    Tax,
)
from claimbridge.model.fields import as_structs, check_day, check_texts, with_fields
from claimbridge.model.money import EXACT, as_amount, as_fraction, excerpt, summed
from claimbridge.model.text import check_code, check_codes, check_text


def normalise_line(line: ClaimLine, path: str, claim_currency: str) -> ClaimLine:
    """Return a checked line of a claim in ``claim_currency``; raises ClaimError naming the field.

    The order of the checks is the reader's.
    """
    check_texts(line, LINE_TEXT, f"{path}.")
    check_day(line.date, f"{path}.date")
    if line.payment not in ("employee", "company_card"):
        raise ClaimError(
            f"{path}.payment must be employee or company_card, not {excerpt(line.payment)!r}",
            code="CB-146",
        )
    check_codes(line.dimensions, f"{path}.dimensions")
    currency = claim_currency if line.currency is None else line.currency
    amount = as_amount(line.amount, currency, what=f"{path}.amount")
    fields: dict[str, object] = {"amount": amount}
    fields["rate"] = _rate(line.rate, path, currency, claim_currency)
    fields.update(_tax_and_use(line, amount, path, currency))
    if line.taxes:
        fields["taxes"] = _taxes(line, amount, path, currency)
    if line.items:
        fields["items"] = _items(line, amount, path, currency)
    if line.allocations:
        fields["allocations"] = _allocations(line, amount, path, currency)
    _check_personal(line, path)
    fields["documents"] = _documents(line, path, currency)
    return with_fields(line, fields)


def _rate(stated: Decimal | None, path: str, currency: str, claim_currency: str) -> Decimal | None:
    rate = stated
    if stated is not None:
        rate = as_fraction(stated, what=f"{path}.rate", low=MIN_RATE, high=MAX_RATE)
    if currency != claim_currency and rate is None:
        raise ClaimError(
            f"{path}.rate is needed: the line is in {currency}, the claim in {claim_currency}",
            code="CB-142",
        )
    if currency == claim_currency and rate not in (None, 1):
        raise ClaimError(
            f"{path}.rate must be 1 or left out: the line is in {claim_currency} too",
            code="CB-142",
        )
    return rate


def _tax_and_use(
    part: ClaimLine | Item, amount: Decimal, path: str, currency: str
) -> dict[str, object]:
    """Return the fields in which a line and an item state their tax, and how much was used."""
    fields: dict[str, object] = {}
    if part.tax is not None:
        fields["tax"] = tax = as_amount(part.tax, currency, what=f"{path}.tax")
        _check_within(tax, amount, path, name="tax")
    fields.update(_fractions({"tax_rate": part.tax_rate, "deductible": part.deductible}, path))
    if not isinstance(part.personal, bool):
        raise ClaimError(f"{path}.personal must be true or false", code="CB-146")
    if part.quantity is not None:
        what = f"{path}.quantity"
        fields["quantity"] = as_fraction(part.quantity, what=what, high=MAX_QUANTITY)
    return fields


def _fractions(stated: Mapping[str, Decimal | None], path: str) -> dict[str, Decimal]:
    return {
        name: as_fraction(value, what=f"{path}.{name}")
        for name, value in stated.items()
        if value is not None
    }


def _taxes(line: ClaimLine, gross: Decimal, path: str, currency: str) -> tuple[Tax, ...]:
    for name in ("tax", "tax_rate", "deductible"):
        if getattr(line, name) is not None:
            raise ClaimError(f"{path} has both {name} and taxes; leave one out", code="CB-191")
    taxes = tuple(
        _tax(tax, gross, f"{path}.taxes[{index}]", currency)
        for index, tax in enumerate(as_structs(line.taxes, Tax, f"{path}.taxes"))
    )
    _check_within(summed(tax.amount for tax in taxes), gross, path, name="taxes")
    return taxes


def _tax(tax: Tax, gross: Decimal, path: str, currency: str) -> Tax:
    check_code(tax.kind, f"{path}.kind", TAX_TEXT["kind"])  # which may stay empty
    amount = as_amount(tax.amount, currency, what=f"{path}.amount")
    _check_within(amount, gross, path, name="amount")
    fractions = _fractions({"rate": tax.rate, "deductible": tax.deductible}, path)
    return with_fields(tax, {"amount": amount, **fractions})


def _items(line: ClaimLine, gross: Decimal, path: str, currency: str) -> tuple[Item, ...]:
    for name in ("tax", "tax_rate", "deductible", "quantity"):
        if getattr(line, name) is not None:
            raise ClaimError(f"{path} is itemised: its items have the {name}", code="CB-191")
    if line.taxes or line.personal:
        raise ClaimError(
            f"{path} is itemised: taxes and personal stand on its items", code="CB-191"
        )
    items = tuple(
        _item(item, line, f"{path}.items[{index}]", currency)
        for index, item in enumerate(as_structs(line.items, Item, f"{path}.items"))
    )
    total = summed(item.amount for item in items)
    if total != gross:
        raise ClaimError(
            f"{path}.items add up to {total} {currency}, not to amount {gross}", code="CB-192"
        )
    return items


def _item(item: Item, line: ClaimLine, path: str, currency: str) -> Item:
    check_texts(item, ITEM_TEXT, f"{path}.")
    amount = as_amount(item.amount, currency, what=f"{path}.amount")
    fields = _tax_and_use(item, amount, path, currency)
    if item.personal and (line.payment != "company_card" or line.allocations):
        raise ClaimError(
            f"{path}.personal: the employee can only owe what the company's card paid and nobody "
            "else bears",
            code="CB-191",
        )
    return with_fields(item, {"amount": amount, **fields})


def _allocations(
    line: ClaimLine, gross: Decimal, path: str, currency: str
) -> tuple[Allocation, ...]:
    stated = as_structs(line.allocations, Allocation, f"{path}.allocations")
    by_share = stated[0].share is not None
    allocations: list[Allocation] = []
    total = Decimal(0)
    for index, allocation in enumerate(stated):
        where = f"{path}.allocations[{index}]"
        check_texts(allocation, ALLOCATION_TEXT, f"{where}.")
        check_codes(allocation.dimensions, f"{where}.dimensions")
        name, value = _share_or_amount(allocation, gross, where, currency, by_share=by_share)
        allocations.append(with_fields(allocation, {name: value}))
        total = EXACT.add(total, value)
    if not by_share and line.items:
        raise ClaimError(f"{path} is itemised: allocate it by share", code="CB-193")
    if total != (1 if by_share else gross):
        raise ClaimError(
            f"{path}.allocations add up to {total}, not to "
            f"{'1' if by_share else f'amount {gross}'}",
            code="CB-193",
        )
    return tuple(allocations)


def _share_or_amount(
    allocation: Allocation, gross: Decimal, path: str, currency: str, *, by_share: bool
) -> tuple[str, Decimal]:
    """Return the field that says how much an allocation is, and its value."""
    share, amount = allocation.share, allocation.amount
    if (share is None) == (amount is None) or by_share != (share is not None):
        raise ClaimError(
            f"{path} must have a share or an amount, and all of a line the same", code="CB-193"
        )
    if share is not None:
        return "share", as_fraction(share, what=f"{path}.share")
    amount = as_amount(amount, currency, what=f"{path}.amount")
    _check_within(amount, gross, path, name="amount")
    return "amount", amount


def _check_personal(line: ClaimLine, path: str) -> None:
    if line.personal and line.payment != "company_card":
        raise ClaimError(
            f"{path}.personal: the employee can only owe what the company's card paid; leave out "
            "what he bought for himself with his own money",
            code="CB-191",
        )
    if line.personal and line.allocations:
        raise ClaimError(f"{path}: a personal expense has no allocations", code="CB-191")


def _documents(line: ClaimLine, path: str, currency: str) -> tuple[SupportingDocument, ...]:
    stated = as_structs(line.documents, SupportingDocument, f"{path}.documents")
    return tuple(
        _document(document, f"{path}.documents[{index}]", currency)
        for index, document in enumerate(stated)
    )


def _document(document: SupportingDocument, path: str, currency: str) -> SupportingDocument:
    check_texts(document, DOCUMENT_TEXT, f"{path}.")
    check_text(document.id, f"{path}.id", DOCUMENT_ID)  # which may stay empty
    if document.date is not None:
        check_day(document.date, f"{path}.date")
    amounts = {
        name: as_amount(value, currency, what=f"{path}.{name}")
        for name in ("amount", "tax", "deductible_tax", "fare", "total")
        if (value := getattr(document, name)) is not None
    }
    document = with_fields(document, amounts)
    _check_figures(document, path)
    return document


def _check_figures(document: SupportingDocument, path: str) -> None:
    """Refuse a document whose figures do not fit each other."""
    if document.amount is not None:
        for name, value in (("tax", document.tax), ("fare", document.fare)):
            if value is not None:
                _check_within(value, document.amount, path, name=name)
    if document.deductible_tax is not None and document.tax is not None:
        _check_within(document.deductible_tax, document.tax, path, name="deductible_tax")
    if document.total is not None:
        _check_part(document.amount, document.total, path)


def _check_part(amount: Decimal | None, total: Decimal, path: str) -> None:
    """Refuse a claimed part of an invoice that is not stated, or larger than the invoice."""
    fits = amount is not None and amount and amount.is_signed() == total.is_signed()
    if amount is None or not fits or amount.copy_abs() > total.copy_abs():
        raise ClaimError(
            f"{path}.amount {'is missing' if amount is None else amount}, and total is {total}: "
            "amount is the part of the invoice that is claimed; it has the total's sign and does "
            "not exceed it",
            code="CB-569",
        )


def _check_within(part: Decimal, amount: Decimal, path: str, *, name: str) -> None:
    # A tax goes with its amount: a negative tax is a refund's, and never larger than it.
    opposed = part and amount and part.is_signed() != amount.is_signed()
    if opposed or part.copy_abs() > amount.copy_abs():
        raise ClaimError(
            f"{path}.{name} {part} does not fit amount {amount}: it must have the amount's sign "
            "and not exceed it",
            code="CB-143",
        )


__all__ = ["normalise_line"]
