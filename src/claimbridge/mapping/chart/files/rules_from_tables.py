"""A chart's tables into the rules they state, with every check that needs no claim."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Final, TypedDict

from claimbridge.errors import ConfigurationError
from claimbridge.mapping.chart.facts import CONDITIONS, PAYMENTS
from claimbridge.mapping.chart.files.calendars import periods_of
from claimbridge.mapping.chart.files.content import ChartContent, tables_of
from claimbridge.mapping.chart.files.layout import (
    AccountsTable,
    ChartTables,
    CompanyTable,
    ExpenseTable,
    PlacedTable,
)
from claimbridge.mapping.chart.files.values import ValueChecks
from claimbridge.mapping.chart.narration import CLAIM_FIELDS, LINE_FIELDS
from claimbridge.mapping.chart.rows import ANY, ExpenseRow, RowIndex, Window
from claimbridge.mapping.chart.rules import (
    Accounts,
    CashFlowItems,
    ChartRules,
    Company,
    Intercompany,
    InvoiceRule,
)
from claimbridge.model.claim_lines import CLAIM_TEXT, DOCUMENT_TEXT, LINE_TEXT, MAX_RATE, MIN_RATE
from claimbridge.model.text import DIMENSION_NAME, DIMENSION_TEXT, plain
from claimbridge.model.voucher import MAX_ACCOUNT

MAX_NAME: Final = 200
MAX_CODE: Final = 64


def rules_from_tables(content: ChartContent) -> ChartRules:
    """Return the rules of a whole chart, fully checked.

    Raises ConfigurationError naming the file and its table or row.
    """
    tables, origin = tables_of(content), content.file
    _check_chart(tables, ValueChecks(f"{origin}: [chart]"))
    companies = {
        code: _company(code, table, tables.company, ValueChecks(f"{origin}: [company.{code}]"))
        for code, table in tables.company.items()
    }
    narration = ValueChecks(f"{origin}: [narration]")
    narration.template(tables.narration.line, "line", LINE_FIELDS)
    return ChartRules(
        name=tables.chart.name,
        valid_from=tables.chart.valid_from,
        valid_to=tables.chart.valid_to,
        accounts=_accounts(tables.accounts, companies, ValueChecks(f"{origin}: [accounts]")),
        companies=companies,
        claim_text=narration.template(tables.narration.claim, "claim", CLAIM_FIELDS),
        rows=_rows(tables, origin),
        cash_flows=_cash_flows(tables),
        invoices=_invoices(tables),
        remainder=tables.allocation.remainder,
        recharge=tables.intercompany.mode == "recharge",
        periods=periods_of(tables, origin),
        account_list=tables.chart.account_list,
        department_list=tables.chart.department_list,
    )


def _check_chart(tables: ChartTables, checked: ValueChecks) -> None:
    chart = tables.chart
    checked.text(chart.name, "name", MAX_NAME)
    checked.optional_code(chart.default_cost_centre, "default_cost_centre", MAX_CODE)
    if chart.valid_from and chart.valid_to and chart.valid_from > chart.valid_to:
        checked.refuse(f"valid_from {chart.valid_from} is after valid_to {chart.valid_to}")


def _company(
    code: str, table: CompanyTable, companies: Mapping[str, CompanyTable], checked: ValueChecks
) -> Company:
    checked.code(code, "the company's code", CLAIM_TEXT["company"])
    checked.currency(table.currency, "currency")
    rates = {}
    for currency, rate in table.rates.items():
        checked.currency(currency, "rates")
        rates[currency] = checked.fraction(rate, f"rates.{currency}", low=MIN_RATE, high=MAX_RATE)
    if table.currency in rates:
        checked.refuse(f"rates.{table.currency} is the rate of the company's own currency")
    between = {}
    for other, accounts in table.intercompany.items():
        if other not in companies or other == code:
            checked.refuse(
                f'intercompany.{other}: no other company "{other}" has a [company] table'
            )
        for name in ("receivable", "payable"):
            if getattr(accounts, name) is not None:
                checked.code(getattr(accounts, name), f"intercompany.{other}.{name}", MAX_ACCOUNT)
        between[other] = Intercompany(receivable=accounts.receivable, payable=accounts.payable)
    zone = None if table.time_zone is None else checked.zone(table.time_zone, "time_zone")
    return Company(currency=table.currency, rates=rates, intercompany=between, zone=zone)


def _accounts(
    table: AccountsTable, companies: Mapping[str, Company], checked: ValueChecks
) -> Accounts:
    for name in ("employee_payable", "card_payable", "rounding"):
        checked.code(getattr(table, name), name, MAX_ACCOUNT)
    for name in ("non_deductible_tax", "fx_difference", "card_clearing", "advance_clearing"):
        if getattr(table, name) is not None:
            checked.code(getattr(table, name), name, MAX_ACCOUNT)
    if table.fx_difference is None and any(company.rates for company in companies.values()):
        checked.refuse('"fx_difference" is missing; a company with booking rates needs it')
    return Accounts(
        employee_payable=table.employee_payable,
        card_payable=table.card_payable,
        rounding=table.rounding,
        input_tax=_input_tax(table.input_tax, checked),
        non_deductible_tax=table.non_deductible_tax,
        fx_difference=table.fx_difference,
        card_clearing=table.card_clearing,
        advance_clearing=table.advance_clearing,
    )


def _input_tax(
    stated: str | dict[str, str], checked: ValueChecks
) -> dict[Decimal | str | None, str]:
    if isinstance(stated, str):
        checked.code(stated, "input_tax", MAX_ACCOUNT)
        return {None: stated}
    accounts: dict[Decimal | str | None, str] = {}
    for key, account in stated.items():
        checked.code(account, f"input_tax.{key}", MAX_ACCOUNT)
        if key[:1].isalpha():  # a kind of tax; anything else must be a rate
            accounts[key] = account
        else:
            accounts[checked.fraction(key, f"the rate input_tax.{key}")] = account
    if len(accounts) < max(len(stated), 1):
        checked.refuse("input_tax names no account, or one rate twice")
    return accounts


def _invoices(tables: ChartTables) -> dict[str, InvoiceRule]:
    rules: dict[str, InvoiceRule] = {}
    files: dict[str, str] = {}
    for where, file, number, table in tables.invoice:
        checked = ValueChecks(where)
        checked.code(table.kind, "kind", DOCUMENT_TEXT["kind"])
        if files.get(table.kind) == file:
            checked.refuse(f'kind "{table.kind}" has a rule already', code="CB-208")
        if table.kind in rules:
            continue  # the chart's own rule goes before its group's
        files[table.kind] = file
        fractions = {
            name: None if value is None else checked.fraction(value, name)
            for name, value in (("deductible", table.deductible), ("tax_rate", table.tax_rate))
        }
        if table.tax == "none" and fractions != {"deductible": None, "tax_rate": None}:
            checked.refuse('where tax = "none", there is no tax_rate and nothing deductible')
        rules[table.kind] = InvoiceRule(
            kind=table.kind,
            none=table.tax == "none",
            label=f"invoice rule {number} ({table.kind})",
            **fractions,
        )
    return rules


def _cash_flows(tables: ChartTables) -> dict[str, CashFlowItems]:
    """Return the accounts of cash; the chart's own entry goes before its group's."""
    items: dict[tuple[str, str], str] = {}
    files: dict[tuple[str, str], str] = {}
    for where, file, _, table in tables.cash_flow:
        checked = ValueChecks(where)
        checked.code(table.account, "account", MAX_ACCOUNT)
        checked.code(table.item, "item", DIMENSION_TEXT)
        for type_ in table.type or ("",):
            checked.optional_code(type_, "type", LINE_TEXT["type"])
            place = (table.account, plain(type_))
            if files.get(place) == file:
                about = f' and type "{type_}"' if type_ else ""
                checked.refuse(
                    f'account "{table.account}"{about} has an item already', code="CB-208"
                )
            if place not in items:
                items[place], files[place] = table.item, file
    for where, _, _, table in tables.cash_flow:
        if (table.account, "") not in items:
            ValueChecks(where).refuse(
                f'account "{table.account}" has items by type only; add a [[cash_flow]] without '
                "type, for all others"
            )
    return {
        account: CashFlowItems(
            item=item,
            by_type={
                type_: one for (other, type_), one in items.items() if other == account and type_
            },
        )
        for (account, of), item in items.items()
        if not of
    }


def _rows(tables: ChartTables, origin: str) -> RowIndex:
    rows = RowIndex([_row(placed, tables, origin) for placed in tables.expense])
    for earlier, hidden in rows.unreachable():
        raise ConfigurationError(
            f"{hidden.file}: {hidden.describe()} can never be reached: {earlier.describe()} stands "
            "before it and takes all of its lines; put the row with more conditions first, or "
            "delete one",
            code="CB-208",
        )
    return rows


def _row(placed: PlacedTable[ExpenseTable], tables: ChartTables, origin: str) -> ExpenseRow:
    where, file, number, table = placed
    checked = ValueChecks(where)
    _check_row(table, tables, checked)
    rate, share = table.tax_rate, table.deductible
    narration = tables.narration.line if table.narration is None else table.narration
    required = table.cost_centre == "required"
    default = table.default_cost_centre or tables.chart.default_cost_centre
    return ExpenseRow(
        number=number,
        type=plain(table.type),
        name=table.name or table.type,
        account=table.account,
        tax_rate=None if rate is None else checked.fraction(rate, "tax_rate"),
        deductible=None if share is None else checked.fraction(share, "deductible"),
        tax_code=table.tax_code,
        tax_in_expense=table.non_deductible_tax == "in_expense",
        cost_centre_required=required,
        default_cost_centre="" if required else default,
        dimensions=table.dimensions,
        narration=checked.template(narration, "narration", LINE_FIELDS),
        conditions=tuple(_condition(table, name, checked) for name in CONDITIONS),
        label=f"expense row {number} ({table.type})" + _of_file(file, origin),
        file=file,
        window=_window(table, checked),
        when=None if table.when is None else checked.expression(table.when, "when"),
        **_per_unit(table, checked),
    )


class _PerUnit(TypedDict):
    per_unit: Decimal | None
    unit: str
    tax_free_per_unit: Decimal | None
    taxable_account: str


def _per_unit(table: ExpenseTable, checked: ValueChecks) -> _PerUnit:
    """Return the row's fields for mileage and allowances."""
    checked.optional_code(table.unit, "unit", LINE_TEXT["unit"])
    rates = {
        name: None if value is None else checked.fraction(value, name, high=MAX_RATE)
        for name, value in (
            ("per_unit", table.per_unit),
            ("tax_free_per_unit", table.tax_free_per_unit),
        )
    }
    if (table.tax_free_per_unit is None) != (table.taxable_account is None):
        checked.refuse('"tax_free_per_unit" and "taxable_account" need each other')
    if table.taxable_account is not None:
        checked.code(table.taxable_account, "taxable_account", MAX_ACCOUNT)
    if table.unit and rates == {"per_unit": None, "tax_free_per_unit": None}:
        checked.refuse('"unit" says nothing without "per_unit" or "tax_free_per_unit"')
    return _PerUnit(
        per_unit=rates["per_unit"],
        unit=table.unit,
        tax_free_per_unit=rates["tax_free_per_unit"],
        taxable_account=table.taxable_account or "",
    )


