"""``claimbridge chart``: what is found, how it is shown, and the exit codes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from tests.cli.conftest import EXAMPLES, Run


@pytest.fixture
def chart(tmp_path: Path) -> Path:
    """Return the example chart with its cases, in a folder to write to."""
    shutil.copytree(EXAMPLES / "chart.cases", tmp_path / "chart.cases")
    return Path(shutil.copy(EXAMPLES / "chart.toml", tmp_path))


def test_check_has_nothing_to_fix_in_the_example(run: Run, chart: Path) -> None:
    """Notes alone end well."""
    ended = run("chart", "check", chart, "--date", "2026-03-31")
    assert (ended.code, ended.err) == (0, "")
    assert "✓ CN group: 0 to fix, 0 to look at" in ended.out


def test_check_ends_with_1_where_something_must_be_mended(run: Run, chart: Path) -> None:
    """One object per finding, what must be mended first."""
    accounts = chart.with_name("accounts.csv")
    accounts.write_text("account,name\n6602.02,差旅费\n", "utf-8")
    ended = run("chart", "check", chart, "--accounts", accounts, "--json")
    assert ended.code == 1
    assert list(ended.records[0]) == ["kind", "weight", "where", "text"]
    assert (ended.records[0]["kind"], ended.records[0]["weight"]) == ("account", "fix")
    shown = run("chart", "check", chart, "--accounts", accounts)
    assert "✗ account" in shown.out
    assert "to fix" in shown.out.splitlines()[-1]


def test_check_compares_departments_with_a_list(run: Run, chart: Path) -> None:
    """One that no claim names must be mended, and the nearest is told."""
    text = chart.read_text("utf-8")
    row = '[[expense]]\ntype = "books"\naccount = "6602.09"\ndepartment = ["R&D"]\n'
    chart.write_text(f"{text}\n{row}{row.replace('R&D', 'QA')}", "utf-8")
    departments = chart.with_name("departments.txt")
    departments.write_text("RD\nQA\n", "utf-8")
    shown = run("chart", "check", chart, "--departments", departments, "--json")
    assert shown.code == 1
    told = {one["text"] for one in shown.records if one["kind"] == "department"}
    assert "department R&D is not in the list of departments; did you mean RD?" in told
    assert not any("department QA" in one for one in told)


def test_test_compares_the_cases(run: Run, chart: Path) -> None:
    """As expected: 0; one that differs: 1, with a table of what."""
    assert run("chart", "test", chart).code == 0
    file = chart.with_name("chart.cases") / "refund.json"
    case = json.loads(file.read_text("utf-8"))
    case["postings"][0]["account"] = "6602.20"
    file.write_text(json.dumps(case), "utf-8")
    shown = run("chart", "test", chart)
    assert shown.code == 1
    assert "✗ refund  CASE-3" in shown.out
    row = next(line for line in shown.out.splitlines() if "account" in line and "6602" in line)
    assert row.split() == ["1", "account", "6602.20", "6602.02"]
    records = {one["case"]: one for one in run("chart", "test", chart, "--json").records}
    assert records["refund"]["differences"] == [
        {"posting": 1, "what": "account", "expected": "6602.20", "found": "6602.02"}
    ]
    assert records["unknown-type"]["as_expected"] is True
    written = run("chart", "test", chart, "--write")
    assert written.code == 0
    assert "! refund  CASE-3  rewritten" in written.out
    assert run("chart", "test", chart).code == 0


def test_a_chart_that_cannot_be_loaded_ends_with_2(run: Run, tmp_path: Path) -> None:
    """As everywhere."""
    path = tmp_path / "cn.xlsx"
    path.write_bytes(b"no workbook")
    for command in ("check", "test"):
        ended = run("chart", command, path)
        assert ended.code == 2
        assert "CB-260" in ended.err
