"""The SQLite journal among processes: races, kill -9, forks, and who is taken to live."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import traceback
from collections import Counter
from pathlib import Path

import pytest
from tests.journal.samples import LEDGER, changed, run, start, submission

from claimbridge.clock import SYSTEM, Uptime
from claimbridge.errors import JournalError
from claimbridge.journal import SqliteJournal
from claimbridge.journal.sqlite import owners
from claimbridge.model import History, State


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "claims.db"


def owner_files(path: Path) -> list[Path]:
    return sorted(path.parent.glob(f"{path.name}-owner-*"))


def begun(journal: SqliteJournal, claim_id: str) -> History:
    history = journal.begin(journal.history(LEDGER, claim_id), [submission(claim_id)])
    assert history is not None
    return history


def go(*processes: subprocess.Popen[str]) -> None:
    """Let waiting workers go on, all at once."""
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_two_processes_of_sixteen_threads_begin_each_claim_once(path: Path) -> None:
    """32 threads in two processes race for 200 claims: each claim is begun exactly once."""
    processes = [start("race", path, 200, 16) for _ in range(2)]
    for process in processes:
        assert said(process) == "ready"
    go(*processes)
    claims = [line for one in processes for line in one.communicate(timeout=120)[0].splitlines()]
    assert [one.returncode for one in processes] == [0, 0]
    assert sorted(claims) == sorted(f"C{number}" for number in range(200))
    journal = SqliteJournal(path)
    assert Counter(one.state for one in journal.select(LEDGER)) == {State.POSTED: 200}
    assert all(len(list(journal.moves(LEDGER, f"C{number}"))) == 2 for number in range(200))
    journal.close()


def test_many_processes_create_one_journal(path: Path) -> None:
    """Processes that create the same journal at once all open it."""
    processes = [start("open_only", path) for _ in range(6)]
    for process in processes:
        assert said(process) == "ready"
    go(*processes)
    assert [one.communicate(timeout=60)[0] for one in processes] == ["opened\n"] * 6


def test_kill_9_loses_nothing(path: Path) -> None:
    """A process killed at 20 random moments loses no promised write; its flights are in doubt."""
    seed = random.SystemRandom().randrange(2**32)
    chance = random.Random(seed)
    journal = SqliteJournal(path)
    for number in range(20):
        process = start("toil", path, f"R{number}")
        assert said(process).startswith("begun ")
        time.sleep(chance.uniform(0, 0.05))
        process.kill()
        promised: dict[str, str] = {}
        for line in process.communicate(timeout=60)[0].splitlines():
            word, _, claim_id = line.partition(" ")
            promised[claim_id] = word
        for claim_id, word in promised.items():
            states = [one.state for one in journal.history(LEDGER, claim_id).submissions]
            # One step further than promised is right: written, and killed before it said so.
            expected = {State.POSTED} if word == "posted" else {State.IN_DOUBT, State.POSTED}
            assert len(states) == 1, (seed, claim_id)
            assert states[0] in expected, (seed, claim_id)
        # The first flight, said above, is not among the lines left; no flight flies any more.
        assert not list(journal.select(LEDGER, (State.SENDING,))), seed
    journal.close()
    reopened = SqliteJournal(path)
    assert owner_files(path) == []
    reopened.close()


def test_the_flight_of_another_living_process_is_left_alone(path: Path) -> None:
    """As long as a process lives its flights stay in sending, and its lock file stays."""
    process = start("begin_and_wait", path, "C1")
    assert said(process) == "begun"
    with_flight = SqliteJournal(path)
    assert with_flight.history(LEDGER, "C1").submissions[0].state is State.SENDING
    assert len(owner_files(path)) == 1
    process.communicate("end\n", timeout=60)
    found = with_flight.history(LEDGER, "C1").submissions[0]
    assert (found.state, found.detail) == (State.IN_DOUBT, "")
    assert owner_files(path) == []
    with_flight.close()


def test_a_stopped_process_is_alive(path: Path) -> None:
    """A process that hangs (SIGSTOP) may yet go on: its flight is not taken from it."""
    process = start("begin_and_wait", path, "C1")
    assert said(process) == "begun"
    process.send_signal(signal.SIGSTOP)
    journal = SqliteJournal(path)
    assert journal.history(LEDGER, "C1").submissions[0].state is State.SENDING
    process.kill()
    process.communicate(timeout=60)
    assert journal.history(LEDGER, "C1").submissions[0].state is State.IN_DOUBT
    journal.close()


def test_opening_puts_the_dead_in_doubt_and_sweeps_their_files(path: Path) -> None:
    """Opening a journal after a crash shows the doubt at once and leaves no litter."""
    run("begin_and_die", path, "C1")
    assert len(owner_files(path)) == 1
    journal = SqliteJournal(path)
    found = journal.find(LEDGER, "C1-1")
    assert found is not None
    assert found.state is State.IN_DOUBT
    assert owner_files(path) == []
    journal.close()


def test_processes_share_one_count_of_uptime() -> None:
    """What one process counts another can measure from; the wall clock is no part of it."""
    before = SYSTEM.uptime()
    told = "from claimbridge.clock import SYSTEM; u = SYSTEM.uptime(); print(u.boot, u.seconds)"
    said = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    boot, _, seconds = said.stdout.strip().rpartition(" ")
    passed = Uptime(boot, float(seconds)).since(before)
    assert passed is not None
    assert 0 < passed < 60


def test_readers_leave_no_lock_files(path: Path) -> None:
    """Only a process with flights has an owner's file."""
    journal = SqliteJournal(path)
    journal.history(LEDGER, "C1")
    assert owner_files(path) == []
    journal.close()


