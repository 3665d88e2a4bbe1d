"""The condition ``when``: what it may name, exact numbers, and what becomes of its errors."""

from __future__ import annotations

import decimal
import pickle
import sys
import time
from decimal import Decimal

import pytest
from tests.mapping.charts import chart, claim, legs, line

from claimbridge.errors import ConfigurationError, MappingError, MissingExtra
from claimbridge.mapping import Chart
from claimbridge.mapping.chart.when import WHEN_FIELDS, When
from claimbridge.model import Claim, SupportingDocument

FULL = claim(
    line(
        "x",
        "-100.10",
        currency="EUR",
        rate="7.5",
        tax="-5.10",
        tax_rate="0.05",
        quantity=Decimal("2.5"),
        unit="km",
        text="客户 dinner",
        department="RD",
        project="P-7",
        payment="company_card",
        dimensions={"trip": "T1"},
        documents=(SupportingDocument(kind="receipt"),),
    ),
    title="Spring",
    grade="7",
    country="DE",
    cost_centre="1200",
    dimensions={"region": "north"},
)


def with_when(expression: str) -> Chart:
    """Return a chart whose row A has this condition, and row B none."""
    return chart(
        more=f"[[expense]]\ntype = 'x'\naccount = 'A'\nwhen = '''{expression}'''\n"
        "[[expense]]\ntype = 'x'\naccount = 'B'\n"
    )


def holds(expression: str, given: Claim = FULL) -> bool:
    """Return whether the condition holds for the claim's line."""
    return legs(with_when(expression).map(given))[0][1] == "A"


TRUE = {
    "type": 'type == "x"',
    "company": 'company == "CN01"',
    "department": 'department == "RD"',
    "project": 'project =~ "P-.*"',
    "employee": 'employee in ["E6", "E7"]',
    "grade": 'grade == "7"',
    "country": 'country != "CN"',
    "payment": 'payment == "company_card"',
    "cost_centre": 'cost_centre == "1200"',
    "text": '"客户" in text',
    "title": 'title == "Spring"',
    "unit": 'unit == "km"',
    "currency": 'currency == "EUR"',
    "claim_currency": 'claim_currency == "CNY"',
    "amount": "amount == 750.75",
    "refund": "refund",
    "tax": "(tax ?? 0) == -5.1",
    "tax_rate": "(tax_rate ?? 0) == 0.05",
    "quantity": "(quantity ?? 0) > 2.4",
    "date": 'date == d"2026-03-02" and date.year == 2026',
    "posting_date": 'posting_date >= d"2026-03-02"',
    "documents": '"receipt" in documents and documents.length == 1',
    "dimensions": 'dimensions["trip"] == "T1" and dimensions["region"] == "north"',
}


def test_every_field_is_tried() -> None:
    """The table below has them all."""
    assert set(TRUE) == set(WHEN_FIELDS)


@pytest.mark.parametrize("name", TRUE)
def test_a_field_has_the_lines_value(name: str) -> None:
    """The condition holds, and its opposite does not."""
    assert holds(TRUE[name])
    assert not holds(f"not ({TRUE[name]})")


def test_numbers_are_exact_whatever_the_thread_computes_with() -> None:
    """A float would say 0.30000000000000004, a coarse context 0.3."""
    given = claim(line("x", "0.10"))
    with decimal.localcontext(decimal.Context(prec=1)):
        assert holds("amount + 0.2 == 0.3", given)
        assert not holds("amount + 0.2000000000000000001 == 0.3", given)


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("1 / (amount - 1) > 0", "division by zero"),
        ('dimensions["trip"] == "1"', "lookup operation failed"),
        ("text.to_flt > 1", "InvalidOperation"),
    ],
)
def test_what_cannot_be_judged_is_refused_with_the_claim(expression: str, said: str) -> None:
    """It is neither true nor false, so neither row may answer."""
    with pytest.raises(MappingError, match=said) as caught:
        holds(expression, claim(line("x", "1")))
    assert (caught.value.code, caught.value.claim_id) == ("CB-197", "EXP-1")
    assert expression in caught.value.message


