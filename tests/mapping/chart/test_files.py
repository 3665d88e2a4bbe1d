"""A chart in CSV or Excel is the same chart; what a spreadsheet garbles is refused by its cell."""

from __future__ import annotations

import datetime as dt
import decimal
import io
import random
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from tests.mapping.charts import CHART, claim, legs, line

from claimbridge.errors import ConfigurationError, MissingExtra
from claimbridge.mapping import Chart

NINE = dt.datetime.fromisoformat("2026-01-01T09:00:00")  # Excel knows no time zones
Sheets = dict[str, list[list[Any]]]

SHEETS: Sheets = {
    "chart": [["key", "value", "# what for"], ["name", "CN group", "shown in messages"]],
    "accounts": [
        ["key", "value"],
        ["employee_payable", "2241.01"],
        ["card_payable", "2241.02"],
        ["input_tax", "2221.01"],
        ["rounding", "6603.09"],
        ["fx_difference", "6061.01"],
    ],
    "company": [
        ["company", "currency", "rates.EUR"],
        ["CN01", "CNY", None],
        ["CN02", "CNY", "7.80"],
    ],
    "expense": [
        ["type", "account", "deductible", "tax_code", "department", "valid_from", "#"],
        ["travel", "5301.10", "1", "J6", "RD, QA", "2026-01-01", "研发"],
        [None, None, None, None, None, None, None],
        ["# everybody else"],
        ["travel", "6602.02", "100 %", "J6", None, None, None],
        ["taxi", "0042", None, None, None, None, None],
    ],
}


def folder(path: Path, sheets: Sheets, *, separator: str = ",", encoding: str = "utf-8") -> Path:
    """Write a folder of CSV files."""
    path.mkdir(exist_ok=True)
    for name, rows in sheets.items():
        text = "".join(
            separator.join('"{}"'.format("" if cell is None else cell) for cell in row) + "\r\n"
            for row in rows
        )
        (path / f"{name}.csv").write_bytes(text.encode(encoding))
    return path


def workbook(path: Path, sheets: Sheets) -> Path:
    """Write a workbook."""
    book = openpyxl.Workbook()
    assert book.active is not None
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def with_cell(sheet: str, column: str, value: object, *, row: int = 1) -> Sheets:
    """Return the sheets with one cell changed, in a column that may be new."""
    rows = [list(one) for one in SHEETS[sheet]]
    if column not in rows[0]:
        rows = [[*one, *[None] * (len(rows[0]) - len(one)), None] for one in rows]
        rows[0][-1] = column
    rows[row][rows[0].index(column)] = value
    return {**SHEETS, sheet: rows}


def refusal(path: Path) -> ConfigurationError:
    """Return what loading a chart raises."""
    with pytest.raises(ConfigurationError) as caught:
        Chart.load(path)
    return caught.value


def check_maps(subject: Chart) -> None:
    """The chart answers as its sheets say."""
    research = subject.map(claim(line("travel", "106", tax="6"), department="QA"))
    assert legs(research)[0] == ("expense", "5301.10", "debit", "100.00")
    assert legs(research)[1] == ("input_tax", "2221.01", "debit", "6.00")
    others = subject.map(claim(line("travel", "106", tax="6"), line("taxi", "5")))
    assert [leg[1] for leg in legs(others)] == ["6602.02", "2221.01", "0042", "2241.01"]
    early = claim(line("travel", "1", date=dt.date(2025, 12, 31)), department="RD")
    assert legs(subject.map(early))[0][1] == "6602.02"


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030", "gbk"])
def test_a_folder_of_csv_files(tmp_path: Path, separator: str, encoding: str) -> None:
    """In every encoding and with every separator that spreadsheets write."""
    check_maps(Chart.load(folder(tmp_path / "cn", SHEETS, separator=separator, encoding=encoding)))


def test_a_workbook(tmp_path: Path) -> None:
    """The same sheets; numbers and dates may be numbers and dates."""
    check_maps(Chart.load(workbook(tmp_path / "cn.xlsx", SHEETS)))
    typed = with_cell("expense", "deductible", 1)
    typed["expense"][1][5] = dt.date(2026, 1, 1)
    typed["expense"][4][2] = 1.0
    typed["company"] = with_cell("company", "rates.EUR", 7.8, row=2)["company"]
    check_maps(Chart.load(workbook(tmp_path / "typed.xlsx", typed)))


