"""What is brought back to Hesi has one effect there, whatever is lost on the way."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.sources.claims import claim
from tests.sources.hesi.stage import AT_ONCE, CASHIER, EBOT, SIGN_KEY, Stage, stage

from claimbridge.clock import Uptime
from claimbridge.errors import ClaimError, MappingError
from claimbridge.model import JournalEntry, Standing, State
from claimbridge.sandbox import DISTURBANCES
from claimbridge.sandbox.hesi.service import TokenOrder
from claimbridge.sources.base import Arrival
from claimbridge.sources.base.writeback import OPEN, WriteBack, WriteBackKind, WriteBackState
from claimbridge.sources.hesi.api.client import HesiClient
from claimbridge.sources.hesi.writeback import HesiWriteBackPort
from claimbridge.sources.intake.carrier import Carrier
from claimbridge.sources.record import SourceRecord, SqliteRecord

KINDS = tuple(WriteBackKind)
OPERATION = {
    WriteBackKind.VOUCHER: "voucher",
    WriteBackKind.APPROVAL: "approval",
    WriteBackKind.PAYMENT: "payment",
}
EVERY_FAULT = [
    f"{name}={variant}" if variant and name != "slow" else name
    for name, variants in DISTURBANCES.items()
    for variant in variants or ("",)
    if name != "slow"
] + ["slow=0.1", "slow=2"]


WITHOUT_EFFECT = {
    "refuse-connection", "drop-before-commit", "timeout=before-commit", "fault", "redirect",
    "unsigned-fault=before-commit", "html-200=before-commit",
    "throttle=503", "throttle=429", "throttle=typed",
    "html-200=as-xml", "redirect=moved", "redirect=login",
}  # fmt: skip


@pytest.fixture(scope="module")
def served() -> Iterator[Stage]:
    with stage() as built:
        yield built


@pytest.fixture
def hesi(served: Stage) -> Iterator[Stage]:
    """The stage of the module, with no fault ordered and nothing waiting."""
    served.sandbox.set_faults("")
    served.clock.skipped += 1000
    yield served
    served.sandbox.set_faults("")


@pytest.fixture
def record(tmp_path: Path) -> Iterator[SourceRecord]:
    opened = SqliteRecord(tmp_path / "claims.db")
    yield opened
    opened.close()


_numbers = iter(range(10_000))


def planned(hesi: Stage, kind: WriteBackKind) -> WriteBack:
    """Put a new document into Hesi that waits for a write-back of this kind; return that."""
    key = f"ID-{next(_numbers)}"
    answers = hesi.answers()
    if kind is WriteBackKind.VOUCHER:
        hesi.hesi.put(key, state="paid")
        return answers.voucher(key, occasion="1", number="000123", period="2026-10")
    if kind is WriteBackKind.APPROVAL:
        hesi.hesi.put(key, state="approving", nodes=[EBOT, CASHIER])
        return answers.decision(key, occasion="accept 1", action="accept", comment="posted as 123")
    hesi.hesi.put(key, state="PROCESSING", nodes=[CASHIER])
    return answers.payment(key, occasion="1")


def carry(
    hesi: Stage, record: SourceRecord, write_back: WriteBack, *, passes: int = 4
) -> WriteBack:
    """Make passes until nothing is open any more, as the intake does; the last one is clean."""
    for _ in range(passes):
        moved = Carrier(hesi.answers(), record, clock=hesi.clock).carry(write_back)
        if moved.state not in OPEN:
            return moved
        hesi.clock.skipped += 1000
    return moved


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault", EVERY_FAULT)
def test_every_fault_at_the_write(
    hesi: Stage, record: SourceRecord, kind: WriteBackKind, fault: str
) -> None:
    """Whatever happens to the write itself, Hesi shows one effect and the record says done."""
    write_back = planned(hesi, kind)
    before = hesi.calls(OPERATION[kind])
    hesi.sandbox.set_faults(f"hesi_{OPERATION[kind]}:{fault}@1")
    moved = carry(hesi, record, write_back)
    assert len(hesi.hesi.effects(write_back.key)) == 1
    if fault in WITHOUT_EFFECT:
        assert hesi.calls(OPERATION[kind]) == before + 2
    else:
        assert hesi.calls(OPERATION[kind]) == before + 1, "what has its effect is not sent again"
    assert moved.state is WriteBackState.DONE, moved.reason
    (held,) = record.write_backs_of(write_back.source, write_back.key)
    assert held.state is WriteBackState.DONE
    assert held.attempt <= 2
    # Done once, it is never sent again.
    sent = hesi.calls(OPERATION[kind])
    assert carry(hesi, record, write_back) == moved
    assert hesi.calls(OPERATION[kind]) == sent


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault", EVERY_FAULT)
@pytest.mark.parametrize("step", ["details", "token", "states"])
def test_every_fault_at_the_steps_around_it(
    hesi: Stage, record: SourceRecord, kind: WriteBackKind, fault: str, step: str
) -> None:
    """Reading that fails, before or after, delays a write-back and never repeats it."""
    write_back = planned(hesi, kind)
    if step == "token":
        hesi.hesi.tokens(TokenOrder(expire=True))
    # The answer to the write is lost, too: then looking is what meets the fault.
    lost = f"hesi_{OPERATION[kind]}:commit-then-drop@1"
    hesi.sandbox.set_faults(f"hesi_{step}:{fault}@1,hesi_{step}:{fault}@2,{lost}")
    moved = carry(hesi, record, write_back, passes=6)
    assert len(hesi.hesi.effects(write_back.key)) == 1
    assert moved.state is WriteBackState.DONE, moved.reason
    if (kind, step) != (WriteBackKind.APPROVAL, "states"):
        assert hesi.calls(OPERATION[kind]) >= 1


def test_an_empty_number_never_leaves(hesi: Stage, record: SourceRecord) -> None:
    """An empty number deletes in Hesi what stands there: refused before anything is recorded."""
    with pytest.raises(ClaimError, match="CB-550"):
        hesi.answers().voucher("ID-X", occasion="1", number=" ")
    for standing in ("000007", ""):
        write_back = planned(hesi, WriteBackKind.VOUCHER)
        hesi.hesi.put(write_back.key, form={"voucherNo": standing})
        emptied = msgspec.structs.replace(write_back, content={**write_back.content, "number": ""})
        sent = hesi.calls("voucher")
        moved = carry(hesi, record, emptied)
        assert (moved.state, "CB-550" in moved.reason) == (WriteBackState.PARKED, True)
        assert hesi.calls("voucher") == sent
        assert hesi.hesi.details(write_back.key)["form"]["voucherNo"] == standing


def test_another_number_is_never_overwritten(hesi: Stage, record: SourceRecord) -> None:
    """A number that is not ours is a person's business."""
    write_back = planned(hesi, WriteBackKind.VOUCHER)
    hesi.hesi.put(write_back.key, form={"voucherNo": "BY-HAND-1"})
    moved = carry(hesi, record, write_back)
    assert moved.state is WriteBackState.PARKED
    assert "CB-553" in moved.reason
    assert "BY-HAND-1" in moved.reason
    assert hesi.hesi.effects(write_back.key) == []


