"""Time zones by name: the day that a moment falls on where a company keeps its books."""

from __future__ import annotations

import datetime as dt
from typing import Final
from zoneinfo import ZoneInfo

_MACHINE: Final = frozenset({"localtime", "posixrules", "Factory"})
"""Files of the time zone database that say where a machine stands, not where a company does."""

_EDGE: Final = dt.timedelta(days=2)
_FIRST: Final = dt.datetime.min.replace(tzinfo=dt.UTC) + _EDGE
_LAST: Final = dt.datetime.max.replace(tzinfo=dt.UTC) - _EDGE


def find_zone(name: str) -> ZoneInfo:
    """Return the time zone of a name such as ``Asia/Shanghai``.

    Raises ValueError, in words that go behind the name, for one that there is not, and for one
    that means another zone on every machine.
    """
    inside = name.split("/")[0]
    if name in _MACHINE or inside in {"posix", "right"}:
        raise ValueError("is no place's time zone; write one such as Asia/Shanghai")
    try:
        return ZoneInfo(name)
    except KeyError:  # ZoneInfoNotFoundError
        raise ValueError(
            "is no time zone that is known here; write one such as Asia/Shanghai, and install "
            "tzdata where the system has no time zones"
        ) from None
    except (OSError, ValueError):  # a folder, a path that leads outside, NUL
        raise ValueError("is no time zone; write one such as Asia/Shanghai") from None


def day_in(zone: ZoneInfo, moment: dt.datetime) -> dt.date:
    """Return the day that a moment, which carries a time zone, falls on in ``zone``.

    In whatever time zone the moment is written, its day is the same.
    """
    # The calendar ends with the years 1 and 9999: a moment next to an end has no day elsewhere.
    return min(max(moment, _FIRST), _LAST).astimezone(zone).date()
