"""A submission: our record of carrying one voucher into one ledger, and its states.

                      ┌──────────── not delivered, throttled, or: asked, and it is absent ─────┐
                      ▼                                                                        │
    (new) ──────▶ pending ──▶ sending ──▶ acknowledged ──▶ posted ──▶ paid                     │
       └─────────────────────▲  │  │            │            │         │                       │
                             │  │  └─▶ rejected │            └────┬────┘                       │
                             │  └────▶ in_doubt ─┬─▶ (any of the above)                        │
                             │                   ├──▶ parked ──▶ (a person decides)            │
                             └───────────────────┴────────────────────────────────────────────┘
    acknowledged, posted, paid ──▶ reversing ──▶ reversed
    pending, rejected ──▶ in_doubt, where the journal is not the one that was used last

``sending`` is written and synced before the first byte leaves. A submission that is ``sending``
without a living owner is ``in_doubt``. The *status* of a document is the ERP's word, not ours.
"""

from __future__ import annotations

import datetime as dt
import enum
from typing import Final

import msgspec

from claimbridge.clock import Uptime
from claimbridge.findings import Reason
from claimbridge.model.invoices import InvoiceUse
from claimbridge.model.outcome import JournalEntry, OutcomeKind
from claimbridge.model.voucher import Purpose, Voucher


class State(enum.StrEnum):
    """Our state of a submission."""

    PENDING = "pending"
    """Nothing of it is in the ERP, for certain; it may be sent."""
    SENDING = "sending"
    """A living process is sending it now."""
    ACKNOWLEDGED = "acknowledged"
    POSTED = "posted"
    PAID = "paid"
    REJECTED = "rejected"
    IN_DOUBT = "in_doubt"
    """It was sent and the answer is missing: ask before anything else."""
    REVERSING = "reversing"
    REVERSED = "reversed"
    PARKED = "parked"
    """A person must decide; ``detail`` says why."""


LIVE: Final = frozenset({State.ACKNOWLEDGED, State.POSTED, State.PAID})
"""States in which the ledger holds a journal entry of ours that counts."""

_S = State
MOVES: Final[dict[State, frozenset[State]]] = {
    _S.PENDING: frozenset(
        {
            _S.SENDING,
            _S.ACKNOWLEDGED,
            _S.POSTED,
            _S.PAID,
            _S.REJECTED,
            _S.IN_DOUBT,
            _S.PARKED,
            _S.REVERSED,
        }
    ),
    _S.SENDING: frozenset(
        {
            _S.PENDING,
            _S.ACKNOWLEDGED,
            _S.POSTED,
            _S.PAID,
            _S.REJECTED,
            _S.IN_DOUBT,
            _S.PARKED,
            _S.REVERSED,
        }
    ),
    _S.IN_DOUBT: frozenset(
        {
            _S.PENDING,
            _S.SENDING,
            _S.ACKNOWLEDGED,
            _S.POSTED,
            _S.PAID,
            _S.REJECTED,
            _S.PARKED,
            _S.REVERSED,
        }
    ),
    _S.ACKNOWLEDGED: frozenset(
        {_S.POSTED, _S.PAID, _S.REJECTED, _S.REVERSING, _S.REVERSED, _S.PARKED}
    ),
    _S.POSTED: frozenset({_S.PAID, _S.REVERSING, _S.REVERSED}),
    _S.PAID: frozenset({_S.REVERSING, _S.REVERSED}),
    _S.REJECTED: frozenset({_S.PENDING, _S.SENDING, _S.POSTED, _S.IN_DOUBT, _S.PARKED}),
    _S.REVERSING: frozenset({_S.REVERSED, _S.ACKNOWLEDGED, _S.POSTED, _S.PAID}),
    _S.REVERSED: frozenset(),
    _S.PARKED: frozenset(
        {_S.PENDING, _S.ACKNOWLEDGED, _S.POSTED, _S.PAID, _S.REJECTED, _S.REVERSED}
    ),
}
"""Which state may follow which; a journal refuses every other move."""


class Key(msgspec.Struct, frozen=True, order=True):
    """The idempotency key: one voucher of one claim revision in one book.

    ``book`` is the id of its book (``Book.id``), never the name in a configuration. ``part``
    counts the documents of a divided claim, from 1; 0 is the claim as one document. No claim's id
    can stand for a part of another claim.
    """

    book: str
    claim_id: str
    revision: int
    purpose: Purpose = Purpose.POST
    part: int = 0

    def __str__(self) -> str:
        mark = f".p{self.part}" if self.part else ""
        return f"{self.book}/{self.claim_id}/{self.revision}/{self.purpose}{mark}"


