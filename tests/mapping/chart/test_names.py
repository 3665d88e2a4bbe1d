"""A chart's sheets, files, columns and keys may have Chinese names; each means one thing."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from tests.mapping.chart.test_files import SHEETS, Sheets, check_maps, folder, refusal, workbook
from tests.mapping.charts import claim, legs, line

from claimbridge.mapping import Chart
from claimbridge.mapping.chart.files.layout import KEYED, LISTED, SINGLE, IntercompanyTable
from claimbridge.mapping.chart.names import CHINESE_KEYS, CHINESE_SHEETS

PAGE = (Path(__file__).parents[3] / "docs" / "chart.md").read_text(encoding="utf-8")
CHINESE: Sheets = {
    "会计科目表": [["键", "值", "# 备注"], ["名称", "CN group", None]],
    "固定科目": [
        ["参数", "取值"],
        ["应付员工款", "2241.01"],
        ["应付公司卡款", "2241.02"],
        ["进项税", "2221.01"],
        ["尾差", "6603.09"],
        ["汇兑损益", "6061.01"],
    ],
    "公司": [["公司代码", "本位币", "汇率.EUR"], ["CN01", "CNY", None], ["CN02", "CNY", "7.80"]],
    "费用规则": [
        ["费用类别", "会计科目", "抵扣比例", "税码", "部门编码", "有效期自", "#"],
        *SHEETS["expense"][1:],
    ],
}


def renamed(sheet: str, old: str, *new: str) -> Sheets:
    """Return the English sheets, one column called otherwise or there several times."""
    head, *below = SHEETS[sheet]
    place = head.index(old)
    rows = [[*head[:place], *new, *head[place + 1 :]]]
    for row in below:
        cell = row[place] if place < len(row) else None
        rows.append([*row[:place], *[cell] * len(new), *row[place + 1 :]])
    return {**SHEETS, sheet: rows}


def test_a_chart_in_chinese_is_the_same_chart(tmp_path: Path) -> None:
    """As a workbook and as files, also for rates in euros and in GBK."""
    for path in (
        workbook(tmp_path / "cn.xlsx", CHINESE),
        folder(tmp_path / "cn", CHINESE),
        folder(tmp_path / "gbk", CHINESE, encoding="gbk"),
    ):
        subject = Chart.load(path)
        check_maps(subject)
        euros = line("taxi", "10", currency="EUR", rate="7.9")
        mapped = subject.map(claim(euros, company="CN02"))
        assert legs(mapped)[0] == ("expense", "0042", "debit", "78.00")


def test_names_may_be_mixed(tmp_path: Path) -> None:
    """A Chinese column in an English sheet, and one English file among Chinese ones."""
    check_maps(Chart.load(workbook(tmp_path / "a.xlsx", renamed("expense", "department", "部门"))))
    mixed = {name: rows for name, rows in CHINESE.items() if name != "公司"}
    check_maps(Chart.load(folder(tmp_path / "cn", {**mixed, "Company": SHEETS["company"]})))


def test_a_nested_key_in_chinese(tmp_path: Path) -> None:
    """The company's code between the names stays as it is, also one that is a name."""
    company = [
        ["公司", "币种", "公司间.单位.应付科目", "公司间.CN01.应收科目"],
        ["CN01", "CNY", "2241.88", None],
        ["单位", "CNY", None, "1221.88"],
    ]
    subject = Chart.load(folder(tmp_path / "cn", {**CHINESE, "公司": company}))
    assert set(subject.companies) == {"CN01", "单位"}
    company[0][2] = "公司间.单位.应付"
    error = refusal(folder(tmp_path / "cn", {**CHINESE, "公司": company}))
    assert (error.code, "公司间.单位.应付" in error.message) == ("CB-206", True)


@pytest.mark.parametrize(
    ("sheets", "said"),
    [
        (
            renamed("expense", "account", "account", "科目"),
            'there are two columns "account": account and 科目; keep one',
        ),
        (
            renamed("expense", "account", "科目编码", "科目"),
            'there are two columns "account": 科目编码 and 科目; keep one',
        ),
        (
            {**SHEETS, "费用": SHEETS["expense"]},
            '"expense" and "费用" are both the sheet "expense"; keep one of the two',
        ),
        (
            {**SHEETS, "Expense": SHEETS["expense"]},
            'are both the sheet "expense"; keep one of the two',
        ),
        (
            {**SHEETS, "accounts": [*SHEETS["accounts"], ["尾差", "6603.10"]]},
            '"rounding" is given twice',
        ),
        (
            renamed("expense", "type", "费用类"),
            'unknown column "费用类"; did you mean "费用类型"?',
        ),
        (renamed("expense", "valid_from", "失效日期"), 'unknown column "失效日期"'),
        (
            {**SHEETS, "费用规": SHEETS["expense"]},
            'unknown sheet "费用规"; did you mean "费用规则"?',
        ),
    ],
)
def test_what_is_there_twice_or_is_no_name_is_refused(
    tmp_path: Path, sheets: Sheets, said: str
) -> None:
    """Never the last of the two, and never the nearest."""
    error = refusal(folder(tmp_path / "cn", sheets))
    assert (error.code, said in error.message) == ("CB-206", True), error.message


def test_a_cell_is_named_as_its_sheet_names_it(tmp_path: Path) -> None:
    """With the key in English, which the documentation explains; names are no codes."""
    sheets = {**CHINESE, "费用规则": [list(row) for row in CHINESE["费用规则"]]}
    sheets["费用规则"][1][1] = "5301\u200b.10"
    message = refusal(folder(tmp_path / "cn", sheets)).message
    assert "row 2, 会计科目 (account): the cell" in message
    sheets["费用规则"][1][1] = "5301.10"
    sheets["费用规则"][0][3] = "费用名称"
    sheets["费用规则"][1][3] = "研发👩\u200d🔬差旅费"  # a joiner is welcome in a name
    Chart.load(folder(tmp_path / "cn", sheets))


def test_a_name_means_one_thing_and_is_on_the_page() -> None:
    """Every sheet and key has one, no two have the same, and docs/chart.md lists each."""
    for table in (CHINESE_SHEETS, CHINESE_KEYS):
        counted = Counter(name for names in table.values() for name in names.split())
        assert [name for name, times in counted.items() if times > 1] == []
        for key, names in table.items():
            shown = ", ".join(f"`{name}`" for name in names.split())
            assert f"| `{key}` | {shown} |" in PAGE
    assert set(CHINESE_SHEETS) == {*SINGLE, *KEYED, *LISTED}
    tables = (*SINGLE.values(), *KEYED.values(), *LISTED.values(), IntercompanyTable)
    keys = {key for table in tables for key in table.__struct_fields__}
    assert set(CHINESE_KEYS) == {*keys, "key", "value"}
