"""Many vouchers in one request."""

from __future__ import annotations

from typing import Any

import pytest
from tests.submission.driver import (
    ASK,
    ASK_UNIQUE,
    NEITHER,
    K,
    Reply,
    Scene,
    lost,
    posted,
    states,
    wanted,
)

from claimbridge.model import Key, Outcome, Reason, State
from claimbridge.submission import AtOnce, Draft, Plan, Post, Record, submit_batch

S = State
ABSENT = Outcome(kind=K.ABSENT)
REJECTED = Outcome(kind=K.REJECTED, reasons=(Reason("closed"),))


def play(scene: Scene, names: str, *replies: Reply) -> list[str]:
    drafts = [Draft(wanted(claim=name)) for name in names]
    found: list[Any] = scene.play(submit_batch(drafts, scene.ledger), *replies)
    return states(found)


def state(scene: Scene, claim: str) -> State:
    known = scene.journal.history("L", claim).get(Key("L", claim, 1))
    assert known is not None
    return known.state


def test_one_request() -> None:
    """All vouchers go in one request, and each has its own result, in order."""
    scene = Scene(ASK)
    said = (posted("B"), posted("A"), Outcome(kind=K.REJECTED, reference="D"))
    assert play(scene, "ABD", said) == ["posted", "posted", "CB-430"]
    assert scene.asked == ["submit A B D"]


def test_partial_reply() -> None:
    """What a reply leaves out is in doubt, and asked for by itself."""
    scene = Scene(ASK)
    assert play(scene, "AB", posted("A"), posted("B")) == ["posted", "posted"]
    assert scene.asked == ["submit A B", "query B"]


def test_lost_reply() -> None:
    """A lost reply leaves all in doubt; each is resolved by itself."""
    scene = Scene(ASK_UNIQUE)
    assert play(scene, "AB", lost(), posted("A"), ABSENT, posted("B")) == ["posted", "posted"]
    assert scene.asked == ["submit A B", "query A", "query B", "submit B"]
    scene = Scene(NEITHER)
    assert play(scene, "AB", lost()) == ["CB-421", "CB-421"]


def test_refusal_that_names_none() -> None:
    """A batch refused as a whole is sent one by one: one of them may be at fault."""
    scene = Scene(ASK)
    assert play(scene, "AB", REJECTED, posted("A"), REJECTED) == ["posted", "CB-430"]


def test_busy_erp() -> None:
    """A batch that the ERP has no time for waits as long as it asks, once."""
    scene = Scene(ASK)
    busy = Outcome(kind=K.UNAVAILABLE, retry_after=20.0)
    assert play(scene, "AB", busy, posted("A"), posted("B")) == ["posted", "posted"]
    assert scene.pauses == [20.0]
    busy = Outcome(kind=K.UNAVAILABLE, retry_after=900.0)
    assert play(scene, "DE", busy) == ["CB-440", "CB-440"]


def test_same_claim_twice() -> None:
    """A claim that stands twice in a batch is sent once."""
    scene = Scene(ASK)
    assert play(scene, "AA", posted("A")) == ["posted", "posted"]
    assert scene.asked == ["submit A"]


def test_known_ones_stay_out() -> None:
    """What was posted before does not go into the request."""
    scene = Scene(ASK)
    play(scene, "A", posted("A"))
    assert play(scene, "AB", posted("B")) == ["posted", "posted"]
    assert scene.asked == ["submit A", "submit B"]


def test_broken_off() -> None:
    """A batch that is broken off in its request is in doubt, all of it."""
    scene = Scene(ASK)
    scene.breaks[Post] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        play(scene, "AB", (posted("A"), posted("B")))
    assert (state(scene, "A"), state(scene, "B")) == (S.IN_DOUBT, S.IN_DOUBT)


def until_half_settled(scene: Scene) -> Plan[Any]:
    """Play a batch of A and B up to the point at which A is settled and B is not."""
    plan = submit_batch([Draft(wanted(claim=name)) for name in "AB"], scene.ledger)
    answer: Any = None
    while True:
        step: Any = plan.send(answer)
        if isinstance(step, Post):
            answer = (posted("A"), posted("B"))
        elif isinstance(step, AtOnce) and isinstance(step.steps[0], Record):
            step.steps[0].perform(scene.journal)
            return plan
        else:
            answer = step.perform(scene.journal)


def test_broken_off_half_settled() -> None:
    """A batch that is broken off while it is settled keeps what it settled; the rest is doubted."""
    scene = Scene(ASK)
    plan = until_half_settled(scene)
    step: Any = plan.throw(KeyboardInterrupt())

    def go_on(step: Any) -> None:
        while True:
            step = plan.send(step.perform(scene.journal))

    with pytest.raises(KeyboardInterrupt):
        go_on(step)
    assert (state(scene, "A"), state(scene, "B")) == (S.POSTED, S.IN_DOUBT)


def test_dead_half_way() -> None:
    """A process that dies while it settles a batch leaves the rest in doubt, not lost."""
    scene = Scene(ASK)
    plan = until_half_settled(scene)
    plan.close()
    scene.journal.abandon_flights()
    assert (state(scene, "A"), state(scene, "B")) == (S.POSTED, S.IN_DOUBT)
    assert play(scene, "AB", posted("B")) == ["posted", "posted"]
    assert scene.asked == ["query B"]
