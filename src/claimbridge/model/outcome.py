"""What an ERP made of a voucher.

A profile reads an ``Outcome`` from one reply, for one document. It is evidence, not a state:
``claimbridge.submission`` decides what the outcome does to a submission.
"""

from __future__ import annotations

import enum
from decimal import Decimal

import msgspec

from claimbridge.findings import Reason


class JournalEntry(msgspec.Struct, frozen=True):
    """What the ERP made of a voucher, by *its* number (a string: leading zeros count).

    ``company`` and ``fiscal_year`` are empty where the ERP's numbers are unique without them.
    """

    number: str
    company: str = ""
    fiscal_year: str = ""

    def __str__(self) -> str:
        return " / ".join(part for part in (self.number, self.company, self.fiscal_year) if part)


class OutcomeKind(enum.StrEnum):
    """What one reply, or the lack of one, says about one document."""

    POSTED = "posted"
    """The ledger holds it; the journal entry's number is known."""
    ACKNOWLEDGED = "acknowledged"
    """The ERP accepted it and will post it later; there may be no number yet."""
    PAID = "paid"
    REVERSED = "reversed"
    DUPLICATE = "duplicate"
    """The ERP already holds a document with our reference, and named it."""
    ABSENT = "absent"
    """Asked for our reference, the ERP says that it has no such document."""
    REJECTED = "rejected"
    """A business no: the ERP holds nothing of it."""
    UNAVAILABLE = "unavailable"
    """A technical no (throttled, closed for maintenance): the ERP accepted nothing."""
    NOT_DELIVERED = "not_delivered"
    """The request never reached the ERP."""
    UNDER_WAY = "under_way"
    """The ERP's own job holds it, and is queued or running: the ERP may still commit it."""
    UNKNOWN = "unknown"
    """No evidence either way: the document may be in the ledger."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What we know of one document after one exchange.

    ``reference`` is ours as the reply repeats it; None when the reply names none. ``item`` counts
    documents in the reply from 1. ``totals`` are the debit totals per currency that the ERP says
    it holds, for comparison before adopting; empty when it does not say. ``retry_after`` is in
    seconds. ``reasons`` are those of a refusal. An UNKNOWN has them where the ERP refused a copy of
    the request, and may have taken another: they count once nothing can arrive any more. ``text``
    says in one sentence why, for UNKNOWN, NOT_DELIVERED and UNAVAILABLE;
    ``code`` is then our error code for it, empty for the general one. ``retry_is_useless`` marks a
    NOT_DELIVERED that will be the same next time: credentials or address must be fixed first.
    ``job`` is what the ERP calls the job that holds the document, "" where there is none.
    ``bound`` False: it was read from a signed reply that may be the true answer to an earlier
    request (see ``claimbridge.submission.decisions.evidence.counts``); a profile leaves it alone.
    ``drift`` says, one sentence each, what was tolerated in the reply; it is reported only.
    """

    kind: OutcomeKind
    reference: str | None = None
    journal_entry: JournalEntry | None = None
    reasons: tuple[Reason, ...] = ()
    totals: dict[str, Decimal] = {}
    retry_after: float | None = None
    text: str = ""
    code: str = ""
    retry_is_useless: bool = False
    item: int = 1
    bound: bool = True
    job: str = ""
    drift: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        # Success only from evidence: a document number (DESIGN: "A profile decides success only
        # from evidence, never from 'no exception'").
        if self.kind in _NEEDS_ENTRY and self.journal_entry is None:
            raise ValueError(f"an outcome of {self.kind} needs the journal entry's number")


_NEEDS_ENTRY = {OutcomeKind.POSTED, OutcomeKind.PAID}
