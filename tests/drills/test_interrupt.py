"""The drill of broken-off calls, briefly: enough to see that it runs, judges, and can fail."""

from __future__ import annotations

import subprocess
import sys

from tests.drills.interrupt import run

PATHS = ("journal/", "client.py", "submission/driver.py", "turns.py", "soap/transport/")


def test_an_exception_at_any_line_leaves_nothing_behind() -> None:
    """After an exception between any two lines both processes go on, and nothing is doubled."""
    drill = run("sync", "reference", "submit", 29, PATHS)
    assert drill.counts["points"] > 30
    assert drill.counts["raised"] > 20
    assert drill.flaws == []


def test_a_cancellation_at_any_await_leaves_nothing_behind() -> None:
    """After cancellations, repeated or by anyio, both processes go on, and nothing is doubled."""
    drill = run("async", "reference", "submit", 1)
    assert drill.counts["reached"] > 15
    assert drill.flaws == []


UNGIVEN = """
from claimbridge.turns import Turn
from tests.drills import interrupt

interrupt.LIMIT = 1.0
Turn.give_back = lambda self: None
print(interrupt.run("sync", "reference", "submit", 50, %r).counts["hung"], flush=True)
os._exit(0)  # its threads hang for ever
"""


def test_the_drill_can_fail() -> None:
    """A lock that is not given back is found out: another thread hangs."""
    # In a process of its own: what other tests share would stay locked.
    done = subprocess.run(
        [sys.executable, "-c", "import os" + UNGIVEN % (PATHS,)],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert done.stdout.split()[-1] == "1"
