"""A job that is queued in the ERP is in flight, however long: nothing of its claims is sent."""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.withstand.scene import QUIET, chart, claim, configured, contract, lifelike

from claimbridge.aio import AsyncClient
from claimbridge.client import Client
from claimbridge.config import LedgerConfig
from claimbridge.errors import ClaimBridgeError, OutcomeUnknown
from claimbridge.ledger import Ledger
from claimbridge.model import JournalEntry, State
from claimbridge.profiles.netsuite.journal_entries import NetSuite
from claimbridge.sandbox import Desk, ErpAnswer, ErpCall
from claimbridge.sandbox.erps.netsuite import NetSuiteResponder, _no_job, _status_of
from claimbridge.sandbox.kit.markup import render

PROFILE = "netsuite"
IDS = ("EXP-1", "EXP-2")
JOB = "ASYNCWEBSERVICES_7"


class Queueing(NetSuiteResponder):
    """Takes lists into a queue, and writes them when a test lets it."""

    def __init__(self) -> None:
        self.queue: list[tuple[ErpCall, Desk]] = []
        self.status = "pending"
        self.forgotten = False

    def answer(self, call: ErpCall, desk: Desk) -> ErpAnswer:
        if call.operation == "asyncUpsertList":
            self.queue.append((call, desk))
            return ErpAnswer(content=render(_status_of(call.operation, JOB, "pending")))
        if call.operation == "checkAsyncStatus":
            if self.forgotten:
                return _no_job(JOB)
            return ErpAnswer(content=render(_status_of(call.operation, JOB, self.status)))
        return super().answer(call, desk)

    def run(self) -> None:
        for call, desk in self.queue:
            super().answer(call, desk)
        self.queue.clear()
        self.status = "finished"


class Scene:
    def __init__(self, folder: Path, *, asynchronous: bool) -> None:
        self.asynchronous = asynchronous
        self.jobs = Queueing()
        self.erp = lifelike(profiles=[self.jobs])
        self.erp.start()
        config = configured(
            PROFILE, port=self.erp.port, journal=folder / "claims.db", batch=10, retries=0
        )
        self.ledger = Ledger(
            config, profile=NetSuite(**OPTIONS), contract=contract(PROFILE), chart=chart()
        )

    def run(self, use: Callable[[Any], Any]) -> Any:
        """Call a client that has just been opened; what iterates is collected."""

        async def awaited() -> Any:
            async with AsyncClient(self.ledger.setup.config, ledger=self.ledger) as client:
                found = use(client)
                if hasattr(found, "__aiter__"):
                    return [one async for one in found]
                return await found

        if self.asynchronous:
            return asyncio.run(awaited())
        with Client(self.ledger.setup.config, ledger=self.ledger) as client:
            found = use(client)
            return list(found) if hasattr(found, "__next__") else found

    def send_list(self) -> list[ClaimBridgeError]:
        claims = [claim(id_) for id_ in IDS]
        results = self.run(lambda client: client.submit_many(claims, batch=2, timeout=0.7))
        return [one.error for one in results]

    def refused(self, use: Callable[[Any], Any]) -> str:
        with pytest.raises(OutcomeUnknown) as raised:
            self.run(use)
        return raised.value.code


OPTIONS: dict[str, Any] = {}


@pytest.fixture(params=["Client", "AsyncClient"])
def scene(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Scene]:
    built = Scene(tmp_path, asynchronous=request.param == "AsyncClient")
    yield built
    built.erp.close()


