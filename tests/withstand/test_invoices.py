"""One invoice, one claim, at every entrance: judged by what stands in the ERP's ledger."""

from __future__ import annotations

import asyncio
import datetime as dt
import multiprocessing
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from multiprocessing.connection import Connection
from pathlib import Path

import msgspec
import pytest
from tests.withstand.scene import PROFILES, claim, configured, held, ledger_of, lifelike

from claimbridge.aio import AsyncClient
from claimbridge.client import Client
from claimbridge.config import LedgerConfig
from claimbridge.errors import ClaimBridgeError, ClaimError
from claimbridge.journal import MemoryJournal
from claimbridge.model import Claim, State, SupportingDocument
from claimbridge.sandbox import Sandbox

NewId = Callable[[], str]


def using(id_: str, number: str, *, revision: int = 1, **fields: object) -> Claim:
    """A claim whose hotel bill is this invoice."""
    made = claim(id_, revision=revision)
    invoice = SupportingDocument(kind="vat_ordinary", number=number, **fields)  # type: ignore[arg-type]
    night = msgspec.structs.replace(made.lines[0], documents=(invoice,))
    return msgspec.structs.replace(made, lines=(night, *made.lines[1:]))


def number_of(id_: str) -> str:
    """An invoice's number that no other test uses."""
    return f"263120000{int(id_[1:]):010}1"


def posted(erp: Sandbox, *ids: str) -> list[str]:
    """Return which of the claims stand in the ledger, and are not reversed."""
    listed = erp.ledger()
    return sorted(id_ for id_ in ids if held(listed, "reference", id_).live)


def client(erp: Sandbox, folder: Path, **changes: object) -> Client:
    """A client of the module's ERP."""
    config = configured("reference", port=erp.port, journal=folder / "claims.db", **changes)
    return Client(config, ledger=ledger_of(config), new_journal=True)


@pytest.mark.parametrize("in_memory", [True, False])
def test_submit(erp: Sandbox, new_id: NewId, tmp_path: Path, in_memory: bool) -> None:
    """The second claim is refused before anything of it is sent or recorded."""
    first, second = new_id(), new_id()
    number = number_of(first)
    with client(erp, tmp_path) as sender:
        if in_memory:
            sender.journal = MemoryJournal()
        sender.submit(using(first, number))
        with pytest.raises(ClaimError) as refused:
            sender.submit(using(second, f" {number[:4]}-{number[4:]}\u200b", seller="whoever"))
        assert (refused.value.code, refused.value.claim_id) == ("CB-530", second)
        assert f"used by claim {first} already, on its line 1" in refused.value.message
        with pytest.raises(ClaimError, match="CB-132"):
            sender.status(second)
        assert sender.submit(using(first, number)).state is State.POSTED
        # What the second one claims besides may be claimed without it.
        sender.submit(claim(second))
    assert posted(erp, first, second) == [first, second]


@pytest.mark.parametrize("batch", [1, 10])
def test_submit_many(erp: Sandbox, new_id: NewId, tmp_path: Path, batch: int) -> None:
    """Of claims that go side by side, or in one request, one has the invoice; others go on."""
    rivals, others = [new_id() for _ in range(4)], [new_id() for _ in range(4)]
    number = number_of(rivals[0])
    claims = [using(id_, number) for id_ in rivals] + [using(id_, number_of(id_)) for id_ in others]
    with client(erp, tmp_path, batch=batch) as sender:
        ends = {end.claim_id: end.error and end.error.code for end in sender.submit_many(claims)}
    assert Counter(ends[id_] for id_ in rivals) == {None: 1, "CB-530": 3}
    assert {ends[id_] for id_ in others} == {None}
    won = [id_ for id_ in rivals if ends[id_] is None]
    assert posted(erp, *rivals) == won


def test_async_client(erp: Sandbox, new_id: NewId, tmp_path: Path) -> None:
    """As the other client: of eight at once one is posted."""
    ids = [new_id() for _ in range(8)]
    config = configured("reference", port=erp.port, journal=tmp_path / "claims.db")

    async def submit(sender: AsyncClient, id_: str) -> str:
        try:
            await sender.submit(using(id_, number_of(ids[0])))
        except ClaimBridgeError as error:
            return error.code
        return "posted"

    async def all_at_once() -> list[str]:
        async with AsyncClient(config, ledger=ledger_of(config), new_journal=True) as sender:
            return await asyncio.gather(*(submit(sender, id_) for id_ in ids))

    assert Counter(asyncio.run(all_at_once())) == {"posted": 1, "CB-530": 7}
    assert len(posted(erp, *ids)) == 1


def test_a_revision_that_may_not_have_its_invoice(
    erp: Sandbox, new_id: NewId, tmp_path: Path
) -> None:
    """The earlier revision is not reversed for one that cannot take its place."""
    first, second = new_id(), new_id()
    with client(erp, tmp_path) as sender:
        sender.submit(using(first, number_of(first)))
        sender.submit(claim(second))
        with pytest.raises(ClaimError) as refused:
            sender.submit(using(second, number_of(first), revision=2))
        assert refused.value.code == "CB-530"
        assert sender.status(second).state is State.POSTED
    assert posted(erp, first, second) == [first, second]


