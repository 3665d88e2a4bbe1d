"""The command's exit codes, and which of them an error has.

0 done · 1 refused for a business reason · 2 usage or configuration · 3 outcome unknown ·
4 not delivered
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from claimbridge.errors import (
    ClaimBridgeError,
    ConfigurationError,
    KeyUnavailable,
    LedgerUnavailable,
    NotDelivered,
    OutcomeUnknown,
)

DONE, BUSINESS_NO, USAGE, UNKNOWN, NOT_DELIVERED = range(5)
INTERRUPTED: Final = 130
"""What a shell calls the end by Ctrl-C."""


def exit_code(error: ClaimBridgeError) -> int:
    """Return the exit code that tells a script what kind of end ``error`` is."""
    if isinstance(error, OutcomeUnknown):
        return UNKNOWN
    if isinstance(error, (NotDelivered, LedgerUnavailable)):
        return NOT_DELIVERED
    if isinstance(error, (ConfigurationError, KeyUnavailable)):
        return USAGE
    return BUSINESS_NO


def worst(codes: Iterable[int]) -> int:
    """Return the exit code for several items: an unknown outcome outweighs all else."""
    given = set(codes)
    return next((code for code in (UNKNOWN, USAGE, NOT_DELIVERED, BUSINESS_NO) if code in given), 0)


__all__ = [
    "BUSINESS_NO",
    "DONE",
    "INTERRUPTED",
    "NOT_DELIVERED",
    "UNKNOWN",
    "USAGE",
    "exit_code",
    "worst",
]