def test_nothing_is_sent_while_the_job_waits(scene: Scene) -> None:
    """Beyond the quiet period: submit, a revision, reconcile and settle wait for its end."""
    assert all(isinstance(error, OutcomeUnknown) for error in scene.send_list())
    time.sleep(QUIET * 1.5)
    first, second = claim("EXP-1"), claim("EXP-1", revision=2, taxi="31.00")
    assert scene.refused(lambda client: client.submit(first)) == "CB-437"
    assert scene.refused(lambda client: client.submit(second)) == "CB-437"
    left = scene.run(lambda client: client.reconcile())
    assert {one.error.code for one in left if one.error} == {"CB-437"}
    assert scene.erp.ledger() == []
    assert scene.erp.requests().get("upsert", 0) == 0

    scene.jobs.run()
    assert len(scene.erp.ledger()) == 2
    assert scene.run(lambda client: client.submit(claim("EXP-2"))).state is State.POSTED
    assert scene.run(lambda client: client.submit(second)).state is State.POSTED
    # Both of the list, and of the first its reversal and its revision: each once.
    references = [one.reference for one in scene.erp.ledger()]
    assert len(references) == len(set(references)) == 4


def sends_a_list(config: LedgerConfig) -> None:
    """Send a list, and ask for its job until somebody ends this process."""
    ledger = Ledger(config, profile=NetSuite(**OPTIONS), contract=contract(PROFILE), chart=chart())
    with Client(config, ledger=ledger) as client:
        list(client.submit_many([claim(id_) for id_ in IDS], batch=2))


def test_who_is_killed_leaves_word_of_the_job(scene: Scene) -> None:
    """Kill -9 while the job is asked for: the journal knows it, and nothing is sent beside it."""
    child = multiprocessing.get_context("spawn").Process(
        target=sends_a_list, args=(scene.ledger.setup.config,)
    )
    child.start()
    deadline = time.monotonic() + 60
    while not scene.erp.requests().get("checkAsyncStatus") and time.monotonic() < deadline:
        time.sleep(0.01)
    child.kill()
    child.join()
    assert len(scene.jobs.queue) == 1
    time.sleep(QUIET * 1.5)
    for one in (claim("EXP-1"), claim("EXP-2", revision=2, taxi="31.00")):
        assert scene.refused(lambda client, one=one: client.submit(one)) == "CB-437"
    scene.jobs.run()
    for id_ in IDS:
        assert scene.run(lambda client, id_=id_: client.submit(claim(id_))).state is State.POSTED
    assert len(scene.erp.ledger()) == 2


def test_a_cancelled_call_leaves_word_of_the_job(scene: Scene) -> None:
    """A call broken off while the job is asked for puts the claim in doubt, with the job."""
    if not scene.asynchronous:
        pytest.skip("a thread's call is not cancelled")

    async def cancelled(client: AsyncClient) -> None:
        async def listed() -> None:
            async for _ in client.submit_many([claim(id_) for id_ in IDS], batch=2):
                pass

        task = asyncio.create_task(listed())
        while not scene.erp.requests().get("checkAsyncStatus"):  # noqa: ASYNC110 - an ERP has no event
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    scene.run(cancelled)
    time.sleep(QUIET * 1.5)
    assert scene.refused(lambda client: client.submit(claim("EXP-1"))) == "CB-437"


def test_a_job_that_came_to_nothing_frees_its_claims(scene: Scene) -> None:
    """Once it has ended without a record, the claim is sent anew, by itself."""
    scene.send_list()
    scene.jobs.queue.clear()
    scene.jobs.status = "failed"
    time.sleep(QUIET * 1.1)
    assert scene.run(lambda client: client.submit(claim("EXP-1"))).state is State.POSTED
    assert len(scene.erp.ledger()) == 1


def test_a_person_ends_what_the_job_tells_of_no_more(scene: Scene) -> None:
    """A job that cannot be asked for leaves the doubt, and `settle` takes a person's word."""
    scene.send_list()
    scene.jobs.forgotten = True
    time.sleep(QUIET * 1.1)
    assert scene.refused(lambda client: client.submit(claim("EXP-1"))) == "CB-422"
    entry = JournalEntry("1001")
    found = scene.run(lambda client: client.settle("EXP-1", revision=1, posted=entry))
    assert found.state is State.POSTED
    found = scene.run(lambda client: client.settle("EXP-2", revision=1, posted=None))
    assert found.state is State.PENDING
