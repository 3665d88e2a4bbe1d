"""One claim into the postings of its voucher, each with its reason.

The voucher is in the claim's currency, which is the document currency where the company keeps
its books in another: the ERP converts, by its own rates. A line in a third currency is converted
part by part (net, input tax, non-deductible tax), each part rounded half up; what the parts lack
of the line's converted gross amount goes to the rounding account. Where the company has a booking
rate for the line's currency, the parts are converted at that, and what the employee or the card
is owed by the line's own rate beyond it goes to the exchange difference account.

Amounts are signed while they are computed, debits positive; a posting shows a positive amount
and a side, so that a refund's sides are flipped.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import msgspec

from claimbridge.errors import ClaimError, MappingError
from claimbridge.mapping.decisions import (
    company_of,
    cost_centre_for,
    dates_of,
    dimensions_for,
    input_tax_account,
    row_for,
)
from claimbridge.mapping.explanation import Explanation, Mapped
from claimbridge.mapping.rows import ExpenseRow
from claimbridge.mapping.rules import Rules
from claimbridge.mapping.tax import Split, split
from claimbridge.model import Claim, ClaimLine, Posting, Role, Side, Voucher, converted
from claimbridge.model.money import EXACT, rounded

_ZERO: Final = Decimal(0)
_TWO: Final = Decimal(2)
_SHOWN_ROUNDING: Final = Decimal("0.000001")


def map_claim(rules: Rules, claim: Claim) -> Mapped:
    """Return the claim's voucher and its explanation; see ``Chart.map``."""
    try:
        return _Draft(rules, claim).mapped()
    except ClaimError as error:
        if error.claim_id is None:  # raised by a value that does not know its claim
            error.claim_id = claim.id
        raise


class _Line(msgspec.Struct, frozen=True):
    """A line with all that was decided for it, before anything is posted.

    ``rate`` converts its parts into the claim's currency; None where it is in that already.
    """

    index: int
    line: ClaimLine
    currency: str
    row: ExpenseRow
    parts: Split
    rate: Decimal | None
    cost_centre: str
    cost_centre_reason: str
    dimensions: dict[str, str]
    narration: str
    source: str


class _Difference:
    """What conversion leaves over for one account, summed over the claim's lines."""

    def __init__(self) -> None:
        self.amount = _ZERO
        self.lines: list[int] = []

    def add(self, amount: Decimal, index: int) -> None:
        if amount:
            self.amount = EXACT.add(self.amount, amount)
            self.lines.append(index + 1)

    def named(self) -> str:
        noun = "line" if len(self.lines) == 1 else "lines"
        return f"{noun} {', '.join(map(str, self.lines))}"


