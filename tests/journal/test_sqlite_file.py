"""The SQLite journal and its file: what it promises, refuses, and survives."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.journal.samples import LEDGER, WORKER, SteppedClock, changed, run, submission

from claimbridge.errors import ConfigurationError, JournalError
from claimbridge.journal import MemoryJournal, SqliteJournal, open_journal
from claimbridge.journal.sqlite import journal_file, move_rows, rows, schema
from claimbridge.journal.sqlite.failures import explain
from claimbridge.model import History, JournalEntry, State


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "claims.db"


@pytest.fixture
def journal(path: Path) -> Iterator[SqliteJournal]:
    made = SqliteJournal(path, clock=SteppedClock(), timeout=0.3)
    yield made
    made.close()


@pytest.fixture
def world_readable() -> Iterator[Path]:
    """A folder that other users may enter, as pytest's own is not."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


def posted(journal: SqliteJournal, claim_id: str) -> History:
    begun = journal.begin(journal.history(LEDGER, claim_id), [submission(claim_id)])
    assert begun is not None
    entry = JournalEntry("0100000008")
    written = journal.record(begun, [changed(begun, State.POSTED, journal_entry=entry)])
    assert written is not None
    return written


def refusal(call: Callable[[], object]) -> JournalError:
    with pytest.raises(JournalError) as refused:
        call()
    return refused.value


# Opening


def test_urls_name_journals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three slashes are relative, four absolute; memory: is the journal in memory."""
    monkeypatch.chdir(tmp_path)
    for url, file in (
        ("sqlite:///claims.db", tmp_path / "claims.db"),
        (f"sqlite:///{tmp_path}/other%20#?.db", tmp_path / "other%20#?.db"),
    ):
        opened = open_journal(url)
        opened.set_cursor(LEDGER, "1")
        opened.close()
        assert file.read_bytes().startswith(b"SQLite format 3")
    assert isinstance(open_journal("memory:"), MemoryJournal)


@pytest.mark.parametrize(
    ("url", "advice"),
    [
        ("sqlite://:memory:", "use memory: instead"),
        ("sqlite:///:memory:", "use memory: instead"),
        ("sqlite://", "use memory: instead"),
        ("sqlite:///", "use memory: instead"),
        ("sqlite://claims.db", "write sqlite:///claims.db"),
        ("sqlite:////no/such/folder/claims.db", "/no/such/folder does not exist; create it"),
        ("sqlite:////tmp", "/tmp is a folder; name a file in it"),
        ("sqlite:////dev/null", "is not a regular file"),
        ("postgresql://user:secret@db/claims", "no PostgreSQL journal yet"),
        ("redis://user:secret@cache", "no journal of the kind 'redis'"),
        ("claims.db", "'claims.db' is not a URL; use sqlite:///claims.db"),
    ],
)
def test_urls_that_name_no_journal_say_what_to_write(url: str, advice: str) -> None:
    """A URL that cannot work is refused with the one that would; passwords are not repeated."""
    error = refusal(lambda: open_journal(url))
    assert isinstance(error, ConfigurationError)
    assert error.code == "CB-227"
    assert advice in str(error)
    assert "secret" not in str(error)


def test_network_file_systems_are_known() -> None:
    """The file system under a path is read from the mount table: the deepest mount, the last."""
    mounts = (
        "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/root rw\n"
        "30 22 0:40 / /srv rw shared:2 - ext4 /dev/sdb rw\n"
        "31 22 0:41 / /srv/finance\\040data rw - nfs4 filer:/finance rw\n"
        "32 30 0:42 / /srv rw,relatime - cifs //filer/srv rw\n"
    )
    assert journal_file.filesystem_of(Path("/var/lib"), mounts) == "ext4"
    assert journal_file.filesystem_of(Path("/srv/finance data/x"), mounts) == "nfs4"
    assert journal_file.filesystem_of(Path("/srv/other"), mounts) == "cifs"
    assert journal_file.filesystem_of(Path("/srvother"), mounts) == "ext4"


def test_a_network_file_system_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where locks and shared memory do not hold no journal is kept."""
    # No network file system can be mounted here: the mount table's answer is the real thing's.
    monkeypatch.setattr(journal_file, "filesystem_of", lambda folder: "nfs4")
    error = refusal(lambda: SqliteJournal(path))
    assert error.code == "CB-227"
    assert "network file system (nfs4)" in str(error)
    assert not path.exists()


