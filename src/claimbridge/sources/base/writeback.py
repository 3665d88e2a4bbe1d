"""What is brought back to a source: a voucher's number, an approval, a payment's result.

A write-back is carried like a submission. It is recorded, then recorded as ``sending`` and synced
before its first byte leaves. One that is ``sending`` without a living sender is in doubt:

                   ┌──── not delivered, too early, or: looked, and it is not there ────┐
                   ▼                                                                   │
    (planned) ─▶ pending ─▶ sending ─▶ done                                            │
                              │  ├───▶ refused ─▶ (a person decides)                   │
                              │  └───▶ in_doubt ─┬─▶ done                              │
                              │                  └─▶ (looked) ─────────────────────────┘
                              └───────▶ parked ──▶ (a person decides)

A write-back in doubt is looked up before it is sent again; one that is done is never sent again.
A pending one that is not true any more is superseded; planned anew, it is pending again.
"""

from __future__ import annotations

import datetime as dt
import enum
from typing import Final, Protocol

import msgspec

from claimbridge.clock import Uptime


class WriteBackKind(enum.StrEnum):
    """What is brought back."""

    VOUCHER = "voucher"
    """The journal entry's number and period."""
    APPROVAL = "approval"
    """Accept or refuse, at the step of the approval that waits for us."""
    PAYMENT = "payment"
    """That the claim was paid, or that paying it failed."""


class WriteBackState(enum.StrEnum):
    """Where a write-back stands."""

    PENDING = "pending"
    """The source has nothing of it, for certain; it may be sent."""
    SENDING = "sending"
    """A living process is sending it now."""
    DONE = "done"
    REFUSED = "refused"
    """The source said no; ``reason`` is in its own words."""
    IN_DOUBT = "in_doubt"
    """It was sent and the answer is missing: look before anything else."""
    PARKED = "parked"
    """A person must look; ``reason`` says why."""
    SUPERSEDED = "superseded"
    """It was not true any more before it was sent."""


OPEN: Final = frozenset({WriteBackState.PENDING, WriteBackState.SENDING, WriteBackState.IN_DOUBT})
"""The states that a pass goes on with; the others wait for nobody or for a person."""

FOR_A_PERSON: Final = (WriteBackState.REFUSED, WriteBackState.PARKED)
"""The states that only a person ends: by letting it be tried again, or by leaving it."""

_S = WriteBackState
WRITE_BACK_MOVES: Final[dict[WriteBackState, frozenset[WriteBackState]]] = {
    _S.PENDING: frozenset({_S.SENDING, _S.PARKED, _S.SUPERSEDED}),
    _S.SENDING: frozenset({_S.PENDING, _S.DONE, _S.REFUSED, _S.IN_DOUBT, _S.PARKED}),
    _S.IN_DOUBT: frozenset({_S.PENDING, _S.DONE, _S.REFUSED, _S.IN_DOUBT, _S.PARKED}),
    _S.DONE: frozenset(),
    _S.REFUSED: frozenset({_S.PENDING}),
    _S.PARKED: frozenset({_S.PENDING}),
    _S.SUPERSEDED: frozenset(),
}
"""Which state may follow which; a store refuses every other move."""


class WriteBack(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to bring back to one document of a source.

    Its identity is ``source``, ``key`` (the document's id there), ``kind`` and ``occasion``, which
    tells apart several of a kind about one document (the claim's revision; the approval's step).
    ``content`` is what is sent, in the source's own terms; it changes only where what is superseded
    is planned anew.
    ``attempt`` counts the times that it was about to be sent (0: never). ``reason`` says in a
    sentence why it is in this state. ``attempted_at`` is when the last attempt began; None when
    there was none. ``doubt_since`` is when a lost attempt was over for certain: from then on
    counts how long it may still arrive; None where nothing is in doubt. ``doubt_uptime`` is that
    moment on the count which no step of the clock moves.
    """

    source: str
    key: str
    kind: WriteBackKind
    occasion: str = ""
    content: dict[str, str] = {}
    state: WriteBackState = WriteBackState.PENDING
    attempt: int = 0
    reason: str = ""
    attempted_at: dt.datetime | None = None
    doubt_since: dt.datetime | None = None
    doubt_uptime: Uptime | None = None

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """What no two write-backs of a record share."""
        return (self.source, self.key, self.kind.value, self.occasion)


class WriteBacks(Protocol):
    """Where write-backs are stored. Each call is durable on disk when it returns.

    Each raises JournalError when the record cannot be read or written.
    """

    def begin_write_back(self, write_back: WriteBack) -> WriteBack:
        """Add ``write_back`` unless its identity is there already; return the stored one.

        A superseded one is replaced by ``write_back``; its attempts are counted on.
        """
        ...

    def record_write_back(self, write_back: WriteBack) -> bool:
        """Move the stored one to ``write_back``, if ``WRITE_BACK_MOVES`` allows it from there.

        A move to ``sending`` counts ``attempt`` up by one; every other move keeps it. Returns
        False, with nothing written, where somebody else was faster: the record has another
        attempt, or a state that does not allow the move.
        """
        ...

    def open_write_backs(self, source: str) -> tuple[WriteBack, ...]:
        """Return those in an ``OPEN`` state, oldest first."""
        ...

    def write_backs_of(self, source: str, key: str) -> tuple[WriteBack, ...]:
        """Return all about one document, oldest first."""
        ...


__all__ = [
    "FOR_A_PERSON",
    "OPEN",
    "WRITE_BACK_MOVES",
    "WriteBack",
    "WriteBackKind",
    "WriteBackState",
    "WriteBacks",
]
