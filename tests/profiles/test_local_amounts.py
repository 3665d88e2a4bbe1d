"""Amounts in the local currency: what is changed where rounding leaves a difference."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.profiles.test_kingdee_eas import posting, submission
from tests.site import SITE

from claimbridge.errors import ConfigurationError
from claimbridge.model import JournalEntry, Posting, Role, Side, Voucher
from claimbridge.model.cash_flow import cash_flows
from claimbridge.profiles import load_profile
from claimbridge.profiles.kit.local_amounts import LocalCurrency

BANK: dict[str, Any] = {"dimensions": {"cash_flow": "CI04"}}


def local(**rates: str) -> LocalCurrency:
    held = {currency: Decimal(rate) for currency, rate in rates.items()}
    return LocalCurrency("CNY", held, profile="kingdee-eas")


def voucher(*debits: str, currency: str, more: Sequence[Posting] = ()) -> Voucher:
    """Expenses of one currency, paid from the bank; and whatever else balances."""
    total = str(sum(map(Decimal, debits)))
    lines = [posting(Side.DEBIT, one, currency=currency) for one in debits]
    bank = posting(Side.CREDIT, total, currency=currency, **BANK)
    return submission(*lines, *more, bank).voucher


def texts(amounts: Sequence[Decimal]) -> list[str]:
    return [f"{one:f}" for one in amounts]


def test_what_settles_the_claim_keeps_its_amount() -> None:
    """Twenty lines that are each rounded up do not make the bank pay nearly the double."""
    sent = voucher(*["11"] * 20, currency="JPY")
    amounts = local(JPY="0.0005").amounts(sent.postings)
    assert texts(amounts)[-1] == "0.11"
    assert sorted(texts(amounts)[:-1]) == ["0.00"] * 9 + ["0.01"] * 11


def test_a_cent_goes_where_it_is_least_in_proportion() -> None:
    """To the largest expense, not to a tax, and to no posting of the local currency itself."""
    pair = (
        posting(Side.DEBIT, "9999.00", currency="CNY"),
        posting(Side.CREDIT, "9999.00", currency="CNY"),
        posting(Side.DEBIT, "50.05", currency="USD", role=Role.INPUT_TAX),
    )
    lines = [posting(Side.DEBIT, one, currency="USD") for one in ("0.05", "1.05", "0.05")]
    total = posting(Side.CREDIT, "51.20", currency="USD")
    amounts = local(USD="7.1").amounts([*lines, *pair, total])
    # 0.355, 7.455, 0.355 and 355.355 are each rounded up; 363.52 is exact.
    assert texts(amounts) == ["0.36", "7.44", "0.36", "9999.00", "9999.00", "355.36", "363.52"]


def test_only_without_an_expense_does_a_tax_change_and_only_then_a_payable() -> None:
    """A voucher that moves a debt: there is nothing else."""
    debits = [
        posting(Side.DEBIT, one, currency="USD", role=Role.EMPLOYEE_PAYABLE)
        for one in ("0.05", "0.05")
    ]
    total = posting(Side.CREDIT, "0.10", currency="USD")
    assert texts(local(USD="7.1").amounts([*debits, total])) == ["0.36", "0.36", "0.72"]
    taxed = [msgspec.structs.replace(debits[0], role=Role.INPUT_TAX), debits[1], total]
    assert texts(local(USD="7.1").amounts(taxed)) == ["0.35", "0.36", "0.71"]


@given(
    st.lists(st.decimals("0.01", "99999.99", places=2), min_size=1, max_size=12),
    st.decimals("0.0001", "999", places=4),
)
def test_no_amount_is_negative_and_the_bank_pays_what_it_is_worth(
    debits: list[Decimal], rate: Decimal
) -> None:
    """Sides agree, flows add up to the bank's amount, and a red voucher has the same amounts."""
    sent = voucher(*map(str, debits), currency="USD")
    currency = local(USD=str(rate))
    amounts = currency.amounts(sent.postings)
    assert sum(amounts[:-1]) == amounts[-1] == currency.convert(sum(debits, Decimal(0)), "USD")
    flows = currency.of_flows(cash_flows(sent), sent.postings, amounts)
    assert flows == amounts[:-1]
    assert min(amounts) >= 0
    red = sent.reversal(JournalEntry("记-3-1"), posting_date=sent.posting_date)
    assert currency.amounts(red.postings) == amounts


def test_an_account_that_pays_in_part_never_has_a_negative_flow() -> None:
    """Two accounts share a line; each one's flows add up to its own amount."""
    lines = [posting(Side.DEBIT, one, currency="JPY") for one in ["11"] * 5]
    banks = [posting(Side.CREDIT, one, currency="JPY", **BANK) for one in ("20", "35")]
    sent = submission(*lines, *banks).voucher
    currency = local(JPY="0.0005")
    amounts = currency.amounts(sent.postings)
    flows = cash_flows(sent)
    parts = currency.of_flows(flows, sent.postings, amounts)
    assert min(parts) >= 0
    for at in (5, 6):
        own = [part for flow, part in zip(flows, parts, strict=True) if flow.cash == at]
        assert sum(own) == amounts[at]


@pytest.mark.parametrize("rate", ["0", "-1", "0.00", "-0.0001"])
@pytest.mark.parametrize(
    ("profile", "options", "name"),
    [
        ("kingdee-eas", {"credit": -1}, "rates"),
        ("yonyou-nc", SITE["yonyou-nc"], "rates"),
        ("yonyou-nc", SITE["yonyou-nc"] | {"group_currency": "CNY"}, "group_rates"),
        ("yonyou-nc", SITE["yonyou-nc"] | {"global_currency": "CNY"}, "global_rates"),
    ],
)
def test_a_rate_is_more_than_nothing(
    profile: str, options: dict[str, Any], name: str, rate: str
) -> None:
    """A voucher of zero or turned amounts is never built: the ledger does not open."""
    with pytest.raises(ConfigurationError, match=rf"{name}: the rate of JPY is {rate}") as refused:
        load_profile(profile, {**options, name: {"USD": "7.1", "JPY": rate}})
    assert refused.value.code == "CB-243"
