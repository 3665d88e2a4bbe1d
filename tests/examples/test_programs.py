"""Each program in ``examples/`` as a user runs it: a process, against an ERP on loopback."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from claimbridge.sandbox import Sandbox

ROOT = Path(__file__).resolve().parents[2]
CONFIG, CLAIMS = "examples/claimbridge.toml", "examples/claims"
RUNS = {
    "submit_claim.py": ([CONFIG, f"{CLAIMS}/travel-cn.json"], 1),
    "submit_batch.py": ([CONFIG, CLAIMS], 11),
    "async_client.py": ([CONFIG, f"{CLAIMS}/travel-cn.json", f"{CLAIMS}/mileage-en.json"], 2),
}


def run(program: str, arguments: list[str], erp: Sandbox, folder: Path) -> tuple[int, str]:
    """Run an example; return its exit code and what it printed."""
    done = subprocess.run(
        [sys.executable, f"examples/{program}", *arguments],
        cwd=ROOT,
        env={
            **os.environ,
            "CLAIMBRIDGE_CN01_ENDPOINT": erp.url(),
            "CLAIMBRIDGE_CN01_JOURNAL": f"sqlite:///{folder}/claims.db",
            "CLAIMBRIDGE_CN01_BACKOFF": "0",
        },
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stderr == ""
    return done.returncode, done.stdout


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """An ERP that answers as its contract says: a program that warns of nothing prints nothing."""
    with Sandbox() as erp:
        yield erp


def test_every_program_is_run_here() -> None:
    """An example that no test runs rots."""
    programs = {path.name for path in (ROOT / "examples").glob("*.py")}
    assert programs == {*RUNS, "__init__.py", "own_erp.py", "own_source.py"}


@pytest.mark.parametrize("program", RUNS)
def test_it_posts(program: str, sandbox: Sandbox, tmp_path: Path) -> None:
    """Every claim is in the ledger once, and the program says so."""
    arguments, claims = RUNS[program]
    code, printed = run(program, arguments, sandbox, tmp_path)
    assert code == 0, printed
    assert len(sandbox.ledger()) == claims
    for document in sandbox.ledger():
        assert str(document.journal_entry) in printed


def test_a_lost_answer_posts_no_second_entry(sandbox: Sandbox, tmp_path: Path) -> None:
    """The simplest program is safe as it stands."""
    sandbox.set_faults("commit-then-drop@1")
    code, printed = run("submit_claim.py", RUNS["submit_claim.py"][0], sandbox, tmp_path)
    assert (code, len(sandbox.ledger())) == (0, 1)
    assert "repeated: True" in printed


def test_a_refusal_is_printed_and_ends_with_1(sandbox: Sandbox, tmp_path: Path) -> None:
    """The ERP's own words reach the terminal."""
    sandbox.set_faults("fault")
    code, printed = run("submit_claim.py", RUNS["submit_claim.py"][0], sandbox, tmp_path)
    assert code == 1
    assert "told to refuse it" in printed


@pytest.mark.parametrize("program", sorted(path.name for path in (ROOT / "examples").glob("*.py")))
def test_without_arguments_it_says_what_it_takes(program: str) -> None:
    """Started as it stands, no example ends in a traceback."""
    done = subprocess.run(
        [sys.executable, f"examples/{program}"], cwd=ROOT, capture_output=True, text=True
    )
    usage = f"usage: python examples/{program}"
    assert done.stderr.startswith(usage if program in RUNS else "")
    assert "Traceback" not in done.stderr
    assert (done.returncode, done.stdout) == (1 if program in RUNS else 0, "")
