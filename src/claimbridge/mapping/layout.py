"""The chart's TOML: its tables, their keys and types."""

from __future__ import annotations

import datetime as dt
import difflib
import re
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from typing import Final, Literal, TypeVar

import msgspec

from claimbridge.errors import ConfigurationError


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A TOML table whose keys are all known."""


class ChartTable(Table, frozen=True):
    """``[chart]``: its name, the first and last posting date that it answers for, a default.

    ``default_cost_centre`` stands for rows that have none of their own; empty: none.
    """

    name: str
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None
    default_cost_centre: str = ""


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
    """``[company.CN01.intercompany.CN02]``: the accounts of what CN01 is owed by CN02, and owes it.

    ``receivable`` serves where CN01's employees spend for CN02, ``payable`` where CN02's for CN01.
    """

    receivable: str | None = None
    payable: str | None = None


class CompanyTable(Table, frozen=True):
    """``[company.CN01]``: the currency of its books, and its booking rates into it.

    With a booking rate, expense and tax of a foreign line are posted at it, and what the line's
    own rate pays more or less goes to ``fx_difference``. Without one the line's rate holds.
    """

    currency: str
    rates: dict[str, object] = {}
    intercompany: dict[str, IntercompanyTable] = {}


class NarrationTable(Table, frozen=True):
    """``[narration]``: templates for lines (a row may have its own) and for claim totals."""

    line: str = "{name} {employee_name} {text}"
    claim: str = "{id} {employee_name} {title}"


class AllocationTable(Table, frozen=True):
    """``[allocation]``: which parts get the cents that remain when an amount is divided.

    Parts are rounded down; the cents that remain go one each to the ``largest`` parts, to the
    first or to the last.
    """

    remainder: Literal["largest", "first", "last"] = "largest"


class BetweenTable(Table, frozen=True):
    """``[intercompany]``: what is posted when one company's employee spends for another.

    ``both`` writes into both companies' books; ``recharge`` only what the employee's company is
    owed, for an invoice that it will write to the other.
    """

    mode: Literal["both", "recharge"] = "both"


class InvoiceTable(Table, frozen=True):
    """``[[invoice]]``: what a kind of supporting document says about the tax in it.

    ``deductible`` is the share of its tax that may be deducted; left out: as the expense row says.
    ``tax_rate`` computes the tax, from the document's fare, where the paper states none. With
    ``tax = "none"`` it counts as having none: what it states stays in the expense.
    """

    kind: str
    deductible: Decimal | None = None
    tax_rate: Decimal | None = None
    tax: Literal["stated", "none"] = "stated"


class ExpenseTable(Table, frozen=True):
    """``[[expense]]``: what one expense type becomes, under its conditions.

    ``tax_rate`` and ``deductible`` hold where the line states none; left out, no tax is computed
    and none is deducted. ``non_deductible_tax``: ``separate`` posts it beside the expense,
    ``in_expense`` adds it to the expense. The cost centre is the line's, else the claim's, else
    ``default_cost_centre``; with ``cost_centre = "required"`` no default serves: a line without
    one is refused.
    ``dimensions`` are those the postings carry, each required: the line's, else the claim's.
    With ``per_unit`` a line states a quantity, in ``unit`` where it is given, and its amount is
    quantity times ``per_unit`` in the company's currency. ``tax_free_per_unit`` is the legal rate
    of an allowance: what goes beyond it goes to ``taxable_account``.
    ``company``, ``department``, ``project``, ``employee``, ``grade``, ``country`` and ``payment``
    are lists of values that fit; left out: any. ``amount_over`` and ``amount_up_to`` are in the
    claim's currency and concern the amount without its sign; ``valid_from`` and ``valid_to`` are
    posting dates, both inclusive. ``when`` is an expression: see ``claimbridge.mapping.when``.
    """

    type: str
    account: str
    name: str = ""
    tax_rate: Decimal | None = None
    deductible: Decimal = Decimal(0)
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


class Tables(msgspec.Struct, frozen=True):
    """A chart's tables, typed but not yet checked against each other."""

    chart: ChartTable
    accounts: AccountsTable
    company: Mapping[str, CompanyTable]
    narration: NarrationTable
    expense: tuple[ExpenseTable, ...]
    invoice: tuple[InvoiceTable, ...] = ()
    allocation: AllocationTable = AllocationTable()
    intercompany: BetweenTable = BetweenTable()


