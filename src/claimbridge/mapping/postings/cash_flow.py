"""The items of the cash flow statement 现金流量项目 that a chart gives a voucher's postings.

Only a voucher that settles a claim from an account of cash has any: see ``model.cash_flow``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from claimbridge.mapping.chart.rules import CashFlowItems
from claimbridge.model import Claim, Posting
from claimbridge.model.cash_flow import CASH_FLOW, SETTLING
from claimbridge.model.text import plain

_LINE: Final = re.compile(r"lines\[(\d+)\]")


def with_cash_flows(
    postings: Sequence[Posting], items: Mapping[str, CashFlowItems], claim: Claim
) -> list[Posting]:
    """Return the postings, those of cash and those that cash paid for with their items.

    ``items`` are the chart's, by account. A dimension that the claim itself gives stays.
    """
    paid: dict[str, CashFlowItems] = {}
    for posting in postings:
        if posting.role in SETTLING and posting.account in items:
            paid.setdefault(posting.company, items[posting.account])
    if not paid:
        return list(postings)
    return [_with_item(posting, items, paid, claim) for posting in postings]


def _with_item(
    posting: Posting,
    items: Mapping[str, CashFlowItems],
    paid: Mapping[str, CashFlowItems],
    claim: Claim,
) -> Posting:
    if posting.role in SETTLING:
        own = items.get(posting.account)
        item = own.item if own else ""
    else:
        own = paid.get(posting.company)
        item = own.by_type.get(_type_of(posting, claim), "") if own else ""
    if not item or CASH_FLOW in posting.dimensions:
        return posting
    return msgspec.structs.replace(posting, dimensions={**posting.dimensions, CASH_FLOW: item})


def _type_of(posting: Posting, claim: Claim) -> str:
    """Return the expense type of the line that a posting came from; "" for a total."""
    line = _LINE.match(posting.source)
    return plain(claim.lines[int(line[1])].type) if line else ""


__all__ = ["with_cash_flows"]
