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
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from operator import attrgetter
from pathlib import Path
from typing import Final, TypeVar

from claimbridge.clock import SYSTEM, Clock
from claimbridge.errors import JournalError
from claimbridge.journal import forks, owners, place, rows, rules
from claimbridge.journal.base import outcome_of
from claimbridge.journal.connections import Connections
from claimbridge.journal.flights import Flight, Flights
from claimbridge.journal.group import GroupCommit
from claimbridge.journal.marking import Marking, noted
from claimbridge.model import Continuity, Gap, History, Key, Move, State, Submission

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
        self._path = place.settled(Path(path))
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

    def history(self, ledger: str, claim_id: str) -> History:
        """Return all submissions of one claim; flights that nobody flies are put in doubt."""
        while True:
            with self._connections.reading() as connection:
                history, aloft = rows.read_claim(connection, ledger, claim_id)
            adrift = self._adrift(aloft.values())
            if not adrift:
                return history
            self._land(ledger, claim_id, adrift)

    def begin(self, seen: History, changed: Sequence[Submission]) -> History | None:
        """Write ``changed``, synced, with this journal as the owner of what goes into sending."""
        changes = rules.begun(seen, changed, self._clock.now())
        owner = self._living_owner()
        flights = {one.after.key: self._flights.take_off() for one in changes if one.takes_off}
        aloft = {key: rows.Aloft(owner.id, number) for key, number in flights.items()}
        history = None
        try:
            history = self._begin(seen, changes, aloft)
        finally:
            if history is None:
                self._flights.cancel(flights.values())
                self._release_if_closed()
        if history is not None:
            for key, number in flights.items():
                self._flights.written(number, key, history)
        return history

    def record(self, seen: History, changed: Sequence[Submission]) -> History | None:
        """Write ``changed``, synced; the flights it names have ended, whatever comes of it."""
        named = self._flights.named(seen, changed)
        try:
            changes = rules.recorded(seen, changed, self._clock.now())
            history = self._write(seen, changes)
        except BaseException:
            self._end(named)
            raise
        # A loser that did not begin the flight says nothing about it: its owner flies on.
        self._end(one for one in named if history is not None or one.history is seen)
        return history

    def at_once(self, calls: Sequence[Callable[[], T]]) -> list[T | JournalError]:
        """Make the calls from threads of their own, so that their writes share transactions."""
        if len(calls) < 2:
            return [outcome_of(call) for call in calls]
        with ThreadPoolExecutor(min(len(calls), _TOGETHER)) as pool:
            return list(pool.map(outcome_of, calls))

    def find(self, ledger: str, reference: str) -> Submission | None:
        """Return the submission that the ERP knows by ``reference``; None when we have none."""
        with self._connections.reading() as connection:
            return rows.read_reference(connection, ledger, reference)

    def select(self, ledger: str, states: Sequence[State] = ()) -> Iterator[Submission]:
        """Yield submissions in these states (empty: in any), oldest first.

        Reads page by page; one that moves on meanwhile is yielded once, or not at all when it
        left these states. Flights that nobody flies are put in doubt first.
        """
        with contextlib.suppress(JournalError):  # where nothing can be written, listing goes on
            self._land_adrift()
        streams = [self._stream(ledger, state) for state in dict.fromkeys(states or State)]
        last = 0
        for stored in heapq.merge(*streams, key=attrgetter("number")):
            if stored.number > last:
                last = stored.number
                yield stored.submission

    def moves(self, ledger: str, claim_id: str) -> tuple[Move, ...]:
        """Return every move of a claim's submissions, oldest first."""
        with self._connections.reading() as connection:
            return rows.read_moves(connection, ledger, claim_id)

    def cursor(self, ledger: str) -> str:
        """Return where reading the ERP's changes got to; "" when it has not begun."""
        with self._connections.reading() as connection:
            return rows.read_cursor(connection, ledger)

    def set_cursor(self, ledger: str, cursor: str) -> None:
        """Keep where reading the ERP's changes got to, synced."""
        now = self._clock.now()
        self._writes.write(lambda connection: rows.write_cursor(connection, ledger, cursor, now))

    def first_sight(self, ledger: str, seal: str, until: datetime) -> bool:
        """Keep that a signed reply was seen, synced; False when it was seen before."""
        now = self._clock.now()
        return self._writes.write(
            lambda connection: rows.write_sight(connection, ledger, seal, until, now)
        )

    def continuity(self) -> Continuity:
        """Return whether this is the newest journal, and of which times it knows nothing."""
        with self._connections.reading() as connection:
            self._connections.check_file()
            return self._marking.continuity(connection)

    def agree_new(self) -> None:
        """Keep that nothing was sent before this journal, where it is empty; synced."""
        continuity = self.continuity()
        if continuity.new or continuity.replaces:
            self._writes.write(self._marking.agree_new)

    def note_gap(self, until: datetime) -> tuple[Gap | None, bool]:
        """Keep that another copy was in use until then, synced; whether that is news."""
        now = self._clock.now()
        return self._writes.write(lambda connection: noted(self._marking, connection, until, now))

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
        self._owning.acquire()
        self._connections.pause()

    def resume(self) -> None:
        """After a fork, in the parent: go on."""
        self._connections.resume()
        self._owning.release()

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
        self._owning = threading.Lock()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection inside a transaction; where something began, the mark follows it."""
        with self._connections.writing(self._marking.committed) as connection:
            self._marking.open()
            yield connection
            self._marking.close(connection)

    def _begin(
        self, seen: History, changes: Sequence[rules.Change], aloft: Mapping[Key, rows.Aloft]
    ) -> History | None:
        contents = _contents(changes)
        now = changes[0].at

        def write(connection: sqlite3.Connection) -> int:
            self._marking.check(connection)
            if not rows.advance(connection, seen):
                return 0
            rows.write(connection, changes, contents, aloft)
            return self._marking.count(connection, now)

        number = self._writes.write(write)
        if not number:
            return None
        self._marking.ensure(number)
        return rules.continued(seen, changes)

    def _write(self, seen: History, changes: Sequence[rules.Change]) -> History | None:
        # Encoded before its turn comes: inside the transaction everybody waits.
        contents = _contents(changes)
        me = self._me()

        def write(connection: sqlite3.Connection) -> bool:
            if not rows.advance(connection, seen):
                return False
            rows.check_owned(connection, changes, me)
            rows.write(connection, changes, contents, {})
            return True

        return rules.continued(seen, changes) if self._writes.write(write) else None

    def _stream(self, ledger: str, state: State) -> Iterator[rows.Stored]:
        page: Sequence[rows.Stored] = ()
        while not page or len(page) == _PAGE:
            after = page[-1].number if page else 0
            with self._connections.reading() as connection:
                page = rows.read_page(connection, ledger, state, after, _PAGE)
            if not page:
                return
            yield from page

    # Owners and their flights

    def _living_owner(self) -> owners.Owner:
        """Return this journal's owner, whose lock is held before its id is written anywhere."""
        with self._owning:
            if self._closed:
                raise rules.misuse("the journal is closed")
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
        with self._owning:
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

    def _land(self, ledger: str, claim_id: str, adrift: Mapping[rows.Aloft, str]) -> None:
        """Put flights in doubt that are still as they were seen: another may have been faster."""
        now = self._clock.now()

        def land(connection: sqlite3.Connection) -> None:
            history, aloft = rows.read_claim(connection, ledger, claim_id)
            changes = [
                rules.landed(one, adrift[aloft[one.key]], now)
                for one in history.submissions
                if aloft.get(one.key) in adrift
            ]
            if changes and rows.advance(connection, history):
                rows.write(connection, changes, _contents(changes), {})

        self._writes.write(land)

    def _land_adrift(self) -> None:
        with self._connections.reading() as connection:
            aloft = rows.read_aloft(connection)
        adrift = self._adrift(one for _, _, one in aloft)
        for ledger, claim_id in dict.fromkeys(
            (ledger, claim_id) for ledger, claim_id, one in aloft if one in adrift
        ):
            self._land(ledger, claim_id, adrift)


def _contents(changes: Iterable[rules.Change]) -> dict[Key, str]:
    return {change.after.key: rows.encoded(change.after) for change in changes}


__all__ = ["SqliteJournal"]
