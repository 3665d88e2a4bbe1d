"""The scene of these tests: a real sandbox, a journal in a file, clients with short time-outs."""

from __future__ import annotations

import asyncio
import datetime as dt
import functools
import os
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

import msgspec
from tests.site import SITE

from claimbridge.aio import AsyncClient
from claimbridge.client import Client
from claimbridge.config import LedgerConfig, Timeouts
from claimbridge.contract import Bundle, Contract
from claimbridge.errors import ClaimBridgeError, LedgerRejection, OutcomeUnknown
from claimbridge.journal import Journal
from claimbridge.ledger import Ledger
from claimbridge.mapping import Chart
from claimbridge.model import (
    Acknowledgement,
    Claim,
    ClaimLine,
    JournalEntry,
    Standing,
    State,
    Submission,
)
from claimbridge.profiles import load_profile
from claimbridge.results import Reconciled, Result
from claimbridge.sandbox import DISTURBANCES, LedgerRow, Sandbox

PROFILES = ("reference", "sap-journal-entry")
FOLDING = ("sap-journal-entry",)
"""Those of them whose references are in capitals, marks included."""
NAME = "CN01"
QUIET = 1.2
"""The quiet period in seconds: not much longer than the longest exchange, 1.0."""
PARKED = "CB-421"

T = TypeVar("T")
Look = Callable[[], Sequence[LedgerRow]]
"""Shows what the ERP's ledger holds."""

SLOW = ("0.3", "3")
"""Within the time that the clients allow, and beyond it."""


def seed_of(test: str) -> int:
    """A seed that is always the same for one test, and another for the next."""
    return zlib.crc32(test.partition(" ")[0].encode())


def lifelike(**settings: Any) -> Sandbox:
    """A sandbox whose replies are as untidy as those of real systems, each test in its own way."""
    seed = seed_of(os.environ.get("PYTEST_CURRENT_TEST", ""))
    return Sandbox(**{"lifelike": True, "seed": seed} | settings)


def marked(profile: str, name: str, mark: str) -> str:
    """Return the reference of a claim's later revision or reversal: ``EXP-1.r2``."""
    return f"{name}.{mark.upper() if profile in FOLDING else mark}"


CHART = b"""
[chart]
name = "withstand"
default_cost_centre = "1000"
[accounts]
employee_payable = "2241.01"
card_payable = "2241.02"
input_tax = "2221.01.01"
rounding = "6603.09"
fx_difference = "6061.01"
advance_clearing = "1221.01"
[company.CN01]
currency = "CNY"
time_zone = "Asia/Shanghai"
[[expense]]
type = "taxi"
name = "Taxi"
account = "6602.03"
[[expense]]
type = "hotel"
name = "Hotel"
account = "6602.02"
deductible = 1
tax_code = "J6"
"""


def claim(id_: str, *, revision: int = 1, taxi: str = "30.00") -> Claim:
    """A claim of a hotel night with tax and a taxi ride; ``taxi`` is what a correction changes."""
    ride, night = Decimal(taxi), Decimal("106.00")
    day = dt.date(2026, 3, 11)
    return Claim(
        id=id_,
        revision=revision,
        company="CN01",
        employee="E1024",
        currency="CNY",
        total=ride + night,
        lines=(
            ClaimLine(type="hotel", date=day, amount=night, tax=Decimal("6.00")),
            ClaimLine(type="taxi", date=day, amount=ride, text="站 → office"),
        ),
        posting_date=dt.date(2026, 3, 31),
    )


def late(mine: Claim) -> Claim:
    """The same claim, for a period that the ERP has closed."""
    return msgspec.structs.replace(mine, posting_date=mine.posting_date.replace(year=2025))


KIN = frozenset({"lock", "licence", "html-200=as-xml", "redirect=login"})
"""Faults that say what another says in other words: one module of tests plays all of them."""


def faults() -> Iterator[str]:
    """Every fault with each of its variants, as a SPEC writes it, without the KIN."""
    return (one for one in every_fault() if one not in KIN)


def every_fault() -> Iterator[str]:
    """Every fault with each of its variants, as a SPEC writes it."""
    for name, variants in DISTURBANCES.items():
        known = SLOW if name == "slow" else variants
        yield from (f"{name}={variant}" for variant in known) if known else (name,)


@functools.cache
def contract(profile: str) -> Contract:
    """The profile's own contract, loaded once."""
    found = load_profile(profile, SITE.get(profile, {}))
    return Contract.load(Bundle.from_package(found.contract))


@functools.cache
def chart() -> Chart:
    """The chart of these claims, read once."""
    return Chart.from_toml(CHART)


