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

``sending`` is written and synced before the first byte leaves; whatever is found in ``sending``
without a living owner is ``in_doubt``. The *status* of a document is the ERP's word, not ours.
"""

from __future__ import annotations

import datetime as dt
import enum
from typing import Final

import msgspec

from claimbridge.model.outcome import JournalEntry, OutcomeKind, Reason
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
    """A person must look; ``detail`` says why."""


LIVE: Final = frozenset({State.ACKNOWLEDGED, State.POSTED, State.PAID})
"""States in which the ledger holds a journal entry of ours that counts."""

_S = State
MOVES: Final[dict[State, frozenset[State]]] = {
    _S.PENDING: frozenset(
        {_S.SENDING, _S.ACKNOWLEDGED, _S.POSTED, _S.PAID, _S.IN_DOUBT, _S.PARKED, _S.REVERSED}
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
    _S.REJECTED: frozenset({_S.SENDING, _S.POSTED, _S.IN_DOUBT, _S.PARKED}),
    _S.REVERSING: frozenset({_S.REVERSED, _S.ACKNOWLEDGED, _S.POSTED, _S.PAID}),
    _S.REVERSED: frozenset(),
    _S.PARKED: frozenset(
        {_S.PENDING, _S.ACKNOWLEDGED, _S.POSTED, _S.PAID, _S.REJECTED, _S.REVERSED}
    ),
}
"""Which state may follow which; a journal refuses every other move."""


class Key(msgspec.Struct, frozen=True, order=True):
    """The idempotency key: one voucher of one claim revision in one ledger."""

    ledger: str
    claim_id: str
    revision: int
    purpose: Purpose = Purpose.POST

    def __str__(self) -> str:
        return f"{self.ledger}/{self.claim_id}/{self.revision}/{self.purpose}"


class Submission(msgspec.Struct, frozen=True, kw_only=True):
    """The record of one key, as the journal keeps it.

    ``reference`` is what the ERP can be asked by. ``digest`` is that of the claim. ``attempt``
    counts the times that it was sent (0: never). ``detail`` says in a sentence why it is in this
    state. ``reasons`` are the ERP's where it refused; in doubt they say that it refused a later
    sending while an earlier one may still arrive. ``attempted_at`` is when the last attempt began.
    ``doubt_since`` is when an attempt last ended without an answer: until the ledger's quiet period
    has passed, what was sent then may still arrive; None when no attempt ended so. ``returns_to``
    is, while ``reversing``, the state to go back to if the ERP refuses the reversal.
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
    doubt_since: dt.datetime | None = None
    returns_to: State | None = None
    updated_at: dt.datetime | None = None


class History(msgspec.Struct, frozen=True):
    """All that one ledger's journal holds of one claim, at one moment.

    ``version`` grows with every write; 0 means that there was none yet. ``submissions`` are
    ordered by revision, ``post`` before ``reverse``.
    """

    ledger: str
    claim_id: str
    version: int = 0
    submissions: tuple[Submission, ...] = ()

    def get(self, key: Key) -> Submission | None:
        """Return the submission of ``key``; None when there is none."""
        return next((known for known in self.submissions if known.key == key), None)


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

    ``journal_entry`` is None while the ERP has accepted it but not numbered it yet. ``parts`` are
    the acknowledgements of a claim's documents where it was divided into several, because the ERP
    takes no longer ones; then ``reference`` and ``journal_entry`` are the first's, and ``state`` is
    the least advanced.
    """

    claim_id: str
    revision: int
    reference: str
    state: State
    journal_entry: JournalEntry | None = None
    parts: tuple[Acknowledgement, ...] = ()


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """Where the newest revision of a claim stands.

    ``posting_date`` is that of its voucher; it says which period the journal entry is in.
    ``period`` is that period's name for what goes back to a source, "" where the ledger's chart
    has no periods, or nothing goes back. ``reversed_by`` is the journal entry of its reversal; None
    while there is none.
    ``reasons`` are the ERP's words where it refused; ``detail`` is ours, in a sentence. ``parts``
    are those of a divided claim (see ``Acknowledgement``); what stands above is then that of the
    part which needs the most attention.
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
    parts: tuple[Status, ...] = ()


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One document that changed in the ERP.

    ``status`` is the ERP's word; ``submission`` is what we now hold of it, None when the reference
    is not one of ours. ``cursor`` is where to go on from once this change has been dealt with.
    """

    reference: str
    status: OutcomeKind
    journal_entry: JournalEntry | None
    submission: Status | None
    cursor: str
