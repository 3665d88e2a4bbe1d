"""What is decided for a line before it is posted: who bears it, on which row, with what tax."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Final

import msgspec

from claimbridge.mapping.chart.rows import ExpenseRow
from claimbridge.mapping.postings.allocations import as_borne, weights_of, words_for
from claimbridge.mapping.postings.allowances import (
    beyond_legal_rate,
    check_quantity,
    is_by_quantity,
)
from claimbridge.mapping.postings.chart_answers import cost_centre_for, dimensions_for, row_for
from claimbridge.mapping.postings.company_books import CompanyBook
from claimbridge.mapping.postings.voucher_builder import VoucherBuilder
from claimbridge.mapping.taxes import LineTaxes, Purchase, Split
from claimbridge.model import ClaimLine
from claimbridge.model.claim_path import ClaimPath
from claimbridge.model.money import EXACT
from claimbridge.model.proportion import divide

_WHOLE: Final = Decimal(1)


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a line that one cost centre of one company bears, with all that was decided.

    ``line`` is the claim line as if it were this part alone. ``rate`` converts the part into the
    claim's currency; None where it is in that already. ``words`` stand in the explanation: a
    quantity at a rate, an allocation. Of an allocated part, ``whole`` is what was divided, and
    ``weight`` its exact share of that.
    """

    path: ClaimPath
    line: ClaimLine
    source: str
    row: ExpenseRow
    split: Split
    currency: str
    rate: Decimal | None
    cost_centre: str
    cost_centre_reason: str
    dimensions: dict[str, str]
    narration: str
    company: str = ""
    words: str = ""
    whole: Split | None = None
    weight: Decimal | None = None


class Share(msgspec.Struct, frozen=True):
    """An amount of a line, in its currency, without further decisions; ``company`` owes it."""

    amount: Decimal
    source: str
    narration: str
    company: str = ""


class LineDecision(msgspec.Struct, frozen=True, kw_only=True):
    """A line with all that was decided for it, before anything is posted.

    ``recharged`` are the parts that other companies are to be invoiced, ``personal`` those that
    the employee owes. ``narration`` is that of the line as a whole.
    """

    index: int
    line: ClaimLine
    costs: tuple[Cost, ...]
    narration: str
    recharged: tuple[Share, ...] = ()
    personal: tuple[Share, ...] = ()

    @property
    def source(self) -> str:
        """The claim field of the line's amount."""
        return f"lines[{self.index}].amount"


def decide_line(builder: VoucherBuilder, index: int) -> LineDecision:
    """Return what the chart decides for a line; raises MappingError naming what it does not."""
    line = builder.claim.lines[index]
    taxes = LineTaxes(builder.claim, index, builder.documents)
    if not (line.items or line.allocations or line.personal or line.company):  # most lines
        (purchase,) = taxes.purchases()
        cost = _whole(builder, taxes, purchase, builder.books[""])
        return LineDecision(index=index, line=line, costs=(cost,), narration=cost.narration)
    costs: list[Cost] = []
    recharged: list[Share] = []
    personal: list[Share] = []
    for purchase in taxes.purchases():
        if purchase.line.personal:
            personal.append(_share(builder, purchase.line, purchase.line.amount, purchase.source))
            continue
        for part in _parts(builder, taxes, purchase):
            if isinstance(part, Cost):
                costs.append(part)
            else:
                recharged.append(part)
    if line.items and not recharged:
        # The parts of an item carry what was divided: once for each item.
        splits = {cost.path.item: cost.whole or cost.split for cost in costs}
        taxes.check_items(splits.values())
    has_row = costs and not line.items  # an itemised bill has no row of its own
    return LineDecision(
        index=index,
        line=line,
        costs=tuple(costs),
        narration=costs[0].narration if has_row else builder.plain_narration(line),
        recharged=tuple(recharged),
        personal=tuple(personal),
    )


def _parts(builder: VoucherBuilder, taxes: LineTaxes, purchase: Purchase) -> Iterable[Cost | Share]:
    line = purchase.line
    if line.allocations:
        return _allocate(builder, taxes, purchase)
    book = builder.book(line.company, purchase.path)
    if book.is_recharged:
        return (_share(builder, line, line.amount, purchase.source, book.code),)
    return (_whole(builder, taxes, purchase, book),)


