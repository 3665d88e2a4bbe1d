"""How an amount is divided into parts that add up to it, and how a fraction is written."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final, Literal

from claimbridge.model.money import EXACT, MAX_FRACTION_DECIMALS, exponent

Remainder = Literal["largest", "first", "last"]
_TWO: Final = Decimal(2)


def divide(
    amount: Decimal, weights: Sequence[Decimal], currency: str, remainder: Remainder
) -> list[Decimal]:
    """Return ``amount`` in parts proportional to ``weights``, with the decimals of ``currency``.

    Each part is rounded down. The remaining cents go one each to parts that rounding made smaller,
    in the order that ``remainder`` names: no part is a whole cent off. A refund divides as what it
    refunds. The weights have one sign, and are not all zero unless the amount is.
    """
    decimals = exponent(currency)
    units = abs(int(EXACT.scaleb(amount, decimals)))
    shares = [abs(int(EXACT.scaleb(weight, MAX_FRACTION_DECIMALS))) for weight in weights]
    whole = sum(shares)
    if not units or not whole:
        return [EXACT.scaleb(Decimal(0), Decimal(-decimals))] * len(shares)
    divided = [divmod(units * share, whole) for share in shares]
    parts = [part for part, _ in divided]
    short = [place for place, (_, rest) in enumerate(divided) if rest]
    if remainder == "largest":
        short.sort(key=lambda place: -shares[place])
    elif remainder == "last":
        short.reverse()
    for place in short[: units - sum(parts)]:
        parts[place] += 1
    sign = -1 if amount < 0 else 1
    return [EXACT.scaleb(Decimal(sign * part), Decimal(-decimals)) for part in parts]


def per_cent(fraction: Decimal) -> str:
    """Return a rate or share as people read it: ``6 %``."""
    return f"{EXACT.scaleb(fraction, _TWO):f} %"
