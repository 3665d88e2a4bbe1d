"""A journal in memory: for tests, simulations and ``demo``. It ends with its process."""

from __future__ import annotations

import bisect
import contextlib
import datetime as dt
import itertools
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from claimbridge.clock import SYSTEM, Clock
from claimbridge.journal import rules
from claimbridge.journal.elsewhere import Presence
from claimbridge.journal.keeper import Keeper
from claimbridge.journal.newest import Evidence, Lineage
from claimbridge.journal.ports import Aloft, ClaimWrite, Judge, StoredSubmission, Surroundings
from claimbridge.journal.writes import Write
from claimbridge.model import (
    Book,
    Gap,
    History,
    InvoiceHolder,
    Key,
    Move,
    Purpose,
    State,
    Submission,
)
from claimbridge.turns import Turn


class MemoryJournal(Keeper):
    """A journal in this process alone. Nothing of it is durable: it is there while it exists."""

    def __init__(self, *, clock: Clock = SYSTEM, shelf: Shelf | None = None) -> None:
        self._shelf = shelf or Shelf()
        super().__init__(MemoryStore(self._shelf), MemoryOwners(self._shelf), clock=clock)

    def twin(self) -> MemoryJournal:
        """Return another owner's journal on the same record, as another process would have it."""
        return MemoryJournal(clock=self._clock, shelf=self._shelf)


class Shelf:
    """What a store in memory keeps, and who lives; used by one thread at a time."""

    def __init__(self) -> None:
        self.turn = Turn()
        self.owners: set[str] = set()
        self.born = 0
        """How many owners there have been."""
        self.books: tuple[Book, ...] = ()
        self.histories: dict[tuple[str, str], History] = {}
        self.books_of: dict[str, set[str]] = defaultdict(set)
        """The books that have something of a claim."""
        self.references: dict[tuple[str, str], Key] = {}
        self.users: dict[str, dict[Key, None]] = defaultdict(dict)
        """Who has, or had, an invoice; by its identity, and by its number."""
        self.keys: list[Key] = []
        """The submissions in the order in which they were added: a number is a place, plus 1."""
        self.numbers: dict[Key, int] = {}
        self.by_state: dict[tuple[str, State], list[int]] = defaultdict(list)
        self.aloft: dict[Key, Aloft] = {}
        self.moves: dict[tuple[str, str], list[Move]] = defaultdict(list)
        self.cursors: dict[str, str] = {}
        self.seals: dict[tuple[str, str], dt.datetime] = {}
        self.lineage = Lineage("memory")
        self.gaps: list[Gap] = []

    def history(self, book: str, claim_id: str) -> History:
        """Return a claim's history; of version 0 where there is none."""
        return self.histories.get((book, claim_id)) or History(book, claim_id)

    def submission(self, key: Key) -> Submission:
        """Return what is kept under a key."""
        submission = self.histories[key.book, key.claim_id].get(key)
        assert submission is not None  # nothing is ever removed
        return submission


