"""The flights that one journal has in the air: begun, and not yet recorded or given up."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

import msgspec

from claimbridge.journal import forks
from claimbridge.journal.calls import CURRENT, ClientCall
from claimbridge.journal.forks import Forkable
from claimbridge.model import History, Key, State, Submission


class Flight(msgspec.Struct, frozen=True):
    """One begun submission; ``history`` is the very object that ``begin`` returned for it."""

    key: Key
    number: int
    attempt: int
    history: History


class Flights(Forkable):
    """Counts flights, so that a second attempt at a key is never taken for the first.

    A flight ends when that is noted, or when the call that began it is over. A forked child has
    none of its parent's. Safe for threads: each step here is one operation on a dict, and there is
    no lock that could stay held.
    """

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._air: dict[int, ClientCall | None] = {}
        self._written: dict[tuple[Key, int], Flight] = {}
        forks.watch(self)

    def take_off(self) -> int:
        """Return the number of a new flight, in the air before anything is written of it."""
        number = next(self._numbers)
        self._air[number] = CURRENT.get()
        return number

    def note(self, number: int, key: Key, history: History) -> None:
        """Know the flight by its key, once ``history`` with it is durable."""
        submission = history.get(key)
        assert submission is not None  # begin wrote it
        self._written[key, submission.attempt] = Flight(key, number, submission.attempt, history)

    def flies(self, number: int) -> bool:
        """Whether this flight is still in the air."""
        if number not in self._air:
            return False
        call = self._air.get(number)
        return call is None or call.lasts()

    def any(self) -> bool:
        """Whether anything is in the air."""
        return any(self.flies(number) for number in list(self._air))

    def named(self, seen: History, changed: Sequence[Submission]) -> list[Flight]:
        """Return the flights that a writer who has seen ``seen`` means by ``changed``.

        A writer that has not seen the flight (another attempt, or none) does not mean it.
        """
        flights = []
        for submission in changed:
            before = seen.get(submission.key)
            if before is None or before.state is not State.SENDING:
                continue
            flight = self._written.get((submission.key, before.attempt))
            if flight is not None:
                flights.append(flight)
        return flights

    def cancel(self, numbers: Iterable[int]) -> None:
        """Take flights out of the air of which nothing was written."""
        for number in numbers:
            self._air.pop(number, None)

    def end(self, flights: Iterable[Flight]) -> None:
        """Take flights out of the air, for good."""
        for flight in flights:
            self._air.pop(flight.number, None)
            self._written.pop((flight.key, flight.attempt), None)

    def drop(self, call: ClientCall) -> bool:
        """Take what a call began out of the air; return whether there was any."""
        left = {number for number, began in list(self._air.items()) if began is call}
        if left:
            self.end(one for one in list(self._written.values()) if one.number in left)
            self.cancel(left)
        return bool(left)

    def renew(self) -> None:
        """Forget all flights: they are a parent's, or those of a life that is over."""
        self._air.clear()
        self._written.clear()


__all__ = ["Flight", "Flights"]
