"""The one loop that performs a plan, whoever performs its steps.

A plan yields a step and is sent the answer, or hears of the error. The synchronous client performs
a step where it stands; the asynchronous one awaits it. Both go through the same loop.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, Generic, Protocol, TypeVar

import msgspec

from claimbridge.clock import SYSTEM, Clock
from claimbridge.journal.base import Journal
from claimbridge.submission.steps.steps import Access, Emit, Pause, Plan, Post, Step

H = TypeVar("H")
P = TypeVar("P")
T = TypeVar("T")
V = TypeVar("V")


class End(msgspec.Struct, Generic[T], frozen=True):
    """A plan is over: what it returned."""

    result: T


Turn = Step[Any] | End[T]
"""Where a plan is: at a step that somebody has to perform, or at its end."""


def advance(plan: Plan[T], answer: object = None, *, error: BaseException | None = None) -> Turn[T]:
    """Send a plan the answer to its step, or the error of its step; return where it is then.

    Raises what the plan raises.
    """
    try:
        return plan.send(answer) if error is None else plan.throw(error)
    except StopIteration as end:
        return End(end.value)


class Performer(Protocol):
    """Performs the steps of one call: each method does it, or returns what is to be awaited."""

    def access(self, step: Access[Any]) -> Any:
        """Have the journal perform a step."""
        ...

    def post(self, message: Any) -> Any:
        """Send a message, and return its reply."""
        ...

    def pause(self, seconds: float) -> Any:
        """Wait; return whether the caller's time was long enough for it."""
        ...


def take(step: Step[Any], performer: Performer) -> Any:
    """Have one step performed."""
    if isinstance(step, Access):
        return performer.access(step)
    if isinstance(step, Post):
        return performer.post(step.message)
    assert isinstance(step, Pause)  # there is no other step
    return performer.pause(step.seconds)


def perform(plan: Plan[T], performer: Performer) -> T:
    """Perform a plan to its end, and return its result."""
    try:
        try:
            turn = advance(plan)
            while not isinstance(turn, End):
                try:
                    answer = take(turn, performer)
                except BaseException as error:  # noqa: BLE001 - the plan must hear of every end, to record it
                    turn = advance(plan, error=error)
                else:
                    turn = advance(plan, answer)
            return turn.result
        finally:
            plan.close()
    finally:
        plan.close()  # where the first was interrupted


async def perform_awaiting(plan: Plan[T], performer: Performer) -> T:
    """Perform a plan to its end as ``perform`` does, and await each step."""
    try:
        try:
            turn = advance(plan)
            while not isinstance(turn, End):
                try:
                    answer = await take(turn, performer)
                except BaseException as error:  # noqa: BLE001 - the plan must hear of every end, to record it
                    turn = advance(plan, error=error)
                else:
                    turn = advance(plan, answer)
            return turn.result
        finally:
            plan.close()
    finally:
        plan.close()  # where the first was interrupted


def go_on(plan: Plan[T], turn: Turn[T]) -> Plan[Emit[Any] | End[T]]:
    """Hand on the steps of a plan, from where it is until it emits a value or ends."""
    while not isinstance(turn, (Emit, End)):
        try:
            answer = yield turn
        except GeneratorExit:
            raise  # nobody is left to perform a step
        except BaseException as error:  # noqa: BLE001 - the plan must hear of every end, to record it
            turn = advance(plan, error=error)
        else:
            turn = advance(plan, answer)
    return turn


class Emissions(Generic[V]):
    """The values that a plan emits, one after the other: each is planned as a call of its own."""

    def __init__(self, plan: Plan[None]) -> None:
        self._plan = plan

    def next(self) -> Plan[Emit[V] | None]:
        """Go on until the next value; None when there is none any more."""
        turn = yield from go_on(self._plan, advance(self._plan))
        return turn if isinstance(turn, Emit) else None

    def end(self) -> Plan[None]:
        """Let the plan do what remains to be done when nobody wants another value."""
        try:
            yield from go_on(self._plan, advance(self._plan, error=_Enough()))
        except _Enough:
            return


class _Enough(BaseException):
    """Nobody wants another value of a plan."""


class Deadline:
    """What is left of the seconds that a caller allowed; None allows what the settings allow."""

    def __init__(self, clock: Clock, seconds: float | None) -> None:
        self._clock = clock
        self._end = None if seconds is None else clock.monotonic() + seconds

    def left(self, most: float) -> float:
        """Return the seconds left, ``most`` at the most; 0 when the time is over."""
        if self._end is None:
            return most
        return max(0.0, min(most, self._end - self._clock.monotonic()))


class InThread:
    """Performs the steps of one call in the thread that makes it; ``post`` sends a message."""

    def __init__(
        self, journal: Journal, post: Callable[[Any, Deadline], Any], deadline: Deadline
    ) -> None:
        self._journal = journal
        self._post = post
        self._deadline = deadline

    def access(self, step: Access[Any]) -> Any:
        """Have the journal perform a step."""
        return step.perform(self._journal)

    def post(self, message: Any) -> Any:
        """Send a message, and return its reply."""
        return self._post(message, self._deadline)

    def pause(self, seconds: float) -> bool:
        """Sleep, no longer than the call's time."""
        left = self._deadline.left(seconds)
        time.sleep(left)
        return left >= seconds


def with_journal(plan: Plan[T], journal: Journal) -> T:
    """Perform a plan that asks for nothing but the journal; return its result."""
    return perform(plan, InThread(journal, _post_nothing, Deadline(SYSTEM, None)))


def _post_nothing(message: object, _: Deadline) -> None:
    raise AssertionError(f"a plan for the journal alone sends {message!r}")


class WorkWindow(Generic[P, H]):
    """Begins work ahead of whoever wants its results, in order, and only so much of it."""

    def __init__(self, begin: Callable[[P], H], most: int) -> None:
        self._begin = begin
        self._most = most
        self.ahead: Final[deque[H]] = deque()
        """What was begun and nobody has taken yet."""

    def begin(self, work: Iterable[P]) -> Iterator[H]:
        """Begin one after the other; yield the oldest once there are ``most``, the rest at last."""
        for one in work:
            self.ahead.append(self._begin(one))
            if len(self.ahead) >= self._most:
                yield self.ahead.popleft()
        while self.ahead:
            yield self.ahead.popleft()