def test_when_it_is_free_again(erp: Sandbox, new_id: NewId, tmp_path: Path) -> None:
    """After a refusal, a withdrawal, a reversal, and a revision that has it no more."""
    ids = [new_id() for _ in range(5)]
    number = number_of(ids[0])
    closed = dt.date(2025, 3, 31)
    with client(erp, tmp_path, retries=0) as sender:
        with pytest.raises(ClaimBridgeError):
            sender.submit(msgspec.structs.replace(using(ids[0], number), posting_date=closed))
        assert sender.status(ids[0]).state is State.REJECTED
        erp.set_faults("any:throttle")
        with pytest.raises(ClaimBridgeError):
            sender.submit(using(ids[1], number))
        erp.set_faults("")
        assert sender.status(ids[1], ask=False).state is State.PENDING
        with pytest.raises(ClaimError, match=f"claim {ids[1]} already"):
            sender.submit(using(ids[2], number))
        assert sender.withdraw(ids[1], reason="not wanted") is None
        sender.submit(using(ids[2], number))
        sender.reverse(ids[2])
        sender.submit(using(ids[3], number))
        sender.submit(claim(ids[3], revision=2))
        sender.submit(using(ids[4], number))
        (*_, last) = sender.journal.invoices([number])
    assert (last.claim_id, last.state) == (ids[4], State.POSTED)
    assert posted(erp, *ids) == [ids[3], ids[4]]


def test_parts_of_one_invoice(erp: Sandbox, new_id: NewId, tmp_path: Path) -> None:
    """Claims share an invoice up to its total; what is left is told."""
    ids = [new_id() for _ in range(3)]
    number, total = number_of(ids[0]), Decimal("200.00")
    with client(erp, tmp_path) as sender:
        sender.submit(using(ids[0], number, amount=Decimal("106.00"), total=total))
        with pytest.raises(ClaimError) as refused:
            sender.submit(using(ids[1], number, amount=Decimal("106.00"), total=total))
        assert refused.value.code == "CB-568"
        assert "94.00 of its total 200.00 is left" in refused.value.message
        sender.submit(using(ids[2], number, amount=Decimal("94.00"), total=total))
    assert posted(erp, *ids) == [ids[0], ids[2]]


def test_what_waits_has_its_invoice(erp: Sandbox, new_id: NewId, tmp_path: Path) -> None:
    """A claim that could not be sent is sent by reconcile; nobody has its invoice meanwhile."""
    first, second = new_id(), new_id()
    number = number_of(first)
    with client(erp, tmp_path, retries=0) as sender:
        erp.set_faults("any:throttle")
        with pytest.raises(ClaimBridgeError):
            sender.submit(using(first, number))
        erp.set_faults("")
        with pytest.raises(ClaimError):
            sender.submit(using(second, number))
        assert [one.claim_id for one in sender.reconcile()] == [first]
        with pytest.raises(ClaimError):
            sender.submit(using(second, number))
    assert posted(erp, first, second) == [first]


def submit_all(config: LedgerConfig, claims: list[tuple[str, str]], go: Connection) -> None:
    """One process: submit every claim; say which were accepted, and how others ended."""
    ends: list[tuple[str, str]] = []
    with Client(config, ledger=ledger_of(config), new_journal=True) as sender:
        go.send("ready")
        go.recv()
        for result in sender.submit_many((using(*one) for one in claims), concurrency=4):
            ends.append((result.claim_id, result.error.code if result.error else "posted"))
    go.send(ends)


@pytest.mark.parametrize("profile", PROFILES)
def test_two_processes_with_the_same_invoices(tmp_path: Path, profile: str) -> None:
    """Each of sixty invoices stands on four claims, in two processes: one of the four is posted."""
    invoices = [f"2631200000000{number:06}1" for number in range(60)]
    context = multiprocessing.get_context("spawn")
    with lifelike(profiles=[profile]) as erp:
        config = configured(profile, port=erp.port, journal=tmp_path / "claims.db")
        lines = []
        for name in ("P", "Q"):
            claims = [
                (f"{name}{copy}{at:03}", number)
                for at, number in enumerate(invoices)
                for copy in range(2)
            ]
            mine, theirs = context.Pipe()
            process = context.Process(target=submit_all, args=(config, claims, theirs))
            process.start()
            lines.append((process, mine))
        for _, line in lines:
            assert line.recv() == "ready"
        for _, line in lines:
            line.send("go")
        ends = {}
        for process, line in lines:
            ends.update(line.recv())
            process.join(60)
        assert Counter(ends.values()) == {"posted": 60, "CB-530": 180}
        stands = Counter(one.reference[2:] for one in erp.ledger())
        assert stands == {f"{at:03}": 1 for at in range(60)}