def test_rows_beside_a_toml_chart(tmp_path: Path) -> None:
    """The expense rows alone may be a CSV file or a workbook; the path is relative to the chart."""
    folder(tmp_path / "rows", {"expense": SHEETS["expense"]})
    workbook(tmp_path / "rows.xlsx", {"whatever": SHEETS["expense"]})
    head = CHART.split("[[expense]]")[0]
    for rows in ("rows/expense.csv", "rows.xlsx"):
        path = tmp_path / "cn.toml"
        path.write_text(head.replace("[chart]", f'[chart]\nrows = "{rows}"'), "utf-8")
        check_maps(Chart.load(path))
    path.write_text(CHART.replace("[chart]", '[chart]\nrows = "rows.xlsx"'), "utf-8")
    assert "expense rows stand here and in" in refusal(path).message
    with pytest.raises(ConfigurationError, match='"rows" names a file'):
        Chart.from_toml(path.read_bytes())


@pytest.mark.parametrize(
    ("sheet", "column", "value", "said"),
    [
        ("expense", "account", 6602.02, "row 2, account: the cell is the number 6602.02, not text"),
        ("expense", "account", 6602, "row 2, account: the cell is the number 6602, not text"),
        ("expense", "account", dt.date(2026, 6, 2), "row 2, account: the cell is a date"),
        ("expense", "account", "=A1", "row 2, account: a formula or error, =A1"),
        ("expense", "account", "6.60202E+11", "has lost digits in a spreadsheet"),
        ("expense", "department", 7, "row 2, department: the cell is the number 7"),
        ("expense", "tax_rate", 1 / 3, "has more than 12 decimals"),
        ("expense", "tax_rate", "six", "'six' is no number"),
        ("expense", "tax_rate", "1,000.00", "is no number"),
        ("expense", "tax_rate", True, "True is no number"),
        ("expense", "valid_from", 46023, "'46023' is no date; write it as 2026-03-31"),
        ("expense", "valid_from", "1/4/2026", "'1/4/2026' is no date"),
        ("expense", "valid_from", "2026-02-30", "'2026-02-30' is no date"),
        ("expense", "valid_from", NINE, "has a time of day"),
        ("expense", "acount", "1", 'unknown column "acount"; did you mean "account"?'),
        ("expense", "金蝶", "1", 'unknown column "金蝶"; there are type, account, name, '),
        ("company", "rates.EURO", 7.8, "rates: currency 'EURO'"),
        ("company", "rate.EUR", 7.8, 'unknown column "rate.EUR"; did you mean'),
        ("accounts", "key", "employe_payable", 'unknown key "employe_payable"; did you mean'),
        ("accounts", "key", "card_payable", '"card_payable" is given twice'),
        ("accounts", "value", 2241.01, "row 2, employee_payable: the cell is the number 2241.01"),
        ("accounts", "value", None, '[accounts]: "employee_payable" is missing'),
        ("chart", "key", None, "there is a value without a key"),
    ],
)
def test_a_cell_is_refused(
    tmp_path: Path, sheet: str, column: str, value: object, said: str
) -> None:
    """By its sheet, row and column, and with what to do."""
    error = refusal(workbook(tmp_path / "cn.xlsx", with_cell(sheet, column, value)))
    assert said in error.message
    assert error.message.startswith(str(tmp_path / "cn.xlsx"))


def test_a_percentage_is_exact(tmp_path: Path) -> None:
    """0.07 in a cell is seven hundredths, as is 7 % in a text."""
    for value in (0.07, "7%", "7 ％", "0.07"):
        sheets = with_cell("expense", "tax_rate", value)
        loaded = Chart.load(workbook(tmp_path / "cn.xlsx", sheets))
        assert str(loaded._rules.rows.rows[0].tax_rate) == "0.07"


def test_a_percentage_is_exact_in_a_coarse_context(tmp_path: Path) -> None:
    """The calling thread's own ``decimal`` context changes no rate."""
    path = folder(tmp_path / "cn", with_cell("expense", "deductible", "12.3456 %", row=4))
    with decimal.localcontext(prec=3):
        subject = Chart.load(path)
    (_, row) = subject._rules.rows.of_type("travel")
    assert row.deductible == Decimal("0.123456")


def test_rows_are_called_by_their_number_in_the_sheet(tmp_path: Path) -> None:
    """Where a person looks for them: the headers are row 1."""
    subject = Chart.load(workbook(tmp_path / "cn.xlsx", SHEETS))
    assert [row.label for row in subject._rules.rows.rows] == [
        "expense row 2 (travel)", "expense row 5 (travel)", "expense row 6 (taxi)",
    ]  # fmt: skip


