"""Where the record is: a journal's file, or this process's memory; and whose turn it is there."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from claimbridge.clock import SYSTEM, Clock
from claimbridge.errors import NotDelivered
from claimbridge.journal import forks, place, schema
from claimbridge.journal.connections import Connections
from claimbridge.journal.failures import explained
from claimbridge.journal.group import GroupCommit


class RecordStore:
    """The tables, opened; what the record keeps in them is told by those built on it."""

    def __init__(self, path: Path | None, *, clock: Clock = SYSTEM, timeout: float = 10.0) -> None:
        self._path = place.settled(path) if path is not None else None
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
            descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise explained(error, self._path) from error
        try:
            _lock(descriptor, source)
            yield
        finally:
            os.close(descriptor)

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
        """After a fork, in the child: open connections of its own."""
        self._set_up()

    def _set_up(self) -> None:
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


def _lock(descriptor: int, source: str) -> None:
    try:
        # The kernel drops it with the process, however that ends.
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise NotDelivered(
            f"another pass of source {source} is under way; wait for its end", code="CB-539"
        ) from None


__all__ = ["RecordStore"]
