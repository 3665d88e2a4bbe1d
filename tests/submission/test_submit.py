"""The plan of one submission, against a scripted ERP."""

from __future__ import annotations

from typing import Any

import pytest
from tests.submission.driver import (
    ASK,
    ASK_UNIQUE,
    ENTRY,
    NEITHER,
    OTHER_TOTALS,
    TOTALS,
    UNIQUE,
    K,
    Scene,
    key,
    lost,
    posted,
    wanted,
)

from claimbridge.errors import (
    ConflictingSubmission,
    JournalError,
    LedgerRejection,
    LedgerUnavailable,
    NotDelivered,
    OutcomeUnknown,
)
from claimbridge.model import JournalEntry, Outcome, Purpose, Reason, State
from claimbridge.submission import Begin, Draft, Post, Record, reconcile_document, submit_document

S = State
ABSENT = Outcome(kind=K.ABSENT)
AWAY = Outcome(kind=K.NOT_DELIVERED, text="refused")
REJECTED = Outcome(kind=K.REJECTED, reasons=(Reason("closed"),))
DUPLICATE = Outcome(kind=K.DUPLICATE, journal_entry=ENTRY)


def test_once() -> None:
    """Submitting the same claim twice sends it once."""
    scene = Scene(ASK_UNIQUE)
    first = scene.submit(1, posted())
    assert scene.submit(1) == scene.known() == first
    assert (first.state, first.journal_entry, first.attempt) == (S.POSTED, ENTRY, 1)
    assert scene.asked == ["submit C"]


def test_not_delivered_is_tried_again() -> None:
    """What certainly had no effect is sent again, with growing waits, until retries end."""
    scene = Scene(ASK, backoff=1.0)
    scene.submit(1, AWAY, AWAY, posted())
    assert scene.pauses == [1.0, 2.0]
    scene = Scene(ASK)
    with pytest.raises(NotDelivered):
        scene.submit(1, AWAY, AWAY, AWAY)
    assert scene.state() is S.PENDING


def test_retry_after() -> None:
    """A wait that the ERP asks for is kept; one that is too long goes to the caller."""
    scene = Scene(ASK)
    scene.submit(1, Outcome(kind=K.UNAVAILABLE, retry_after=20.0), posted())
    assert scene.pauses == [20.0]
    scene = Scene(ASK)
    with pytest.raises(LedgerUnavailable) as raised:
        scene.submit(1, Outcome(kind=K.UNAVAILABLE, retry_after=90.0))
    assert raised.value.retry_after == 90.0


def test_retry_after_in_doubt() -> None:
    """An ERP that is busy while an earlier answer is missing is given its time too."""
    scene = Scene(UNIQUE)
    scene.submit(1, lost(), Outcome(kind=K.UNAVAILABLE, retry_after=25.0), posted())
    assert scene.pauses == [25.0]


def test_lost_answer_is_asked_for() -> None:
    """A committed voucher whose answer was lost is adopted, not sent again."""
    for capabilities in (ASK_UNIQUE, ASK):
        scene = Scene(capabilities)
        assert scene.submit(1, lost(), posted(totals=TOTALS)).state is S.POSTED
        assert scene.asked == ["submit C", "query C"]


def test_absent_and_unique() -> None:
    """Where the ERP refuses duplicates, an absent document is sent again at once."""
    scene = Scene(ASK_UNIQUE)
    scene.submit(1, lost(), ABSENT, posted())
    assert scene.asked == ["submit C", "query C", "submit C"]


def test_absent_and_not_unique() -> None:
    """Elsewhere it is sent again only when it was still absent after the quiet period."""
    scene = Scene(ASK)
    with pytest.raises(OutcomeUnknown) as raised:
        scene.submit(1, lost(), ABSENT)
    assert (raised.value.code, raised.value.retry_after) == ("CB-423", 300.0)
    scene.clock.seconds = 299.9
    with pytest.raises(OutcomeUnknown):
        scene.submit(1, ABSENT)
    scene.clock.seconds = 300.0
    assert scene.submit(1, ABSENT, posted()).attempt == 2


def test_absent_is_as_old_as_the_question() -> None:
    """A slow "absent" that was asked for before the quiet period ended proves nothing."""
    scene = Scene(ASK)
    with pytest.raises(OutcomeUnknown):
        scene.submit(1, lost(), ABSENT)
    scene.clock.seconds = 299.0

    def slowly() -> Outcome:
        scene.clock.seconds = 320.0  # it arrived meanwhile
        return ABSENT

    with pytest.raises(OutcomeUnknown) as raised:
        scene.submit(1, slowly)
    assert raised.value.code == "CB-423"
    assert scene.submit(1, posted()).attempt == 1


