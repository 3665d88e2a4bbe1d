"""Time zones by name, and the day of a moment where a company keeps its books."""

from __future__ import annotations

import datetime as dt
from typing import Final
from zoneinfo import ZoneInfo

_MACHINE: Final = frozenset({"localtime", "posixrules", "Factory"})
"""Files of the time zone database that name a machine's zone, not a place."""

_EDGE: Final = dt.timedelta(days=2)
_FIRST: Final = dt.datetime.min.replace(tzinfo=dt.UTC) + _EDGE
_LAST: Final = dt.datetime.max.replace(tzinfo=dt.UTC) - _EDGE


def find_zone(name: str) -> ZoneInfo:
    """Return the time zone of a name such as ``Asia/Shanghai``.

    Raises ValueError for an unknown name, and for one that means another zone on every machine. Its
    words continue a sentence that begins with the name.
    """
    inside = name.split("/")[0]
    if name in _MACHINE or inside in {"posix", "right"}:
        raise ValueError("names no place; write a time zone such as Asia/Shanghai")
    try:
        return ZoneInfo(name)
    except KeyError:  # ZoneInfoNotFoundError
        raise ValueError(
            "is not a time zone that this system knows; write one such as Asia/Shanghai, or "
            "install tzdata if the system has no time zones"
        ) from None
    except (OSError, ValueError):  # a folder, a path that leads outside, NUL
        raise ValueError("is not a time zone; write one such as Asia/Shanghai") from None


def day_in(zone: ZoneInfo, moment: dt.datetime) -> dt.date:
    """Return the day in ``zone`` of a moment that carries a time zone.

    The day is the same in whatever time zone the moment is written.
    """
    # The calendar has the years 1 to 9999: next to an end another zone would have no day.
    return min(max(moment, _FIRST), _LAST).astimezone(zone).date()
