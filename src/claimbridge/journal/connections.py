"""Connections to one SQLite file: lent to one thread at a time, and closed before a fork."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from claimbridge.errors import JournalError
from claimbridge.journal import rules, schema
from claimbridge.journal.failures import PLACE, damaged, explained
from claimbridge.journal.owners import turn_to_write
from claimbridge.journal.rows import Undecodable

_KEPT: Final = 8
"""Idle connections kept open; more are opened while more threads read at once."""


class Connections:
    """Lends connections to the journal at ``path``; ``timeout`` is the wait for locks, in seconds.

    What SQLite raises while a connection is lent leaves as JournalError.
    """

    def __init__(self, path: Path, *, timeout: float) -> None:
        self._path = path
        self._timeout = timeout
        self._returned = threading.Condition(threading.Lock())
        self._idle: list[sqlite3.Connection] = []
        self._lent = 0
        self._pausing = False
        self._closed = False
        self._file = _identity(path)

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
            connection.execute("BEGIN IMMEDIATE")
            try:
                schema.is_current(connection, self._path)
                yield connection
                connection.execute("COMMIT")
                committed()
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Close idle connections now and lent ones when they come back."""
        with self._returned:
            self._closed = True
            self._close_idle()

    def pause(self) -> None:
        """Wait until nothing is lent, close everything, and lend nothing until ``resume``."""
        self._returned.acquire()
        self._pausing = True
        while self._lent:
            self._returned.wait()
        self._close_idle()

    def resume(self) -> None:
        """Lend again, after ``pause`` in the same thread."""
        self._pausing = False
        self._returned.notify_all()
        self._returned.release()

    @contextlib.contextmanager
    def _lent_connection(self) -> Iterator[sqlite3.Connection]:
        connection = self._take()
        sound = False
        try:
            yield connection
            sound = True
        except sqlite3.Error as error:
            raise explained(error, self._path) from error
        except Undecodable as error:
            raise damaged(self._path, str(error)) from error
        finally:
            self._give_back(connection, sound=sound)

    def _take(self) -> sqlite3.Connection:
        with self._returned:
            while self._pausing:
                self._returned.wait()
            if self._closed:
                raise rules.misuse("the journal is closed")
            self._lent += 1
            if self._idle:
                return self._idle.pop()
        try:
            return self._connect()
        except BaseException as error:
            with self._returned:
                self._lent -= 1
                self._returned.notify_all()
            if isinstance(error, sqlite3.Error):
                raise explained(error, self._path) from error
            raise

    def _give_back(self, connection: sqlite3.Connection, *, sound: bool) -> None:
        with self._returned:
            self._lent -= 1
            if sound and not self._closed and len(self._idle) < _KEPT:
                self._idle.append(connection)
            else:
                # Closing rolls back what is open; a connection that met an error is not trusted.
                connection.close()
            self._returned.notify_all()

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

    def _close_idle(self) -> None:
        while self._idle:
            self._idle.pop().close()


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


__all__ = ["Connections"]
