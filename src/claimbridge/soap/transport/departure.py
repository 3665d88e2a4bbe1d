"""By when a request must leave: its sender was known to own it at a moment that gets old."""

from __future__ import annotations

from typing import Final

from claimbridge.clock import Clock, Uptime
from claimbridge.soap.transport.request import Call

_SLACK: Final = 5.0
"""Seconds, beside those for a connection, that a busy machine may take."""


class Stale(TimeoutError):
    """The sender was last known to own the request too long ago."""


class Departure:
    """Lets a request leave only soon after ``call.checked``; always where that is None.

    A process can be stopped between a check and the sending, and go on hours later. So this is
    asked right before bytes are handed to the system, on a count that goes on meanwhile.
    """

    def __init__(self, call: Call, clock: Clock) -> None:
        self._checked: Uptime | None = call.checked
        self._seconds = min(call.total, call.connect + _SLACK)
        self._clock = clock
        self.begun = False
        """Whether anything was let through."""

    def check(self) -> None:
        """Raise Stale where it is too late."""
        if self._checked is not None:
            passed = self._clock.uptime().since(self._checked)
            if passed is None or passed > self._seconds:
                raise Stale("stopped for too long before sending")
        self.begun = True


__all__ = ["Departure", "Stale"]
