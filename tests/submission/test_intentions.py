"""What is intended with a whole claim, and what a person can say of what the ERP keeps."""

from __future__ import annotations

from typing import cast

import msgspec
import pytest
from tests.exchanger import OneMessage
from tests.submission.driver import ASK_UNIQUE, DAY, ENTRY, UNIQUE, Clock, history, key, wanted

from claimbridge.errors import ConflictingSubmission
from claimbridge.journal import Journal
from claimbridge.model import History, Outcome, OutcomeKind, Purpose, State, Submission
from claimbridge.submission import Plan, Rules, settle_by_hand, with_journal
from claimbridge.submission.claim.by_hand import settle_gone
from claimbridge.submission.decisions.intentions import reversal_changes


def _standing(revision: int, state: State) -> Submission:
    return wanted(revision, state=state, journal_entry=ENTRY, attempt=1)


def test_an_earlier_reversal_leaves_what_waits_for_a_later_revision() -> None:
    """Taking revision 1 back again does not give up revision 3, which waits for revision 2."""
    found = history(
        _standing(1, State.REVERSED), _standing(2, State.POSTED), wanted(3, state=State.PENDING)
    )
    rules = Rules(capabilities=ASK_UNIQUE, clock=Clock())
    assert reversal_changes(found, found.submissions[:1], DAY, "", rules) == ()


def test_a_reversal_closes_what_waits_for_it() -> None:
    """Taking revision 1 back gives up revision 2, which waits to take its place."""
    found = history(_standing(1, State.POSTED), wanted(2, state=State.PENDING))
    rules = Rules(capabilities=ASK_UNIQUE, clock=Clock())
    changed = reversal_changes(found, found.submissions[:1], DAY, "", rules)
    assert (key(2), State.REVERSED) in {(one.key, one.state) for one in changed}


def _half_reversed(reversal: State) -> History:
    """Return a claim's part that is to be taken back with the rest of it."""
    part = msgspec.structs.replace(
        _standing(1, State.REVERSING), key=msgspec.structs.replace(key(1), part=1)
    )
    taking = msgspec.structs.replace(part.key, purpose=Purpose.REVERSE)
    return history(part, wanted(1, key=taking, reference="C.x1", state=reversal, attempt=1))


class _OneHistory:
    """A journal that knows one history, and takes whatever is written."""

    def __init__(self, known: History) -> None:
        self.known = known

    def history(self, *_: str) -> History:
        return self.known

    def record(self, *_: object) -> History:
        return self.known


def _settled(plan: Plan[Submission], known: History) -> Submission:
    """Perform a plan that needs the journal alone, on one history."""
    return with_journal(plan, cast("Journal", _OneHistory(known)))


@pytest.mark.parametrize("gone", [True, False])
def test_what_the_erp_refuses_to_reverse_can_be_settled(gone: bool) -> None:
    """A part that others reversed or deleted, so that our reversal is refused, has an end."""
    found, rules = _half_reversed(State.REJECTED), Rules(capabilities=UNIQUE, clock=Clock())
    part = found.submissions[0].key
    reversed_there = Outcome(kind=OutcomeKind.REVERSED, journal_entry=ENTRY)
    plan = (
        settle_gone(part, "seen", OneMessage(rules))
        if gone
        else settle_by_hand(part, reversed_there, rules)
    )
    assert _settled(plan, found).state is State.REVERSED


def test_what_may_still_be_reversed_by_us_is_not_settled() -> None:
    """While its reversal may be on its way, nobody says that the part is gone."""
    found, rules = _half_reversed(State.IN_DOUBT), Rules(capabilities=UNIQUE, clock=Clock())
    with pytest.raises(ConflictingSubmission, match="bring its reversal to an end"):
        _settled(settle_gone(found.submissions[0].key, "seen", OneMessage(rules)), found)
