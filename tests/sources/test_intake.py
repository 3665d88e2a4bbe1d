"""The intake: one claim's trouble is its own, nothing is lost, nothing is doubled."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from tests.sources.claims import INVOICE, claim

from claimbridge.errors import (
    ClaimBridgeError,
    ClaimError,
    DeliveryRefused,
    JournalError,
    KeyUnavailable,
    LedgerRejection,
    LedgerUnavailable,
    NotDelivered,
    OutcomeUnknown,
)
from claimbridge.model import Claim, Purpose, Standing, State
from claimbridge.results import Result
from claimbridge.sources.base import Arrival
from claimbridge.sources.base.writeback import WriteBack, WriteBackKind, WriteBackState
from claimbridge.sources.intake import Intake, IntakeItem
from claimbridge.sources.intake.ledgers import SourceLedgers
from claimbridge.sources.record import ArrivalState, MemoryRecord
from claimbridge.sources.settings import SourceConfig
from claimbridge.testing import FakeLedger

CONFIG = SourceConfig(name="list", kind="tests:list", ledger="TEST")


class ListSource:
    """A source whose documents a test puts there; it notes what it is told."""

    name = "list"

    def __init__(self) -> None:
        self.documents: list[Arrival] = []
        self.told: dict[str, str] = {}
        self.asked: list[str] = []
        self.deaf = False

    def put(self, *claims: Any, version: str = "1") -> None:
        for made in claims:
            mark = str(len(self.documents) + 1)
            arrival = Arrival(key=made.id, version=version, claim=made, mark=mark)
            self.documents.append(arrival)

    def arrivals(self, *, since: str = "") -> Iterator[Arrival]:
        self.asked.append(since)
        yield from self.documents[int(since or 0) :]

    def reread(self, key: str) -> Arrival | None:
        return next((one for one in self.documents if one.key == key), None)

    def ended(
        self, arrival: Arrival, *, standing: Standing | None, error: ClaimBridgeError | None
    ) -> None:
        if self.deaf:
            raise NotDelivered("the source cannot be told now")
        self.told[arrival.key] = standing.state.value if standing else error.code if error else ""

    def close(self) -> None:
        """Nothing is open."""


class Scene:
    """A source, a record in memory, and a ledger without an ERP."""

    def __init__(self, ledger: FakeLedger) -> None:
        self.ledger = ledger
        self.record = MemoryRecord()
        self.source: ListSource = ListSource()
        self.config = CONFIG
        self.intake = Intake(
            self.source, config=CONFIG, record=self.record, clients=lambda _: ledger
        )

    def writes_back(self) -> NumberPort:
        """Let the source be one that numbers go back to; return how."""
        self.source = source = AnsweredSource()
        self.intake = Intake(
            source, config=CONFIG, record=self.record, clients=lambda _: self.ledger
        )
        return source.port

    def run(self) -> dict[str, str]:
        """Make a pass; return the state of what it brought on."""
        return {one.arrival.key: one.arrival.state.value for one in self.handled()}

    def handled(self) -> Sequence[IntakeItem]:
        """Make a pass; return what it brought on."""
        return list(self.intake.run())

    @property
    def posted(self) -> list[str]:
        """The claims in the ledger, each as often as it stands there."""
        return sorted(entry.voucher.claim_id for entry in self.ledger.erp.entries())

    @property
    def live(self) -> list[tuple[str, int]]:
        """The claims that count in the ledger, with their revisions."""
        return [
            (entry.voucher.claim_id, entry.voucher.revision)
            for entry in self.ledger.erp.entries()
            if entry.voucher.purpose is Purpose.POST and not entry.reversed
        ]


@pytest.fixture
def scene(fake_ledger: FakeLedger) -> Scene:
    return Scene(fake_ledger)


def test_claims_go_into_the_ledger_once(scene: Scene) -> None:
    """However many passes there are, and however often the source gives a claim."""
    scene.source.put(claim("A"), claim("B"))
    assert scene.run() == {"A": "accepted", "B": "accepted"}
    assert scene.intake.report.read == 2
    assert scene.source.told == {"A": "posted", "B": "posted"}
    scene.source.documents.append(scene.source.documents[0])
    assert scene.run() == {}
    assert scene.intake.report.read == 0
    assert scene.source.asked == ["", "2"]
    assert scene.posted == ["A", "B"]


def test_a_parked_claim_holds_up_nobody(scene: Scene) -> None:
    """The reason of each is kept; the others are in the ledger."""
    scene.ledger.erp.reject("E1001 is no employee here")
    error = ClaimError("field 报销金额 holds abc, and no amount", code="CB-146")
    scene.source.documents.append(Arrival(key="bad", version="1", error=error, mark="1"))
    scene.source.put(claim("A"), claim("B"))
    found = {one.arrival.key: one for one in scene.handled()}
    assert sorted(one.arrival.state.value for one in found.values()) == [
        "accepted",
        "parked",
        "parked",
    ]
    parked = {one.key: one for one in scene.record.select([ArrivalState.PARKED])}
    assert parked.pop("bad").reason == "field 报销金额 holds abc, and no amount"
    (rejected,) = parked.values()
    assert rejected.code == "CB-430"
    assert "E1001 is no employee here" in rejected.reason
    assert isinstance(found[rejected.key].error, LedgerRejection)
    assert scene.source.told["bad"] == "CB-146"
    assert scene.run() == {}


def test_a_parked_claim_is_retried_on_request(scene: Scene) -> None:
    """What was mended in the ERP goes on; nobody tries before."""
    scene.ledger.erp.reject("no such employee")
    scene.source.put(claim("A"))
    assert scene.run() == {"A": "parked"}
    assert scene.run() == {}
    (parked,) = scene.record.select([ArrivalState.PARKED])
    assert scene.record.retry(parked)
    assert scene.run() == {"A": "accepted"}
    assert scene.source.told == {"A": "posted"}


def test_what_was_not_delivered_is_tried_again(scene: Scene) -> None:
    """It stays open, with the reason, and the source hears nothing before the end."""
    scene.ledger.erp.refuse_connections(3)
    scene.source.put(claim("A"))
    assert scene.run() == {"A": "read"}
    (waiting,) = scene.record.select()
    assert waiting.code.startswith("CB-41")
    assert scene.source.told == {}
    assert scene.run() == {"A": "accepted"}
    (done,) = scene.record.select()
    assert (done.code, done.reason) == ("", "")


def test_a_lost_answer_posts_once(scene: Scene) -> None:
    """The doubt is resolved by asking, in this pass or the next."""
    scene.ledger.erp.lose_answer()
    scene.source.put(claim("A", INVOICE))
    scene.run()
    scene.run()
    assert scene.posted == ["A"]
    assert scene.source.told == {"A": "posted"}


def test_a_ledger_that_fails_is_left_alone(scene: Scene) -> None:
    """Three failures in a row are enough; all others wait unharmed for the next pass."""
    scene.ledger.erp.refuse_connections(1000)
    scene.source.put(*(claim(f"A{number:03}") for number in range(150)))
    assert set(scene.run().values()) == {"read"}
    assert scene.intake.report.later == 150
    # Three of each hundred, and those that were under way meanwhile.
    assert scene.ledger.erp.requests <= 2 * (3 + 2 * 8) * 3
    scene.ledger.erp._orders.clear()
    assert set(scene.run().values()) == {"accepted"}
    assert len(scene.posted) == 150


def test_refused_credentials_are_not_sent_again(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Accounts lock: one refusal is enough for a pass."""

    def refusing(claims: Iterable[Claim], **_: object) -> Iterator[Result]:
        for one in claims:
            sent.append(one.id)
            error = DeliveryRefused("the credentials are not accepted", code="CB-418")
            yield Result(one.id, None, error)

    sent: list[str] = []
    monkeypatch.setattr(scene.ledger, "submit_many", refusing)
    scene.source.put(claim("A"), claim("B"), claim("C"))
    assert set(scene.run().values()) == {"read"}
    assert sent == ["A"]


