"""A chart's tables into the rules they state, with every check that needs no claim."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from claimbridge.errors import ConfigurationError
from claimbridge.mapping.checking import Checked
from claimbridge.mapping.layout import (
    AccountsTable,
    CompanyTable,
    ExpenseTable,
    Tables,
    read_tables,
    row_name,
)
from claimbridge.mapping.narration import CLAIM_FIELDS, LINE_FIELDS
from claimbridge.mapping.rows import CONDITIONS, ExpenseRow, RowIndex
from claimbridge.mapping.rules import Accounts, Company, Rules
from claimbridge.model.claim_parts import CLAIM_TEXT, LINE_TEXT, MAX_RATE, MIN_RATE
from claimbridge.model.text import DIMENSION_NAME
from claimbridge.model.voucher import MAX_ACCOUNT

MAX_NAME: Final = 200
MAX_CODE: Final = 64


def read_rules(data: bytes, *, origin: str) -> Rules:
    """Return what the TOML ``data`` says, checked in full.

    ``origin`` names the file in messages. Raises ConfigurationError naming the table or row.
    """
    tables = read_tables(data, origin=origin)
    _check_chart(tables, Checked(f"{origin}: [chart]"))
    companies = {
        code: _company(code, table, Checked(f"{origin}: [company.{code}]"))
        for code, table in tables.company.items()
    }
    narration = Checked(f"{origin}: [narration]")
    narration.template(tables.narration.line, "line", LINE_FIELDS)
    return Rules(
        name=tables.chart.name,
        valid_from=tables.chart.valid_from,
        valid_to=tables.chart.valid_to,
        accounts=_accounts(tables.accounts, companies, Checked(f"{origin}: [accounts]")),
        companies=companies,
        claim_text=narration.template(tables.narration.claim, "claim", CLAIM_FIELDS),
        rows=_rows(tables, origin),
    )


def _check_chart(tables: Tables, checked: Checked) -> None:
    chart = tables.chart
    checked.text(chart.name, "name", MAX_NAME)
    checked.optional_text(chart.default_cost_centre, "default_cost_centre", MAX_CODE)
    if chart.valid_from and chart.valid_to and chart.valid_from > chart.valid_to:
        checked.refuse(f"valid_from {chart.valid_from} is after valid_to {chart.valid_to}")


def _company(code: str, table: CompanyTable, checked: Checked) -> Company:
    checked.text(code, "the company's code", CLAIM_TEXT["company"])
    checked.currency(table.currency, "currency")
    rates = {}
    for currency, rate in table.rates.items():
        checked.currency(currency, "rates")
        rates[currency] = checked.fraction(rate, f"rates.{currency}", low=MIN_RATE, high=MAX_RATE)
    if table.currency in rates:
        checked.refuse(f"rates.{table.currency} is the rate of the company's own currency")
    return Company(currency=table.currency, rates=rates)


def _accounts(table: AccountsTable, companies: Mapping[str, Company], checked: Checked) -> Accounts:
    for name in ("employee_payable", "card_payable", "rounding"):
        checked.text(getattr(table, name), name, MAX_ACCOUNT)
    for name in ("non_deductible_tax", "fx_difference"):
        if getattr(table, name) is not None:
            checked.text(getattr(table, name), name, MAX_ACCOUNT)
    if table.fx_difference is None and any(company.rates for company in companies.values()):
        checked.refuse('"fx_difference" is missing; a company with booking rates needs it')
    return Accounts(
        employee_payable=table.employee_payable,
        card_payable=table.card_payable,
        rounding=table.rounding,
        input_tax=_input_tax(table.input_tax, checked),
        non_deductible_tax=table.non_deductible_tax,
        fx_difference=table.fx_difference,
    )


def _input_tax(given: str | dict[str, str], checked: Checked) -> dict[Decimal | None, str]:
    if isinstance(given, str):
        checked.text(given, "input_tax", MAX_ACCOUNT)
        return {None: given}
    by_rate: dict[Decimal | None, str] = {}
    for rate, account in given.items():
        checked.text(account, f"input_tax.{rate}", MAX_ACCOUNT)
        by_rate[checked.fraction(rate, f"the rate input_tax.{rate}")] = account
    if len(by_rate) < max(len(given), 1):
        checked.refuse("input_tax names no account, or one rate twice")
    return by_rate


def _rows(tables: Tables, origin: str) -> RowIndex:
    rows = [
        _row(number, table, tables, Checked(f"{origin}: {row_name(number, table)}"))
        for number, table in enumerate(tables.expense, start=1)
    ]
    try:
        return RowIndex(rows)
    except ValueError as error:
        raise ConfigurationError(f"{origin}: {error}", code="CB-208") from error


def _row(number: int, table: ExpenseTable, tables: Tables, checked: Checked) -> ExpenseRow:
    _check_row(table, tables, checked)
    rate = table.tax_rate
    narration = tables.narration.line if table.narration is None else table.narration
    required = table.cost_centre == "required"
    default = table.default_cost_centre or tables.chart.default_cost_centre
    return ExpenseRow(
        number=number,
        type=table.type,
        name=table.name or table.type,
        account=table.account,
        tax_rate=None if rate is None else checked.fraction(rate, "tax_rate"),
        deductible=checked.fraction(table.deductible, "deductible"),
        tax_code=table.tax_code,
        tax_in_expense=table.non_deductible_tax == "in_expense",
        cost_centre_required=required,
        default_cost_centre="" if required else default,
        dimensions=table.dimensions,
        narration=checked.template(narration, "narration", LINE_FIELDS),
        conditions=tuple(checked.condition(getattr(table, name), name) for name in CONDITIONS),
        label=f"expense row {number} ({table.type})",
    )


def _check_row(table: ExpenseTable, tables: Tables, checked: Checked) -> None:
    checked.text(table.type, "type", LINE_TEXT["type"])
    checked.text(table.account, "account", MAX_ACCOUNT)
    checked.optional_text(table.name, "name", MAX_NAME)
    checked.optional_text(table.tax_code, "tax_code", MAX_CODE)
    checked.optional_text(table.default_cost_centre, "default_cost_centre", MAX_CODE)
    if table.default_cost_centre and table.cost_centre == "required":
        checked.refuse("default_cost_centre never serves where the cost centre is required")
    for name in table.dimensions:
        checked.text(name, "dimensions", DIMENSION_NAME)
    for company in table.company or ():
        if company not in tables.company:
            checked.refuse(f'company "{company}" has no [company.{company}] table')
