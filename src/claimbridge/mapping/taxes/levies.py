"""One tax in a gross amount: how much of it there is, and how much may be deducted."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import msgspec

from claimbridge.model.money import EXACT, rounded

_ZERO: Final = Decimal(0)
_ONE: Final = Decimal(1)
_TWO: Final = Decimal(2)
STATED: Final = "as the invoice states it"


class Levy(msgspec.Struct, frozen=True):
    """One tax in a gross amount, in the line's currency and with its sign.

    ``deducted`` is the part of ``tax`` that may be deducted: its ``share``, or, where share is
    None, what the verification of the invoice found. ``exact`` is the tax before it was rounded,
    and equal to it when the invoice stated it. ``rate`` is None when nobody states one. ``origin``
    says where the tax is from. ``kind`` may choose its account; ``by`` names the invoice rule that
    decided the share. ``base`` is the net amount that it is a tax on, None: the line's.
    """

    tax: Decimal
    deducted: Decimal
    exact: Decimal
    rate: Decimal | None
    share: Decimal | None
    origin: str
    kind: str = ""
    by: str = ""
    base: Decimal | None = None

    @property
    def kept(self) -> Decimal:
        """The part that is not deductible."""
        return EXACT.subtract(self.tax, self.deducted)

    @property
    def exact_deducted(self) -> Decimal:
        """The deductible part of the exact tax."""
        return self.deducted if self.share is None else EXACT.multiply(self.exact, self.share)


def share_of(stated: Decimal | None, by_kind: Decimal | None, by_row: Decimal | None) -> Decimal:
    """Return the deductible share of a tax: as the claim has stated it, if it has.

    Else both what the document's kind and what the expense row allow bounds it: a special invoice
    does not make entertainment deductible. None: nothing is said, and the other decides; where
    neither says anything, nothing is deductible.
    """
    if stated is not None:
        return stated
    if by_kind is None:
        return by_row or _ZERO
    return by_kind if by_row is None else min(by_kind, by_row)


def levied(
    tax: Decimal,
    share: Decimal,
    currency: str,
    *,
    rate: Decimal | None,
    kind: str = "",
    by: str = "",
) -> Levy:
    """Return a tax that an invoice states, ``share`` of which may be deducted."""
    deducted = rounded(EXACT.multiply(tax, share), currency)
    return Levy(tax, deducted, tax, rate, share, STATED, kind, by)


def contained(
    gross: Decimal,
    share: Decimal,
    currency: str,
    *,
    rate: Decimal,
    by: str = "",
) -> Levy:
    """Return the tax that ``gross`` contains at ``rate``."""
    exact = EXACT.divide(EXACT.multiply(gross, rate), EXACT.add(_ONE, rate))
    tax = rounded(exact, currency)
    deducted = rounded(EXACT.multiply(tax, share), currency)
    return Levy(tax, deducted, exact, rate, share, f"contained at {per_cent(rate)}", by=by)


def per_cent(fraction: Decimal) -> str:
    """Return a rate or share as people read it: ``6 %``."""
    return f"{EXACT.scaleb(fraction, _TWO):f} %"
