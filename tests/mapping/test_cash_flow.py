"""The items of the cash flow statement: on which postings they stand, and what paid for what."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from claimbridge.errors import ConfigurationError
from claimbridge.mapping import Chart
from claimbridge.model import Advance, Claim, ClaimLine, Posting, Role, Side, Voucher
from claimbridge.model.cash_flow import CashFlow, cash_flows

CHART = """
[chart]
name = "CN01"
[accounts]
employee_payable = "1002.01"
card_payable = "2241.02"
input_tax = "2221.01"
rounding = "6603.09"
advance_clearing = "1221.01"
[company.CN01]
currency = "CNY"
[[expense]]
type = "travel"
account = "6602.02"
deductible = 1
[[expense]]
type = "training"
account = "6602.07"
"""
BY_ACCOUNT = '[[cash_flow]]\naccount = "1002.01"\nitem = "CI04"\n'
BY_TYPE = '[[cash_flow]]\naccount = "1002.01"\ntype = ["training"]\nitem = "CI05"\n'
DAY = dt.date(2026, 3, 16)


def line(type_: str, amount: str, **changes: Any) -> ClaimLine:
    return ClaimLine(type=type_, amount=Decimal(amount), date=DAY, **changes)


def claim(*lines: ClaimLine, **changes: Any) -> Claim:
    total = sum((one.amount for one in lines), Decimal(0))
    return Claim(
        id="EXP-1",
        revision=1,
        company="CN01",
        employee="E1",
        currency="CNY",
        total=total,
        lines=lines,
        **changes,
    )


def items(chart: str, *lines: ClaimLine, **changes: Any) -> list[tuple[str, str]]:
    """The postings' accounts, each with its item."""
    voucher = Chart.from_toml(chart.encode()).map(claim(*lines, **changes)).voucher
    return [(one.account, one.dimensions.get("cash_flow", "")) for one in voucher.postings]


def test_a_claim_that_is_paid_from_the_bank_has_an_item_of_the_account() -> None:
    """And of the expense type where the chart has one."""
    lines = (line("travel", "106.00"), line("training", "50.00"))
    assert items(CHART + BY_ACCOUNT + BY_TYPE, *lines) == [
        ("6602.02", ""),
        ("6602.07", "CI05"),
        ("1002.01", "CI04"),
    ]


def test_a_debt_has_no_cash_flow() -> None:
    """Neither on the payable nor on the expenses, whatever the chart says of their types."""
    payable = (CHART + BY_ACCOUNT + BY_TYPE).replace('payable = "1002.01"', 'payable = "2241.01"')
    assert items(payable, line("training", "50.00")) == [("6602.07", ""), ("2241.01", "")]
    assert items(CHART, line("training", "50.00")) == [("6602.07", ""), ("1002.01", "")]


def test_a_claim_s_own_item_stays() -> None:
    """A row may ask the line for it, as for any dimension."""
    chart = CHART.replace('"6602.07"', '"6602.07"\ndimensions = ["cash_flow"]')
    found = items(
        chart + BY_ACCOUNT + BY_TYPE, line("training", "50.00", dimensions={"cash_flow": "CI09"})
    )
    assert found == [("6602.07", "CI09"), ("1002.01", "CI04")]


def test_the_explanation_names_the_item() -> None:
    """``claimbridge map --explain`` says where it came from."""
    mapped = Chart.from_toml((CHART + BY_ACCOUNT).encode()).map(claim(line("travel", "9.00")))
    (rule,) = [one.rule for one in mapped.explain if "cash flow" in one.rule]
    assert rule.endswith("; cash flow item CI04")


@pytest.mark.parametrize(
    ("rules", "code", "why"),
    [
        (BY_TYPE, "CB-207", "by type only"),
        (BY_ACCOUNT + BY_ACCOUNT, "CB-208", "an item already"),
        (BY_ACCOUNT + BY_TYPE + BY_TYPE, "CB-208", 'type "training" has an item already'),
        (BY_ACCOUNT.replace("CI04", ""), "CB-207", "item"),
        (BY_ACCOUNT.replace("item", "code"), "CB-206", 'unknown key "code"'),
    ],
)
def test_rules_without_sense_are_refused_when_the_chart_is_loaded(
    rules: str, code: str, why: str
) -> None:
    """The message names the rule."""
    with pytest.raises(ConfigurationError, match=why) as refused:
        Chart.from_toml((CHART + rules).encode())
    assert refused.value.code == code


def test_a_company_s_items_go_before_its_group_s(tmp_path: Path) -> None:
    """Account by account and type by type."""
    (tmp_path / "group.toml").write_text(CHART + BY_ACCOUNT + BY_TYPE, encoding="utf-8")
    own = '[chart]\nname = "own"\nextends = "group.toml"\n' + BY_ACCOUNT.replace("CI04", "CI40")
    (tmp_path / "own.toml").write_text(own, encoding="utf-8")
    voucher = Chart.load(tmp_path / "own.toml").map(claim(line("training", "9.00"))).voucher
    assert [one.dimensions.get("cash_flow") for one in voucher.postings] == ["CI05", "CI40"]