class MemoryStore:
    """A ``Store`` on a shelf that several may share."""

    together: Final = 1

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._closed = False

    def read(self, book: str, claim_id: str) -> tuple[History, Mapping[Key, Aloft]]:
        """Return all that is kept of a claim, and the flights of what is ``sending``."""
        with self._open() as shelf:
            history = shelf.history(book, claim_id)
            keys = [one.key for one in history.submissions if one.state is State.SENDING]
            return history, {key: shelf.aloft[key] for key in keys}

    def put(self, write: ClaimWrite, judge: Judge) -> bool:
        """Write ``write``; False where its version is not current."""
        with self._open() as shelf:
            history = shelf.history(write.seen.book, write.seen.claim_id)
            if history.version != write.seen.version:
                return False
            # All that may refuse comes first: nothing here can be rolled back.
            judge(self._surroundings(write))
            _check(shelf, history, write.writes)
            place = history.book, history.claim_id
            shelf.histories[place] = rules.next_history(write.seen, write.writes, write.withdrawn)
            shelf.books_of[history.claim_id].add(history.book)
            for one in write.writes:
                _keep(shelf, one, write.takeoffs.get(one.after.key))
            if write.takeoffs:
                shelf.lineage = msgspec.structs.replace(
                    shelf.lineage, begun=shelf.lineage.begun + 1, begun_at=write.writes[0].at
                )
            return True

    def put_job(self, flights: Sequence[Submission], job: str) -> None:
        """Keep which job holds these attempts."""
        with self._open() as shelf:
            for flight in flights:
                key, history = flight.key, shelf.history(flight.key.book, flight.key.claim_id)
                submissions = tuple(
                    msgspec.structs.replace(one, job=job)
                    if one.key == key and _is_attempt(one, flight)
                    else one
                    for one in history.submissions
                )
                if history.version:
                    shelf.histories[key.book, key.claim_id] = msgspec.structs.replace(
                        history, submissions=submissions
                    )

    def find(self, book: str, reference: str) -> Submission | None:
        """Return the submission with this reference."""
        with self._open() as shelf:
            key = shelf.references.get((book, reference))
            return None if key is None else shelf.submission(key)

    def page(
        self, book: str, state: State, *, after: int, size: int, parts: bool
    ) -> Sequence[StoredSubmission]:
        """Return submissions in a state with numbers above ``after``."""
        with self._open() as shelf:
            numbers = shelf.by_state[book, state]
            further = itertools.islice(numbers, bisect.bisect_right(numbers, after), None)
            pairs = ((number, shelf.keys[number - 1]) for number in further)
            wanted = ((number, key) for number, key in pairs if key.part or not parts)
            return [
                StoredSubmission(number, shelf.submission(key), shelf.aloft.get(key))
                for number, key in itertools.islice(wanted, size)
            ]

    def claims(self, book: str, prefix: str, *, after: str, size: int) -> Sequence[str]:
        """Return ids of claims that begin with ``prefix`` and are above ``after``."""
        with self._open() as shelf:
            ids = (claim_id for of, claim_id in shelf.histories if of == book)
            return sorted(one for one in ids if one.startswith(prefix) and one > after)[:size]

    def counts(self, book: str) -> Mapping[State, int]:
        """Return how many submissions are in each state."""
        with self._open() as shelf:
            sizes = {state: len(shelf.by_state[book, state]) for state in State}
            return {state: size for state, size in sizes.items() if size}

    def moves(
        self, book: str, claim_id: str, *, after: int, size: int
    ) -> Sequence[tuple[int, Move]]:
        """Return a claim's moves with numbers above ``after``."""
        with self._open() as shelf:
            moves = shelf.moves.get((book, claim_id), [])[after : after + size]
            return list(enumerate(moves, after + 1))

    def holders(self, names: Collection[str]) -> tuple[InvoiceHolder, ...]:
        """Return the submissions that have, or had, invoices of these identities or numbers."""
        with self._open() as shelf:
            keys = {key: None for name in names for key in shelf.users.get(name, ())}
            return tuple(
                InvoiceHolder(
                    key=key,
                    claim_id=key.claim_id,
                    state=submission.state,
                    superseded=_is_superseded(shelf, key),
                    use=use,
                )
                for key, submission in ((key, shelf.submission(key)) for key in keys)
                for use in submission.invoices
                if use.invoice in names or use.number in names
            )

    def airborne(self) -> Sequence[tuple[str, str, Aloft]]:
        """Return the book, the claim's id and the flight of each submission in ``sending``."""
        with self._open() as shelf:
            return [(key.book, key.claim_id, aloft) for key, aloft in shelf.aloft.items()]

    def flights_of(self, attempts: Sequence[Submission]) -> Sequence[Aloft | None]:
        """Return whose flight each attempt is in."""
        with self._open() as shelf:
            return [
                shelf.aloft[attempt.key]
                if attempt.key in shelf.aloft
                and _is_attempt(shelf.submission(attempt.key), attempt)
                else None
                for attempt in attempts
            ]

    def books(self) -> tuple[Book, ...]:
        """Return all books, in the order of their opening."""
        with self._open() as shelf:
            return shelf.books

    def put_books(self, seen: Sequence[Book], books: Sequence[Book]) -> bool:
        """Keep ``books`` in the place of ``seen``; False when they are others by now."""
        with self._open() as shelf:
            if shelf.books != tuple(seen):
                return False
            used = {book for book, _ in shelf.histories} - {book.id for book in books}
            for book in seen:
                if book.id in used:
                    raise rules.not_empty(book)
            shelf.books = tuple(books)
            return True

    def cursor(self, book: str) -> str:
        """Return a book's cursor."""
        with self._open() as shelf:
            return shelf.cursors.get(book, "")

    def put_cursor(self, book: str, cursor: str, at: dt.datetime) -> None:
        """Keep a book's cursor."""
        with self._open() as shelf:
            shelf.cursors[book] = cursor

    def put_seal(self, book: str, seal: str, until: dt.datetime, *, oldest: dt.datetime) -> bool:
        """Keep a seal until then; False when it is there, and its own time is not over."""
        with self._open() as shelf:
            shelf.seals = {key: end for key, end in shelf.seals.items() if end >= oldest}
            is_new = (book, seal) not in shelf.seals
            shelf.seals.setdefault((book, seal), until)
            return is_new

    def evidence(self) -> Evidence:
        """Return what it says of itself: it has no mark, and does not last."""
        with self._open() as shelf:
            gaps = tuple(shelf.gaps)
            return Evidence(where="memory:", lineage=shelf.lineage, gaps=gaps, lasting=False)

    def put_gap(
        self, decide: Callable[[Evidence], tuple[Gap | None, bool]], at: dt.datetime
    ) -> tuple[Gap | None, bool]:
        """Keep the gap that is decided where it is new."""
        with self._open() as shelf:
            gap, is_new = decide(self.evidence())
            if gap is not None and is_new:
                shelf.gaps.append(gap)
            return gap, is_new

    def renew(self, decide: Callable[[Evidence], bool]) -> None:
        """Do nothing: nothing else has this record."""

    def is_new(self, book: str) -> bool:
        """Return False: what does not last is never asked."""
        return False

    def agree_new(self, book: str) -> None:
        """Do nothing: it is always new."""

    def close(self) -> None:
        """Refuse further use."""
        self._closed = True

    @contextlib.contextmanager
    def _open(self) -> Iterator[Shelf]:
        """Have the shelf for oneself: the ``with`` is the transaction."""
        if self._closed:
            raise rules.misuse("the journal is closed")
        with self._shelf.turn.hold():
            yield self._shelf

    def _surroundings(self, write: ClaimWrite) -> Surroundings:
        shelf, claim_id = self._shelf, write.seen.claim_id
        return Surroundings(
            owners={key: shelf.aloft[key].owner for key in write.flown if key in shelf.aloft},
            presences=tuple(_presences(shelf, claim_id)) if write.is_posting else (),
            books=shelf.books,
            holders=self.holders(write.invoices) if write.invoices else (),
            evidence=self.evidence() if write.takeoffs else None,
        )


