"""The state file keeps what was answered, through ``kill -9``; the process ends when it is told."""

from __future__ import annotations

import http.client
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.sandbox.caller import BOTH, Caller, body_of, fetch, refused, submission

from claimbridge.errors import ConfigurationError
from claimbridge.model import OutcomeKind
from claimbridge.sandbox import Sandbox

SERVE = """
import sys
from pathlib import Path
from claimbridge.sandbox import Sandbox
erp = Sandbox(state=Path(sys.argv[1]), port=int(sys.argv[2]), faults=sys.argv[3])
erp.serve(lambda erp: print(erp.port, flush=True))
"""


@contextmanager
def process(
    state: Path, *, port: int = 0, faults: str = ""
) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A sandbox in a process of its own, and its port."""
    command = [sys.executable, "-c", SERVE, str(state), str(port), faults]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None
            yield child, int(child.stdout.readline())
        finally:
            child.kill()


def caller_of(port: int, profile: str = "reference") -> Caller:
    return Caller(SimpleNamespace(port=port), profile)  # type: ignore[arg-type]  # only the port


def test_what_it_keeps_is_for_its_owner_alone(tmp_path: Path) -> None:
    """Vouchers are in the state and in the recordings: 0600, and 0700 for folders."""
    kept = tmp_path / "recorded"
    with Sandbox(state=tmp_path / "ledger.db", record=kept / "deep") as erp:
        Caller(erp, "reference").submit(submission())
        modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.glob("ledger.db*")}
    assert set(modes) >= {"ledger.db", "ledger.db-wal"}
    assert set(modes.values()) == {0o600}
    assert list(kept.rglob("request.xml"))
    for path in (kept, *kept.rglob("*")):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_kill_9_loses_nothing_that_was_answered(tmp_path: Path, seed: int) -> None:
    """What was answered is there once after a kill at a random moment; numbers have no gaps."""
    state, answered = tmp_path / "ledger.db", []
    with process(state) as (child, port):

        def keep_submitting(name: str) -> None:
            n = 0
            while True:
                reference = f"EXP-{name}-{n}"
                try:
                    if caller_of(port).submit(submission(reference))[0].kind is OutcomeKind.POSTED:
                        answered.append(reference)
                except (OSError, http.client.HTTPException):
                    return
                n += 1

        threads = [threading.Thread(target=keep_submitting, args=(str(n),)) for n in range(4)]
        for thread in threads:
            thread.start()
        while not answered:
            time.sleep(0.001)
        time.sleep(random.Random(seed).uniform(0.05, 0.3))
        child.kill()
        for thread in threads:
            thread.join()
    with Sandbox(state=state) as erp:
        held = [found.reference for found in erp.ledger()]
        assert set(answered) <= set(held)
        assert len(set(held)) == len(held)
        assert [int((found.journal_entry or "0").split()[0]) for found in erp.ledger()] == [
            *range(1, len(held) + 1)
        ]
        assert Caller(erp).submit(submission(held[-1]))[0].kind is OutcomeKind.DUPLICATE
        (next_one,) = Caller(erp).submit(submission("EXP-next"))
        assert next_one.journal_entry is not None
        assert int(next_one.journal_entry.number) == len(held) + 1


@pytest.mark.parametrize("profile", BOTH)
def test_a_dropped_answer_is_on_disk(tmp_path: Path, profile: str) -> None:
    """With commit-then-drop the commit comes before the drop, even if the process dies at it."""
    state = tmp_path / "ledger.db"
    with process(state, faults="commit-then-drop") as (child, port):
        caller = caller_of(port, profile)
        with pytest.raises(http.client.RemoteDisconnected):
            caller.post(caller.envelope())
        child.kill()
    with Sandbox(state=state) as erp:
        assert [found.reference for found in erp.ledger()] == ["EXP-1"]


def post_in_vain(caller: Caller) -> None:
    with pytest.raises((OSError, http.client.HTTPException)):
        caller.post(caller.envelope(), timeout=30)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_it_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    """SIGTERM and SIGINT stop it with exit code 0, even while a client waits for ever."""
    with process(tmp_path / "ledger.db", faults="timeout") as (child, port):
        caller = caller_of(port)
        waiting = threading.Thread(target=post_in_vain, args=(caller,))
        waiting.start()
        erp = SimpleNamespace(port=port)
        while not fetch(erp, "/sandbox/requests"):  # type: ignore[arg-type]  # only the port
            time.sleep(0.01)
        child.send_signal(number)
        assert child.wait(timeout=5) == 0
        waiting.join()
        assert refused(port)


def test_cursors_outlive_a_restart(tmp_path: Path) -> None:
    """A cursor of a state file is good after a restart; that of another ledger is not."""
    state = tmp_path / "ledger.db"
    with Sandbox(state=state) as erp:
        Caller(erp).submit()
        cursor = changes(erp, "")
    with Sandbox(state=state) as erp:
        assert changes(erp, cursor) == cursor
    with Sandbox(state=tmp_path / "other.db") as erp:
        assert changes(erp, cursor) == "InvalidCursorFault"


def changes(erp: Sandbox, cursor: str) -> str:
    """The cursor after ``cursor``, or the fault's name."""
    caller = Caller(erp)
    envelope = caller.call(body_of("reference", caller.profile.changes(cursor, 10)))
    if envelope.fault is not None:
        return envelope.fault.detail_name.partition("}")[2]
    assert envelope.body is not None
    return caller.profile.read_changes(caller.contract.reply(envelope.body)).cursor


def test_an_outage_ends() -> None:
    """Stopped, it refuses connections; started again, it is where it was, with what it held."""
    with Sandbox(profiles=["reference"]) as erp:
        port = erp.port
        Caller(erp).submit()
        erp.stop()
        assert refused(port)
        erp.start()
        assert erp.port == port
        assert Caller(erp).submit()[0].kind is OutcomeKind.DUPLICATE


def test_what_cannot_be_used_is_said(tmp_path: Path) -> None:
    """A state file that is none, and a port that is taken, are configuration errors."""
    broken = tmp_path / "ledger.db"
    broken.write_text("this is no database, it only looks like a file of one")
    with pytest.raises(ConfigurationError, match="CB-271"):
        Sandbox(state=broken)
    with Sandbox(profiles=[]) as erp, pytest.raises(ConfigurationError, match="CB-275"):
        Sandbox(profiles=[], port=erp.port).start()
    with pytest.raises(ConfigurationError, match="CB-276"):
        Sandbox(profiles=["oracle"])
