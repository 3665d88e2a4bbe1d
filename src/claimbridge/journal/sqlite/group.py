"""Group commit: writes of many threads share one transaction, and so one sync of the disk.

The first thread that comes leads: it runs every write that waits, each in a savepoint of its
own, commits once, and wakes the others. While it commits, the next group gathers.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from claimbridge.errors import JournalError
from claimbridge.journal.sqlite.failures import damage, explain, repeat
from claimbridge.journal.sqlite.values import Undecodable
from claimbridge.turns import Turn

T = TypeVar("T")
Transaction = Callable[[], contextlib.AbstractContextManager[sqlite3.Connection]]


class GroupCommit:
    """Runs writes in shared transactions.

    ``transaction`` opens one on the journal at ``path``; ``most`` is how many writes may share
    one (1: each has its own). An exception from outside, at any line, ends the write of its own
    thread, and tells those of its group; the next write finds nothing in its way.
    """

    def __init__(self, transaction: Transaction, path: Path, *, most: int) -> None:
        self._transaction = transaction
        self._path = path
        self._most = most
        self._turn = Turn()
        self._waiting: list[_Write] = []
        self._leader: _Write | None = None
        self._group: Sequence[_Write] = ()

    def write(self, operation: Callable[[sqlite3.Connection], T]) -> T:
        """Return what ``operation`` returns, once that is durable.

        What it raises undoes it alone; a commit that fails undoes the whole group, and raises
        JournalError in each of its threads.
        """
        results: list[T] = []
        mine = _Write(lambda connection: results.append(operation(connection)))
        try:
            try:
                self._join(mine)
                while group := self._group_to_lead(mine):
                    self._lead(group)
                    self._end_lead(mine)
            finally:
                self._leave(mine)
        finally:
            self._leave(mine)  # where the first was interrupted
        if mine.failure is not None:
            raise mine.failure
        return results[0]

    def _join(self, mine: _Write) -> None:
        with self._turn.hold():
            self._waiting.append(mine)

    def _group_to_lead(self, mine: _Write) -> Sequence[_Write]:
        """Wait for the lead, and return the writes to run; none once ``mine`` is settled."""
        with self._turn.hold():
            while self._leader is not None and not mine.done:
                self._turn.wait()
            if mine.done:
                return ()
            self._leader = mine
            self._group = [one for one in self._waiting if not one.done][: self._most]
            return self._group

    def _lead(self, group: Sequence[_Write]) -> None:
        """Run the writes, and commit once."""
        try:
            with self._transaction() as connection:
                for write in group:
                    write.run(connection, self._path)
        except JournalError as error:
            for write in group:
                write.failure = repeat(error)
        for write in group:
            write.done = True

    def _end_lead(self, mine: _Write) -> None:
        """Give up the lead, and whatever of its group has not been settled; again: nothing."""
        with self._turn.hold():
            if self._leader is mine:
                for write in self._group:
                    write.give_up(self._path)
                self._leader = None
            self._waiting = [one for one in self._waiting if not one.done]
            self._turn.wake_all()

    def _leave(self, mine: _Write) -> None:
        """Let nothing of ``mine`` be left: what has not begun must not begin unattended."""
        with self._turn.hold():
            self._waiting = [one for one in self._waiting if one is not mine]
        self._end_lead(mine)


class _Write:
    """One operation that waits for its transaction."""

    def __init__(self, operation: Callable[[sqlite3.Connection], None]) -> None:
        self._operation = operation
        self.done = False
        self.failure: Exception | None = None

    def run(self, connection: sqlite3.Connection, path: Path) -> None:
        """Run inside a savepoint; keep what it raises, unless the transaction fell with it."""
        connection.execute("SAVEPOINT one")
        try:
            self._operation(connection)
        except Exception as error:
            self.failure = _our_error(error, path)
            # A full disk or a failed read can roll everything back by itself.
            if not connection.in_transaction:
                raise
            connection.execute("ROLLBACK TO one")
        connection.execute("RELEASE one")

    def give_up(self, path: Path) -> None:
        """Settle it, unless it is, as one of which is not known whether it was written."""
        if not self.done:
            self.failure = JournalError(
                f"writing to journal {path} was interrupted; read again what it holds"
            )
            self.done = True


def _our_error(error: Exception, path: Path) -> Exception:
    if isinstance(error, sqlite3.Error):
        ours = explain(error, path)
    elif isinstance(error, Undecodable):
        ours = damage(path, str(error))
    else:
        return error
    ours.__cause__ = error
    return ours


__all__ = ["GroupCommit"]