def test_a_sheet_that_is_no_table_is_refused(tmp_path: Path) -> None:
    """Unless it is empty or a remark; a cell without a column is refused as well."""
    path = tmp_path / "cn.xlsx"
    assert (
        'unknown sheet "expenses"; did you mean "expense"?'
        in refusal(workbook(path, {**SHEETS, "expenses": [["x"]]})).message
    )
    Chart.load(workbook(path, {**SHEETS, "Sheet2": [], "#notes": [["x"]]}))
    stray = [*SHEETS["expense"], ["bus", "1", *[None] * 5, "here"]]
    error = refusal(workbook(path, {**SHEETS, "expense": stray}))
    assert "row 7: column 8 has a cell, but no name in row 1" in error.message


def test_merged_cells_are_refused(tmp_path: Path) -> None:
    """The lower cells of a merge are empty, and an empty condition would fit everybody."""
    path = workbook(tmp_path / "cn.xlsx", SHEETS)
    book = openpyxl.load_workbook(path)
    book["expense"].merge_cells("E2:E4")
    book.save(path)
    error = refusal(path)
    assert error.code == "CB-261"
    assert 'sheet "expense": cells E2:E4 are merged' in error.message


def test_what_is_hidden_counts(tmp_path: Path) -> None:
    """A filter or a hidden sheet is a way of looking at a chart, not another chart."""
    path = workbook(tmp_path / "cn.xlsx", SHEETS)
    book = openpyxl.load_workbook(path)
    book["expense"].row_dimensions[6].hidden = True
    book["accounts"].sheet_state = "hidden"
    book.save(path)
    check_maps(Chart.load(path))


def bomb() -> bytes:
    """Return a small package that unpacks to 200 MB."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("[Content_Types].xml", b" " * 200_000_000)
    return packed.getvalue()


def package(name: str, content: bytes) -> bytes:
    """Return a ZIP file with one part besides the list of contents."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as made:
        made.writestr("[Content_Types].xml", b"<Types/>")
        made.writestr(name, content)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("cn.xlsx", b"not a zip", "not an .xlsx workbook"),
        ("cn.xlsx", b"", "not an .xlsx workbook"),
        ("cn.xlsx", b"\xd0\xcf\x11\xe0" + b"\0" * 600, "an old .xls, or protected by a password"),
        ("cn.xlsx", package("a.xml", b"<a/>"), "the workbook cannot be read"),
        ("cn.xlsx", package("xl/vbaProject.bin", b"x"), "it holds macros"),
        ("cn.xlsx", package("a.xml", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a/>"), "document type"),
        ("cn.xlsx", bomb(), "it unpacks to 1 parts of 200,000,000 bytes"),
        ("cn.xlsm", b"", "a chart in Excel is an .xlsx file, not .xlsm"),
        ("cn.xls", b"", "a chart in Excel is an .xlsx file, not .xls"),
        ("cn.csv", b"", "a chart in CSV is a folder"),
        ("cn.toml", package("a.xml", b""), "looks like a workbook; name it .xlsx"),
        ("cn.toml", b"#" * (32 * 1024 * 1024 + 1), "it is larger than 33,554,432 bytes"),
    ],
)
def test_a_file_of_another_kind_is_refused(
    tmp_path: Path, name: str, data: bytes, said: str
) -> None:
    """Old, protected, hostile and misnamed files: one of our errors, soon, and what to do."""
    path = tmp_path / name
    path.write_bytes(data)
    error = refusal(path)
    assert error.code == "CB-260"
    assert said in error.message


def test_no_broken_workbook_brings_another_exception(tmp_path: Path) -> None:
    """Cut and altered at random: it loads, or one of our errors says why not."""
    whole = workbook(tmp_path / "cn.xlsx", SHEETS).read_bytes()
    chance = random.Random(7)
    refused = 0
    for _ in range(60):
        data = bytearray(whole)
        place = chance.randrange(len(data))
        if chance.random() < 0.5:
            del data[place : place + chance.randint(1, 40)]
        else:
            data[place] ^= 1 << chance.randrange(8)
        (tmp_path / "cn.xlsx").write_bytes(data)
        try:
            Chart.load(tmp_path / "cn.xlsx")
        except ConfigurationError:
            refused += 1
    assert refused > 30


