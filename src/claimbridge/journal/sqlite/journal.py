"""The journal in one SQLite file: durable, shared by threads and processes of one machine.

What a returned write promises. The file is in WAL mode with ``synchronous=FULL``: a commit
appends to the ``-wal`` file and returns only after ``fsync`` of it, so that a committed write
survives the death of the process, of the operating system, and a power cut, as far as the disk
keeps what it has confirmed (with ``synchronous=NORMAL`` commits wait for the next checkpoint and
a power cut loses the last ones). A checkpoint copies pages into the main file and syncs that
before the ``-wal`` is used again. Readers see the last commit and never wait for a writer. A
write that raises is not seen by anyone; only where the sync itself failed and the machine dies
next may it be found after all, as a flight in doubt or an end that did take place.

Beside ``claims.db`` lie SQLite's ``-wal`` and ``-shm``, ``claims.db-writer`` (whose turn it is to
write), one ``claims.db-owner-…`` per process with flights (see ``owners``), and ``claims.db-mark``,
by which a journal that is not the newest is known (see ``newest``): a backup does not hold it, and
to move a journal is to move it too. To copy a journal use ``VACUUM INTO`` or SQLite's backup, never
``cp`` of the main file alone.
"""

from __future__ import annotations

import contextlib
import heapq
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from datetime import datetime
from operator import attrgetter
from pathlib import Path
from typing import Final, TypeVar

from claimbridge.clock import SYSTEM, Clock
from claimbridge.errors import ClaimBridgeError, JournalError
from claimbridge.journal import rules
from claimbridge.journal.base import outcome_of
from claimbridge.journal.calls import ClientCall
from claimbridge.journal.flights import Flight, Flights
from claimbridge.journal.sqlite import book_rows, forks, invoice_rows, journal_file, owners, rows
from claimbridge.journal.sqlite.connections import Connections
from claimbridge.journal.sqlite.group import GroupCommit
from claimbridge.journal.sqlite.marking import Marking, noted
from claimbridge.model import (
    Book,
    Continuity,
    Gap,
    History,
    InvoiceHolder,
    Key,
    Move,
    State,
    Submission,
    Withdrawal,
)
from claimbridge.turns import Turn

T = TypeVar("T")

_TOGETHER: Final = 32
"""Threads that ``at_once`` writes from: how many writes can share a sync."""
_PAGE: Final = 200
"""Submissions read at once by ``select``: what bounds its memory."""


