"""What a reply says about whom, and what an outcome does to a submission."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.submission.driver import (
    ASK,
    ASK_UNIQUE,
    ENTRY,
    NEITHER,
    OTHER_TOTALS,
    T0,
    TOTALS,
    UNIQUE,
    K,
    Scene,
    history,
    key,
    lost,
    posted,
    wanted,
)

from claimbridge.errors import ClaimBridgeError, LedgerRejection, LedgerUnavailable, OutcomeUnknown
from claimbridge.model import (
    MOVES,
    JournalEntry,
    Outcome,
    OutcomeKind,
    Purpose,
    Reason,
    State,
    Submission,
)
from claimbridge.profiles.base import Capabilities
from claimbridge.submission.decisions.evidence import (
    after,
    error_for,
    outcome_of_each,
    with_content_of,
    with_original,
)

S = State
A, B = wanted(claim="A"), wanted(claim="B")
REJECTED = Outcome(kind=K.REJECTED, reasons=(Reason("closed"),))


@pytest.mark.parametrize(
    ("asked", "said", "expected"),
    [
        ((A,), (posted("A"),), "posted"),
        ((A,), (posted("B"),), "unknown"),
        ((A,), (posted("B"), posted("A")), "posted"),
        ((A,), (msgspec.structs.replace(posted(), reference=None),), "posted"),
        ((A,), (posted("A"), posted("A")), "posted"),
        ((A,), (posted("A"), Outcome(kind=K.ABSENT, reference="A")), "unknown"),
        ((A, B), (posted("B"), posted("A")), "posted posted"),
        ((A, B), (posted("A"),), "posted unknown"),
        ((A, B), (msgspec.structs.replace(posted(), reference=None),), "unknown unknown"),
        ((A, B), (REJECTED,), "rejected rejected"),
        ((A, B), (Outcome(kind=K.UNAVAILABLE),), "unavailable unavailable"),
        ((A, B), (Outcome(kind=K.ABSENT),), "unknown unknown"),
        ((A, B), (posted("A"), REJECTED), "posted unknown"),
    ],
)
def test_assigned(asked: tuple[Submission, ...], said: tuple[Outcome, ...], expected: str) -> None:
    """A reply speaks only for the references it names; alone and nameless, it claims no success."""
    assert " ".join(one.kind for one in outcome_of_each(asked, said)) == expected


def test_two_words_about_one_document() -> None:
    """Two numbers for one reference are no evidence of either."""
    other = msgspec.structs.replace(posted("A"), journal_entry=JournalEntry("2"))
    assert outcome_of_each((A,), (posted("A"), other, posted("A")))[0].kind is K.UNKNOWN


def _doubted(capabilities: Capabilities) -> Any:
    return Scene(capabilities).rules, wanted(state=S.SENDING, doubt_since=T0)


@pytest.mark.parametrize(
    ("kind", "fresh", "after_doubt"),
    [
        (K.POSTED, S.POSTED, S.POSTED),
        (K.ACKNOWLEDGED, S.ACKNOWLEDGED, S.ACKNOWLEDGED),
        (K.PAID, S.PAID, S.PAID),
        (K.REVERSED, S.REVERSED, S.REVERSED),
        (K.DUPLICATE, S.PARKED, S.ACKNOWLEDGED),
        (K.REJECTED, S.REJECTED, S.IN_DOUBT),
        (K.UNKNOWN, S.IN_DOUBT, S.IN_DOUBT),
        (K.UNDER_WAY, S.IN_DOUBT, S.IN_DOUBT),
        (K.ABSENT, S.IN_DOUBT, S.IN_DOUBT),
        (K.NOT_DELIVERED, S.PENDING, S.IN_DOUBT),
        (K.UNAVAILABLE, S.PENDING, S.IN_DOUBT),
    ],
)
def test_after_a_sending(kind: OutcomeKind, fresh: State, after_doubt: State) -> None:
    """What an answer proves depends on whether an earlier sending may have had an effect."""
    entry = ENTRY if kind in (K.POSTED, K.PAID) else None
    outcome = Outcome(kind=kind, journal_entry=entry)
    rules, doubted = _doubted(ASK_UNIQUE)
    for current, expected in ((wanted(state=S.SENDING), fresh), (doubted, after_doubt)):
        landed = after(current, outcome, rules)
        assert landed.state is expected
        assert landed.state in MOVES[S.SENDING]


def test_every_kind_is_in_the_table() -> None:
    """Each kind of outcome is judged."""
    marks = test_after_a_sending.pytestmark[0].args[1]  # type: ignore[attr-defined] # pytest's own
    assert {row[0] for row in marks} == set(OutcomeKind)


def test_refused_after_doubt_where_nobody_can_ask() -> None:
    """A refusal after a lost answer is parked where the ERP cannot be asked."""
    for capabilities in (UNIQUE, NEITHER):
        rules, doubted = _doubted(capabilities)
        assert after(doubted, REJECTED, rules).state is S.PARKED


def test_refused_after_doubt_keeps_the_reasons() -> None:
    """In doubt, the reasons of a later refusal stand, even where the ERP gave none."""
    rules, doubted = _doubted(ASK)
    assert after(doubted, REJECTED, rules).reasons == REJECTED.reasons
    assert after(doubted, Outcome(kind=K.REJECTED), rules).reasons


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (posted(totals=TOTALS), S.POSTED),
        (posted(totals=OTHER_TOTALS), S.PARKED),
        (Outcome(kind=K.DUPLICATE, totals=OTHER_TOTALS), S.PARKED),
        (Outcome(kind=K.DUPLICATE, totals=TOTALS), S.ACKNOWLEDGED),
        (Outcome(kind=K.DUPLICATE, totals=TOTALS, journal_entry=ENTRY), S.POSTED),
        (Outcome(kind=K.DUPLICATE, journal_entry=ENTRY), S.PARKED),
    ],
)
def test_amounts_before_adoption(outcome: Outcome, state: State) -> None:
    """A document with other amounts, or one that came before ours unexplained, is not adopted."""
    landed = after(wanted(state=S.SENDING), outcome, Scene(ASK).rules)
    assert landed.state is state


def test_landing_ends_the_doubt() -> None:
    """An adopted submission has a number, and neither reasons nor doubt."""
    rules, doubted = _doubted(ASK)
    doubted = msgspec.structs.replace(doubted, reasons=REJECTED.reasons)
    landed = after(doubted, posted(), rules)
    assert (landed.journal_entry, landed.reasons, landed.doubt_since) == (ENTRY, (), None)


def test_reversed_said_of_a_reversal() -> None:
    """An ERP that answers a reversal with "reversed" has done it."""
    reversal = wanted(key=key(1, Purpose.REVERSE), state=S.SENDING)
    rules = Scene(ASK).rules
    said = Outcome(kind=K.REVERSED, journal_entry=ENTRY)
    assert after(reversal, said, rules).state is S.POSTED
    assert after(reversal, Outcome(kind=K.REVERSED), rules).state is S.ACKNOWLEDGED


@pytest.mark.parametrize(
    ("original", "reversal", "expected"),
    [
        (S.REVERSING, S.POSTED, S.REVERSED),
        (S.REVERSING, S.REJECTED, S.PAID),
        (S.REVERSING, S.PENDING, S.PAID),
        (S.REVERSING, S.IN_DOUBT, S.REVERSING),
        (S.REVERSING, S.PARKED, S.REVERSING),
        (S.POSTED, S.POSTED, S.REVERSED),
        (S.POSTED, S.REJECTED, S.POSTED),
        (S.REVERSED, S.REJECTED, S.REVERSED),
    ],
)
def test_what_becomes_of_the_original(original: State, reversal: State, expected: State) -> None:
    """A reversal that landed reverses its original; one that did not gives it back its state."""
    returns_to = S.PAID if original is S.REVERSING else None
    held = history(wanted(state=original, returns_to=returns_to))
    landed = wanted(key=key(1, Purpose.REVERSE), state=reversal)
    written = {one.key: one for one in with_original(held, landed, Scene(ASK).rules)}
    found = written.get(key(1), held.submissions[0])
    assert found.state is expected
    assert (found.returns_to is None) is (expected is not S.REVERSING)


def test_the_reference_stays() -> None:
    """A claim sent before keeps its reference, whatever the profile would derive today."""
    known = wanted(state=S.REJECTED, reference="OLD")
    assert with_content_of(known, wanted()).reference == "OLD"


@pytest.mark.parametrize(
    ("state", "outcome", "error", "code"),
    [
        (S.REJECTED, REJECTED, LedgerRejection, "CB-430"),
        (S.PARKED, REJECTED, OutcomeUnknown, "CB-421"),
        (S.IN_DOUBT, lost(), OutcomeUnknown, "CB-420"),
        (S.PENDING, Outcome(kind=K.UNAVAILABLE, retry_after=5), LedgerUnavailable, "CB-440"),
        (S.PENDING, Outcome(kind=K.NOT_DELIVERED), ClaimBridgeError, "CB-410"),
        (S.REVERSED, Outcome(kind=K.REVERSED), ClaimBridgeError, "CB-453"),
    ],
)
def test_error_for(
    state: State, outcome: Outcome, error: type[ClaimBridgeError], code: str
) -> None:
    """Each end that is not an acknowledgement has its own error."""
    landed = wanted(state=state, reasons=outcome.reasons, attempted_at=T0)
    raised = error_for(landed, outcome)
    assert isinstance(raised, error)
    assert raised.code == code
    assert raised.claim_id == "C"
