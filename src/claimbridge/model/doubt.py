"""Doubt: a message without an answer that counts may still arrive, until the quiet period is over.

The rule is the same for vouchers to an ERP and for write-backs to a source. ``Uptime``, which no
step of the wall clock moves, measures how long ago the message was sent.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from claimbridge.clock import Clock, Uptime

T = TypeVar("T", bound=msgspec.Struct)
"""A frozen value with ``doubt_since`` (for people) and ``doubt_uptime`` (the same, to measure)."""


def enter_doubt(value: T, clock: Clock) -> T:
    """Return a value as sent just now without an answer that counts.

    Where nobody knows when it was sent, that was not later than now: its doubt begins now.
    """
    return msgspec.structs.replace(value, doubt_since=clock.now(), doubt_uptime=clock.uptime())


def leave_doubt(value: T) -> T:
    """Return a value of which nothing that we do not know of can arrive any more."""
    return msgspec.structs.replace(value, doubt_since=None, doubt_uptime=None)


def is_measured(since: Uptime | None, clock: Clock) -> bool:
    """Whether the time since ``since`` can be measured: after a restart no clock knows it."""
    return clock.uptime().since(since) is not None


__all__ = ["enter_doubt", "is_measured", "leave_doubt"]