def test_what_failed_before_comes_last(scene: Scene) -> None:
    """Claims that cannot be sent do not stand before those that can."""
    scene.ledger.erp.refuse_connections(3)
    scene.source.put(claim("A"))
    scene.run()
    scene.source.put(claim("B"))
    assert list(scene.run()) == ["B", "A"]


def test_a_set_up_that_is_wrong_parks_nothing(scene: Scene) -> None:
    """A ledger that cannot be opened is no claim's fault."""

    def closed(_: str) -> FakeLedger:
        raise KeyUnavailable("env:ERP_PASSWORD is not set", code="CB-311")

    scene.source.put(claim("A"))
    broken = Intake(scene.source, config=CONFIG, record=scene.record, clients=closed)
    assert [one.arrival.state for one in broken.run()] == [ArrivalState.READ]
    assert [error.code for error in broken.report.troubles] == ["CB-311"]
    assert scene.run() == {"A": "accepted"}


def test_a_source_that_fails_midway_loses_nothing(scene: Scene) -> None:
    """What it gave is recorded and goes on; what it raised is told; the mark stands there."""
    scene.source.put(claim("A"), claim("B"))
    good = scene.source.arrivals

    def failing(*, since: str = "") -> Iterator[Arrival]:
        yield next(good(since=since))
        raise OSError("the disk of the source is gone")

    scene.source.arrivals = failing  # type: ignore[method-assign]
    assert scene.run() == {"A": "accepted"}
    (trouble,) = scene.intake.report.troubles
    assert trouble.code == "CB-541"
    assert "the disk of the source is gone" in trouble.message
    assert scene.record.mark("list") == "1"
    scene.source.arrivals = good  # type: ignore[method-assign]
    assert scene.run() == {"B": "accepted"}


