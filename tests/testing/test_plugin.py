"""The pytest plugin, as it is installed: fixtures in a test suite that is not ours."""

from __future__ import annotations

import gc
import socket
import subprocess
import sys
import warnings
from pathlib import Path

from tests.testing.record import EXAMPLES, claim

from claimbridge import Client
from claimbridge.sandbox import Sandbox

SUITE = """
from pathlib import Path
from claimbridge import Claim, Client

CLAIM = Claim.from_json(Path({claim!r}).read_bytes())

def test_with_the_fake(fake_ledger):
    fake_ledger.submit(CLAIM)
    assert [entry.reference for entry in fake_ledger.erp.entries()] == [CLAIM.id]

def test_over_a_socket(sandbox, tmp_path):
    config = tmp_path / "claimbridge.toml"
    config.write_text(
        f"[ledger.CN01]\\nendpoint = \\"{{sandbox.url()}}\\"\\nchart = {chart!r}\\n"
    )
    sandbox.set_faults("commit-then-drop@1")
    with Client.from_config(config) as ledger:
        ledger.submit(CLAIM)
    assert len(sandbox.ledger()) == 1
"""


def test_a_users_suite_gets_both_fixtures(tmp_path: Path) -> None:
    """Nothing has to be imported or configured: installing claimbridge is enough."""
    source = SUITE.format(
        claim=str(EXAMPLES / "claims/travel-cn.json"), chart=str(EXAMPLES / "chart.toml")
    )
    (tmp_path / "test_mine.py").write_text(source)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_mine.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout


def test_the_plugin_costs_a_suite_nothing_until_it_is_used() -> None:
    """A user's pytest does not import claimbridge's parts unless a fixture is asked for."""
    script = (
        "import sys, claimbridge.testing.plugin; "
        "print([name for name in ('zeep', 'lxml', 'starlette', 'msgspec') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_the_sandbox_leaves_nothing_open() -> None:
    """Stopping at the moment when a connection arrives does not forget it open."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", ResourceWarning)
        for _ in range(15):
            with Sandbox(profiles=["reference"]) as erp:
                socket.create_connection(("127.0.0.1", erp.port)).close()
        gc.collect()
    assert [str(one.message) for one in told] == []


def test_the_sandbox_fixture_is_a_sandbox(sandbox: Sandbox, tmp_path: Path) -> None:
    """It plays every profile from an empty ledger."""
    assert sandbox.ledger() == []
    config = tmp_path / "c.toml"
    config.write_text(
        f'[ledger.CN01]\nprofile = "sap-journal-entry"\n'
        f'endpoint = "{sandbox.url("sap-journal-entry")}"\n'
        f'chart = "{EXAMPLES / "chart.toml"}"\njournal = "memory:"\n'
    )
    with Client.from_config(config) as ledger:
        assert str(ledger.submit(claim()).journal_entry) == "0100000000 / CN01 / 2026"
