"""Commands about charts of accounts: check and test."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated, Final

import msgspec
from cyclopts import Parameter

from claimbridge.cli.exit_codes import BUSINESS_NO, DONE
from claimbridge.cli.inputs import at_hand, is_stdin
from claimbridge.cli.options import Json
from claimbridge.cli.output import NO, WARN, YES, emit, row, say, show, table
from claimbridge.clock import SYSTEM
from claimbridge.errors import ConfigurationError
from claimbridge.mapping import Chart
from claimbridge.mapping.cases import CaseResult, run_cases
from claimbridge.mapping.chart.files.code_lists import read_accounts, read_departments
from claimbridge.mapping.chart.finding import ChartFinding

_MARKS: Final = {"fix": NO, "look": WARN, "note": ("·", "dim")}


def check_chart(
    chart: Path,
    /,
    *,
    accounts: Path | None = None,
    departments: Path | None = None,
    date: dt.date | None = None,
    json: Json = False,
) -> int:
    """Find gaps, overlaps, unreachable rows, unknown codes and expired rows of a chart.

    Parameters
    ----------
    chart
        The chart: TOML, a folder of CSV files, or an Excel workbook; - is stdin.
    accounts
        A list of the accounts that the ERP has: a text or CSV file, or .xlsx; else the one that
        the chart names; - is stdin.
    departments
        A list of the departments that claims may name, likewise.
    date
        Judge on this day; today when left out.

    """
    with at_hand(chart, suffix=".toml") as file:
        loaded = Chart.load(file)
    account_list = None
    if accounts is not None:
        with at_hand(accounts, suffix=".csv") as file:
            account_list = read_accounts(file)
    department_list = None
    if departments is not None:
        with at_hand(departments, suffix=".csv") as file:
            department_list = read_departments(file)
    day = date or SYSTEM.now().date()
    findings = loaded.check(day=day, accounts=account_list, departments=department_list)
    wrong = any(finding.weight == "fix" for finding in findings)
    if json:
        for finding in findings:
            emit(msgspec.structs.asdict(finding))
    else:
        _print_findings(loaded, findings)
    return BUSINESS_NO if wrong else DONE


def _print_findings(chart: Chart, findings: tuple[ChartFinding, ...]) -> None:
    for finding in findings:
        say(_MARKS[finding.weight], f" {finding.kind:<11} {finding.where}: {finding.text}")
    if findings:
        say()
    counts = {
        weight: sum(finding.weight == weight for finding in findings)
        for weight in ("fix", "look", "note")
    }
    words = f"{counts['fix']} to fix, {counts['look']} to look at, {counts['note']} to know"
    say(NO if counts["fix"] else YES, f" {chart.name}: {words}")


def compare_examples(
    chart: Path,
    /,
    *,
    write: Annotated[bool, Parameter(negative=())] = False,
    json: Json = False,
) -> int:
    """Map the example claims beside a chart, and compare with the postings expected of them.

    Parameters
    ----------
    chart
        The chart; its examples stand in the folder NAME.cases beside it.
    write
        Replace the expectations of those that differ by what the chart gives now.

    """
    if is_stdin(chart):
        raise ConfigurationError(
            "nothing stands beside stdin, and example claims stand beside a chart; name its file",
            code="CB-251",
        )
    differing = 0
    for result in run_cases(chart, write=write):
        differing += bool(result.differences) and not result.written
        if json:
            emit(
                {
                    "case": result.name,
                    "claim": result.claim_id,
                    "as_expected": not result.differences,
                    "written": result.written,
                    "differences": [difference._asdict() for difference in result.differences],
                }
            )
        else:
            _print_case(result)
    return BUSINESS_NO if differing else DONE


def _print_case(result: CaseResult) -> None:
    name = f" {result.name}" + (f"  {result.claim_id}" if result.claim_id else "")
    if not result.differences:
        say(YES, name)
        return
    say(WARN if result.written else NO, name + ("  rewritten" if result.written else ""))
    grid = table("#", "what", "expected", "found", numbers=("#",), texts=("expected", "found"))
    for posting, what, expected, actual in result.differences:
        number = str(posting) if posting else ""
        row(grid, number, what.replace("_", " "), expected or "none", actual or "none")
    show(grid)