def test_a_sheet_without_end_is_refused(tmp_path: Path) -> None:
    """One cell far below, or more rows than a chart has."""
    sheets = {**SHEETS, "expense": SHEETS["expense"]}
    path = workbook(tmp_path / "cn.xlsx", sheets)
    book = openpyxl.load_workbook(path)
    book["expense"]["A1000000"] = "x"
    book.save(path)
    assert "it has cells down to row 1,000,000" in refusal(path).message
    rows = '[[expense]]\ntype = "x"\naccount = "1"\n' * 20_001
    (tmp_path / "cn.toml").write_text(CHART + rows, "utf-8")
    assert "20003 expense rows; the limit is 20000" in refusal(tmp_path / "cn.toml").message
    many = "type,account\n" + "".join(f"t{number},1\n" for number in range(20_001))
    folder(tmp_path / "cn", SHEETS)
    (tmp_path / "cn" / "expense.csv").write_text(many, "utf-8")
    assert "20001 expense rows; the limit is 20000" in refusal(tmp_path / "cn").message
    (tmp_path / "cn" / "expense.csv").write_text("type,account\n" + "x,1\n" * 1_000_000, "utf-8")
    assert "expense.csv: more than 60,000 rows" in refusal(tmp_path / "cn").message


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\xff\xff\xff", "neither UTF-8 nor UTF-16 nor GB18030"),
        ("type,account".encode("utf-16-le"), "neither UTF-8 nor UTF-16 nor GB18030"),
        (b'type,account\n"taxi"x,1\n', "not a CSV file"),
        (b'type,account\n"taxi,1\n', "not a CSV file"),
        (b"type,account\ntaxi,1,2\n", "column 3 has a cell, but no name"),
        (b"type,type\ntaxi,1\n", 'there are two columns "type"'),
        (b"type,account\n" + b"," * 300 + b"\n", "has 301 cells; the limit is 256"),
        (b"type,account\nx,=1\n", "a formula or error, =1"),
    ],
)
def test_csv_that_cannot_be_read_is_refused(tmp_path: Path, data: bytes, said: str) -> None:
    """By its file."""
    path = folder(tmp_path / "cn", SHEETS)
    (path / "expense.csv").write_bytes(data)
    error = refusal(path)
    assert said in error.message
    assert str(path / "expense.csv") in error.message


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    """With the files that it should hold."""
    assert "the folder holds no chart.csv" in refusal(tmp_path).message


@pytest.mark.parametrize("name", ["a\0b.toml", "a" * 300, "loop.toml"])
def test_a_path_that_can_name_no_chart_is_refused(tmp_path: Path, name: str) -> None:
    """A null character, a name too long, a link to itself: ours, like a missing file."""
    (tmp_path / "loop.toml").symlink_to("loop.toml")
    assert refusal(tmp_path / name).code == "CB-205"


@pytest.mark.parametrize(
    ("key", "name", "code"),
    [
        ("extends", "a" * 300, "CB-262"),
        ("extends", "a\\u0000b", "CB-262"),
        ("rows", "a\\u0000b.csv", "CB-205"),
    ],
)
def test_a_path_in_a_chart_that_can_name_no_file_is_refused(
    tmp_path: Path, key: str, name: str, code: str
) -> None:
    """Whatever a chart names as a file beside it."""
    path = tmp_path / "cn.toml"
    path.write_text(f'[chart]\nname = "CN01"\n{key} = "{name}"\n', "utf-8")
    assert refusal(path).code == code


