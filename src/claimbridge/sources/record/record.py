"""The record of what sources gave, in the journal's own database: what was read, what became of it.

It stands beside the journal, never in its place: the journal says what is in the ledger, and makes
submitting twice harmless and lets no two claims use one invoice; the record makes sure that nothing
read is forgotten, and that what goes back to a source is known. A call that returns has been
synced to the disk, as ``claimbridge.journal.sqlite.journal`` promises it; no network call is ever
made inside a transaction. Several processes may share the file.
"""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Final

from claimbridge.clock import SYSTEM, Clock
from claimbridge.errors import JournalError
from claimbridge.journal.sqlite import journal_file
from claimbridge.journal.sqlite.failures import PLACE
from claimbridge.sources.base import Arrival
from claimbridge.sources.record import rows
from claimbridge.sources.record.arrivals import ArrivalState, StoredArrival
from claimbridge.sources.record.messages import Messages

_PAGE: Final = 200
"""Arrivals read at once by ``select``: what bounds its memory."""


def open_record(url: str, *, clock: Clock = SYSTEM) -> SourceRecord:
    """Open the record in the journal that ``url`` names, creating it when it is missing.

    ``memory:`` keeps it in this process alone. Raises JournalError as ``open_journal`` does.
    """
    if url == "memory:":
        return SourceRecord(None, clock=clock)
    if not url.startswith("sqlite://"):
        raise JournalError(
            "a record of sources is kept beside an SQLite journal; use sqlite:///claims.db, "
            "sqlite:////path/claims.db, or memory:",
            code=PLACE,
        )
    return SourceRecord(journal_file.path_of(url), clock=clock)