def test_a_new_revision_replaces_our_own_number(hesi: Stage, record: SourceRecord) -> None:
    """The new number takes the old one's place; the record remembers both."""
    first = planned(hesi, WriteBackKind.VOUCHER)
    assert carry(hesi, record, first).state is WriteBackState.DONE
    second = hesi.answers().voucher(first.key, occasion="2", number="000200")
    hesi.sandbox.set_faults("hesi_voucher:commit-then-drop@1")
    assert carry(hesi, record, second).state is WriteBackState.DONE
    assert hesi.hesi.details(first.key)["form"]["voucherNo"] == "000200"
    held = record.write_backs_of(first.source, first.key)
    assert [one.content["number"] for one in held] == ["000123", "000200"]
    assert len(hesi.hesi.effects(first.key)) == 2


def test_an_older_number_is_settled_before_a_newer_one(hesi: Stage, record: SourceRecord) -> None:
    """While the first number is in doubt the second waits: it must not be overwritten late."""
    first = planned(hesi, WriteBackKind.VOUCHER)
    second = hesi.answers().voucher(first.key, occasion="2", number="000200")
    hesi.sandbox.set_faults("hesi_voucher:drop-before-commit@1")
    patient = hesi.answers(quiet=dt.timedelta(hours=1))
    doubted = Carrier(patient, record, clock=hesi.clock).carry(first)
    assert doubted.state is WriteBackState.IN_DOUBT
    sent = hesi.calls("voucher")
    waiting = Carrier(patient, record, clock=hesi.clock).carry(second)
    assert (waiting.state, hesi.calls("voucher")) == (WriteBackState.PENDING, sent)
    assert carry(hesi, record, second).state is WriteBackState.DONE
    assert [effect.content["number"] for effect in hesi.hesi.effects(first.key)] == [
        "000123", "000200",
    ]  # fmt: skip


