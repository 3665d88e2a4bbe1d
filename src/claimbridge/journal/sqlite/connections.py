"""Connections to one SQLite file: lent to one thread at a time, and closed before a fork."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from claimbridge.errors import JournalError
from claimbridge.journal import rules
from claimbridge.journal.sqlite import schema
from claimbridge.journal.sqlite.failures import PLACE, damage, explain
from claimbridge.journal.sqlite.locks import turn_to_write
from claimbridge.journal.sqlite.values import Undecodable
from claimbridge.turns import Turn

_IDLE: Final = 8
"""Idle connections kept open; more are opened while more threads read at once."""


_LARGE_WAL: Final = 64 * 1024 * 1024
"""Bytes of the ``-wal`` file from which on somebody is told of the reader that keeps it large."""

log = logging.getLogger("claimbridge.journal")


class Connections:
    """Lends connections to the journal at ``path``; ``timeout`` is the wait for locks, in seconds.

    What SQLite raises while a connection is lent leaves as JournalError.
    """

    def __init__(self, path: Path, *, timeout: float) -> None:
        self._path = path
        self._timeout = timeout
        self._turn = Turn()
        self._idle: list[sqlite3.Connection] = []
        self._lent: set[_Loan] = set()
        self._pausing = False
        self._closed = False
        self._file = _identity(path)
        self._wal = path.with_name(f"{path.name}-wal")
        self._warn_at = _LARGE_WAL

    def prepare(self) -> None:
        """Bring the file's tables up to the present version."""
        with self._lent_connection() as connection:
            if not schema.is_current(connection, self._path):
                with turn_to_write(self._path, self._timeout):
                    schema.bring_up(connection, self._path)

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection for one statement."""
        with self._lent_connection() as connection:
            yield connection

    @contextlib.contextmanager
    def writing(self, committed: Callable[[], None] = lambda: None) -> Iterator[sqlite3.Connection]:
        """Lend a connection inside a write transaction, committed at the end, else rolled back.

        ``committed`` is called after the commit, while the turn to write is still held.
        """
        # The connection first: ``pause`` waits for it, so that no fork copies the turn's lock.
        with self._lent_connection() as connection, turn_to_write(self._path, self._timeout):
            self.check_file()
            try:
                try:
                    connection.execute("BEGIN IMMEDIATE")
                    schema.is_current(connection, self._path)
                    yield connection
                    connection.execute("COMMIT")
                    committed()
                finally:
                    _undo(connection)
            finally:
                _undo(connection)  # where the first was interrupted
            self._watch_wal()

    def close(self) -> None:
        """Close idle connections now and lent ones when they come back."""
        with self._turn.hold():
            self._closed = True
            self._close_idle()

    def pause(self) -> None:
        """Wait until nothing is lent, close everything, and lend nothing until ``resume``."""
        self._turn.take()
        self._pausing = True
        while self._lent:
            self._turn.wait()
        self._close_idle()

    def resume(self) -> None:
        """Lend again, after ``pause`` in the same thread."""
        self._pausing = False
        self._turn.wake_all()
        self._turn.give_back()

    @contextlib.contextmanager
    def _lent_connection(self) -> Iterator[sqlite3.Connection]:
        loan = _Loan()
        try:
            try:
                yield self._lend(loan)
                loan.sound = True
            except sqlite3.Error as error:
                raise explain(error, self._path) from error
            except Undecodable as error:
                raise damage(self._path, str(error)) from error
            finally:
                self._take_back(loan)
        finally:
            self._take_back(loan)  # where the first was interrupted

    def _lend(self, loan: _Loan) -> sqlite3.Connection:
        with self._turn.hold():
            while self._pausing:
                self._turn.wait()
            if self._closed:
                raise rules.misuse("the journal is closed")
            self._lent.add(loan)
            if self._idle:
                loan.connection = self._idle.pop()
        if loan.connection is None:
            loan.connection = self._connect()
        return loan.connection

    def _take_back(self, loan: _Loan) -> None:
        """Take a connection back; again: nothing."""
        with self._turn.hold():
            connection, loan.connection = loan.connection, None
            if connection is not None and loan.sound and self._has_room:
                self._idle.append(connection)
            elif connection is not None:
                # Closing rolls back what is open; a connection that met an error is not trusted.
                connection.close()
            self._lent.discard(loan)
            self._turn.wake_all()

    @property
    def _has_room(self) -> bool:
        return not self._closed and len(self._idle) < _IDLE

    def _connect(self) -> sqlite3.Connection:
        # mode=rw: a file that has vanished is an error, never silently a new and empty one.
        connection = sqlite3.connect(
            f"{self._path.as_uri()}?mode=rw",
            uri=True,
            timeout=self._timeout,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            connection.execute("PRAGMA synchronous = FULL")
            # macOS: fsync() alone leaves data in the drive's cache (F_FULLFSYNC does not).
            connection.execute("PRAGMA fullfsync = ON")
            connection.execute("PRAGMA checkpoint_fullfsync = ON")
            connection.execute("PRAGMA foreign_keys = ON")
            # What a reader that stayed long has let the -wal grow to is given back to the disk.
            connection.execute(f"PRAGMA journal_size_limit = {_LARGE_WAL}")
        except BaseException:
            connection.close()
            raise
        return connection

    def check_file(self) -> None:
        """Refuse a file that has been moved away: its path holds another, or none (CB-227)."""
        if _identity(self._path) != self._file:
            raise JournalError(
                f"journal {self._path} was moved, replaced or deleted while in use; put it back "
                "and open it anew. Nothing was written",
                code=PLACE,
            )

    def _watch_wal(self) -> None:
        """Warn, at each doubling, of a ``-wal`` that grows because a program reads on and on.

        No reader of ours does: each reads a page, in one statement.
        """
        with contextlib.suppress(OSError):
            size = self._wal.stat().st_size
            if size < self._warn_at:
                return
            self._warn_at = 2 * size
            log.warning(
                "%s has grown to %d MB: a program reads this journal without an end (an open "
                "sqlite3 shell, a backup that hangs); close it before the disk is full",
                self._wal,
                size // 1_000_000,
            )

    def _close_idle(self) -> None:
        while self._idle:
            self._idle.pop().close()


class _Loan:
    """A connection while it is lent; ``sound`` once nothing went wrong with it."""

    def __init__(self) -> None:
        self.connection: sqlite3.Connection | None = None
        self.sound = False


def _undo(connection: sqlite3.Connection) -> None:
    """Roll back what is open; nothing is, once it was committed."""
    if connection.in_transaction:
        connection.execute("ROLLBACK")


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


__all__ = ["Connections"]
