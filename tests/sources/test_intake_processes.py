"""Passes in several processes at once: of claims with one invoice one is posted, and none twice."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter

from tests.sources.conftest import Inbox, plain

from claimbridge.sandbox import Sandbox

SOURCES = ("inbox", "second", "third")


def started(inbox: Inbox, source: str) -> subprocess.Popen[str]:
    """Begin a pass of a source in a process of its own."""
    words = ["-m", "claimbridge.cli", "intake", "--source", source, "--config", str(inbox.config)]
    return subprocess.Popen(
        [sys.executable, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_processes_that_share_a_journal(inbox: Inbox, sandbox: Sandbox) -> None:
    """Three sources have claims with the same five invoices: five are posted, ten are parked."""
    for name in SOURCES[1:]:
        (inbox.path.parent / name).mkdir()
        with inbox.config.open("a") as file:
            file.write(
                f'[source.{name}]\nkind = "folder"\npath = "{name}"\nledger = "CN01"\nsettle = 0\n'
            )
    for source in SOURCES:
        claims = [
            plain(f"{source}-{number}", line={"documents": [_invoice(number)]})
            for number in range(5)
        ]
        inbox.put(f"../{source}/claims.json", claims)
    # Each source twice: the second pass of one ends at once, or does what the first left.
    running = [started(inbox, source) for source in SOURCES * 2]
    ended = [process.communicate(timeout=120) for process in running]
    assert {process.returncode for process in running} <= {0, 1, 4}, ended
    assert all("Traceback" not in errors for _, errors in ended)
    for source in SOURCES:
        inbox.command("intake", "--source", source)
    posted = Counter(entry.reference.rpartition("-")[2] for entry in sandbox.ledger())
    assert posted == {str(number): 1 for number in range(5)}
    states = Counter(one["state"] for one in inbox.command("intake", "list"))
    assert states == {"accepted": 5, "parked": 10}


def _invoice(number: int) -> dict[str, str]:
    return {"kind": "vat_ordinary", "number": f"263120000{number:010}1"}
