"""The postings of one claim while they are made, and the reason for each.

Amounts are signed while they are computed, debits positive; a posting shows a positive amount and
a side, so that a refund's sides are flipped.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import msgspec

from claimbridge.errors import MappingError
from claimbridge.mapping.chart.rows import ExpenseRow
from claimbridge.mapping.chart.rules import ChartRules
from claimbridge.mapping.postings.cash_flow import with_cash_flows
from claimbridge.mapping.postings.chart_answers import company_of
from claimbridge.mapping.postings.company_books import CompanyBook, open_company_book
from claimbridge.mapping.postings.dates import dates_of
from claimbridge.mapping.postings.explanation import Explanation, Mapped
from claimbridge.mapping.taxes import DocumentRules
from claimbridge.model import Claim, ClaimLine, Posting, Side, Voucher
from claimbridge.model.cash_flow import CASH_FLOW
from claimbridge.model.claim_path import ClaimPath
from claimbridge.model.money import EXACT, rounded

_SHOWN_ROUNDING: Final = Decimal("0.000001")


class VoucherBuilder:
    """What one claim becomes, posting by posting; used once.

    ``whole`` is the claim that this one is a part of, or itself: its dates hold for all parts, and
    a document may stand on lines of several. ``books`` holds the companies that the claim
    concerns, its own first, under "".
    """

    def __init__(self, rules: ChartRules, claim: Claim, whole: Claim) -> None:
        self.rules = rules
        self.claim = claim
        self.company = company_of(rules, claim)
        self.dates = dates_of(rules, whole)
        self.books = {"": CompanyBook("", self.company)}
        self.documents = DocumentRules(rules.invoices, whole)
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
        self.text = rules.claim_text.fill(self._fields)
        self._postings: list[Posting] = []
        self._explain: list[Explanation] = []

    def book(self, code: str, path: ClaimPath) -> CompanyBook:
        """Return the books of a company that bears a cost; "" is the claim's own.

        Raises MappingError CB-126.
        """
        code = "" if code == self.claim.company else code
        if code not in self.books:
            self.books[code] = open_company_book(self.rules, self.claim, code, path)
        return self.books[code]

    def narration(self, row: ExpenseRow, line: ClaimLine, cost_centre: str) -> str:
        """Return the narration that the row has for a line."""
        fields = self._fields
        fields["department"] = line.department or self.claim.department
        fields["type"] = line.type
        fields["name"] = row.name
        fields["text"] = line.text
        fields["date"] = line.date
        fields["project"] = line.project
        fields["cost_centre"] = cost_centre
        return row.narration.fill(fields)

    def plain_narration(self, line: ClaimLine) -> str:
        """Return the narration of a line for which no row answers."""
        return " ".join(f"{line.type} {self.claim.employee_name} {line.text}".split())

    def convert(self, amount: Decimal, rate: Decimal | None) -> Decimal:
        """Return an amount in the claim's currency; without a rate it is in that already."""
        if rate is None:
            return amount
        return rounded(EXACT.multiply(amount, rate), self.claim.currency)

    def at_own_rate(self, amount: Decimal, line: ClaimLine) -> Decimal:
        """Return an amount of a line in the claim's currency, by the rate that the line states."""
        foreign = line.currency not in (None, self.claim.currency)
        return self.convert(amount, line.rate if foreign else None)

    def add(
        self,
        posting: Posting,
        *,
        rule: str,
        row: str,
        tax_rate: Decimal | None = None,
        rate: Decimal | None = None,
        rounding: Decimal | None = None,
        remainder: Decimal | None = None,
    ) -> None:
        """Add a posting and why it is there."""
        explanation = Explanation(
            rule=rule,
            posting=len(self._postings),
            source=posting.source,
            row=row,
            tax_rate=tax_rate,
            rate=rate,
            rounding=_for_display(rounding) if rounding else None,
            remainder=_for_display(remainder) if remainder else None,
        )
        self._postings.append(posting)
        self._explain.append(explanation)

    def skip(self, rule: str, source: str = "", row: str = "") -> None:
        """Explain what made no posting."""
        self._explain.append(Explanation(rule=rule, source=source, row=row))

    def finish(self) -> Mapped:
        """Return the finished voucher; raises MappingError CB-118 when there is none."""
        claim, dates = self.claim, self.dates
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
            postings=tuple(self._with_items()),
            text=self.text,
            employee_name=claim.employee_name,
            approver=claim.approver,
            approved_at=claim.approved_at,
        )
        period = dates.period.name if dates.period is not None else None
        return Mapped(voucher, tuple(self._explain), period)

    def _with_items(self) -> list[Posting]:
        """Return the postings with their items of the cash flow statement, and explain these."""
        found = with_cash_flows(self._postings, self.rules.cash_flows, self.claim)
        for number, explanation in enumerate(self._explain):
            at = explanation.posting
            if at is not None and found[at] is not self._postings[at]:
                rule = f"{explanation.rule}; cash flow item {found[at].dimensions[CASH_FLOW]}"
                self._explain[number] = msgspec.structs.replace(explanation, rule=rule)
        return found


def _for_display(amount: Decimal) -> Decimal | None:
    """Return what rounding added as it is shown; None for what only a long division left."""
    return EXACT.quantize(amount, _SHOWN_ROUNDING) or None


def side_of(amount: Decimal) -> Side:
    """Return the side of a signed amount."""
    return Side.DEBIT if amount > 0 else Side.CREDIT
