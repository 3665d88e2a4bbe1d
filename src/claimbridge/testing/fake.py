"""A ledger without an ERP: the real client and its decisions over an ERP in memory."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from claimbridge.client import Client
from claimbridge.clock import SYSTEM, Clock
from claimbridge.config import LedgerConfig
from claimbridge.errors import ClaimBridgeError
from claimbridge.journal import MemoryJournal
from claimbridge.ledger import Ledger, not_built
from claimbridge.mapping import Chart, Mapped
from claimbridge.model import (
    Claim,
    JournalEntry,
    Outcome,
    OutcomeKind,
    Purpose,
    Reason,
    Submission,
    Voucher,
)
from claimbridge.submission import Built, Plan
from claimbridge.testing.given import chart_given, check_kind


class FakeEntry(msgspec.Struct, frozen=True):
    """One voucher in the fake ERP; ``reversed`` once a reversal took it back."""

    reference: str
    journal_entry: JournalEntry
    voucher: Voucher
    reversed: bool = False


class FakeErp:
    """An ERP in memory that refuses duplicates and can be asked; things go wrong to order.

    Each order holds for the next request that would post something.
    """

    def __init__(self) -> None:
        self._entries: dict[str, FakeEntry] = {}
        self._orders: list[Callable[[tuple[Submission, ...]], tuple[Outcome, ...]]] = []
        self.requests: int = 0
        """How many requests reached it."""

    def entries(self) -> list[FakeEntry]:
        """Return what it holds, in the order of entry, reversals included."""
        return list(self._entries.values())

    def refuse_connections(self, times: int = 1) -> None:
        """Let the next requests fail before they arrive: NotDelivered."""
        gone = Outcome(kind=OutcomeKind.NOT_DELIVERED, text="the connection was refused")
        self._orders += [lambda _: (gone,)] * times

    def lose_answer(self) -> None:
        """Post what the next request holds, and lose the answer."""
        lost = Outcome(kind=OutcomeKind.UNKNOWN, text="the answer was lost")

        def order(submissions: tuple[Submission, ...]) -> tuple[Outcome, ...]:
            self._post(submissions)
            return (lost,)

        self._orders.append(order)

    def lose_request(self) -> None:
        """Lose the next request after it left: nothing is posted, and nobody knows."""
        lost = Outcome(kind=OutcomeKind.UNKNOWN, text="no answer came")
        self._orders.append(lambda _: (lost,))

    def reject(self, *reasons: str) -> None:
        """Refuse what the next request holds, for these reasons: LedgerRejection."""
        given = tuple(Reason(text) for text in reasons)
        no = Outcome(kind=OutcomeKind.REJECTED, reasons=given or (Reason("refused to order"),))
        self._orders.append(lambda _: (no,))

    def throttle(self, retry_after: float) -> None:
        """Turn the next request away for so many seconds: LedgerUnavailable."""
        busy = Outcome(kind=OutcomeKind.UNAVAILABLE, text="throttled", retry_after=retry_after)
        self._orders.append(lambda _: (busy,))

    def answer(self, verb: str, submissions: tuple[Submission, ...]) -> tuple[Outcome, ...]:
        """Return its outcomes of one exchange."""
        self.requests += 1
        if verb == "query":
            return tuple(self._look_up(one) for one in submissions)
        if self._orders:
            return self._orders.pop(0)(submissions)
        return self._post(submissions)

    def _post(self, submissions: tuple[Submission, ...]) -> tuple[Outcome, ...]:
        return tuple(self._post_one(submission) for submission in submissions)

    def _post_one(self, submission: Submission) -> Outcome:
        reference, voucher = submission.reference, submission.voucher
        known = self._entries.get(reference)
        if known is not None:
            return _outcome(known, OutcomeKind.DUPLICATE)
        number = f"{len(self._entries) + 1:06}"
        entry = FakeEntry(reference, JournalEntry(number=number, company=voucher.company), voucher)
        self._entries[reference] = entry
        if voucher.purpose is Purpose.REVERSE and voucher.reverses is not None:
            self._take_back(voucher.reverses)
        return _outcome(entry, OutcomeKind.POSTED)

    def _take_back(self, number: JournalEntry) -> None:
        for reference, entry in self._entries.items():
            if entry.journal_entry == number:
                self._entries[reference] = msgspec.structs.replace(entry, reversed=True)

    def _look_up(self, submission: Submission) -> Outcome:
        known = self._entries.get(submission.reference)
        if known is None:
            return Outcome(kind=OutcomeKind.ABSENT, reference=submission.reference)
        return _outcome(known, OutcomeKind.REVERSED if known.reversed else OutcomeKind.POSTED)


def _outcome(entry: FakeEntry, kind: OutcomeKind) -> Outcome:
    return Outcome(
        kind=kind,
        reference=entry.reference,
        journal_entry=entry.journal_entry,
        totals=entry.voucher.totals,
    )


class _LedgerOfFakeErp(Ledger):
    """A ledger whose requests are built and judged as if they were sent, and answered in memory."""

    def __init__(self, config: LedgerConfig, *, chart: Chart, clock: Clock) -> None:
        super().__init__(config, chart=chart, clock=clock)
        self.erp = FakeErp()

    def exchange(
        self, verb: str, submissions: tuple[Submission, ...], built: Built | None = None
    ) -> Plan[tuple[Outcome, ...]]:
        """Plan an exchange that nobody need perform."""
        yield from ()
        try:
            _ = built or self.writer.build(verb, submissions)
        except ClaimBridgeError as error:
            return (not_built(error),)
        return self.erp.answer(verb, submissions)


class FakeLedger(Client):
    """A ``Client`` whose ERP is a ``FakeErp``: no network, no file, the same answers and errors.

    ``chart`` may be a chart's path; None maps every expense type to one account, gross, with days
    in UTC. Raises ConfigurationError CB-296 for an argument of another kind. ``time_zone`` is
    the ledger's, for a chart that names none. Waits between tries are as short as can be.
    """

    def __init__(
        self,
        *,
        chart: Chart | str | Path | None = None,
        name: str = "TEST",
        time_zone: str | None = None,
        clock: Clock = SYSTEM,
    ) -> None:
        check_kind("name", name, str, "a text")
        if time_zone is not None:
            check_kind("time_zone", time_zone, str, "a text such as Asia/Shanghai")
        check_kind("clock", clock, Clock, "a Clock")
        config = LedgerConfig(
            name=name, endpoint="http://127.0.0.1:9/", time_zone=time_zone, backoff=0.0
        )
        ledger = _LedgerOfFakeErp(config, chart=chart_given(chart) or PlainChart(), clock=clock)
        super().__init__(config, ledger=ledger, journal=MemoryJournal(clock=clock), clock=clock)
        self.erp: FakeErp = ledger.erp


class PlainChart(Chart):
    """A chart that knows every expense type: one account, no tax, one payable, days in UTC."""

    def __init__(self) -> None:
        self.name = "plain"  # there is nothing to load: a chart is made for each claim

    @property
    def companies(self) -> Mapping[str, str]:
        """None by name: it takes any."""
        return {}

    def in_zone(self, zone: ZoneInfo | None) -> PlainChart:
        """Return the chart itself: its days are UTC's."""
        return self

    def zone_of(self, company: str) -> ZoneInfo:
        """Return UTC."""
        return ZoneInfo("UTC")

    def period_of(self, day: dt.date) -> str | None:
        """Return None: it has no periods."""
        return None

    def map(self, claim: Claim) -> Mapped:
        """Return the claim's voucher; raises ClaimError as a real chart does."""
        return Chart.from_toml(_plain(claim)).map(claim)

    def map_part(self, part: Claim, *, of: Claim) -> Mapped:
        """Return the voucher of a part of a claim."""
        return Chart.from_toml(_plain(of)).map_part(part, of=of)


def _plain(claim: Claim) -> bytes:
    head = (
        '[chart]\nname = "plain"\ndefault_cost_centre = "1000"\n[accounts]\n'
        'employee_payable = "2241"\ncard_payable = "2242"\ninput_tax = "2221"\n'
        'rounding = "6603"\nfx_difference = "6061"\n'
        f"[company.{_quote(claim.company)}]\ncurrency = {_quote(claim.currency)}\n"
        'time_zone = "UTC"\n'
    )
    rows = (
        f'[[expense]]\ntype = {_quote(kind)}\naccount = "6602"\n'
        for kind in sorted({line.type for line in claim.lines})
    )
    return (head + "".join(rows)).encode()


def _quote(text: str) -> str:
    # JSON's strings are TOML's too.
    return msgspec.json.encode(text).decode()
