"""A chart's codes are what a reader sees, in workbooks, CSV and TOML alike."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest

from claimbridge import Claim
from claimbridge.errors import ConfigurationError
from claimbridge.mapping import Chart

openpyxl: Any = pytest.importorskip("openpyxl")

TABLES: dict[str, list[list[str]]] = {
    "chart": [["key", "value"], ["name", "plain"]],
    "accounts": [
        ["key", "value"],
        ["employee_payable", "2241.01"],
        ["card_payable", "2241.02"],
        ["input_tax", "2221"],
        ["rounding", "6603"],
    ],
    "company": [["company", "currency"], ["CN01", "CNY"]],
    "expense": [
        ["type", "department", "account", "name"],
        ["travel", "RD,QA", "5301.02", "研发 👨\u200d👩"],
        ["travel", "", "6602.02", ""],
    ],
}


def tables(sheet: str = "", row: int = 0, column: int = 0, text: str = "") -> dict[str, Any]:
    made = {name: [list(cells) for cells in rows] for name, rows in TABLES.items()}
    if sheet:
        made[sheet][row][column] = text
    return made


def folder(path: Path, made: dict[str, Any]) -> Path:
    for name, rows in made.items():
        lines = [",".join(f'"{cell}"' if "," in cell else cell for cell in cells) for cells in rows]
        (path / f"{name}.csv").write_text("\n".join(lines), encoding="utf-8")
    return path


def workbook(path: Path, made: dict[str, Any]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in made.items():
        sheet = book.create_sheet(name)
        for cells in rows:
            sheet.append([cell or None for cell in cells])
    file = path / "chart.xlsx"
    book.save(file)
    return file


def account(chart: Chart, department: str) -> str:
    claim = Claim.from_dict(
        {
            "id": "EXP-1",
            "revision": 1,
            "company": "CN01",
            "employee": "E1",
            "department": department,
            "currency": "CNY",
            "total": "5.00",
            "lines": [{"type": "travel", "date": "2026-03-09", "amount": "5.00"}],
            "posting_date": "2026-03-31",
        }
    )
    return chart.map(claim).voucher.postings[0].account


WRONG = [
    ("account", "expense", 2, 2, "6602.02\u200b", "U+200B"),
    ("account", "expense", 2, 2, "\u202d6602.02\u202c", "U+202D"),
    ("account", "expense", 2, 2, "6602\u00ad.02", "U+00AD"),
    ("account", "expense", 2, 2, "６６０２．０２", "write '6602.02'"),
    ("account", "expense", 2, 2, "6602。02", "write '6602.02'"),
    ("account", "expense", 2, 2, "'6602.02", "a spreadsheet's mark for text"),
    ("account", "expense", 2, 2, "6602  02", "write '6602 02'"),
    ("type", "expense", 2, 0, "travel\u2060", "U+2060"),
    ("type", "expense", 2, 0, "ｔｒａｖｅｌ", "write 'travel'"),
    ("department", "expense", 1, 1, "RD\u200b,QA", "U+200B"),
    ("company", "company", 1, 0, "CN01\ufeff", "U+FEFF"),
    ("employee_payable", "accounts", 1, 1, "2241.01\u200b", "U+200B"),
    ("name", "expense", 1, 3, "\u202e发研", "U+202E"),
]


@pytest.mark.parametrize(("key", "sheet", "row", "column", "text", "words"), WRONG)
@pytest.mark.parametrize("write", [folder, workbook], ids=["csv", "xlsx"])
def test_a_cell_shows_what_it_holds(
    tmp_path: Path, write: Any, key: str, sheet: str, row: int, column: int, text: str, words: str
) -> None:
    """What the ERP would be sent otherwise than it looks is refused by its cell."""
    with pytest.raises(ConfigurationError) as refused:
        Chart.load(write(tmp_path, tables(sheet, row, column, text)))
    assert refused.value.code == "CB-261"
    assert f"row {row + 1}, {key}: " in str(refused.value)
    assert words in str(refused.value)


@pytest.mark.parametrize("write", [folder, workbook], ids=["csv", "xlsx"])
@pytest.mark.parametrize(
    "text", ["6602.02\u00a0", "\u30006602.02", "6602.02_x000D_", "6602_x002E_02"]
)
def test_white_space_and_excels_own_spelling_are_read(
    tmp_path: Path, write: Any, text: str
) -> None:
    """White space at the ends of a cell belongs to nobody, ``_x000D_`` is a carriage return."""
    chart = Chart.load(write(tmp_path, tables("expense", 2, 2, text)))
    assert account(chart, "QS") == "6602.02"
    assert account(chart, "QA") == "5301.02"


def test_codes_are_compared_in_their_plain_form(tmp_path: Path) -> None:
    """``Ⅱ期`` in the chart is the ``II期`` of a claim, and full-width brackets are brackets."""
    chart = Chart.load(folder(tmp_path, tables("expense", 1, 1, "Ⅱ期,研发部（上海）")))
    for department in ("Ⅱ期", "II期", "研发部（上海）", "研发部(上海)"):
        assert account(chart, department) == "5301.02"
    assert account(chart, "研发部") == "6602.02"


def test_toml_is_held_to_the_same() -> None:
    """A chart in TOML is refused by its table and key."""
    text = """
        [chart]
        name = "plain"
        [accounts]
        employee_payable = "2241.01{}"
        card_payable = "2241.02"
        input_tax = "2221"
        rounding = "6603"
        [company.CN01]
        currency = "CNY"
        [[expense]]
        type = "travel"
        account = "6602.02"
    """
    Chart.from_toml(text.format("").encode())
    with pytest.raises(ConfigurationError) as refused:
        Chart.from_toml(text.format("\u200b").encode())
    assert "U+200B" in str(refused.value)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
def test_no_part_declares_a_document_type_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    """A part in UTF-16 without its mark hides a DOCTYPE from a search for bytes no more."""
    file = workbook(tmp_path, tables())
    made = io.BytesIO()
    with zipfile.ZipFile(file) as before, zipfile.ZipFile(made, "w") as after:
        for part in before.infolist():
            data = before.read(part)
            if part.filename.endswith("sheet1.xml"):
                text = data.decode().partition("?>")[2] or data.decode()
                head = f'<?xml version="1.0" encoding="{encoding[:6]}"?><!DOCTYPE worksheet []>'
                data = (head + text).encode(encoding)
            after.writestr(part, data)
    file.write_bytes(made.getvalue())
    with pytest.raises(ConfigurationError) as refused:
        Chart.load(file)
    assert refused.value.code == "CB-260"