def test_a_symbolic_link_is_the_file_it_names(path: Path, journal: SqliteJournal) -> None:
    """Two names of one file share its lock files, so that a living owner is seen as one."""
    link = path.parent / "elsewhere" / "link.db"
    link.parent.mkdir()
    link.symlink_to(path)
    begun = journal.begin(journal.history(LEDGER, "C1"), [submission("C1")])
    other = SqliteJournal(link)
    assert other.history(LEDGER, "C1") == begun
    other.close()


def test_a_journal_is_its_users_own(path: Path, journal: SqliteJournal) -> None:
    """A new journal, and what lies beside it, is readable to its user alone."""
    journal.begin(journal.history(LEDGER, "C1"), [submission("C1")])
    modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
    assert len(modes) == 6
    assert set(modes.values()) == {0o600}


def test_each_commit_is_synced(path: Path, journal: SqliteJournal) -> None:
    """The file is in WAL mode, and each write is followed by a sync of the -wal file."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not on this machine")
    posted(journal, "C0")
    script = (
        "import sys\n"
        "from claimbridge.journal import SqliteJournal\n"
        "journal = SqliteJournal(sys.argv[1])\n"
        "for number in range(7): journal.set_cursor('CN01', str(number))\n"
        "import os; os._exit(0)\n"
    )
    command = [strace, "-f", "-y", "-e", "trace=fsync,fdatasync"]
    traced = subprocess.run(
        [*command, sys.executable, "-c", script, str(path)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert traced.stderr.count("claims.db-wal>") == 7
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


# Versions


def raw(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        connection.execute(statement)
    connection.close()


def test_another_programs_database_is_left_as_it_is(path: Path) -> None:
    """A database that is not ours is refused and not touched, whether marked as such or not."""
    for statements in (
        ("CREATE TABLE accounts (id)",),
        ("PRAGMA application_id = 17",),
        ("PRAGMA user_version = 1",),
    ):
        path.unlink(missing_ok=True)
        raw(path, *statements)
        before = path.read_bytes()
        error = refusal(lambda: SqliteJournal(path))
        assert error.code == "CB-225"
        assert str(path) in str(error)
        assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_left_as_it_is(path: Path) -> None:
    """A file of another kind is refused and not touched; an empty one becomes a journal."""
    path.write_text("claim,amount\n" * 1000)
    assert refusal(lambda: SqliteJournal(path)).code == "CB-225"
    assert path.read_text() == "claim,amount\n" * 1000
    path.write_text("")
    SqliteJournal(path).close()
    assert path.stat().st_size


def test_a_newer_version_is_refused(path: Path, journal: SqliteJournal) -> None:
    """A journal that a newer program has migrated is refused: on opening, and in mid-use."""
    before = posted(journal, "C1")
    raw(path, f"PRAGMA user_version = {len(schema.MIGRATIONS) + 1}")
    error = refusal(lambda: SqliteJournal(path))
    assert error.code == "CB-226"
    assert "upgrade claimbridge" in str(error)
    assert refusal(lambda: journal.set_cursor(LEDGER, "1")).code == "CB-226"
    raw(path, f"PRAGMA user_version = {len(schema.MIGRATIONS)}")
    assert journal.history(LEDGER, "C1") == before
    assert journal.cursor(LEDGER) == ""


def test_migrations_are_all_or_nothing(path: Path, journal: SqliteJournal) -> None:
    """An older file gets all missing migrations in one transaction, or stays as it was."""
    before = posted(journal, "C1")
    journal.close()
    connection = sqlite3.connect(path, isolation_level=None)
    add = ("ALTER TABLE submissions ADD COLUMN period TEXT",)
    broken = ("CREATE TABLE periods (id)", "no such statement")
    with pytest.raises(sqlite3.OperationalError):
        schema.bring_up(connection, path, (*schema.MIGRATIONS, add, broken))
    assert connection.execute("PRAGMA user_version").fetchone() == (len(schema.MIGRATIONS),)
    assert "period" not in connection.execute("SELECT sql FROM sqlite_master").fetchall()
    reopened = SqliteJournal(path)
    assert reopened.history(LEDGER, "C1") == before
    reopened.close()
    schema.bring_up(connection, path, (*schema.MIGRATIONS, add))
    assert connection.execute("SELECT period FROM submissions").fetchall() == [(None,)]
    connection.close()
    assert refusal(lambda: SqliteJournal(path)).code == "CB-226"


def test_moves_are_append_only(path: Path, journal: SqliteJournal) -> None:
    """Not even SQL from outside changes or deletes a move that was recorded."""
    posted(journal, "C1")
    for statement in ("DELETE FROM moves", "UPDATE moves SET detail = 'x'"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            raw(path, statement)
    assert len(list(journal.moves(LEDGER, "C1"))) == 2


# Failures


def test_a_full_file_system_loses_nothing(tmp_path: Path) -> None:
    """When no more can be written, all that was promised is there and nothing is half there."""
    lines = run("fill", tmp_path / "claims.db", 1_500_000)
    check_filled(lines, tmp_path / "claims.db")


def test_a_full_disk_loses_nothing(peer: Callable[..., str], tmp_path: Path) -> None:
    """The same on a real file system without space, mounted for the purpose."""
    unshare = peer("unshare", "-rm", "sh", "-c", "mount -t tmpfs -o size=300k none /mnt")
    script = f"""
        mount -t tmpfs -o size=2m none /mnt
        {sys.executable} {WORKER} fill /mnt/claims.db 0
        cp /mnt/claims.db* {tmp_path}
    """
    command = [unshare, "-rm", "sh", "-ec", script]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    check_filled(lines, tmp_path / "claims.db")


def check_filled(lines: list[str], path: Path) -> None:
    *kept, refused, readable = lines
    assert refused == "refused CB-221"
    promised = [line.removeprefix("kept ") for line in kept]
    assert len(promised) > 5
    expected = [f"{claim_id}={State.POSTED}" for claim_id in promised]
    there = readable.split()[1:]
    assert there[: len(expected)] == expected
    # The one that was refused may have been begun; its flight is then not lost sight of.
    last = f"C{len(promised)}"
    assert there[len(expected) :] in ([], [f"{last}=sending"], [f"{last}=in_doubt"])
    journal = SqliteJournal(path)
    found = [one for one in journal.select(LEDGER) if one.state is State.POSTED]
    assert [one.key.claim_id for one in found] == promised
    assert not list(journal.select(LEDGER, (State.SENDING,)))
    journal.close()


NOBODY = 65534


@pytest.mark.parametrize(
    ("file_mode", "folder_mode", "expected"),
    [
        (0o444, 0o777, "CB-222"),
        (0o666, 0o555, "CB-222"),
        (0o000, 0o777, "CB-222"),
    ],
)
def test_what_may_not_be_written(
    world_readable: Path, file_mode: int, folder_mode: int, expected: str
) -> None:
    """A file or folder that this user may not write is named, and left as it is."""
    path = world_readable / "claims.db"
    journal = SqliteJournal(path)
    before = posted(journal, "C1")
    journal.close()
    path.chmod(file_mode)
    world_readable.chmod(folder_mode)
    *_, said = run("try_writing", path, NOBODY)
    assert said.startswith(f"{expected} journal {path} may not be written: give this user")
    path.chmod(0o600)
    world_readable.chmod(0o755)
    journal = SqliteJournal(path)
    assert journal.history(LEDGER, "C1") == before
    assert journal.history(LEDGER, "C2").version == 0
    journal.close()


def test_a_folder_that_may_not_be_written(world_readable: Path) -> None:
    """Where no file can be created, the journal that was to be there is named."""
    world_readable.chmod(0o555)
    (said,) = run("try_writing", world_readable / "claims.db", NOBODY)
    assert said.startswith(f"CB-222 journal {world_readable}/claims.db may not be written")


def test_a_lock_held_too_long_is_told(path: Path, journal: SqliteJournal) -> None:
    """A write that another program locks out ends after the timeout; reading goes on."""
    before = posted(journal, "C1")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    error = refusal(lambda: journal.set_cursor(LEDGER, "1"))
    assert error.code == "CB-223"
    assert "is locked by another program" in str(error)
    assert journal.history(LEDGER, "C1") == before
    other.execute("ROLLBACK")
    other.close()
    journal.set_cursor(LEDGER, "2")
    assert journal.cursor(LEDGER) == "2"


def test_a_writer_that_hangs_is_told(path: Path, journal: SqliteJournal) -> None:
    """A process stopped in the midst of its turn to write locks others out no longer than that."""
    from claimbridge.journal.sqlite.locks import turn_to_write

    begun = journal.begin(journal.history(LEDGER, "C1"), [submission("C1")])
    assert begun is not None
    with turn_to_write(path, 1.0):
        error = refusal(lambda: journal.record(begun, [changed(begun, State.POSTED)]))
    assert error.code == "CB-223"
    assert journal.history(LEDGER, "C1").submissions[0].state is State.IN_DOUBT


def test_a_file_taken_away_is_noticed(path: Path, journal: SqliteJournal) -> None:
    """Nothing is written into a file that was deleted or replaced: it would be lost."""
    posted(journal, "C1")
    kept = path.rename(path.with_name("kept.db"))
    error = refusal(lambda: journal.begin(History(LEDGER, "C2"), [submission("C2")]))
    assert error.code == "CB-227"
    assert "was moved, replaced or deleted" in str(error)
    shutil.copy(kept, path)
    assert refusal(lambda: journal.set_cursor(LEDGER, "1")).code == "CB-227"


def damage(path: Path, journal: SqliteJournal) -> Path:
    """Fill a journal, close it, and overwrite its middle."""
    for number in range(60):
        posted(journal, f"C{number}")
    journal.close()
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size * 4 // 5)
        file.write(os.urandom(3 * 4096))
    return path


def test_a_damaged_file_is_told(path: Path, journal: SqliteJournal) -> None:
    """Overwritten pages are an error that names the file, never a wrong or an empty answer."""
    damage(path, journal)
    reopened = SqliteJournal(path)
    errors: list[JournalError] = []
    sound = 0
    for number in range(60):
        try:
            found = reopened.history(LEDGER, f"C{number}").submissions[0]
        except JournalError as error:
            errors.append(error)
        else:
            assert (found.state, found.reference) == (State.POSTED, f"C{number}-1")
            sound += 1
    assert sound > 0
    assert {error.code for error in errors} == {"CB-224"}
    assert all(str(path) in str(error) for error in errors)
    error = refusal(lambda: list(reopened.select(LEDGER)))
    assert error.code == "CB-224"
    reopened.close()


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("content", "'{\"voucher\":'"),
        ("content", "replace(content, '\"debit\"', '\"credit\"')"),
        ("content", "CAST(x'ff' AS TEXT)"),
        ("content", "x'00'"),
        ("state", "'lost'"),
        ("updated_at", "'yesterday'"),
        ("attempt", "'many'"),
    ],
)
def test_content_that_cannot_be_is_told(
    path: Path, journal: SqliteJournal, column: str, value: str
) -> None:
    """A row that no program of ours can have written is damage, not a foreign exception."""
    posted(journal, "C1")
    raw(path, f"UPDATE submissions SET {column} = {value}")
    for call in (
        lambda: journal.history(LEDGER, "C1"),
        lambda: journal.find(LEDGER, "C1-1"),
    ):
        error = refusal(call)
        assert error.code == "CB-224"
        assert str(path) in str(error)
        assert error.__cause__ is not None


# Many rows, many threads


def test_queries_use_their_indexes(path: Path, journal: SqliteJournal) -> None:
    """No read scans or sorts the table, however long it grows."""
    posted(journal, "C1")
    connection = sqlite3.connect(path)
    for statement, values, index in (
        (rows._ONE, ("L", "R"), "sqlite_autoindex_submissions_2 (ledger=? AND reference=?)"),
        (
            rows._PAGE,
            ("L", "S", 0, 0, 9),
            "submissions_by_state (ledger=? AND state=? AND rowid>?)",
        ),
        (rows._CLAIM, ("L", "C"), "sqlite_autoindex_submissions_1 (ledger=? AND claim_id=?)"),
        (
            move_rows._MOVES,
            ("L", "C", 0, 9),
            "moves_by_claim (ledger=? AND claim_id=? AND rowid>?)",
        ),
        (rows._ALOFT, (), "submissions_in_flight"),
    ):
        plan = connection.execute(f"EXPLAIN QUERY PLAN {statement}", values).fetchall()
        steps = [step[-1] for step in plan]
        assert any(index in step for step in steps), steps
        assert not any("TEMP B-TREE" in step for step in steps), steps
    connection.close()


def test_select_needs_little_memory(path: Path, journal: SqliteJournal) -> None:
    """Reading 100,000 submissions takes a few megabytes."""
    posted(journal, "C0")
    raw(
        path,
        "BEGIN",
        "CREATE TEMP TABLE numbers AS WITH RECURSIVE n(i) AS"
        " (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 99999) SELECT i FROM n",
        "INSERT INTO claims SELECT ledger, 'C' || i, 1, 0, '' FROM claims, numbers",
        "INSERT INTO submissions SELECT NULL, ledger, 'C' || i, revision, purpose, part, 'R' || i,"
        " digest, iif(i % 2, 'posted', 'paid'), attempt, attempted_at, updated_at, owner, flight,"
        " content FROM submissions, numbers",
        "COMMIT",
    )
    count, grown = run("read_all", path)[0].split()
    assert int(count) == 100_000
    assert int(grown) < 10_000_000


def test_readers_do_not_wait_for_writers(path: Path, journal: SqliteJournal) -> None:
    """While a write transaction is open elsewhere, reading gives the last committed state."""
    before = posted(journal, "C1")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    other.execute("UPDATE submissions SET state = 'paid'")
    found: list[object] = []
    threads = [
        threading.Thread(target=lambda: found.append(journal.history(LEDGER, "C1")))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=5)
    assert found == [before] * 8
    other.execute("ROLLBACK")
    other.close()


def test_no_file_descriptor_left_is_told_as_that(path: Path, journal: SqliteJournal) -> None:
    """Out of file descriptors is no missing permission: the limit is named."""
    before = posted(journal, "C1")
    (said,) = run("exhaust", path)
    assert said.startswith(f"CB-238 journal {path} could not be opened")
    assert "ulimit -n" in said
    assert journal.history(LEDGER, "C1") == before


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (sqlite3.SQLITE_IOERR_READ, "CB-239"),
        (sqlite3.SQLITE_IOERR_CORRUPTFS, "CB-239"),  # SQLite's word for EIO
        (sqlite3.SQLITE_IOERR_WRITE, "CB-239"),
        (sqlite3.SQLITE_IOERR_FSYNC, "CB-239"),
        (sqlite3.SQLITE_IOERR_SHORT_READ, "CB-224"),
        (sqlite3.SQLITE_CORRUPT, "CB-224"),
        (sqlite3.SQLITE_FULL, "CB-221"),
    ],
)
def test_an_error_of_the_disk_is_told_as_that(path: Path, code: int, expected: str) -> None:
    """A disk that fails for a moment is neither full nor is the file damaged."""
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = code
    assert explain(error, path).code == expected


def test_an_error_of_the_disk_by_the_systems_own_word(path: Path) -> None:
    """EIO of a system call is told as SQLite's is."""
    assert explain(OSError(errno.EIO, "Input/output error"), path).code == "CB-239"


