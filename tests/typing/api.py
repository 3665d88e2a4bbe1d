"""What a type checker sees of the public API; checked, never run, by ``test_typing.py``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import assert_type

from claimbridge import (
    Acknowledgement,
    Arrival,
    AsyncClient,
    Capabilities,
    Change,
    Chart,
    Claim,
    ClaimBridgeError,
    ClaimLine,
    Client,
    Finding,
    JournalEntry,
    LedgerConfig,
    LedgerRejection,
    LedgerUnavailable,
    Money,
    Outcome,
    OutcomeUnknown,
    Posting,
    Preview,
    Profile,
    Reason,
    Reconciled,
    Result,
    SchemaViolation,
    Side,
    Source,
    Standing,
    State,
    Voucher,
    load_config,
)
from claimbridge.contract.calls.fault import Fault
from claimbridge.contract.calls.replies import Reply
from claimbridge.ledger import Ledger
from claimbridge.model import Submission
from claimbridge.profiles import Request
from claimbridge.profiles.abilities import ListsChanges
from claimbridge.sandbox import LedgerRow, Sandbox
from claimbridge.sources import SourceConfig, SourceRecord, WriteBackPort, WritesBack
from claimbridge.submission import ProbeChoice, ProbeIntention, ProbeStep
from claimbridge.testing import FakeLedger, RecordedExchange, load_exchanges


def values(claim: Claim, voucher: Voucher) -> None:
    assert_type(Claim.from_json(b"{}"), Claim)
    assert_type(claim.lines, tuple[ClaimLine, ...])
    assert_type(claim.total, Decimal)
    assert_type(claim.to_json(), bytes)
    digest: str = claim.digest
    assert digest
    assert_type(voucher.postings, tuple[Posting, ...])
    assert_type(voucher.totals, dict[str, Decimal])
    assert_type(voucher.postings[0].side, Side)
    assert_type(Money(Decimal(1), "CNY") + Money(Decimal(2), "CNY"), Money)
    assert_type(Chart.load(Path("chart.toml")).map(claim).voucher, Voucher)


def synchronous(claim: Claim) -> None:
    config = load_config("claimbridge.toml", ledger="CN01")
    assert_type(config, LedgerConfig)
    with Client.from_config("claimbridge.toml") as ledger:
        assert_type(ledger, Client)
        assert_type(ledger.submit(claim, timeout=5), Acknowledgement)
        assert_type(ledger.submit_many([claim], batch=10, concurrency=2), Iterator[Result])
        assert_type(ledger.status("EXP-1", ask=False), Standing)
        assert_type(ledger.wait("EXP-1", until=State.PAID, timeout=5), Standing)
        assert_type(ledger.changes(since=""), Iterator[Change])
        assert_type(ledger.reverse("EXP-1", reason="twice"), Acknowledgement)
        assert_type(ledger.preview(claim), Preview)
        assert_type(ledger.reconcile(), Iterator[Reconciled])
        intention = ledger.intend_probe(ProbeChoice(employee="E1024"))
        assert_type(intention, ProbeIntention)
        assert_type(ledger.probe(intention, wait=5), Iterator[ProbeStep])
        assert_type(ledger.submit(claim).journal_entry, JournalEntry | None)
        assert_type(ledger.preview(claim).findings, tuple[Finding, ...])


async def asynchronous(claim: Claim) -> None:
    async with AsyncClient.from_config("claimbridge.toml") as ledger:
        assert_type(ledger, AsyncClient)
        assert_type(await ledger.submit(claim, timeout=5), Acknowledgement)
        assert_type(await ledger.status("EXP-1"), Standing)
        assert_type(await ledger.reverse("EXP-1"), Acknowledgement)
        intention = await ledger.intend_probe(ProbeChoice(employee="E1024"))
        assert_type(ledger.probe(intention), AsyncIterator[ProbeStep])
        assert_type(ledger.changes(), AsyncIterator[Change])
        assert_type(ledger.submit_many([claim]), AsyncIterator[Result])


def errors(error: ClaimBridgeError) -> None:
    assert_type(error.code, str)
    assert_type(error.claim_id, str | None)
    assert_type(error.retryable, bool)
    if isinstance(error, LedgerRejection):
        assert_type(error.reasons, tuple[Reason, ...])
        assert_type(error.reference, str | None)
        assert_type(error.attempt, int)
    if isinstance(error, SchemaViolation):
        assert_type(error.findings, tuple[Finding, ...])
    if isinstance(error, (LedgerUnavailable, OutcomeUnknown)):
        assert_type(error.retry_after, float | None)


class OwnErp:
    """A profile with the six members that every profile has, and no more."""

    name = "own"
    contract = "own.wsdl"
    capabilities = Capabilities(
        can_query=False, can_reverse=False, can_list_changes=False, unique_reference=False
    )

    def submit(self, submissions: Sequence[Submission]) -> Request:
        return Request(operation="Post", body={"Reference": submissions[0].reference})

    def read(self, reply: Reply) -> tuple[Outcome, ...]:
        return ()

    def read_fault(self, fault: Fault) -> Outcome:
        raise NotImplementedError


def profiles(config: LedgerConfig, profile: Profile) -> None:
    Ledger(config, profile=OwnErp())
    assert_type(profile.capabilities, Capabilities)
    assert_type(profile.capabilities.batch, int)
    if isinstance(profile, ListsChanges):
        assert_type(profile.changes("", 10), Request)


class OwnSource:
    def __init__(self, name: str) -> None:
        self.name = name

    def arrivals(self, *, since: str = "") -> Iterator[Arrival]:
        yield Arrival(key="1", version="1", withdrawn=True, mark=since)

    def reread(self, key: str) -> Arrival | None:
        return None

    def ended(
        self, arrival: Arrival, *, standing: Standing | None, error: ClaimBridgeError | None
    ) -> None: ...

    def close(self) -> None: ...


def own_source(config: SourceConfig, record: SourceRecord) -> Source:
    return OwnSource(config.name)


def sources(source: Source) -> None:
    assert_type(next(source.arrivals(since="")).claim, Claim | None)
    if isinstance(source, WritesBack):
        assert_type(source.write_back_port(), WriteBackPort)


def testing(fake_ledger: FakeLedger, sandbox: Sandbox) -> None:
    assert_type(fake_ledger.erp.entries()[0].voucher, Voucher)
    assert_type(sandbox.ledger(), list[LedgerRow])
    assert_type(load_exchanges(Path()), Iterator[RecordedExchange])


def misuse(ledger: Client, claim: Claim) -> None:
    # Each must be an error for the checker: an ignore that is not needed is reported.
    ledger.submit(claim, 5)  # type: ignore[call-arg]
    ledger.submit("EXP-1")  # type: ignore[arg-type]
    claim.total = Decimal(1)  # type: ignore[misc]
    ledger.wait("EXP-1", until="posted")  # type: ignore[arg-type]