def test_doubt_ends_with_the_quiet_period() -> None:
    """Sent again after the quiet period, an undelivered voucher is pending, not in doubt."""
    scene = Scene(ASK, retries=0)
    with pytest.raises(OutcomeUnknown):
        scene.submit(1, lost(), ABSENT)
    scene.clock.seconds = 300.0
    with pytest.raises(NotDelivered):
        scene.submit(1, ABSENT, AWAY)
    assert (scene.state(), scene.known().doubt_since) == (S.PENDING, None)


def test_a_clock_set_forward_ends_no_doubt() -> None:
    """A step of the wall clock by an hour makes no quiet period shorter."""
    scene = Scene(ASK, retries=0)
    with pytest.raises(OutcomeUnknown):
        scene.submit(1, lost(), ABSENT)
    scene.clock.stepped = 3600.0
    with pytest.raises(OutcomeUnknown) as raised:
        scene.submit(1, ABSENT)
    assert (raised.value.code, raised.value.retry_after) == ("CB-423", 300.0)


def test_a_clock_set_back_blocks_nobody() -> None:
    """A step of the wall clock back by a day makes no quiet period longer."""
    scene = Scene(ASK, retries=0)
    with pytest.raises(OutcomeUnknown):
        scene.submit(1, lost(), ABSENT)
    scene.clock.stepped, scene.clock.seconds = -86400.0, 300.0
    assert scene.submit(1, ABSENT, posted()).state is S.POSTED


def test_a_restart_of_the_machine_begins_the_quiet_period_anew() -> None:
    """After a reboot a doubt lasts a whole quiet period from when it is first seen, then ends."""
    scene = Scene(ASK, retries=0)
    with pytest.raises(OutcomeUnknown):
        scene.submit(1, lost(), ABSENT)
    scene.clock.boot, scene.clock.seconds = "the second boot", 1.0
    for passed, left in ((1.0, 300.0), (200.0, 101.0)):
        scene.clock.seconds = passed
        with pytest.raises(OutcomeUnknown) as raised:
            scene.submit(1, ABSENT)
        assert raised.value.retry_after == left
    scene.clock.seconds = 301.0
    assert scene.submit(1, ABSENT, posted()).state is S.POSTED


def test_duplicate_answer_is_adopted() -> None:
    """Where the ERP cannot be asked, it is sent again and its refusal as duplicate adopted."""
    scene = Scene(UNIQUE)
    assert scene.submit(1, lost(), DUPLICATE).journal_entry == ENTRY
    assert scene.asked == ["submit C", "submit C"]


THERE = Outcome(kind=K.DUPLICATE)


@pytest.mark.parametrize("answer", [ABSENT, Outcome(kind=K.NOT_DELIVERED), lost()])
def test_a_duplicate_that_is_not_found_stays_in_doubt(answer: Outcome) -> None:
    """It is neither acknowledged nor refused, each call ends, and once found it is adopted."""
    scene = Scene(ASK_UNIQUE)
    with pytest.raises(OutcomeUnknown):
        scene.submit(1, lost(), *[ABSENT, THERE, answer] * 3)
    assert scene.state() is S.IN_DOUBT
    assert scene.submit(1, posted()).state is S.POSTED


def test_no_recipe() -> None:
    """Where neither helps, a lost answer is parked, and not sent again."""
    scene = Scene(NEITHER)
    for replies in ((lost(),), ()):
        with pytest.raises(OutcomeUnknown) as raised:
            scene.submit(1, *replies)
        assert raised.value.code == "CB-421"
    assert (scene.state(), scene.asked) == (S.PARKED, ["submit C"])


def test_unexplained_duplicate() -> None:
    """A duplicate of something we never sent is compared, and parked where it differs."""
    scene = Scene(ASK_UNIQUE)
    with pytest.raises(OutcomeUnknown):
        scene.submit(1, DUPLICATE, posted(totals=OTHER_TOTALS))
    assert scene.state() is S.PARKED


def test_refused_after_a_lost_answer() -> None:
    """A refusal of the second sending is final only when the first can no longer arrive."""
    scene = Scene(ASK_UNIQUE)
    with pytest.raises(OutcomeUnknown) as early:
        scene.submit(1, lost(), ABSENT, REJECTED, ABSENT)
    assert (early.value.code, scene.state()) == ("CB-423", S.IN_DOUBT)
    assert "closed" in str(early.value)
    scene.clock.seconds = 400.0
    with pytest.raises(LedgerRejection) as final:
        scene.submit(1, ABSENT)
    assert final.value.reasons == REJECTED.reasons
    assert scene.state() is S.REJECTED
    assert scene.submit(1, posted()).state is S.POSTED


