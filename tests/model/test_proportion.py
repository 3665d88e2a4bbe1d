"""How amounts are divided: exactly, with the cents that remain where the rule says."""

from __future__ import annotations

import decimal
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claimbridge.model.proportion import Remainder, divide

WEIGHTS = st.lists(st.decimals(0, 10**6, places=3), min_size=1, max_size=12).filter(any)
AMOUNTS = st.integers(-(10**9), 10**9).map(lambda cents: Decimal(cents).scaleb(-2))
RULES = st.sampled_from(["largest", "first", "last"])


@given(AMOUNTS, WEIGHTS, RULES)
def test_parts_add_up_and_none_is_a_cent_off(
    amount: Decimal, weights: list[Decimal], rule: Remainder
) -> None:
    """Whatever is divided; what weighs nothing gets nothing."""
    parts = divide(amount, weights, "CNY", rule)
    assert sum(parts, Decimal(0)) == amount
    whole = sum(map(Fraction, weights))
    for part, weight in zip(parts, weights, strict=True):
        exact = Fraction(amount) * Fraction(weight) / whole
        assert abs(Fraction(part) - exact) < Fraction(1, 100)
        assert part.as_tuple().exponent == -2
        assert weight or not part


@given(AMOUNTS, WEIGHTS, RULES)
def test_a_refund_divides_as_what_it_refunds(
    amount: Decimal, weights: list[Decimal], rule: Remainder
) -> None:
    """The same parts, the other way round; whatever context the thread has set."""
    with decimal.localcontext(prec=3):
        other = [weight.copy_negate() for weight in weights]
        back = divide(amount.copy_negate(), other, "CNY", rule)
    assert [-part for part in back] == divide(amount, weights, "CNY", rule)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("largest", ["0.02", "0.02", "0.03", "0.03"]),
        ("first", ["0.03", "0.03", "0.02", "0.02"]),
        ("last", ["0.02", "0.02", "0.03", "0.03"]),
    ],
)
def test_the_cents_that_remain_go_where_the_rule_says(rule: Remainder, expected: list[str]) -> None:
    """Of 0.10 by 24, 24.9, 25 and 26.1: each is 0.02 and a fraction, and two cents remain."""
    weights = [Decimal(24), Decimal("24.9"), Decimal(25), Decimal("26.1")]
    parts = divide(Decimal("0.10"), weights, "CNY", rule)
    assert list(map(str, parts)) == expected


def test_a_part_that_comes_out_even_gets_none_of_the_cents() -> None:
    """Half of 0.02 is a cent, exactly: the other cent is divided between the rest."""
    weights = [Decimal("0.5"), Decimal("0.25"), Decimal("0.25")]
    assert list(map(str, divide(Decimal("0.02"), weights, "CNY", "largest"))) == [
        "0.01", "0.01", "0.00",
    ]  # fmt: skip  # one list


def test_yen_and_dinars_have_their_own_decimals() -> None:
    """A currency's smallest amount is what remains."""
    halves = [Decimal(1), Decimal(1)]
    assert list(map(str, divide(Decimal(3), halves, "JPY", "last"))) == ["1", "2"]
    assert list(map(str, divide(Decimal("0.003"), halves, "KWD", "first"))) == ["0.002", "0.001"]


def test_nothing_divides_into_nothings() -> None:
    """Zero by any weights, or by none that weigh."""
    assert list(map(str, divide(Decimal("0.00"), [Decimal(0)] * 2, "CNY", "last"))) == ["0.00"] * 2