def test_a_source_that_cannot_be_told_is_told_later(scene: Scene) -> None:
    """The end is recorded first, and told until the source took note."""
    scene.source.put(claim("A"))
    scene.source.deaf = True
    assert scene.run() == {"A": "accepted"}
    assert [error.code for error in scene.intake.report.troubles] == ["CB-410"] * 2
    scene.source.deaf = False
    scene.run()
    assert scene.source.told == {"A": "posted"}
    assert scene.posted == ["A"]


def test_a_later_revision_takes_the_place_of_the_earlier(scene: Scene) -> None:
    """Posted: reversed and posted anew. Not yet posted: only the later one is submitted."""
    scene.source.put(claim("A", INVOICE))
    scene.run()
    scene.source.put(claim("A", INVOICE, revision=2, title="mended"), version="2")
    assert scene.run() == {"A": "accepted"}
    assert scene.live == [("A", 2)]
    scene.source.put(claim("B"), version="1")
    scene.source.put(claim("B", revision=2), version="2")
    scene.run()
    assert scene.live == [("A", 2), ("B", 2)]
    assert scene.posted.count("B") == 1


def test_an_invoice_used_by_another_claim_is_refused(scene: Scene) -> None:
    """Within a pass and in a later one; a third claim may not have it either."""
    scene.source.put(claim("A", INVOICE), claim("B", INVOICE))
    assert scene.run() == {"A": "accepted", "B": "parked"}
    scene.source.put(claim("C", {**INVOICE, "kind": "other", "number": "2531 2000 0000 1234 5678"}))
    assert scene.run() == {"C": "parked"}
    reasons = [one.reason for one in scene.record.select([ArrivalState.PARKED])]
    assert all("used by claim A already, on its line 1" in reason for reason in reasons)
    assert scene.posted == ["A"]


def withdrawn(key: str) -> Arrival:
    return Arrival(key=key, version="gone", withdrawn=True)


def test_a_claim_taken_back_before_it_was_sent_stays_out(scene: Scene) -> None:
    """Its invoices are free, and reconcile does not send it either."""
    scene.ledger.erp.refuse_connections(3)
    scene.source.put(claim("A", INVOICE))
    scene.run()
    scene.source.documents.append(withdrawn("A"))
    scene.source.put(claim("B", INVOICE))
    assert scene.run() == {"A": "withdrawn", "B": "accepted"}
    assert list(scene.ledger.reconcile()) == []
    assert scene.posted == ["B"]
    # Approved anew, with a higher revision and another invoice, it goes its way.
    scene.source.put(claim("A", {**INVOICE, "number": "1" * 20}, revision=2), version="2")
    assert scene.run() == {"A": "accepted"}
    assert scene.live == [("B", 1), ("A", 2)]