@pytest.mark.parametrize("state", ["approving", "paying", "PROCESSING", "receiving"])
def test_a_number_waits_for_the_state_paid(hesi: Stage, record: SourceRecord, state: str) -> None:
    """Hesi takes numbers in state paid only: before that nothing is sent, after it it is."""
    write_back = planned(hesi, WriteBackKind.VOUCHER)
    hesi.hesi.put(write_back.key, state=state, nodes=[CASHIER])
    sent = hesi.calls("voucher")
    assert carry(hesi, record, write_back).state is WriteBackState.PENDING
    assert hesi.calls("voucher") == sent
    hesi.hesi.put(write_back.key, state="paid")
    assert carry(hesi, record, write_back).state is WriteBackState.DONE


def test_what_hesi_refuses_is_kept_in_its_words(hesi: Stage, record: SourceRecord) -> None:
    """An archived document takes no number; what Hesi says about it is what a person reads."""
    write_back = planned(hesi, WriteBackKind.VOUCHER)
    hesi.hesi.put(write_back.key, state="archived")
    moved = carry(hesi, record, write_back)
    assert moved.state is WriteBackState.REFUSED
    assert "CB-552" in moved.reason
    assert "不是已支付状态" in moved.reason


@pytest.mark.parametrize("kind", KINDS)
def test_deleted_documents_take_nothing(
    hesi: Stage, record: SourceRecord, kind: WriteBackKind
) -> None:
    """A document that is gone is a person's business, also when the answer was lost before."""
    write_back = planned(hesi, kind)
    hesi.hesi.delete(write_back.key)
    moved = carry(hesi, record, write_back)
    assert (moved.state, "CB-556" in moved.reason) == (WriteBackState.PARKED, True)


def test_a_decision_of_somebody_else_is_not_ours(hesi: Stage, record: SourceRecord) -> None:
    """A document that moved on without our mark is not taken for our decision."""
    write_back = planned(hesi, WriteBackKind.APPROVAL)
    hesi.hesi.put(write_back.key, state="rejected")
    moved = carry(hesi, record, write_back)
    assert (moved.state, "CB-554" in moved.reason) == (WriteBackState.PARKED, True)


def test_a_refusal_sends_the_document_back(hesi: Stage, record: SourceRecord) -> None:
    """A claim that the ledger cannot take goes back with the reason."""
    write_back = planned(hesi, WriteBackKind.APPROVAL)
    answers = hesi.answers()
    arrival = Arrival(key=write_back.key, version="7", claim=None)
    (refusal,) = answers.plan(arrival, standing=None, error=MappingError("no row for line 2"))
    assert carry(hesi, record, refusal).state is WriteBackState.DONE
    document = hesi.hesi.details(write_back.key)
    assert document["state"] == "rejected"
    assert "no row for line 2" in document["logs"][-1]["attributes"]["comment"]


def test_a_decision_is_about_the_form_that_was_judged(hesi: Stage, record: SourceRecord) -> None:
    """A form that was changed since is not agreed to: what waits there was never posted."""
    key = f"ID-{next(_numbers)}"
    hesi.hesi.put(key, state="approving", nodes=[EBOT, CASHIER])
    answers = hesi.answers()
    old = answers.decision(key, occasion="7", action="accept", comment="posted as 1", revision=7)
    moved = Carrier(answers, record, clock=hesi.clock).carry(old)
    assert (moved.state, moved.reason[:6]) == (WriteBackState.PARKED, "CB-554")
    assert hesi.hesi.details(key)["state"] == "approving"
    new = answers.decision(key, occasion="1", action="accept", comment="posted", revision=1)
    moved = Carrier(answers, record, clock=hesi.clock).carry(new)
    assert moved.state is WriteBackState.DONE


