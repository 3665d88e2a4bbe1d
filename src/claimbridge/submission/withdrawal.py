"""Keeping a claim out of the ledger that was taken back where it came from."""

from __future__ import annotations

from typing import Final

from claimbridge.model import LIVE, History, Purpose, State, Submission
from claimbridge.submission.evidence import moved
from claimbridge.submission.steps import Plan, Recall, Record, Rules


def withdraw(ledger: str, claim_id: str, reason: str, rules: Rules) -> Plan[Submission | None]:
    """See to it that nothing of a claim which still waits is ever sent.

    Returns the submission that is, or may be, in the ledger, and changes nothing then; None when
    there is none. A higher revision may be submitted later.
    """
    while True:
        history = yield from Recall(ledger, claim_id)
        standing = _standing(history)
        if standing is not None:
            return standing
        closed = tuple(
            moved(one, State.REVERSED, rules, detail=reason)
            for one in history.submissions
            if one.state is State.PENDING and one.key.purpose is Purpose.POST
        )
        # None: somebody else has just moved it on; look again.
        if not closed or (yield from Record(history, closed)) is not None:
            return None


def _standing(history: History) -> Submission | None:
    found = [
        one
        for states in (_IN_THE_LEDGER, _ON_ITS_WAY)
        for one in history.submissions
        if one.state in states
        if one.key.purpose is Purpose.POST or states is _ON_ITS_WAY
    ]
    return found[0] if found else None


_IN_THE_LEDGER: Final = LIVE | {State.REVERSING, State.PARKED}
_ON_ITS_WAY: Final = frozenset({State.SENDING, State.IN_DOUBT})
