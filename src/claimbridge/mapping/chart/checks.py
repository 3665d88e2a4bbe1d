"""Findings about a chart that can be loaded: gaps, overlaps, dates, codes, rates."""

from __future__ import annotations

import datetime as dt
import itertools
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from decimal import Decimal
from typing import Final, Literal

from claimbridge.mapping.chart.boxes import (
    ALL,
    Box,
    Interval,
    ValueSet,
    box_of,
    days,
    example,
    in_words,
    intersection,
    remainder,
)
from claimbridge.mapping.chart.code_checks import (
    two_spellings,
    unknown_accounts,
    unknown_departments,
)
from claimbridge.mapping.chart.facts import CONDITIONS, PAYMENTS
from claimbridge.mapping.chart.finding import ChartFinding, Weight
from claimbridge.mapping.chart.rows import ExpenseRow
from claimbridge.mapping.chart.rules import ChartRules

MOST: Final = 50
"""How many findings of one kind are written out."""

MOST_COMPARED: Final = 100_000
"""How many pairs of rows are compared for a finding: some seconds."""

_PAYMENTS: Final = ValueSet(PAYMENTS, False)


def check_rules(
    rules: ChartRules,
    *,
    day: dt.date,
    accounts: Collection[str] | None = None,
    departments: Collection[str] | None = None,
) -> tuple[ChartFinding, ...]:
    """Return the findings about a chart on ``day``; those that must be fixed come first.

    ``accounts`` are the ERP's, ``departments`` those that claims may name. None: they are not
    compared; for departments a note says so.
    """
    all_findings = [
        *_dates(rules, day),
        *_periods(rules, day),
        *_gaps(rules, day),
        *_unreachable(rules),
        *_overlaps(rules),
        *(unknown_accounts(rules, accounts) if accounts is not None else ()),
        *unknown_departments(rules, departments),
        *two_spellings(rules),
        *_rates(rules),
    ]
    kinds: defaultdict[tuple[str, str], list[ChartFinding]] = defaultdict(list)
    for finding in all_findings:
        kinds[finding.weight, finding.kind].append(finding)
    listed = [finding for findings in kinds.values() for finding in _shorten(findings)]
    return tuple(sorted(listed, key=lambda finding: ("fix", "look", "note").index(finding.weight)))


def _shorten(findings: list[ChartFinding]) -> list[ChartFinding]:
    more = len(findings) - MOST
    if more <= 0:
        return findings
    last = findings[MOST]
    return [
        *findings[:MOST],
        ChartFinding(last.kind, last.weight, "chart", f"{more} more of this kind"),
    ]


def _dates(rules: ChartRules, day: dt.date) -> Iterator[ChartFinding]:
    judged: list[tuple[Weight, str, dt.date | None, dt.date | None]] = [
        ("look", f'chart "{rules.name}"', rules.valid_from, rules.valid_to),
        *(("note", row.label, row.window.first, row.window.last) for row in rules.rows.rows),
    ]
    for weight, where, first, last in judged:
        if last is not None and last < day:
            yield ChartFinding("dates", weight, where, f"expired: valid to {last}")
        elif first is not None and first > day:
            yield ChartFinding("dates", "note", where, f"not valid yet: from {first}")


def _periods(rules: ChartRules, day: dt.date) -> Iterator[ChartFinding]:
    if rules.periods is None:
        return
    period = rules.periods.calendar.find(day)
    if period is None:
        yield ChartFinding("period", "fix", "periods", f"{day} is in no period")
        return
    by_text: defaultdict[tuple[Weight, str], list[str]] = defaultdict(list)
    for company in rules.companies:
        if not rules.periods.is_open(period, company):
            following = rules.periods.next_open(period, [company])
            then = f"{following} is the next open one" if following else "no later one is open"
            closed = f"period {period} is closed; {then}"
            by_text["look" if following else "fix", closed].append(company)
    for (weight, text), companies in by_text.items():
        yield ChartFinding("period", weight, f"company {', '.join(companies)}", text)
    later = itertools.islice(rules.periods.calendar.after(period), 36)
    for before, after in itertools.pairwise([period, *later]):
        if after.first - before.last > dt.timedelta(days=1):
            text = f"no period has the days between {before} and {after}"
            yield ChartFinding("period", "look", "periods", text)


