"""Before a first sending the ERP is asked, where it can be and does not refuse duplicates."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.submission.driver import (
    ASK,
    ASK_UNIQUE,
    DAY,
    NEITHER,
    OTHER_TOTALS,
    TOTALS,
    UNIQUE,
    Scene,
    key,
    lost,
    posted,
    states,
    wanted,
)

from claimbridge.errors import (
    ClaimBridgeError,
    JournalError,
    LedgerUnavailable,
    NotDelivered,
    OutcomeUnknown,
)
from claimbridge.journal.sqlite.journal import SqliteJournal
from claimbridge.model import Gap, History, Outcome, OutcomeKind, Purpose, State
from claimbridge.profiles.base import Capabilities
from claimbridge.submission import Draft, Rules, reverse_document, submit_batch
from claimbridge.submission.claim.restored import after_gap

K, S = OutcomeKind, State
ABSENT = Outcome(kind=K.ABSENT, reference="C")


def asking(capabilities: Capabilities = ASK, **rules: Any) -> Scene:
    """A scene with the default question, and no second try."""
    return Scene(capabilities, **{"first_send": None, "retries": 0} | rules)


def absent(reference: str) -> Outcome:
    """The ERP's word that it has no such document."""
    return Outcome(kind=K.ABSENT, reference=reference)


@pytest.mark.parametrize(
    ("capabilities", "asks"), [(ASK, True), (ASK_UNIQUE, False), (UNIQUE, False), (NEITHER, False)]
)
def test_the_default(capabilities: Capabilities, asks: bool) -> None:
    """It is asked exactly where it can be and would take a second document."""
    assert Rules(capabilities=capabilities).asks_first is asks
    assert not Rules(capabilities=ASK, first_send="send").asks_first


def test_what_is_not_there_is_sent() -> None:
    """One question, then one sending; a refusal that the ERP remembers is no obstacle."""
    scene = asking()
    assert scene.submit(1, ABSENT, posted()).state is S.POSTED
    assert scene.asked == ["query C", "submit C"]
    other = asking()
    assert other.submit(1, Outcome(kind=K.REJECTED, reference="C"), posted()).state is S.POSTED


def test_what_is_there_is_adopted() -> None:
    """With our amounts; nothing is sent, and submitting again asks nothing."""
    scene = asking()
    assert scene.submit(1, posted(totals=TOTALS)).state is S.POSTED
    assert scene.submit(1).state is S.POSTED
    assert scene.asked == ["query C"]


@pytest.mark.parametrize("said", [posted(), posted(totals=OTHER_TOTALS)])
def test_what_may_be_anothers_is_for_a_person(said: Outcome) -> None:
    """Other amounts, or none told: never adopted in silence, never posted again."""
    scene = asking()
    for _ in range(2):
        with pytest.raises(OutcomeUnknown) as raised:
            scene.submit(1, *([said] if not scene.asked else []))
        assert raised.value.code == "CB-431"
    assert scene.asked == ["query C"]
    assert scene.state() is S.PARKED


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (lost(), NotDelivered),
        (Outcome(kind=K.NOT_DELIVERED), NotDelivered),
        (Outcome(kind=K.UNAVAILABLE, retry_after=99.0), LedgerUnavailable),
    ],
)
def test_without_an_answer_nothing_is_sent_or_recorded(
    said: Outcome, error: type[ClaimBridgeError]
) -> None:
    """It is as if it had not been tried; and it is tried as often as a sending would be."""
    scene = asking()
    with pytest.raises(error) as raised:
        scene.submit(1, said)
    assert raised.value.code == ("CB-436" if error is NotDelivered else "CB-440")
    assert scene.journal.history("L", "C") == History("L", "C")
    patient = asking(retries=1)
    assert patient.submit(1, lost(), ABSENT, posted()).state is S.POSTED


def test_two_documents_under_our_reference() -> None:
    """Two different answers: a person looks."""
    scene = asking()
    twice = (posted(), Outcome(kind=K.REVERSED, reference="C"))
    with pytest.raises(OutcomeUnknown, match="CB-431"):
        scene.submit(1, twice)


def test_only_the_first_sending_asks() -> None:
    """What was sent before is resolved by its doubt, or known not to be there."""
    scene = asking()
    with pytest.raises(NotDelivered):
        scene.submit(1, ABSENT, Outcome(kind=K.NOT_DELIVERED))
    assert scene.submit(1, posted()).state is S.POSTED
    assert scene.asked == ["query C", "submit C", "submit C"]


def test_a_reversal_is_asked_for_too() -> None:
    """What another journal reversed is not reversed again."""
    scene = asking()
    scene.submit(1, ABSENT, posted())
    found = scene.play(
        reverse_document(key(), DAY, "", scene.ledger), posted("C.x1", totals=TOTALS)
    )
    assert (found.state, scene.state()) == (S.POSTED, S.REVERSED)
    assert scene.asked[-1] == "query C.x1"