class SourceRecord(Messages):
    """The record in the SQLite file at ``path``, created when missing; None: in memory.

    ``timeout`` is how many seconds a write waits for other programs. Every method raises
    JournalError when the record cannot be read or written; a write that raises has changed
    nothing. Safe for threads, and for processes on one file.
    """

    # --- what a source gave -------------------------------------------------------------------

    def mark(self, source: str) -> str:
        """Return where reading the source goes on; "" when it has not begun."""
        with self._store.reading() as connection:
            row = connection.execute("SELECT mark FROM marks WHERE source = ?", (source,))
            found = row.fetchone()
        return str(found[0]) if found else ""

    def take_in(
        self, source: str, arrivals: Sequence[Arrival], *, mark: str = ""
    ) -> list[StoredArrival]:
        """Keep what a source gave, and with it where reading goes on; return it as it is kept.

        All of it or nothing. A version that is known already stays as it is, unless it was no
        claim and is one now. A new one takes the
        place of what is not in a ledger yet: older versions of its document, and earlier revisions
        of its claim. An arrival with an error is parked at once. ``mark`` "" leaves the mark.
        """
        now = self._clock.now()

        def write(connection: sqlite3.Connection) -> list[StoredArrival]:
            for arrival in arrivals:
                rows.add(connection, source, arrival, now)
            if mark:
                rows.set_mark(connection, source, mark, now)
            found = [rows.kept(connection, source, one.key, one.version) for one in arrivals]
            return [one for one in found if one is not None]

        return self._writes.write(write)

    def find(self, source: str, key: str) -> tuple[StoredArrival, ...]:
        """Return every version of a document, oldest first."""
        with self._store.reading() as connection:
            where, values = "source = ? AND document = ?", (source, rows.storable(key))
            return tuple(rows.select(connection, where, values))

    def newest(self, source: str, key: str) -> StoredArrival | None:
        """Return the version of a document that was read last; None where there is none."""
        with self._store.reading() as connection:
            where, values = "source = ? AND document = ?", (source, rows.storable(key))
            found = rows.select(connection, where, values, "ORDER BY id DESC LIMIT 1")
        return found[0] if found else None

    def select(
        self, states: Sequence[ArrivalState] = (), *, source: str | None = None
    ) -> Iterator[StoredArrival]:
        """Yield arrivals in these states (empty: in any), oldest first; ``source`` None: of all.

        Bounded memory: the caller may stop early, and may write while it reads.
        """
        wanted = [state.value for state in states or tuple(ArrivalState)]
        where = f"state IN ({', '.join('?' * len(wanted))}) AND id > ?"
        further = () if source is None else (source,)
        where += "" if source is None else " AND source = ?"
        last, page = 0, _PAGE
        while page == _PAGE:
            with self._store.reading() as connection:
                found = rows.select(
                    connection, where, (*wanted, last, *further), f"ORDER BY id LIMIT {_PAGE}"
                )
            yield from found
            last, page = (found[-1].number if found else last), len(found)

    def open(self, source: str) -> tuple[int, ...]:
        """Return the numbers of what a pass goes on with.

        What was taken back first, then what was attempted least often: one that fails again and
        again stands before nobody.
        """
        with self._store.reading() as connection:
            found = connection.execute(
                "SELECT id FROM arrivals WHERE state = 'read' AND source = ? "
                "ORDER BY withdrawn DESC, attempt, id",
                (source,),
            )
            return tuple(row[0] for row in found.fetchall())

    def get(self, numbers: Sequence[int]) -> list[StoredArrival]:
        """Return the arrivals of these numbers, in their order."""
        with self._store.reading() as connection:
            where = f"id IN ({', '.join('?' * len(numbers))})"
            found = {one.number: one for one in rows.select(connection, where, numbers)}
        return [found[number] for number in numbers if number in found]

    def pages(self, numbers: Sequence[int], *, size: int = _PAGE) -> Iterator[list[StoredArrival]]:
        """Yield the arrivals of these numbers in their order, read ``size`` at a time."""
        for start in range(0, len(numbers), size):
            yield self.get(numbers[start : start + size])

    def untold(self, source: str) -> tuple[int, ...]:
        """Return the numbers of what has ended without its source taking note, oldest first."""
        with self._store.reading() as connection:
            found = connection.execute(
                "SELECT id FROM arrivals WHERE source = ? AND told = 0 AND state <> 'read' "
                "ORDER BY id",
                (source,),
            )
            return tuple(row[0] for row in found.fetchall())

    def moved(self, source: str, *, books: Sequence[str]) -> tuple[int, ...]:
        """Return the numbers of accepted arrivals whose submission moved on since ``answered``.

        ``books`` are the ids of those that the source's claims go to. In memory, where no journal
        is at hand: of all accepted ones.
        """
        with self._store.reading() as connection:
            if self._path is not None:
                return rows.moved(connection, source, books)
            found = connection.execute(
                "SELECT id FROM arrivals WHERE state = 'accepted' AND source = ? ORDER BY id",
                (source,),
            )
            return tuple(row[0] for row in found.fetchall())

    def last(self) -> int:
        """Return the number of the newest arrival; 0 when there is none."""
        with self._store.reading() as connection:
            row = connection.execute("SELECT coalesce(max(id), 0) FROM arrivals").fetchone()
        return int(row[0])

    # --- what becomes of it -------------------------------------------------------------------

    def begin(self, arrivals: Sequence[StoredArrival]) -> list[StoredArrival | None]:
        """Count one more attempt of claims that are about to be submitted.

        Returns each arrival as it then stands; None where it is no longer to be submitted.
        """
        now = self._clock.now()

        def write(connection: sqlite3.Connection) -> list[StoredArrival | None]:
            return [_begun(connection, one, now) for one in arrivals]

        return self._writes.write(write)

    def accept(self, arrival: StoredArrival) -> None:
        """Record that the ledger accepted it; what was parked of the claim before is superseded."""
        now = self._clock.now()

        def write(connection: sqlite3.Connection) -> None:
            rows.end(connection, arrival.number, ArrivalState.ACCEPTED, "", "", now)
            rows.supersede_parked(connection, arrival, now)

        self._writes.write(write)

    def end(self, arrival: StoredArrival, state: ArrivalState, *, code: str, reason: str) -> bool:
        """Record another end, and why; False when it has ended otherwise meanwhile."""
        now = self._clock.now()

        def write(connection: sqlite3.Connection) -> bool:
            (held,) = rows.select(connection, "id = ?", (arrival.number,))
            if held.state not in (ArrivalState.READ, ArrivalState.PARKED):
                return False
            rows.end(connection, arrival.number, state, code, reason, now)
            return True

        return self._writes.write(write)

    def later(self, arrival: StoredArrival, *, code: str, reason: str) -> None:
        """Record why an arrival could not be brought further for now; it stays ``read``."""
        values = (code, rows.storable(reason, rows.MAX_REASON), arrival.number)
        self._writes.write(
            lambda connection: connection.execute(
                "UPDATE arrivals SET code = ?, reason = ? WHERE id = ? AND state = 'read'", values
            )
        )

    def retry(self, arrival: StoredArrival) -> bool:
        """Let the next pass go on with a parked arrival; False when it is not parked any more.

        One that never was a claim stays parked: it has to be read again, and taken in.
        """
        now = rows.stamp(self._clock.now())

        def write(connection: sqlite3.Connection) -> bool:
            done = connection.execute(
                "UPDATE arrivals SET state = 'read', told = 1, updated_at = ? "
                "WHERE id = ? AND state = 'parked' AND (claim IS NOT NULL OR withdrawn = 1)",
                (now, arrival.number),
            )
            return done.rowcount == 1

        return self._writes.write(write)

    def told(self, arrival: StoredArrival) -> None:
        """Record that the source took note of the end that ``arrival`` shows."""
        values = (arrival.number, arrival.state.value)
        self._writes.write(
            lambda connection: connection.execute(
                "UPDATE arrivals SET told = 1 WHERE id = ? AND state = ?", values
            )
        )

    def answered(self, arrival: StoredArrival, state: str) -> None:
        """Record that what goes back to the source was planned for this state in the ledger."""
        values = (state, arrival.number)
        self._writes.write(
            lambda connection: connection.execute(
                "UPDATE arrivals SET answered = ? WHERE id = ?", values
            )
        )


def _begun(
    connection: sqlite3.Connection, arrival: StoredArrival, now: dt.datetime
) -> StoredArrival | None:
    if not rows.count_attempt(connection, arrival.number, now):
        return None
    (begun,) = rows.select(connection, "id = ?", (arrival.number,))
    return begun