def test_a_removed_lock_file_is_noticed(path: Path) -> None:
    """An owner whose lock file was cleaned away would look dead: it begins nothing more."""
    journal = SqliteJournal(path)
    history = begun(journal, "C1")
    owner_files(path)[0].unlink()
    with pytest.raises(JournalError, match="was removed while in use") as refused:
        journal.begin(journal.history(LEDGER, "C2"), [submission("C2")])
    assert refused.value.code == "CB-227"
    assert history.version == 1
    journal.close()


def test_an_owner_whose_lock_file_is_gone_owns_nothing(path: Path) -> None:
    """A flight may leave only while others can see that its owner lives."""
    journal = SqliteJournal(path)
    history = begun(journal, "C1")
    assert journal.owns(history.submissions)
    (file,) = owner_files(path)
    file.unlink()
    assert not journal.owns(history.submissions)
    file.touch()  # another file of the same name tells nobody that it lives
    assert not journal.owns(history.submissions)
    assert journal.record(history, [changed(history, State.PENDING)])
    again = begun(journal, "C2")  # nothing is in the air: a new owner takes its place
    assert journal.owns(again.submissions)
    journal.close()


def test_a_lock_file_swept_before_it_is_locked_is_made_anew(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sweep between the creation of a lock file and its lock leaves no owner that looks dead."""
    journal = SqliteJournal(path)
    opened = owners.open_lock
    sweeps = iter([owners.sweep])

    def opened_and_swept(journal: Path, lock: Path) -> int:
        descriptor = opened(journal, lock)
        if "-owner-" in lock.name:
            next(sweeps, lambda path: None)(path)
        return descriptor

    monkeypatch.setattr(owners, "open_lock", opened_and_swept)
    history = begun(journal, "C1")
    assert len(owner_files(path)) == 1
    other = SqliteJournal(path)
    assert other.history(LEDGER, "C1") == history
    other.close()
    assert journal.record(history, [changed(history, State.POSTED)])
    journal.close()


def test_closing_in_mid_flight_keeps_the_owner_alive(path: Path) -> None:
    """A journal closed under a sender stays the flight's owner until the sender gives it up."""
    journal = SqliteJournal(path)
    history = begun(journal, "C1")
    journal.close()
    other = SqliteJournal(path)
    assert other.history(LEDGER, "C1") == history
    with pytest.raises(JournalError, match="closed"):
        journal.record(history, [changed(history, State.POSTED)])
    assert other.history(LEDGER, "C1").submissions[0].state is State.IN_DOUBT
    assert owner_files(path) == []
    other.close()


def in_child(work: object) -> int:
    """Fork; return the child's exit code: 0 when ``work`` returned."""
    child = os.fork()
    if child == 0:
        try:
            work()  # type: ignore[operator]  # a function without arguments
        except BaseException:  # noqa: BLE001 - the child ends here, whatever came
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_forked_child_is_another_owner(path: Path) -> None:
    """A child reads and writes through its copy, and neither ends nor owns its parent's flights."""
    journal = SqliteJournal(path)
    history = begun(journal, "C1")

    def child() -> None:
        assert journal.history(LEDGER, "C1") == history
        with pytest.raises(JournalError, match="another owner's flight"):
            journal.record(history, [changed(history, State.PENDING)])
        own = begun(journal, "C2")
        assert len(owner_files(path)) == 2
        assert journal.record(own, [changed(own, State.POSTED)])
        journal.close()

    assert in_child(child) == 0
    assert journal.history(LEDGER, "C1") == history
    assert journal.history(LEDGER, "C2").submissions[0].state is State.POSTED
    assert journal.record(history, [changed(history, State.POSTED)])
    journal.close()


def test_a_child_that_outlives_its_parent_does_not_keep_its_flights(path: Path) -> None:
    """A parent's death puts its flights in doubt, though a forked child lives on."""
    reading, writing = os.pipe()
    heard, born = os.pipe()
    parent = os.fork()
    if parent == 0:
        journal = SqliteJournal(path)
        begun(journal, "C1")
        if os.fork() == 0:
            os.close(writing)
            os.write(born, b".")  # what a fork runs in the child has run
            os.read(reading, 1)  # until the test ends
            os._exit(0)
        os._exit(0)
    os.waitpid(parent, 0)
    try:
        os.read(heard, 1)
        other = SqliteJournal(path)
        assert other.history(LEDGER, "C1").submissions[0].state is State.IN_DOUBT
        other.close()
    finally:
        for end in (writing, reading, heard, born):
            os.close(end)


def test_forking_amid_writes_harms_nobody(path: Path) -> None:
    """Forks while threads write: parent and children go on, and the file stays sound."""
    journal = SqliteJournal(path)
    stop = threading.Event()
    written: list[str] = []

    def write(name: str) -> None:
        number = 0
        while not stop.is_set():
            number += 1
            history = begun(journal, f"{name}-{number}")
            assert journal.record(history, [changed(history, State.POSTED)])
            written.append(f"{name}-{number}")

    threads = [threading.Thread(target=write, args=(f"T{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    codes = []
    for number in range(8):
        codes.append(in_child(lambda name=f"child-{number}": begun(journal, name)))
    stop.set()
    for thread in threads:
        thread.join()
    assert codes == [0] * 8
    states = Counter(one.state for one in journal.select(LEDGER))
    assert states == {State.POSTED: len(written), State.IN_DOUBT: 8}
    journal.close()
    assert sound(path)


def sound(path: Path) -> bool:
    connection = sqlite3.connect(path)
    try:
        return connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    finally:
        connection.close()
