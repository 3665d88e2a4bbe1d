"""The posting date by period: where it comes from, what a closed period does to it, and why."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.mapping.charts import CHART, chart, claim, line

from claimbridge.errors import ConfigurationError, MappingError
from claimbridge.mapping import Chart, Mapped
from claimbridge.mapping.chart.periods import ComputedCalendar
from claimbridge.model import Allocation, Claim, SupportingDocument

MAY = dt.date(2026, 5, 20)


def with_periods(text: str, *, company: str = "") -> Chart:
    """Return the usual chart with these periods, and keys for CN01."""
    return chart(CHART.replace("[company.CN01]", f"[company.CN01]\n{company}"), more=text)


def full_claim(**fields: Any) -> Claim:
    """Return a claim with invoices to 5 March, lines to 2 April, approved on 20 May."""
    march = SupportingDocument(kind="receipt", date=dt.date(2026, 3, 5))
    return claim(
        line("taxi", "1", documents=(march,)),
        line("taxi", "2", date=dt.date(2026, 4, 2)),
        **{"approved_at": dt.datetime(2026, 5, 20, 9, tzinfo=dt.UTC), **fields},
    )


def posted(subject: Chart, given_claim: Claim) -> tuple[str, str | None, str]:
    """Return posting date, period, and the sentence about them."""
    mapped: Mapped = subject.map(given_claim)
    return str(mapped.voucher.posting_date), mapped.period, mapped.explain[0].rule


@pytest.mark.parametrize(
    ("sources", "fields", "day", "said"),
    [
        ('"invoice", "line"', {}, "2026-03-05", "the day of the latest invoice"),
        ('"line"', {}, "2026-04-02", "the day of the latest line"),
        ('"approval", "invoice"', {}, "2026-05-20", "the day of the approval"),
        ('"approval", "invoice"', {"approved_at": None}, "2026-03-05", "the day of the latest inv"),
        ('"invoice"', {"posting_date": MAY}, "2026-05-20", "the claim's own"),
    ],
)
def test_the_posting_date_is_the_first_that_the_claim_has(
    sources: str, fields: dict[str, Any], day: str, said: str
) -> None:
    """In the order of the chart; the claim's own goes before all."""
    subject = with_periods(f"[periods]\nposting_date = [{sources}]\n")
    found, period, rule = posted(subject, full_claim(**fields))
    assert (found, period) == (day, day[:7])
    assert rule.startswith(f"posting date {day}: {said}")
    assert rule.endswith(f"; period {day[:7]}")


def test_a_claim_without_any_of_the_dates_is_refused() -> None:
    """The message says which the chart asks for."""
    subject = with_periods('[periods]\nposting_date = ["approval"]\n')
    with pytest.raises(MappingError, match="takes the posting date from approval") as caught:
        subject.map(full_claim(approved_at=None))
    assert (caught.value.code, caught.value.claim_id) == ("CB-194", "EXP-1")


def test_a_chart_without_periods_has_none() -> None:
    """And prints none."""
    mapped = chart().map(full_claim())
    assert mapped.period is None
    assert "period" not in mapped.to_dict()
    dated = with_periods("[periods]\n").map(full_claim())
    assert dated.to_dict()["period"] == "2026-05"


LISTED = """
[periods]
when_closed = "next_open"
[[period]]
name = "P4"
first = 2026-04-01
last = 2026-04-30
open = false
[[period]]
name = "P5"
first = 2026-05-01
last = 2026-05-31
open = false
[[period]]
name = "P7"
first = 2026-07-01
last = 2026-07-31
"""


def test_a_chart_names_the_period_of_any_day() -> None:
    """What goes back to a source later has the period that was posted to, by its fiscal name."""
    fiscal = with_periods('[periods]\nstart = "04-01"\n')
    assert fiscal.period_of(dt.date(2026, 3, 31)) == "2025-12"
    assert fiscal.period_of(dt.date(2026, 4, 1)) == "2026-01"
    assert with_periods(LISTED).period_of(dt.date(1999, 1, 1)) is None
    assert chart().period_of(MAY) is None


def test_a_closed_period_moves_the_date_to_the_next_open_one() -> None:
    """Its first day, with what closed it and why in the explanation."""
    assert posted(with_periods(LISTED), full_claim()) == (
        "2026-07-01",
        "P7",
        "posting date 2026-07-01: the day of the approval in Asia/Shanghai is 2026-05-20, but "
        "period P5 (2026-05-01 to 2026-05-31) is closed for CN01: moved to the first day of P7, "
        "the next open one",
    )


