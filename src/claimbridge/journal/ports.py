"""The two ports that a journal stands on: a store, and its owners.

``Keeper`` holds the rules of flights, and decides. A *store* keeps what the keeper decides: in a
file, in memory, in a database that many machines share. *Owners* say who lives. Both decide
nothing, and neither knows how many processes or machines use what it keeps.

What every method of both promises:

- It may be called from any thread, and at the same time by other processes and machines.
- It is one transaction, or reads one consistent state. Nothing stays open between two calls.
- It raises JournalError, and nothing else of its own, where what is kept cannot be read or written:
  also for what a network or a pool of connections raises. A closed store raises ``misuse``.
- A write that returns is durable. A write that raises has written nothing. Where a store cannot
  know that (the connection was lost while it committed), the store looks again before it says so.
- What a ``decide`` or a ``judge`` raises undoes the whole call. A store may call them again where
  it has to begin a transaction anew: they read what they are given, and do nothing else.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

import msgspec

from claimbridge.journal.elsewhere import Presence
from claimbridge.journal.newest import Evidence
from claimbridge.journal.writes import Write
from claimbridge.model import (
    Book,
    Gap,
    History,
    InvoiceHolder,
    Key,
    Move,
    State,
    Submission,
    Withdrawal,
)


class Aloft(msgspec.Struct, frozen=True):
    """Whose flight a submission in ``sending`` is in; ``flight`` is a number of the owner's."""

    owner: str
    flight: int


class StoredSubmission(msgspec.Struct, frozen=True):
    """A submission as it is kept; ``aloft`` is None unless it is ``sending``.

    Numbers grow in the order in which submissions were added.
    """

    number: int
    submission: Submission
    aloft: Aloft | None


