"""Keeps a SQLite journal and the mark beside it together; refuses to begin where they disagree."""

from __future__ import annotations

import datetime as dt
import secrets
import sqlite3
from pathlib import Path
from typing import Final

import msgspec

from claimbridge.clock import Clock, Uptime
from claimbridge.journal import newest
from claimbridge.journal.newest import Lineage, Mark
from claimbridge.journal.sqlite.failures import explained
from claimbridge.journal.sqlite.marks import MarkFile
from claimbridge.journal.sqlite.rows import Undecodable
from claimbridge.model import Continuity, Gap

_HELD: Final = "SELECT id, begun, begun_at, marked FROM journal"
_IS_NEW: Final = """
SELECT NOT EXISTS (SELECT 1 FROM submissions WHERE ledger = ? AND attempt > 0)
    AND NOT EXISTS (SELECT 1 FROM new_books WHERE book = ?) AND NOT EXISTS (SELECT 1 FROM gaps)
"""
_COUNT: Final = "UPDATE journal SET begun = begun + 1, begun_at = ? RETURNING begun"
_RENEW: Final = "UPDATE journal SET id = ?, begun = ?, marked = 1"
_GAPS: Final = "SELECT until, since, noted_boot, noted_seconds FROM gaps ORDER BY id"
_NOTE: Final = """
INSERT INTO gaps (until, since, noted_at, noted_boot, noted_seconds) VALUES (?, ?, ?, ?, ?)
"""


class Marking:
    """The mark of the journal at ``path``.

    All but ``continuity`` and ``ensure`` run while the turn to write is held: one transaction of
    this process at a time.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = MarkFile(path)
        self._checked: Lineage | None = None
        self._to_write: Mark | None = None
        self._written = 0
        self._failure: OSError | None = None

    def open(self) -> None:
        """Begin a transaction: nothing is known of the mark."""
        self._checked = self._to_write = None

    def check(self, connection: sqlite3.Connection) -> None:
        """Raise JournalError CB-235 or CB-236 where nothing may begin; once a transaction."""
        if self._checked is None:
            self._checked = self._sound(connection)

    def count(self, connection: sqlite3.Connection, now: dt.datetime) -> int:
        """Count one more begin, after ``check``, and return its number."""
        row = connection.execute(_COUNT, (_text(now),)).fetchone()
        return int(row[0])

    def close(self, connection: sqlite3.Connection) -> None:
        """End a transaction, right before it is committed: keep what the mark will say."""
        if self._checked is not None:
            held = read_lineage(connection)
            self._to_write = Mark(held.id, held.begun, self._file.place)

    def committed(self) -> None:
        """Write the mark, after the commit, before anything leaves.

        What fails here is told by ``ensure``, to those who began something: the others' writes
        are in the journal.
        """
        mark, self._to_write = self._to_write, None
        if mark is None:
            return
        try:
            self._file.write(mark)
        except OSError as error:
            self._failure = error
        else:
            self._written = mark.begun

    def ensure(self, number: int) -> None:
        """Raise JournalError unless the mark covers the begin of this number."""
        if number > self._written and self._failure is not None:
            raise explained(self._failure, self._file.path) from self._failure

    def continuity(self, connection: sqlite3.Connection) -> Continuity:
        """Return whether the journal is the newest, and its gaps."""
        gaps = read_gaps(connection)
        try:
            while True:
                # The mark first: it follows the journal. Where it moved meanwhile, look again.
                mark = self._file.read()
                held = read_lineage(connection)
                found = newest.judged(str(self._path), held, mark, gaps, place=self._file.place)
                suspect = found.behind or found.replaces
                if not suspect or self._file.read() == mark:
                    return found
        except OSError as error:
            why = f"its mark {self._file.path} cannot be read ({error.strerror})"
            judged = newest.judged(str(self._path), read_lineage(connection), None, gaps)
            return msgspec.structs.replace(judged, behind=why)

    def is_new(self, connection: sqlite3.Connection, book: str) -> bool:
        """Whether nothing was sent to a book through this journal, and nobody said: rightly so."""
        return bool(connection.execute(_IS_NEW, (book, book)).fetchone()[0])

    def agree_new(self, connection: sqlite3.Connection, book: str) -> None:
        """Keep that a person says that nothing was sent to a book before."""
        continuity = self.continuity(connection)
        if continuity.replaces and continuity.lost_until is not None:
            return
        if continuity.replaces:
            self.renew(connection)
        if self.is_new(connection, book):
            connection.execute("INSERT OR IGNORE INTO new_books (book) VALUES (?)", (book,))

    def note(self, connection: sqlite3.Connection, gap: Gap, now: dt.datetime) -> None:
        """Keep a gap."""
        since = None if gap.since is None else _text(gap.since)
        noted = gap.noted or Uptime("", 0.0)
        row = (_text(gap.until), since, _text(now), noted.boot, noted.seconds)
        connection.execute(_NOTE, row)

    def renew(self, connection: sqlite3.Connection) -> None:
        """Make the journal the newest: a new id, beyond any count, for it and for its mark."""
        held = read_lineage(connection)
        try:
            mark = self._file.read()
            begun = held.begun + 1 if not held.untouched else 0
            if mark is not None and not held.untouched:
                begun = max(begun, mark.begun + 1)
            made = Mark(secrets.token_hex(16), begun, self._file.place)
            connection.execute(_RENEW, (made.journal, made.begun))
            # Before the commit: if that fails, the two disagree, and nothing is sent.
            self._file.make(made)
        except OSError as error:
            raise explained(error, self._file.path) from error

    def _sound(self, connection: sqlite3.Connection) -> Lineage:
        held = read_lineage(connection)
        try:
            mark, place = self._file.read(), self._file.place
            refusal = newest.refused(newest.judged(str(self._path), held, mark, place=place))
            if refusal is not None:
                raise refusal
            if mark is None:
                self._file.make(Mark(held.id, held.begun, place))
        except OSError as error:
            raise explained(error, self._file.path) from error
        if not held.marked:
            connection.execute("UPDATE journal SET marked = 1")
        return held


def read_lineage(connection: sqlite3.Connection) -> Lineage:
    """Return what the journal holds about itself."""
    row = connection.execute(_HELD).fetchone()
    if row is None:
        raise Undecodable("the row of table journal is missing")
    identity, begun, begun_at, marked = row
    at = None if begun_at is None else _moment(begun_at)
    return Lineage(str(identity), int(begun), at, bool(marked))


def read_gaps(connection: sqlite3.Connection) -> tuple[Gap, ...]:
    """Return the gaps that were noted, in that order."""
    rows = connection.execute(_GAPS).fetchall()
    return tuple(
        Gap(_moment(until), _moment(since) if since else None, Uptime(str(boot), float(seconds)))
        for until, since, boot, seconds in rows
    )


def noted(
    marking: Marking, connection: sqlite3.Connection, until: dt.datetime, clock: Clock
) -> tuple[Gap | None, bool]:
    """Note the gap that ends at ``until``; see ``newest.noted``."""
    gap, is_new = newest.noted(until, marking.continuity(connection), clock)
    if gap is not None and is_new:
        marking.note(connection, gap, clock.now())
    return gap, is_new


def _moment(text: object) -> dt.datetime:
    try:
        return dt.datetime.fromisoformat(str(text))
    except ValueError as error:
        raise Undecodable(f"a time of the journal: {error}") from error


def _text(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat(timespec="microseconds")


__all__ = ["Marking", "noted"]
