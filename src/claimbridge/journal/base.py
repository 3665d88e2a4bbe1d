"""The Journal protocol: our durable record of every submission attempt.

It is written before anything is sent. It knows no ERP and decides nothing: it keeps what
``claimbridge.submission`` decides, refuses moves that ``MOVES`` does not allow, and tells the
decider when somebody else was faster.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from claimbridge.errors import ClaimBridgeError
from claimbridge.journal.calls import ClientCall
from claimbridge.model import (
    Book,
    Continuity,
    Gap,
    History,
    InvoiceHolder,
    Move,
    State,
    Submission,
    Withdrawal,
)

T = TypeVar("T")


class Journal(Protocol):
    """What every journal does. All methods may be called from any thread.

    A journal of one's own is a ``Keeper`` on a store of one's own (``claimbridge.journal.ports``).
    Each raises JournalError when the record cannot be read or written; a write that raises has
    changed nothing. Times come from the journal's clock. ``book`` is a book's id throughout.
    """

    def books(self) -> tuple[Book, ...]:
        """Return the books that ledgers of this journal meant, in the order of their opening."""
        ...

    def keep_books(self, seen: Sequence[Book], books: Sequence[Book]) -> bool:
        """Keep ``books`` in the place of ``seen``, durably; False when they are others by now.

        Raises JournalError CB-233 where one that is left out holds claims.
        """
        ...

    def history(self, book: str, claim_id: str) -> History:
        """Return all submissions of one claim.

        A submission in ``sending`` whose owner no longer lives (its process died, or its attempt
        was given up) is first moved to ``in_doubt``, durably. ``doubt_since`` is now: nobody knows
        when the attempt ended, and a request may have left until then.
        """
        ...

    def begin(self, seen: History, changed: Sequence[Submission]) -> History | None:
        """Write ``changed`` (one of them ``sending``) if nothing was written since ``seen``.

        Returns the new history, durable on disk, with this journal as the living owner of the
        flight; None when another writer was faster: read again and decide again.

        Raises ConflictingSubmission CB-457 where a voucher is about to be sent of a claim that
        another book has, or may have (``claimbridge.journal.elsewhere``). Raises ClaimError where
        another claim has an invoice of one of them, in whatever book
        (``claimbridge.journal.invoices``). Nothing is written then.
        """
        ...

    def record(
        self,
        seen: History,
        changed: Sequence[Submission],
        *,
        withdrawn: Withdrawal | None = None,
    ) -> History | None:
        """Write ``changed`` if nothing was written since ``seen``; ends the flights it names.

        Returns the new history, durable on disk; None when another writer was faster. A flight
        named in ``changed`` is given up even when the write fails, so that the next ``history``
        shows it ``in_doubt``. ``withdrawn`` is kept with the claim, whose ``changed`` may then be
        empty; None leaves what is kept. What becomes ``pending`` here is held to the invoices, and
        to other books, as ``begin`` holds it.
        """
        ...

    def owns(self, flights: Sequence[Submission]) -> bool:
        """Whether these attempts may still leave: each is sending, and a flight of this journal.

        Asked right before the first byte: a process that stood still may have been taken for dead
        meanwhile, and where others cannot see that it lives, they will take it so.
        """
        ...

    def note_job(self, flights: Sequence[Submission], job: str) -> None:
        """Keep, durably, which job of the ERP holds what these attempts have sent.

        Whoever finds them in doubt then knows what to ask for. Nothing of an attempt that has ended
        is changed; the history stays as current as it was.
        """
        ...

    def ended(self, call: ClientCall) -> None:
        """Put in doubt what ``call`` has begun and not ended: it is over, however it ended."""
        ...

    def at_once(self, calls: Sequence[Callable[[], T]]) -> list[T | ClaimBridgeError]:
        """Make several calls of this journal's methods, sharing syncs of the disk where it can.

        Returns what each returned, in their order; an error of ours that one raises is its result.
        """
        ...

    def invoices(self, names: Collection[str]) -> tuple[InvoiceHolder, ...]:
        """Return the submissions that have, or had, invoices of these names, in no ledger's order.

        A name is an invoice's identity, or its number as ``InvoiceUse`` has it.
        """
        ...

    def find(self, book: str, reference: str) -> Submission | None:
        """Return the submission that the ERP knows by ``reference``; None when we have none."""
        ...

    def select(
        self, book: str, states: Sequence[State] = (), *, parts: bool = False
    ) -> Iterator[Submission]:
        """Yield submissions in these states (empty: in any), oldest first.

        With ``parts`` only those that are parts of a divided claim. Bounded memory: the caller may
        stop early, and may write while it reads.
        """
        ...

    def claims(self, book: str, prefix: str) -> Iterator[str]:
        """Yield the ids of a book's claims that begin with ``prefix``, in their own order.

        Reads those alone, however many others there are. Bounded memory: the caller may stop
        early, and may write while it reads. Upper and lower case differ.
        """
        ...

    def counts(self, book: str) -> Mapping[State, int]:
        """Return how many submissions are in each state, as they are written; no state with 0."""
        ...

    def moves(self, book: str, claim_id: str) -> Iterator[Move]:
        """Yield every move of a claim's submissions, oldest first, in bounded memory."""
        ...

    def cursor(self, book: str) -> str:
        """Return where reading the ERP's changes got to; "" when it has not begun."""
        ...

    def set_cursor(self, book: str, cursor: str) -> None:
        """Keep where reading the ERP's changes got to."""
        ...

    def first_sight(self, book: str, seal: str, until: datetime) -> bool:
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

    def is_new(self, book: str) -> bool:
        """Say whether nothing was ever sent to a book through this journal, as far as is known.

        False once a person has said that this is right (``agree_new``), where there is a gap, and
        for a journal that does not outlive its process.
        """
        ...

    def agree_new(self, book: str) -> None:
        """Keep that a person says that nothing was sent to a book before.

        Does nothing where something was sent to it through this journal, or the mark of an empty
        one tells of sendings.
        """
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


def result_or_error(call: Callable[[], T]) -> T | ClaimBridgeError:
    """Return what ``call`` returns, or the error of ours that it raises."""
    try:
        return call()
    except ClaimBridgeError as error:
        return error


def key_order(submission: Submission) -> tuple[int, str, int]:
    """Sort key for ``History.submissions``: by revision, ``post`` before ``reverse``, by part."""
    return submission.key.revision, submission.key.purpose, submission.key.part


__all__ = ["Journal", "key_order", "result_or_error"]
