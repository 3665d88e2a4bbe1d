"""Broken off from outside: a user's Ctrl-C, a cancelled task."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest
from tests.withstand.breaks.interrupted import INTERRUPTED, submit_until_interrupted
from tests.withstand.relay import Order, Relay, Stage
from tests.withstand.scene import (
    PROFILES,
    SENDERS,
    book_of,
    claim,
    configured,
    held,
    insist,
    ledger_of,
)
from tests.withstand.watched import Watched

from claimbridge.aio import AsyncClient
from claimbridge.journal import Journal, SqliteJournal
from claimbridge.model import Claim, Key, State, Submission
from claimbridge.sandbox import Sandbox

BEFORE_THE_ANSWER = (
    Stage.CONNECTED,
    Stage.HALF_SENT,
    Stage.SENT,
    Stage.DELIVERED,
    Stage.ANSWERED,
    Stage.HALF_ANSWERED,
)
BROKEN_OFF = "the attempt was broken off"


def in_journal(path: Path, mine: Claim) -> Submission:
    """The claim's submission, as the next process finds it."""
    journal = SqliteJournal(path)
    book = book_of(journal)
    found = journal.history(book, mine.id).get(Key(book, mine.id, mine.revision))
    journal.close()
    assert found is not None
    return found


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("kind", SENDERS)
@pytest.mark.parametrize("stage", BEFORE_THE_ANSWER)
def test_ctrl_c(
    erp: Sandbox,
    relay: Relay,
    new_id: Callable[[], str],
    tmp_path: Path,
    processes: ForkServerContext,
    profile: str,
    kind: str,
    stage: Stage,
) -> None:
    """A process ended by Ctrl-C in mid-exchange has recorded its doubt; reconcile ends it right."""
    config = configured(profile, port=relay.port, journal=tmp_path / "claims.db")
    mine = claim(new_id())
    process = processes.Process(target=submit_until_interrupted, args=(kind, config, mine))
    ended = threading.Event()

    def interrupt() -> None:
        assert process.pid is not None
        os.kill(process.pid, signal.SIGINT)
        process.join(30)  # the exchange goes on when its sender is gone
        ended.set()

    relay.order(Order(1, stage, interrupt))
    process.start()
    assert ended.wait(60)
    assert process.exitcode == INTERRUPTED
    doubtful = in_journal(tmp_path / "claims.db", mine)
    assert (doubtful.state, doubtful.detail) == (State.IN_DOUBT, BROKEN_OFF)

    with SENDERS[kind](config) as sender:
        sender.reconcile()
        end = insist(sender, lambda: sender.submit(mine), look=erp.ledger)
    (document,) = held(erp.ledger(), profile, mine.id).posts
    assert document.journal_entry == str(end.journal_entry)


async def cancelled(
    client: AsyncClient, mine: Claim, arrange: Callable[[Callable[[], None]], None]
) -> None:
    """Submit; ``arrange`` is given what cancels the task from another thread and waits for it."""
    loop, over = asyncio.get_running_loop(), threading.Event()
    task = asyncio.ensure_future(client.submit(mine))
    task.add_done_callback(lambda _: over.set())

    def cancel() -> None:
        loop.call_soon_threadsafe(task.cancel)
        assert over.wait(30)

    arrange(cancel)
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("stage", BEFORE_THE_ANSWER)
def test_a_cancelled_task(
    erp: Sandbox,
    relay: Relay,
    new_id: Callable[[], str],
    tmp_path: Path,
    profile: str,
    stage: Stage,
) -> None:
    """A task cancelled in mid-exchange has recorded its doubt; the same client goes on from it."""
    path = tmp_path / "claims.db"
    config = configured(profile, port=relay.port, journal=path)
    mine = claim(new_id())

    def arrange(cancel: Callable[[], None]) -> None:
        relay.order(Order(1, stage, cancel))

    async def scene() -> None:
        async with AsyncClient(config, ledger=ledger_of(config), new_journal=True) as client:
            await cancelled(client, mine, arrange)
            doubtful = in_journal(path, mine)
            assert (doubtful.state, doubtful.detail) == (State.IN_DOUBT, BROKEN_OFF)

    asyncio.run(scene())
    with SENDERS["AsyncClient"](config) as sender:
        sender.reconcile()
        end = insist(sender, lambda: sender.submit(mine), look=erp.ledger)
    (document,) = held(erp.ledger(), profile, mine.id).posts
    assert document.journal_entry == str(end.journal_entry)


@pytest.mark.parametrize("write", [1, 2])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_task_cancelled_at_a_journal_write(
    erp: Sandbox, new_id: Callable[[], str], tmp_path: Path, write: int, when: str
) -> None:
    """A cancellation while the journal is written does not tear the write; the end is right."""
    path = tmp_path / "claims.db"
    config = configured("reference", port=erp.port, journal=path)
    mine = claim(new_id())
    real = SqliteJournal(path)

    async def scene() -> None:
        hooks: dict[str, Callable[[int], None]] = {}

        def watch(number: int) -> None:
            if number == write:
                hooks["cancel"](number)

        journal: Journal = Watched(real, **{when: watch})
        async with AsyncClient(
            config, ledger=ledger_of(config), journal=journal, new_journal=True
        ) as client:
            task = asyncio.ensure_future(client.submit(mine))
            loop = asyncio.get_running_loop()
            noticed = threading.Event()

            def cancel(_: int) -> None:
                loop.call_soon_threadsafe(task.cancel)
                loop.call_soon_threadsafe(noticed.set)
                assert noticed.wait(30)

            hooks["cancel"] = cancel
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(scene())
    real.close()
    state = in_journal(path, mine).state
    # Once the answer is written, it is written: then only the caller does not know.
    assert state in ({State.IN_DOUBT} if write == 1 else {State.IN_DOUBT, State.POSTED})
    with SENDERS["AsyncClient"](config) as sender:
        sender.reconcile()
        end = sender.submit(mine)
    (document,) = held(erp.ledger(), "reference", mine.id).posts
    assert document.journal_entry == str(end.journal_entry)


def test_a_cancelled_batch_of_many(
    erp: Sandbox, relay: Relay, new_id: Callable[[], str], tmp_path: Path
) -> None:
    """Whoever stops taking results of ``submit_many`` leaves nothing sent twice, nothing lost."""
    config = configured("reference", port=relay.port, journal=tmp_path / "claims.db")
    claims = [claim(new_id()) for _ in range(24)]

    async def take_a_few() -> None:
        async with AsyncClient(config, ledger=ledger_of(config), new_journal=True) as client:
            results = client.submit_many(claims, batch=2, concurrency=6)
            taken = 0
            async for _ in results:
                taken += 1
                if taken == 5:
                    break
            await results.aclose()  # type: ignore[attr-defined]  # it is a generator

    asyncio.run(take_a_few())
    with SENDERS["AsyncClient"](config) as sender:
        sender.reconcile()
        for result in sender.submit_many(claims, batch=2):
            assert result.error is None
    for mine in claims:
        assert len(held(erp.ledger(), "reference", mine.id).posts) == 1