def _whole(
    builder: VoucherBuilder, taxes: LineTaxes, purchase: Purchase, book: CompanyBook
) -> Cost:
    """Return the cost of a purchase that one company bears as a whole."""
    line, path = purchase.line, purchase.path
    row = row_for(builder.rules, builder.claim, line, path, builder.dates.posting)
    split, words = _split(taxes, purchase, row, book)
    return _cost(builder, line, path, purchase.source, book, row, split, words)


def _allocate(
    builder: VoucherBuilder, taxes: LineTaxes, purchase: Purchase
) -> Iterator[Cost | Share]:
    """Yield the parts of what is allocated; the tax of the whole is divided, not computed anew."""
    line, rules, claim = purchase.line, builder.rules, builder.claim
    currency = line.currency or claim.currency
    weights = weights_of(line)
    gross = divide(line.amount, weights, currency, rules.remainder)
    total = line.amount if line.allocations[0].share is None else _WHOLE
    wholes: dict[tuple[int, str], tuple[Split, str, list[Split]]] = {}
    for number, part in enumerate(line.allocations):
        path = ClaimPath(purchase.path.line, purchase.path.item, number)
        borne = as_borne(line, part)
        book = builder.book(borne.company, path)
        source = purchase.source
        if purchase.path.item is None:
            name = "amount" if part.share is None else "share"
            source = f"lines[{path.line}].allocations[{number}].{name}"
        if book.is_recharged:
            yield _share(builder, borne, gross[number], source, book.code)
            continue
        row = row_for(rules, claim, borne, path, builder.dates.posting)
        key = id(row), book.company.currency
        if key not in wholes:
            whole, used = _split(taxes, purchase, row, book)
            parts = whole.divide(gross, currency, rules.remainder, kept=row.tax_in_expense)
            wholes[key] = whole, used, parts
        whole, used, parts = wholes[key]
        words = words_for(part, number + 1, len(line.allocations), currency)
        cost = _cost(builder, borne, path, source, book, row, parts[number])
        yield msgspec.structs.replace(
            cost,
            cost_centre_reason="the allocation's" if part.cost_centre else cost.cost_centre_reason,
            words=f"{words}; {used}" if used else words,
            whole=whole,
            weight=EXACT.divide(weights[number], total) if total else total,
        )


def _share(
    builder: VoucherBuilder, line: ClaimLine, amount: Decimal, source: str, company: str = ""
) -> Share:
    return Share(amount, source, builder.plain_narration(line), company)


def _split(
    taxes: LineTaxes, purchase: Purchase, row: ExpenseRow, book: CompanyBook
) -> tuple[Split, str]:
    """Return a purchase's net and taxes, and the words for its quantity; "" where none counts."""
    line, split = purchase.line, taxes.split(purchase, row)
    if not is_by_quantity(row) or not line.amount:
        return split, ""
    currency = taxes.currency
    used = check_quantity(
        line, row, purchase.path, currency=currency, own_currency=book.company.currency
    )
    expense = split.expense(kept=row.tax_in_expense)
    beyond = beyond_legal_rate(expense, line.quantity, row, currency)
    return msgspec.structs.replace(split, beyond=beyond), used


def _cost(
    builder: VoucherBuilder,
    line: ClaimLine,
    path: ClaimPath,
    source: str,
    book: CompanyBook,
    row: ExpenseRow,
    split: Split,
    words: str = "",
) -> Cost:
    claim = builder.claim
    cost_centre, reason = cost_centre_for(claim, line, path, row)
    return Cost(
        path=path,
        line=line,
        source=source,
        row=row,
        split=split,
        currency=line.currency or claim.currency,
        rate=booking_rate(builder, line, book),
        cost_centre=cost_centre,
        cost_centre_reason=reason,
        dimensions=dimensions_for(claim, line, path, row) if row.dimensions else {},
        narration=builder.narration(row, line, cost_centre),
        company=book.code,
        words=words,
    )


def booking_rate(builder: VoucherBuilder, line: ClaimLine, book: CompanyBook) -> Decimal | None:
    """Return the rate at which a company books a line; None in the claim's own currency."""
    currency = line.currency
    if currency is None or currency == builder.claim.currency:
        return None
    if builder.claim.currency == book.company.currency:
        return book.company.rates.get(currency, line.rate)
    return line.rate