def test_a_claim_taken_back_after_it_was_posted_needs_a_person(scene: Scene) -> None:
    """Nothing is reversed by itself; once it is, retrying closes the matter."""
    scene.source.put(claim("A", INVOICE))
    scene.run()
    scene.source.documents.append(withdrawn("A"))
    assert scene.run() == {"A": "parked"}
    (parked,) = scene.record.select([ArrivalState.PARKED])
    assert parked.code == "CB-537"
    assert "000001" in parked.reason
    scene.ledger.reverse("A")
    scene.record.retry(parked)
    assert scene.run() == {"A": "withdrawn"}
    scene.source.put(claim("B", INVOICE))
    assert scene.run() == {"B": "accepted"}


def test_what_a_person_settled_in_the_journal_goes_on(scene: Scene) -> None:
    """A claim that is parked in the journal waits, holds its invoice, and goes on by itself."""
    scene.source.put(claim("A", INVOICE))
    (kept,) = scene.record.take_in("list", [scene.source.documents[0]])
    scene.record.begin([kept])
    error = OutcomeUnknown("parked: look in the ERP", code="CB-421")
    scene.record.end(kept, ArrivalState.PARKED, code=error.code, reason=error.message)
    assert isinstance(scene.record.get([kept.number])[0].error(), OutcomeUnknown)
    scene.ledger.submit(claim("A", INVOICE))
    assert scene.run() == {"A": "accepted"}


class NumberPort:
    """Brings back the journal entry's number, as a source of one's own might."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.planned_for: list[str] = []

    def plan(
        self, arrival: Arrival, *, standing: Standing | None, error: ClaimBridgeError | None = None
    ) -> tuple[WriteBack, ...]:
        self.planned_for.append(standing.state.value if standing else error.code if error else "")
        if standing is None or standing.journal_entry is None:
            return ()
        content = {"number": standing.journal_entry.number, "state": standing.state.value}
        return (
            WriteBack(
                source="list",
                key=arrival.key,
                kind=WriteBackKind.VOUCHER,
                occasion=standing.state.value,
                content=content,
            ),
        )

    def send(self, write_back: WriteBack, *, earlier: Sequence[WriteBack]) -> WriteBack:
        self.sent.append(f"{write_back.key} {write_back.content['number']}")
        return _moved(write_back, WriteBackState.DONE)

    def look(self, write_back: WriteBack, *, earlier: Sequence[WriteBack]) -> WriteBack:
        return _moved(write_back, WriteBackState.DONE)


class AnsweredSource(ListSource):
    """A list that the journal entries' numbers go back to."""

    def __init__(self) -> None:
        super().__init__()
        self.port = NumberPort()

    def write_back_port(self) -> NumberPort:
        return self.port


def _moved(write_back: WriteBack, state: WriteBackState) -> WriteBack:
    return WriteBack(
        source=write_back.source,
        key=write_back.key,
        kind=write_back.kind,
        occasion=write_back.occasion,
        content=write_back.content,
        state=state,
        attempt=write_back.attempt,
    )


def test_what_goes_back_goes_back_once(scene: Scene) -> None:
    """A posted claim's number is brought back; a parked one is planned with its error."""
    port = scene.writes_back()
    scene.source.put(claim("A"), claim("B"))
    error = ClaimError("no amount", code="CB-146")
    scene.source.documents.append(Arrival(key="bad", version="1", error=error))
    scene.run()
    numbers = {entry.voucher.claim_id: entry.journal_entry for entry in scene.ledger.erp.entries()}
    assert sorted(port.sent) == [f"{name} {numbers[name].number}" for name in ("A", "B")]
    assert sorted(port.planned_for) == ["CB-146", "posted", "posted"]
    scene.run()
    assert len(port.sent) == 2
    assert scene.record.open_write_backs("list") == ()


