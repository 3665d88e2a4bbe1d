"""What must happen next, by what the journal holds."""

from __future__ import annotations

import msgspec
import pytest
from tests.submission.driver import ASK, T0, Scene, history, key, wanted

from claimbridge.model import LIVE, Purpose, State, Submission
from claimbridge.submission import decide
from claimbridge.submission.decisions.decisions import (
    Busy,
    Close,
    Done,
    Fly,
    Refuse,
    Resolve,
    TakeBack,
    quiet_left,
)

S = State
ACCEPTED = [S.ACKNOWLEDGED, S.POSTED, S.PAID]


def reversal(revision: int, state: State) -> Submission:
    one = wanted(revision, state=state, reference=f"C.x{revision}")
    return msgspec.structs.replace(one, key=key(revision, Purpose.REVERSE))


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        ((), Fly),
        ((wanted(1, state=S.PENDING),), Fly),
        ((wanted(1, state=S.REJECTED),), Fly),
        *[((wanted(1, state=state),), Done) for state in ACCEPTED],
        ((wanted(1, state=S.SENDING),), Busy),
        ((wanted(1, state=S.IN_DOUBT),), Resolve),
        ((wanted(1, state=S.POSTED), reversal(1, S.SENDING)), Done),
        ((wanted(1, state=S.REVERSING), reversal(1, S.IN_DOUBT)), "CB-453"),
        ((wanted(1, state=S.REVERSED),), "CB-453"),
        ((wanted(1, state=S.PARKED, attempted_at=T0),), "CB-421"),
        ((wanted(1, state=S.PARKED),), "CB-431"),
        ((wanted(1, digest="other"),), "CB-451"),
        ((wanted(1, digest="other", state=S.POSTED),), "CB-451"),
        ((wanted(1), wanted(2)), "CB-452"),
        ((wanted(2, state=S.REJECTED),), "CB-452"),
        ((wanted(1, state=S.IN_DOUBT), wanted(2, state=S.SENDING)), Busy),
    ],
)
def test_first_revision(held: tuple[Submission, ...], expected: type | str) -> None:
    """What the journal holds of a revision decides what its next submission does."""
    decision = decide(history(*held), key(1), "digest 1")
    if isinstance(expected, str):
        assert isinstance(decision, Refuse)
        assert decision.error.code == expected
    else:
        assert type(decision) is expected


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        ((wanted(1, state=S.PENDING),), Close),
        ((wanted(1, state=S.REJECTED),), Fly),
        ((wanted(1, state=S.REVERSED), reversal(1, S.POSTED)), Fly),
        ((wanted(1, state=S.REVERSED), reversal(1, S.IN_DOUBT)), Fly),
        *[((wanted(1, state=state),), TakeBack) for state in ACCEPTED],
        ((wanted(1, state=S.REVERSING), reversal(1, S.IN_DOUBT)), TakeBack),
        ((wanted(1, state=S.IN_DOUBT),), Resolve),
        ((wanted(1, state=S.SENDING),), Busy),
        ((wanted(1, state=S.REVERSING), reversal(1, S.SENDING)), Busy),
        ((wanted(1, state=S.PARKED, attempted_at=T0),), "CB-421"),
        ((wanted(1, state=S.PARKED),), "CB-431"),
    ],
)
def test_later_revision(held: tuple[Submission, ...], expected: type | str) -> None:
    """A later revision is sent only when nothing of an earlier one lives or may yet live."""
    decision = decide(history(*held), key(2), "digest 2")
    if isinstance(expected, str):
        assert isinstance(decision, Refuse)
        assert decision.error.code == expected
    else:
        assert type(decision) is expected


def test_live_states() -> None:
    """The table above speaks of every live state."""
    assert set(ACCEPTED) == LIVE


@pytest.mark.parametrize(
    ("passed", "left"), [(0.0, 300.0), (299.0, 1.0), (300.0, 0.0), (1e6, 0.0), (-5.0, 300.0)]
)
def test_quiet_period(passed: float, left: float) -> None:
    """The quiet period ends to the second; where it cannot be measured, all of it is left."""
    scene = Scene(ASK)
    now, up = scene.clock.now(), scene.clock.uptime()
    doubtful = wanted(1, state=S.IN_DOUBT, doubt_since=now, doubt_uptime=up)
    scene.clock.seconds = passed
    assert quiet_left(doubtful, scene.rules) == left
