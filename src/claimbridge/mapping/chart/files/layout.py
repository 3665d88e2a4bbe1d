"""A chart's tables, their keys and types, in whatever file they stand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Final, Generic, Literal, NamedTuple, TypeVar

import msgspec

from claimbridge.mapping.chart.periods import DEFAULT_SOURCES, Source
from claimbridge.model.proportion import Remainder


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A TOML table whose keys are all known."""


class ChartTable(Table, frozen=True):
    """``[chart]``: its name, the first and last posting date that it answers for, a default.

    ``default_cost_centre`` is for rows that have none of their own; empty: none. The other keys are
    paths, relative to the chart's file. ``extends`` is the chart of a group: it answers where this
    one does not. ``rows`` is a CSV or Excel file with the expense rows. ``account_list`` lists the
    ERP's accounts, ``department_list`` the departments that claims may name, for ``chart check``.
    """

    name: str
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None
    default_cost_centre: str = ""
    extends: str | None = None
    rows: str | None = None
    account_list: str | None = None
    department_list: str | None = None


class AccountsTable(Table, frozen=True):
    """``[accounts]``: see ``rules.Accounts``.

    ``input_tax`` is one account, or a table of accounts by tax rate (``{ "0.06" = "2221.06" }``) or
    by kind of tax (``{ gst = "2221.11" }``).
    """

    employee_payable: str
    card_payable: str
    input_tax: str | dict[str, str]
    rounding: str
    non_deductible_tax: str | None = None
    fx_difference: str | None = None
    card_clearing: str | None = None
    advance_clearing: str | None = None


class IntercompanyTable(Table, frozen=True):
    """``[company.CN01.intercompany.CN02]``: the accounts for debts between CN01 and CN02.

    ``receivable`` is used where CN01's employees spend for CN02, ``payable`` in the other case.
    """

    receivable: str | None = None
    payable: str | None = None


class CompanyTable(Table, frozen=True):
    """``[company.CN01]``: the currency of its books, and its booking rates into it.

    A booking rate is used to post expense and tax of a foreign line. The difference to the line's
    own rate goes to ``fx_difference``. Without a booking rate the line's rate is used.
    ``closed_until``, ``closed`` and ``open`` say for which periods the books are closed: see
    ``PeriodsTable``. ``time_zone``, such as ``Asia/Shanghai``, turns the moment of an approval into
    a day.
    """

    currency: str
    rates: dict[str, object] = {}
    closed_until: dt.date | None = None
    closed: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
    intercompany: dict[str, IntercompanyTable] = {}
    time_zone: str | None = None


class NarrationTable(Table, frozen=True):
    """``[narration]``: templates for lines (a row may have its own) and for claim totals."""

    line: str = "{name} {employee_name} {text}"
    claim: str = "{id} {employee_name} {title}"


class AllocationTable(Table, frozen=True):
    """``[allocation]``: which parts get the cents that remain when an amount is divided.

    Parts are rounded down. The remaining cents go one each to the ``largest`` parts, to the first
    or to the last.
    """

    remainder: Remainder = "largest"


class BetweenTable(Table, frozen=True):
    """``[intercompany]``: what is posted when one company's employee spends for another.

    ``both`` writes into both companies' books. ``recharge`` writes only what the employee's company
    is owed; that company will send the other one an invoice.
    """

    mode: Literal["both", "recharge"] = "both"


class PeriodsTable(Table, frozen=True):
    """``[periods]``: which day a voucher is posted on, and the company's fiscal periods.

    ``posting_date`` lists sources of that day; the first that the claim has is used: the latest
    ``invoice``, the ``approval``, the latest ``line``. A claim's own posting date goes before all.
    ``when_closed`` says what happens to a day in a closed period. ``closed_until`` closes all
    periods that begin on that day or before, ``closed`` those that it names, for every company.
    ``open`` names periods that are open nevertheless.

    Periods listed as ``[[period]]`` are used as they are. Otherwise they are computed. The fiscal
    year begins on ``start`` ("04-01") and has twelve ``calendar`` months, or twelve periods of
    whole weeks. With weeks, the year begins on a ``week_start``: the one ``nearest`` to ``start``,
    or the last one that is not after it (``before``). A fifty-third week lengthens the last period.
    A fiscal year has the name of the calendar year of its ``start`` or ``end``; a period is called
    ``2026-01``.
    """

    posting_date: tuple[Source, ...] = DEFAULT_SOURCES
    when_closed: Literal["refuse", "next_open"] = "refuse"
    closed_until: dt.date | None = None
    closed: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
    start: str = "01-01"
    calendar: Literal["months", "4-4-5", "4-5-4", "5-4-4"] = "months"
    week_start: Literal[
        "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"
    ] = "monday"
    year_begins: Literal["nearest", "before"] = "nearest"
    year_name: Literal["start", "end"] = "start"


COMPUTING: Final = ("start", "calendar", "week_start", "year_begins", "year_name")
"""The keys of ``[periods]`` for computed periods; a chart that lists its periods has none."""


