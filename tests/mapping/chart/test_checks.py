"""What ``chart check`` finds in a chart that loads: gaps, overlaps, dates, accounts, periods."""

from __future__ import annotations

import datetime as dt
import decimal
from pathlib import Path

import pytest
from tests.mapping.charts import CHART, chart

from claimbridge.errors import ConfigurationError
from claimbridge.mapping import Chart, ChartFinding
from claimbridge.mapping.chart.files.code_lists import read_accounts, read_departments

DAY = dt.date(2026, 3, 31)
EXAMPLE = Path(__file__).parents[3] / "examples" / "chart.toml"


def rows(*conditions: str, account: str = "A") -> str:
    """Return hotel rows with these conditions; each has an account of its own."""
    return "".join(
        f'[[expense]]\ntype = "hotel"\naccount = "{account}{number}"\n{condition}\n'
        for number, condition in enumerate(conditions)
    )


def found(subject: Chart, **asked: object) -> list[tuple[str, str, str, str]]:
    """Return the findings as tuples."""
    given = {"day": DAY, **asked}
    return [
        (one.kind, one.weight, one.where, one.text)
        for one in subject.check(**given)  # type: ignore[arg-type]  # of the test's own making
    ]


def texts(*conditions: str) -> list[str]:
    """Return what is found in a chart with these rows, as lines; that no list is there apart."""
    return [
        f"{k} {w} {where}: {text}"
        for k, w, where, text in found(chart(more=rows(*conditions)))
        if k != "department"
    ]


def test_an_example_is_exact_in_a_coarse_context() -> None:
    """The calling thread's own ``decimal`` context makes no example that a row does take."""
    with decimal.localcontext(prec=3):
        (said,) = texts("amount_up_to = 1000")
    assert said.endswith("no row answers for a line with: amount 1001")


def test_nothing_is_found_in_a_plain_chart() -> None:
    """Exceptions before the rule are as they should be."""
    assert texts('company = ["CN01"]\ngrade = ["7"]', 'company = ["CN01"]', "") == []


@pytest.mark.parametrize(
    ("conditions", "said"),
    [
        (
            ('department = ["RD"]',),
            "gap fix type hotel, company CN01, CN02: no row answers for a line with: "
            "department none",
        ),
        (
            ("amount_up_to = 100", "amount_over = 200"),
            "gap fix type hotel, company CN01, CN02: no row answers for a line with: amount 200",
        ),
        (
            ('payment = ["employee"]',),
            "gap fix type hotel, company CN01, CN02: no row answers for a line with: "
            "payment company_card",
        ),
        (
            ("valid_to = 2026-12-31",),
            "gap look type hotel, company CN01, CN02: no row answers for a line with: "
            "posting date 2027-01-01",
        ),
        (
            ("valid_from = 2026-04-01",),
            "gap fix type hotel, company CN01, CN02: no row answers for a line with: "
            "posting date 2026-03-31",
        ),
        (('company = ["CN01"]',), "gap note type hotel, company CN02: no row answers for it"),
        (
            ("valid_to = 2025-12-31",),
            "gap look type hotel, company CN01, CN02: no row answers for it from 2026-03-31 on",
        ),
        (
            ('when = "amount > 1"',),
            "gap look type hotel, company CN01, CN02: no row answers for a line with: any line; "
            "unless a row with when does",
        ),
        (
            ('department = ["RD"]\ncompany = ["CN01"]', 'grade = ["7"]'),
            "gap fix type hotel, company CN01: no row answers for a line with: "
            "department none, grade none",
        ),
    ],
)
def test_a_gap_comes_with_an_example(conditions: tuple[str, ...], said: str) -> None:
    """Facts of a line that no row answers for, and how much that matters."""
    assert said in texts(*conditions)


@pytest.mark.parametrize(
    "conditions",
    [
        ('payment = ["employee"]', 'payment = ["company_card"]'),
        ("amount_up_to = 100", "amount_over = 100"),
        ("valid_to = 2026-03-31", "valid_from = 2026-04-01"),
        ('company = ["CN01"]', 'company = ["CN02"]'),
    ],
)
def test_rows_that_leave_nothing_out_have_no_gap(conditions: tuple[str, ...]) -> None:
    """Bounds that meet, and every value there is."""
    assert not [line for line in texts(*conditions) if line.startswith("gap")]


