"""The one source of time: a value that tests and simulations replace."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol, runtime_checkable

import msgspec


class Uptime(msgspec.Struct, frozen=True):
    """How long a machine has been running: a count that no step of the clock moves.

    All processes of the machine count the same, so a count may be kept in a file. ``seconds`` are
    those since ``boot``, sleep included where the system counts it.
    """

    boot: str
    seconds: float

    def since(self, earlier: Uptime | None) -> float | None:
        """Return the seconds from ``earlier`` to this; None where they cannot be compared.

        That is so where ``earlier`` is missing, is of another boot, or lies ahead: the machine went
        back to an older image of itself.
        """
        if earlier is None or earlier.boot != self.boot or earlier.seconds > self.seconds:
            return None
        return self.seconds - earlier.seconds


@runtime_checkable
class Clock(Protocol):
    """Gives the time of day, for records, and steady counts, for durations."""

    def now(self) -> datetime:
        """Return the present moment, timezone-aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds that only ever grow; only differences mean something."""
        ...

    def uptime(self) -> Uptime:
        """Return the machine's count of running seconds, for durations that outlive a process."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> datetime:
        """Return the present moment in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds since some fixed moment."""
        return time.monotonic()

    def uptime(self) -> Uptime:
        """Return the seconds since the system started.

        On Linux they include the machine's sleep. Elsewhere only the wall clock knows the start:
        its step, or a sleep, looks like another boot. Durations are then measured anew, and only
        ever get longer.
        """
        boot = _boot()
        if boot is not None:
            return Uptime(boot, time.clock_gettime(time.CLOCK_BOOTTIME))
        seconds = time.monotonic()
        return Uptime(f"about {round((time.time() - seconds) / 60)}", seconds)


_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
_NAMESPACE: Final = Path("/proc/self/ns/time")


def _boot() -> str | None:
    """Return the kernel's name for this boot; None where it gives none.

    A time namespace has a count of its own (time_namespaces(7)), so it belongs to the name.
    """
    try:
        boot = _BOOT_ID.read_bytes().decode().strip()
    except OSError:
        return None
    try:
        return f"{boot} {_NAMESPACE.readlink()}"
    except OSError:  # a kernel before 5.6, without time namespaces
        return boot


SYSTEM: Clock = SystemClock()