def test_a_wrong_sign_key_waits_for_the_configuration(hesi: Stage, record: SourceRecord) -> None:
    """A key that Hesi does not know is mended in the configuration: nothing is lost over it."""
    write_back = planned(hesi, WriteBackKind.APPROVAL)
    wrong = hesi.answers(sign_key="guess")
    moved = Carrier(wrong, record, clock=hesi.clock).carry(write_back)
    assert (moved.state, "CB-551" in moved.reason) == (WriteBackState.PENDING, True)
    assert "guess" not in moved.reason
    assert carry(hesi, record, write_back).state is WriteBackState.DONE


def test_a_node_of_hesis_own_is_not_answered(hesi: Stage, record: SourceRecord) -> None:
    """Hesi passes documents through checks of its own: those are no step of ours."""
    key = f"ID-{next(_numbers)}"
    check = msgspec.structs.replace(EBOT, id="FLOW:0", name="费用标准检查")
    hesi.hesi.put(key, state="approving", nodes=[check, EBOT])
    write_back = hesi.answers().decision(key, occasion="a", action="accept", comment="ok")
    sent = hesi.calls("approval")
    assert carry(hesi, record, write_back).state is WriteBackState.PENDING
    assert hesi.calls("approval") == sent


def test_a_payment_by_somebody_else_is_not_ours(hesi: Stage, record: SourceRecord) -> None:
    """Paid already, and not by us: a person looks whether it was paid twice."""
    write_back = planned(hesi, WriteBackKind.PAYMENT)
    hesi.hesi.pay(write_back.key, by="corp:cashier")
    moved = carry(hesi, record, write_back)
    assert (moved.state, "CB-555" in moved.reason) == (WriteBackState.PARKED, True)


def test_a_payment_long_after_a_lost_attempt_is_not_ours(hesi: Stage, record: SourceRecord) -> None:
    """What the cashier paid when our call was long over is a person's to look at."""
    one = planned(hesi, WriteBackKind.PAYMENT)
    answers = hesi.answers()
    hesi.hesi.pay(one.key)
    then = hesi.clock.now() - dt.timedelta(minutes=30)
    lost = msgspec.structs.replace(one, state=WriteBackState.IN_DOUBT, attempt=1, attempted_at=then)
    shown = answers.look(lost, earlier=())
    assert (shown.state, shown.reason[:6]) == (WriteBackState.PARKED, "CB-555")


def test_a_failed_payment_is_reported_once(hesi: Stage, record: SourceRecord) -> None:
    """A failure whose answer was lost is found by its words, and not reported for the next try."""
    key = planned(hesi, WriteBackKind.PAYMENT).key
    write_back = hesi.answers().payment(key, occasion="1", failure="account closed")
    hesi.sandbox.set_faults("hesi_payment:commit-then-drop@1,hesi_details:throttle@2")
    first = Carrier(hesi.answers(), record, clock=hesi.clock).carry(write_back)
    assert first.state is WriteBackState.IN_DOUBT
    hesi.hesi.put(key, state="PROCESSING")
    assert carry(hesi, record, write_back).state is WriteBackState.DONE
    assert len(hesi.hesi.effects(key)) == 1
    assert hesi.hesi.details(key)["state"] == "PROCESSING"


class Overtaken:
    """The client, with something that happens in Hesi between its reading and its call."""

    def __init__(self, client: HesiClient, happens: Callable[[], object]) -> None:
        self._client = client
        self._happens = happens

    def __getattr__(self, name: str) -> Any:
        if name in ("put_voucher", "answer_approval", "report_payment"):
            self._happens()
        return getattr(self._client, name)


def overtaken(hesi: Stage, happens: Callable[[], object]) -> HesiWriteBackPort:
    client: Any = Overtaken(hesi.client, happens)
    return HesiWriteBackPort(
        client, sign_key=SIGN_KEY, node=EBOT.name, payments=True, quiet=AT_ONCE, clock=hesi.clock
    )


