"""The time of an episode: it moves only when the episode says so."""

from __future__ import annotations

import datetime as dt

from claimbridge.clock import Uptime


class SimClock:
    """Time that moves only when the episode says so.

    ``stepped`` is by how many seconds somebody has set the wall clock forward, ``boot`` how often
    the machine has been started.
    """

    EPOCH = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)

    def __init__(self) -> None:
        self.t = 0.0
        self.stepped = 0.0
        self.boot = 1

    def now(self) -> dt.datetime:
        """Return what the machine's wall clock shows."""
        return self.EPOCH + dt.timedelta(seconds=self.t + self.stepped)

    def monotonic(self) -> float:
        """Return the simulated seconds."""
        return self.t

    def uptime(self) -> Uptime:
        """Return the same count as an uptime."""
        return Uptime(f"boot {self.boot}", self.t)


__all__ = ["SimClock"]
