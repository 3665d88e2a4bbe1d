"""What a checked chart says, whatever file it came from: all that mapping a claim needs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal

import msgspec

from claimbridge.mapping.narration import Template
from claimbridge.mapping.rows import RowIndex


class Accounts(msgspec.Struct, frozen=True, kw_only=True):
    """The accounts that no expense row names.

    ``input_tax`` holds an account per tax rate; the key None stands for every rate without its
    own. ``non_deductible_tax`` is None where that tax stays on its expense's account,
    ``fx_difference`` where no company has booking rates.
    """

    employee_payable: str
    card_payable: str
    rounding: str
    input_tax: Mapping[Decimal | None, str]
    non_deductible_tax: str | None
    fx_difference: str | None


class Company(msgspec.Struct, frozen=True, kw_only=True):
    """A company whose claims the chart answers for.

    ``rates`` are its booking rates: one unit of each currency in the company's own.
    """

    currency: str
    rates: Mapping[str, Decimal]


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """A whole chart, checked; ``valid_from`` and ``valid_to`` are inclusive, None: open."""

    name: str
    valid_from: dt.date | None
    valid_to: dt.date | None
    accounts: Accounts
    companies: Mapping[str, Company]
    claim_text: Template
    rows: RowIndex