def test_paid_already_is_ours_only_after_a_lost_attempt(hesi: Stage, record: SourceRecord) -> None:
    """R00002: the first attempt meets somebody else's payment, the second our own late one."""
    theirs = planned(hesi, WriteBackKind.PAYMENT)
    answers = overtaken(hesi, lambda: hesi.hesi.pay(theirs.key, by="corp:cashier"))
    moved = Carrier(answers, record, clock=hesi.clock).carry(theirs)
    assert moved.state is WriteBackState.REFUSED
    assert "R00002" in moved.reason
    ours = planned(hesi, WriteBackKind.PAYMENT)
    hesi.sandbox.set_faults("hesi_payment:drop-before-commit@1")
    lost = Carrier(hesi.answers(), record, clock=hesi.clock).carry(ours)
    assert lost.state is WriteBackState.PENDING, "looked, and not there"
    hesi.sandbox.set_faults("")
    late = overtaken(hesi, lambda: hesi.client.report_payment(ours.key, paid=True))
    moved = Carrier(late, record, clock=hesi.clock).carry(ours)
    assert (moved.state, moved.attempt) == (WriteBackState.DONE, 2)
    assert len(hesi.hesi.effects(ours.key)) == 1


def test_a_document_that_left_the_node_meanwhile(hesi: Stage, record: SourceRecord) -> None:
    """Changed between reading and call, it passes a check of Hesi's own: the decision waits."""
    write_back = planned(hesi, WriteBackKind.APPROVAL)
    check = msgspec.structs.replace(EBOT, id="FLOW:0", name="费用标准检查")
    answers = overtaken(
        hesi,
        lambda: hesi.hesi.put(write_back.key, state="approving", nodes=[check, EBOT, CASHIER]),
    )
    moved = Carrier(answers, record, clock=hesi.clock).carry(write_back)
    assert moved.state is WriteBackState.PENDING
    hesi.hesi.agree(write_back.key)
    assert carry(hesi, record, write_back).state is WriteBackState.DONE
    assert len(hesi.hesi.effects(write_back.key)) == 1


def test_a_document_archived_meanwhile(hesi: Stage, record: SourceRecord) -> None:
    """Hesi's own no is told in its words where the document changed after it was read."""
    write_back = planned(hesi, WriteBackKind.VOUCHER)
    answers = overtaken(hesi, lambda: hesi.hesi.put(write_back.key, state="archived"))
    moved = Carrier(answers, record, clock=hesi.clock).carry(write_back)
    assert (moved.state, "CB-552" in moved.reason) == (WriteBackState.REFUSED, True)
    assert hesi.hesi.effects(write_back.key) == []


def test_doubt_waits_until_nothing_can_arrive_any_more(hesi: Stage, record: SourceRecord) -> None:
    """What Hesi does not show yet may still arrive: until the quiet time it is not sent again."""
    write_back = planned(hesi, WriteBackKind.PAYMENT)
    hesi.sandbox.set_faults("hesi_payment:drop-before-commit@1")
    patient = hesi.answers(quiet=dt.timedelta(hours=1))
    for _ in range(3):
        moved = Carrier(patient, record, clock=hesi.clock).carry(write_back)
        assert moved.state is WriteBackState.IN_DOUBT
    assert hesi.calls("payment") > 0
    assert hesi.hesi.effects(write_back.key) == []
    assert carry(hesi, record, write_back).state is WriteBackState.DONE


def posted(revision: int = 1, state: State = State.POSTED, **changes: object) -> Standing:
    entry = JournalEntry("000123") if state is not State.ACKNOWLEDGED else None
    return msgspec.structs.replace(
        Standing(
            claim_id="EXP-1", revision=revision, reference="EXP-1", state=state, attempt=1,
            journal_entry=entry, posting_date=dt.date(2026, 10, 31),
        ),
        **changes,
    )  # fmt: skip


