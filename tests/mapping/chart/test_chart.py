"""Charts are checked when loaded: what is wrong is named by table or row, before any claim."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.mapping.charts import CHART, chart

from claimbridge.errors import ConfigurationError
from claimbridge.mapping import Chart

ROW = '[[expense]]\ntype = "hotel"\naccount = "6602.02"\n'
THIRD = 'chart: expense row 3 (type "hotel"): '


def refusal(text: str, *, more: str = "") -> ConfigurationError:
    """Return what loading this chart raises."""
    with pytest.raises(ConfigurationError) as caught:
        chart(text, more=more)
    return caught.value


@pytest.mark.parametrize(
    ("key", "code", "said"),
    [
        ('acount = "1"', "CB-206", 'unknown key "acount"; did you mean "account"?'),
        ("tax_rate = true", "CB-206", "tax_rate: expected `decimal | null`, got `bool`"),
        ('tax_rate = "six"', "CB-206", "tax_rate: invalid decimal string"),
        ("tax_rate = nan", "CB-207", "tax_rate NaN is not a finite number"),
        ("tax_rate = 6", "CB-207", "tax_rate 6 is out of range: from 0 to 1"),
        ("deductible = 1.01", "CB-207", "deductible 1.01 is out of range"),
        ("deductible = -0.1", "CB-207", "deductible -0.1 is out of range"),
        ('company = "CN01"', "CB-206", "company: expected `array | null`, got text in quotes"),
        ("company = []", "CB-207", "company is an empty list, which nothing fits"),
        ('company = ["CN09"]', "CB-207", 'company "CN09" has no [company.CN09] table'),
        ('department = [""]', "CB-207", "department is empty"),
        ('department = ["RD", 7]', "CB-206", "department[1]: expected text in quotes, got `int`"),
        ('cost_centre = "always"', "CB-206", "cost_centre: invalid enum value 'always'"),
        ('non_deductible_tax = "gone"', "CB-206", "non_deductible_tax: invalid enum value"),
        ('dimensions = [""]', "CB-207", "dimensions is empty"),
        ('tax_code = "\\u0001"', "CB-207", "tax_code holds the control character U+0001"),
        ('narration = "{nme}"', "CB-209", "narration: unknown field {nme}; there are id, title"),
        ('narration = "{text.__class__}"', "CB-209", "unknown field {text.__class__}"),
        ('narration = "{text!r}"', "CB-209", "field {text} takes no format"),
        ('narration = "{}"', "CB-209", "unknown field {}"),
        ('narration = "{text"', "CB-209", "narration: "),
        ('payment = ["cash"]', "CB-206", "payment[0]: invalid enum value 'cash'"),
        ("amount_over = -1", "CB-207", "amount_over -1 is out of range"),
        ("amount_up_to = 1e15", "CB-207", "amount_up_to 1000000000000000 is out of range"),
        ("amount_over = nan", "CB-207", "amount_over NaN is not a finite number"),
        ("amount_over = 5\namount_up_to = 5", "CB-207", "no amount is over 5 and up to 5"),
        (
            "valid_from = 2026-02-01\nvalid_to = 2026-01-31",
            "CB-207",
            "valid_from 2026-02-01 is after valid_to 2026-01-31",
        ),
        ('when = "amnt > 1"', "CB-263", 'when: unknown field "amnt"; did you mean "amount"?'),
        ('when = "$now == date"', "CB-263", 'when: unknown field "$now"'),
        ('when = "amount"', "CB-263", "when: it gives a number, not true or false"),
        ("when = \"amount > 'x'\"", "CB-263", "when: data type mismatch"),
        ('when = "amount >"', "CB-263", "when: syntax error"),
        ('when = "tax_rate > 0.06"', "CB-263", "nullable"),
        (
            'cost_centre = "required"\ndefault_cost_centre = "1"',
            "CB-207",
            "default_cost_centre never serves",
        ),
    ],
)
def test_a_wrong_row_is_named(key: str, code: str, said: str) -> None:
    """Place in the file, type, key, and what is wrong with it."""
    error = refusal(CHART, more=f"{ROW}{key}\n")
    assert error.code == code
    assert error.message.startswith(THIRD)
    assert said in error.message


@pytest.mark.parametrize(
    ("row", "code", "said"),
    [
        ('type = "hotel"', "CB-206", 'expense row 3 (type "hotel"): "account" is missing'),
        ('account = "1"', "CB-206", 'expense row 3: "type" is missing'),
        ('type = ""\naccount = "1"', "CB-207", "type is empty"),
        ('type = "hotel"\naccount = " "', "CB-207", "account is empty"),
        (
            'type = "hotel"\naccount = 6602',
            "CB-206",
            'row 3 (type "hotel"): account: expected text in quotes, got `int`',
        ),
    ],
)
def test_a_row_needs_a_type_and_an_account(row: str, code: str, said: str) -> None:
    """Missing, blank, and a number where leading zeros would be lost."""
    error = refusal(CHART, more=f"[[expense]]\n{row}\n")
    assert error.code == code
    assert said in error.message


@pytest.mark.parametrize(
    ("old", "new", "code", "said"),
    [
        ('name = "CN group"', "", "CB-206", '[chart]: "name" is missing'),
        ('name = "CN group"', 'name = ""', "CB-207", "[chart]: name is empty"),
        (
            'name = "CN group"',
            'name = "x"\nvalid_from = 2026-02-01\nvalid_to = 2026-01-31',
            "CB-207",
            "[chart]: valid_from 2026-02-01 is after valid_to 2026-01-31",
        ),
        (
            'name = "CN group"',
            'name = "x"\nvalid_from = "soon"',
            "CB-206",
            "[chart]: valid_from: ",
        ),
        ('rounding = "6603.09"', "", "CB-206", '[accounts]: "rounding" is missing'),
        ('input_tax = "2221.01"', "input_tax = {}", "CB-207", "[accounts]: input_tax names no"),
        (
            'input_tax = "2221.01"',
            'input_tax = { "0.06" = "1", "0.060" = "2" }',
            "CB-207",
            "[accounts]: input_tax names no account, or one rate twice",
        ),
        ('input_tax = "2221.01"', 'input_tax = { "6%" = "1" }', "CB-207", "the rate input_tax.6%"),
        ('input_tax = "2221.01"', "input_tax = 2221", "CB-206", "[accounts]: input_tax: "),
        ('card_payable = "2241.02"', 'card_payable = ""', "CB-207", "[accounts]: card_payable"),
        ('fx_difference = "6061.01"', "", "CB-207", '[accounts]: "fx_difference" is missing'),
        ("EUR = 7.80", "EUR = 0", "CB-207", "[company.CN02]: rates.EUR 0 is out of range"),
        ("EUR = 7.80", "EUR = true", "CB-207", "[company.CN02]: rates.EUR must be a decimal"),
        ("EUR = 7.80", "EURO = 7.80", "CB-207", "[company.CN02]: rates: currency 'EURO'"),
        ("EUR = 7.80", "CNY = 1", "CB-207", "[company.CN02]: rates.CNY is the rate of"),
        (
            '[company.CN01]\ncurrency = "CNY"',
            '[company.CN01]\ncurrency = "RMB"',
            "CB-207",
            "[company.CN01]: currency: currency 'RMB' is not in ISO 4217",
        ),
        ("[accounts]", "[acounts]", "CB-206", 'unknown key "acounts"; did you mean "accounts"?'),
        ("[accounts]", '[narration]\nline = "{x}"\n[accounts]', "CB-209", "[narration]: line: "),
        (
            "[accounts]",
            '[narration]\nclaim = "{text}"\n[accounts]',
            "CB-209",
            "[narration]: claim: unknown field {text}",
        ),
    ],
)
def test_a_wrong_table_is_named(old: str, new: str, code: str, said: str) -> None:
    """The same for everything that is no expense row."""
    assert old in CHART
    error = refusal(CHART.replace(old, new, 1))
    assert error.code == code
    assert said in error.message


def test_a_chart_without_companies_or_rows_is_refused() -> None:
    """Nothing could be mapped by it."""
    head = '[chart]\nname="x"\n[accounts]\nemployee_payable="1"\ncard_payable="2"\n'
    head += 'input_tax="3"\nrounding="4"\n'
    assert 'company" is missing' in refusal(head + "[[expense]]\n").message
    assert "there is no [company.…] table" in refusal("company = {}\nexpense=[]\n" + head).message
    no_rows = "expense = []\n" + head + '[company.A]\ncurrency="CNY"\n'
    assert "there is no [[expense]] row" in refusal(no_rows).message


@pytest.mark.parametrize(
    "data", [b"\xff", b"[chart", b"a = 1\na = 2", b"a = 1e9999999999999999999"]
)
def test_what_is_no_toml_is_refused(data: bytes) -> None:
    """Broken, doubled and undecodable files are the set-up's fault, with the cause kept."""
    with pytest.raises(ConfigurationError, match=r"cn\.toml: not a TOML file") as caught:
        Chart.from_toml(data, origin="cn.toml")
    assert caught.value.code == "CB-205"
    assert caught.value.__cause__ is not None


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """The path stands in the message."""
    with pytest.raises(ConfigurationError, match="it cannot be read") as caught:
        Chart.load(tmp_path / "absent.toml")
    assert caught.value.code == "CB-205"
    assert str(tmp_path / "absent.toml") in caught.value.message


