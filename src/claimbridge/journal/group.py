"""Group commit: writes of many threads share one transaction, and so one sync of the disk.

The first thread that comes leads: it runs every write that waits, each in a savepoint of its
own, commits once, and wakes the others. While it commits, the next group gathers.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from claimbridge.errors import JournalError
from claimbridge.journal.failures import damaged, explained, repeated
from claimbridge.journal.rows import Undecodable

T = TypeVar("T")
Transaction = Callable[[], contextlib.AbstractContextManager[sqlite3.Connection]]


class GroupCommit:
    """Runs writes in shared transactions.

    ``transaction`` opens one on the journal at ``path``; ``most`` is how many writes may share
    one (1: each has its own).
    """

    def __init__(self, transaction: Transaction, path: Path, *, most: int) -> None:
        self._transaction = transaction
        self._path = path
        self._most = most
        self._turn = threading.Condition(threading.Lock())
        self._waiting: deque[_Write] = deque()
        self._led = False

    def write(self, operation: Callable[[sqlite3.Connection], T]) -> T:
        """Return what ``operation`` returns, once that is durable.

        What it raises undoes it alone; a commit that fails undoes the whole group, and raises
        JournalError in each of its threads.
        """
        results: list[T] = []
        mine = _Write(lambda connection: results.append(operation(connection)))
        with self._turn:
            self._waiting.append(mine)
        while group := self._group_to_lead(mine):
            self._lead(group)
        if mine.failure is not None:
            raise mine.failure
        return results[0]

    def _group_to_lead(self, mine: _Write) -> Sequence[_Write]:
        """Wait for the lead, and return the writes to run; none once ``mine`` is settled."""
        with self._turn:
            try:
                while self._led and not mine.settled:
                    self._turn.wait()
            except BaseException:  # interrupted: what has not begun must not begin unattended
                with contextlib.suppress(ValueError):
                    self._waiting.remove(mine)
                raise
            if mine.settled:
                return ()
            self._led = True
            return [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]

    def _lead(self, group: Sequence[_Write]) -> None:
        try:
            with self._transaction() as connection:
                for write in group:
                    write.run(connection, self._path)
        except JournalError as error:
            for write in group:
                write.failure = repeated(error)
        except BaseException:
            for write in group:
                write.failure = JournalError(
                    f"writing to journal {self._path} was interrupted; read again what it holds"
                )
            raise
        finally:
            with self._turn:
                for write in group:
                    write.settled = True
                self._led = False
                self._turn.notify_all()


class _Write:
    """One operation that waits for its transaction."""

    def __init__(self, operation: Callable[[sqlite3.Connection], None]) -> None:
        self._operation = operation
        self.settled = False
        self.failure: Exception | None = None

    def run(self, connection: sqlite3.Connection, path: Path) -> None:
        """Run inside a savepoint; keep what it raises, unless the transaction fell with it."""
        connection.execute("SAVEPOINT one")
        try:
            self._operation(connection)
        except Exception as error:
            self.failure = _told(error, path)
            # A full disk or a failed read can roll everything back by itself.
            if not connection.in_transaction:
                raise
            connection.execute("ROLLBACK TO one")
        connection.execute("RELEASE one")


def _told(error: Exception, path: Path) -> Exception:
    if isinstance(error, sqlite3.Error):
        told = explained(error, path)
    elif isinstance(error, Undecodable):
        told = damaged(path, str(error))
    else:
        return error
    told.__cause__ = error
    return told


__all__ = ["GroupCommit"]