class PeriodTable(Table, frozen=True):
    """``[[period]]``: a fiscal period by its first and last day, and whether it is open."""

    name: str
    first: dt.date
    last: dt.date
    open: bool = True


class InvoiceTable(Table, frozen=True):
    """``[[invoice]]``: what a kind of supporting document says about the tax in it.

    ``deductible`` is the share of its tax that may be deducted, if the expense row allows as much;
    left out: the row decides. ``tax_rate`` computes the tax from the document's fare, where the
    document states none. With ``tax = "none"`` the document counts as having no tax: a stated tax
    stays in the expense.
    """

    kind: str
    deductible: Decimal | None = None
    tax_rate: Decimal | None = None
    tax: Literal["stated", "none"] = "stated"


class CashFlowTable(Table, frozen=True):
    """``[[cash_flow]]``: an account of cash, and the item 现金流量项目 of the cash flow statement.

    What a claim is paid from the account counts as ``item``. With ``type``, this is so for
    expenses of these types only. Every account has an entry without ``type``.
    """

    account: str
    item: str
    type: tuple[str, ...] = ()


class ExpenseTable(Table, frozen=True):
    """``[[expense]]``: what one expense type becomes, under its conditions.

    ``tax_rate`` and ``deductible`` are used where the line states none; left out, no tax is
    computed and none is deducted. ``non_deductible_tax``: ``separate`` posts it beside the expense,
    ``in_expense`` adds it to the expense.

    The cost centre is the line's, otherwise the claim's, otherwise ``default_cost_centre``. With
    ``cost_centre = "required"`` there is no default: a line without a cost centre is refused.
    ``dimensions`` stand on the postings, and each is required: the line's, otherwise the claim's.

    With ``per_unit`` a line states a quantity, in ``unit`` where that is given. The line's amount
    is quantity times ``per_unit``, in the company's currency. ``tax_free_per_unit`` is the legal
    rate of an allowance: the excess goes to ``taxable_account``.

    ``company``, ``department``, ``project``, ``employee``, ``grade``, ``country`` and ``payment``
    are lists of values that fit; left out: any. ``amount_over`` and ``amount_up_to`` are in the
    claim's currency, for the amount without its sign. ``valid_from`` and ``valid_to`` are posting
    dates, both inclusive. ``when`` is an expression: see ``claimbridge.mapping.chart.when``.
    """

    type: str
    account: str
    name: str = ""
    tax_rate: Decimal | None = None
    deductible: Decimal | None = None
    tax_code: str = ""
    non_deductible_tax: Literal["separate", "in_expense"] = "separate"
    cost_centre: Literal["optional", "required"] = "optional"
    default_cost_centre: str = ""
    dimensions: tuple[str, ...] = ()
    company: tuple[str, ...] | None = None
    department: tuple[str, ...] | None = None
    project: tuple[str, ...] | None = None
    employee: tuple[str, ...] | None = None
    grade: tuple[str, ...] | None = None
    country: tuple[str, ...] | None = None
    payment: tuple[Literal["employee", "company_card"], ...] | None = None
    amount_over: Decimal | None = None
    amount_up_to: Decimal | None = None
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None
    when: str | None = None
    narration: str | None = None
    per_unit: Decimal | None = None
    unit: str = ""
    tax_free_per_unit: Decimal | None = None
    taxable_account: str | None = None


_K = TypeVar("_K", bound=Table)


class PlacedTable(NamedTuple, Generic[_K]):
    """An entry of a list, with its file and its number there, which messages name."""

    where: str
    file: str
    number: int
    table: _K


class ChartTables(msgspec.Struct, frozen=True):
    """A chart's tables, typed but not yet checked against each other."""

    chart: ChartTable
    accounts: AccountsTable
    company: Mapping[str, CompanyTable]
    narration: NarrationTable
    allocation: AllocationTable
    intercompany: BetweenTable
    periods: PeriodsTable | None
    expense: tuple[PlacedTable[ExpenseTable], ...]
    invoice: tuple[PlacedTable[InvoiceTable], ...]
    cash_flow: tuple[PlacedTable[CashFlowTable], ...]
    period: tuple[PlacedTable[PeriodTable], ...]


SINGLE: Final[Mapping[str, type[Table]]] = {
    "chart": ChartTable,
    "accounts": AccountsTable,
    "narration": NarrationTable,
    "allocation": AllocationTable,
    "intercompany": BetweenTable,
    "periods": PeriodsTable,
}
"""Tables that a chart has once."""

KEYED: Final[Mapping[str, type[Table]]] = {"company": CompanyTable}
"""Tables that a chart has several times, each under a code."""

LISTED: Final[Mapping[str, type[Table]]] = {
    "expense": ExpenseTable,
    "invoice": InvoiceTable,
    "cash_flow": CashFlowTable,
    "period": PeriodTable,
}
"""Tables that a chart has as a list, in an order that matters."""

NOUNS: Final = {
    "expense": "expense row",
    "invoice": "invoice rule",
    "cash_flow": "cash flow rule",
    "period": "period",
}
"""What messages call an entry of a list."""