def test_a_row_that_several_hide_is_unreachable() -> None:
    """No single one takes all of its lines, which is why it could be loaded."""
    text = "unreachable fix expense row 5 (hotel): rows 3, 4 before it take all of its lines"
    assert texts("amount_up_to = 100", "amount_over = 50", 'department = ["RD"]')[0].startswith(
        text
    )


def test_a_row_after_both_payments_is_unreachable() -> None:
    """There is no third one; a row for companies to come is no dead row."""
    both = 'payment = ["employee"]', 'payment = ["company_card"]'
    assert texts(*both, "") == [
        "unreachable fix expense row 5 (hotel): rows 3, 4 before it take all of its lines "
        "between them"
    ]
    assert texts('company = ["CN01"]', 'company = ["CN02"]', "") == []


def test_rows_of_which_the_order_decides_overlap() -> None:
    """With an example; it weighs more where the accounts differ."""
    department, grade = 'department = ["RD"]', 'grade = ["7"]'
    line = "expense row 3 (hotel) and expense row 4 (hotel): both answer for a line with: "
    facts = "department RD, grade 7; the first wins"
    assert texts(department, grade, "") == [
        f"overlap look {line}{facts}, with account A0 and not A1"
    ]
    same = CHART + rows(department) + rows(grade, "")
    assert found(chart(same))[0][:2] == ("overlap", "note")


def test_dates_are_judged_on_the_day_given() -> None:
    """Expired rows and charts, and those that are yet to come."""
    subject = chart(
        CHART.replace("[accounts]", "valid_to = 2026-12-31\n[accounts]"),
        more=rows("valid_to = 2026-03-30", "valid_from = 2026-04-01", ""),
    )
    assert [one for one in found(subject) if one[0] == "dates"] == [
        ("dates", "note", "expense row 3 (hotel)", "expired: valid to 2026-03-30"),
        ("dates", "note", "expense row 4 (hotel)", "not valid yet: from 2026-04-01"),
    ]
    late = found(subject, day=dt.date(2027, 1, 1))
    assert ("dates", "look", 'chart "CN group"', "expired: valid to 2026-12-31") in late


def test_accounts_are_checked_against_a_list(tmp_path: Path) -> None:
    """Every account the chart can post to, with the nearest there is."""
    listed = tmp_path / "accounts.txt"
    listed.write_text("2241.01\n2241.02\n2221.01\n6603.09\n6061.01\n6602.02\n6602.3\n", "utf-8")
    wrong = found(chart(), accounts=read_accounts(listed))
    assert wrong == [
        (
            "account",
            "fix",
            "expense row 2 (taxi)",
            "account 6602.03 is not in the list of accounts; did you mean 6602.3?",
        )
    ]
    path = tmp_path / "cn.toml"
    path.write_text(
        CHART.replace("[accounts]", 'account_list = "accounts.txt"\n[accounts]'), "utf-8"
    )
    assert found(Chart.load(path)) == wrong
    listed.unlink()
    with pytest.raises(ConfigurationError) as caught:
        Chart.load(path).check(day=DAY)
    assert caught.value.code == "CB-205"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.txt", "# our accounts\n1001\n\n1002.10\n"),
        ("a.csv", "name,account\n现金,1001\n银行存款,1002.10\n"),
        ("a.csv", "科目编码;名称\n1001;现金\n1002.10;银行存款\n"),
        ("a.csv", "1001,现金\n1002.10,银行存款\n"),
    ],
)
def test_lists_of_accounts(tmp_path: Path, name: str, text: str) -> None:
    """With or without headers; codes are taken as they stand."""
    (tmp_path / name).write_bytes(text.encode("gb18030"))
    assert read_accounts(tmp_path / name) == {"1001", "1002.10"}
    (tmp_path / name).write_text("# nothing\n", "utf-8")
    with pytest.raises(ConfigurationError, match="it lists no account") as caught:
        read_accounts(tmp_path / name)
    assert caught.value.code == "CB-265"


def test_booking_rates_that_disagree() -> None:
    """Two companies with the same books book one currency at two rates."""
    text = CHART.replace("[company.CN02]\n", "[company.CN01.rates]\nEUR = 7.5\n[company.CN02]\n", 1)
    assert found(chart(text)) == [
        ("rates", "look", "company CN02", "one EUR is 7.8 CNY, for CN01 7.5")
    ]


