"""Claims in CSV as people and spreadsheets write them: read where it means one thing, else told."""

from __future__ import annotations

import datetime as dt
import decimal
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.sources.conftest import Inbox, plain
from tests.sources.test_folder import fault, read

from claimbridge.errors import ClaimBridgeError
from claimbridge.mapping.chart.files.cells import (
    UnreadableCell,
    amount_of,
    day_of,
    decode_text,
    number_of,
)
from claimbridge.model import Claim
from claimbridge.sandbox import Sandbox
from claimbridge.sources.csv.layouts import claims_in

HEADER = "id,company,employee,currency,total,line.type,line.date,line.amount,line.text"


def row(
    claim_id: str = "X-1",
    *,
    date: str = "2026-03-09",
    amount: str = "23.00",
    currency: str = "CNY",
    text: str = "t",
) -> str:
    cell = f'"{amount}"'
    return f"{claim_id},CN01,E1024,{currency},{cell},taxi,{date},{cell},{text}"


def one(data: str | bytes) -> Claim:
    (claim,) = read(data, ".csv")
    return claim


@pytest.mark.parametrize(
    "written",
    [
        *("2026/3/9", "2026/03/09", "2026年3月9日", "2026年03月09号", "20260309", "2026.3.9"),
        *("2026-03-09 00:00:00", "2026-03-09T00:00:00", "2026/3/9 0:00", "２０２６－０３－０９"),
        *(" 2026-3-9 ", "_x000D_2026-3-9"),
    ],
)
def test_dates_that_mean_one_day(written: str) -> None:
    """What Excel and people write for a day is read as that day."""
    assert one(f"{HEADER}\n{row(date=written)}").lines[0].date == dt.date(2026, 3, 9)


def test_a_day_that_can_only_be_one() -> None:
    """Where only one of two numbers can be a month, there is nothing to guess."""
    assert day_of("31/3/2026") == day_of("3/31/2026") == dt.date(2026, 3, 31)
    assert day_of("9/9/2026") == dt.date(2026, 9, 9)


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("46090", "a day's number of a spreadsheet; give the column a date format"),
        ("46090.0", "a day's number of a spreadsheet"),
        ("9/3/2026", "it could mean two days"),
        ("26-3-9", "it could mean several days"),
        ("2026-02-30", "there is no such day"),
        ("2026-03-09 10:30:00", "it has a time of day"),
        ("2026-03-09T00:00:00+08:00", "it has a time of day"),
        ("#N/A", "an error of the spreadsheet"),
        ("=TODAY()", "it is a formula"),
        ("March", "it is no date"),
    ],
)
def test_dates_that_do_not(written: str, words: str) -> None:
    """They are refused by row and column, with the cell's text, in our words."""
    error = fault(f"{HEADER}\n{row(date=written)}", ".csv")
    assert error.code == "CB-561"
    assert f'row 2, line.date: "{written}": ' in str(error)
    assert words in str(error)
    assert error.claim_id == "X-1"


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        *(("1,234.50", "1234.50"), ("￥1,234.50", "1234.50"), ("1 234.50", "1234.50")),
        *(("1,234,567.00", "1234567.00"), ("1,234", "1234.00")),
        *(("¥23.00", "23.00"), ("23.00元", "23.00"), ("CNY 23.00", "23.00"), ("23 RMB", "23.00")),
        *(("２３．００", "23.00"), ("2.3E+1", "23.00"), (" 23.00 ", "23.00"), ("+23", "23.00")),
        *(("\u221223.00", "-23.00"), ("23.00-", "-23.00"), ("(23.00)", "-23.00")),
        *(("（23.00）", "-23.00"), ("-¥23.00", "-23.00"), ("¥-23.00", "-23.00")),
        *(("23.00_x000D_", "23.00"), ("'23.00", "23.00")),
    ],
)
def test_amounts_that_mean_one(written: str, amount: str) -> None:
    """Signs of money, groups of thousands, the minus of accountants: read exactly."""
    claim = one(f"{HEADER}\n{row(amount=written)}")
    assert claim.total == claim.lines[0].amount == Decimal(amount)


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("23,50", "it could mean 23.50 or 2350"),
        ("1.234,50", "its comma seems to be a decimal point"),
        ("12,3456.00", "grouped otherwise than by thousands"),
        ("1,23,456.00", "grouped otherwise than by thousands"),
        ("$23.00", "it is in $, and CNY is meant here"),
        ("23.00 USD", "it is in USD, and CNY is meant here"),
        ("#VALUE!", "an error of the spreadsheet"),
        ("#DIV/0!", "an error of the spreadsheet"),
        ("=SUM(A1:A2)", "it is a formula"),
        ("########", "an error of the spreadsheet"),
        ("-(23.00)", "it has two signs"),
        ("twenty", "it is no amount"),
        ("NaN", "it is no amount"),
        ("1_000", "it is no amount"),
        ("23.00\u200b", "it is in <U+200B>"),
    ],
)
def test_amounts_that_do_not(written: str, words: str) -> None:
    """They are refused by row and column, with the cell's text, in our words."""
    error = fault(f"{HEADER}\n{row(amount=written)}", ".csv")
    assert error.code == "CB-561"
    assert "row 2, total: " in str(error)
    assert words in str(error)


