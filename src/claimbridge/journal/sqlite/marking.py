"""Keeps a SQLite journal and the mark beside it together, and reads what both say."""

from __future__ import annotations

import datetime as dt
import secrets
import sqlite3
from pathlib import Path
from typing import Final

import msgspec

from claimbridge.clock import Uptime
from claimbridge.journal.newest import Evidence, Lineage, Mark
from claimbridge.journal.sqlite.database import CommitHooks
from claimbridge.journal.sqlite.failures import explain
from claimbridge.journal.sqlite.marks import MarkFile
from claimbridge.journal.sqlite.values import Undecodable, moment_of, text_of
from claimbridge.model import Gap

_LINEAGE: Final = "SELECT id, begun, begun_at, marked FROM journal"
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


class Marking(CommitHooks):
    """The mark of the journal at ``path``.

    All but ``evidence``, ``is_new`` and ``ensure`` run while the turn to write is held: one
    transaction of this process at a time.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = MarkFile(path)
        self._present: Evidence | None = None
        self._counted = False
        self._to_write: Mark | None = None
        self._written = 0
        self._failure: OSError | None = None

    def open(self) -> None:
        """Begin a transaction: nothing is known of the mark."""
        self._present = self._to_write = None
        self._counted = False

    def present(self, connection: sqlite3.Connection) -> Evidence:
        """Return the evidence, read once a transaction: the mark then lags behind what it counts.

        Without the gaps: they do not tell whether the journal is the newest. Raises JournalError
        where the mark cannot be read.
        """
        if self._present is None:
            try:
                self._present = self._read(connection)
            except OSError as error:
                raise explain(error, self._file.path) from error
        return self._present

    def count(self, connection: sqlite3.Connection, now: dt.datetime) -> int:
        """Count one more begin and return its number; a mark is made where there is none."""
        if not self._counted:
            self._make_sure(connection)
        row = connection.execute(_COUNT, (text_of(now),)).fetchone()
        self._counted = True
        return int(row[0])

    def close(self, connection: sqlite3.Connection) -> None:
        """End a transaction, right before it is committed: keep what the mark will say."""
        if self._counted:
            lineage = read_lineage(connection)
            self._to_write = Mark(lineage.id, lineage.begun, self._file.place)

    def committed(self) -> None:
        """Write the mark, after the commit, before anything leaves.

        What fails here is raised by ``ensure``, for those who began something: the others' writes
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
            raise explain(self._failure, self._file.path) from self._failure

    def evidence(self, connection: sqlite3.Connection) -> Evidence:
        """Return what the journal and its mark say; a mark that cannot be read says so itself."""
        try:
            evidence = self._read(connection)
        except OSError as error:
            why = f"its mark {self._file.path} cannot be read ({error.strerror})"
            lineage = read_lineage(connection)
            evidence = Evidence(where=str(self._path), lineage=lineage, unreadable=why)
        return msgspec.structs.replace(evidence, gaps=read_gaps(connection))

    def is_new(self, connection: sqlite3.Connection, book: str) -> bool:
        """Whether nothing was sent to a book through this journal, and nobody said: rightly so."""
        return bool(connection.execute(_IS_NEW, (book, book)).fetchone()[0])

    def agree_new(self, connection: sqlite3.Connection, book: str) -> None:
        """Keep that a person says that nothing was sent to a book before."""
        connection.execute("INSERT OR IGNORE INTO new_books (book) VALUES (?)", (book,))

    def note(self, connection: sqlite3.Connection, gap: Gap, now: dt.datetime) -> None:
        """Keep a gap."""
        uptime = gap.noted or Uptime("", 0.0)
        row = (text_of(gap.until), text_of(gap.since), text_of(now), uptime.boot, uptime.seconds)
        connection.execute(_NOTE, row)

    def renew(self, connection: sqlite3.Connection) -> None:
        """Make the journal the newest: a new id, beyond any count, for it and for its mark."""
        lineage = read_lineage(connection)
        try:
            mark = self._file.read()
            begun = lineage.begun + 1 if not lineage.untouched else 0
            if mark is not None and not lineage.untouched:
                begun = max(begun, mark.begun + 1)
            new = Mark(secrets.token_hex(16), begun, self._file.place)
            connection.execute(_RENEW, (new.journal, new.begun))
            # Before the commit: if that fails, the two disagree, and nothing is sent.
            self._file.make(new)
        except OSError as error:
            raise explain(error, self._file.path) from error

    def _read(self, connection: sqlite3.Connection) -> Evidence:
        # The mark first: it follows the journal.
        mark = self._file.read()
        lineage = read_lineage(connection)
        place = self._file.place
        return Evidence(where=str(self._path), lineage=lineage, mark=mark, place=place)

    def _make_sure(self, connection: sqlite3.Connection) -> None:
        """Have a mark, and have the journal say so."""
        present = self.present(connection)
        if present.mark is None:
            lineage = present.lineage
            try:
                self._file.make(Mark(lineage.id, lineage.begun, present.place))
            except OSError as error:
                raise explain(error, self._file.path) from error
        if not present.lineage.marked:
            connection.execute("UPDATE journal SET marked = 1")


def read_lineage(connection: sqlite3.Connection) -> Lineage:
    """Return what the journal holds about itself."""
    row = connection.execute(_LINEAGE).fetchone()
    if row is None:
        raise Undecodable("the row of table journal is missing")
    identity, begun, begun_at, marked = row
    at = None if begun_at is None else moment_of(begun_at)
    return Lineage(str(identity), int(begun), at, bool(marked))


def read_gaps(connection: sqlite3.Connection) -> tuple[Gap, ...]:
    """Return the gaps that were noted, in that order."""
    rows = connection.execute(_GAPS).fetchall()
    return tuple(
        Gap(
            moment_of(until), moment_of(since) if since else None, Uptime(str(boot), float(seconds))
        )
        for until, since, boot, seconds in rows
    )


__all__ = ["Marking"]