class ClaimWrite(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be written of one claim, all or nothing.

    ``seen`` is the history that the writer has seen; ``writes`` change its submissions or add some,
    and ``withdrawn`` takes the place of what is kept of the withdrawal (None leaves that).
    ``takeoffs`` are the flights that begin, by key: of each write into ``sending``, and of no
    other. The rest says what the judge wants to know: whose flights the submissions ``flown`` are
    in, who has ``invoices``, and, where ``is_posting``, what other books have of the claim.
    """

    seen: History
    writes: tuple[Write, ...]
    withdrawn: Withdrawal | None = None
    takeoffs: Mapping[Key, Aloft] = {}
    flown: frozenset[Key] = frozenset()
    invoices: frozenset[str] = frozenset()
    is_posting: bool = False


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """What a judge has asked about the surroundings of a claim; empty where nothing was asked.

    ``owners`` has the keys that were ``flown`` and are in ``sending``. ``presences`` is what other
    books have of the claim's vouchers to post; where there is any, ``books`` are all books.
    ``holders`` are all submissions that have, or had, one of the invoices (by identity).
    ``evidence`` is there where a flight begins; it need not have the gaps.
    """

    owners: Mapping[Key, str] = {}
    presences: tuple[Presence, ...] = ()
    books: tuple[Book, ...] = ()
    holders: tuple[InvoiceHolder, ...] = ()
    evidence: Evidence | None = None


Judge = Callable[[Surroundings], None]
"""Raises where a write may not be; see ``Store.put``."""


class Store(Protocol):
    """Keeps submissions and their moves, books, cursors, seals and gaps."""

    @property
    def together(self) -> int:
        """How many calls gain by being made at once: their writes may share a transaction."""
        ...

    # One claim

    def read(self, book: str, claim_id: str) -> tuple[History, Mapping[Key, Aloft]]:
        """Return all that is kept of a claim, and the flights of what is ``sending`` of it.

        Of a claim that nobody has written the history has version 0.
        """
        ...

    def put(self, write: ClaimWrite, judge: Judge) -> bool:
        """Write ``write``, and make the claim's version one higher; False when it is not current.

        In one transaction: the claim's version is still ``write.seen.version`` (else False, and
        nothing is written). The ``Surroundings`` are read, and ``judge`` does not raise. Then all
        is written, with the move of each write, and the invoices of what now uses some. Until the
        end of the transaction nobody may write what would change the surroundings. Of two claims
        that want one invoice at once, the second sees the first. So it is with two books and one
        claim.

        Where a flight begins, the begin is counted in the same transaction (``Lineage.begun``,
        ``begun_at`` is the time of the writes), and the mark outside the store says so before this
        returns. A store whose owners can die while their process goes on begins no flight of an
        owner that is dead.

        Raises ``rules.not_as_seen`` where a submission is in another state than before its write,
        and ``rules.reference_taken`` where another submission of the book has its reference.
        """
        ...

    def put_job(self, flights: Sequence[Submission], job: str) -> None:
        """Keep which job holds these attempts, each where it is ``sending`` still.

        The state of the attempt is compared in the transaction that writes. No version grows.
        """
        ...

    # Many claims

    def find(self, book: str, reference: str) -> Submission | None:
        """Return the submission with this reference; None when there is none."""
        ...

    def page(
        self, book: str, state: State, *, after: int, size: int, parts: bool
    ) -> Sequence[StoredSubmission]:
        """Return up to ``size`` submissions in ``state`` with numbers above ``after``, in order.

        With ``parts`` only those of divided claims. Once a number was returned, no lower one may
        appear that was not there: who reads on must not miss what is committed late.
        """
        ...

    def claims(self, book: str, prefix: str, *, after: str, size: int) -> Sequence[str]:
        """Return up to ``size`` ids of claims that begin with ``prefix``, in order by code point.

        Only ids above ``after``; "" is below all. It takes no longer where other claims are many.
        """
        ...

    def counts(self, book: str) -> Mapping[State, int]:
        """Return how many submissions are in each state; no state with 0."""
        ...

    def moves(
        self, book: str, claim_id: str, *, after: int, size: int
    ) -> Sequence[tuple[int, Move]]:
        """Return up to ``size`` of a claim's moves with numbers above ``after``, in order."""
        ...

    def holders(self, names: Collection[str]) -> tuple[InvoiceHolder, ...]:
        """Return the submissions that have, or had, invoices of these identities or numbers."""
        ...

    def airborne(self) -> Sequence[tuple[str, str, Aloft]]:
        """Return the book, the claim's id and the flight of each submission in ``sending``."""
        ...

    def flights_of(self, attempts: Sequence[Submission]) -> Sequence[Aloft | None]:
        """Return whose flight each attempt is in; None where it is in the air no more.

        Of another attempt at the same key nothing is said.
        """
        ...

    # Books, cursors, seals

    def books(self) -> tuple[Book, ...]:
        """Return all books, in the order of their opening."""
        ...

    def put_books(self, seen: Sequence[Book], books: Sequence[Book]) -> bool:
        """Keep ``books`` in the place of ``seen``; False when they are others by now.

        Compared and written in one transaction. Raises ``rules.not_empty`` where one that is left
        out holds claims.
        """
        ...

    def cursor(self, book: str) -> str:
        """Return a book's cursor; "" when there is none."""
        ...

    def put_cursor(self, book: str, cursor: str, at: dt.datetime) -> None:
        """Keep a book's cursor."""
        ...

    def put_seal(self, book: str, seal: str, until: dt.datetime, *, oldest: dt.datetime) -> bool:
        """Keep a seal until then; False when it is there, and its own time is not over.

        A seal's time is over where ``until`` is before ``oldest``; the store may forget it then.
        Looked for and written in one transaction: of two at once, one gets True.
        """
        ...

    # Is it the newest?

    def evidence(self) -> Evidence:
        """Return what the store says of itself, and what the mark outside it says.

        The mark is read first: it follows the store.
        """
        ...

    def put_gap(
        self, decide: Callable[[Evidence], tuple[Gap | None, bool]], at: dt.datetime
    ) -> tuple[Gap | None, bool]:
        """Return what is decided about a gap, and keep that gap where it is new (True)."""
        ...

    def renew(self, decide: Callable[[Evidence], bool]) -> None:
        """Have the store count as the newest, where that is decided, and any copy of it as older.

        It gets another id. Where anything was begun, it gets a count of begins that is above its
        own and above its mark's. The mark outside says the same before this returns.
        """
        ...

    def is_new(self, book: str) -> bool:
        """Whether no attempt to a book was begun, nobody has agreed to that, and no gap is kept.

        False for a store that does not outlive its process.
        """
        ...

    def agree_new(self, book: str) -> None:
        """Keep that a person says that nothing was sent to a book before."""
        ...

    def close(self) -> None:
        """Let go of files and connections; closing twice does no harm."""
        ...


class Owners(Protocol):
    """Who lives. A journal with flights is one owner; its id is random, and used once.

    Who lives is decided where the store is: by locks that a kernel takes back, by a lease on the
    clock of a database, never by the clock of one machine among several. An owner that was found
    dead once is dead for good, and an id that nobody knows is a dead owner's.
    """

    def me(self) -> str:
        """Return the id of this journal's owner; "" while it has none."""
        ...

    def appear(self, *, idle: bool) -> str:
        """Return the id of this journal's owner, once all others can see that it lives.

        Where there is none, or it does not stand any more and is ``idle`` (has nothing in the air),
        it is a new one. Raises JournalError where an owner with flights does not stand any more.
        """
        ...

    def stands(self, owner: str) -> bool:
        """Whether this is the journal's owner, and all others can see that it lives.

        Asked right before the first byte leaves. False where that cannot be known, and where an
        owner that lives by a lease has no time left for that byte.
        """
        ...

    def living(self, owners: Collection[str]) -> Collection[str]:
        """Return those of these ids that live. Where that cannot be asked, they are taken to."""
        ...

    def retire(self) -> None:
        """End the life of this journal's owner: it has nothing in the air. None: does nothing."""
        ...

    def sweep(self) -> None:
        """Forget the dead; raises nothing."""
        ...


__all__ = [
    "Aloft",
    "ClaimWrite",
    "Judge",
    "Owners",
    "Store",
    "StoredSubmission",
    "Surroundings",
]
