"""A process that stood still, was taken for dead, and goes on."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest
from tests.withstand.breaks.interrupted import submit_and_stop
from tests.withstand.scene import SENDERS, claim, configured, held, insist

from claimbridge.sandbox import Sandbox


@pytest.mark.parametrize("kind", SENDERS)
@pytest.mark.parametrize("when", ["begun", "checked"])
def test_a_zombie_posts_nothing(
    erp: Sandbox,
    new_id: Callable[[], str],
    tmp_path: Path,
    processes: ForkServerContext,
    kind: str,
    when: str,
) -> None:
    """A sender stopped before its first byte, whose lock file was cleaned away, sends no more.

    Another has taken over and posted, in an ERP that does not refuse duplicates.
    """
    path = tmp_path / "claims.db"
    config = configured("sap-journal-entry", port=erp.port, journal=path)
    mine = claim(new_id())
    process = processes.Process(target=submit_and_stop, args=(kind, config, mine, when))
    process.start()
    assert process.pid is not None
    wait_until_stopped(process.pid)
    for file in tmp_path.glob("claims.db-owner-*"):
        file.unlink()
    with SENDERS["Client"](config) as sender:
        end = insist(sender, lambda: sender.submit(mine), look=erp.ledger)
        os.kill(process.pid, signal.SIGCONT)
        process.join(30)
        assert process.exitcode == 0  # it found what the other has posted
        assert sender.submit(mine) == end
    (document,) = held(erp.ledger(), "sap-journal-entry", mine.id).posts
    assert document.journal_entry == str(end.journal_entry)


def wait_until_stopped(pid: int) -> None:
    """Wait until a child of a child stands still."""
    status = Path(f"/proc/{pid}/stat")
    while status.read_text().rpartition(")")[2].split()[0] != "T":
        os.sched_yield()
