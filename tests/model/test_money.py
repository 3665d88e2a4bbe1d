"""Exact money: what is read exactly, and what is refused, whatever the caller's decimal context."""

from __future__ import annotations

import decimal
from decimal import Decimal

import pytest

from claimbridge.errors import ClaimError
from claimbridge.model import Money, as_amount, exponent
from claimbridge.model.money import EXPONENTS, as_fraction, rounded


@pytest.mark.parametrize(
    ("currency", "decimals"),
    [
        ("CNY", 2),
        ("USD", 2),
        ("HUF", 2),
        ("JPY", 0),
        ("KRW", 0),
        ("UGX", 0),
        ("KWD", 3),
        ("TND", 3),
    ],
)
def test_minor_units_are_those_of_iso_4217(currency: str, decimals: int) -> None:
    """Yen has no decimals, the dinars of the Gulf have three, most have two."""
    assert exponent(currency) == decimals
    assert as_amount(7, currency).as_tuple().exponent == -decimals


def test_every_currency_is_a_code_of_three_letters() -> None:
    """No code is listed twice with different units, and all look like codes."""
    assert len(EXPONENTS) > 150
    assert all(len(code) == 3 and code.isascii() and code.isupper() for code in EXPONENTS)


@pytest.mark.parametrize("currency", ["XXX", "cny", "", "RMB", "EURO", None, 156, ["CNY"]])
def test_a_currency_outside_iso_4217_does_not_exist(currency: object) -> None:
    """Unknown, misspelt, historic and absent currencies are refused by one code."""
    with pytest.raises(ClaimError) as caught:
        as_amount("1.00", currency)  # type: ignore[arg-type]  # what the type forbids is the point
    assert caught.value.code == "CB-103"


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (1.5, "CB-101"),
        (float("nan"), "CB-101"),
        (True, "CB-101"),
        (None, "CB-101"),
        ("12,50", "CB-101"),
        ("", "CB-101"),
        (Decimal("NaN"), "CB-101"),
        (Decimal("sNaN"), "CB-101"),
        ("Infinity", "CB-101"),
        ("0.001", "CB-104"),
        ("0.30000000000000004", "CB-104"),
        ("1e-40", "CB-104"),
        ("1" * 30, "CB-105"),
        ("1000000000000000", "CB-105"),
        ("1e400", "CB-105"),
        (10**40, "CB-105"),
    ],
)
def test_what_is_no_amount_is_refused(value: object, code: str) -> None:
    """Floats, non-numbers, too many decimals and absurd magnitudes each have their code."""
    with pytest.raises(ClaimError, match="fare") as caught:
        as_amount(value, "CNY", what="fare")
    assert caught.value.code == code


def test_the_largest_amount_is_kept_to_the_last_digit() -> None:
    """Fifteen digits before the point and the decimals behind it survive."""
    assert str(as_amount("999999999999999.99", "CNY")) == "999999999999999.99"
    assert str(as_amount("-999999999999999.999", "KWD")) == "-999999999999999.999"


def test_zero_has_no_sign() -> None:
    """A negative zero would print as -0.00 and hash to another digest."""
    assert str(as_amount("-0.00", "CNY")) == "0.00"
    assert str(rounded(Decimal("-0.004"), "CNY")) == "0.00"


def test_half_a_cent_rounds_away_from_zero() -> None:
    """Half up by amount, so that a refund rounds as its expense did."""
    assert rounded(Decimal("0.125"), "CNY") == Decimal("0.13")
    assert rounded(Decimal("-0.125"), "CNY") == Decimal("-0.13")
    assert rounded(Decimal("0.5"), "JPY") == Decimal(1)


def test_the_callers_decimal_context_changes_nothing() -> None:
    """A program that computes with three digits, or truncates, still gets exact money."""
    with decimal.localcontext(decimal.Context(prec=3, rounding=decimal.ROUND_DOWN)):
        assert str(as_amount("123456789.12", "CNY")) == "123456789.12"
        assert rounded(Decimal("98765.435"), "CNY") == Decimal("98765.44")
        total = Money(Decimal("123456.78"), "CNY") + Money(Decimal("0.01"), "CNY")
        assert str(total) == "123456.79 CNY"
        assert str(-total) == "-123456.79 CNY"
        assert str(total - total) == "0.00 CNY"


def test_money_of_two_currencies_does_not_add() -> None:
    """Adding CNY to USD is a mistake, not a number."""
    with pytest.raises(ClaimError) as caught:
        Money(Decimal(1), "CNY") + Money(Decimal(1), "USD")
    assert caught.value.code == "CB-106"


@pytest.mark.parametrize(
    ("written", "kept"), [("0.060", "0.06"), ("10", "10"), ("1e1", "10"), ("7.1500", "7.15")]
)
def test_a_rate_keeps_no_trailing_zeros(written: str, kept: str) -> None:
    """Equal rates are written alike, so that equal claims have equal digests."""
    assert str(as_fraction(written, what="rate", high=Decimal(100))) == kept


@pytest.mark.parametrize("value", ["-0.01", "1.01", "0.0000000000001"])
def test_a_share_out_of_range_is_refused(value: str) -> None:
    """A share is from 0 to 1, to twelve decimals."""
    with pytest.raises(ClaimError, match="share") as caught:
        as_fraction(value, what="share")
    assert caught.value.code == "CB-144"