def test_periods_are_judged_on_the_day_given() -> None:
    """No period, a closed one, and days between two of them."""
    text = """
[[period]]
name = "P3"
first = 2026-03-01
last = 2026-03-31
open = false
[[period]]
name = "P4"
first = 2026-04-02
last = 2026-04-30
"""
    subject = chart(more=text)
    assert found(subject) == [
        (
            "period", "look", "company CN01, CN02",
            "period P3 (2026-03-01 to 2026-03-31) is closed; P4 (2026-04-02 to 2026-04-30) is the "
            "next open one",
        ),
        (
            "period", "look", "periods",
            "no period has the days between P3 (2026-03-01 to 2026-03-31) and P4 (2026-04-02 to "
            "2026-04-30)",
        ),
    ]  # fmt: skip
    assert found(subject, day=dt.date(2026, 5, 1)) == [
        ("period", "fix", "periods", "2026-05-01 is in no period")
    ]


def test_findings_without_end_are_shortened() -> None:
    """Fifty of a kind, and how many more."""
    many = "".join(
        f'[[expense]]\ntype = "t{number}"\naccount = "1"\ndepartment = ["RD"]\n'
        for number in range(60)
    )
    gaps = chart(more=many).check(day=DAY, departments={"RD"})
    assert len(gaps) == 51
    assert gaps[-1] == ChartFinding("gap", "fix", "chart", "10 more of this kind")


def test_rows_without_end_are_not_compared_for_ever() -> None:
    """Hundreds that all meet: said so, in a moment."""
    nested = "".join(
        f'[[expense]]\ntype = "x"\naccount = "1"\namount_up_to = {number}\n'
        for number in range(1, 500)
    )
    kinds = {(one.kind, one.weight) for one in chart(more=nested).check(day=DAY)}
    assert {("unreachable", "look"), ("overlap", "look")} <= kinds


def test_the_example_chart_has_nothing_to_fix() -> None:
    """It is what people copy."""
    assert [one for one in Chart.load(EXAMPLE).check(day=DAY) if one.weight != "note"] == []


def test_departments_are_checked_against_a_list(tmp_path: Path) -> None:
    """No claim fits a row whose department nobody has; the nearest is told, whatever its case."""
    more = rows('department = ["R&D", "QQ"]', 'department = ["rd", "QA"]', 'department = ["R&D"]')
    more = more.replace('"hotel"', '"meals"', 1)
    listed = tmp_path / "departments.csv"
    listed.write_text("名称,部门编码\n研发,RD\n质量,QA\n销售,SALES\n", "utf-8")
    wrong = found(chart(more=more), departments=read_departments(listed))
    meals, unlisted = "expense row 3 (meals)", "is not in the list of departments"
    assert [one[1:] for one in wrong if one[0] == "department"] == [
        ("fix", meals, f"department QQ {unlisted}"),
        ("fix", f"{meals} and 1 more", f"department R&D {unlisted}; did you mean RD?"),
        ("fix", "expense row 4 (hotel)", f"department rd {unlisted}; did you mean RD?"),
    ]
    assert [one for one in found(chart(more=more)) if one[0] == "department"] == [
        (
            "department",
            "note",
            "chart",
            "rows name QQ, R&D, QA, rd; no list says which departments claims may name",
        )
    ]
    path = tmp_path / "cn.toml"
    named = CHART.replace("[accounts]", 'department_list = "departments.csv"\n[accounts]')
    path.write_text(named + more, "utf-8")
    assert found(Chart.load(path)) == wrong
    listed.write_text("# nothing\n", "utf-8")
    with pytest.raises(ConfigurationError, match="it lists no department") as caught:
        Chart.load(path).check(day=DAY)
    assert caught.value.code == "CB-265"


def test_a_department_is_compared_in_its_plain_form() -> None:
    """As claims are: a compatible character is the same department."""
    subject = chart(more=rows('department = ["Ⅱ期研发"]', ""))
    assert found(subject, departments={"Ⅱ期研发"}) == []
    assert found(subject, departments={"II期研发"}) == []


def test_two_spellings_of_one_code() -> None:
    """A claim has one of them, and passes the row of the other by."""
    said = texts('department = ["rd"]\ngrade = ["7"]', 'department = ["RD", "QA"]', "")
    assert said == [
        "spelling look expense row 3 (hotel) and expense row 4 (hotel): department rd and RD "
        "differ in capitals alone, and a claim's must be the same letter by letter; write one of "
        "them everywhere"
    ]
    assert [one[0] for one in found(chart(more=rows("").replace("hotel", "Taxi")))] == ["spelling"]
    assert texts('department = ["rd", "RD"]', "") == []  # who writes both means both