class MemoryOwners:
    """``Owners`` of one shelf, each as another process would be."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._me = ""

    def me(self) -> str:
        """Return the id of this owner; "" while there is none."""
        return self._me

    def appear(self, *, idle: bool) -> str:
        """Return the id of this owner, made when there is none."""
        with self._shelf.turn.hold():
            if not self._me:
                self._shelf.born += 1
                self._me = f"owner {self._shelf.born}"
                self._shelf.owners.add(self._me)
            return self._me

    def stands(self, owner: str) -> bool:
        """Whether it is this owner, and lives."""
        return owner == self._me and owner in self._shelf.owners

    def living(self, owners: Collection[str]) -> Collection[str]:
        """Return those that live."""
        return self._shelf.owners.intersection(owners)

    def retire(self) -> None:
        """End this owner's life."""
        self._shelf.owners.discard(self._me)
        self._me = ""

    def sweep(self) -> None:
        """Do nothing: the dead are forgotten at once."""


def _check(shelf: Shelf, history: History, writes: Sequence[Write]) -> None:
    """Raise where a submission is not as its writer saw it, or its reference is another's."""
    new: dict[tuple[str, str], Key] = {}
    for write in writes:
        key, reference = write.after.key, write.after.reference
        entry = history.get(key)
        if (entry and entry.state) is not (write.before and write.before.state):
            raise rules.not_as_seen(key)
        place = key.book, reference
        holder = shelf.references.get(place) or new.setdefault(place, key)
        if holder != key:
            raise rules.reference_taken(key, reference, holder)


def _keep(shelf: Shelf, write: Write, takeoff: Aloft | None) -> None:
    """Write one submission into all that finds it, and its move."""
    key, before, after = write.after.key, write.before, write.after
    if before is None:
        shelf.keys.append(key)
        shelf.numbers[key] = len(shelf.keys)
    else:
        del shelf.references[key.book, before.reference]
        numbers = shelf.by_state[key.book, before.state]
        del numbers[bisect.bisect_left(numbers, shelf.numbers[key])]
        for use in before.invoices:
            for name in (use.invoice, use.number):
                shelf.users[name].pop(key, None)
    for use in after.invoices:
        for name in (use.invoice, use.number):
            shelf.users[name][key] = None
    shelf.references[key.book, after.reference] = key
    bisect.insort(shelf.by_state[key.book, after.state], shelf.numbers[key])
    shelf.aloft.pop(key, None)
    if takeoff is not None:
        shelf.aloft[key] = takeoff
    if write.move is not None:
        shelf.moves[key.book, key.claim_id].append(write.move)


def _is_attempt(entry: Submission, attempt: Submission) -> bool:
    return entry.state is State.SENDING and entry.attempt == attempt.attempt


def _presences(shelf: Shelf, claim_id: str) -> Iterator[Presence]:
    for book in sorted(shelf.books_of.get(claim_id, ())):
        for one in shelf.histories[book, claim_id].submissions:
            if one.key.purpose is Purpose.POST:
                yield Presence(book, one.key.revision, one.state)


def _is_superseded(shelf: Shelf, key: Key) -> bool:
    submissions = shelf.histories[key.book, key.claim_id].submissions
    return any(one.key.revision > key.revision for one in submissions)


__all__ = ["MemoryJournal", "MemoryOwners", "MemoryStore", "Shelf"]
