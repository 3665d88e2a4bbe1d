"""The flights that one journal has in the air: begun, and not yet recorded or given up."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterable, Sequence

import msgspec

from claimbridge.model import History, Key, State, Submission


class Flight(msgspec.Struct, frozen=True):
    """One begun submission; ``history`` is the very object that ``begin`` returned for it."""

    key: Key
    number: int
    attempt: int
    history: History


class Flights:
    """Counts flights, so that a second attempt at a key is never taken for the first.

    Safe for threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._air: set[int] = set()
        self._by_key: dict[Key, Flight] = {}

    def take_off(self) -> int:
        """Return the number of a new flight, in the air before anything is written of it."""
        with self._lock:
            number = next(self._numbers)
            self._air.add(number)
            return number

    def written(self, number: int, key: Key, history: History) -> None:
        """Know the flight by its key, once ``history`` with it is durable."""
        begun = history.get(key)
        assert begun is not None  # begin wrote it
        with self._lock:
            self._by_key[key] = Flight(key, number, begun.attempt, history)

    def flies(self, number: int) -> bool:
        """Whether this flight is still in the air."""
        return number in self._air

    def any(self) -> bool:
        """Whether anything is in the air."""
        return bool(self._air)

    def named(self, seen: History, changed: Sequence[Submission]) -> list[Flight]:
        """Return the flights that a writer who has seen ``seen`` means by ``changed``.

        A writer that has not seen the flight (another attempt, or none) does not mean it.
        """
        with self._lock:
            found = []
            for submission in changed:
                flight = self._by_key.get(submission.key)
                before = seen.get(submission.key)
                if flight is None or before is None or before.state is not State.SENDING:
                    continue
                if before.attempt == flight.attempt:
                    found.append(flight)
            return found

    def cancel(self, numbers: Iterable[int]) -> None:
        """Take flights out of the air of which nothing was written."""
        with self._lock:
            self._air.difference_update(numbers)

    def end(self, flights: Iterable[Flight]) -> None:
        """Take flights out of the air, for good."""
        with self._lock:
            for flight in flights:
                self._air.discard(flight.number)
                if self._by_key.get(flight.key) is flight:
                    del self._by_key[flight.key]

    def abandon(self) -> None:
        """Take all flights out of the air."""
        with self._lock:
            self._air.clear()
            self._by_key.clear()


__all__ = ["Flight", "Flights"]