@pytest.mark.parametrize("capabilities", [ASK, ASK_UNIQUE])
def test_unknown_revisions_are_asked_for(capabilities: Capabilities) -> None:
    """A correction beside what it corrects is no duplicate to an ERP, unique references or not."""
    scene = asking(capabilities)
    own = (absent("C.r2"),) if capabilities is ASK else ()
    with pytest.raises(OutcomeUnknown, match="CB-432"):
        scene.submit(2, (*own, posted()))
    assert scene.journal.history("L", "C").submissions == ()
    assert scene.submit(2, (*own, ABSENT), posted("C.r2")).state is S.POSTED


def test_a_correction_through_a_new_journal(tmp_path: Path) -> None:
    """A revision is no duplicate: where nobody can be asked, a new journal is said to be new."""
    scene = asking(UNIQUE)
    scene.journal = SqliteJournal(tmp_path / "claims.db", clock=scene.clock)
    with pytest.raises(JournalError) as caught:
        scene.submit(2)
    assert caught.value.code == "CB-236"
    assert scene.submit(1, posted()).state is S.POSTED  # a first one is refused as a duplicate is
    scene.journal.close()


def test_a_batch_asks_once() -> None:
    """What is there goes by itself; the others share one request."""
    scene = asking()
    drafts = [Draft(wanted(claim=name)) for name in ("A", "B", "C")]
    end = scene.play(
        submit_batch(drafts, scene.ledger),
        (absent("A"), posted("B", totals=TOTALS), absent("C")),
        (posted("A"), posted("C")),
        posted("B", totals=TOTALS),
    )
    assert states(end) == ["posted"] * 3
    assert scene.asked == ["query A B C", "submit A C", "query B"]


# --- after a gap ----------------------------------------------------------------------------------


def with_gap(capabilities: Capabilities, **rules: Any) -> Scene:
    """A scene whose journal knows nothing until now."""
    scene = asking(capabilities, **rules)
    scene.journal.note_gap(scene.clock.now())
    return scene


def test_an_unknown_claim_is_asked_for_whatever_the_erp_refuses() -> None:
    """Where an absent one may still arrive, and no duplicate is refused, it waits."""
    unique = with_gap(ASK_UNIQUE)
    assert unique.submit(1, ABSENT, posted()).state is S.POSTED
    assert unique.asked == ["query C", "submit C"]
    scene = with_gap(ASK)
    with pytest.raises(OutcomeUnknown) as raised:
        scene.submit(1, ABSENT)
    assert (raised.value.code, raised.value.retry_after) == ("CB-423", 300.0)
    scene.clock.seconds += 300.0
    assert scene.submit(1, ABSENT, posted()).state is S.POSTED


def test_an_unknown_claim_where_nobody_can_be_asked() -> None:
    """It goes where duplicates are refused; else a person looks, whose word then counts."""
    assert with_gap(UNIQUE).submit(1, posted()).state is S.POSTED
    with pytest.raises(OutcomeUnknown, match="CB-431"):
        with_gap(UNIQUE).submit(2)  # the first may stand beside it
    scene = with_gap(NEITHER)
    with pytest.raises(OutcomeUnknown, match="CB-431"):
        scene.submit(1)
    later = wanted(claim="D")
    approved = scene.clock.now() + dt.timedelta(seconds=1)
    voucher = msgspec.structs.replace(later.voucher, approved_at=approved)
    drafts = [Draft(msgspec.structs.replace(later, voucher=voucher))]
    assert states(scene.play(submit_batch(drafts, scene.ledger), posted("D"))) == ["posted"]


@pytest.mark.parametrize("purpose", [Purpose.POST, Purpose.REVERSE])
@pytest.mark.parametrize("state", [S.PENDING, S.REJECTED, S.IN_DOUBT, S.PARKED])
@pytest.mark.parametrize("capabilities", [ASK_UNIQUE, ASK, UNIQUE, NEITHER])
def test_what_a_gap_leaves_certain(
    capabilities: Capabilities, state: State, purpose: Purpose
) -> None:
    """Nothing that may have moved stays as it was, and doing it twice changes nothing more."""
    scene = asking(capabilities)
    now = scene.clock.now()
    gap = Gap(now)
    one = wanted(state=state, key=key(purpose=purpose), attempt=1)
    original = (wanted(state=S.POSTED),) if purpose is Purpose.REVERSE else ()
    held = History("L", "C", 1, (*original, one))
    changed = {done.key: done for done in after_gap(held, gap, scene.rules)}
    now_one = changed[one.key]
    if state is S.PARKED:
        expected = S.PARKED
    elif state is S.REJECTED and purpose is Purpose.REVERSE:
        expected = S.REJECTED
        assert now_one.attempt == 0  # its next sending is a first one
    elif capabilities.can_query or (capabilities.unique_reference and state is not S.REJECTED):
        expected = S.IN_DOUBT
    else:
        expected = S.PARKED
    assert now_one.state is expected
    again = History("L", "C", 2, tuple(changed.get(k.key, k) for k in held.submissions))
    assert after_gap(again, gap, scene.rules) == ()
