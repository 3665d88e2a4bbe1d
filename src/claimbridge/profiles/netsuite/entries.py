"""A voucher as NetSuite's journal entry: each posting is a line on its account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from claimbridge.model import Posting, Side, Submission
from claimbridge.profiles.kit.limits import one_line, only_currency
from claimbridge.profiles.kit.owners import of_document, of_posting
from claimbridge.profiles.kit.sourced import Sourced, claim_field
from claimbridge.profiles.netsuite.codes import Codes, double
from claimbridge.profiles.netsuite.every_line import EveryLine

if TYPE_CHECKING:
    from claimbridge.profiles.netsuite import requests


class Entries(msgspec.Struct, frozen=True, kw_only=True):
    """How vouchers become journal entries in one account of NetSuite.

    The settings are those of ``NetSuite``.
    """

    codes: Codes
    every_line: EveryLine
    one_world: bool
    approved: bool | Literal["site"]
    posting_period: bool
    time_of_day: str

    def entry(self, submission: Submission, memo: str) -> requests.JournalEntry:
        """Return the entry; raises ClaimError CB-167 to CB-169, CB-488 and CB-490."""
        voucher = self.every_line.filled(submission.voucher)
        currency = only_currency(
            voucher, holds="a NetSuite journal entry has one currency", code="CB-167"
        )
        company = Sourced(voucher.company, "company")
        day = f"{voucher.posting_date.isoformat()}T{self.time_of_day}"
        entry: requests.JournalEntry = {
            "@xsi:type": "JournalEntry",
            "@externalId": Sourced(submission.reference, "id"),
            "postingPeriod": self.codes.period(voucher.posting_date)
            if self.posting_period
            else None,
            "tranDate": Sourced(day, "posting_date"),
            "currency": self.codes.ref("currency", Sourced(currency, "currency")),
            "subsidiary": self.codes.ref("subsidiary", company) if self.one_world else None,
            "memo": Sourced(one_line(memo), "title"),
            "approved": None if self.approved == "site" else self.approved,
            "lineList": {
                # A repeat replaces the lines, and never adds to them.
                "@replaceAll": True,
                "line": [
                    of_posting(own, self._line(one, voucher.claim_id))
                    for own, one in zip(submission.voucher.postings, voucher.postings, strict=True)
                ],
            },
        }
        for field, code in self.every_line.of_head(voucher).items():
            entry[field] = self.codes.ref(field, code)
        return of_document(submission, entry)

    def _line(self, posting: Posting, claim_id: str) -> requests.JournalEntryLine:
        amount = double(posting.amount, claim_field(posting, "amount"), claim_id)
        account = Sourced(posting.account, claim_field(posting, "account"))
        debit = posting.side is Side.DEBIT
        line: requests.JournalEntryLine = {
            "account": self.codes.ref("account", account),
            "debit": amount if debit else None,
            "credit": None if debit else amount,
            "memo": Sourced(one_line(posting.narration), claim_field(posting, "narration")),
        }
        for place, code in self.codes.by_line_field(posting, claim_id).items():
            assert place != "customer"  # refused when the profile was made
            line[place] = self.codes.ref(place, code)
        return line