@pytest.mark.parametrize(
    ("periods", "company", "fields"),
    [
        ("closed_until = 2026-05-31", "", {}),
        ("closed_until = 2026-05-02", "", {}),
        ('closed = ["2026-05"]', "", {}),
        ("", "closed_until = 2026-05-31", {}),
        ("", 'closed = ["2026-05"]', {}),
        ('open = ["2026-05"]', 'closed = ["2026-05"]', {}),
        ('when_closed = "next_open"\nclosed = ["2026-05"]', "", {"posting_date": MAY}),
    ],
)
def test_a_closed_period_is_refused_by_its_name(
    periods: str, company: str, fields: dict[str, Any]
) -> None:
    """With the next open one; a claim's own date is never moved."""
    subject = with_periods(f"[periods]\n{periods}\n", company=company)
    with pytest.raises(MappingError) as caught:
        subject.map(full_claim(**fields))
    assert caught.value.code == "CB-195"
    assert "period 2026-05 (2026-05-01 to 2026-05-31) is closed for CN01" in caught.value.message
    assert "post to 2026-06, the next open period, from 2026-06-01 on" in caught.value.message


@pytest.mark.parametrize(
    ("periods", "company"),
    [
        ("closed_until = 2026-04-30", ""),
        ('closed_until = 2026-05-31\nopen = ["2026-05"]', ""),
        ("closed_until = 2026-05-31", 'open = ["2026-05"]'),
        ('closed = ["2026-05"]', 'open = ["2026-05"]'),
    ],
)
def test_an_open_period_is_posted_to(periods: str, company: str) -> None:
    """What is opened by name is open, and a company's own word goes first."""
    subject = with_periods(f"[periods]\n{periods}\n", company=company)
    assert posted(subject, full_claim())[:2] == ("2026-05-20", "2026-05")


def test_the_books_of_every_company_on_the_claim_must_be_open() -> None:
    """A cost that another company bears is posted in its books too."""
    subject = chart(
        CHART.replace("[company.CN02]", '[company.CN02]\nclosed = ["2026-03"]'), more="[periods]\n"
    )
    subject.map(claim(line("taxi", "1")))
    shared = (Allocation(amount=line("taxi", "1").amount, company="CN02"),)
    for given_line in (line("taxi", "1", company="CN02"), line("taxi", "1", allocations=shared)):
        with pytest.raises(MappingError, match="is closed for CN02"):
            subject.map(claim(given_line))


@pytest.mark.parametrize(
    ("day", "said"),
    [(dt.date(2026, 6, 3), "in no period of the chart"), (dt.date(2026, 8, 1), "in no period")],
)
def test_a_day_in_no_period_is_refused(day: dt.date, said: str) -> None:
    """Periods may leave days out, and end."""
    with pytest.raises(MappingError, match=said) as caught:
        with_periods(LISTED).map(claim(line("taxi", "1", date=day)))
    assert caught.value.code == "CB-196"


def test_no_later_open_period_is_refused() -> None:
    """Nowhere to move to, whether they are listed or computed."""
    for text in (LISTED + "open = false\n", "[periods]\nclosed_until = 9999-12-31\n"):
        with pytest.raises(MappingError, match="and so is every later one") as caught:
            with_periods(text).map(claim(line("taxi", "1", date=MAY)))
        assert caught.value.code == "CB-196"