class _File(Table, frozen=True):
    """The names of the tables in a file; each is decoded by itself, to be named in messages."""

    chart: object
    accounts: object
    company: dict[str, object]
    expense: list[object]
    narration: object = {}
    invoice: list[object] = []
    allocation: object = {}
    intercompany: object = {}


def read_tables(data: bytes, *, origin: str) -> Tables:
    """Return the tables in the TOML ``data``; ``origin`` names it in messages.

    Raises ConfigurationError: CB-205 for what is no TOML, CB-206 naming the table or row for an
    unknown or missing key or a wrong type.
    """
    file = _decode(_parsed(data, origin), _File, origin)
    for what, given in (("[company.…] table", file.company), ("[[expense]] row", file.expense)):
        if not given:
            raise ConfigurationError(f"{origin}: there is no {what}", code="CB-206")
    return Tables(
        chart=_decode(file.chart, ChartTable, f"{origin}: [chart]"),
        accounts=_decode(file.accounts, AccountsTable, f"{origin}: [accounts]"),
        company={
            code: _decode(entry, CompanyTable, f"{origin}: [company.{code}]")
            for code, entry in file.company.items()
        },
        narration=_decode(file.narration, NarrationTable, f"{origin}: [narration]"),
        expense=tuple(
            _decode(entry, ExpenseTable, f"{origin}: {row_name(number, entry)}")
            for number, entry in enumerate(file.expense, start=1)
        ),
        invoice=tuple(
            _decode(entry, InvoiceTable, f"{origin}: invoice rule {number}")
            for number, entry in enumerate(file.invoice, start=1)
        ),
        allocation=_decode(file.allocation, AllocationTable, f"{origin}: [allocation]"),
        intercompany=_decode(file.intercompany, BetweenTable, f"{origin}: [intercompany]"),
    )


def row_name(number: int, entry: object) -> str:
    """Return what messages call an expense row: its place, and its type if it has one."""
    type_ = entry.get("type") if isinstance(entry, dict) else getattr(entry, "type", None)
    return f"expense row {number}" + (f' (type "{type_[:64]}")' if isinstance(type_, str) else "")


def _parsed(data: bytes, origin: str) -> dict[str, object]:
    try:
        # TOML floats are read as the decimals they are written as.
        return tomllib.loads(data.decode("utf-8"), parse_float=Decimal)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, ArithmeticError, RecursionError) as error:
        raise ConfigurationError(f"{origin}: not a TOML file: {error}", code="CB-205") from error


_K = TypeVar("_K", bound=Table)


def _decode(raw: object, kind: type[_K], where: str) -> _K:
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        raise ConfigurationError(
            f"{where}: {_reworded(str(error), kind)}", code="CB-206"
        ) from error


_AT: Final = re.compile(r"^(?P<problem>.*?)(?: - at `\$(?P<path>.*)`)?$", re.DOTALL)
_UNKNOWN: Final = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)
_MISSING: Final = re.compile(r"Object missing required field `(.*)`", re.DOTALL)


def _reworded(message: str, kind: type[Table]) -> str:
    """Return msgspec's sentence about an object's field as one about a table's key."""
    found = _AT.match(message)
    assert found is not None  # the pattern fits every text
    problem, path = found["problem"], (found["path"] or "").removeprefix(".")
    if unknown := _UNKNOWN.fullmatch(problem):
        near = difflib.get_close_matches(unknown[1], kind.__struct_fields__, n=1)
        hint = f'; did you mean "{near[0]}"?' if near else ""
        return f'unknown key "{unknown[1]}"{hint}'
    if missing := _MISSING.fullmatch(problem):
        return f'"{missing[1]}" is missing'
    said = problem[:1].lower() + problem[1:]
    for term, toml in (("`object`", "a table"), ("`array`", "a list"), ("`str`", "text in quotes")):
        said = said.replace(term, toml)
    return f"{path}: {said}" if path else said
