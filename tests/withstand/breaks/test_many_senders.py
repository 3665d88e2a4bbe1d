"""Many senders of the same claims, in threads and processes: each claim is posted once."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from tests.withstand.scene import PROFILES, book_of, claim, configured, ledger_of, lifelike

from claimbridge.client import Client
from claimbridge.config import LedgerConfig, Timeouts
from claimbridge.errors import ClaimBridgeError, OutcomeUnknown
from claimbridge.journal import SqliteJournal
from claimbridge.model import Claim, State

EXAMPLES = Path(__file__).parents[3] / "examples"

PROCESSES, THREADS, CLAIMS = 2, 16, 500


def submit_all(config: LedgerConfig, names: list[str], threads: int, go: Connection) -> None:
    """One process: every thread submits every claim, each from another place in the list."""
    claims = [claim(name) for name in names]
    told: Counter[str] = Counter()
    entries: set[tuple[str, str]] = set()
    lock = threading.Lock()
    with Client(config, ledger=ledger_of(config), new_journal=True) as client:
        go.send("ready")
        go.recv()

        def work(number: int) -> None:
            # In pairs: two threads of each process are always at the same claim.
            start = number // 2 * len(claims) // threads
            for mine in claims[start:] + claims[:start]:
                try:
                    end = client.submit(mine)
                except ClaimBridgeError as error:
                    with lock:
                        told[f"{error.code} {error}"] += 1
                else:
                    with lock:
                        entries.add((mine.id, str(end.journal_entry)))

        workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    go.send((sorted(entries), dict(told)))


@pytest.mark.parametrize("profile", PROFILES)
def test_two_processes_of_sixteen_threads(tmp_path: Path, profile: str) -> None:
    """Two processes, sixteen threads each, the same 500 claims: 500 journal entries.

    Every caller is told the same journal entry for the same claim.
    """
    names = [f"M{number:03}" for number in range(CLAIMS)]
    context = multiprocessing.get_context("spawn")
    with lifelike(profiles=[profile]) as erp:
        config = configured(
            profile,
            port=erp.port,
            journal=tmp_path / "claims.db",
            concurrency=THREADS,
            # This is about races, not about time-outs: nobody gives up on a busy machine.
            timeouts=Timeouts(connect=30, total=60),
            quiet_period=60,
        )
        pipes = [context.Pipe() for _ in range(PROCESSES)]
        workers = [
            context.Process(target=submit_all, args=(config, names, THREADS, theirs))
            for _, theirs in pipes
        ]
        for worker in workers:
            worker.start()
        for ours, _ in pipes:
            assert ours.recv() == "ready"
        began = time.monotonic()
        for ours, _ in pipes:
            ours.send("go")
        told = [ours.recv() for ours, _ in pipes]
        took = time.monotonic() - began
        for worker in workers:
            worker.join()
        ledger, requests = erp.ledger(), erp.requests()
    calls = PROCESSES * THREADS * CLAIMS
    print(f"\n{profile}: {CLAIMS / took:.0f} claims/s, {calls / took:.0f} calls/s ({took:.1f} s)")
    assert [errors for _, errors in told] == [{}, {}]
    assert sorted(one.reference for one in ledger) == names
    assert sum(requests.values()) == CLAIMS, "no claim was sent or asked for twice"
    posted = sorted((one.reference, one.journal_entry) for one in ledger)
    assert [entries for entries, _ in told] == [posted, posted]
    journal = SqliteJournal(tmp_path / "claims.db")
    states = Counter(one.state for one in journal.select(book_of(journal)))
    journal.close()
    assert states == {State.POSTED: CLAIMS}


def test_a_call_whose_time_is_over_does_not_wait_for_another_sender(tmp_path: Path) -> None:
    """``timeout=`` bounds the wait for another process that sends the same claim."""
    with lifelike(profiles=["reference"], faults="slow=3@1") as erp:
        config = LedgerConfig(
            name="T",
            endpoint=erp.url("reference"),
            chart=str(EXAMPLES / "chart.toml"),
            journal=f"sqlite:///{tmp_path / 'claims.db'}",
        )
        mileage = Claim.from_json((EXAMPLES / "claims" / "mileage-en.json").read_bytes())
        with (
            Client(config, new_journal=True) as first,
            Client(config) as second,
            ThreadPoolExecutor(1) as pool,
        ):
            sent = pool.submit(first.submit, mileage)
            while not erp.requests():
                time.sleep(0.01)
            with pytest.raises(OutcomeUnknown) as raised:
                second.submit(mileage, timeout=0.3)
            assert raised.value.code == "CB-426"
            assert not sent.done()
            assert sent.result().journal_entry is not None
        assert len(erp.ledger()) == 1
