"""The postings of a line: its expense and taxes, in the books of whoever bears them.

A line in another currency is converted part by part (net, input tax, non-deductible tax), each part
rounded half up. The difference to the line's converted gross amount goes to the rounding account.
Where a company has a booking rate for the line's currency, its parts are converted at that rate.
The difference to the line's own rate goes to the exchange difference account.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from claimbridge.mapping.postings.chart_answers import input_tax_account
from claimbridge.mapping.postings.line_decision import Cost, LineDecision, booking_rate
from claimbridge.mapping.postings.voucher_builder import VoucherBuilder, side_of
from claimbridge.mapping.taxes import Levy, Split
from claimbridge.model import Posting, Role, converted
from claimbridge.model.money import EXACT, rounded
from claimbridge.model.proportion import per_cent

_ZERO: Final = Decimal(0)


def post_line(builder: VoucherBuilder, decision: LineDecision) -> None:
    """Post the costs of a line's parts, and count what conversion leaves over."""
    line = decision.line
    settles = line.currency not in (None, builder.claim.currency) or len(builder.books) > 1
    posted: dict[str, Decimal] = {}
    for cost in decision.costs:
        if not cost.split.gross:
            builder.skip("the amount is zero: nothing to post", cost.source, cost.row.label)
            continue
        amount = _post_cost(builder, cost)
        if settles:
            posted[cost.company] = EXACT.add(posted.get(cost.company, _ZERO), amount)
    if settles:
        _settle_books(builder, decision, posted)


def _post_cost(builder: VoucherBuilder, cost: Cost) -> Decimal:
    """Post one part; return what was posted, in the claim's currency."""
    posted = _post_expense(builder, cost)
    if not cost.split.levies:
        return posted
    whole = cost.whole or cost.split
    for levy, of in zip(cost.split.levies, whole.levies, strict=True):
        if levy.deducted:
            posted = EXACT.add(posted, _post_input_tax(builder, cost, levy, of))
        if levy.kept and not cost.row.tax_in_expense:
            posted = EXACT.add(posted, _post_non_deductible_tax(builder, cost, levy, of))
    return posted


def _post_expense(builder: VoucherBuilder, cost: Cost) -> Decimal:
    kept = cost.row.tax_in_expense
    parts, whole = cost.split, cost.whole or cost.split
    amount, total, exact = parts.gross, whole.gross, whole.gross
    if parts.levies:
        amount, total = parts.expense(kept=kept), whole.expense(kept=kept)
        exact = whole.exact_expense(kept=kept)
    rule = _expense_rule(cost, kept=kept)
    if not parts.beyond:
        account = cost.row.account
        return _post_part(builder, cost, Role.EXPENSE, account, amount, total, exact, rule)
    free = EXACT.subtract(amount, parts.beyond)
    total_free = EXACT.subtract(total, whole.beyond)
    limit = f"the legal rate of {cost.row.tax_free_per_unit:f}"
    posted = _ZERO
    if free:
        words = f"{rule}; up to {limit}"
        account = cost.row.account
        posted = _post_part(
            builder, cost, Role.EXPENSE, account, free, total_free, total_free, words
        )
    return EXACT.add(
        posted,
        _post_part(
            builder,
            cost,
            Role.EXPENSE,
            cost.row.taxable_account,
            parts.beyond,
            whole.beyond,
            whole.beyond,
            f"{rule}; beyond {limit}, taxable",
        ),
    )


def _expense_rule(cost: Cost, *, kept: bool) -> str:
    levies = cost.split.levies
    taxes = ", ".join([str(levy.tax) for levy in levies if levy.tax]) if levies else ""
    rule = f"net of tax {taxes}" if taxes else "gross amount, no tax"
    inside = ", ".join([str(levy.kept) for levy in levies if levy.kept]) if kept else ""
    if inside:
        rule += f", with its non-deductible part {inside}"
    rule += f"; {cost.row.why}"
    for words in (cost.split.note, cost.words):
        if words:
            rule += f"; {words}"
    if cost.cost_centre:
        rule += f"; cost centre {cost.cost_centre} is {cost.cost_centre_reason}"
    return rule


def _post_input_tax(builder: VoucherBuilder, cost: Cost, levy: Levy, of: Levy) -> Decimal:
    account = input_tax_account(builder.rules, builder.claim, cost.line, cost.path, levy)
    if levy.share is None:
        rule = f"{of.deducted} of tax {of.tax} {of.origin} is deductible by its verification"
    else:
        rule = f"{per_cent(levy.share)} of tax {of.tax} {of.origin} is deductible{_by(levy)}"
    return _post_part(
        builder,
        cost,
        Role.INPUT_TAX,
        account,
        levy.deducted,
        of.deducted,
        of.exact_deducted,
        _with_levy(rule, cost, levy),
        levy,
    )


