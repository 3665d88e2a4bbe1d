"""What is decided for the parts of a line: who bears them, on which row, with what tax."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

import msgspec

from claimbridge.mapping.chart.rows import ExpenseRow
from claimbridge.mapping.claim_path import ClaimPath
from claimbridge.mapping.postings.allowances import (
    beyond_legal_rate,
    check_quantity,
    is_by_quantity,
)
from claimbridge.mapping.postings.chart_answers import cost_centre_for, dimensions_for, row_for
from claimbridge.mapping.postings.company_books import CompanyBook
from claimbridge.mapping.postings.voucher_builder import VoucherBuilder
from claimbridge.mapping.proportion import divide
from claimbridge.mapping.taxes.allocation import as_borne, divided, weights_of, words_for
from claimbridge.mapping.taxes.items import Entry, check_items, items_of
from claimbridge.mapping.taxes.split import Split, split
from claimbridge.model import ClaimLine
from claimbridge.model.money import EXACT

_WHOLE: Final = Decimal(1)


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a line that one cost centre of one company bears, with all that was decided.

    ``line`` is the claim line as if it were this part alone. ``rate`` converts the part into the
    claim's currency; None where it is in that already. ``words`` stand in the explanation: a
    quantity at a rate, an allocation. Of an allocated part, ``whole`` is what was divided, and
    ``weight`` its exact share of that.
    """

    place: ClaimPath
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


class DecidedLine(msgspec.Struct, frozen=True, kw_only=True):
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


def decide_line(builder: VoucherBuilder, line: ClaimLine, index: int) -> DecidedLine:
    """Return what the chart decides for a line; raises MappingError naming what it does not."""
    source = f"lines[{index}].amount"
    if not (line.items or line.allocations or line.personal or line.company):
        cost = _cost(builder, line, ClaimPath(index), source, builder.books[""])
        return DecidedLine(index=index, line=line, costs=(cost,), narration=cost.narration)
    entries = (
        items_of(line, index, builder.invoices)
        if line.items
        else (Entry(ClaimPath(index), line, source),)
    )
    costs: list[Cost] = []
    others: dict[bool, list[Share]] = {True: [], False: []}
    for entry in entries:
        for part in _parts(builder, entry):
            if isinstance(part, Cost):
                costs.append(part)
            else:
                others[entry.line.personal].append(part)
    if line.items and not others[False]:
        _check_items(builder, line, index, costs)
    named = costs and not line.items  # by its row; what was itemised has no row of its own
    return DecidedLine(
        index=index,
        line=line,
        costs=tuple(costs),
        narration=costs[0].narration if named else builder.plain_narration(line),
        recharged=tuple(others[False]),
        personal=tuple(others[True]),
    )


def _check_items(builder: VoucherBuilder, line: ClaimLine, index: int, costs: list[Cost]) -> None:
    # The parts of an item carry what was divided: once for each item.
    splits = {cost.place.item: cost.whole or cost.split for cost in costs}
    levies = [levy for one in splits.values() for levy in one.levies]
    check_items(line, index, builder.invoices, levies)


def _parts(builder: VoucherBuilder, entry: Entry) -> Iterator[Cost | Share]:
    line = entry.line
    if line.personal:
        yield Share(line.amount, entry.source, builder.plain_narration(line))
    elif line.allocations:
        yield from _allocated(builder, entry)
    else:
        book = builder.book(line.company or builder.claim.company, entry.place)
        if book.is_recharged:
            yield _recharged(builder, line, line.amount, entry.source, book)
        else:
            yield _cost(builder, line, entry.place, entry.source, book, entry.by_kind)


def _allocated(builder: VoucherBuilder, entry: Entry) -> Iterator[Cost | Share]:
    """Yield the parts of what is allocated; the tax of the whole is divided, not computed anew."""
    line, place, rules = entry.line, entry.place, builder.rules
    currency = line.currency or builder.claim.currency
    weights = weights_of(line)
    gross = divide(line.amount, weights, currency, rules.remainder)
    total = line.amount if line.allocations[0].share is None else _WHOLE
    wholes: dict[tuple[int, str], tuple[Split, str, list[Split]]] = {}
    for number, part in enumerate(line.allocations):
        here = ClaimPath(place.line, place.item, number)
        borne = as_borne(line, part)
        book = builder.book(borne.company or builder.claim.company, here)
        name = "amount" if part.share is None else "share"
        source = entry.source
        if place.item is None:
            source = f"lines[{place.line}].allocations[{number}].{name}"
        if book.is_recharged:
            yield _recharged(builder, borne, gross[number], source, book)
            continue
        row = row_for(rules, builder.claim, borne, here, builder.dates.posting)
        kind = id(row), book.company.currency
        if kind not in wholes:
            whole, used = _split(builder, line, place, row, book, entry.by_kind)
            parts = divided(whole, gross, currency, rules.remainder, kept=row.tax_in_expense)
            wholes[kind] = whole, used, parts
        whole, used, parts = wholes[kind]
        words = words_for(part, number + 1, len(line.allocations), currency)
        cost = _decided(builder, borne, here, source, book, row, parts[number])
        yield msgspec.structs.replace(
            cost,
            cost_centre_reason="the allocation's" if part.cost_centre else cost.cost_centre_reason,
            words=f"{words}; {used}" if used else words,
            whole=whole,
            weight=EXACT.divide(weights[number], total) if total else total,
        )


def _recharged(
    builder: VoucherBuilder, line: ClaimLine, amount: Decimal, source: str, book: CompanyBook
) -> Share:
    return Share(amount, source, builder.plain_narration(line), book.code)


def _cost(
    builder: VoucherBuilder,
    line: ClaimLine,
    place: ClaimPath,
    source: str,
    book: CompanyBook,
    by_kind: Decimal | None = None,
) -> Cost:
    row = row_for(builder.rules, builder.claim, line, place, builder.dates.posting)
    parts, used = _split(builder, line, place, row, book, by_kind)
    return _decided(builder, line, place, source, book, row, parts, used)


def _split(
    builder: VoucherBuilder,
    line: ClaimLine,
    place: ClaimPath,
    row: ExpenseRow,
    book: CompanyBook,
    by_kind: Decimal | None,
) -> tuple[Split, str]:
    """Return a line's net and taxes, and the words for its quantity; "" where none counts."""
    currency = line.currency or builder.claim.currency
    parts = split(line, row, currency, place, builder.invoices, by_kind)
    if not is_by_quantity(row) or not line.amount:
        return parts, ""
    used = check_quantity(line, row, place, currency=currency, own_currency=book.company.currency)
    expense = parts.expense(kept=row.tax_in_expense)
    beyond = beyond_legal_rate(expense, line.quantity, row, currency)
    return msgspec.structs.replace(parts, beyond=beyond), used


def _decided(
    builder: VoucherBuilder,
    line: ClaimLine,
    place: ClaimPath,
    source: str,
    book: CompanyBook,
    row: ExpenseRow,
    parts: Split,
    words: str = "",
) -> Cost:
    claim = builder.claim
    currency = line.currency or claim.currency
    cost_centre, reason = cost_centre_for(claim, line, place, row)
    return Cost(
        place=place,
        line=line,
        source=source,
        row=row,
        split=parts,
        currency=currency,
        rate=booking_rate(builder, line, book),
        cost_centre=cost_centre,
        cost_centre_reason=reason,
        dimensions=dimensions_for(claim, line, place, row) if row.dimensions else {},
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
