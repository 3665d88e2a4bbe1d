"""A voucher as NetSuite's expense report: lines by category, and who is owed how much.

Facts it is built on, from the contract (2023.2) and Oracle's documentation:

- A line has a category, and that the account; ``amount`` is without tax.
- ``accountingApproval`` puts the report into the books; only with it ``account``, the employee's
  payable, is ours to name. Without it NetSuite takes its own.
- ``corporateCreditCard`` books a line to ``acctCorpCardExp`` in place of the employee's payable.
  NetSuite may set it by itself for an employee with a card, so it is always said.
- ``advance`` is set off against what the employee is owed.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from claimbridge.model import Posting, Submission, Voucher
from claimbridge.profiles.kit.limits import one_line, only_currency
from claimbridge.profiles.kit.sourced import Sourced, claim_field
from claimbridge.profiles.netsuite.codes import Codes, LineField, double
from claimbridge.profiles.netsuite.postings import (
    BookedPosting,
    ReportPostings,
    refusal,
    report_postings,
    signed,
)

if TYPE_CHECKING:
    from claimbridge.profiles.netsuite import requests

_HEAD: Final[tuple[Literal["department", "class", "location"], ...]] = (
    "department",
    "class",
    "location",
)


class Reports(msgspec.Struct, frozen=True, kw_only=True):
    """How vouchers become expense reports in one account of NetSuite.

    The settings are those of ``NetSuite``.
    """

    codes: Codes
    one_world: bool
    approved: bool
    billable: bool
    time_of_day: str

    def report(self, submission: Submission) -> requests.ExpenseReport:
        """Return the report that pays what the voucher says.

        Raises ClaimError CB-167 to CB-174 for a voucher that cannot be one.
        """
        voucher = submission.voucher
        currency = Sourced(
            only_currency(voucher, holds="a NetSuite expense report has one", code="CB-167"),
            "currency",
        )
        postings = report_postings(voucher)
        company = Sourced(voucher.company, "company")
        report: requests.ExpenseReport = {
            "@xsi:type": "ExpenseReport",
            "@externalId": Sourced(submission.reference, "id"),
            "account": self._account(postings.employee) if self.approved else None,
            "entity": self.codes.ref("entity", Sourced(voucher.employee, "employee")),
            "expenseReportCurrency": self.codes.ref("currency", currency),
            "subsidiary": self.codes.ref("subsidiary", company) if self.one_world else None,
            "acctCorpCardExp": self._account(postings.card),
            "tranDate": self._time(voucher.posting_date, "posting_date"),
            "advance": double(postings.advance, "total", voucher.claim_id)
            if postings.advance
            else None,
            "memo": Sourced(one_line(voucher.text), "title"),
            "complete": True,
            # What comes here was approved by the claim's approver; accounting may look again.
            "supervisorApproval": True,
            "accountingApproval": self.approved,
            "expenseList": {
                # What a repeat writes replaces the lines, and never adds to them.
                "@replaceAll": True,
                "expense": [self._expense(one, voucher, currency) for one in postings.lines],
            },
        }
        head = self._head(postings, voucher)
        for place in _HEAD:
            if place in head:
                report[place] = self.codes.ref(place, head[place])
        return report

    def _expense(
        self, line: BookedPosting, voucher: Voucher, currency: Sourced
    ) -> requests.ExpenseReportExpense:
        spent, tax = line.spent, line.tax
        field = claim_field(spent, "amount")
        category = Sourced(spent.account, claim_field(spent, "account"))
        expense: requests.ExpenseReportExpense = {
            "expenseDate": self._time(voucher.document_date, "document_date"),
            "category": self.codes.ref("category", category),
            "currency": self.codes.ref("currency", currency),
            "exchangeRate": 1,  # into the report's currency, which is the line's
            "amount": double(signed(spent), field, voucher.claim_id),
            "memo": Sourced(one_line(spent.narration), claim_field(spent, "narration")),
            "grossAmt": double(line.gross, field, voucher.claim_id),
            "corporateCreditCard": line.by_card,
        }
        if tax is not None:
            code = Sourced(tax.tax_code, claim_field(tax, "tax_code"))
            expense["taxCode"] = self.codes.ref("tax_code", code)
            expense["tax1Amt"] = double(signed(tax), claim_field(tax, "amount"), voucher.claim_id)
        placed = self._placed(line, voucher)
        for place, code in placed.items():
            if place != "entity":  # the employee, whom the head names
                expense[place] = self.codes.ref(place, code)
        if "customer" in placed:
            expense["isBillable"] = self.billable
        return expense

    def _placed(self, line: BookedPosting, voucher: Voucher) -> dict[LineField, Sourced]:
        """Return the codes of a line; the tax in it has none but these."""
        placed = self._codes_of(line.spent, voucher)
        for place, code in (self._codes_of(line.tax, voucher) if line.tax else {}).items():
            if place not in placed or placed[place].text != code.text:
                why = f"the input tax has the {place} {code.text}, which its expense has not"
                raise refusal(voucher, "CB-172", code.field, why)
        return placed

    def _head(self, postings: ReportPostings, voucher: Voucher) -> dict[LineField, Sourced]:
        """Return the codes of what is owed: NetSuite books that by the codes of the head."""
        head: dict[LineField, Sourced] = {}
        for posting in postings.owed:
            # Whom it is owed to has been judged.
            codes = self._codes_of(msgspec.structs.replace(posting, partner=""), voucher)
            for place, code in codes.items():
                held = head.setdefault(place, code)
                if place == "customer" or held.text != code.text:
                    why = f"what is owed has the {place} {code.text}, for which there is no place"
                    raise refusal(voucher, "CB-174", code.field, why)
        return head

    def _codes_of(self, posting: Posting, voucher: Voucher) -> dict[LineField, Sourced]:
        placed = self.codes.placed(posting, voucher.claim_id)
        entity = placed.get("entity")
        if entity is not None and entity.text != voucher.employee:
            why = f"{entity.text} is not {voucher.employee}, and a report names one person"
            raise refusal(voucher, "CB-171", entity.field, why)
        return placed

    def _account(self, posting: Posting | None) -> requests.RecordRef | None:
        if posting is None:
            return None
        code = Sourced(posting.account, claim_field(posting, "account"))
        return self.codes.ref("account", code)

    def _time(self, day: dt.date, field: str) -> Sourced:
        return Sourced(f"{day.isoformat()}T{self.time_of_day}", field)
