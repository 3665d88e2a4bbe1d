"""The one loop: who performs a plan, what it emits, and several plans side by side."""

from __future__ import annotations

from typing import Any

import pytest
from tests.exchanger import Exchange, OneMessage
from tests.submission.driver import ASK, Scene, posted, wanted

from claimbridge.errors import JournalError, NotDelivered
from claimbridge.journal import MemoryJournal
from claimbridge.model import History
from claimbridge.submission import (
    Emissions,
    Pause,
    Plan,
    Post,
    Recall,
    Rules,
    WorkWindow,
    perform,
    with_journal,
)
from claimbridge.submission.steps.steps import Emit
from claimbridge.submission.steps.together import side_by_side


def _recall() -> Plan[History]:
    return (yield from Recall("L", "C"))


def test_a_plan_hears_of_the_error_of_its_step() -> None:
    """It may go on from there; what it does not catch is raised."""

    def plan(caught: type[BaseException]) -> Plan[str]:
        try:
            yield from OneMessage(Rules(capabilities=ASK)).exchange("query", (wanted(),))
        except caught as error:
            return str(error)
        raise AssertionError

    scene = Scene(ASK)
    assert "gone" in scene.play(plan(NotDelivered), NotDelivered("gone"))
    with pytest.raises(KeyboardInterrupt):
        scene.play(plan(NotDelivered), KeyboardInterrupt())


def test_a_plan_for_the_journal_sends_nothing() -> None:
    """``with_journal`` returns the result of a plan that asks the journal alone."""
    journal = MemoryJournal()
    assert with_journal(_recall(), journal) == History("L", "C", 0, ())
    with pytest.raises(AssertionError, match="sends"):
        with_journal(OneMessage(Rules(capabilities=ASK)).exchange("query", ()), journal)


def _counted(upto: int, ends: list[str]) -> Plan[None]:
    try:
        for number in range(upto):
            yield from Recall("L", "C")
            yield from Emit(number)
    except GeneratorExit:
        ends.append("closed")
        raise
    except BaseException:
        yield from Recall("L", "C")
        ends.append("kept")
        raise
    ends.append("over")


def test_each_emission_is_a_plan_of_its_own() -> None:
    """Values come one by one; None says that there are no more, and ending it then does nothing."""
    ends: list[str] = []
    emissions: Emissions[int] = Emissions(_counted(2, ends))
    journal = MemoryJournal()
    values = [with_journal(emissions.next(), journal) for _ in range(4)]
    assert [one and one.value for one in values] == [0, 1, None, None]
    with_journal(emissions.end(), journal)
    assert ends == ["over"]


def test_who_has_enough_lets_the_plan_keep_what_it_must() -> None:
    """A plan that nobody wants another value of still asks the journal, and then ends."""
    ends: list[str] = []
    emissions: Emissions[int] = Emissions(_counted(9, ends))
    journal = MemoryJournal()
    with_journal(emissions.next(), journal)
    with_journal(emissions.end(), journal)
    assert ends == ["kept"]
    assert with_journal(emissions.next(), journal) is None


def test_nothing_is_asked_for_nobody() -> None:
    """A plan of which no value was wanted ends without a step."""
    ends: list[str] = []
    emissions: Emissions[int] = Emissions(_counted(9, ends))
    with_journal(emissions.end(), MemoryJournal())
    assert ends == []


def test_a_break_between_two_steps_is_heard_of_at_the_end() -> None:
    """A plan that was left at a step hears of it, and keeps what it must."""
    ends: list[str] = []
    emissions: Emissions[int] = Emissions(_counted(9, ends))
    segment = emissions.next()
    next(segment)
    segment.close()  # broken off where no error reaches the plan
    with_journal(emissions.end(), MemoryJournal())
    assert ends == ["kept"]


def test_the_error_of_one_is_not_its_neighbours() -> None:
    """Of plans side by side, the one whose message failed hears of it; the other goes on."""
    ledger = OneMessage(Rules(capabilities=ASK))
    scene = Scene(ASK)
    plans = [ledger.exchange("query", (wanted(claim=claim),)) for claim in "AB"]
    failed, found = scene.play(side_by_side(plans), NotDelivered("gone"), posted("B"))
    assert isinstance(failed, NotDelivered)
    assert found == (posted("B"),)


def test_who_waits_for_a_neighbour_does_not_keep_it_from_going_on() -> None:
    """A pause comes after what others still have to do."""
    turn = ["taken"]

    def waits() -> Plan[str]:
        while turn:
            yield from Pause(0.1)
        return "waited"

    def has_the_turn() -> Plan[str]:
        post: Post[Exchange, Any] = Post(Exchange("query", (wanted(),)))
        yield from post
        turn.clear()
        return "done"

    scene = Scene(ASK)
    plan = side_by_side([waits(), has_the_turn()])
    assert scene.play(plan, posted()) == ["waited", "done"]
    assert len(scene.pauses) <= 1


def test_work_is_begun_ahead_but_not_all_of_it() -> None:
    """A window begins so much, and hands out the oldest."""
    begun: list[int] = []

    def begin(number: int) -> int:
        begun.append(number)
        return number

    window: WorkWindow[int, int] = WorkWindow(begin, 3)
    results = window.begin(range(5))
    assert (next(results), begun) == (0, [0, 1, 2])
    assert (next(results), list(window.ahead)) == (1, [2, 3])
    assert [*results] == [2, 3, 4]


def test_an_error_of_the_journal_is_the_plans() -> None:
    """What a step raises comes out of a plan that does nothing about it."""

    class Broken(MemoryJournal):
        def history(self, book: str, claim_id: str) -> History:
            raise JournalError(f"{book} {claim_id}")

    with pytest.raises(JournalError):
        with_journal(_recall(), Broken())


def test_a_plan_is_closed_however_it_ends() -> None:
    """What a plan holds is let go of when its performer is interrupted."""
    ends: list[str] = []

    def plan() -> Plan[None]:
        try:
            yield from Pause(1.0)
        finally:
            ends.append("let go")

    class Interrupted(Scene):
        def pause(self, seconds: float) -> bool:
            raise KeyboardInterrupt(seconds)

    with pytest.raises(KeyboardInterrupt):
        perform(plan(), Interrupted(ASK))
    assert ends == ["let go"]
