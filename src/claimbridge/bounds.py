"""The bounds of every number of a configuration: one table, with the reason for each."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Final, NamedTuple, TypeGuard

import msgspec

from claimbridge.errors import ConfigurationError


class Bound(NamedTuple):
    """The least and the most that a number may be, and why."""

    least: float
    most: float
    reason: str


_HOUR: Final = 3_600
_DAY: Final = 86_400
_PATIENCE: Final = "nobody waits longer for a connection, or for one answer"
_READS: Final = "only reads are tried again"

BOUNDS: Final[Mapping[str, Bound]] = {
    "timeouts.connect": Bound(0.001, _HOUR, _PATIENCE),
    "timeouts.total": Bound(0.001, _HOUR, _PATIENCE),
    "replies.max_age": Bound(0, 30 * _DAY, "the journal remembers every reply for that long"),
    "ledger.batch": Bound(1, 1000, "what one lost answer leaves in doubt"),
    "ledger.concurrency": Bound(1, 500, "each request has a connection and a thread of its own"),
    "ledger.retries": Bound(0, 20, "after so many failures a person is needed"),
    "ledger.backoff": Bound(0, _HOUR, "seconds before another try, doubled each time"),
    "ledger.longest_wait": Bound(0, _DAY, "a call does not sleep longer than a day"),
    "ledger.quiet_period": Bound(0, 30 * _DAY, "nothing arrives a month after it was sent"),
    "folder.settle": Bound(0, _DAY, "a file that changes for longer is never read"),
    "folder.max_bytes": Bound(1, 1_000_000_000, "a file is read into memory"),
    "webhook.max_bytes": Bound(1, 100_000_000, "64 bodies may be in memory at once"),
    "webhook.tolerance": Bound(1, _DAY, "a signed request can be sent again for so long"),
    "hesi.page_size": Bound(2, 100, "Hesi's own limit; pages of one document have no visible end"),
    "hesi.overlap": Bound(1, _DAY, "every pass reads so much again"),
    "hesi.rate": Bound(0.01, 1000, "calls a second; Hesi refuses more"),
    "hesi.retries": Bound(0, 20, _READS),
    "hesi.backoff": Bound(0, _HOUR, _READS),
    "hesi.longest_wait": Bound(0, _DAY, _READS),
    "hesi.quiet": Bound(0, _DAY, "a call whose answer was lost arrives within a day"),
    "hesi.reply_limit": Bound(1000, 1_000_000_000, "an answer is read into memory"),
    "kingdee-eas.database": Bound(0, 9, "EAS numbers the kinds of databases by one digit"),
    "kingdee-eas.credit": Bound(-9, 9, "entryDC is one digit; 1 is that of a debit"),
    "kingdee-eas.batch": Bound(1, 1000, "what one lost answer leaves in doubt"),
    "in-string.reference_length": Bound(8, 255, "shorter references collide; no field is longer"),
}
"""The bounds by owner and key. A number of a configuration without a bound is a defect."""

MOST_OF_ANY: Final = Decimal(10) ** 15
"""The most that a number of another package's profile or source may be."""


def check_numbers(
    owner: str, given: msgspec.Struct | Mapping[str, object], *, where: str, code: str
) -> None:
    """Refuse each number of ``owner`` that is no number, not finite, or out of its bounds.

    ``where`` begins the message, and names the file's table or the ledger. None means "off" and
    passes. Raises ConfigurationError ``code``.
    """
    values = msgspec.structs.asdict(given) if isinstance(given, msgspec.Struct) else given
    for key, value in values.items():
        bound = BOUNDS.get(f"{owner}.{key}")
        if bound is None or value is None:
            continue
        if not (_is_number(value) and _is_finite(value) and _within(bound, value)):
            raise ConfigurationError(
                f"{where}{key} must be a number from {bound.least:g} to {_whole(bound.most)}: "
                f"{bound.reason}",
                code=code,
            )


def check_finite(value: object, *, what: str, code: str) -> None:
    """Refuse a number that is not finite, or beyond all use, anywhere in ``value``.

    Raises ConfigurationError ``code``; its text begins with ``what`` and the path to the number.
    """
    if isinstance(value, Mapping):
        for key, inner in value.items():
            check_finite(inner, what=f"{what}.{key}", code=code)
    elif isinstance(value, list | tuple):
        for place, inner in enumerate(value):
            check_finite(inner, what=f"{what}[{place}]", code=code)
    elif _is_number(value) and not (_is_finite(value) and abs(Decimal(value)) <= MOST_OF_ANY):
        raise ConfigurationError(
            f"{what} must be a finite number of at most {MOST_OF_ANY:f}", code=code
        )


def _within(bound: Bound, value: int | float | Decimal) -> bool:
    return Decimal(bound.least) <= Decimal(value) <= Decimal(bound.most)


def _is_number(value: object) -> TypeGuard[int | float | Decimal]:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _is_finite(value: int | float | Decimal) -> bool:
    """Whether a number is finite; NaN is not, and compares with nothing."""
    if isinstance(value, int):
        return True  # an int of 400 digits fits no float
    return value.is_finite() if isinstance(value, Decimal) else math.isfinite(value)


def _whole(most: float) -> str:
    return str(int(most)) if most == int(most) else f"{most:g}"