def test_a_refusal_that_may_be_that_of_a_second_copy() -> None:
    """Its reasons stay with the doubt; it is final only when the first can no longer arrive."""
    doubt = Outcome(kind=K.UNKNOWN, reasons=REJECTED.reasons, text="refused, and not there")
    scene = Scene(ASK_UNIQUE)
    for revision, replies in ((1, (doubt, ABSENT)), (1, (ABSENT,)), (2, (ABSENT,))):
        with pytest.raises(OutcomeUnknown) as early:
            scene.submit(revision, *replies)
        assert (early.value.code, scene.known().reasons) == ("CB-423", REJECTED.reasons)
        assert "closed" in str(early.value)
        assert "sent again" not in str(early.value)
    assert set(scene.asked) == {"submit C", "query C"}
    scene.clock.seconds = 400.0
    with pytest.raises(LedgerRejection) as final:
        scene.submit(1, ABSENT)
    assert final.value.reasons == REJECTED.reasons
    scene = Scene(ASK_UNIQUE)
    assert scene.submit(1, doubt, posted()).state is S.POSTED
    assert scene.known().reasons == ()


def test_refused_and_arrived_after_all() -> None:
    """The first sending that arrives after the second was refused is adopted."""
    scene = Scene(ASK_UNIQUE)
    assert scene.submit(1, lost(), ABSENT, REJECTED, posted()).state is S.POSTED


def test_the_erp_remembers_a_refusal() -> None:
    """An ERP that lists what it refused answers the doubt: at once where it was sent once."""
    scene = Scene(ASK)
    with pytest.raises(LedgerRejection):
        scene.submit(1, lost(), REJECTED)
    assert scene.state() is S.REJECTED


def test_two_documents_under_one_reference() -> None:
    """What the ERP holds twice under our reference is parked for a person."""
    scene = Scene(ASK)
    other = Outcome(kind=K.POSTED, reference="C", journal_entry=JournalEntry("2"))
    with pytest.raises(OutcomeUnknown) as raised:
        scene.submit(1, lost(), (posted(), other))
    assert (raised.value.code, scene.state()) == ("CB-421", S.PARKED)


def test_reversed_in_the_erp() -> None:
    """A lost voucher that people have reversed since is reversed, not undelivered."""
    scene = Scene(ASK)
    with pytest.raises(ConflictingSubmission) as raised:
        scene.submit(1, lost(), Outcome(kind=K.REVERSED, reference="C"))
    assert (raised.value.code, scene.state()) == ("CB-453", S.REVERSED)


def test_crash_dates_the_doubt() -> None:
    """What a dead process was sending is in doubt from when it was found, not from its start."""
    scene = Scene(ASK)
    plan = submit_document(key(1), "digest 1", lambda: Draft(wanted()), scene.ledger)
    step: Any = next(plan)
    while not isinstance(step, Post):
        step = plan.send(step.perform(scene.journal))
    plan.close()
    scene.journal.abandon_flights()
    scene.clock.seconds = 1000.0
    with pytest.raises(OutcomeUnknown) as raised:
        scene.submit(1, ABSENT)
    assert raised.value.retry_after == 300.0


@pytest.mark.parametrize("step", [Begin, Post])
def test_broken_off(step: type) -> None:
    """A call that is cancelled leaves no flight behind: the next reader finds it in doubt."""
    scene = Scene(ASK)
    scene.breaks[step] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        scene.submit(1, *([lost()] if step is Post else []))
    assert scene.state() is S.IN_DOUBT
    assert scene.submit(1, posted()).state is S.POSTED


def test_closed_plan_asks_for_nothing() -> None:
    """A plan that is closed ends; nobody is left to perform another step."""
    scene = Scene(ASK)
    plan = submit_document(key(1), "digest 1", lambda: Draft(wanted()), scene.ledger)
    step: Any = next(plan)
    while not isinstance(step, Begin):
        step = plan.send(step.perform(scene.journal))
    assert isinstance(step, Begin)
    assert isinstance(plan.send(step.perform(scene.journal)), Post)
    plan.close()


def test_unwritable_journal() -> None:
    """An answer that the journal cannot keep is an outcome unknown that names the entry."""
    scene = Scene(ASK)
    scene.breaks[Record] = JournalError("disk full")
    with pytest.raises(OutcomeUnknown) as raised:
        scene.submit(1, posted())
    assert raised.value.code == "CB-424"
    assert "100" in str(raised.value)