def test_the_items_may_stand_in_a_sheet(tmp_path: Path) -> None:
    """With Chinese names, several types in a cell."""
    (tmp_path / "chart.csv").write_text("key,value\nname,CN01\n", encoding="utf-8")
    (tmp_path / "accounts.csv").write_text(
        "key,value\nemployee_payable,1002.01\ncard_payable,2241.02\ninput_tax,2221.01\n"
        "rounding,6603.09\n",
        encoding="utf-8",
    )
    (tmp_path / "company.csv").write_text("company,currency\nCN01,CNY\n", encoding="utf-8")
    (tmp_path / "expense.csv").write_text("type,account\ntraining,6602.07\n", encoding="utf-8")
    (tmp_path / "现金流量.csv").write_text(
        '科目,费用类型,现金流量项目\n1002.01,,CI04\n1002.01,"training、telephone",CI05\n',
        encoding="utf-8",
    )
    voucher = Chart.load(tmp_path).map(claim(line("training", "9.00"))).voucher
    assert [one.dimensions.get("cash_flow") for one in voucher.postings] == ["CI05", "CI04"]


def test_accounts_of_cash_are_checked_against_the_erp_s() -> None:
    """Like every other account of the chart."""
    chart = Chart.from_toml((CHART + BY_ACCOUNT.replace("1002.01", "1002.99")).encode())
    found = chart.check(day=DAY, accounts={"1002.01"})
    assert any("cash_flow" in one.where and "1002.99" in one.text for one in found)


# --- what paid for what -------------------------------------------------------------------------


def posting(role: Role, side: Side, amount: str, item: str = "", **changes: Any) -> Posting:
    dimensions = {"cash_flow": item} if item else {}
    account = "1002" if role is Role.EMPLOYEE_PAYABLE else "6602"
    return Posting(
        role=role,
        account=account,
        side=side,
        amount=Decimal(amount),
        currency=changes.pop("currency", "CNY"),
        dimensions=dimensions,
        **changes,
    )


def flows(*postings: Posting) -> list[tuple[int, int, str, str, bool]]:
    voucher = Voucher(
        claim_id="EXP-1",
        revision=1,
        company="CN01",
        employee="E1",
        currency="CNY",
        document_date=DAY,
        posting_date=DAY,
        postings=postings,
    )
    return [(*_plain(one),) for one in cash_flows(voucher)]


def _plain(one: CashFlow) -> tuple[int, int, str, str, bool]:
    return one.cash, one.opposite, one.item, str(one.amount), one.last


EXPENSE, PAID, D, C = Role.EXPENSE, Role.EMPLOYEE_PAYABLE, Side.DEBIT, Side.CREDIT


def test_cash_is_divided_among_what_it_paid_for() -> None:
    """In the order of the postings; each with its own item, or the account's."""
    assert flows(
        posting(EXPENSE, D, "100.00"),
        posting(Role.INPUT_TAX, D, "6.00", "CI05"),
        posting(PAID, C, "106.00", "CI04"),
    ) == [(2, 0, "CI04", "100.00", False), (2, 1, "CI05", "6.00", True)]


def test_an_advance_paid_for_the_rest() -> None:
    """Only what came from the bank is a flow."""
    assert flows(
        posting(EXPENSE, D, "100.00"),
        posting(Role.ADVANCE_CLEARING, C, "70.00"),
        posting(PAID, C, "30.00", "CI04"),
    ) == [(2, 0, "CI04", "30.00", True)]


def test_what_comes_back_is_a_flow_too() -> None:
    """An employee who returns more than he spent: the bank is debited, the advance credited."""
    assert flows(
        posting(EXPENSE, D, "60.00"),
        posting(PAID, D, "40.00", "CI03"),
        posting(Role.ADVANCE_CLEARING, C, "100.00"),
    ) == [(1, 2, "CI03", "40.00", True)]


def test_between_accounts_of_cash_nothing_flows() -> None:
    """And never between two currencies or companies."""
    assert flows(posting(PAID, D, "9.00", "CI04"), posting(PAID, C, "9.00", "CI04")) == []
    assert flows(
        posting(EXPENSE, D, "9.00", currency="USD"),
        posting(PAID, C, "9.00", "CI04", currency="USD"),
        posting(EXPENSE, D, "5.00"),
        posting(Role.CARD_PAYABLE, C, "5.00"),
    ) == [(1, 0, "CI04", "9.00", True)]


def test_without_an_item_on_the_settlement_there_is_no_flow() -> None:
    """An item on an expense alone says nothing about cash."""
    assert flows(posting(EXPENSE, D, "9.00", "CI05"), posting(PAID, C, "9.00")) == []


def test_an_advance_is_settled_without_cash(tmp_path: Path) -> None:
    """The claim: 106 spent, 100 of them from an advance; the bank pays 6."""
    advance = Advance(reference="AD-1", settled=Decimal("100.00"))
    mapped = Chart.from_toml((CHART + BY_ACCOUNT).encode()).map(
        claim(line("travel", "106.00"), advances=(advance,))
    )
    (flow,) = cash_flows(mapped.voucher)
    assert (str(flow.amount), flow.item) == ("6.00", "CI04")
