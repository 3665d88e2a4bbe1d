"""A chart's tables of periods into a checked calendar."""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections.abc import Iterable
from typing import Final

from claimbridge.mapping.chart.files.layout import (
    COMPUTING,
    ChartTables,
    PeriodsTable,
    PeriodTable,
    PlacedTable,
)
from claimbridge.mapping.chart.files.values import ValueChecks
from claimbridge.mapping.chart.periods import (
    Calendar,
    Closing,
    ComputedCalendar,
    ListedCalendar,
    Period,
    Periods,
)

MAX_PERIOD_NAME: Final = 32
_START: Final = re.compile(r"(\d\d)-(\d\d)", re.ASCII)
_WEEKDAYS: Final = (
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
)  # fmt: skip
_WEEKS: Final = {"4-4-5": (4, 4, 5), "4-5-4": (4, 5, 4), "5-4-4": (5, 4, 4)}


def periods_of(tables: ChartTables, origin: str) -> Periods | None:
    """Return the chart's periods; None where it has none.

    Raises ConfigurationError CB-264 naming the period or key.
    """
    table = tables.periods
    if table is None:
        for code, company in tables.company.items():
            if company.closed_until or company.closed or company.open:
                ValueChecks(f"{origin}: [company.{code}]", code="CB-264").refuse(
                    "it closes or opens periods, and the chart has no [periods]"
                )
        return None
    checked = ValueChecks(f"{origin}: [periods]", code="CB-264")
    calendar = _calendar(table, tables.period, checked)
    if not table.posting_date or len(set(table.posting_date)) < len(table.posting_date):
        checked.refuse("posting_date names nothing, or something twice")
    companies = {
        code: _closing(
            company.closed_until,
            company.closed,
            company.open,
            calendar,
            ValueChecks(f"{origin}: [company.{code}]", code="CB-264"),
        )
        for code, company in tables.company.items()
        if company.closed_until or company.closed or company.open
    }
    return Periods(
        calendar=calendar,
        sources=table.posting_date,
        move=table.when_closed == "next_open",
        everywhere=_closing(table.closed_until, table.closed, table.open, calendar, checked),
        companies=companies,
    )


def _calendar(
    table: PeriodsTable, listed: Iterable[PlacedTable[PeriodTable]], checked: ValueChecks
) -> Calendar:
    periods = [_period(placed) for placed in listed]
    if not periods:
        return _compute_calendar(table, checked)
    for key in COMPUTING:
        if getattr(table, key) != getattr(PeriodsTable(), key):
            checked.refuse(f'"{key}" computes periods, and the chart lists them; keep one of both')
    ordered = sorted(periods, key=lambda period: period.first)
    for period, following in itertools.pairwise(ordered):
        if following.first <= period.last:
            checked.refuse(f"period {period} and period {following} have days in common")
    names: set[str] = set()
    for period in periods:
        if period.name in names:
            checked.refuse(f'there are two periods "{period.name}"')
        names.add(period.name)
    return ListedCalendar(periods)


def _period(placed: PlacedTable[PeriodTable]) -> Period:
    table = placed.table
    checked = ValueChecks(placed.where, code="CB-264")
    checked.text(table.name, "name", MAX_PERIOD_NAME)
    if table.first > table.last:
        checked.refuse(f"first {table.first} is after last {table.last}")
    return Period(table.name, table.first, table.last, table.open)


def _compute_calendar(table: PeriodsTable, checked: ValueChecks) -> ComputedCalendar:
    match = _START.fullmatch(table.start)
    try:
        first = dt.date(2001, int(match[1]), int(match[2])) if match else None  # no leap year
    except ValueError:
        first = None
    if first is None or first.day > 28:
        checked.refuse(
            f'start "{table.start[:20]}" is no month and day from 01 to 28, such as "04-01"'
        )
    return ComputedCalendar(
        month=first.month,
        day=first.day,
        weeks=_WEEKS.get(table.calendar),
        weekday=_WEEKDAYS.index(table.week_start),
        nearest=table.year_begins == "nearest",
        by_end=table.year_name == "end",
    )


def _closing(
    until: dt.date | None,
    closed: tuple[str, ...],
    opened: tuple[str, ...],
    calendar: Calendar,
    checked: ValueChecks,
) -> Closing:
    for name in (*closed, *opened):
        if not calendar.knows(name):
            checked.refuse(f'there is no period "{name[:40]}"')
    for name in closed:
        if name in opened:
            checked.refuse(f'period "{name}" is both closed and open')
    return Closing(until, frozenset(closed), frozenset(opened))