def test_overtaken_by_another_sender() -> None:
    """An attempt whose doubt others have resolved does not write over what they found."""
    scene = Scene(ASK)

    def meanwhile() -> Outcome:
        scene.journal.abandon_flights()  # the journal takes the sender for dead
        assert scene.submit(1, posted()).state is S.POSTED
        return lost()

    assert scene.submit(1, meanwhile).state is S.POSTED


def test_overtaken_by_a_second_attempt() -> None:
    """The late end of an attempt taken for dead does not end the one that followed it."""
    scene = Scene(ASK, turn=1.0)
    other = scene.journal.twin()

    def meanwhile() -> Outcome:
        scene.journal.abandon_flights()
        seen = other.history("L", "C")
        assert other.begin(seen, (wanted(state=S.SENDING, attempt=2),))
        return lost()

    with pytest.raises(OutcomeUnknown) as raised:
        scene.submit(1, meanwhile)
    assert raised.value.code == "CB-426"
    assert (scene.state(), scene.known().attempt) == (S.SENDING, 2)


def test_waiting_for_a_turn() -> None:
    """A claim that another process is sending is waited for, and not for ever."""
    scene = Scene(ASK, turn=5.0)
    seen = scene.journal.history("L", "C")
    assert scene.journal.begin(seen, (wanted(state=S.SENDING, attempt=1),))
    with pytest.raises(OutcomeUnknown) as raised:
        scene.submit(1)
    assert raised.value.code == "CB-426"
    assert 5.0 < sum(scene.pauses) < 7.0


def test_later_revision_reverses_first() -> None:
    """A corrected claim reverses what was posted, then posts."""
    scene = Scene(ASK)
    scene.submit(1, posted())
    scene.submit(2, posted("C.x1"), posted("C.r2"))
    assert scene.asked[1:] == ["reverse C.x1", "submit C.r2"]
    assert (scene.state(1), scene.state(2)) == (S.REVERSED, S.POSTED)
    assert scene.state(1, Purpose.REVERSE) is S.POSTED


def test_later_revision_settles_doubt_first() -> None:
    """A corrected claim waits until the first one can no longer arrive."""
    for capabilities in (ASK, ASK_UNIQUE):
        scene = Scene(capabilities, retries=0)
        with pytest.raises(OutcomeUnknown):
            scene.submit(1, lost(), Outcome(kind=K.UNKNOWN))
        with pytest.raises(OutcomeUnknown) as raised:
            scene.submit(2, ABSENT)
        assert raised.value.code == "CB-423"
        scene.clock.seconds = 300.0
        assert scene.submit(2, ABSENT, posted("C.r2")).state is S.POSTED
        assert scene.state(1) is S.REVERSED, "it never goes any more"


def test_later_revision_after_a_doubtful_refusal() -> None:
    """A refused second sending of the first revision does not hide that the first may arrive."""
    scene = Scene(ASK_UNIQUE)
    with pytest.raises(OutcomeUnknown):
        scene.submit(1, lost(), ABSENT, REJECTED, ABSENT)
    scene.clock.seconds = 500.0
    scene.submit(2, posted(), posted("C.x1"), posted("C.r2"))
    assert (scene.state(1), scene.state(2)) == (S.REVERSED, S.POSTED)


def test_nothing_left_to_take_back() -> None:
    """An entry that the ERP refused after taking it in does not stop the next revision."""
    scene = Scene(ASK)
    scene.submit(1, Outcome(kind=K.ACKNOWLEDGED, reference="C"))
    assert scene.submit(2, REJECTED, posted("C.r2")).state is S.POSTED
    assert scene.state(1) is S.REJECTED


def test_changed_content() -> None:
    """The same revision with other content is refused, and nothing is sent."""
    scene = Scene(ASK)
    scene.submit(1, posted())
    with pytest.raises(ConflictingSubmission):
        scene.play(submit_document(key(1), "other", lambda: Draft(wanted()), scene.ledger))


def test_reconcile_sends_what_was_never_sent() -> None:
    """Reconciling a pending submission posts it."""
    scene = Scene(ASK, retries=0)
    with pytest.raises(NotDelivered):
        scene.submit(1, AWAY)
    assert scene.play(reconcile_document(scene.known(), scene.ledger), posted()).state is S.POSTED


def test_reconcile_leaves_a_superseded_one() -> None:
    """Reconciling what a later revision has superseded sends nothing."""
    scene = Scene(ASK, retries=0)
    with pytest.raises(NotDelivered):
        scene.submit(1, AWAY)
    scene.submit(2, posted("C.r2"))
    assert scene.state(1) is S.REVERSED, "it never goes any more"
    assert scene.play(reconcile_document(scene.known(), scene.ledger)).state is S.REVERSED
