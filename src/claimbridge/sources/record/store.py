"""Where the record is: a journal's file, or this process's memory; and whose turn it is there."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import io
import os
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from claimbridge.clock import SYSTEM, Clock
from claimbridge.errors import NotDelivered
from claimbridge.journal import forks
from claimbridge.journal.forks import Forkable
from claimbridge.journal.sqlite import journal_file, schema
from claimbridge.journal.sqlite.connections import Connections
from claimbridge.journal.sqlite.failures import explained
from claimbridge.journal.sqlite.group import GroupCommit


class RecordStore(Forkable):
    """The tables, opened; what the record keeps in them is told by those built on it."""

    def __init__(self, path: Path | None, *, clock: Clock = SYSTEM, timeout: float = 10.0) -> None:
        self._path = journal_file.ensure_file(path) if path is not None else None
        self._clock = clock
        self._timeout = timeout
        self._set_up()
        if isinstance(self._store, Connections):
            self._store.prepare()
            forks.watch(self)

    @contextlib.contextmanager
    def turn(self, source: str) -> Iterator[None]:
        """Hold the one pass of a source, among all processes on this file.

        Raises NotDelivered CB-539 when another pass of it is under way: it does this one's work.
        """
        if self._path is None:
            yield
            return
        mark = hashlib.sha256(source.encode("utf-8", "backslashreplace")).hexdigest()[:16]
        lock = self._path.with_name(f"{self._path.name}-intake-{mark}")
        try:
            file = io.FileIO(lock, opener=_opener)
        except OSError as error:
            raise explained(error, self._path) from error
        self._turns.add(file)
        try:
            try:
                _lock(file, source)
                yield
            finally:
                self._give_back(file)
        finally:
            self._give_back(file)  # where the first was interrupted

    def _give_back(self, file: io.FileIO) -> None:
        """End a pass; again: nothing."""
        if not file.closed:
            # Unlocked by name: closing alone would leave the lock with a copy in a forked child.
            with contextlib.suppress(OSError):
                fcntl.flock(file, fcntl.LOCK_UN)
            file.close()
        self._turns.discard(file)

    def close(self) -> None:
        """Let go of the file; closing twice does no harm."""
        self._store.close()

    def pause(self) -> None:
        """Before a fork: close the connections."""
        self._store.pause()

    def resume(self) -> None:
        """After a fork, in the parent: go on."""
        self._store.resume()

    def renew(self) -> None:
        """After a fork, in the child: open connections of its own, and have no pass."""
        for file in list(self._turns):
            file.close()  # not unlocked: the pass is the parent's, and ends with it
        self._set_up()

    def _set_up(self) -> None:
        self._turns: set[io.FileIO] = set()
        if self._path is None:
            self._store: Store = Memory()
        else:
            self._store = Connections(self._path, timeout=self._timeout)
        path = self._path or Path("memory:")
        self._writes = GroupCommit(self._store.writing, path, most=256)


class Store(Protocol):
    """Where the tables are: a file, or this process's memory."""

    def reading(self) -> contextlib.AbstractContextManager[sqlite3.Connection]:
        """Lend a connection for one statement."""
        ...

    def writing(self) -> contextlib.AbstractContextManager[sqlite3.Connection]:
        """Lend a connection inside a transaction, committed at the end, else rolled back."""
        ...

    def pause(self) -> None:
        """Wait until nothing is lent, and lend nothing until ``resume``."""
        ...

    def resume(self) -> None:
        """Lend again."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


class Memory:
    """One connection to tables in memory, lent to one thread at a time."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(
            ":memory:", isolation_level=None, check_same_thread=False
        )
        schema.bring_up(self._connection, Path("memory:"))

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Lend the connection."""
        with self._lock:
            yield self._connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Lend it inside a transaction."""
        with self._lock:
            self._connection.execute("BEGIN")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise

    def pause(self) -> None:
        """Memory is never watched for forks."""

    def resume(self) -> None:
        """Memory is never watched for forks."""

    def close(self) -> None:
        """Forget everything."""
        self._connection.close()


def _opener(path: str, _: int) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _lock(file: io.FileIO, source: str) -> None:
    try:
        # The kernel drops it with the process, however that ends.
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise NotDelivered(
            f"another pass of source {source} is under way; wait for its end", code="CB-539"
        ) from None


__all__ = ["RecordStore"]