def test_a_superseded_document_is_not_answered(scene: Scene) -> None:
    """Its later version will be: nobody is sent a refusal for what was replaced."""
    port = scene.writes_back()
    scene.source.put(claim("A", revision=2))
    late = claim("A", title="late")
    scene.source.documents.append(Arrival(key="other", version="1", claim=late))
    assert scene.run() == {"A": "accepted", "other": "superseded"}
    assert port.planned_for == ["posted"]
    assert scene.source.told == {"A": "posted", "other": "CB-533"}


def test_a_status_that_moves_on_is_answered_again(scene: Scene) -> None:
    """Paid after posted: what the source waits for may come later than the posting."""
    port = scene.writes_back()
    scene.source.put(claim("A"))
    scene.run()
    scene.ledger.reverse("A")
    assert scene.ledger.status("A", ask=False).state is State.REVERSED
    scene.run()
    assert port.planned_for == ["posted", "reversed"]


def test_a_source_that_gives_nothing_usable_is_told(scene: Scene) -> None:
    """Neither a claim nor an error is parked, never lost and never looped on."""
    scene.source.documents.append(Arrival(key="odd", version="1"))
    assert scene.run() == {"odd": "parked"}
    (parked,) = scene.record.select()
    assert parked.code == "CB-542"


class AskedLedger:
    """A stub of a client whose ERP took claims in and posted none; it notes whom it was asked for.

    The real clients end a claim in CB-427 only after the quiet period.
    """

    def __init__(self, waiting: Sequence[str], ends: dict[str, ClaimBridgeError]) -> None:
        self.ledger = SimpleNamespace(
            rules=SimpleNamespace(capabilities=SimpleNamespace(can_list_changes=False))
        )
        self.journal = self
        self.asked: list[str] = []
        self._waiting, self._ends = waiting, ends

    def book(self) -> SimpleNamespace:
        return SimpleNamespace(id="b1")

    def select(self, book: str, states: Sequence[State]) -> Iterator[SimpleNamespace]:
        assert (book, states) == ("b1", [State.ACKNOWLEDGED])
        for claim_id in self._waiting:
            yield SimpleNamespace(key=SimpleNamespace(claim_id=claim_id))

    def status(self, claim_id: str) -> None:
        self.asked.append(claim_id)
        if claim_id in self._ends:
            raise self._ends[claim_id]


def test_a_claim_that_the_erp_lost_keeps_no_news_from_the_others() -> None:
    """The others of its ledger get their numbers, and each claim is asked for once."""
    lost = OutcomeUnknown("the ERP no longer has it", code="CB-427", claim_id="A")
    stub: Any = AskedLedger(["A", "A", "B"], {"A": lost})
    troubles: list[ClaimBridgeError] = []
    assert SourceLedgers(CONFIG, lambda _: stub).ask_for_news(troubles.append) == ["b1"]
    assert stub.asked == ["A", "B"]
    assert troubles == [lost]


@pytest.mark.parametrize(
    "down", [NotDelivered("down"), LedgerUnavailable("closed"), JournalError("unreadable")]
)
def test_a_ledger_that_cannot_be_asked_is_left_until_the_next_pass(down: ClaimBridgeError) -> None:
    """A thousand claims that wait are not a thousand time-outs."""
    stub: Any = AskedLedger(["A", "B"], {"A": down})
    troubles: list[ClaimBridgeError] = []
    SourceLedgers(CONFIG, lambda _: stub).ask_for_news(troubles.append)
    assert stub.asked == ["A"]
    assert troubles == [down]


def test_companies_have_their_ledgers(scene: Scene, fake_ledger: FakeLedger) -> None:
    """A claim of a company without one is parked, with what to add where."""
    config = SourceConfig(name="list", kind="tests:list", ledgers={"CN01": "TEST"})
    scene.source.put(claim("A"), claim("B", company="CN09"))
    intake = Intake(scene.source, config=config, record=scene.record, clients=lambda _: fake_ledger)
    found = {one.arrival.key: one for one in intake.run()}
    assert found["A"].arrival.state is ArrivalState.ACCEPTED
    assert found["B"].arrival.code == "CB-532"
    assert "CN09" in found["B"].arrival.reason