def test_a_folder_that_may_not_be_listed_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system's own refusal is ours; made here, for it refuses nothing to root."""

    def forbidden(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", forbidden)
    error = refusal(tmp_path)
    assert error.code == "CB-205"
    assert error.message == f"{tmp_path}: it cannot be read: Permission denied"


def test_excel_without_openpyxl_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message says what to install."""
    path = workbook(tmp_path / "cn.xlsx", SHEETS)
    monkeypatch.setitem(__import__("sys").modules, "openpyxl", None)
    with pytest.raises(MissingExtra, match=r"pip install 'claimbridge\[excel\]'"):
        Chart.load(path)


GROUP = """
[chart]
name = "group"
valid_from = 2020-01-01
valid_to = 2026-12-31
default_cost_centre = "1000"
[accounts]
employee_payable = "G1"
card_payable = "G2"
input_tax = { "0.06" = "G6", "0.09" = "G9" }
rounding = "G3"
fx_difference = "G4"
[company.CN02]
currency = "CNY"
[company.CN02.rates]
EUR = 7.5
USD = 7.0
[[expense]]
type = "taxi"
account = "G-taxi"
[[expense]]
type = "travel"
account = "G-travel"
deductible = 1
"""
OWN = """
[chart]
name = "own"
extends = "groups/group.toml"
valid_from = 2025-01-01
valid_to = 2027-12-31
[accounts]
employee_payable = "O1"
input_tax = { "0.06" = "O6" }
[company.CN01]
currency = "CNY"
[company.CN02.rates]
EUR = 7.8
[[expense]]
type = "travel"
account = "O-travel"
department = ["RD"]
deductible = 1
"""


def extended(tmp_path: Path, own: str = OWN, group: str = GROUP) -> Path:
    """Write a chart and its group's."""
    (tmp_path / "groups").mkdir(exist_ok=True)
    (tmp_path / "groups" / "group.toml").write_text(group, "utf-8")
    path = tmp_path / "own.toml"
    path.write_text(own, "utf-8")
    return path


def test_a_chart_extends_its_groups(tmp_path: Path) -> None:
    """Own rows first, tables joined key by key, and valid when both are."""
    subject = Chart.load(extended(tmp_path))
    rules = subject._rules
    assert subject.name == "own"
    assert (str(rules.valid_from), str(rules.valid_to)) == ("2025-01-01", "2026-12-31")
    assert {key: str(rate) for key, rate in rules.companies["CN02"].rates.items()} == {
        "EUR": "7.8",
        "USD": "7",
    }
    mapped = subject.map(
        claim(
            line("travel", "106", tax="6", tax_rate="0.06", department="RD"),
            line("travel", "109", tax="9", tax_rate="0.09"),
            line("taxi", "1"),
        )
    )
    assert [leg[1] for leg in legs(mapped)] == [
        "O-travel", "O6", "G-travel", "G9", "G-taxi", "O1",
    ]  # fmt: skip
    assert mapped.explain[1].row == "expense row 1 (travel)"
    assert mapped.explain[3].row == "expense row 2 (travel) of group.toml"


def test_a_folder_extends_relative_to_its_files(tmp_path: Path) -> None:
    """A CSV chart's paths begin where its chart.csv is."""
    extended(tmp_path)
    own = {"chart": [["key", "value"], ["name", "own"], ["extends", "../groups/group.toml"]]}
    subject = Chart.load(folder(tmp_path / "own", own))
    assert subject.name == "own"
    assert legs(subject.map(claim(line("taxi", "1"), company="CN02")))[0][1] == "G-taxi"


def test_an_own_row_may_replace_the_groups(tmp_path: Path) -> None:
    """That hides the group's row, which is what extending is for."""
    own = OWN + '[[expense]]\ntype = "taxi"\naccount = "O-taxi"\n'
    mapped = Chart.load(extended(tmp_path, own)).map(claim(line("taxi", "1")))
    assert legs(mapped)[0][1] == "O-taxi"


LISTED = '[[period]]\nname = "P3"\nfirst = 2026-03-01\nlast = 2026-03-31\n'


@pytest.mark.parametrize(
    ("own", "group", "name"),
    [
        ("", "", None),
        ("", '[periods]\nstart = "03-01"\n', "2026-01"),
        (LISTED, '[periods]\nstart = "03-01"\n', "P3"),
        ('[periods]\nstart = "02-01"\n', LISTED, "2026-02"),
        ("[periods]\nclosed_until = 2026-01-31\n", LISTED, "P3"),
        ('[periods]\nposting_date = ["line"]\n', '[periods]\nstart = "03-01"\n', "2026-01"),
    ],
)
def test_periods_are_the_charts_own_if_it_has_any(
    tmp_path: Path, own: str, group: str, name: str | None
) -> None:
    """Listed or computed; what it says of them besides is joined."""
    subject = Chart.load(extended(tmp_path, OWN + own, GROUP + group))
    assert subject.map(claim(line("taxi", "1"))).period == name


@pytest.mark.parametrize(
    ("own", "group", "code", "said"),
    [
        (OWN.replace("groups/", ""), GROUP, "CB-262", "it extends group.toml, and there is no"),
        (OWN, GROUP.replace('"group"', '"group"\nextends = "../own.toml"'), "CB-262", "each other"),
        (OWN, GROUP.replace("2026-12-31", "2024-12-31"), "CB-262", "never valid on the same day"),
        (OWN, GROUP.replace("rounding", "roundin"), "CB-206", "group.toml: [accounts]: unknown"),
        (OWN, GROUP.replace('rounding = "G3"', ""), "CB-206", '"rounding" is missing'),
        (OWN, GROUP.replace('"taxi"', "7"), "CB-206", "group.toml: expense row 1: type: "),
        (OWN.replace('"groups/group.toml"', "7"), GROUP, "CB-206", "[chart]: extends: "),
    ],
)
def test_a_group_that_cannot_be_extended_is_refused(
    tmp_path: Path, own: str, group: str, code: str, said: str
) -> None:
    """Missing, circular, never valid, or wrong in itself: the file at fault is named."""
    error = refusal(extended(tmp_path, own, group))
    assert error.code == code
    assert said in error.message