def _gaps(rules: ChartRules, day: dt.date) -> Iterator[ChartFinding]:
    """Find lines of a known type and company that no row answers for, from ``day`` on."""
    dates = days(max(day, rules.valid_from or day), rules.valid_to)
    if dates.is_empty:
        return
    for type_ in rules.rows.types():
        rows = rules.rows.of_type(type_)
        if any(not row.specificity for row in rows):
            continue
        by_gap: defaultdict[tuple[Weight, str], list[str]] = defaultdict(list)
        for company in rules.companies:
            gap = _gap(rows, company, dates, day)
            if gap is not None:
                by_gap[gap].append(company)
        for (weight, text), companies in by_gap.items():
            where = f"type {type_}, company {', '.join(companies)}"
            yield ChartFinding("gap", weight, where, text)


def _gap(
    rows: Sequence[ExpenseRow], company: str, dates: Interval, day: dt.date
) -> tuple[Weight, str] | None:
    exact = [ValueSet(frozenset({company}), False), *ALL[1 : len(CONDITIONS) - 1], _PAYMENTS]
    whole: Box = (*exact, ALL[-2], dates)
    if not any(intersection((*whole[:-1], ALL[-1]), box_of(row)) for row in rows):
        return "note", "no row answers for it"
    if not any(intersection(whole, box_of(row)) for row in rows):
        return "look", f"no row answers for it from {day} on"
    left = remainder(whole, (box_of(row) for row in rows if row.when is None))
    if left is None:
        return "look", "too many conditions to tell whether some lines fit no row"
    if not left:
        return None
    # A gap now weighs more than a later one; a row with a when may still fill it.
    now = [box for box in left if box[-1].over == dates.over]  # type: ignore[union-attr]
    box = (now or left)[0]
    text = f"no row answers for a line with: {in_words(example(box), box, whole)}"
    if any(row.when is not None for row in rows):
        return "look", f"{text}; unless a row with when does"
    return ("fix" if now else "look"), text


def _unreachable(rules: ChartRules) -> Iterator[ChartFinding]:
    """Find rows whose lines several earlier rows of their file take between them."""
    compared = 0
    # There are only two payments; companies and all other values may be added.
    all_lines: Box = (*ALL[: len(CONDITIONS) - 1], _PAYMENTS, *ALL[-2:])
    for type_ in rules.rows.types():
        for row, earlier in rules.rows.meetings(type_):
            before = [
                other
                for other in itertools.islice(earlier, MOST_COMPARED)
                if other.file == row.file and (other.when is None or other.when == row.when)
            ]
            compared += len(before)
            if compared > MOST_COMPARED:
                yield _too_many("unreachable", row)
                return
            own = intersection(all_lines, box_of(row))
            if before and own is not None and remainder(own, map(box_of, before)) == []:
                numbers = ", ".join(str(other.number) for other in before[:10])
                text = f"rows {numbers} before it take all of its lines between them"
                yield ChartFinding("unreachable", "fix", row.label, text)


def _overlaps(rules: ChartRules) -> Iterator[ChartFinding]:
    """Find pairs of rows where only the order decides: neither is a special case of the other."""
    compared = 0
    for type_ in rules.rows.types():
        for row, earlier in rules.rows.meetings(type_):
            for other in earlier:
                compared += 1
                if compared > MOST_COMPARED:
                    yield _too_many("overlap", row)
                    return
                if other.file != row.file or row.takes_all_of(other):
                    continue  # the exception stands before the rule, as it should
                both = intersection(box_of(row), box_of(other))
                if both is None or (other.when is not None and row.when is not None):
                    continue
                yield _overlap(other, row, both)


def _too_many(kind: Literal["unreachable", "overlap"], row: ExpenseRow) -> ChartFinding:
    text = "so many rows have lines in common that it and those below were not judged"
    return ChartFinding(kind, "look", row.label, text)


def _overlap(first: ExpenseRow, second: ExpenseRow, both: Box) -> ChartFinding:
    same = first.account == second.account
    return ChartFinding(
        "overlap",
        "note" if same else "look",
        f"{first.label} and {second.label}",
        f"both answer for a line with: {in_words(example(both), both, ALL)}; the first wins"
        + ("" if same else f", with account {first.account} and not {second.account}"),
    )


def _rates(rules: ChartRules) -> Iterator[ChartFinding]:
    """Find booking rates that companies with the same currency disagree on."""
    seen: dict[tuple[str, str], tuple[str, Decimal]] = {}
    for code, company in rules.companies.items():
        for currency, rate in company.rates.items():
            other, its = seen.setdefault((company.currency, currency), (code, rate))
            if its != rate:
                text = f"one {currency} is {rate:f} {company.currency}, for {other} {its:f}"
                yield ChartFinding("rates", "look", f"company {code}", text)
