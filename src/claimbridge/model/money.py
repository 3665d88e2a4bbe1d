"""Exact money: a Decimal and its currency, never a float.

The minor units are those of ISO 4217 (list one, 2026); a currency outside it does not exist here.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from functools import reduce
from typing import Final

import msgspec

from claimbridge.errors import ClaimError

# ISO 4217 list one: active currencies by number of minor units (two unless listed otherwise).
_TWO: Final = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD "
    "CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD "
    "GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL "
    "MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN "
    "PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP "
    "SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG"
)
EXPONENTS: Final[dict[str, int]] = {
    **dict.fromkeys(_TWO.split(), 2),
    **dict.fromkeys(
        [
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ],
        0,
    ),
    **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
}

QUANTA: Final[dict[str, Decimal]] = {
    currency: Decimal(1).scaleb(-decimals) for currency, decimals in EXPONENTS.items()
}

EXACT: Final = Context(prec=60, rounding=ROUND_HALF_UP)
"""What money is computed under, whatever context the calling thread has set.

An amount has 18 digits at most and a rate 22: 60 digits hold their product, and a quotient that
rounds right. Nobody reads the context's flags, so threads may share it.
"""

MAX_INTEGER_DIGITS: Final = 15
"""An amount of 10**15 or more counts as a mistake, in any currency."""

MAX_FRACTION_DECIMALS: Final = 12


def exponent(currency: str) -> int:
    """Return the number of decimals that ``currency`` has (CNY 2, JPY 0, KWD 3).

    Raises ClaimError for a code that ISO 4217 does not list.
    """
    return -int(quantum(currency).as_tuple().exponent)


def quantum(currency: str) -> Decimal:
    """Return the smallest amount of ``currency`` (0.01 CNY, 1 JPY, 0.001 KWD).

    Raises ClaimError for a code that ISO 4217 does not list.
    """
    try:
        return QUANTA[currency]
    except (KeyError, TypeError):
        raise ClaimError(
            f"currency {excerpt(currency)!r} is not in ISO 4217; use a three-letter code such as "
            "CNY",
            code="CB-103",
        ) from None


def as_amount(value: object, currency: str, *, what: str = "amount") -> Decimal:
    """Return ``value`` as a Decimal with exactly the decimals of ``currency``.

    Takes a Decimal, an int or a decimal string; ``what`` names the field in the error. Raises
    ClaimError for a float, a value that is not finite, more decimals than the currency has, or
    more than fifteen digits before the point.
    """
    smallest = quantum(currency)
    if (
        type(value) is Decimal
        and value.same_quantum(smallest)
        and value.adjusted() < MAX_INTEGER_DIGITS
        and value
    ):
        return value  # most amounts have the right form already
    amount = as_decimal(value, what=what)
    if amount.adjusted() >= MAX_INTEGER_DIGITS:
        raise ClaimError(
            f"{what} {excerpt(amount)} {currency} is too large; the limit is "
            f"{MAX_INTEGER_DIGITS} digits before the point",
            code="CB-105",
        )
    exact = EXACT.quantize(amount, smallest)
    if exact != amount:
        raise ClaimError(
            f"{what} {excerpt(amount)} has more decimals than {currency} allows "
            f"({exponent(currency)}); round it where it arises",
            code="CB-104",
        )
    return EXACT.plus(exact)  # never a negative zero


def rounded(amount: Decimal, currency: str) -> Decimal:
    """Return ``amount`` rounded half up to the decimals of ``currency``, away from zero at a tie.

    Raises ClaimError for a code that ISO 4217 does not list.
    """
    return EXACT.plus(EXACT.quantize(amount, quantum(currency)))


def summed(amounts: Iterable[Decimal]) -> Decimal:
    """Return the exact sum of amounts, whatever the thread's context; 0 of none."""
    return reduce(EXACT.add, amounts, Decimal(0))


def as_fraction(
    value: object, *, what: str, low: Decimal = Decimal(0), high: Decimal = Decimal(1)
) -> Decimal:
    """Return a rate or share as a Decimal from ``low`` to ``high``, without trailing zeros.

    Raises ClaimError naming ``what`` for a float, a value out of range, or more than twelve
    decimals.
    """
    number = as_decimal(value, what=what)
    if not low <= number <= high:
        raise ClaimError(
            f"{what} {excerpt(number)} is out of range: from {low} to {high}", code="CB-144"
        )
    short = EXACT.normalize(number)
    decimals = -int(short.as_tuple().exponent)
    if decimals > MAX_FRACTION_DECIMALS:
        raise ClaimError(
            f"{what} {excerpt(number)} has more than {MAX_FRACTION_DECIMALS} decimals",
            code="CB-144",
        )
    return short if decimals >= 0 else EXACT.quantize(short, Decimal(1))  # 10, not 1E+1


def as_decimal(value: object, *, what: str) -> Decimal:
    """Return a finite Decimal from a Decimal, an int or a decimal string; refuse floats.

    Raises ClaimError naming ``what``.
    """
    if type(value) is Decimal and value.is_finite():  # most are
        return value
    if isinstance(value, float):
        raise ClaimError(
            f"{what} is a float ({value!r}), which cannot hold money exactly; "
            "pass a string or a Decimal",
            code="CB-101",
        )
    if isinstance(value, bool) or not isinstance(value, (Decimal, int, str)):
        raise ClaimError(
            f"{what} must be a decimal number, not {type(value).__name__}", code="CB-101"
        )
    try:
        amount = Decimal(value)
    except (InvalidOperation, ValueError):
        raise ClaimError(f"{what} {excerpt(value)!r} is not a number", code="CB-101") from None
    if not amount.is_finite():
        raise ClaimError(f"{what} {excerpt(value)} is not a finite number", code="CB-101")
    return amount


def excerpt(value: object) -> str:
    """Return ``value`` for a message, cut to a readable length."""
    text = str(value)
    return text if len(text) <= 40 else f"{text[:40]}…"


class Money(msgspec.Struct, frozen=True, order=False):
    """An exact amount in one currency, quantised to the currency's own decimals.

    The amount may be negative (a refund on a claim); postings hold positive amounts only.
    Raises ClaimError when it cannot exist: see ``as_amount``.
    """

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        exact = as_amount(self.amount, self.currency)
        if exact is not self.amount:
            msgspec.structs.force_setattr(self, "amount", exact)

    def __add__(self, other: Money) -> Money:
        self._same_currency(other)
        return Money(EXACT.add(self.amount, other.amount), self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same_currency(other)
        return Money(EXACT.subtract(self.amount, other.amount), self.currency)

    def __neg__(self) -> Money:
        return Money(EXACT.minus(self.amount), self.currency)

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"

    def _same_currency(self, other: Money) -> None:
        if self.currency != other.currency:
            raise ClaimError(
                f"{self} and {other} cannot be added: convert one of them first", code="CB-106"
            )
