"""Example claims beside a chart: as expected, differing, erring, and rewritten on request."""

from __future__ import annotations

import decimal
import json
from pathlib import Path
from typing import Any

import pytest
from tests.mapping.charts import CHART

from claimbridge.errors import ConfigurationError
from claimbridge.mapping.cases import CaseDifference, cases_folder, run_cases

EXAMPLES = Path(__file__).parents[3] / "examples"
CLAIM = {
    "id": "EXP-1", "revision": 1, "company": "CN01", "employee": "E7", "currency": "CNY",
    "total": "129.00",
    "lines": [
        {"type": "travel", "date": "2026-03-02", "amount": "106.00", "tax": "6.00"},
        {"type": "taxi", "date": "2026-03-02", "amount": "23.00"},
    ],
}  # fmt: skip
TRAVEL = {"account": "6602.02", "side": "debit", "amount": "100.00"}
TAX = {"account": "2221.01", "side": "debit", "amount": "6"}
TAXI = {"account": "6602.03", "side": "debit", "amount": "23.00"}
OWED = {"account": "2241.01", "side": "credit", "amount": "129.00"}


def beside(tmp_path: Path, *, claim: object = CLAIM, **case: Any) -> Path:
    """Write a chart with one case; return the chart's path."""
    path = tmp_path / "cn.toml"
    path.write_text(CHART, "utf-8")
    (tmp_path / "cn.cases").mkdir(exist_ok=True)
    content = json.dumps({"claim": claim, **case}, ensure_ascii=False)
    (tmp_path / "cn.cases" / "one.json").write_text(content, "utf-8")
    return path


def differences(path: Path) -> tuple[CaseDifference, ...]:
    """Return how the one case differs."""
    (result,) = run_cases(path)
    return result.differences


@pytest.mark.parametrize(
    "case",
    [
        {"postings": [TRAVEL, TAX, TAXI, OWED]},
        {"postings": [TRAVEL, TAX, TAXI, {**OWED, "role": "employee_payable", "partner": ""}]},
        {"postings": [TRAVEL, TAX, TAXI, OWED], "posting_date": "2026-03-02"},
    ],
)
def test_a_case_as_expected(tmp_path: Path, case: dict[str, Any]) -> None:
    """As much as it states is compared; amounts as numbers."""
    assert differences(beside(tmp_path, **case)) == ()


@pytest.mark.parametrize("amount", ["129.004", "1E+9999999", "sNaN"])
def test_amounts_are_compared_exactly(tmp_path: Path, amount: str) -> None:
    """Whatever the calling thread's ``decimal`` context, and whatever stands there."""
    path = beside(tmp_path, postings=[TRAVEL, TAX, TAXI, {**OWED, "amount": amount}])
    with decimal.localcontext(prec=3):
        (difference,) = differences(path)
    assert difference == CaseDifference(4, "amount", amount, "129.00")


def test_an_error_as_expected(tmp_path: Path) -> None:
    """Of the chart, or of the claim itself."""
    unknown = {**CLAIM, "lines": [{**CLAIM["lines"][0], "type": "bus"}], "total": "106.00"}  # type: ignore[dict-item,index]  # JSON
    assert differences(beside(tmp_path, claim=unknown, error="CB-111")) == ()
    assert differences(beside(tmp_path, claim={**CLAIM, "total": "1.00"}, error="CB-108")) == ()


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        (
            {"postings": [TRAVEL, TAX, {**TAXI, "account": "6602.3"}, OWED]},
            [CaseDifference(3, "account", "6602.3", "6602.03")],
        ),
        (
            {"postings": [{**TRAVEL, "amount": "99.00"}, TAX, TAXI, {**OWED, "amount": "128.00"}]},
            [
                CaseDifference(1, "amount", "99.00", "100.00"),
                CaseDifference(4, "amount", "128.00", "129.00"),
            ],
        ),
        (
            {"postings": [TRAVEL, TAXI, OWED]},
            [CaseDifference(2, "posting", "", "debit 2221.01 6.00 CNY")],
        ),
        (
            {"postings": [TRAVEL, TAX, TAXI, TAXI, OWED]},
            [CaseDifference(4, "posting", "debit 6602.03 23.00", "")],
        ),
        (
            {"postings": [TRAVEL, TAX, {**TAXI, "cost_centre": "1"}, OWED], "posting_date": "2026"},
            [
                CaseDifference(0, "posting date", "2026", "2026-03-02"),
                CaseDifference(3, "cost_centre", "1", ""),
            ],
        ),
        (
            {"postings": [TRAVEL, TAX, TAXI, OWED], "period": "2026-03"},
            [CaseDifference(0, "period", "2026-03", "")],
        ),
        ({"error": "CB-111"}, [CaseDifference(0, "error", "CB-111", "postings")]),
    ],
)
def test_a_case_that_differs(
    tmp_path: Path, case: dict[str, Any], expected: list[CaseDifference]
) -> None:
    """What is expected and what is found, posting by posting; one too many moves no other."""
    assert list(differences(beside(tmp_path, **case))) == expected