@pytest.mark.parametrize(
    ("keys", "day", "name", "first", "last"),
    [
        ('start = "04-01"', "2026-03-31", "2025-12", "2026-03-01", "2026-03-31"),
        ('start = "04-01"', "2026-04-01", "2026-01", "2026-04-01", "2026-04-30"),
        ('start = "04-06"\nyear_name = "end"', "2026-04-06", "2027-01", "2026-04-06", "2026-05-05"),
        ('calendar = "4-4-5"', "2026-01-01", "2026-01", "2025-12-29", "2026-01-25"),
        ('calendar = "4-4-5"', "2026-03-29", "2026-03", "2026-02-23", "2026-03-29"),
        ('calendar = "4-5-4"', "2026-02-28", "2026-02", "2026-01-26", "2026-03-01"),
        ('calendar = "5-4-4"', "2026-01-31", "2026-01", "2025-12-29", "2026-02-01"),
        # 2026 has 53 weeks from 29 December to 3 January: the last period is a week longer.
        ('calendar = "4-4-5"', "2027-01-03", "2026-12", "2026-11-23", "2027-01-03"),
        # The last Saturday of January ends the year: it begins on the Sunday on or before 1 Feb.
        (
            'calendar = "4-5-4"\nstart = "02-01"\nweek_start = "sunday"\nyear_begins = "before"',
            "2026-02-28", "2026-01", "2026-02-01", "2026-02-28",
        ),
        (
            'calendar = "4-5-4"\nstart = "02-01"\nweek_start = "sunday"\nyear_begins = "before"',
            "2025-01-26", "2025-01", "2025-01-26", "2025-02-22",
        ),
    ],
)  # fmt: skip
def test_fiscal_calendars(keys: str, day: str, name: str, first: str, last: str) -> None:
    """Written out, for fiscal years from any day, by months and by weeks."""
    subject = with_periods(f"[periods]\n{keys}\n")
    assert subject._rules.periods is not None
    found = subject._rules.periods.calendar.find(dt.date.fromisoformat(day))
    assert found is not None
    assert (found.name, str(found.first), str(found.last)) == (name, first, last)


@given(
    st.dates(dt.date(2, 1, 1), dt.date(9998, 1, 1)),
    st.builds(
        ComputedCalendar,
        month=st.integers(1, 12),
        day=st.integers(1, 28),
        weeks=st.sampled_from([None, (4, 4, 5), (4, 5, 4), (5, 4, 4)]),
        weekday=st.integers(0, 6),
        nearest=st.booleans(),
        by_end=st.booleans(),
    ),
)
def test_computed_periods_leave_no_day_out(day: dt.date, calendar: ComputedCalendar) -> None:
    """Every day is in the one period that is found for it, and the next begins the day after."""
    period = calendar.find(day)
    assert period is not None
    assert period.first <= day <= period.last
    assert calendar.find(period.first) == calendar.find(period.last) == period
    following = next(calendar.after(period))
    assert following.first == period.last + dt.timedelta(days=1)
    assert calendar.knows(period.name)
    if calendar.weeks is not None:
        assert period.first.weekday() == calendar.weekday
        assert (period.last - period.first).days + 1 in (28, 35, 42)


@pytest.mark.parametrize(
    ("text", "company", "said"),
    [
        ('start = "4-1"', "", 'start "4-1" is no month and day'),
        ('start = "02-30"', "", 'start "02-30" is no month and day'),
        ('start = "01-31"', "", 'start "01-31" is no month and day'),
        ("posting_date = []", "", "posting_date names nothing"),
        ('posting_date = ["line", "line"]', "", "or something twice"),
        ('closed = ["2026-13"]', "", 'there is no period "2026-13"'),
        ('closed = ["2026-01"]\nopen = ["2026-01"]', "", "both closed and open"),
        ("", 'open = ["May"]', '[company.CN01]: there is no period "May"'),
        (LISTED.replace("[periods]", 'calendar = "4-4-5"'), "", '"calendar" computes periods'),
        (
            LISTED.replace("[periods]", "").replace("2026-05-01", "2026-04-30"),
            "",
            "period P4 (2026-04-01 to 2026-04-30) and period P5",
        ),
        (LISTED.replace("[periods]", "").replace("P7", "P4"), "", 'there are two periods "P4"'),
        (
            LISTED.replace("[periods]", "").replace("2026-07-31", "2026-06-30"),
            "",
            "first 2026-07-01 is after last 2026-06-30",
        ),
    ],
)
def test_periods_that_cannot_be_right_are_refused(text: str, company: str, said: str) -> None:
    """When the chart is loaded, by their key or name."""
    with pytest.raises(ConfigurationError) as caught:
        with_periods(f"[periods]\n{text}\n", company=company)
    assert caught.value.code == "CB-264"
    assert said in caught.value.message


def test_a_company_closes_no_periods_in_a_chart_without_any() -> None:
    """It would have no effect."""
    with pytest.raises(ConfigurationError, match=r"the chart has no \[periods\]"):
        with_periods("", company="closed_until = 2026-01-01")