def _of_file(file: str, origin: str) -> str:
    """Return the words for a row's file; "" for the chart's own."""
    return "" if file == origin else f" of {Path(file).name}"


def _condition(table: ExpenseTable, name: str, checked: ValueChecks) -> frozenset[str] | None:
    values = checked.condition(getattr(table, name), name)
    return None if name == "payment" and values == PAYMENTS else values  # both ways are any way


def _window(table: ExpenseTable, checked: ValueChecks) -> Window:
    window = Window(table.amount_over, table.amount_up_to, table.valid_from, table.valid_to)
    for name in ("amount_over", "amount_up_to"):
        bound = getattr(table, name)
        if bound is not None:
            checked.bound(bound, name)
    if window.over is not None and window.up_to is not None and window.over >= window.up_to:
        checked.refuse(f"no amount is over {window.over:f} and up to {window.up_to:f}")
    if window.first is not None and window.last is not None and window.first > window.last:
        checked.refuse(f"valid_from {window.first} is after valid_to {window.last}")
    return window if any(bound is not None for bound in window) else ANY


def _check_row(table: ExpenseTable, tables: ChartTables, checked: ValueChecks) -> None:
    checked.code(table.type, "type", LINE_TEXT["type"])
    checked.code(table.account, "account", MAX_ACCOUNT)
    checked.optional_text(table.name, "name", MAX_NAME)
    checked.optional_code(table.tax_code, "tax_code", MAX_CODE)
    checked.optional_code(table.default_cost_centre, "default_cost_centre", MAX_CODE)
    if table.default_cost_centre and table.cost_centre == "required":
        checked.refuse("default_cost_centre never serves where the cost centre is required")
    for name in table.dimensions:
        checked.code(name, "dimensions", DIMENSION_NAME)
    for company in table.company or ():
        if company not in tables.company:
            checked.refuse(f'company "{company}" has no [company.{company}] table')
