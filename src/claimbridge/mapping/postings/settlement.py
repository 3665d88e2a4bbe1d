"""Who is owed what a claim cost: other companies, the card's issuer, advances, payees, employee.

What the company's card paid for the employee himself passes through the clearing account: debited
where it was bought, credited where it is taken from what the employee is owed. An advance is
credited with what is settled and what is returned; what is returned the employee owes.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from claimbridge.errors import MappingError
from claimbridge.mapping.postings.company_books import CompanyBook, Sum
from claimbridge.mapping.postings.line_decision import LineDecision
from claimbridge.mapping.postings.voucher_builder import VoucherBuilder, side_of
from claimbridge.model import Posting, Role, converted, owed_to_employee
from claimbridge.model.money import EXACT

_ZERO: Final = Decimal(0)


def post_personal(builder: VoucherBuilder, decision: LineDecision) -> None:
    """Debit the clearing account with what a line holds of personal expenses."""
    for share in decision.personal:
        amount = builder.at_own_rate(share.amount, decision.line)
        if not amount:
            builder.skip("the amount is zero: nothing to post", share.source)
            continue
        _post(
            builder,
            Role.CARD_CLEARING,
            _clearing(builder, decision),
            amount,
            rule="personal, paid by the company's card: "
            + ("the employee owes it" if amount > 0 else "a refund, which the employee is owed"),
            partner=builder.claim.employee,
            narration=share.narration,
            source=share.source,
        )


def _clearing(builder: VoucherBuilder, decision: LineDecision) -> str:
    account = builder.rules.accounts.card_clearing
    if account is None:
        raise _missing(
            builder,
            f"line {decision.index + 1} has a personal expense on the company's card",
            "card_clearing",
        )
    return account


def _missing(builder: VoucherBuilder, what: str, account: str) -> MappingError:
    return MappingError(
        f'{what}, and chart "{builder.rules.name}" has no account "{account}" in [accounts]; '
        "add it",
        code="CB-122",
        claim_id=builder.claim.id,
    )


def post_differences(builder: VoucherBuilder) -> None:
    """Post what conversion left over, in each company's books."""
    accounts = builder.rules.accounts
    for book in builder.books.values():
        rounding, exchange = book.rounding, book.exchange
        if rounding:
            rule = f"{rounding.lines}: what the converted parts lack of the converted gross amount"
            _post_difference(builder, book, Role.ROUNDING, accounts.rounding, rounding, rule)
        if exchange:
            assert accounts.fx_difference is not None  # checked where booking rates are read
            rule = f"{exchange.lines}: owed by the claim's rate beyond the company's booking rate"
            account = accounts.fx_difference
            _post_difference(builder, book, Role.FX_DIFFERENCE, account, exchange, rule)


def _post_difference(
    builder: VoucherBuilder, book: CompanyBook, role: Role, account: str, difference: Sum, rule: str
) -> None:
    if not difference.amount:
        builder.skip(f"{rule}: they cancel out", row=f"accounts.{role}")
        return
    posting = Posting(
        role=role,
        account=account,
        side=side_of(difference.amount),
        amount=difference.amount.copy_abs(),
        currency=builder.claim.currency,
        cost_centre="" if book.code else builder.claim.cost_centre,
        narration=builder.text,
        company=book.code,
    )
    builder.add(posting, rule=rule, row=f"accounts.{role}")


def post_intercompany(builder: VoucherBuilder) -> None:
    """Post what other companies owe for the costs that they bear, in both companies' books."""
    claim = builder.claim
    for book in builder.books.values():
        due = book.due
        if not due:
            continue
        owing = f"company.{claim.company}.intercompany.{book.code}"
        rule = f"{due.lines}: paid by {claim.company} for {book.code}"
        if not due.amount:
            builder.skip(f"{rule}: they cancel out", row=owing)
            continue
        _post(
            builder,
            Role.INTERCOMPANY,
            book.receivable,
            due.amount,
            rule=f"{rule}, to be recharged by an invoice" if book.is_recharged else rule,
            row=f"{owing} receivable",
        )
        if not book.is_recharged:
            if claim.currency != book.company.currency:
                rule += (
                    f"; in the claim's {claim.currency}, the ERP converts it into {book.code}'s "
                    f"{book.company.currency}"
                )
            _post(
                builder,
                Role.INTERCOMPANY,
                book.payable,
                EXACT.minus(due.amount),
                rule=rule,
                row=f"company.{book.code}.intercompany.{claim.company} payable",
                company=book.code,
            )


def post_card(builder: VoucherBuilder, decision: LineDecision) -> None:
    """Post what the card's issuer is owed for a line."""
    owed = converted(decision.line, builder.claim.currency)
    if owed:
        _post(
            builder,
            Role.CARD_PAYABLE,
            builder.rules.accounts.card_payable,
            EXACT.minus(owed),
            rule="paid by the company's card: its issuer is owed the gross amount"
            + ("; a refund flips the side" if owed < 0 else ""),
            narration=decision.narration,
            source=decision.source,
        )


