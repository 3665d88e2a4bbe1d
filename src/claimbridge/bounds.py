"""What every number of a configuration may be: one table, with the reason for each bound."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Final, NamedTuple, TypeGuard

import msgspec

from claimbridge.errors import ConfigurationError


class Bound(NamedTuple):
    """The least and the most that a number may be, and why more or less makes no sense."""

    least: float
    most: float
    reason: str


_HOUR: Final = 3_600
_DAY: Final = 86_400
_PATIENCE: Final = "nobody waits longer for a connection, or for one answer"
_READS: Final = "reads alone are tried again"

BOUNDS: Final[Mapping[str, Bound]] = {
    "timeouts.connect": Bound(0.001, _HOUR, _PATIENCE),
    "timeouts.total": Bound(0.001, _HOUR, _PATIENCE),
    "replies.max_age": Bound(0, 30 * _DAY, "the journal remembers every reply for that long"),
    "ledger.batch": Bound(1, 1000, "what one lost answer leaves in doubt"),
    "ledger.concurrency": Bound(1, 500, "each request has a connection and a thread of its own"),
    "ledger.retries": Bound(0, 20, "what fails so often needs a person"),
    "ledger.backoff": Bound(0, _HOUR, "seconds before another try, doubled each time"),
    "ledger.longest_wait": Bound(0, _DAY, "a call does not sleep longer than a day"),
    "ledger.quiet_period": Bound(0, 30 * _DAY, "nothing that was given up arrives a month later"),
    "folder.settle": Bound(0, _DAY, "a file that is written for longer is never read"),
    "folder.max_bytes": Bound(1, 1_000_000_000, "a file is read into memory"),
    "webhook.max_bytes": Bound(1, 100_000_000, "64 bodies may be in memory at once"),
    "webhook.tolerance": Bound(1, _DAY, "so long can a signed request be sent again"),
    "hesi.page_size": Bound(2, 100, "Hesi's own limit; one alone cannot tell a page's end"),
    "hesi.overlap": Bound(1, _DAY, "every pass reads that much again"),
    "hesi.rate": Bound(0.01, 1000, "calls a second; Hesi turns away more"),
    "hesi.retries": Bound(0, 20, _READS),
    "hesi.backoff": Bound(0, _HOUR, _READS),
    "hesi.longest_wait": Bound(0, _DAY, _READS),
    "hesi.quiet": Bound(0, _DAY, "a call whose answer was lost arrives within a day"),
    "hesi.reply_limit": Bound(1000, 1_000_000_000, "an answer is read into memory"),
    "kingdee-eas.database": Bound(0, 9, "EAS numbers the kinds of databases by one digit"),
    "kingdee-eas.credit": Bound(-1, 0, "entryDC of a credit is 0 or -1; 1 is that of a debit"),
    "kingdee-eas.batch": Bound(1, 1000, "what one lost answer leaves in doubt"),
    "in-string.reference_length": Bound(8, 255, "shorter references collide; no field is longer"),
}
"""The bounds by owner and key. A number of a configuration without one is a defect."""

MOST_OF_ANY: Final = Decimal(10) ** 15
"""Numbers of profiles and sources that are not ours are finite, and not more than this."""


def check_numbers(
    owner: str, given: msgspec.Struct | Mapping[str, object], *, where: str, code: str
) -> None:
    """Refuse each number of ``owner`` that is out of its bounds, is none, or has no end.

    ``where`` begins the message, and names the file's table or the ledger. None means "off" and
    passes. Raises ConfigurationError ``code``.
    """
    values = msgspec.structs.asdict(given) if isinstance(given, msgspec.Struct) else given
    for key, value in values.items():
        bound = BOUNDS.get(f"{owner}.{key}")
        if bound is None or value is None:
            continue
        if not (_is_number(value) and _ends(value) and _within(bound, value)):
            raise ConfigurationError(
                f"{where}{key} must be a number from {bound.least:g} to {_whole(bound.most)}: "
                f"{bound.reason}",
                code=code,
            )


def check_finite(value: object, *, what: str, code: str) -> None:
    """Refuse a number without an end, or beyond all use, anywhere in ``value``.

    Raises ConfigurationError ``code`` that begins with ``what``, and the path to the number.
    """
    if isinstance(value, Mapping):
        for key, inner in value.items():
            check_finite(inner, what=f"{what}.{key}", code=code)
    elif isinstance(value, list | tuple):
        for place, inner in enumerate(value):
            check_finite(inner, what=f"{what}[{place}]", code=code)
    elif _is_number(value) and not (_ends(value) and abs(Decimal(value)) <= MOST_OF_ANY):
        raise ConfigurationError(
            f"{what} must be a number of at most {MOST_OF_ANY:f}, with an end", code=code
        )


def _within(bound: Bound, value: int | float | Decimal) -> bool:
    return Decimal(bound.least) <= Decimal(value) <= Decimal(bound.most)


def _is_number(value: object) -> TypeGuard[int | float | Decimal]:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _ends(value: int | float | Decimal) -> bool:
    """Tell whether a number has an end; NaN has none, and compares with nothing."""
    if isinstance(value, int):
        return True  # one of 400 digits is no float
    return value.is_finite() if isinstance(value, Decimal) else math.isfinite(value)


def _whole(most: float) -> str:
    return str(int(most)) if most == int(most) else f"{most:g}"