class SqliteJournal:
    """The journal in the SQLite file at ``path``, created when missing.

    ``timeout`` is how many seconds a write waits for other programs; ``group`` how many writes of
    this process may share one transaction. Raises JournalError when the file cannot be used.
    Safe for threads. After a fork the child's copy is another owner, with connections of its own.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        clock: Clock = SYSTEM,
        timeout: float = 10.0,
        group: int = 256,
    ) -> None:
        self._path = journal_file.ensure_file(Path(path))
        self._clock = clock
        self._timeout = timeout
        self._group = group
        self._closed = False
        self._set_up()
        self._connections.prepare()
        forks.watch(self)
        with contextlib.suppress(JournalError):  # a full disk shall not hinder reading
            self._land_adrift()
        owners.sweep(self._path)

    def books(self) -> tuple[Book, ...]:
        """Return the books that ledgers of this journal meant, in the order of their opening."""
        with self._connections.reading() as connection:
            return book_rows.read_books(connection)

    def keep_books(self, seen: Sequence[Book], books: Sequence[Book]) -> bool:
        """Keep ``books`` in the place of ``seen``, synced; False when they are others by now."""
        return self._writes.write(
            lambda connection: book_rows.write_books(connection, tuple(seen), tuple(books))
        )

    def history(self, book: str, claim_id: str) -> History:
        """Return all submissions of one claim; flights that nobody flies are put in doubt."""
        while True:
            with self._connections.reading() as connection:
                history, aloft = rows.read_claim(connection, book, claim_id)
            adrift = self._adrift(aloft.values())
            if not adrift:
                return self._remeasured(history)
            self._land(book, claim_id, adrift)

    def begin(self, seen: History, changed: Sequence[Submission]) -> History | None:
        """Write ``changed``, synced, with this journal as the owner of what goes into sending."""
        changes = rules.begun(seen, changed, self._clock.now())
        owner = self._living_owner()
        flights = {one.after.key: self._flights.take_off() for one in changes if one.takes_off}
        aloft = {key: rows.Aloft(owner.id, number) for key, number in flights.items()}
        history = None
        try:
            history = self._write(seen, changes, aloft)
        finally:
            if history is None:
                self._flights.cancel(flights.values())
                self._release_if_closed()
        if history is not None:
            for key, number in flights.items():
                self._flights.written(number, key, history)
        return history

    def record(
        self,
        seen: History,
        changed: Sequence[Submission],
        *,
        withdrawn: Withdrawal | None = None,
    ) -> History | None:
        """Write ``changed``, synced; the flights it names have ended, whatever comes of it."""
        named = self._flights.named(seen, changed)
        try:
            changes = rules.recorded(seen, changed, self._clock.now(), withdrawn=withdrawn)
            history = self._write(seen, changes, {}, withdrawn)
        except BaseException:
            self._end(named)
            raise
        # A loser that did not begin the flight says nothing about it: its owner flies on.
        self._end(one for one in named if history is not None or one.history is seen)
        return history

    def owns(self, flights: Sequence[Submission]) -> bool:
        """Whether each of these attempts is sending, in a flight of this journal's living owner."""
        owner = self._owner
        if owner is None:
            return False
        with self._connections.reading() as connection:
            aloft = [rows.read_flight(connection, flight) for flight in flights]
        ours = all(
            one is not None and one.owner == owner.id and self._flights.flies(one.flight)
            for one in aloft
        )
        # Last: as long as the lock file stands, nobody takes over what was read before.
        return ours and owner.stands()

    def note_job(self, flights: Sequence[Submission], job: str) -> None:
        """Keep which job of the ERP holds what these attempts have sent, synced."""

        def note(connection: sqlite3.Connection) -> None:
            for flight in flights:
                rows.note_job(connection, flight, job)

        self._writes.write(note)

    def ended(self, call: ClientCall) -> None:
        """Put in doubt what ``call`` has begun and not ended."""
        if self._flights.drop(call):
            with contextlib.suppress(JournalError):  # then the next reader finds it so
                self._land_adrift()
            self._release_if_closed()

    def at_once(self, calls: Sequence[Callable[[], T]]) -> list[T | ClaimBridgeError]:
        """Make the calls from threads of their own, so that their writes share transactions."""
        if len(calls) < 2:
            return [outcome_of(call) for call in calls]
        with ThreadPoolExecutor(min(len(calls), _TOGETHER)) as pool:
            # Each in a copy of this context: whatever begins there belongs to the call made here.
            made = [pool.submit(copy_context().run, outcome_of, call) for call in calls]
            return [one.result() for one in made]

    def invoices(self, names: Collection[str]) -> tuple[InvoiceHolder, ...]:
        """Return the submissions that have, or had, invoices of these names, oldest first."""
        with self._connections.reading() as connection:
            return invoice_rows.read_holders(connection, names)

    def find(self, book: str, reference: str) -> Submission | None:
        """Return the submission that the ERP knows by ``reference``; None when we have none."""
        with self._connections.reading() as connection:
            return rows.read_reference(connection, book, reference)

    def select(
        self, book: str, states: Sequence[State] = (), *, parts: bool = False
    ) -> Iterator[Submission]:
        """Yield submissions in these states (empty: in any), oldest first; or parts alone.

        Reads page by page; one that moves on meanwhile is yielded once, or not at all when it
        left these states. Flights that nobody flies are put in doubt first.
        """
        with contextlib.suppress(JournalError):  # where nothing can be written, listing goes on
            self._land_adrift()
        streams = [self._stream(book, state, parts) for state in dict.fromkeys(states or State)]
        last = 0
        for stored in heapq.merge(*streams, key=attrgetter("number")):
            if stored.number > last:
                last = stored.number
                yield stored.submission

    def counts(self, book: str) -> dict[State, int]:
        """Return how many submissions are in each state, as they are written."""
        with self._connections.reading() as connection:
            return rows.read_counts(connection, book)

    def moves(self, book: str, claim_id: str) -> Iterator[Move]:
        """Yield every move of a claim's submissions, oldest first; reads page by page."""
        page: Sequence[tuple[int, Move]] = ()
        while not page or len(page) == _PAGE:
            after = page[-1][0] if page else 0
            with self._connections.reading() as connection:
                page = rows.read_moves(connection, book, claim_id, after, _PAGE)
            if not page:
                return
            yield from (move for _, move in page)

    def cursor(self, book: str) -> str:
        """Return where reading the ERP's changes got to; "" when it has not begun."""
        with self._connections.reading() as connection:
            return rows.read_cursor(connection, book)

    def set_cursor(self, book: str, cursor: str) -> None:
        """Keep where reading the ERP's changes got to, synced."""
        now = self._clock.now()
        self._writes.write(lambda connection: rows.write_cursor(connection, book, cursor, now))

    def first_sight(self, book: str, seal: str, until: datetime) -> bool:
        """Keep that a signed reply was seen, synced; False when it was seen before."""
        now = self._clock.now()
        return self._writes.write(
            lambda connection: rows.write_sight(connection, book, seal, until, now)
        )

    def continuity(self) -> Continuity:
        """Return whether this is the newest journal, and of which times it knows nothing."""
        with self._connections.reading() as connection:
            self._connections.check_file()
            return self._marking.continuity(connection)

    def is_new(self, book: str) -> bool:
        """Say whether nothing was sent to a book through it, and nobody said that this is right."""
        with self._connections.reading() as connection:
            return self._marking.is_new(connection, book)

    def agree_new(self, book: str) -> None:
        """Keep that nothing was sent to a book before, where none was through this; synced."""
        if self.continuity().replaces or self.is_new(book):
            self._writes.write(lambda connection: self._marking.agree_new(connection, book))

    def note_gap(self, until: datetime) -> tuple[Gap | None, bool]:
        """Keep that another copy was in use until then, synced; whether that is news."""
        return self._writes.write(
            lambda connection: noted(self._marking, connection, until, self._clock)
        )

    def make_newest(self) -> None:
        """Have this journal count as the newest, synced."""
        self._writes.write(self._marking.renew)

    def close(self) -> None:
        """Close all files; a flight still in the air keeps its owner's lock until it ends."""
        self._closed = True
        self._connections.close()
        self._release_if_closed()

    def pause(self) -> None:
        """Before a fork: close the connections, and have no lock file half made."""
        self._owning.take()
        self._connections.pause()

    def resume(self) -> None:
        """After a fork, in the parent: go on."""
        self._connections.resume()
        self._owning.give_back()

    def renew(self) -> None:
        """After a fork, in the child: become another owner, which begins with no flights."""
        if self._owner is not None:
            self._owner.disown()
        self._set_up()
        if self._closed:
            self._connections.close()

    def _set_up(self) -> None:
        self._connections = Connections(self._path, timeout=self._timeout)
        self._marking = Marking(self._path)
        self._writes = GroupCommit(self._transaction, self._path, most=self._group)
        self._flights = Flights()
        self._owner: owners.Owner | None = None
        self._owning = Turn()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection inside a transaction; where something began, the mark follows it."""
        with self._connections.writing(self._marking.committed) as connection:
            self._marking.open()
            yield connection
            self._marking.close(connection)

    def _write(
        self,
        seen: History,
        changes: Sequence[rules.Write],
        aloft: Mapping[Key, rows.Aloft],
        withdrawn: Withdrawal | None = None,
    ) -> History | None:
        # Encoded before its turn comes: inside the transaction everybody waits.
        contents = _contents(changes)
        me = self._me()

        def write(connection: sqlite3.Connection) -> int | None:
            if aloft:
                self._marking.check(connection)
            if not rows.advance(connection, seen):
                return None
            rows.check_owned(connection, changes, me)
            book_rows.check_elsewhere(connection, changes)
            invoice_rows.check(connection, changes)
            rows.write(connection, changes, contents, aloft)
            invoice_rows.write(connection, changes)
            if withdrawn is not None:
                rows.write_withdrawal(connection, seen, withdrawn)
            return self._marking.count(connection, changes[0].at) if aloft else 0

        begun = self._writes.write(write)
        if begun is None:
            return None
        self._marking.ensure(begun)
        return rules.continued(seen, changes, withdrawn)

    def _stream(self, book: str, state: State, parts: bool) -> Iterator[rows.Stored]:
        page: Sequence[rows.Stored] = ()
        while not page or len(page) == _PAGE:
            after = page[-1].number if page else 0
            with self._connections.reading() as connection:
                page = rows.read_page(connection, book, state, after, _PAGE, parts=parts)
            if not page:
                return
            yield from page

    # Owners and their flights

    def _living_owner(self) -> owners.Owner:
        """Return this journal's owner, whose lock is held before its id is written anywhere."""
        with self._owning.held():
            if self._closed:
                raise rules.misuse("the journal is closed")
            if self._owner is not None and not self._flights.any() and not self._owner.stands():
                # Its lock file is gone, but it has nothing in the air: another takes its place.
                self._owner.release()
                self._owner = None
            if self._owner is None:
                self._owner = owners.Owner(self._path)
            self._owner.check()
            return self._owner

    def _me(self) -> str:
        """Return the id of this journal's owner; "" while it has begun nothing."""
        owner = self._owner
        return "" if owner is None else owner.id

    def _end(self, flights: Iterable[Flight]) -> None:
        self._flights.end(flights)
        self._release_if_closed()

    def _release_if_closed(self) -> None:
        with self._owning.held():
            if self._closed and self._owner is not None and not self._flights.any():
                self._owner.release()
                self._owner = None

    def _adrift(self, aloft: Iterable[rows.Aloft]) -> dict[rows.Aloft, str]:
        """Return those flights that nobody flies any more, and why."""
        me = self._me()
        living: dict[str, bool] = {}
        adrift = {}
        for one in aloft:
            if one.owner == me:
                if not self._flights.flies(one.flight):
                    adrift[one] = rules.GIVEN_UP
                continue
            if one.owner not in living:
                living[one.owner] = owners.lives(self._path, one.owner)
            if not living[one.owner]:
                adrift[one] = rules.OWNER_ENDED
        return adrift

    def _land(self, book: str, claim_id: str, adrift: Mapping[rows.Aloft, str]) -> None:
        """Put flights in doubt that are still as they were seen: another may have been faster."""

        def land(connection: sqlite3.Connection) -> None:
            history, aloft = rows.read_claim(connection, book, claim_id)
            changes = [
                rules.landed(one, adrift[aloft[one.key]], self._clock)
                for one in history.submissions
                if aloft.get(one.key) in adrift
            ]
            if changes and rows.advance(connection, history):
                rows.write(connection, changes, _contents(changes), {})

        self._writes.write(land)

    def _remeasured(self, history: History) -> History:
        """Let quiet periods that began in another boot be measured in this one, from now on."""
        changes = rules.remeasured(history, self._clock)
        if not changes:
            return history
        # Where nothing can be written they are not measured, so that none of them ends.
        with contextlib.suppress(JournalError):
            written = self._write(history, changes, {})
            if written is None:  # somebody was faster
                return self.history(history.book, history.claim_id)
            return written
        return history

    def _land_adrift(self) -> None:
        with self._connections.reading() as connection:
            aloft = rows.read_aloft(connection)
        adrift = self._adrift(one for _, _, one in aloft)
        for book, claim_id in dict.fromkeys(
            (book, claim_id) for book, claim_id, one in aloft if one in adrift
        ):
            self._land(book, claim_id, adrift)


def _contents(changes: Iterable[rules.Write]) -> dict[Key, str]:
    return {change.after.key: rows.encoded(change.after) for change in changes}


__all__ = ["SqliteJournal"]