def post_cleared(builder: VoucherBuilder, lines: Sequence[LineDecision]) -> Decimal:
    """Clear what was personal against the employee; return what he owes for it."""
    total = _ZERO
    for decision in lines:
        for share in decision.personal:
            amount = builder.at_own_rate(share.amount, decision.line)
            total = EXACT.add(total, amount)
            if amount:
                _post(
                    builder,
                    Role.CARD_CLEARING,
                    _clearing(builder, decision),
                    EXACT.minus(amount),
                    rule=f"{'taken from' if amount > 0 else 'added to'} what the employee is owed",
                    partner=builder.claim.employee,
                    narration=share.narration,
                    source=share.source,
                )
    return total


def post_advances(builder: VoucherBuilder) -> tuple[Decimal, Decimal]:
    """Write advances off; return how much of them is settled, and how much returned."""
    settled = returned = _ZERO
    for index, advance in enumerate(builder.claim.advances):
        settled = EXACT.add(settled, advance.settled)
        returned = EXACT.add(returned, advance.returned)
        whole = EXACT.add(advance.settled, advance.returned)
        source = f"advances[{index}].settled"
        if not whole:
            builder.skip("nothing of the advance is settled or returned", source)
            continue
        account = builder.rules.accounts.advance_clearing
        if account is None:
            raise _missing(
                builder, f'the claim settles the advance "{advance.reference}"', "advance_clearing"
            )
        words = [
            f"{amount} {verb}"
            for amount, verb in ((advance.settled, "settled"), (advance.returned, "returned"))
            if amount
        ]
        _post(
            builder,
            Role.ADVANCE_CLEARING,
            account,
            EXACT.minus(whole),
            rule=f"of the advance {advance.reference}: {', '.join(words)}",
            partner=builder.claim.employee,
            narration=f"{advance.reference} {builder.text}",
            source=source,
        )
    return settled, returned


def post_employee(builder: VoucherBuilder, *, personal: Decimal) -> None:
    """Post what the employee, or whom the claim names in his place, is owed or owes.

    ``personal`` is what he owes for personal expenses on the company's card.
    """
    settled, returned = post_advances(builder)
    claim = builder.claim
    owed = owed_to_employee(claim)
    rule = "the sum of what the employee paid"
    for amount, what in (
        (settled, "settled by advances"),
        (returned, "returned of advances"),
        (personal, "personal on the company's card"),
    ):
        if amount:
            sign = "less" if amount > 0 else "and"
            rule += f", {sign} {amount.copy_abs()} {what}"
            owed = EXACT.subtract(owed, amount)
    for index, payee in enumerate(claim.payees):
        owed = EXACT.subtract(owed, payee.amount)
        _post_owed(
            builder,
            payee.amount,
            f"to be paid to {payee.name or payee.partner} as the claim says",
            partner=payee.partner,
            source=f"payees[{index}].amount",
        )
    if claim.payees:
        rule += ", and what payees are paid"
    if owed:
        _post_owed(builder, owed, rule, partner=claim.employee)
    elif not claim.payees and any(line.payment == "employee" for line in claim.lines):
        builder.skip(
            "what the employee paid and returned cancels out"
            if rule.endswith("paid")
            else f"{rule}: nothing is left",
            row=f"accounts.{Role.EMPLOYEE_PAYABLE}",
        )


def _post_owed(
    builder: VoucherBuilder, owed: Decimal, rule: str, *, partner: str, source: str = ""
) -> None:
    claim, own = builder.claim, builder.company.currency
    if claim.currency != own:
        rule += (
            f"; the voucher is in the claim's {claim.currency}, the ERP converts it "
            f"into {claim.company}'s {own}"
        )
    if owed < 0:
        rule += "; a refund flips the side" if claim.total < 0 else "; the employee owes it"
    _post(
        builder,
        Role.EMPLOYEE_PAYABLE,
        builder.rules.accounts.employee_payable,
        EXACT.minus(owed),
        rule=rule,
        partner=partner,
        source=source,
    )


def _post(
    builder: VoucherBuilder,
    role: Role,
    account: str,
    amount: Decimal,
    *,
    rule: str,
    row: str = "",
    partner: str = "",
    narration: str | None = None,
    source: str = "",
    company: str = "",
) -> None:
    """Post a signed amount, debits positive; payables are usually credited."""
    posting = Posting(
        role=role,
        account=account,
        side=side_of(amount),
        amount=amount.copy_abs(),
        currency=builder.claim.currency,
        partner=partner,
        narration=builder.text if narration is None else narration,
        source=source,
        company=company,
    )
    builder.add(posting, rule=rule, row=row or f"accounts.{role}")
