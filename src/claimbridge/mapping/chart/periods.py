"""Fiscal periods: which one a day is in, whether it is open, and which comes next.

Periods are listed in the chart, or computed: months from the fiscal year's first day, or whole
weeks in quarters of thirteen (4-4-5, 4-5-4, 5-4-4), the fifty-third week in the last period.
"""

from __future__ import annotations

import bisect
import datetime as dt
import itertools
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final, Literal, NamedTuple, Protocol

import msgspec

Source = Literal["invoice", "approval", "line"]
DEFAULT_SOURCES: Final[tuple[Source, ...]] = ("approval", "line")
_LOOK_AHEAD: Final = 240
"""How many periods are looked through for an open one: twenty years of months."""


class Period(NamedTuple):
    """A fiscal period; both days are inclusive. ``open`` is what its listing says of it."""

    name: str
    first: dt.date
    last: dt.date
    open: bool = True

    def __str__(self) -> str:
        return f"{self.name} ({self.first} to {self.last})"


class Calendar(Protocol):
    """The periods of a chart."""

    def find(self, day: dt.date) -> Period | None:
        """Return the period of a day; None for a day in none."""

    def after(self, period: Period) -> Iterator[Period]:
        """Yield the periods after one, in order."""

    def knows(self, name: str) -> bool:
        """Return whether there is or can be a period of this name."""


class Closing(msgspec.Struct, frozen=True):
    """Which periods are closed: those that begin until a day, and by name; ``open`` goes first."""

    until: dt.date | None = None
    closed: frozenset[str] = frozenset()
    open: frozenset[str] = frozenset()

    def says(self, period: Period) -> bool | None:
        """Return whether a period is open; None where this closing does not name it."""
        if period.name in self.open:
            return True
        if period.name in self.closed:
            return False
        return False if self.until is not None and period.first <= self.until else None


class Periods(msgspec.Struct, frozen=True, kw_only=True):
    """What a chart says of posting dates; ``companies`` holds what each says of its own books."""

    calendar: Calendar
    sources: tuple[Source, ...] = DEFAULT_SOURCES
    move: bool = False
    everywhere: Closing = Closing()
    companies: Mapping[str, Closing] = {}

    def is_open(self, period: Period, company: str) -> bool:
        """Return whether a company's books are open for a period; the company's closing decides."""
        own = self.companies.get(company)
        is_open = own.says(period) if own is not None else None
        if is_open is None:
            is_open = self.everywhere.says(period)
        return period.open if is_open is None else is_open

    def closed_for(self, period: Period, companies: Sequence[str]) -> list[str]:
        """Return those of the companies whose books are closed for a period."""
        return [company for company in companies if not self.is_open(period, company)]

    def next_open(self, period: Period, companies: Sequence[str]) -> Period | None:
        """Return the next period that is open for all of the companies; None: none is known."""
        for count, later in enumerate(self.calendar.after(period)):
            if count >= _LOOK_AHEAD:
                break
            if not self.closed_for(later, companies):
                return later
        return None


class ListedCalendar:
    """Periods as a chart lists them; they may leave days out, and do not overlap."""

    def __init__(self, periods: Sequence[Period]) -> None:
        self._periods = sorted(periods, key=lambda period: period.first)
        self._firsts = [period.first for period in self._periods]

    def find(self, day: dt.date) -> Period | None:
        """Return the period of a day; None for a day in none."""
        place = bisect.bisect_right(self._firsts, day)
        if place == 0 or self._periods[place - 1].last < day:
            return None
        return self._periods[place - 1]

    def after(self, period: Period) -> Iterator[Period]:
        """Yield the periods after one, in order."""
        yield from self._periods[bisect.bisect_right(self._firsts, period.first) :]

    def knows(self, name: str) -> bool:
        """Return whether there is a period of this name."""
        return any(period.name == name for period in self._periods)


class ComputedCalendar(msgspec.Struct, frozen=True, kw_only=True):
    """Twelve periods a fiscal year, computed from the day and month that it begins on.

    ``weeks`` are those of the three periods of a quarter, or None for months. ``weekday`` (Monday
    0) begins a week; the year begins on the one nearest to its first day, or the last not after
    it. A year is called by the calendar year of its first or, with ``by_end``, its last day.
    """

    month: int
    day: int
    weeks: tuple[int, int, int] | None = None
    weekday: int = 0
    nearest: bool = True
    by_end: bool = False

    def find(self, day: dt.date) -> Period | None:
        """Return the period of a day; None at the ends of the calendar."""
        try:
            for year in (day.year + 1, day.year, day.year - 1):
                periods = _year(self, year)
                if periods[0].first <= day:
                    return next((p for p in periods if p.first <= day <= p.last), None)
        except (ValueError, OverflowError):
            pass  # before the year 1 or after 9999
        return None

    def after(self, period: Period) -> Iterator[Period]:
        """Yield the periods after one, in order."""
        while True:
            try:
                following = self.find(period.last + dt.timedelta(days=1))
            except OverflowError:
                return
            if following is None:
                return
            yield following
            period = following

    def knows(self, name: str) -> bool:
        """Return whether there can be a period of this name."""
        year, _, number = name.partition("-")
        return (
            name.isascii()
            and len(year) == 4
            and len(number) == 2
            and year.isdigit()
            and number.isdigit()
            and 1 <= int(number) <= 12
        )

    def begin(self, year: int) -> dt.date:
        """Return the first day of the fiscal year that begins at or about ``year``."""
        nominal = dt.date(year, self.month, self.day)
        if self.weeks is None:
            return nominal
        back = (nominal.weekday() - self.weekday) % 7
        if self.nearest and back > 3:
            back -= 7
        return nominal - dt.timedelta(days=back)

    def firsts(self, year: int) -> list[dt.date]:
        """Return the first days of a fiscal year's periods, and of the next year."""
        if self.weeks is None:
            months = [self.month - 1 + count for count in range(13)]
            return [dt.date(year + m // 12, m % 12 + 1, self.day) for m in months]
        firsts = [self.begin(year)]
        for weeks in self.weeks * 4:
            firsts.append(firsts[-1] + dt.timedelta(weeks=weeks))
        return [*firsts[:12], self.begin(year + 1)]


@lru_cache(maxsize=256)
def _year(calendar: ComputedCalendar, year: int) -> tuple[Period, ...]:
    firsts = calendar.firsts(year)
    ends_later = (calendar.month, calendar.day) != (1, 1)
    name = year + 1 if calendar.by_end and ends_later else year
    return tuple(
        Period(f"{name:04d}-{number:02d}", first, following - dt.timedelta(days=1))
        for number, (first, following) in enumerate(itertools.pairwise(firsts), start=1)
    )