class _Draft:
    """The postings of one claim while they are made; used once."""

    def __init__(self, rules: Rules, claim: Claim) -> None:
        self._rules = rules
        self._claim = claim
        self._company = company_of(rules, claim)
        self._dates = dates_of(rules, claim)
        # What narrations may name: the claim's fields, joined by those of the line at hand.
        self._fields: dict[str, object] = {
            "id": claim.id,
            "title": claim.title,
            "employee": claim.employee,
            "employee_name": claim.employee_name,
            "company": claim.company,
            "department": claim.department,
            "country": claim.country,
        }
        self._text = rules.claim_text.fill(self._fields)
        self._postings: list[Posting] = []
        self._explain: list[Explanation] = []
        self._rounding = _Difference()
        self._exchange = _Difference()

    def mapped(self) -> Mapped:
        """Return the voucher: debits line by line, then differences, then who is owed."""
        claim, dates = self._claim, self._dates
        self._skip(f"posting date {dates.posting}: {dates.reason}")
        lines = [self._decide(line, index) for index, line in enumerate(claim.lines)]
        for decided in lines:
            self._post_line(decided)
        self._post_differences()
        for decided in lines:
            if decided.line.payment == "company_card":
                self._post_card(decided)
        self._post_employee()
        if not self._postings:
            raise MappingError(
                "every line is zero: there is nothing to post", code="CB-118", claim_id=claim.id
            )
        voucher = Voucher(
            claim_id=claim.id,
            revision=claim.revision,
            company=claim.company,
            employee=claim.employee,
            currency=claim.currency,
            document_date=dates.document,
            posting_date=dates.posting,
            postings=tuple(self._postings),
            text=self._text,
            employee_name=claim.employee_name,
            approver=claim.approver,
            approved_at=claim.approved_at,
        )
        return Mapped(voucher, tuple(self._explain))

    def _decide(self, line: ClaimLine, index: int) -> _Line:
        claim = self._claim
        row = row_for(self._rules, claim, line, index, self._dates.posting)
        currency = line.currency or claim.currency
        cost_centre, reason = cost_centre_for(claim, line, index, row)
        self._fields.update(
            department=line.department or claim.department,
            type=line.type,
            name=row.name,
            text=line.text,
            date=line.date,
            project=line.project,
            cost_centre=cost_centre,
        )
        return _Line(
            index=index,
            line=line,
            currency=currency,
            row=row,
            parts=split(line, row, currency),
            rate=self._booking_rate(line, currency),
            cost_centre=cost_centre,
            cost_centre_reason=reason,
            dimensions=dimensions_for(claim, line, index, row) if row.dimensions else {},
            narration=row.narration.fill(self._fields),
            source=f"lines[{index}].amount",
        )

    def _booking_rate(self, line: ClaimLine, currency: str) -> Decimal | None:
        if currency == self._claim.currency:
            return None
        if self._claim.currency == self._company.currency:
            return self._company.rates.get(currency, line.rate)
        return line.rate

    def _post_line(self, decided: _Line) -> None:
        line, row, parts = decided.line, decided.row, decided.parts
        if not line.amount:
            self._skip("the amount is zero: nothing to post", decided.source, row.label)
            return
        posted = self._post_expense(decided)
        if parts.input_tax:
            posted = EXACT.add(posted, self._post_input_tax(decided))
        if parts.non_deductible and not row.tax_in_expense:
            posted = EXACT.add(posted, self._post_non_deductible_tax(decided))
        if decided.rate is not None:
            booked = rounded(EXACT.multiply(line.amount, decided.rate), self._claim.currency)
            owed = converted(line, self._claim.currency)
            self._rounding.add(EXACT.subtract(booked, posted), decided.index)
            self._exchange.add(EXACT.subtract(owed, booked), decided.index)

    def _post_expense(self, decided: _Line) -> Decimal:
        parts = decided.parts
        amount, exact = parts.net, EXACT.subtract(decided.line.amount, parts.exact_tax)
        rule = f"net of tax {parts.tax}" if parts.tax else "gross amount, no tax"
        if parts.non_deductible and decided.row.tax_in_expense:
            amount = EXACT.add(amount, parts.non_deductible)
            exact = EXACT.subtract(decided.line.amount, parts.exact_input_tax)
            rule += f", with its non-deductible part {parts.non_deductible}"
        rule += f"; {decided.row.why}"
        if decided.cost_centre:
            rule += f"; cost centre {decided.cost_centre} is {decided.cost_centre_reason}"
        return self._post_part(
            decided, Role.EXPENSE, decided.row.account, amount=amount, exact=exact, rule=rule
        )

    def _post_input_tax(self, decided: _Line) -> Decimal:
        line, parts = decided.line, decided.parts
        return self._post_part(
            decided,
            Role.INPUT_TAX,
            input_tax_account(self._rules, self._claim, line, decided.index, parts.rate),
            amount=parts.input_tax,
            exact=parts.exact_input_tax,
            rule=f"{_share(parts.share)} of tax {parts.tax} {_origin(decided)} is deductible",
        )

    def _post_non_deductible_tax(self, decided: _Line) -> Decimal:
        parts = decided.parts
        own = self._rules.accounts.non_deductible_tax
        return self._post_part(
            decided,
            Role.NON_DEDUCTIBLE_TAX,
            own or decided.row.account,
            amount=parts.non_deductible,
            exact=EXACT.subtract(parts.exact_tax, parts.exact_input_tax),
            rule=f"the rest of tax {parts.tax} {_origin(decided)}, {_share(parts.share)} being "
            f"deductible, on {'its own account' if own else 'the account of its expense'}",
        )

    def _post_part(
        self,
        decided: _Line,
        role: Role,
        account: str,
        *,
        amount: Decimal,
        exact: Decimal,
        rule: str,
    ) -> Decimal:
        """Post one part of a line; return what was posted, in the claim's currency."""
        posted = self._in_claim_currency(amount, decided.rate)
        taxed, deductible = role is not Role.EXPENSE, role is Role.INPUT_TAX
        if decided.rate is not None:
            exact = EXACT.multiply(exact, decided.rate)
            rule += f"; {amount} {decided.currency} at {decided.rate:f}"
        if not posted:
            self._skip(f"{rule}: zero, nothing to post", decided.source, decided.row.label)
            return posted
        self._add(
            Posting(
                role=role,
                account=account,
                side=_side(posted),
                amount=posted.copy_abs(),
                currency=self._claim.currency,
                cost_centre="" if deductible else decided.cost_centre,
                project="" if deductible else decided.line.project,
                tax_code=decided.row.tax_code if taxed else "",
                tax_base=self._tax_base(decided) if taxed else None,
                narration=decided.narration,
                dimensions={} if deductible else decided.dimensions,
                source=decided.source,
            ),
            rule=f"{rule}; a refund flips the side" if posted < 0 else rule,
            row=decided.row.label,
            tax_rate=decided.parts.rate if decided.parts.tax else None,
            rate=decided.rate,
            rounding=EXACT.subtract(posted, exact),
        )
        return posted

    def _in_claim_currency(self, amount: Decimal, rate: Decimal | None) -> Decimal:
        if rate is None:
            return amount
        return rounded(EXACT.multiply(amount, rate), self._claim.currency)

    def _tax_base(self, decided: _Line) -> Decimal:
        return self._in_claim_currency(decided.parts.net, decided.rate).copy_abs()

    def _post_differences(self) -> None:
        accounts = self._rules.accounts
        rounding, exchange = self._rounding, self._exchange
        if rounding.lines:
            rule = (
                f"{rounding.named()}: what the converted parts lack of the converted gross amount"
            )
            self._post_difference(Role.ROUNDING, accounts.rounding, rounding.amount, rule)
        if exchange.lines:
            assert accounts.fx_difference is not None  # checked where booking rates are read
            rule = f"{exchange.named()}: owed by the claim's rate beyond the company's booking rate"
            self._post_difference(Role.FX_DIFFERENCE, accounts.fx_difference, exchange.amount, rule)

    def _post_difference(self, role: Role, account: str, amount: Decimal, rule: str) -> None:
        row = f"accounts.{role}"
        if not amount:
            self._skip(f"{rule}: they cancel out", row=row)
            return
        posting = Posting(
            role=role,
            account=account,
            side=_side(amount),
            amount=amount.copy_abs(),
            currency=self._claim.currency,
            cost_centre=self._claim.cost_centre,
            narration=self._text,
        )
        self._add(posting, rule=rule, row=row)

    def _post_card(self, decided: _Line) -> None:
        owed = converted(decided.line, self._claim.currency)
        if owed:
            self._post_payable(
                Role.CARD_PAYABLE,
                self._rules.accounts.card_payable,
                owed,
                rule="paid by the company's card: its issuer is owed the gross amount",
                narration=decided.narration,
                source=decided.source,
            )

    def _post_employee(self) -> None:
        lines = [line for line in self._claim.lines if line.payment == "employee"]
        owed = _ZERO
        for line in lines:
            owed = EXACT.add(owed, converted(line, self._claim.currency))
        row = f"accounts.{Role.EMPLOYEE_PAYABLE}"
        if not owed:
            if lines:
                self._skip("what the employee paid and returned cancels out", row=row)
            return
        rule = "the sum of what the employee paid"
        if self._claim.currency != self._company.currency:
            rule += (
                f"; the voucher is in the claim's {self._claim.currency}, the ERP converts it "
                f"into {self._claim.company}'s {self._company.currency}"
            )
        self._post_payable(
            Role.EMPLOYEE_PAYABLE,
            self._rules.accounts.employee_payable,
            owed,
            rule=rule,
            narration=self._text,
            partner=self._claim.employee,
        )

    def _post_payable(
        self,
        role: Role,
        account: str,
        owed: Decimal,
        *,
        rule: str,
        narration: str,
        partner: str = "",
        source: str = "",
    ) -> None:
        posting = Posting(
            role=role,
            account=account,
            side=_side(owed).other,
            amount=owed.copy_abs(),
            currency=self._claim.currency,
            partner=partner,
            narration=narration,
            source=source,
        )
        self._add(
            posting,
            rule=f"{rule}; a refund flips the side" if owed < 0 else rule,
            row=f"accounts.{role}",
        )

    def _add(
        self,
        posting: Posting,
        *,
        rule: str,
        row: str,
        tax_rate: Decimal | None = None,
        rate: Decimal | None = None,
        rounding: Decimal | None = None,
    ) -> None:
        explanation = Explanation(
            rule=rule,
            posting=len(self._postings),
            source=posting.source,
            row=row,
            tax_rate=tax_rate,
            rate=rate,
            rounding=EXACT.quantize(rounding, _SHOWN_ROUNDING) if rounding else None,
        )
        self._postings.append(posting)
        self._explain.append(explanation)

    def _skip(self, rule: str, source: str = "", row: str = "") -> None:
        self._explain.append(Explanation(rule=rule, source=source, row=row))


def _side(amount: Decimal) -> Side:
    return Side.DEBIT if amount > 0 else Side.CREDIT


def _origin(decided: _Line) -> str:
    if decided.line.tax is not None:
        return "as the invoice states it"
    rate = decided.parts.rate
    assert rate is not None  # tax that nobody stated was computed from a rate
    return f"contained at {_share(rate)}"


def _share(fraction: Decimal) -> str:
    return f"{EXACT.scaleb(fraction, _TWO):f} %"
