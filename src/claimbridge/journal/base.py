"""The Journal protocol: our durable record of every submission attempt.

It is written before anything is sent. It knows no ERP and decides nothing: it keeps what
``claimbridge.submission`` decides, refuses moves that ``MOVES`` does not allow, and tells the
decider when somebody else was faster.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from claimbridge.errors import JournalError
from claimbridge.model import Continuity, Gap, History, Move, State, Submission

T = TypeVar("T")


class Journal(Protocol):
    """What every journal does. All methods may be called from any thread.

    Each raises JournalError when the record cannot be read or written; a write that raises has
    changed nothing. Times come from the journal's clock.
    """

    def history(self, ledger: str, claim_id: str) -> History:
        """Return all submissions of one claim.

        A submission in ``sending`` whose owner no longer lives (its process died, or its attempt
        was given up) is first moved to ``in_doubt``, durably, with ``doubt_since`` now: nobody
        knows when it ended, and a request may have left until then.
        """
        ...

    def begin(self, seen: History, changed: Sequence[Submission]) -> History | None:
        """Write ``changed`` (one of them ``sending``) if nothing was written since ``seen``.

        Returns the new history, durable on disk, with this journal as the living owner of the
        flight; None when another writer was faster: read again and decide again.
        """
        ...

    def record(self, seen: History, changed: Sequence[Submission]) -> History | None:
        """Write ``changed`` if nothing was written since ``seen``; ends the flights it names.

        Returns the new history, durable on disk; None when another writer was faster. A flight
        named in ``changed`` is given up even when the write fails, so that the next ``history``
        shows it ``in_doubt``.
        """
        ...

    def at_once(self, calls: Sequence[Callable[[], T]]) -> list[T | JournalError]:
        """Make several calls of this journal's methods, sharing syncs of the disk where it can.

        Returns what each returned, in their order; a JournalError that one raises is its result.
        """
        ...

    def find(self, ledger: str, reference: str) -> Submission | None:
        """Return the submission that the ERP knows by ``reference``; None when we have none."""
        ...

    def select(self, ledger: str, states: Sequence[State] = ()) -> Iterator[Submission]:
        """Yield submissions in these states (empty: in any), oldest first.

        Bounded memory: the caller may stop early, and may write while it reads.
        """
        ...

    def moves(self, ledger: str, claim_id: str) -> tuple[Move, ...]:
        """Return every move of a claim's submissions, oldest first."""
        ...

    def cursor(self, ledger: str) -> str:
        """Return where reading the ERP's changes got to; "" when it has not begun."""
        ...

    def set_cursor(self, ledger: str, cursor: str) -> None:
        """Keep where reading the ERP's changes got to."""
        ...

    def first_sight(self, ledger: str, seal: str, until: datetime) -> bool:
        """Keep that a signed reply was seen, durably; False when it was seen before.

        ``seal`` names the reply (``Verified.seal``). It may be forgotten after ``until``, when
        the reply is too old to count anyway.
        """
        ...

    def continuity(self) -> Continuity:
        """Return whether this is the newest journal of its ledgers, and its gaps.

        ``begin`` raises JournalError where it is not (CB-235), or where it is empty in the place of
        another (CB-236).
        """
        ...

    def agree_new(self) -> None:
        """Keep that a person says that nothing was sent before; does nothing unless it is empty."""
        ...

    def note_gap(self, until: datetime) -> tuple[Gap | None, bool]:
        """Keep, durably, that another copy of this journal was in use until then.

        Returns the gap (None: nothing is missing), and whether it was not known before. Raises
        JournalError CB-237 for a time that cannot be.
        """
        ...

    def make_newest(self) -> None:
        """Have this journal count as the newest from now on, and any other copy as an older one."""
        ...

    def close(self) -> None:
        """Let go of files and connections; closing twice does no harm."""
        ...


def outcome_of(call: Callable[[], T]) -> T | JournalError:
    """Return what ``call`` returns, or the JournalError that it raises."""
    try:
        return call()
    except JournalError as error:
        return error


def key_order(submission: Submission) -> tuple[int, str]:
    """Sort key for ``History.submissions``: by revision, ``post`` before ``reverse``."""
    return submission.key.revision, submission.key.purpose


__all__ = ["Journal", "key_order", "outcome_of"]
