"""A voucher as NetSuite's expense report: lines by category, and who is owed how much.

Facts it is built on, from the contract (2023.2) and Oracle's documentation:

- A line has a category, which has the account; ``amount`` is without tax.
- ``accountingApproval`` puts the report into the books. Only with it may the request name
  ``account``, the employee's payable; otherwise NetSuite takes its own.
- ``corporateCreditCard`` books a line to ``acctCorpCardExp`` instead of the employee's payable.
  NetSuite may set the flag by itself for an employee with a card, so the request always has it.
- ``advance`` is set off against what the employee is owed.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Literal

import msgspec

from claimbridge.model import Posting, Submission, Voucher
from claimbridge.profiles.kit.limits import one_line, only_currency
from claimbridge.profiles.kit.owners import of_posting
from claimbridge.profiles.kit.sourced import Sourced, claim_field
from claimbridge.profiles.netsuite.codes import Codes, LineField, double
from claimbridge.profiles.netsuite.every_line import PLACE_FIELDS, EveryLine
from claimbridge.profiles.netsuite.postings import (
    BookedPosting,
    ReportPostings,
    refusal,
    report_postings,
    with_sign,
)

if TYPE_CHECKING:
    from claimbridge.profiles.netsuite import requests


class Reports(msgspec.Struct, frozen=True, kw_only=True):
    """How vouchers become expense reports in one account of NetSuite.

    The settings are those of ``NetSuite``.
    """

    codes: Codes
    every_line: EveryLine
    one_world: bool
    approved: bool | Literal["site"]
    billable: bool
    posting_period: bool
    time_of_day: str

    def report(self, submission: Submission) -> requests.ExpenseReport:
        """Return the report that pays what the voucher says.

        Raises ClaimError CB-167 to CB-174, CB-488 and CB-490 for a voucher that cannot become one.
        """
        voucher = self.every_line.filled(submission.voucher)
        currency = Sourced(
            only_currency(voucher, holds="a NetSuite expense report has one", code="CB-167"),
            "currency",
        )
        postings = report_postings(voucher)
        company = Sourced(voucher.company, "company")
        own = {
            id(filled): posting
            for filled, posting in zip(voucher.postings, submission.voucher.postings, strict=True)
        }
        report: requests.ExpenseReport = {
            "@xsi:type": "ExpenseReport",
            "@externalId": Sourced(submission.reference, "id"),
            "account": self._account(postings.employee) if self.approved is True else None,
            "entity": self.codes.ref("entity", Sourced(voucher.employee, "employee")),
            "expenseReportCurrency": self.codes.ref("currency", currency),
            "subsidiary": self.codes.ref("subsidiary", company) if self.one_world else None,
            "acctCorpCardExp": self._account(postings.card),
            "postingPeriod": self.codes.period(voucher.posting_date)
            if self.posting_period
            else None,
            "tranDate": self._time(voucher.posting_date, "posting_date"),
            "advance": double(postings.advance, "total", voucher.claim_id)
            if postings.advance
            else None,
            "memo": Sourced(one_line(voucher.text), "title"),
            "complete": True,
            # The claim's approver has approved it; accounting may look again.
            "supervisorApproval": True,
            "accountingApproval": None if self.approved == "site" else self.approved,
            "expenseList": {
                # A repeat replaces the lines, and never adds to them.
                "@replaceAll": True,
                "expense": [
                    of_posting(own[id(one.spent)], self._expense(one, voucher, currency))
                    for one in postings.lines
                ],
            },
        }
        head = self._head(postings, voucher)
        for field, code in self.every_line.of_head(voucher).items():
            head.setdefault(field, code)
        for line_field in PLACE_FIELDS:
            if line_field in head:
                report[line_field] = self.codes.ref(line_field, head[line_field])
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
            "amount": double(with_sign(spent), field, voucher.claim_id),
            "memo": Sourced(one_line(spent.narration), claim_field(spent, "narration")),
            "grossAmt": double(line.gross, field, voucher.claim_id),
            "corporateCreditCard": line.by_card,
        }
        if tax is not None:
            code = Sourced(tax.tax_code, claim_field(tax, "tax_code"))
            expense["taxCode"] = self.codes.ref("tax_code", code)
            expense["tax1Amt"] = double(
                with_sign(tax), claim_field(tax, "amount"), voucher.claim_id
            )
        codes = self._line_codes(line, voucher)
        for line_field, code in codes.items():
            if line_field != "entity":  # the employee, whom the head names
                expense[line_field] = self.codes.ref(line_field, code)
        if "customer" in codes:
            expense["isBillable"] = self.billable
        return expense

    def _line_codes(self, line: BookedPosting, voucher: Voucher) -> dict[LineField, Sourced]:
        """Return the codes of a line; its input tax may have no others."""
        codes = self._codes_of(line.spent, voucher)
        for line_field, code in (self._codes_of(line.tax, voucher) if line.tax else {}).items():
            if line_field not in codes or codes[line_field].text != code.text:
                why = f"the input tax has the {line_field} {code.text}, but its expense has not"
                raise refusal(voucher, "CB-172", code.field, why)
        return codes

    def _head(self, postings: ReportPostings, voucher: Voucher) -> dict[LineField, Sourced]:
        """Return the codes of what is owed, which NetSuite books by the codes of the head."""
        head: dict[LineField, Sourced] = {}
        for posting in postings.owed:
            # The creditor has been checked already.
            codes = self._codes_of(msgspec.structs.replace(posting, partner=""), voucher)
            for line_field, code in codes.items():
                first = head.setdefault(line_field, code)
                if line_field == "customer" or first.text != code.text:
                    why = f"the head of a report has no place for {line_field} {code.text}"
                    raise refusal(voucher, "CB-174", code.field, why)
        return head

    def _codes_of(self, posting: Posting, voucher: Voucher) -> dict[LineField, Sourced]:
        codes = self.codes.by_line_field(posting, voucher.claim_id)
        entity = codes.get("entity")
        if entity is not None and entity.text != voucher.employee:
            why = f"{entity.text} is not {voucher.employee}, but a report names one person"
            raise refusal(voucher, "CB-171", entity.field, why)
        return codes

    def _account(self, posting: Posting | None) -> requests.RecordRef | None:
        if posting is None:
            return None
        code = Sourced(posting.account, claim_field(posting, "account"))
        return self.codes.ref("account", code)

    def _time(self, day: dt.date, field: str) -> Sourced:
        return Sourced(f"{day.isoformat()}T{self.time_of_day}", field)
