"""A day belongs to a company's time zone: the moment of an approval is one day, however written."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.mapping.charts import CHART, chart, claim, line
from tests.strategies import moments

from claimbridge.errors import ConfigurationError, MappingError
from claimbridge.mapping import Chart
from claimbridge.model import Claim
from claimbridge.model.zones import day_in

NEW_YEAR = dt.datetime(2026, 12, 31, 16, 30, tzinfo=dt.UTC)
"""Half past midnight of 1 January in Shanghai."""
NAMED = 'time_zone = "Asia/Shanghai"\n'
UNNAMED = CHART.replace(NAMED, "")
BERLIN = ZoneInfo("Europe/Berlin")


def approved(moment: dt.datetime, **fields: object) -> Claim:
    """Return a claim that was approved at ``moment``."""
    return claim(line("taxi", "1"), approved_at=moment, **fields)


def posted_on(subject: Chart, given_claim: Claim) -> str:
    """Return the day that a chart posts a claim on."""
    return str(subject.map(given_claim).voucher.posting_date)


@pytest.mark.parametrize("hours", [-12, -8, 0, 8, 14])
def test_one_moment_is_one_day_in_whichever_zone_it_is_written(hours: int) -> None:
    """The claims are equal by their digest; so are their posting dates, across the year's end."""
    written = NEW_YEAR.astimezone(dt.timezone(dt.timedelta(hours=hours)))
    assert approved(written).digest == approved(NEW_YEAR).digest
    assert posted_on(chart(), approved(written)) == "2027-01-01"


@given(moments(), st.sampled_from(["Asia/Shanghai", "America/New_York", "Pacific/Kiritimati"]))
def test_the_day_does_not_depend_on_how_a_moment_is_written(moment: dt.datetime, name: str) -> None:
    """Whatever the moment and the zone."""
    zone = ZoneInfo(name)
    assert day_in(zone, moment) == day_in(zone, moment.astimezone(dt.UTC))


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2026-03-31T21:59:59Z", "2026-03-31"),  # summer time since 29 March
        ("2026-03-31T22:00:00Z", "2026-04-01"),
        ("2026-12-31T22:59:59Z", "2026-12-31"),
        ("2026-12-31T23:00:00Z", "2027-01-01"),
        ("2026-10-24T22:30:00Z", "2026-10-25"),  # the night in which an hour comes twice
        ("2026-10-25T22:59:00Z", "2026-10-25"),
        ("2026-10-25T23:00:00Z", "2026-10-26"),
    ],
)
def test_midnight_follows_summer_time(moment: str, day: str) -> None:
    """The edges of a day in Berlin, in both halves of the year."""
    subject = chart(UNNAMED).in_zone(BERLIN)
    assert posted_on(subject, approved(dt.datetime.fromisoformat(moment))) == day


@pytest.mark.parametrize("periods", ["", '[periods]\nposting_date = ["approval"]\n'])
def test_without_a_zone_a_moment_decides_nothing(periods: str) -> None:
    """The claim is refused, with what to set: no machine's zone is a company's."""
    subject = chart(UNNAMED, more=periods)
    with pytest.raises(MappingError, match=r"\[company\.CN01\] a time_zone") as caught:
        subject.map(approved(NEW_YEAR))
    assert (caught.value.code, caught.value.claim_id) == ("CB-198", "EXP-1")


@pytest.mark.parametrize(
    "subject",
    [
        claim(line("taxi", "1")),
        approved(NEW_YEAR, posting_date=dt.date(2026, 3, 2)),
    ],
)
def test_a_date_is_never_shifted(subject: Claim) -> None:
    """Where a date decides, no zone is asked for, and none moves it."""
    for zone in (None, BERLIN, ZoneInfo("Pacific/Kiritimati"), ZoneInfo("Pacific/Pago_Pago")):
        assert posted_on(chart(UNNAMED).in_zone(zone), subject) == "2026-03-02"


def test_where_the_invoice_decides_no_zone_is_asked_for() -> None:
    """The approval decides only where the chart says so."""
    subject = chart(UNNAMED, more='[periods]\nposting_date = ["line", "approval"]\n')
    assert posted_on(subject, approved(NEW_YEAR)) == "2026-03-02"


def test_the_companys_zone_goes_before_the_ledgers() -> None:
    """One ledger may keep the books of companies on two sides of a midnight."""
    subject = chart().in_zone(BERLIN)
    assert posted_on(subject, approved(NEW_YEAR)) == "2027-01-01"
    assert posted_on(subject, approved(NEW_YEAR, company="CN02")) == "2026-12-31"


def test_the_zone_decides_the_period_and_the_row() -> None:
    """What is looked up by the posting date is looked up by the company's day."""
    more = "[periods]\n[[expense]]\n" + 'type = "parking"\naccount = "2027"\nvalid_from = '
    subject = chart(UNNAMED, more=more + "2027-01-01\n")
    given_claim = claim(line("parking", "1"), approved_at=NEW_YEAR)
    with pytest.raises(MappingError):
        subject.in_zone(ZoneInfo("UTC")).map(given_claim)
    mapped = subject.in_zone(ZoneInfo("Asia/Shanghai")).map(given_claim)
    assert (mapped.period, mapped.voucher.postings[0].account) == ("2027-01", "2027")


@pytest.mark.parametrize(
    "name",
    [
        "Asia/Peking", "Asia", "", "UTC+8", "+08:00", "../localtime", "/etc/localtime",
        "localtime", "posix/Asia/Shanghai", "right/Asia/Shanghai", "posixrules", "Factory",
        "zone.tab", "x" * 999,
    ],
)  # fmt: skip
def test_a_name_that_is_no_zone_is_refused_when_the_chart_is_loaded(name: str) -> None:
    """``localtime`` is a file of the zone database, and another zone on every machine."""
    with pytest.raises(ConfigurationError, match=r"\[company.CN01\]: time_zone") as caught:
        chart(CHART.replace("Asia/Shanghai", name))
    assert caught.value.code == "CB-267"
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("year", [1, 9999])
@pytest.mark.parametrize("hours", [-14, 14])
def test_the_ends_of_the_calendar_are_no_exception(year: int, hours: int) -> None:
    """A moment next to the first or the last day that can be written maps, or is refused by us."""
    zone = dt.timezone(dt.timedelta(hours=hours))
    moment = dt.datetime(year, *((1, 1, 0) if year == 1 else (12, 31, 23)), tzinfo=zone)
    assert day_in(ZoneInfo("Asia/Shanghai"), moment).year == year
