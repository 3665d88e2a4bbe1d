"""The drill of broken-off calls, briefly: enough to see that it runs, judges, and can fail."""

from __future__ import annotations

import pytest
from tests.drills.interrupt import run

from claimbridge.turns import Turn

PATHS = ("journal/", "client.py", "turns.py", "soap/transport/")


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


def test_the_drill_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lock that is not given back is found out: another thread hangs."""
    monkeypatch.setattr("tests.drills.interrupt.LIMIT", 1.0)
    monkeypatch.setattr(Turn, "give_back", lambda self: None)
    drill = run("sync", "reference", "submit", 50, PATHS)
    assert drill.counts["hung"] == 1