def configured(profile: str, *, port: int, journal: Path, **changes: Any) -> LedgerConfig:
    """A ledger behind ``port`` of this machine, with time-outs as short as can be."""
    settings: dict[str, Any] = {
        "name": NAME,
        "profile": profile,
        "endpoint": f"http://127.0.0.1:{port}/{profile}",
        "journal": f"sqlite:///{journal}",
        "timeouts": Timeouts(connect=0.5, total=1.0),
        "quiet_period": QUIET,
        "backoff": 0.05,
        "retries": 1,
    }
    options = {**SITE.get(profile, {}), **changes.pop("options", {})}
    return LedgerConfig(**settings | changes, options=options)


def ledger_of(config: LedgerConfig) -> Ledger:
    """The ledger that ``config`` describes, on the contract and the chart loaded once."""
    return Ledger(config, contract=contract(config.profile), chart=chart())


def book_of(journal: Journal, name: str = NAME) -> str:
    """Return the id of the book that a ledger's name means; the name while it was never opened."""
    return next((book.id for book in journal.books() if name in book.names), name)


class Sender(Protocol):
    """A client of either kind, called the same way."""

    @property
    def journal(self) -> Journal: ...

    def __init__(
        self, config: LedgerConfig, *, journal: Journal | None = None, new_journal: bool = True
    ) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...
    def submit(self, claim: Claim) -> Acknowledgement: ...
    def submit_many(self, claims: Iterable[Claim], *, batch: int) -> list[Result]: ...
    def reverse(self, claim_id: str) -> Acknowledgement: ...
    def status(self, claim_id: str) -> Standing: ...
    def wait(self, claim_id: str) -> Standing: ...
    def reconcile(self) -> list[Reconciled]: ...
    def settle(self, claim_id: str, *, revision: int, posted: JournalEntry | None) -> Standing: ...


class Threaded:
    """``Client``."""

    def __init__(
        self, config: LedgerConfig, *, journal: Journal | None = None, new_journal: bool = True
    ) -> None:
        self.client = Client(
            config, ledger=ledger_of(config), journal=journal, new_journal=new_journal
        )
        self.journal = self.client.journal

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    def submit(self, claim: Claim) -> Acknowledgement:
        return self.client.submit(claim)

    def submit_many(self, claims: Iterable[Claim], *, batch: int) -> list[Result]:
        return list(self.client.submit_many(claims, batch=batch))

    def reverse(self, claim_id: str) -> Acknowledgement:
        return self.client.reverse(claim_id, posting_date=dt.date(2026, 3, 31))

    def status(self, claim_id: str) -> Standing:
        return self.client.status(claim_id, ask=False)

    def wait(self, claim_id: str) -> Standing:
        return self.client.wait(claim_id, timeout=5)

    def reconcile(self) -> list[Reconciled]:
        return list(self.client.reconcile())

    def settle(self, claim_id: str, *, revision: int, posted: JournalEntry | None) -> Standing:
        return self.client.settle(claim_id, revision=revision, posted=posted)


class Awaited:
    """``AsyncClient``, in one event loop that goes on from call to call."""

    def __init__(
        self, config: LedgerConfig, *, journal: Journal | None = None, new_journal: bool = True
    ) -> None:
        self.client = AsyncClient(
            config, ledger=ledger_of(config), journal=journal, new_journal=new_journal
        )
        self.journal = self.client.journal
        self._loop = asyncio.Runner()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.run(self.client.close())
        self._loop.close()

    def submit(self, claim: Claim) -> Acknowledgement:
        return self._loop.run(self.client.submit(claim))

    def submit_many(self, claims: Iterable[Claim], *, batch: int) -> list[Result]:
        async def collect() -> list[Result]:
            return [one async for one in self.client.submit_many(claims, batch=batch)]

        return self._loop.run(collect())

    def reverse(self, claim_id: str) -> Acknowledgement:
        return self._loop.run(self.client.reverse(claim_id, posting_date=dt.date(2026, 3, 31)))

    def status(self, claim_id: str) -> Standing:
        return self._loop.run(self.client.status(claim_id, ask=False))

    def wait(self, claim_id: str) -> Standing:
        return self._loop.run(self.client.wait(claim_id, timeout=5))

    def reconcile(self) -> list[Reconciled]:
        async def collect() -> list[Reconciled]:
            return [one async for one in self.client.reconcile()]

        return self._loop.run(collect())

    def settle(self, claim_id: str, *, revision: int, posted: JournalEntry | None) -> Standing:
        return self._loop.run(self.client.settle(claim_id, revision=revision, posted=posted))


SENDERS: dict[str, type[Sender]] = {"Client": Threaded, "AsyncClient": Awaited}


def attempted(sender: Sender, claim: Claim) -> Acknowledgement | ClaimBridgeError:
    """Submit; return the error where there is one."""
    try:
        return sender.submit(claim)
    except ClaimBridgeError as error:
        return error


def settled(sender: Sender, claim: Claim) -> Acknowledgement | ClaimBridgeError:
    """Submit as a caller should who reads the errors: again where they say so, and when.

    Ends with an acknowledgement or with the error of a parked submission.
    """
    try:
        return patiently(partial(sender.submit, claim))
    except ClaimBridgeError as error:
        if error.code != PARKED:
            raise
        return error


