"""How a line's gross amount divides into net, deductible and non-deductible tax.

Amounts keep the sign of the line (negative on a refund) and its currency; they always add up to
the gross amount.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import msgspec

from claimbridge.mapping.rows import ExpenseRow
from claimbridge.model import ClaimLine
from claimbridge.model.money import EXACT, rounded

_ZERO: Final = Decimal(0)
_ONE: Final = Decimal(1)


class Split(msgspec.Struct, frozen=True):
    """A gross amount in its three parts, in the line's currency.

    ``rate`` is the tax rate, None when nobody states one; ``share`` the deductible share of the
    tax; ``exact_tax`` the tax before it was rounded, and equal to it when the invoice stated it.
    """

    net: Decimal
    input_tax: Decimal
    non_deductible: Decimal
    tax: Decimal
    exact_tax: Decimal
    rate: Decimal | None
    share: Decimal

    @property
    def exact_input_tax(self) -> Decimal:
        """The deductible part of the exact tax."""
        return EXACT.multiply(self.exact_tax, self.share)


def split(line: ClaimLine, row: ExpenseRow, currency: str) -> Split:
    """Return the parts of ``line``; what the line states goes before what the row says.

    The tax is the line's, else contained in the gross amount at the line's rate, else at the
    row's, else nothing. Its deductible share is the line's, else the row's. Tax and deductible
    tax are rounded half up; the rest of the tax is not deductible, and the rest of the gross
    amount is net.
    """
    rate = row.tax_rate if line.tax_rate is None else line.tax_rate
    if line.tax is not None:
        tax = exact = line.tax
    elif rate:
        exact = EXACT.divide(EXACT.multiply(line.amount, rate), EXACT.add(_ONE, rate))
        tax = rounded(exact, currency)
    else:
        return Split(line.amount, _ZERO, _ZERO, _ZERO, _ZERO, rate, _ZERO)
    share = row.deductible if line.deductible is None else line.deductible
    input_tax = rounded(EXACT.multiply(tax, share), currency)
    return Split(
        net=EXACT.subtract(line.amount, tax),
        input_tax=input_tax,
        non_deductible=EXACT.subtract(tax, input_tax),
        tax=tax,
        exact_tax=exact,
        rate=rate,
        share=share,
    )
