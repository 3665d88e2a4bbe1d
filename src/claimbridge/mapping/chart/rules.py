"""The rules of a checked chart, from whatever file: all that mapping a claim needs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec

from claimbridge.mapping.chart.narration import NarrationTemplate
from claimbridge.mapping.chart.periods import Periods
from claimbridge.mapping.chart.rows import RowIndex
from claimbridge.model.proportion import Remainder


class Accounts(msgspec.Struct, frozen=True, kw_only=True):
    """The accounts that no expense row names.

    ``input_tax`` holds an account per tax rate or kind of tax; the key None stands for every rate
    without its own. ``non_deductible_tax`` is None where that tax stays on its expense's account,
    ``fx_difference`` where no company has booking rates. ``card_clearing`` and
    ``advance_clearing`` are None where the chart does not say what becomes of personal expenses
    on the company's card, and of advances.
    """

    employee_payable: str
    card_payable: str
    rounding: str
    input_tax: Mapping[Decimal | str | None, str]
    non_deductible_tax: str | None
    fx_difference: str | None
    card_clearing: str | None = None
    advance_clearing: str | None = None


class Intercompany(msgspec.Struct, frozen=True, kw_only=True):
    """A company's accounts of what it is owed by another one and owes it; None: not stated."""

    receivable: str | None
    payable: str | None


class InvoiceRule(msgspec.Struct, frozen=True, kw_only=True):
    """The rule for the tax in one kind of document; see ``layout.InvoiceTable``."""

    kind: str
    deductible: Decimal | None
    tax_rate: Decimal | None
    none: bool
    label: str


class CashFlowItems(msgspec.Struct, frozen=True, kw_only=True):
    """An account of cash: what is paid from it counts as ``item``, but for some expense types."""

    item: str
    by_type: Mapping[str, str] = {}


class Company(msgspec.Struct, frozen=True, kw_only=True):
    """A company whose claims the chart answers for.

    ``rates`` are its booking rates: one unit of each currency in the company's own.
    ``intercompany`` holds its accounts towards other companies, by their codes. ``zone`` is where
    its days begin; None: the chart does not say.
    """

    currency: str
    rates: Mapping[str, Decimal]
    intercompany: Mapping[str, Intercompany] = {}
    zone: ZoneInfo | None = None


class ChartRules(msgspec.Struct, frozen=True, kw_only=True):
    """A whole chart, checked; ``valid_from`` and ``valid_to`` are inclusive, None: open.

    ``cash_flows`` are its accounts of cash, ``invoices`` its rules by kind of document.
    ``remainder`` says which parts get the remaining cents. With ``recharge`` only the books of the
    claim's company are written. ``account_list`` is the file that lists the ERP's accounts,
    ``department_list`` that of the departments; None: the chart names none. ``zone`` is the
    ledger's time zone, for companies that name none.
    """

    name: str
    valid_from: dt.date | None
    valid_to: dt.date | None
    accounts: Accounts
    companies: Mapping[str, Company]
    claim_text: NarrationTemplate
    rows: RowIndex
    cash_flows: Mapping[str, CashFlowItems] = {}
    invoices: Mapping[str, InvoiceRule] = {}
    remainder: Remainder = "largest"
    recharge: bool = False
    periods: Periods | None = None
    account_list: str | None = None
    department_list: str | None = None
    zone: ZoneInfo | None = None

    def zone_of(self, company: str) -> ZoneInfo | None:
        """Return the time zone that a company's days begin in; None: nobody says."""
        entry = self.companies.get(company)
        return (entry.zone if entry is not None else None) or self.zone
