"""Several plans side by side, so that their journal accesses share a sync of the disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from claimbridge.errors import ClaimBridgeError
from claimbridge.submission.steps.steps import Access, AtOnce, Pause, Plan, Step

T = TypeVar("T")


def side_by_side(plans: Sequence[Plan[T]]) -> Plan[list[T | ClaimBridgeError]]:
    """Run plans next to each other; return what each returns, or our error that it raises.

    Whatever they want of the journal is asked at once; other steps are taken one by one. When a
    step is broken off from outside, every plan that is under way hears of it before it goes on.
    """
    ends: dict[int, T | ClaimBridgeError] = {}
    waiting: dict[int, Step[Any]] = {}
    for index, plan in enumerate(plans):
        _advance(index, plan, None, waiting, ends)
    while waiting:
        turn = [index for index, step in waiting.items() if isinstance(step, Access)]
        try:
            if turn:
                steps = tuple(step for step in waiting.values() if isinstance(step, Access))
                answers: list[Any] = yield from AtOnce(steps)
            else:
                turn = [_next_of(waiting)]
                answers = [(yield from _taken(waiting[turn[0]]))]
        except GeneratorExit:
            raise  # nobody is left to perform a step
        except BaseException as error:
            for index in waiting:
                yield from _broken_off(plans[index], error)
            raise
        for index, answer in zip(turn, answers, strict=True):
            _advance(index, plans[index], answer, waiting, ends)
    return [ends[index] for index in range(len(plans))]


def _next_of(waiting: Mapping[int, Step[Any]]) -> int:
    """Return whose step is taken: who pauses may wait for what another is about to do."""
    return min(waiting, key=lambda index: (isinstance(waiting[index], Pause), index))


def _taken(step: Step[Any]) -> Plan[Any]:
    """Have one step performed; return its answer, or our error that it raises."""
    try:
        return (yield step)
    except ClaimBridgeError as error:
        return error


def _advance(
    index: int,
    plan: Plan[T],
    answer: Any,
    waiting: dict[int, Step[Any]],
    ends: dict[int, T | ClaimBridgeError],
) -> None:
    """Give a plan its answer; keep the step that it wants next, or how it ended."""
    waiting.pop(index, None)
    try:
        failed = isinstance(answer, ClaimBridgeError)
        waiting[index] = plan.throw(answer) if failed else plan.send(answer)
    except StopIteration as done:
        ends[index] = done.value
    except ClaimBridgeError as error:
        ends[index] = error


def _broken_off(plan: Plan[Any], error: BaseException) -> Plan[None]:
    """Let a plan hear of ``error`` and do what it still wants to do about it."""
    try:
        step = plan.throw(error)
        while True:
            step = plan.send((yield step))
    except StopIteration:
        return
    except BaseException as end:
        if end is not error and not isinstance(end, ClaimBridgeError):
            raise
