"""The example claims by the example chart: every posting written out."""

from __future__ import annotations

from pathlib import Path

import pytest

from claimbridge.mapping import Chart, Mapped
from claimbridge.model import Claim

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
CHART = Chart.load(EXAMPLES / "chart.toml")

POSTINGS = {
    "advance-returned": """
        expense            6602.02    debit  CNY 1050.00 1200
        input_tax          2221.01.01 debit  CNY   90.00 -
        expense            6602.02    debit  CNY  300.00 1200
        expense            2211.08    debit  CNY  240.00 1200
        advance_clearing   1221.01    credit CNY 2000.00 -
        employee_payable   2241.01    debit  CNY  320.00 -
    """,
    "allocated-conference": """
        expense            6602.08    debit  CNY 4716.98 1200
        input_tax          2221.01.01 debit  CNY  283.03 -
        expense            6602.08    debit  CNY 2830.19 1300
        input_tax          2221.01.01 debit  CNY  169.81 -
        expense            6602.08    debit  CNY 1886.80 3100
        input_tax          2221.01.01 debit  CNY  113.20 -
        employee_payable   2241.01    credit CNY 10000.01 -
    """,
    "hotel-itemised-en": """
        expense            6602.02    debit  CNY  800.00 1200
        input_tax          2221.01.01 debit  CNY   48.00 -
        expense            6602.04    debit  CNY  106.00 1200
        card_clearing      1221.09    debit  CNY  106.00 -
        expense            6602.03    debit  CNY   36.00 1200
        card_payable       2241.02    credit CNY 1060.00 -
        card_clearing      1221.09    credit CNY  106.00 -
        employee_payable   2241.01    debit  CNY   70.00 -
    """,
    "travel-cn": """
        expense            6602.02    debit  CNY 1000.00 1200
        input_tax          2221.01.01 debit  CNY   60.00 -
        expense            6602.02    debit  CNY  507.34 1200
        input_tax          2221.01.01 debit  CNY   45.66 -
        expense            6602.02    debit  CNY  507.34 1200
        input_tax          2221.01.01 debit  CNY   45.66 -
        expense            6602.03    debit  CNY   23.00 1200
        employee_payable   2241.01    credit CNY 2189.00 -
    """,
    "entertainment-cn": """
        expense            6602.05    debit  CNY 1272.00 1200
        employee_payable   2241.01    credit CNY 1272.00 -
    """,
    "mileage-en": """
        expense            6602.03    debit  SGD   61.80 2100
        expense            6602.03    debit  SGD   47.40 2100
        employee_payable   2241.01    credit SGD  109.20 -
    """,
    "foreign-currency": """
        expense            6602.02    debit  CNY 4678.51 1000
        non_deductible_tax 6602.02    debit  CNY  327.49 1000
        expense            6602.08    debit  CNY 2268.24 1000
        expense            6602.03    debit  CNY  154.70 1000
        expense            6602.04    debit  CNY   16.82 1000
        rounding           6603.09    credit CNY    0.01 -
        employee_payable   2241.01    credit CNY 7445.75 -
    """,
    "company-card": """
        expense            6602.12    debit  SGD  918.00 2200
        expense            6602.02    debit  SGD  352.00 2200
        expense            6602.03    debit  SGD   58.40 2200
        card_payable       2241.02    credit SGD  918.00 -
        card_payable       2241.02    credit SGD  352.00 -
        employee_payable   2241.01    credit SGD   58.40 -
    """,
    "refund": """
        expense            6602.02    credit CNY  500.00 1200
        input_tax          2221.01.01 credit CNY   30.00 -
        employee_payable   2241.01    debit  CNY  530.00 -
    """,
    "partly-deductible": """
        expense            6602.01    debit  CNY   48.68 1000
        input_tax          2221.01.01 debit  CNY    3.16 -
        non_deductible_tax 6602.01    debit  CNY    3.16 1000
        employee_payable   2241.01    credit CNY   55.00 -
    """,
    "several-lines-en": """
        expense            5301.02    debit  CNY  800.00 3100
        input_tax          2221.01.01 debit  CNY   48.00 -
        expense            6602.07    debit  CNY 1500.00 3110
        input_tax          2221.01.01 debit  CNY   90.00 -
        expense            6602.06    debit  CNY  100.00 3100
        input_tax          2221.01.01 debit  CNY    3.00 -
        non_deductible_tax 6602.06    debit  CNY    3.00 3100
        expense            6602.02    debit  CNY  600.00 3100
        input_tax          2221.01.01 debit  CNY   54.00 -
        expense            6602.04    debit  CNY  214.40 3100
        employee_payable   2241.01    credit CNY 3412.40 -
    """,
}


def mapped(name: str) -> Mapped:
    """Return the example claim as mapped by the example chart."""
    return CHART.map(Claim.from_json((EXAMPLES / "claims" / f"{name}.json").read_bytes()))


def test_every_example_is_written_out() -> None:
    """No example claim goes without its expected postings."""
    assert {path.stem for path in (EXAMPLES / "claims").glob("*.json")} == set(POSTINGS)


@pytest.mark.parametrize("name", POSTINGS)
def test_an_example_gives_the_postings_an_accountant_would_write(name: str) -> None:
    """Role, account, side, currency, amount and cost centre, in order."""
    expected = [row.split() for row in POSTINGS[name].strip().splitlines()]
    found = [
        [
            posting["role"],
            posting["account"],
            posting["side"],
            posting["currency"],
            posting["amount"],
            posting["cost_centre"] or "-",
        ]
        for posting in mapped(name).to_dict()["postings"]
    ]
    assert found == expected


@pytest.mark.parametrize("name", POSTINGS)
def test_every_posting_says_why(name: str) -> None:
    """Each posting is explained once, by a chart row, and nothing else claims an index."""
    result = mapped(name)
    reasons = [reason for reason in result.explain if reason.posting is not None]
    assert [reason.posting for reason in reasons] == list(range(len(result.voucher.postings)))
    assert all(reason.row and reason.rule for reason in reasons)
    for reason, posting in zip(reasons, result.voucher.postings, strict=True):
        assert reason.source == posting.source


@pytest.mark.parametrize(
    ("name", "document", "posting", "reason"),
    [
        ("travel-cn", "2026-03-11", "2026-03-16", "the day of the approval in Asia/Shanghai"),
        ("several-lines-en", "2026-04-20", "2026-04-30", "the claim's own"),
    ],
)
def test_the_dates_are_explained(name: str, document: str, posting: str, reason: str) -> None:
    """The posting date is the claim's, else the approval's; the sentence says which."""
    result = mapped(name)
    assert str(result.voucher.document_date) == document
    assert str(result.voucher.posting_date) == posting
    assert result.explain[0].rule == f"posting date {posting}: {reason}"
    assert result.explain[0].posting is None


def test_narrations_are_the_charts_templates_filled() -> None:
    """A line's narration names expense, person and text; a payable's the claim."""
    narrations = [posting.narration for posting in mapped("travel-cn").voucher.postings]
    assert narrations[0] == "住宿费 张晓雨 上海住宿两晚"
    assert narrations[-1] == "EXP-2026-0042 张晓雨 上海客户拜访差旅"
    assert mapped("travel-cn").voucher.text == narrations[-1]


def test_the_zero_line_is_skipped_and_explained() -> None:
    """A line kept for the record makes no posting, and the explanation says so."""
    result = mapped("several-lines-en")
    skipped = [reason for reason in result.explain if reason.source == "lines[5].amount"]
    assert [(reason.posting, reason.rule) for reason in skipped] == [
        (None, "the amount is zero: nothing to post")
    ]
