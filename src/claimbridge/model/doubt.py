"""Doubt: what was sent and has no answer that counts may still arrive, until it has been quiet.

The same for vouchers on their way to an ERP and for what goes back to a source. How long ago it was
sent is measured by ``Uptime``, which no step of the wall clock moves.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from claimbridge.clock import Clock, Uptime

T = TypeVar("T", bound=msgspec.Struct)
"""A frozen value with ``doubt_since`` (for people) and ``doubt_uptime`` (the same, to measure)."""


def enter_doubt(one: T, clock: Clock) -> T:
    """Return ``one`` as sent just now without an answer that counts.

    Where nobody knows when it was sent it was no later than now, so its doubt is dated from now.
    """
    return msgspec.structs.replace(one, doubt_since=clock.now(), doubt_uptime=clock.uptime())


def leave_doubt(one: T) -> T:
    """Return ``one`` once nothing of it can arrive any more that we do not know of."""
    return msgspec.structs.replace(one, doubt_since=None, doubt_uptime=None)


def is_measured(since: Uptime | None, clock: Clock) -> bool:
    """Whether the time from ``since`` can be measured: in another boot no clock can say it."""
    return clock.uptime().since(since) is not None


__all__ = ["enter_doubt", "is_measured", "leave_doubt"]
