"""What an ERP holds: a voucher as it came, and the document that became of it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import msgspec

from claimbridge.model import JournalEntry, Purpose


class ErpPosting(msgspec.Struct, frozen=True, kw_only=True):
    """A posting as the ERP read it from the request: unchecked, amounts positive.

    ``partner`` is the creditor of a payable; empty if the responder does not read it. ``path``
    names the posting in the request for people (``Posting[3]``). ``company`` is the company whose
    books the posting stands in, if that is not the voucher's.
    """

    account: str
    side: str
    amount: Decimal
    currency: str
    cost_centre: str = ""
    partner: str = ""
    path: str = ""
    company: str = ""

    @property
    def amount_with_sign(self) -> Decimal:
        """The amount, negative on the credit side."""
        return self.amount if self.side == "debit" else -self.amount


class ErpVoucher(msgspec.Struct, frozen=True, kw_only=True):
    """A voucher as the ERP read it from the request, before any judgement.

    ``claimed_totals`` are the debit totals that the request states; None if the contract has none.
    ``claim_id`` is empty and ``revision`` 0 if the contract does not carry them.
    """

    reference: str
    company: str
    currency: str
    document_date: dt.date
    posting_date: dt.date
    postings: tuple[ErpPosting, ...] = msgspec.field(name="legs")  # as files of books have it
    purpose: str = Purpose.POST
    claim_id: str = ""
    revision: int = 0
    claimed_totals: dict[str, Decimal] | None = None
    reverses: JournalEntry | None = None

    @property
    def debit_totals(self) -> dict[str, Decimal]:
        """The debits' sum per currency, added up from the postings."""
        totals: dict[str, Decimal] = {}
        for posting in self.postings:
            if posting.side == "debit":
                totals[posting.currency] = totals.get(posting.currency, Decimal(0)) + posting.amount
        return totals


class Objection(msgspec.Struct, frozen=True):
    """One reason why the ERP refuses a voucher; ``field`` is the wrong part, "" for none."""

    code: str
    text: str
    field: str = ""


class Series(msgspec.Struct, frozen=True):
    """A run of numbers without gaps: its name, its first number, and how many digits they have."""

    name: str
    first: int
    width: int

    def write(self, sequence: int) -> str:
        """Return the number of the ``sequence``-th document, counted from 1."""
        return f"{self.first + sequence - 1:0{self.width}}"


class ErpDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What the books hold under one reference. ``number`` is empty until the document is posted."""

    id: int
    change: int
    profile: str
    reference: str
    status: str
    series: Series
    number: str
    fiscal_year: str
    entry: ErpVoucher
    reversed_by: JournalEntry | None
    paid_on: str
    reasons: tuple[Objection, ...]
    changed_at: str

    @property
    def journal_entry(self) -> JournalEntry | None:
        """The journal entry's number; None until it is posted."""
        if not self.number:
            return None
        return JournalEntry(self.number, self.entry.company, self.fiscal_year)
