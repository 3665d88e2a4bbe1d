"""The cash flows 现金流量 of a voucher: which posting paid for which, and as what item.

A chart's ``[cash_flow]`` puts the dimension ``cash_flow`` on postings. On a posting that settles a
claim it says that the account is one of cash, and the item that it counts as. On any other posting
it says the item in the place of that one.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

import msgspec

from claimbridge.model.money import EXACT
from claimbridge.model.voucher import Posting, Role, Voucher

CASH_FLOW: Final = "cash_flow"
"""The dimension that holds an item of the cash flow statement."""
SETTLING: Final = frozenset(
    {
        Role.EMPLOYEE_PAYABLE,
        Role.CARD_PAYABLE,
        Role.CARD_CLEARING,
        Role.ADVANCE_CLEARING,
        Role.INTERCOMPANY,
    }
)
"""The roles of postings that say how a claim is settled."""
_ZERO: Final = Decimal(0)


class CashFlow(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a cash posting that paid for another posting, or was received for it.

    ``cash`` and ``opposite`` are places in the voucher's postings, from 0. ``amount`` is positive,
    in the currency of both. ``last``: nothing of the cash posting is left after this part.
    """

    cash: int
    opposite: int
    item: str
    amount: Decimal
    last: bool


def cash_item(posting: Posting) -> str:
    """Return the item of a posting on an account of cash; "" for every other posting."""
    return posting.dimensions.get(CASH_FLOW, "") if posting.role in SETTLING else ""


def cash_flows(voucher: Voucher) -> tuple[CashFlow, ...]:
    """Return the cash flows of a voucher, in the order of its postings; () where no cash moves.

    A cash posting is divided among the postings of the other side, in their order. What moves from
    one account of cash to another is no flow.
    """
    left = [posting.amount for posting in voucher.postings]
    return tuple(
        flow
        for number, posting in enumerate(voucher.postings)
        if cash_item(posting)
        for flow in _of_posting(voucher.postings, number, left)
    )


def _of_posting(
    postings: tuple[Posting, ...], number: int, left: list[Decimal]
) -> Iterator[CashFlow]:
    cash = postings[number]
    for place, other in enumerate(postings):
        amount = min(left[number], left[place])
        if not amount or cash_item(other) or not _opposed(cash, other):
            continue
        left[number] = EXACT.subtract(left[number], amount)
        left[place] = EXACT.subtract(left[place], amount)
        yield CashFlow(
            cash=number,
            opposite=place,
            item=other.dimensions.get(CASH_FLOW) or cash_item(cash),
            amount=amount,
            last=left[number] == _ZERO,
        )


def _opposed(cash: Posting, other: Posting) -> bool:
    """Whether two postings may be the two sides of one flow."""
    same_book = (cash.company, cash.currency) == (other.company, other.currency)
    return same_book and cash.side is not other.side


__all__ = ["CASH_FLOW", "SETTLING", "CashFlow", "cash_flows", "cash_item"]