class Submission(msgspec.Struct, frozen=True, kw_only=True):
    """The record of one key, as the journal keeps it.

    ``reference`` is what the ERP can be asked by. ``digest`` is that of the claim. ``attempt``
    counts the sendings (0: never sent). ``detail`` says in a sentence why the submission is in its
    state.

    ``reasons`` are the ERP's words. On a rejected submission they say why it refused. In doubt they
    say that the ERP refused a later sending while an earlier one may still arrive. On an accepted
    submission they say that the ERP no longer has the document.

    ``attempted_at`` is when the last attempt began. ``doubt_since`` is when an attempt last ended
    without an answer; None when no attempt ended so. What was sent then may still arrive, until the
    ledger's quiet period has passed. Both are for people. ``attempted_uptime`` and ``doubt_uptime``
    measure how long ago they were: no step of the wall clock moves these.

    ``returns_to``: while ``reversing``, the state to go back to if the ERP refuses the reversal.
    ``invoices`` are those that the claim uses; a reversal has none. ``job`` is the ERP's name for
    the job that took in the last attempt, by which it may be asked; "" where there is none.
    """

    key: Key
    reference: str
    digest: str
    voucher: Voucher
    state: State
    attempt: int = 0
    journal_entry: JournalEntry | None = None
    reasons: tuple[Reason, ...] = ()
    detail: str = ""
    attempted_at: dt.datetime | None = None
    attempted_uptime: Uptime | None = None
    doubt_since: dt.datetime | None = None
    doubt_uptime: Uptime | None = None
    returns_to: State | None = None
    updated_at: dt.datetime | None = None
    invoices: tuple[InvoiceUse, ...] = ()
    job: str = ""

    @property
    def missing(self) -> bool:
        """Whether the ERP accepted it, and has said since that it has no such document."""
        return self.state in LIVE and bool(self.reasons)

    @property
    def quiet_from(self) -> Uptime | None:
        """The moment from which the quiet period of the last sending counts; None: not known."""
        return self.attempted_uptime if self.doubt_since is None else self.doubt_uptime

    @property
    def may_arrive(self) -> bool:
        """Whether anything of it was ever sent, so that there is a quiet period to measure."""
        return self.doubt_since is not None or self.attempted_at is not None


class Withdrawal(msgspec.Struct, frozen=True):
    """The source took a claim back: nothing up to ``revision`` may be sent any more.

    A withdrawal is kept even where no submission of the claim was begun. ``reason`` is a sentence.
    """

    revision: int
    reason: str


class History(msgspec.Struct, frozen=True):
    """All that the journal of one book holds of one claim and its parts, at one moment.

    ``book`` is the book's id. ``version`` grows with every write; 0 means that there was none
    yet. ``submissions`` are ordered by revision, ``post`` before ``reverse``, parts by their
    number. ``withdrawn`` is None while the claim was never taken back.
    """

    book: str
    claim_id: str
    version: int = 0
    submissions: tuple[Submission, ...] = ()
    withdrawn: Withdrawal | None = None

    def get(self, key: Key) -> Submission | None:
        """Return the submission of ``key``; None when there is none."""
        return next((entry for entry in self.submissions if entry.key == key), None)


class InvoiceHolder(msgspec.Struct, frozen=True, kw_only=True):
    """A submission that has an invoice, or had: ``superseded`` says that a later revision came.

    ``claim_id`` is the claim's, also where the submission is a part of it.
    """

    key: Key
    claim_id: str
    state: State
    superseded: bool
    use: InvoiceUse


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a submission's life; ``before`` is None for its first."""

    key: Key
    at: dt.datetime
    before: State | None
    after: State
    attempt: int
    detail: str = ""


class Acknowledgement(msgspec.Struct, frozen=True, kw_only=True):
    """The ERP accepted a voucher; what ``submit`` returns.

    ``journal_entry`` is None while the ERP has accepted it but not numbered it yet. A claim that
    is too long for one document of the ERP is divided: ``documents`` are then the acknowledgements
    of each. ``reference`` and ``journal_entry`` are those of the first one, and ``state`` is the
    least advanced. ``document_number`` counts them from 1; 0 is the claim.
    """

    claim_id: str
    revision: int
    reference: str
    state: State
    journal_entry: JournalEntry | None = None
    document_number: int = msgspec.field(default=0, name="part")
    documents: tuple[Acknowledgement, ...] = msgspec.field(default=(), name="parts")


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Where the newest revision of a claim stands.

    ``posting_date`` is that of its voucher; it says which period the journal entry is in.
    ``period`` is that period's name, which a source may be sent; "" where the ledger's chart has no
    periods, or nothing goes back to a source. ``reversed_by`` is the journal entry of its reversal;
    None while there is none.
    ``reasons`` are the ERP's words where it refused; ``detail`` is ours, in a sentence.
    ``documents`` and ``document_number`` are those of a divided claim, as in ``Acknowledgement``.
    The other fields are then those of the document that needs the most attention.
    """

    claim_id: str
    revision: int
    reference: str
    state: State
    attempt: int
    journal_entry: JournalEntry | None = None
    reasons: tuple[Reason, ...] = ()
    detail: str = ""
    updated_at: dt.datetime | None = None
    posting_date: dt.date | None = None
    period: str = ""
    reversed_by: JournalEntry | None = None
    document_number: int = msgspec.field(default=0, name="part")
    documents: tuple[Standing, ...] = msgspec.field(default=(), name="parts")


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One document that changed in the ERP.

    ``outcome`` is the ERP's word. ``standing`` is where we now see the claim; None when the
    reference is not one of ours. Give ``cursor`` to ``changes`` to go on after this change. Keep
    the cursor as it is: its form may change.
    """

    reference: str
    outcome: OutcomeKind
    journal_entry: JournalEntry | None
    standing: Standing | None
    cursor: str
