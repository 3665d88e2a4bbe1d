"""Taking an entry back, and what people and the ERP say of it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.submission.driver import (
    ASK,
    ASK_UNIQUE,
    DAY,
    ENTRY,
    NEITHER,
    UNIQUE,
    K,
    Reply,
    Scene,
    key,
    lost,
    posted,
    wanted,
)

from claimbridge.errors import (
    ConfigurationError,
    ConflictingSubmission,
    LedgerRejection,
    LedgerUnavailable,
    NotDelivered,
    OutcomeUnknown,
)
from claimbridge.model import JournalEntry, Outcome, OutcomeKind, Purpose, Reason, State
from claimbridge.submission import (
    absorb,
    reconcile_document,
    refresh,
    reverse_document,
    settle_by_hand,
)

S = State
BACK = Purpose.REVERSE
ABSENT = Outcome(kind=K.ABSENT)
AWAY = Outcome(kind=K.NOT_DELIVERED, text="refused")
REJECTED = Outcome(kind=K.REJECTED, reasons=(Reason("closed"),))
REVERSED = Outcome(kind=K.REVERSED, reference="C", journal_entry=ENTRY)


def take_back(scene: Scene, *replies: Reply) -> Any:
    return scene.play(reverse_document(key(), DAY, "", scene.ledger), *replies)


def posted_scene(capabilities: Any, **rules: Any) -> Scene:
    scene = Scene(capabilities, **rules)
    scene.submit(1, posted())
    return scene


def in_doubt(capabilities: Any) -> Scene:
    """Return a scene whose reversal was sent and not answered."""
    scene = posted_scene(capabilities, retries=0)
    with pytest.raises(OutcomeUnknown):
        take_back(scene, lost(), *([lost()] if capabilities.can_query else []))
    return scene


def test_once() -> None:
    """Reversing twice sends one reversal."""
    scene = posted_scene(ASK)
    first = take_back(scene, posted("C.x1"))
    assert take_back(scene) == first
    assert (scene.state(), scene.state(1, BACK)) == (S.REVERSED, S.POSTED)
    assert first.voucher.reverses == ENTRY


def test_refused() -> None:
    """A refused reversal leaves the entry as it was."""
    scene = posted_scene(ASK)
    with pytest.raises(LedgerRejection):
        take_back(scene, REJECTED, posted())
    assert (scene.state(), scene.state(1, BACK)) == (S.POSTED, S.REJECTED)


def test_reversed_by_others_meanwhile() -> None:
    """A reversal that is refused because people did it is what we wanted."""
    scene = posted_scene(ASK)
    assert take_back(scene, REJECTED, REVERSED).key == key()
    assert scene.state() is S.REVERSED


def test_not_delivered() -> None:
    """A reversal that did not get there leaves the entry live, and is sent again when asked."""
    scene = posted_scene(ASK, retries=0)
    with pytest.raises(NotDelivered):
        take_back(scene, AWAY)
    assert (scene.state(), scene.state(1, BACK)) == (S.POSTED, S.PENDING)
    assert take_back(scene, posted("C.x1")).attempt == 2


def test_in_doubt_is_asked_for() -> None:
    """A reversal whose answer was lost is asked for by its own reference."""
    scene = in_doubt(ASK)
    assert (scene.state(), scene.state(1, BACK)) == (S.REVERSING, S.IN_DOUBT)
    take_back(scene, posted("C.x1"))
    assert scene.asked[-1] == "query C.x1"
    assert scene.state() is S.REVERSED


def test_in_doubt_and_no_recipe() -> None:
    """Where nobody can ask, a reversal in doubt is parked, and people settle it."""
    scene = in_doubt(NEITHER)
    with pytest.raises(OutcomeUnknown):
        take_back(scene)
    assert scene.state(1, BACK) is S.PARKED
    found = posted("C.x1")
    scene.play(settle_by_hand(key(), found, scene.rules, looked=scene.clock.now()))
    assert (scene.state(), scene.state(1, BACK)) == (S.REVERSED, S.POSTED)


def test_reversal_that_people_do_not_find() -> None:
    """A parked reversal that never took place gives the entry back its state."""
    scene = in_doubt(NEITHER)
    with pytest.raises(OutcomeUnknown):
        take_back(scene)
    scene.clock.seconds = 400.0
    scene.play(settle_by_hand(key(), AWAY, scene.rules, looked=scene.clock.now()))
    assert (scene.state(), scene.state(1, BACK)) == (S.POSTED, S.PENDING)


def test_in_doubt_when_others_reversed() -> None:
    """A doubtful reversal of an entry that is known to be reversed still comes to its end."""
    scene = in_doubt(ASK)
    scene.play(absorb(scene.known(), REVERSED, scene.rules))
    assert (scene.state(), scene.state(1, BACK)) == (S.REVERSED, S.IN_DOUBT)
    scene.clock.seconds = 400.0
    scene.play(reconcile_document(scene.known(1, BACK), scene.ledger), ABSENT)
    assert scene.state(1, BACK) is S.PENDING


def test_reconcile_keeps_the_reversals_date() -> None:
    """Reconciling an original sends its reversal with the date that the reversal had."""
    scene = posted_scene(ASK_UNIQUE, retries=0)
    later = DAY.replace(month=3)
    with pytest.raises(NotDelivered):
        scene.play(reverse_document(key(), later, "", scene.ledger), AWAY)
    with pytest.raises(OutcomeUnknown):
        scene.play(reconcile_document(scene.known(1, BACK), scene.ledger), lost(), ABSENT, REJECTED)
    scene.clock.seconds = 400.0
    scene.play(reconcile_document(scene.known(), scene.ledger), ABSENT, posted("C.x1"))
    assert scene.known(1, BACK).voucher.posting_date == later


@pytest.mark.parametrize(
    ("kind", "returns_to"),
    [(K.POSTED, S.POSTED), (K.PAID, S.PAID), (K.REJECTED, S.POSTED), (K.ACKNOWLEDGED, S.POSTED)],
)
def test_news_while_reversing(kind: OutcomeKind, returns_to: State) -> None:
    """News of the entry while its reversal is under way do not call the reversal off."""
    scene = in_doubt(ASK)
    news = Outcome(kind=kind, reference="C", journal_entry=ENTRY)
    scene.play(absorb(scene.known(), news, scene.rules))
    assert (scene.state(), scene.known().returns_to) == (S.REVERSING, returns_to)


def test_late_news_of_an_entry_that_is_gone_change_nothing() -> None:
    """Of two sendings, the entry of the first was deleted: its news do not replace the second."""
    scene = Scene(NEITHER)
    with pytest.raises(OutcomeUnknown):
        scene.submit(1, lost())
    scene.clock.seconds = 400.0
    scene.play(settle_by_hand(key(), ABSENT, scene.rules, looked=scene.clock.now()))
    scene.submit(1, posted())
    assert scene.known().attempt == 2
    for kind in (K.POSTED, K.PAID, K.REVERSED):
        news = Outcome(kind=kind, reference="C", journal_entry=JournalEntry("9999"))
        scene.play(absorb(scene.known(), news, scene.rules))
        assert (scene.state(), scene.known().journal_entry) == (S.POSTED, ENTRY)
    scene.play(
        absorb(scene.known(), Outcome(kind=K.PAID, reference="C", journal_entry=ENTRY), scene.rules)
    )
    assert scene.state() is S.PAID


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        ([K.POSTED, K.PAID], S.PAID),
        ([K.PAID, K.POSTED], S.PAID),
        ([K.POSTED, K.REVERSED, K.PAID], S.REVERSED),
        ([K.POSTED, K.UNKNOWN, K.ABSENT], S.POSTED),
        ([K.POSTED, K.REJECTED], S.POSTED),
        ([K.REJECTED], S.REJECTED),
        ([K.ACKNOWLEDGED, K.ACKNOWLEDGED], S.ACKNOWLEDGED),
    ],
)
def test_news_only_lead_on(kinds: list[OutcomeKind], expected: State) -> None:
    """Late and repeated news change nothing that they should not."""
    scene = Scene(ASK)
    scene.submit(1, Outcome(kind=K.ACKNOWLEDGED, reference="C"))
    for kind in kinds:
        news = Outcome(kind=kind, reference="C", journal_entry=ENTRY)
        scene.play(absorb(scene.known(), news, scene.rules))
    assert scene.state() is expected


def test_news_during_a_flight() -> None:
    """News of a voucher that is being sent wait for its own answer."""
    scene = Scene(ASK)

    def meanwhile() -> Outcome:
        scene.play(absorb(scene.known(), posted(), scene.rules))
        assert scene.state() is S.SENDING
        return posted()

    assert scene.submit(1, meanwhile).state is S.POSTED


def test_old_refusal_in_the_news() -> None:
    """An ERP that still lists the refused first sending does not undo the accepted second."""
    scene = Scene(ASK)
    with pytest.raises(LedgerRejection):
        scene.submit(1, REJECTED)
    scene.submit(1, Outcome(kind=K.ACKNOWLEDGED, reference="C"))
    assert scene.play(refresh(scene.known(), scene.ledger), REJECTED).state is S.ACKNOWLEDGED
    scene.clock.seconds = 300.0
    assert scene.play(refresh(scene.known(), scene.ledger), REJECTED).state is S.REJECTED


@pytest.mark.parametrize(
    ("said", "error", "code"),
    [
        (Outcome(kind=K.UNAVAILABLE), LedgerUnavailable, "CB-440"),
        (AWAY, NotDelivered, "CB-411"),
        (lost(), NotDelivered, "CB-411"),
        (ABSENT, OutcomeUnknown, "CB-427"),
    ],
)
def test_refresh_that_brings_nothing(said: Outcome, error: type[Exception], code: str) -> None:
    """A question that fails, or a strange answer, puts nothing in doubt."""
    scene = posted_scene(ASK)
    with pytest.raises(error) as raised:
        scene.play(refresh(scene.known(), scene.ledger), said)
    assert raised.value.code == code  # type: ignore[attr-defined] # all are ours
    assert scene.state() is S.POSTED


def test_no_number_yet() -> None:
    """An entry without a number cannot be reversed: time helps, or a person."""
    for capabilities, wait in ((ASK, 0.5), (UNIQUE, None)):
        scene = Scene(capabilities)
        accepted = Outcome(kind=K.ACKNOWLEDGED, reference="C")
        scene.submit(1, accepted)
        with pytest.raises(OutcomeUnknown) as raised:
            take_back(scene, *([accepted] if wait else []))
        assert (raised.value.code, raised.value.retry_after) == ("CB-425", wait)
    scene.play(settle_by_hand(key(), posted(), scene.rules, looked=scene.clock.now()))
    take_back(scene, posted("C.x1"))
    assert scene.state() is S.REVERSED


def test_nothing_to_reverse() -> None:
    """What was never posted cannot be reversed."""
    scene = Scene(ASK)
    with pytest.raises(ConflictingSubmission) as raised:
        take_back(scene)
    assert raised.value.code == "CB-455"
    with pytest.raises(LedgerRejection):
        scene.submit(1, REJECTED)
    with pytest.raises(ConflictingSubmission):
        take_back(scene)


def test_profile_that_cannot_reverse() -> None:
    """A profile without reversal says so."""
    scene = posted_scene(msgspec.structs.replace(ASK, can_reverse=False))
    with pytest.raises(ConfigurationError):
        take_back(scene)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (AWAY, S.PENDING),
        (ABSENT, S.PENDING),
        (REJECTED, S.REJECTED),
        (posted(), S.POSTED),
        (REVERSED, S.REVERSED),
    ],
)
def test_settled_by_hand(found: Outcome, expected: State) -> None:
    """What a person found ends a parked submission, and with it the doubt."""
    scene = Scene(NEITHER)
    with pytest.raises(OutcomeUnknown):
        scene.submit(1, lost())
    scene.clock.seconds = 300.0
    scene.play(settle_by_hand(key(), found, scene.rules, looked=scene.clock.now()))
    assert (scene.state(), scene.known().doubt_since) == (expected, None)


@pytest.mark.parametrize("found", [AWAY, ABSENT, REJECTED])
def test_settled_too_early(found: Outcome) -> None:
    """A person who finds nothing within the quiet period has looked too early."""
    scene = Scene(NEITHER)
    with pytest.raises(OutcomeUnknown):
        scene.submit(1, lost())
    with pytest.raises(OutcomeUnknown) as raised:
        scene.play(settle_by_hand(key(), found, scene.rules, looked=scene.clock.now()))
    assert (raised.value.code, scene.state()) == ("CB-423", S.PARKED)


def test_settled_by_an_old_look() -> None:
    """A look within the quiet period settles nothing, however late the journal hears of it."""
    scene = Scene(NEITHER)
    with pytest.raises(OutcomeUnknown):
        scene.submit(1, lost())
    looked = scene.clock.now()
    scene.clock.seconds = 400.0
    with pytest.raises(OutcomeUnknown) as raised:
        scene.play(settle_by_hand(key(), AWAY, scene.rules, looked=looked))
    assert (raised.value.code, scene.state()) == ("CB-423", S.PARKED)
    scene.play(settle_by_hand(key(), AWAY, scene.rules, looked=scene.clock.now()))
    assert scene.state() is S.PENDING


@pytest.mark.parametrize(
    ("before", "after", "ends"),
    [
        (3600.0, 3600.0, False),  # set forward before the person looked
        (0.0, -3600.0, False),  # set back before the journal heard of it
        (3600.0, 0.0, False),  # both
        (0.0, 0.0, True),
    ],
)
def test_a_look_is_no_later_than_it_was(before: float, after: float, ends: bool) -> None:
    """Steps of the wall clock make no look of a person later than it was."""
    scene = Scene(NEITHER)
    with pytest.raises(OutcomeUnknown):
        scene.submit(1, lost())
    scene.clock.stepped, scene.clock.seconds = before, 301.0 if ends else 100.0
    looked = scene.clock.now()
    scene.clock.stepped, scene.clock.seconds = after, 1000.0
    plan = settle_by_hand(key(), AWAY, scene.rules, looked=looked)
    if ends:
        scene.play(plan)
        assert scene.state() is S.PENDING
        return
    with pytest.raises(OutcomeUnknown):
        scene.play(plan)
    scene.clock.stepped = -86400.0
    scene.play(settle_by_hand(key(), AWAY, scene.rules))  # looked just now
    assert scene.state() is S.PENDING


def test_nothing_to_settle() -> None:
    """Only what is parked is settled, and only by what the ERP holds."""
    scene = posted_scene(ASK)
    with pytest.raises(ConflictingSubmission):
        scene.play(settle_by_hand(key(), posted(), scene.rules, looked=scene.clock.now()))
    scene = Scene(NEITHER)
    with pytest.raises(OutcomeUnknown):
        scene.submit(1, lost())
    with pytest.raises(ConflictingSubmission):
        scene.play(settle_by_hand(key(), lost(), scene.rules, looked=scene.clock.now()))


def test_told_of_a_reversal() -> None:
    """Where the ERP cannot be asked, a person tells that an entry was reversed in it."""
    scene = posted_scene(UNIQUE)
    scene.play(settle_by_hand(key(), REVERSED, scene.rules, looked=scene.clock.now()))
    assert scene.submit(2, posted("C.r2")).journal_entry == ENTRY
    assert scene.state() is S.REVERSED


def test_amounts_that_differ_in_the_news() -> None:
    """A number that changes is taken in; the entry stays posted."""
    scene = posted_scene(ASK_UNIQUE)
    other = Outcome(kind=K.POSTED, reference="C", journal_entry=JournalEntry("200"))
    assert scene.play(absorb(wanted(), other, scene.rules)).journal_entry == JournalEntry("200")


def test_nothing_found_of_what_was_accepted() -> None:
    """That a person found nothing of an accepted submission settles nothing, and says so."""
    scene = posted_scene(NEITHER)
    with pytest.raises(ConflictingSubmission) as raised:
        scene.play(settle_by_hand(key(), AWAY, scene.rules, looked=scene.clock.now()))
    assert (raised.value.code, scene.state()) == ("CB-454", S.POSTED)
