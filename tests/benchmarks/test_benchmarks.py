"""Every benchmark runs and prints its table; what the figures are is nobody's business here."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BRIEF = {
    "contracts": ["--rounds", "1"],
    "end_to_end": ["--claims", "5", "--rounds", "1"],
    "first_send": ["--claims", "3", "--rounds", "1"],
    "house": ["--lists", "--sentences"],
    "import_time": ["--rounds", "1"],
    "inputs": ["--scale", "0.01"],
    "journal": ["--seconds", "0.05"],
    "mapping": ["--seconds", "0.05"],
    "road": [],
    "signing": ["--rounds", "1", "--seconds", "0.01"],
}
NEEDS_CONTRACTS = {"contracts"}


def test_every_benchmark_is_run_here() -> None:
    """A benchmark that no test runs rots."""
    found = {path.stem for path in Path(__file__).parent.glob("[!_]*.py")}
    assert found == {*BRIEF, Path(__file__).stem}


@pytest.mark.parametrize("name", BRIEF)
def test_it_prints_its_table(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """In brief, in a process of its own, with a figure in it."""
    if name in NEEDS_CONTRACTS:
        request.getfixturevalue("shared")("contracts/netsuite-2023.2")
    done = subprocess.run(
        [sys.executable, "-m", f"tests.benchmarks.{name}", *BRIEF[name]],
        cwd=ROOT,
        env=os.environ | {"XDG_CACHE_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert any(character.isdigit() for character in done.stdout)