def patiently(call: Callable[[], T], *, calls: int = 8) -> T:
    """Make a call until it succeeds, as its errors say; raises an error that says otherwise.

    A refusal is tried again too: the sandbox refuses to order.
    """
    for left in reversed(range(calls)):
        try:
            return call()
        except ClaimBridgeError as error:
            wait = getattr(error, "retry_after", None)
            again = error.retryable or isinstance(error, LedgerRejection) or wait is not None
            if not again or not left:
                raise
            time.sleep((wait or 0.0) + 0.02)
    raise AssertionError("unreachable")


def insist(sender: Sender, call: Callable[[], T], *, look: Look) -> T:
    """Make a call until it succeeds; a person who can ``look`` into the ERP settles the parked."""
    while True:
        try:
            return patiently(call)
        except ClaimBridgeError as error:
            parked = list(sender.journal.select(book_of(sender.journal), [State.PARKED]))
            if error.code != PARKED or not parked:
                raise
            for one in parked:
                settle_by_hand(sender, one, look)


class Held(msgspec.Struct, frozen=True):
    """What the ERP's ledger holds of one claim."""

    posts: list[LedgerRow]
    reversals: list[LedgerRow]

    @property
    def live(self) -> list[LedgerRow]:
        """The documents that count."""
        return [one for one in self.posts if one.state in {"entered", "posted", "paid"}]

    @property
    def taken_back(self) -> list[LedgerRow]:
        """The documents that were reversed."""
        return [one for one in self.posts if one.state == "reversed"]


def held(ledger: Sequence[LedgerRow], profile: str, claim_id: str) -> Held:
    """Return what a sandbox's ledger holds of a claim, by the references derived from its id."""
    documents = [
        one
        for one in ledger
        if one.profile == profile
        and (one.reference == claim_id or one.reference.startswith(f"{claim_id}."))
    ]
    return Held(
        [one for one in documents if one.purpose == "post"],
        [one for one in documents if one.purpose == "reverse"],
    )


class Struck(msgspec.Struct, frozen=True):
    """What became of a claim: after the one call that a fault struck, and in the end."""

    claim: Claim
    first: Acknowledgement | ClaimBridgeError
    held_first: Held
    end: Acknowledgement | ClaimBridgeError
    held: Held
    status: Standing

    def acknowledged(self) -> Acknowledgement:
        """The acknowledgement that it ended with; fails where it was parked."""
        assert isinstance(self.end, Acknowledgement), self.end
        return self.end


def one_effect(
    sender: Sender, erp: Sandbox, spec: str, *, profile: str, new_id: Callable[[], str]
) -> Struck:
    """Submit a claim while the faults of ``spec`` strike, then until it is settled; check the rule.

    The rule of every profile: acknowledged, and in the ledger once, and not sent again; or parked,
    and in the ledger once at most. Nobody follows a redirect.
    """
    sender.submit(claim(new_id()))  # so that there is a previous answer, and a connection
    mine = claim(new_id())
    erp.set_faults(spec)
    first = attempted(sender, mine)
    erp.set_faults("")
    held_first = held(erp.ledger(), profile, mine.id)
    end = settled(sender, mine)
    found, status = held(erp.ledger(), profile, mine.id), sender.status(mine.id)
    assert found.reversals == []
    assert len(found.posts) <= 1
    if isinstance(end, Acknowledgement):
        assert [one.reference for one in found.live] == [mine.id]
        before = erp.requests()
        assert sender.submit(mine) == end
        assert erp.requests() == before, "what is done is not sent again"
    else:
        assert (end.code, status.state) == (PARKED, State.PARKED)
        assert mine.id in status.detail
    assert erp.requests().get("decoy", 0) == 0
    return Struck(mine, first, held_first, end, found, status)


def settle_by_hand(sender: Sender, parked: Submission, look: Look) -> Standing:
    """Settle a parked submission by what a person finds in the ERP, as early as that is taken."""
    key = parked.key
    while True:
        try:
            return sender.settle(
                key.claim_id, revision=key.revision, posted=_found(look(), parked.reference)
            )
        except OutcomeUnknown as error:
            if error.retry_after is None:  # time will not help: not what is expected here
                raise
            time.sleep(error.retry_after + 0.02)


def _found(ledger: Sequence[LedgerRow], reference: str) -> JournalEntry | None:
    """Return what someone sees who looks for a reference in the ERP; None for nothing."""
    entries = [
        JournalEntry(one.journal_entry.split(" / ")[0], one.company, one.fiscal_year)
        for one in ledger
        if one.reference == reference and one.journal_entry is not None
    ]
    assert len(entries) <= 1, f"{reference} is there {len(entries)} times"
    return entries[0] if entries else None
