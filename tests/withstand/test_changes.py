"""Changes that are stopped midway and gone on with: none is lost, wherever the stop was."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import islice
from pathlib import Path

import pytest
from tests.withstand.scene import chart, claim, configured, contract, lifelike

from claimbridge.aio import AsyncClient
from claimbridge.client import Client
from claimbridge.ledger import Ledger
from claimbridge.model import Change
from claimbridge.sandbox import Sandbox

IDS = [f"EXP-{number:02}" for number in range(1, 13)]
Take = Callable[[int | None, str | None, int], list[Change]]
"""Takes so many changes (None: all), from a cursor, with so many a page."""


@pytest.fixture
def erp() -> Iterator[Sandbox]:
    with lifelike(profiles=["reference"]) as sandbox:
        yield sandbox


@pytest.fixture
def ledger(tmp_path: Path, erp: Sandbox) -> Ledger:
    config = configured("reference", port=erp.port, journal=tmp_path / "claims.db")
    opened = Ledger(config, contract=contract("reference"), chart=chart())
    with Client(config, ledger=opened) as client:
        for id_ in IDS:
            client.submit(claim(id_))
    return opened


async def _first(changes: AsyncIterator[Change], most: int | None) -> list[Change]:
    found: list[Change] = []
    async for change in changes:
        found.append(change)
        if len(found) == most:
            break
    return found


@pytest.fixture(params=["Client", "AsyncClient"])
def take(ledger: Ledger, request: pytest.FixtureRequest) -> Take:
    async def awaited(most: int | None, since: str | None, limit: int) -> list[Change]:
        async with AsyncClient(ledger.setup.config, ledger=ledger) as client:
            changes = client.changes(since=since, limit=limit)
            try:
                return await _first(changes, most)
            finally:
                await changes.aclose()  # type: ignore[attr-defined]

    def taken(most: int | None, since: str | None, limit: int) -> list[Change]:
        if request.param == "AsyncClient":
            return asyncio.run(awaited(most, since, limit))
        with Client(ledger.setup.config, ledger=ledger) as client:
            return list(islice(client.changes(since=since, limit=limit), most))

    return taken


def names(changes: list[Change]) -> list[str]:
    return [change.reference for change in changes]


@pytest.mark.parametrize("limit", [5, 12, 100])
def test_after_each_change_the_next_ones_follow(take: Take, limit: int) -> None:
    """From the cursor of any change, of any page, all others follow, and none comes again."""
    whole = take(None, "", limit)
    assert names(whole) == IDS
    for number, change in enumerate(whole, start=1):
        assert names(take(None, change.cursor, limit)) == IDS[number:]
        assert names(take(None, change.cursor, 3)) == IDS[number:]


def test_few_at_a_time_come_to_an_end(take: Take) -> None:
    """Who deals with three at a time, and keeps the cursor of the third, has dealt with all."""
    cursor, dealt = "", []
    while found := take(3, cursor, 100):
        dealt += found
        cursor = found[-1].cursor
    assert names(dealt) == IDS


def test_the_journal_remembers_what_was_dealt_with(take: Take) -> None:
    """Stopped at the third change, the journal goes on with that one, and loses none."""
    assert names(take(3, None, 100)) == IDS[:3]
    assert names(take(None, None, 100)) == IDS[2:]
    assert take(None, None, 100) == []


def test_what_was_dealt_with_is_kept_when_closing_returns(ledger: Ledger) -> None:
    """Asynchronously, too, the cursor is kept before ``aclose`` returns, and not later."""

    async def kept() -> tuple[str, list[Change]]:
        async with AsyncClient(ledger.setup.config, ledger=ledger) as client:
            book = (await client.book()).id
            changes = client.changes()
            seen = [await anext(changes) for _ in range(3)]
            await changes.aclose()  # type: ignore[attr-defined]
            return client.journal.cursor(book), seen

    cursor, seen = asyncio.run(kept())
    assert cursor == seen[1].cursor


def test_a_document_that_changes_again_costs_no_other(
    take: Take, ledger: Ledger, erp: Sandbox
) -> None:
    """Where dealt-with documents have changed since, changes may come twice; none is left out."""
    (*_, third) = take(3, "", 100)
    with Client(ledger.setup.config, ledger=ledger) as client:
        for id_ in (IDS[0], IDS[2], IDS[5]):
            client.reverse(id_, posting_date=claim(id_).posting_date)
    found = names(take(None, third.cursor, 100))
    assert set(IDS[3:]) | {IDS[0], IDS[2]} <= set(found)
    assert found.count(IDS[5]) == 1
    cursor, seen = third.cursor, []
    while few := take(1, cursor, 100):
        seen += few
        cursor = few[-1].cursor
    assert set(IDS[3:]) | {IDS[0], IDS[2]} <= set(names(seen))
