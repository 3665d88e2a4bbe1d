"""Mileage and travel allowances: a quantity at a rate, and the part beyond the legal rate."""

from __future__ import annotations

from decimal import Decimal

from claimbridge.errors import MappingError
from claimbridge.mapping.chart.rows import ExpenseRow
from claimbridge.mapping.postings.chart_answers import line_name
from claimbridge.model import ClaimLine
from claimbridge.model.claim_path import ClaimPath
from claimbridge.model.money import EXACT, rounded


def is_by_quantity(row: ExpenseRow) -> bool:
    """Whether the row asks how much was used."""
    return row.per_unit is not None or row.tax_free_per_unit is not None


def check_quantity(
    line: ClaimLine, row: ExpenseRow, path: ClaimPath, *, currency: str, own_currency: str
) -> str:
    """Return the words for a quantity at the row's rate; raises MappingError CB-125.

    The row's rates are in the currency of the company that bears the cost.
    """
    what = line_name(line, path)
    unit = row.unit or line.unit or "units"
    if line.quantity is None:
        raise _refusal(f"{what} states no quantity, and {row.label} counts {unit}")
    if line.unit and row.unit and line.unit != row.unit:
        raise _refusal(f"{what} is in {line.unit}, and {row.label} counts {row.unit}")
    if currency != own_currency:
        raise _refusal(
            f"{what} is in {currency}, and the rate of {row.label} in {own_currency}; claim it in "
            "that, or add a row without a rate"
        )
    used = f"{line.quantity:f} {unit}"
    if row.per_unit is None:
        return used
    due = rounded(EXACT.multiply(line.quantity, row.per_unit), currency)
    if due != line.amount.copy_abs():
        raise _refusal(
            f"{what}: {used} at {row.per_unit:f} are {due} {currency}, not {line.amount}, by "
            f"{row.label}; fix quantity or amount"
        )
    return f"{used} at {row.per_unit:f}"


def beyond_legal_rate(
    expense: Decimal, quantity: Decimal | None, row: ExpenseRow, currency: str
) -> Decimal:
    """Return the part of an expense beyond the row's legal rate, with the expense's sign."""
    if row.tax_free_per_unit is None or quantity is None:
        return Decimal(0)
    free = rounded(EXACT.multiply(quantity, row.tax_free_per_unit), currency)
    beyond = EXACT.subtract(expense.copy_abs(), free)
    return beyond.copy_sign(expense) if beyond > 0 else Decimal(0)


def _refusal(problem: str) -> MappingError:
    return MappingError(problem, code="CB-125")