def test_an_error_that_is_not_expected(tmp_path: Path) -> None:
    """Its code and sentence are what is found."""
    (difference,) = differences(beside(tmp_path, claim={**CLAIM, "company": "X"}, postings=[TAXI]))
    assert difference[:3] == (0, "error", "postings")
    assert difference.found.startswith('CB-116 company "X" has no')


def test_expectations_are_written_on_request_alone(tmp_path: Path) -> None:
    """The claim stays as it is; the second run finds nothing to write."""
    path = beside(tmp_path, postings=[TAXI])
    file = tmp_path / "cn.cases" / "one.json"
    before = file.read_bytes()
    assert [one.written for one in run_cases(path)] == [False]
    assert file.read_bytes() == before
    assert [one.written for one in run_cases(path, write=True)] == [True]
    after = json.loads(file.read_text("utf-8"))
    assert after["claim"] == CLAIM
    assert after["posting_date"] == "2026-03-02"
    assert [one["amount"] for one in after["postings"]] == ["100.00", "6.00", "23.00", "129.00"]
    assert [(one.written, one.differences) for one in run_cases(path, write=True)] == [(False, ())]


def test_an_error_is_written_as_its_code(tmp_path: Path) -> None:
    """So that a case can hold the chart to refusing something."""
    path = beside(tmp_path, claim={**CLAIM, "company": "X"})
    list(run_cases(path, write=True))
    after = json.loads((tmp_path / "cn.cases" / "one.json").read_text("utf-8"))
    assert after == {"claim": {**CLAIM, "company": "X"}, "error": "CB-116"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "not an example claim"),
        ("[]", "not an example claim"),
        ('{"claim": {}, "posting": []}', "unknown field `posting`"),
        ('{"claim": {}, "error": "CB-111", "postings": []}', "expects postings and an error"),
        ('{"claim": {}, "postings": [{"side": "debit", "amount": "1"}]}', "has no account"),
        (
            '{"claim": {}, "postings": [{"account": "1", "side": "", "amount": "1", "x": ""}]}',
            "posting 1 has an unknown x",
        ),
    ],
)
def test_a_case_that_cannot_be_read_is_named(tmp_path: Path, content: str, said: str) -> None:
    """It is the set-up that is wrong, not the chart."""
    path = beside(tmp_path)
    (tmp_path / "cn.cases" / "one.json").write_text(content, "utf-8")
    with pytest.raises(ConfigurationError, match=r"one\.json") as caught:
        list(run_cases(path))
    assert caught.value.code == "CB-266"
    assert said in caught.value.message


def test_a_chart_without_cases_says_where_to_put_them(tmp_path: Path) -> None:
    """And how their expectations come about."""
    path = tmp_path / "cn.toml"
    path.write_text(CHART, "utf-8")
    with pytest.raises(ConfigurationError, match=r"no example claims; put them into cn\.cases/"):
        list(run_cases(path))


def test_where_cases_stand() -> None:
    """Beside a file by its name without the ending, beside a folder by its name."""
    for path in ("a/cn.toml", "a/cn.xlsx", "a/cn"):
        assert cases_folder(Path(path)) == Path("a/cn.cases")


def test_the_example_charts_cases_are_as_expected() -> None:
    """They are what people copy."""
    results = list(run_cases(EXAMPLES / "chart.toml"))
    assert len(results) == 4
    assert all(not result.differences for result in results)