def test_loading_names_the_file(tmp_path: Path) -> None:
    """Errors begin with the path that was loaded."""
    path = tmp_path / "cn.toml"
    path.write_text(CHART + '[[expense]]\ntype = "x"\n', "utf-8")
    with pytest.raises(ConfigurationError, match=f"{path}: expense row 3"):
        Chart.load(path)
    path.write_text(CHART, "utf-8")
    assert repr(Chart.load(path)) == "Chart('CN group')"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("", ""),
        ("", 'company = ["CN01"]'),
        ("", "amount_over = 5000"),
        ("", 'when = "amount > 1"'),
        ('company = ["CN01", "CN02"]', 'company = ["CN02"]'),
        ('department = ["RD"]', 'department = ["RD"]\ngrade = ["7"]\ncountry = ["CN"]'),
        ("amount_over = 100", "amount_over = 100\namount_up_to = 500"),
        ("valid_to = 2026-12-31", "valid_from = 2026-01-01\nvalid_to = 2026-06-30"),
        ('when = "amount > 1"', 'when = " amount > 1 "\nproject = ["P1"]'),
        ('payment = ["employee", "company_card"]', ""),
    ],
)
def test_a_row_that_can_never_be_reached_is_refused(one: str, other: str) -> None:
    """An earlier row takes all of its lines: both are named, the hidden one first."""
    error = refusal(CHART, more=f"{ROW}{one}\n{ROW}{other}\n")
    assert error.code == "CB-208"
    hidden, earlier = error.message.index("row 4 (hotel)"), error.message.index("row 3 (hotel)")
    assert hidden < error.message.index("can never be reached") < earlier


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('company = ["CN01"]', ""),
        ('company = ["CN01"]', 'company = ["CN02", "CN01"]'),
        ('company = ["CN01"]', 'department = ["RD"]'),
        ('company = ["CN01"]\ndepartment = ["RD"]', 'company = ["CN01"]'),
        ("amount_over = 100", "amount_over = 99.99"),
        ("amount_up_to = 100", "amount_up_to = 100.01"),
        ("valid_from = 2026-01-01", "valid_to = 2026-12-31"),
        ('when = "amount > 1"', 'when = "amount > 2"'),
        ('when = "amount > 1"', ""),
        ('payment = ["employee"]', ""),
    ],
)
def test_a_row_that_can_be_reached_is_taken(one: str, other: str) -> None:
    """Something is left for the later row."""
    chart(more=f"{ROW}{one}\n{ROW}{other}\n")


def test_the_same_conditions_on_another_type_hide_nothing() -> None:
    """Rows are compared within one type."""
    chart(more=ROW + ROW.replace("hotel", "motel"))


def test_rates_are_decimals_not_floats() -> None:
    """0.07 is seven hundredths: a float would compute 6.542056074766355140…01."""
    loaded = chart(more=f"{ROW}tax_rate = 0.07\n")
    (row,) = loaded._rules.rows.of_type("hotel")
    assert str(row.tax_rate) == "0.07"
