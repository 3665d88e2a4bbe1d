"""Group commit: many threads share a transaction, and only what failed has failed."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from claimbridge.errors import JournalError
from claimbridge.journal.sqlite.connections import Connections
from claimbridge.journal.sqlite.group import GroupCommit


class Counted:
    """A group commit on a table of unique numbers, with its transactions counted.

    The first write holds its transaction open until ``gathered`` others wait.
    """

    def __init__(self, path: Path, most: int) -> None:
        path.touch()
        self.connections = Connections(path, timeout=5)
        self.connections.prepare()
        with self.connections.writing() as connection:
            connection.execute("CREATE TABLE parents (id INTEGER PRIMARY KEY)")
            connection.execute(
                "CREATE TABLE numbers (number UNIQUE, parent REFERENCES parents"
                " DEFERRABLE INITIALLY DEFERRED)"
            )
        self.transactions = 0
        self.group = GroupCommit(self.counted, path, most=most)

    @contextlib.contextmanager
    def counted(self) -> Iterator[sqlite3.Connection]:
        with self.connections.writing() as connection:
            self.transactions += 1
            yield connection

    def together(self, *operations: Callable[[sqlite3.Connection], object]) -> list[object]:
        """Run operations in threads that all wait for the same commit; return their ends."""
        ends: list[object] = [None] * len(operations)

        def work(index: int) -> None:
            try:
                ends[index] = self.group.write(operations[index])
            except Exception as error:  # noqa: BLE001 - it is what the test looks at
                ends[index] = error

        def hold(connection: sqlite3.Connection) -> None:
            threads.extend(threading.Thread(target=work, args=(i,)) for i in range(len(ends)))
            for thread in threads:
                thread.start()
            while len(self.group._waiting) < len(ends):
                pass

        threads: list[threading.Thread] = []
        self.group.write(hold)
        for thread in threads:
            thread.join(timeout=30)
        return ends

    def numbers(self) -> list[int]:
        with self.connections.reading() as connection:
            found = connection.execute("SELECT number FROM numbers ORDER BY number").fetchall()
        return [number for (number,) in found]


def insert(number: int, parent: int | None = None) -> Callable[[sqlite3.Connection], int]:
    def operation(connection: sqlite3.Connection) -> int:
        connection.execute("INSERT INTO numbers VALUES (?, ?)", (number, parent))
        return number

    return operation


@pytest.fixture
def counted(tmp_path: Path) -> Iterator[Counted]:
    made = Counted(tmp_path / "claims.db", most=256)
    yield made
    made.connections.close()


def test_threads_share_a_transaction(counted: Counted) -> None:
    """Writes that wait together are committed together, each with its own result."""
    ends = counted.together(*(insert(number) for number in range(20)))
    assert ends == list(range(20))
    assert counted.transactions == 2
    assert counted.numbers() == list(range(20))


def test_a_group_is_bounded(tmp_path: Path) -> None:
    """No more than ``most`` writes share a transaction; with 1 each has its own."""
    counted = Counted(tmp_path / "claims.db", most=1)
    assert counted.together(*(insert(number) for number in range(5))) == list(range(5))
    assert counted.transactions == 6
    counted.connections.close()


def test_a_failing_write_fails_alone(counted: Counted) -> None:
    """What one write raises undoes all of that one, and nothing of its neighbours."""

    def twofold(connection: sqlite3.Connection) -> None:
        insert(7)(connection)
        raise JournalError("no", code="CB-228")

    def broken(connection: sqlite3.Connection) -> None:
        insert(8)(connection)
        connection.execute("nonsense")

    ends = counted.together(insert(1), twofold, insert(2), broken, insert(1), insert(3))
    assert [ends[0], ends[2], ends[5]] == [1, 2, 3]
    assert [getattr(ends[index], "code", None) for index in (1, 3, 4)] == [
        "CB-228",
        "CB-220",
        "CB-220",
    ]
    assert counted.numbers() == [1, 2, 3]
    assert counted.transactions == 2


def test_a_failing_commit_fails_all(counted: Counted) -> None:
    """When the commit itself fails nothing of the group is there, and each write is told."""
    # A deferred constraint is checked by COMMIT, which then fails.
    ends = counted.together(insert(1), insert(2, parent=99), insert(3))
    assert [type(end) for end in ends] == [JournalError] * 3
    assert len({id(end) for end in ends}) == 3
    assert counted.numbers() == []
    assert counted.together(insert(1)) == [1]


def test_an_interrupted_leader_leaves_no_one_waiting(counted: Counted) -> None:
    """Ctrl-C in the thread that leads ends its group with errors, and others go on."""

    def interrupted(connection: sqlite3.Connection) -> None:
        insert(5)(connection)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        counted.group.write(interrupted)
    assert counted.numbers() == []
    assert counted.together(insert(1), insert(2)) == [1, 2]