def test_an_earlier_row_that_fits_leaves_the_condition_unasked() -> None:
    """First match wins: what stands below is not judged."""
    rows = (
        "[[expense]]\ntype = 'x'\naccount = 'A'\ngrade = ['7']\n"
        "[[expense]]\ntype = 'x'\naccount = 'B'\nwhen = '1 / (amount - 750.75) > 0'\n"
    )
    assert legs(chart(more=rows).map(FULL))[0][1] == "A"


def test_the_explanation_shows_the_condition() -> None:
    """As it is written in the chart."""
    rule = with_when("amount > 5").map(FULL).explain[1].rule
    assert "the first row that fits, by 1 condition: when amount > 5" in rule


def test_a_long_expression_is_refused() -> None:
    """It is no condition but a program."""
    with pytest.raises(ValueError, match="the limit is 1000"):
        When.parse("amount > 1" + " " * 1000 + "and refund")


@pytest.mark.parametrize(
    "expression",
    ["1 << 100000000000 > 1", "10 ** 1000000000 > 1", "(" * 400 + "1" + ")" * 400 + " > amount"],
)
def test_an_expression_takes_no_resources_that_nobody_has(expression: str) -> None:
    """Refused, or done at once."""
    try:
        When.parse(expression)
    except ValueError:
        assert "(" not in expression


def test_a_chart_with_conditions_pickles() -> None:
    """It goes to other processes like any other."""
    copy = pickle.loads(pickle.dumps(with_when("amount > 700")._rules))
    assert Chart(copy).map(FULL) == with_when("amount > 700").map(FULL)


def test_without_rule_engine_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says what to install; other charts need nothing."""
    When.parse.cache_clear()
    monkeypatch.setitem(sys.modules, "rule_engine", None)
    with pytest.raises(MissingExtra, match=r"pip install 'claimbridge\[rules\]'"):
        with_when("amount > 1")
    chart()


@pytest.mark.parametrize(
    "expression",
    [
        'text =~ "(a+)+$"',
        'text =~ "(a|aa)+$"',
        'text =~ ".*.*.*x"',
        'text =~~ ".*.*x"',
        'text =~ "(?>(a+)+b)"',
        'text =~ "(?=(a+)+b)"',
        'text =~ "(a)(?(1)(b+)+|c)"',
        f'text =~ "{"a?" * 30}"',
        r'text =~~ "(.*)\\1"',
        r'text =~ "(.+)x\\1y\\1"',
        r'text =~ "(?P<a>.*)-(?P=a).*"',
        'amount > 1 and not (refund or [d for d in documents if d !~~ "(a*)*"].length > 0)',
        '(amount > 1 ? text =~ "(.*,){11}P" : false)',
    ],
)
def test_a_regular_expression_that_a_text_could_keep_busy_is_refused(expression: str) -> None:
    """One claim's text must not hold up all the others."""
    with pytest.raises(ConfigurationError, match=r"CB-263.*could take minutes") as caught:
        with_when(expression)
    assert "expense row 3" in caught.value.message


def test_a_regular_expression_is_the_charts_own() -> None:
    """A claim does not bring the pattern that it is judged by."""
    with pytest.raises(ConfigurationError, match=r"CB-263.*must be written out"):
        with_when("text =~ title")


@pytest.mark.parametrize(
    "expression",
    [
        'text =~ ".*客户.*"',
        'text =~~ "客户|供应商"',
        'text =~~ "(出租|打车|的士).*号"',
        r'text =~ "[A-Z]{2}-\\d+.*"',
        r'text =~~ "(出租|打车).\\1"',
        'text =~~ "(?i)dinner(?! alone)"',
    ],
)
def test_usual_regular_expressions_are_taken_and_quick(expression: str) -> None:
    """The longest text that a claim may have is judged within a second."""
    longest = claim(line("x", "1", text="客户 出租 " * 571))
    before = time.perf_counter()
    holds(expression, longest)
    assert time.perf_counter() - before < 1