@pytest.mark.parametrize("kind", ["9p", "virtiofs", "vboxsf", "cifs", "fuse.sshfs"])
def test_shared_file_systems_are_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """A folder shared with a host or another machine keeps no journal."""
    monkeypatch.setattr(journal_file, "filesystem_of", lambda folder: kind)
    assert refusal(lambda: SqliteJournal(path)).code == "CB-227"


def test_moves_are_read_page_by_page(path: Path, journal: SqliteJournal) -> None:
    """A hundred thousand moves of one claim need little memory, and come in their order."""
    posted(journal, "C1")
    raw(
        path,
        "INSERT INTO moves (ledger, claim_id, revision, purpose, part, at, state_before,"
        " state_after, attempt, detail)"
        " WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n"
        " WHERE i < 100000) SELECT ledger, claim_id, revision, purpose, part, at, state_before,"
        " state_after, i + 1, detail FROM n, (SELECT * FROM moves ORDER BY id DESC LIMIT 1)",
    )
    tracemalloc.start()
    try:
        attempts = 0
        for move in journal.moves(LEDGER, "C1"):
            assert move.attempt >= attempts
            attempts = move.attempt
        assert attempts == 100_001
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()


def test_a_reader_of_ours_lets_the_wal_be_used_again(path: Path, journal: SqliteJournal) -> None:
    """A listing that somebody leaves open does not make the -wal grow."""
    for number in range(210):
        posted(journal, f"A{number}")
    listing = journal.select(LEDGER)
    next(listing)
    for number in range(600):
        posted(journal, f"B{number}")
    assert path.with_name("claims.db-wal").stat().st_size < 8_000_000
    assert sum(1 for _ in listing) >= 209


def test_a_foreign_reader_is_told_of(
    path: Path,
    journal: SqliteJournal,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A program that reads without an end is warned of; what it cost is given back afterwards."""
    monkeypatch.setattr("claimbridge.journal.sqlite.connections._LARGE_WAL", 1_000_000)
    journal.close()
    journal = SqliteJournal(path)
    reader = sqlite3.connect(path)
    posted(journal, "C0")
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM claims").fetchall()
    for number in range(400):
        posted(journal, f"C{number + 1}")
    assert "a program reads this journal without an end" in caplog.text
    reader.close()
    for number in range(400):
        posted(journal, f"D{number}")
    assert path.with_name("claims.db-wal").stat().st_size <= 5_000_000
    journal.close()
