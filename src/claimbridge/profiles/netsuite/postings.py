"""Which vouchers can be an expense report of NetSuite, and what each posting becomes in the report.

An expense report lists what one employee spent, by category. NetSuite itself books the postings
that balance the lines: the employee's payable, the corporate card's account, the account of
advances, and input tax by tax code. A voucher becomes a report only if the report books exactly the
voucher's postings. Any other voucher is refused before anything is sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from claimbridge.errors import ClaimError
from claimbridge.model import Posting, Role, Side, Voucher
from claimbridge.model.money import EXACT, summed
from claimbridge.profiles.kit.sourced import claim_field

_ZERO: Final = Decimal(0)
_SPENT: Final = frozenset({Role.EXPENSE, Role.NON_DEDUCTIBLE_TAX})
_OWED: Final = frozenset({Role.EMPLOYEE_PAYABLE, Role.CARD_PAYABLE, Role.ADVANCE_CLEARING})
_OTHERWISE: Final = 'post such claims to a ledger with record = "journal-entry"'


class BookedPosting(msgspec.Struct, frozen=True):
    """One line of a report: an expense and the input tax in it; negative for a refund."""

    spent: Posting
    tax: Posting | None
    by_card: bool

    @property
    def gross(self) -> Decimal:
        """The amount that was paid, tax included."""
        return EXACT.add(with_sign(self.spent), with_sign(self.tax) if self.tax else _ZERO)


class ReportPostings(msgspec.Struct, frozen=True, kw_only=True):
    """A voucher's postings by their part in a report.

    NetSuite makes those in ``owed`` by itself. ``employee`` and ``card`` are one posting of each
    kind, for its account; None where nothing is owed there. ``advance`` is the amount of advances
    that is set off, or 0.
    """

    lines: tuple[BookedPosting, ...]
    owed: tuple[Posting, ...]
    employee: Posting | None
    card: Posting | None
    advance: Decimal


def report_postings(voucher: Voucher) -> ReportPostings:
    """Return the part of each posting of ``voucher`` in an expense report.

    Raises ClaimError where the report would differ from the voucher. CB-170: a report cannot hold
    the posting. CB-171: another person than the employee. CB-172: a tax or a card's payment that
    does not belong to one line. CB-173: the employee would owe money. CB-174: several accounts of
    one kind.
    """
    if not voucher.employee:
        raise refusal(voucher, "CB-171", "employee", "an expense report needs an employee")
    for posting in voucher.postings:
        _check(posting, voucher)
    owed = tuple(one for one in voucher.postings if one.role in _OWED)
    cards = [one for one in owed if one.role is Role.CARD_PAYABLE]
    employees = [one for one in owed if one.role is Role.EMPLOYEE_PAYABLE]
    advances = (one.amount for one in owed if one.role is Role.ADVANCE_CLEARING)
    return ReportPostings(
        lines=_lines(voucher, cards),
        owed=owed,
        employee=_of_one_account(voucher, employees),
        card=_of_one_account(voucher, cards),
        advance=summed(advances),
    )


def with_sign(posting: Posting) -> Decimal:
    """Return the amount as a report writes it: negative for a refund."""
    return posting.amount if posting.side is Side.DEBIT else EXACT.minus(posting.amount)


def refusal(voucher: Voucher, code: str, field: str, why: str) -> ClaimError:
    """Return the error for a voucher that cannot be an expense report."""
    return ClaimError(f"{field}: {why}; {_OTHERWISE}", code=code, claim_id=voucher.claim_id)


def _check(posting: Posting, voucher: Voucher) -> None:
    role, field = posting.role, claim_field(posting, "amount")
    if role not in _SPENT | _OWED | {Role.INPUT_TAX}:
        why = f"a NetSuite expense report has no place for a posting of the role {role}"
        raise refusal(voucher, "CB-170", field, why)
    if role in _OWED and posting.partner not in {"", voucher.employee}:
        why = f"the creditor is {posting.partner}, but the report is that of {voucher.employee}"
        raise refusal(voucher, "CB-171", claim_field(posting, "partner"), why)
    if role in _OWED and posting.side is Side.DEBIT:
        why = f"{posting.amount} are owed back ({role}), but a NetSuite expense report only pays"
        raise refusal(voucher, "CB-173", field, why)


def _lines(voucher: Voucher, cards: Sequence[Posting]) -> tuple[BookedPosting, ...]:
    spent = [one for one in voucher.postings if one.role in _SPENT]
    taxes: dict[int, Posting] = {}
    for tax in voucher.postings:
        if tax.role is Role.INPUT_TAX:
            at = _expense_of_tax(tax, spent, voucher)
            if at in taxes:
                why = "a line of an expense report has one tax, but this expense has several"
                raise refusal(voucher, "CB-172", claim_field(tax, "amount"), why)
            taxes[at] = tax
    by_card = {_claim_line(one) for one in cards}
    lines = tuple(
        BookedPosting(one, taxes.get(at), _claim_line(one) in by_card)
        for at, one in enumerate(spent)
    )
    for card in cards:
        _check_card(card, cards, lines, voucher)
    return lines


def _expense_of_tax(tax: Posting, spent: Sequence[Posting], voucher: Voucher) -> int:
    """Return the index of the expense that ``tax`` belongs to; a report has no tax by itself."""
    field, within = claim_field(tax, "amount"), _within(tax)
    if not tax.tax_code:
        why = (
            f"NetSuite books input tax by tax code, but the tax on {tax.account} has none "
            "(tax_code in its row of the chart)"
        )
        raise refusal(voucher, "CB-172", field, why)
    expenses = [
        at
        for at, one in enumerate(spent)
        if within and one.role is Role.EXPENSE and _within(one) == within
    ]
    if len(expenses) != 1:
        why = f"the input tax {tax.amount} belongs to {len(expenses) or 'no'} expenses, not to one"
        raise refusal(voucher, "CB-172", field, why)
    return expenses[0]


def _check_card(
    card: Posting, cards: Iterable[Posting], lines: Iterable[BookedPosting], voucher: Voucher
) -> None:
    """Refuse a card's payment that does not cover whole lines of the claim."""
    line = _claim_line(card)
    paid = summed(one.amount for one in cards if _claim_line(one) == line)
    gross = summed(one.gross for one in lines if _claim_line(one.spent) == line)
    if not line or paid != gross:
        why = f"the card paid {paid} of {gross}, but a card pays a line of a report in full"
        raise refusal(voucher, "CB-172", claim_field(card, "amount"), why)


def _of_one_account(voucher: Voucher, postings: Sequence[Posting]) -> Posting | None:
    accounts = {one.account for one in postings}
    if len(accounts) > 1:
        why = f"{postings[0].role} on {' and '.join(sorted(accounts))}, but a report has one"
        raise refusal(voucher, "CB-174", claim_field(postings[0], "account"), why)
    return postings[0] if postings else None


def _within(posting: Posting) -> str:
    """Return the part of the claim that a posting came from, as near as the posting says."""
    return posting.source.rpartition(".")[0]


def _claim_line(posting: Posting) -> str:
    """Return the claim's line that a posting came from; "" for totals."""
    return posting.source.partition(".")[0] if posting.source.startswith("lines[") else ""