def _post_non_deductible_tax(builder: VoucherBuilder, cost: Cost, levy: Levy, of: Levy) -> Decimal:
    own = builder.rules.accounts.non_deductible_tax
    share = of.deducted if levy.share is None else per_cent(levy.share)
    rule = (
        f"the rest of tax {of.tax} {of.origin}, {share} being deductible{_by(levy)}, on "
        f"{'its own account' if own else 'the account of its expense'}"
    )
    return _post_part(
        builder,
        cost,
        Role.NON_DEDUCTIBLE_TAX,
        own or cost.row.account,
        levy.kept,
        of.kept,
        EXACT.subtract(of.exact, of.exact_deducted),
        _with_levy(rule, cost, levy),
        levy,
    )


def _with_levy(rule: str, cost: Cost, levy: Levy) -> str:
    if levy.kind:
        rule = f"{levy.kind}: {rule}"
    return f"{rule}; {cost.words}" if cost.whole else rule


def _by(levy: Levy) -> str:
    """Return the words for the invoice rule that decides what is deductible; "" for none."""
    return f" by {levy.by}" if levy.by else ""


def _post_part(
    builder: VoucherBuilder,
    cost: Cost,
    role: Role,
    account: str,
    amount: Decimal,
    total: Decimal,
    exact: Decimal,
    rule: str,
    levy: Levy | None = None,
) -> Decimal:
    """Post one part of a cost; return what was posted, in the claim's currency.

    ``total`` is that part of the whole that was allocated, and ``exact`` the same before rounding.
    """
    posted, remainder = amount, None
    if cost.weight is not None:
        exact = EXACT.multiply(exact, cost.weight)
        remainder = EXACT.subtract(amount, EXACT.multiply(total, cost.weight))
    if cost.rate is not None:
        posted = builder.convert(amount, cost.rate)
        exact = EXACT.multiply(exact, cost.rate)
        rule += f"; {amount} {cost.currency} at {cost.rate:f}"
    if not posted:
        builder.skip(f"{rule}: zero, nothing to post", cost.source, cost.row.label)
        return posted
    costly = role is not Role.INPUT_TAX  # cost centre and project stand on costs only
    builder.add(
        Posting(
            role=role,
            account=account,
            side=side_of(posted),
            amount=posted.copy_abs(),
            currency=builder.claim.currency,
            cost_centre=cost.cost_centre if costly else "",
            project=cost.line.project if costly else "",
            tax_code=cost.row.tax_code if levy else "",
            tax_base=_tax_base(builder, cost, levy) if levy else None,
            narration=cost.narration,
            dimensions=cost.dimensions if costly else {},
            source=cost.source,
            company=cost.company,
        ),
        rule=f"{rule}; a refund flips the side" if posted < 0 else rule,
        row=cost.row.label,
        tax_rate=levy.rate if levy else _sole_rate(cost.split) if cost.split.levies else None,
        rate=cost.rate,
        rounding=None if exact is posted else EXACT.subtract(posted, exact),
        remainder=remainder,
    )
    return posted


def _sole_rate(parts: Split) -> Decimal | None:
    rates = [levy.rate for levy in parts.levies if levy.tax]
    return rates[0] if len(rates) == 1 else None


def _tax_base(builder: VoucherBuilder, cost: Cost, levy: Levy) -> Decimal:
    base = cost.split.net if levy.base is None else levy.base
    return builder.convert(base, cost.rate).copy_abs()


def _settle_books(
    builder: VoucherBuilder, decision: LineDecision, posted: dict[str, Decimal]
) -> None:
    """Count, for each company, what its parts lack of what is owed for them."""
    line, index = decision.line, decision.index
    gross: dict[str, Decimal] = {}
    for cost in decision.costs:
        gross[cost.company] = EXACT.add(gross.get(cost.company, _ZERO), cost.split.gross)
    for share in decision.recharged:
        gross[share.company] = EXACT.add(gross.get(share.company, _ZERO), share.amount)
    for company, owed in _debts(builder, decision, gross).items():
        book = builder.books[company]
        if company:
            book.due.add(owed, index)
        if book.is_recharged:
            continue
        booked = owed
        rate = booking_rate(builder, line, book)
        if rate != line.rate and rate is not None and company in gross:
            booked = rounded(EXACT.multiply(gross[company], rate), builder.claim.currency)
        book.rounding.add(EXACT.subtract(booked, posted.get(company, _ZERO)), index)
        book.exchange.add(EXACT.subtract(owed, booked), index)


def _debts(
    builder: VoucherBuilder, decision: LineDecision, gross: dict[str, Decimal]
) -> dict[str, Decimal]:
    """Return what each company owes for a line, in the claim's currency; it adds up to the line.

    What rounding leaves is the claim's company's, or the first's where that bears nothing.
    """
    rest = converted(decision.line, builder.claim.currency)
    for share in decision.personal:
        rest = EXACT.subtract(rest, builder.at_own_rate(share.amount, decision.line))
    first = "" if "" in gross or not gross else next(iter(gross))
    owed = {}
    for company, amount in gross.items():
        if company != first:
            owed[company] = builder.at_own_rate(amount, decision.line)
            rest = EXACT.subtract(rest, owed[company])
    return {first: rest, **owed} if gross or rest else {}
