"""Where the chart has no answer, the error names the line, the decision and what comes nearest."""

from __future__ import annotations

import datetime as dt

import pytest
from tests.mapping.charts import CHART, chart, claim, line

from claimbridge.errors import MappingError
from claimbridge.mapping import Chart
from claimbridge.model import Claim


def refusal(given: Claim, subject: Chart | None = None) -> MappingError:
    """Return what mapping this claim raises."""
    with pytest.raises(MappingError) as caught:
        (subject or chart()).map(given)
    assert caught.value.claim_id == "EXP-1"
    return caught.value


def test_an_unknown_type_names_the_nearest() -> None:
    """The whole sentence, as a person reads it."""
    error = refusal(claim(line("taxi", "1"), line("taxii", "1")))
    assert str(error) == (
        'CB-111 claim EXP-1: line 2 (type "taxii") has no expense row in chart "CN group"; '
        "nearest: taxi, travel"
    )


def test_a_type_is_also_found_by_its_rows_name() -> None:
    """A source that sends names instead of codes learns the code."""
    rows = '[[expense]]\ntype = "hotel"\nname = "住宿费"\naccount = "1"\n'
    assert refusal(claim(line("住宿", "1")), chart(more=rows)).message.endswith("nearest: hotel")


def test_a_type_like_nothing_shows_what_there_is() -> None:
    """There is always something to compare with."""
    assert refusal(claim(line("??", "1"))).message.endswith("nearest: travel, taxi")


def test_a_type_whose_conditions_do_not_fit() -> None:
    """What the line has, and the rows of its type with their conditions."""
    rows = """
[[expense]]
type = "hotel"
account = "1"
company = ["CN02"]
[[expense]]
type = "hotel"
account = "2"
department = ["RD", "QA"]
country = ["CN"]
"""
    error = refusal(claim(line("hotel", "1", department="SALES")), chart(more=rows))
    assert str(error) == (
        'CB-112 claim EXP-1: line 1 (type "hotel"): no expense row of its type in chart '
        '"CN group" fits company CN01, department SALES, country none; nearest: expense row 3 '
        "(hotel): company CN02; expense row 4 (hotel): department QA/RD, country CN"
    )


@pytest.mark.parametrize(
    ("rate", "said"),
    [
        ("0.09", "has input tax at rate 0.09"),
        (None, "has input tax of a rate that neither line nor row states"),
    ],
)
def test_input_tax_at_a_rate_without_account(rate: str | None, said: str) -> None:
    """The rate and the rates there are, nearest first."""
    by_rate = CHART.replace(
        'input_tax = "2221.01"', 'input_tax = { "0.13" = "C", "0.03" = "A", "0.06" = "B" }'
    )
    error = refusal(claim(line("travel", "109", tax="9", tax_rate=rate)), chart(by_rate))
    assert error.code == "CB-113"
    assert f'line 1 (type "travel") {said}' in error.message
    nearest = "0.06, 0.13, 0.03" if rate else "0.03, 0.06, 0.13"
    assert error.message.endswith(f"nearest: {nearest}")


def test_a_rate_without_account_does_not_matter_where_nothing_is_deducted() -> None:
    """No account is asked for that no posting needs."""
    by_rate = CHART.replace('input_tax = "2221.01"', 'input_tax = { "0.13" = "C" }')
    chart(by_rate).map(claim(line("travel", "109", tax="9", tax_rate="0.09", deductible="0")))


def test_a_required_cost_centre() -> None:
    """A row that requires one takes the line's or the claim's, and no default."""
    text = CHART.replace("[accounts]", 'default_cost_centre = "1000"\n[accounts]')
    row = '[[expense]]\ntype = "course"\naccount = "1"\ncost_centre = "required"\n'
    subject = chart(text, more=row)
    error = refusal(claim(line("course", "1")), subject)
    assert error.code == "CB-114"
    assert 'line 1 (type "course") has no cost centre' in error.message
    assert "expense row 3 (course) requires one" in error.message
    for given in (
        claim(line("course", "1", cost_centre="7")),
        claim(line("course", "1"), cost_centre="7"),
    ):
        assert subject.map(given).voucher.postings[0].cost_centre == "7"


def test_a_dimension_that_the_row_asks_for() -> None:
    """The dimension, the row, and the dimensions there are."""
    row = '[[expense]]\ntype = "course"\naccount = "1"\ndimensions = ["trip"]\n'
    error = refusal(claim(line("course", "1", dimensions={"trp": "1"})), chart(more=row))
    assert error.code == "CB-115"
    assert 'line 1 (type "course") has no dimension "trip"' in error.message
    assert error.message.endswith("they have: trp")


def test_a_company_outside_the_chart() -> None:
    """The company and those there are."""
    error = refusal(claim(line("taxi", "1"), company="CN03"))
    assert str(error) == (
        'CB-116 claim EXP-1: company "CN03" has no [company] table in chart "CN group"; '
        "nearest: CN02, CN01"
    )


@pytest.mark.parametrize("day", ["2025-12-31", "2027-01-01"])
def test_a_posting_date_outside_the_chart(day: str) -> None:
    """The date, where it came from, and the chart's dates."""
    dated = CHART.replace(
        "[accounts]", "valid_from = 2026-01-01\nvalid_to = 2026-12-31\n[accounts]"
    )
    error = refusal(claim(line("taxi", "1", date=dt.date.fromisoformat(day))), chart(dated))
    assert error.code == "CB-117"
    assert f"posting date {day} (the day of the latest line) is outside" in error.message
    assert error.message.endswith("from 2026-01-01 to 2026-12-31")


@pytest.mark.parametrize("day", ["2026-01-01", "2026-12-31"])
def test_a_chart_answers_on_its_first_and_last_day(day: str) -> None:
    """Both dates are inclusive."""
    dated = CHART.replace(
        "[accounts]", "valid_from = 2026-01-01\nvalid_to = 2026-12-31\n[accounts]"
    )
    chart(dated).map(claim(line("taxi", "1", date=dt.date.fromisoformat(day))))


def test_a_claim_of_zeros_has_nothing_to_post() -> None:
    """There is no voucher without postings."""
    error = refusal(claim(line("taxi", "0"), line("travel", "0.00")))
    assert error.code == "CB-118"


def test_a_zero_line_of_unknown_type_is_still_refused() -> None:
    """A line is understood before it is skipped."""
    assert refusal(claim(line("taxi", "1"), line("nothing", "0"))).code == "CB-111"