def test_what_is_planned(hesi: Stage) -> None:
    """A number for what is posted, a decision where a node is named, a payment where paid."""
    arrival = Arrival(key="ID-1", version="1", claim=claim())
    plain = hesi.answers(node="")
    (number,) = plain.plan(arrival, standing=posted())
    assert (number.kind, number.occasion) == (WriteBackKind.VOUCHER, "1")
    assert (number.content["number"], number.content["period"]) == ("000123", "2026-10")
    assert number.content["created"].isdigit()
    assert len(number.content["created"]) == 13, "milliseconds"
    parts = (posted(), posted(journal_entry=JournalEntry("000124")))
    (number,) = plain.plan(arrival, standing=posted(documents=parts))
    assert number.content["number"] == "000123,000124"
    unfinished = (posted(), posted(state=State.ACKNOWLEDGED))
    assert plain.plan(arrival, standing=posted(documents=unfinished)) == ()
    assert plain.plan(arrival, standing=posted(state=State.ACKNOWLEDGED)) == ()
    assert plain.plan(arrival, standing=None, error=MappingError("no row")) == ()
    withdrawn = msgspec.structs.replace(arrival, withdrawn=True)
    assert plain.plan(withdrawn, standing=posted()) == ()
    kinds = [one.kind for one in hesi.answers().plan(arrival, standing=posted(state=State.PAID))]
    assert kinds == [WriteBackKind.APPROVAL, WriteBackKind.PAYMENT, WriteBackKind.VOUCHER]
    again = hesi.answers().plan(arrival, standing=posted(state=State.PAID))
    assert [one.identity for one in again] == [
        one.identity for one in hesi.answers().plan(arrival, standing=posted(state=State.PAID))
    ]


@pytest.mark.parametrize("killed", [False, True])
def test_the_quiet_time_begins_when_the_call_is_over(
    hesi: Stage, record: SourceRecord, monkeypatch: pytest.MonkeyPatch, *, killed: bool
) -> None:
    """Reads before the call may take long: they are no part of the time in which it may arrive."""
    write_back = planned(hesi, WriteBackKind.VOUCHER)
    times = Hours()
    patient = HesiWriteBackPort(hesi.client, quiet=dt.timedelta(hours=1), clock=times)
    details = hesi.client.details

    def slowly(flow_id: str) -> dict[str, Any] | None:
        times.hours = 2  # the read before the call; the look behind it is quick
        return details(flow_id)

    with monkeypatch.context() as patched:
        patched.setattr(hesi.client, "details", slowly)
        if killed:
            patched.setattr(record, "record_write_back", _dying(record, WriteBackState.IN_DOUBT))
        hesi.sandbox.set_faults("hesi_voucher:drop-before-commit@1")
        before = hesi.calls("voucher")
        try:
            Carrier(patient, record, clock=times).carry(write_back)
        except KeyboardInterrupt:
            assert killed
    moved = Carrier(patient, record, clock=times).carry(write_back)
    assert moved.state is WriteBackState.IN_DOUBT
    assert hesi.calls("voucher") == before + 1
    times.hours += 0.9
    assert Carrier(patient, record, clock=times).carry(write_back) == moved
    assert record.write_backs_of(write_back.source, write_back.key) == (moved,)
    times.hours += 0.2
    moved = Carrier(patient, record, clock=times).carry(write_back)
    assert moved.state is WriteBackState.DONE
    assert hesi.calls("voucher") == before + 2


class Hours:
    """A clock that a test moves on."""

    def __init__(self) -> None:
        self.hours = 0.0

    def now(self) -> dt.datetime:
        # The wall clock goes wild: nothing may depend on it.
        shown = self.hours * (-7 if self.hours > 2.5 else 1)
        return dt.datetime(2026, 11, 1, tzinfo=dt.UTC) + dt.timedelta(hours=shown)

    def monotonic(self) -> float:
        return self.hours * 3600

    def uptime(self) -> Uptime:
        return Uptime("test", self.monotonic())


def _dying(record: SourceRecord, state: WriteBackState) -> Callable[[WriteBack], bool]:
    """Record, until one is to be recorded in this state: there the process ends."""
    move = record.record_write_back

    def moved(write_back: WriteBack) -> bool:
        if write_back.state is state:
            raise KeyboardInterrupt
        return move(write_back)

    return moved
