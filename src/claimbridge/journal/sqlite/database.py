"""One SQLite file for threads, processes and forks: what it is read by, and group commits."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, TypeVar

from claimbridge.journal import forks
from claimbridge.journal.forks import Forkable
from claimbridge.journal.sqlite.connections import Connections
from claimbridge.journal.sqlite.group import GroupCommit

T = TypeVar("T")

_TIMEOUT: Final = 10.0
_GROUP: Final = 256


class CommitHooks:
    """What goes with each transaction of a database; this one does nothing."""

    def open(self) -> None:
        """It begins."""

    def close(self, connection: sqlite3.Connection) -> None:
        """It is about to be committed."""

    def committed(self) -> None:
        """It was committed, and the turn to write is still held."""


class Database(Forkable):
    """The file at ``path``, which exists, with our tables in it.

    ``timeout`` is how many seconds a write waits for other programs; ``group`` how many writes of
    this process may share one transaction. Raises JournalError when the file cannot be used.
    """

    def __init__(
        self,
        path: Path,
        *,
        timeout: float = _TIMEOUT,
        group: int = _GROUP,
        hooks: CommitHooks | None = None,
    ) -> None:
        self._path = path
        self._timeout = timeout
        self._group = group
        self._hooks = hooks or CommitHooks()
        self._closed = False
        self._set_up()
        self._connections.prepare()
        forks.watch(self)

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection for one statement."""
        with self._connections.reading() as connection:
            yield connection

    def write(self, operation: Callable[[sqlite3.Connection], T]) -> T:
        """Return what ``operation`` returns, once that is synced; what it raises undoes it."""
        return self._writes.write(operation)

    def check_file(self) -> None:
        """Refuse a file that has been moved away (CB-227)."""
        self._connections.check_file()

    def close(self) -> None:
        """Close all connections; closing twice does no harm."""
        self._closed = True
        self._connections.close()

    def pause(self) -> None:
        """Before a fork: close the connections."""
        self._connections.pause()

    def resume(self) -> None:
        """After a fork, in the parent: go on."""
        self._connections.resume()

    def renew(self) -> None:
        """After a fork, in the child: have connections of its own, and no group under way."""
        self._set_up()
        if self._closed:
            self._connections.close()

    def _set_up(self) -> None:
        self._connections = Connections(self._path, timeout=self._timeout)
        self._writes = GroupCommit(self._transaction, self._path, most=self._group)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._connections.writing(self._hooks.committed) as connection:
            self._hooks.open()
            yield connection
            self._hooks.close(connection)


__all__ = ["CommitHooks", "Database"]