def test_a_refusal_of_the_claim_has_row_and_column() -> None:
    """What the claim itself refuses is said with its row and column too."""
    junk = fault(f"{HEADER}\n{row(amount='23.500000000000004')}", ".csv")
    assert junk.code == "CB-104"
    assert "row 2, total: total 23.500000000000004 has more decimals" in str(junk)
    rows = "\n".join((HEADER, row("A"), row("A").replace("E1024", "E1024"), row("B\u200b")))
    found = list(claims_in(rows.encode(), suffix=".csv", what="f"))
    told = [str(error) for error in found if isinstance(error, ClaimBridgeError)]
    assert "the lines add up to 46.00" in told[0]
    assert "row 4, id: id" in told[1]
    assert "U+200B" in told[1]


def test_a_foreign_line_has_its_own_signs() -> None:
    """A line's currency decides what its signs may be."""
    header = f"{HEADER},line.currency,line.rate"
    line = 'X,CN01,E1,CNY,72.00,hotel,2026-03-09,"US$10.00",t,USD,7.2'
    assert one(f"{header}\n{line}").lines[0].amount == 10
    assert fault(f"{header}\n{line.replace('US$', 'HK$')}", ".csv").code == "CB-561"
    dinars = 'X,CN01,E1,CNY,8.00,hotel,2026-03-09,"1,234",t,KWD,8'
    assert "it could mean 1.234 or 1234" in str(fault(f"{header}\n{dinars}", ".csv"))


@pytest.mark.parametrize(
    ("column", "cell", "words"),
    [
        ("line.tax_rate", "6 %", ""),
        ("line.tax_rate", "abc", "it is no number"),
        ("line.personal", "否", ""),
        ("line.personal", "perhaps", "neither true nor false"),
        ("line.payment", "cash", "none of employee, company_card"),
        ("revision", "1.0", ""),
        ("revision", "1.5", "no whole number"),
        ("approved_at", "2026-03-31 10:00:00", "it has no time zone; write it as"),
        ("approved_at", "yesterday", "it is no moment"),
        ("posting_date", "2026年3月31日", ""),
        ("remarks", "paid", "nobody knows the column remarks"),
        ("remarks", "", ""),
        ("dimensions.Project", "P-7", ""),
    ],
)
def test_every_kind_of_cell_is_read_or_told(column: str, cell: str, words: str) -> None:
    """No message is another library's, whatever the field."""
    data = f"{HEADER},{column}\n{row()},{cell}"
    if not words:
        claim = one(data)
        assert claim.dimensions == ({"Project": "P-7"} if column.startswith("dim") else {})
        return
    error = fault(data, ".csv")
    assert words in str(error)
    assert "`$" not in str(error)


@pytest.mark.parametrize("missing", ["company", "employee", "line.date"])
def test_what_is_missing_is_named(missing: str) -> None:
    """A claim without a field that none is without says which."""
    names = HEADER.split(",")
    cells = row().replace('"', "").split(",")
    cells[names.index(missing)] = ""
    assert f"row 2: {missing} is missing" in str(fault(f"{HEADER}\n{','.join(cells)}", ".csv"))


# --- the table around the cells ---------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        f"{HEADER},,,\n{row()},,,\n,,,,,,,,,,,\n",
        f"sep=,\r\n{HEADER}\r\n{row()}\r\n",
        f"SEP=;\r\n{HEADER.replace(',', ';')}\r\n{row().replace(',', ';')}\r\n",
        f"\ufeff\ufeff{HEADER}\n{row()}",
        f"{HEADER.upper()}\n{row()}",
        f"\n\n{HEADER}\n\n{row()}\n",
        "报销单号,公司,员工,币种,合计,费用类型,日期,金额,说明\n" + row(),
        "单号, 公司代码 ,工号,货币,总金额,费用类别,发生日期,价税合计,摘要\n" + row(),
        HEADER.replace("line.", "ｌｉｎｅ．") + "\n" + row(),
    ],
    ids=["trailing", "sep", "sep-semicolon", "boms", "capitals", "empty", "cn", "cn2", "wide"],
)
def test_headers_that_mean_one_thing(data: str) -> None:
    """Empty columns and rows, a line ``sep=``, capitals, Chinese names: read."""
    claim = one(data)
    assert (claim.id, claim.total, claim.lines[0].text) == ("X-1", 23, "t")


def test_headers_that_do_not() -> None:
    """A title above, a name twice, a cell without a name: refused, saying what to do."""
    title = fault(f"三月报销,,,,,,,,\n\n{HEADER}\n{row()}", ".csv")
    assert (title.code, "row 3 is its header; delete the rows above it" in str(title)) == (
        "CB-562",
        True,
    )
    twice = fault(f"{HEADER},报销单号\n{row()},X-1", ".csv")
    assert "has id twice (id, 报销单号)" in str(twice)
    nameless = fault(f"{HEADER},\n{row()},7", ".csv")
    assert "row 2: column 10 has a cell, but no name" in str(nameless)
    none = fault("a,b\n1,2", ".csv")
    assert "no column id (报销单号, 单号" in str(none)
    assert "nobody knows a, b" in str(none)


