"""The record's store in the file of a SQLite journal, and in this process's memory."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, TypeVar

from claimbridge.journal.sqlite import schema
from claimbridge.journal.sqlite.database import Database
from claimbridge.journal.sqlite.group import GroupCommit
from claimbridge.sources.record.ports import RecordRows
from claimbridge.sources.record.sqlite.arrival_rows import SqliteArrivalRows
from claimbridge.sources.record.sqlite.message_rows import SqliteMessageRows
from claimbridge.sources.record.sqlite.passes import FilePasses
from claimbridge.sources.record.sqlite.write_back_rows import SqliteWriteBackRows

T = TypeVar("T")


class SqliteRows:
    """``RecordRows`` by one connection."""

    def __init__(self, connection: sqlite3.Connection, *, has_journal: bool) -> None:
        self.arrivals: Final = SqliteArrivalRows(connection, has_journal=has_journal)
        self.messages: Final = SqliteMessageRows(connection)
        self.write_backs: Final = SqliteWriteBackRows(connection)


class SqliteRecordStore:
    """A ``RecordStore`` in the file at ``path``; ``timeout`` is as ``Database`` has it."""

    def __init__(self, path: Path, *, timeout: float = 10.0) -> None:
        self._database = Database(path, timeout=timeout)
        self._passes = FilePasses(path)

    def read(self, look: Callable[[RecordRows], T]) -> T:
        """Return what ``look`` returns."""
        with self._database.reading() as connection:
            return look(SqliteRows(connection, has_journal=True))

    def write(self, work: Callable[[RecordRows], T]) -> T:
        """Return what ``work`` returns, once that is synced."""
        return self._database.write(
            lambda connection: work(SqliteRows(connection, has_journal=True))
        )

    def turn(self, source: str) -> contextlib.AbstractContextManager[None]:
        """Hold the one pass of a source, among all processes on this file."""
        return self._passes.turn(source)

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()


class MemoryRecordStore:
    """A ``RecordStore`` in SQLite's own memory, without a journal beside it."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(
            ":memory:", isolation_level=None, check_same_thread=False
        )
        place = Path("memory:")
        schema.bring_up(self._connection, place)
        self._writes = GroupCommit(self._transaction, place, most=1)

    def read(self, look: Callable[[RecordRows], T]) -> T:
        """Return what ``look`` returns."""
        with self._lock:
            return look(SqliteRows(self._connection, has_journal=False))

    def write(self, work: Callable[[RecordRows], T]) -> T:
        """Return what ``work`` returns."""
        return self._writes.write(
            lambda connection: work(SqliteRows(connection, has_journal=False))
        )

    def turn(self, source: str) -> contextlib.AbstractContextManager[None]:
        """Do nothing: nobody else has this memory."""
        return contextlib.nullcontext()

    def close(self) -> None:
        """Forget everything."""
        self._connection.close()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._connection.execute("BEGIN")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise


__all__ = ["MemoryRecordStore", "SqliteRecordStore", "SqliteRows"]
