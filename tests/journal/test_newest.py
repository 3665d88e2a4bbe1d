"""The mark beside a journal: it follows every begin, and tells a journal that went backwards."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.journal.samples import LEDGER, submission

from claimbridge.errors import JournalError
from claimbridge.journal import SqliteJournal
from claimbridge.journal.sqlite.marks import MarkFile

ROOT = Path(__file__).parents[2]
BEGIN = """
import os, signal, sys
from pathlib import Path
from tests.journal.samples import LEDGER, submission
from claimbridge.journal import SqliteJournal
from claimbridge.journal.sqlite.marks import MarkFile
path, name, count, killed = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), bool(sys.argv[4])
journal = SqliteJournal(path)
if killed:
    MarkFile.write = lambda self, mark: os.kill(os.getpid(), signal.SIGKILL)
for number in range(count):
    claim_id = f"{name}{number}"
    assert journal.begin(journal.history(LEDGER, claim_id), [submission(claim_id)])
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the journal is."""
    (tmp_path / "journal").mkdir()
    return tmp_path / "journal" / "claims.db"


@pytest.fixture
def journal(path: Path) -> Iterator[SqliteJournal]:
    """A journal in a file, through which one claim was sent."""
    opened = SqliteJournal(path)
    begin(opened, "first")
    yield opened
    opened.close()


def begin(journal: SqliteJournal, claim_id: str) -> None:
    """Begin the sending of a claim."""
    assert journal.begin(journal.history(LEDGER, claim_id), [submission(claim_id)])


def process(path: Path, name: str, count: int, how: str = "") -> subprocess.Popen[bytes]:
    """Start a process that begins so many claims."""
    command = [sys.executable, "-c", BEGIN, str(path), name, str(count), how]
    return subprocess.Popen(command, cwd=ROOT)


def refused(path: Path) -> str:
    """Return the code with which another begin is refused; "" where it is not."""
    opened = SqliteJournal(path)
    try:
        begin(opened, "another")
    except JournalError as error:
        assert not opened.continuity().is_newest
        assert opened.history(LEDGER, "another").version == 0
        assert opened.select(LEDGER) is not None
        return error.code
    finally:
        opened.close()
    return ""


def test_killed_before_the_mark(path: Path, journal: SqliteJournal) -> None:
    """A mark that is behind is no alarm: the next begin brings it up."""
    before = MarkFile(path).read()
    killed = process(path, "K", 1, "killed")
    assert killed.wait() == -signal.SIGKILL
    assert MarkFile(path).read() == before
    assert journal.continuity().is_newest
    assert refused(path) == ""
    mark = MarkFile(path).read()
    assert mark is not None
    assert mark.begun == 3


def test_several_processes_write_one_mark(path: Path, journal: SqliteJournal) -> None:
    """It is never lowered, and in the end it is the journal's own count."""
    workers = [process(path, name, 20) for name in "AB"]
    seen = 0
    while any(worker.poll() is None for worker in workers):
        mark = MarkFile(path).read()
        assert mark is not None
        assert mark.begun >= seen
        seen = mark.begun
        assert journal.continuity().is_newest
    assert [worker.wait() for worker in workers] == [0, 0]
    mark = MarkFile(path).read()
    assert mark is not None
    assert mark.begun == 41


@pytest.mark.parametrize("content", [b"", b"claimbridge journal\n", bytes(200)])
def test_a_mark_that_cannot_be_read(path: Path, journal: SqliteJournal, content: bytes) -> None:
    """It is no proof of anything, so that nothing is begun."""
    MarkFile(path).path.write_bytes(content)
    assert refused(path) == "CB-235"


def test_a_mark_that_cannot_be_written(path: Path, journal: SqliteJournal) -> None:
    """Nothing is begun without it, and nothing is left in the air."""
    mark = MarkFile(path).path
    mark.unlink()
    mark.mkdir()
    with pytest.raises(JournalError):
        begin(journal, "second")
    assert journal.history(LEDGER, "second").version == 0


@pytest.mark.parametrize("how", ["vacuum", "moved", "renamed"])
def test_where_a_journal_goes(path: Path, journal: SqliteJournal, tmp_path: Path, how: str) -> None:
    """A copy is another one; moved with its mark it is the same, without it is not."""
    journal.close()
    place = tmp_path / "elsewhere.db"
    if how == "vacuum":
        with sqlite3.connect(path) as connection:
            connection.execute(f"VACUUM INTO '{place}'")
        connection.close()
        assert refused(place) == "CB-235"
        assert refused(path) == ""
        return
    path.rename(place)
    if how == "moved":
        MarkFile(path).path.rename(MarkFile(place).path)
    assert refused(place) == ("" if how == "moved" else "CB-235")


def test_newest_again(path: Path, journal: SqliteJournal, tmp_path: Path) -> None:
    """One copy may be made the newest; the other is then an older one."""
    journal.close()
    copy = tmp_path / "copy.db"
    with sqlite3.connect(path) as source, sqlite3.connect(copy) as target:
        source.backup(target)
    source.close()
    target.close()
    second = SqliteJournal(path)
    begin(second, "second")
    second.close()
    for beside in ("-wal", "-shm"):
        Path(f"{path}{beside}").unlink(missing_ok=True)
    shutil.copyfile(copy, path)
    assert refused(path) == "CB-235"
    restored = SqliteJournal(path)
    restored.make_newest()
    restored.close()
    assert refused(path) == ""


def test_a_journal_of_before_has_no_mark_and_is_not_new(path: Path) -> None:
    """One that was in use before there were marks goes on without a question."""
    first = SqliteJournal(path)
    assert first.is_new(LEDGER)
    begin(first, "C1")
    first.close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE journal SET marked = 0")
    connection.close()
    MarkFile(path).path.unlink()
    opened = SqliteJournal(path)
    assert not opened.is_new(LEDGER)
    opened.close()
    assert refused(path) == ""