def test_a_row_of_totals_is_no_claim() -> None:
    """The claims above it are read; the row is told as what it is."""
    data = f"{HEADER}\n{row('X-33')}\n合计,,,,23.00,,,23.00,\n,,,Total:,23.00,,,,\n"
    found = list(claims_in(data.encode(), suffix=".csv", what="f"))
    assert [each.id for each in found if isinstance(each, Claim)] == ["X-33"]
    told = [each for each in found if isinstance(each, ClaimBridgeError)]
    assert [each.code for each in told] == ["CB-563", "CB-563"]
    assert 'row 3 ("合计") is one of totals' in str(told[0])
    nobody = fault(f"{HEADER}\n,CN01,E1,CNY,1,taxi,2026-03-09,1,t", ".csv")
    assert "row 2: there is no id" in str(nobody)


def test_encodings() -> None:
    """GBK with Windows' euro is read; Big5, and bytes that are nothing, are told."""
    text = f"{HEADER}\n{row(text='出租车')}\n"
    assert one(text.encode("gbk")).lines[0].text == "出租车"
    assert (
        one(text.encode("gbk").replace(b",\xb3\xf6", b",\x80 \xb3\xf6")).lines[0].text == "€ 出租车"
    )
    big5 = fault(f"{HEADER}\n{row(text='計程車費')}\n".encode("big5"), ".csv")
    assert big5.code == "CB-564"
    assert "計程車費" in str(big5)
    broken = fault(text.encode("gbk") + b"\xff\xff", ".csv")
    assert (broken.code, "line 3 has the byte 0xFF" in str(broken)) == ("CB-564", True)
    assert decode_text("員工費用計程車出差旅費報銷".encode("gbk")) == "員工費用計程車出差旅費報銷"


def test_codes_are_read_in_half_width() -> None:
    """A code typed full-width, with two spaces, or wrapped for Excel is what is meant; ids are not.

    An id in another spelling is refused: it may be posted already in the one that is meant.
    """
    base = f"{HEADER},cost_centre,department,document.kind,document.number\n{row()}"
    claim = one(f"{base},６６０２,研发部（上海）,receipt,００１")
    assert (claim.cost_centre, claim.department) == ("6602", "研发部（上海）")
    assert claim.lines[0].documents[0].number == "００１"
    wrapped = f"{base},'0012,R  D,receipt,\n".replace("X-1", '"=""X-1"""')
    assert (one(wrapped).id, one(wrapped).cost_centre) == ("X-1", "0012")
    assert one(wrapped).department == "R D"
    assert fault(f"{HEADER}\n{row('Ｘ－１')}", ".csv").code == "CB-128"
    assert fault(f"{base},66\u200b02,,receipt,", ".csv").code == "CB-127"


@given(st.text(max_size=30))
def test_any_cell_ends_in_a_value_or_in_words(text: str) -> None:
    """Nothing but UnreadableCell leaves a cell."""
    for reading in (day_of, number_of, lambda cell: amount_of(cell, "CNY")):
        try:
            reading(text)  # type: ignore[operator]
        except UnreadableCell:
            continue


def test_amounts_are_exact_in_any_context() -> None:
    """A thread's coarse context rounds nothing."""
    with decimal.localcontext(decimal.Context(prec=3)):
        assert amount_of("-1,234,567.89", "CNY") == Decimal("-1234567.89")
        assert number_of("12.3456%") == Decimal("0.123456")


# --- through the intake into a ledger ---------------------------------------------------------

SPELLINGS = ["ID-2", "ID-2\u200b", "\u202dID-2\u202c", "ID-2\ufeff", "ID\u00ad-2", "ID\u2060-2"]
SPELLINGS += ["ID-2\U000e0041", "ＩＤ－２", "ID-2\u3000"]
"""The last is white space at an end, which belongs to the cell in CSV."""


def test_one_claim_is_one_journal_entry_however_its_id_is_written(
    inbox: Inbox, sandbox: Sandbox
) -> None:
    """By CSV and by JSON: one journal entry, and every other spelling refused with its reason."""
    inbox.put("all.csv", "\n".join((HEADER, *map(row, SPELLINGS[:-1]))).encode())
    assert [one["state"] for one in inbox.intake().values()].count("accepted") == 1
    for number, spelling in enumerate(SPELLINGS):
        inbox.put(f"{number}.json", plain(spelling, line={"amount": "23.00"}, total="23.00"))
    inbox.intake()
    assert [entry.reference for entry in sandbox.ledger()] == ["ID-2"]
    told = inbox.reason("all.csv")
    assert all(name in told for name in ("U+200B", "U+202D", "U+FEFF", "U+00AD", "U+E0041"))
    assert "write 'ID-2'" in told
