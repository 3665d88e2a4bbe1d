"""The expense rows of a chart, and which of them answers for a claim line.

A row answers for one expense type, under conditions on company, department and country. Of the
rows that fit, the one with the most conditions wins; two that could both win are refused when the
chart is loaded, so that the answer never depends on the order of rows.
"""

from __future__ import annotations

import difflib
import itertools
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final, NamedTuple

import msgspec

from claimbridge.mapping.narration import Template

CONDITIONS: Final = ("company", "department", "country")
MAX_CELLS: Final = 10_000


class ExpenseRow(msgspec.Struct, frozen=True, kw_only=True):
    """One checked row; the fields mean what ``layout.ExpenseTable`` says, defaults filled in.

    ``conditions`` holds, for company, department and country, the values that fit; None: any.
    """

    number: int
    type: str
    name: str
    account: str
    tax_rate: Decimal | None
    deductible: Decimal
    tax_code: str
    tax_in_expense: bool
    cost_centre_required: bool
    default_cost_centre: str
    dimensions: tuple[str, ...]
    narration: Template
    conditions: tuple[frozenset[str] | None, ...]
    label: str
    per_unit: Decimal | None = None
    unit: str = ""
    tax_free_per_unit: Decimal | None = None
    taxable_account: str = ""

    def describe(self) -> str:
        """Return the row's label with its conditions, for messages."""
        stated = [
            f"{name} {'/'.join(sorted(values))}"
            for name, values in zip(CONDITIONS, self.conditions, strict=True)
            if values is not None
        ]
        return f"{self.label}: {', '.join(stated) or 'any'}"


class _Group(NamedTuple):
    """The rows of one type that state the same conditions, by the values they name."""

    stated: tuple[int, ...]
    cells: dict[tuple[str, ...], ExpenseRow]


class RowIndex:
    """Finds the row for a line without walking the chart.

    Raises ValueError when two rows could both answer for one line.
    """

    def __init__(self, rows: Iterable[ExpenseRow]) -> None:
        by_type: dict[str, list[ExpenseRow]] = defaultdict(list)
        for row in rows:
            by_type[row.type].append(row)
        self._groups: dict[str, tuple[_Group, ...]] = {
            type_: _grouped(members) for type_, members in by_type.items()
        }
        self._names = {type_: members[0].name for type_, members in by_type.items()}

    def find(self, type_: str, facts: Sequence[str]) -> ExpenseRow | None:
        """Return the most specific row for a type; None when no row fits.

        ``facts`` are the line's company, department and country; "" where it has none.
        """
        for stated, cells in self._groups.get(type_, ()):
            row = cells.get(tuple([facts[condition] for condition in stated]))
            if row is not None:
                return row
        return None

    def of_type(self, type_: str) -> list[ExpenseRow]:
        """Return the rows of a type in the chart's order; empty when the chart has none."""
        found = {
            row.number: row for _, cells in self._groups.get(type_, ()) for row in cells.values()
        }
        return [found[number] for number in sorted(found)]

    def nearest(self, type_: str) -> list[str]:
        """Return up to three types of the chart that are spelt or named most like ``type_``."""
        spelt = difflib.get_close_matches(type_, self._groups, n=3, cutoff=_LIKENESS)
        named = difflib.get_close_matches(type_, self._names.values(), n=3, cutoff=_LIKENESS)
        by_name = [known for known, name in self._names.items() if name in named]
        return list(dict.fromkeys(spelt + by_name))[:3] or list(self._groups)[:3]


_LIKENESS: Final = 0.3
"""Low, for the message helps most when the type is only roughly right: "taxii" finds "travel"."""


def _grouped(rows: Sequence[ExpenseRow]) -> tuple[_Group, ...]:
    groups: dict[tuple[int, ...], _Group] = {}
    for row in rows:
        stated = tuple(i for i, values in enumerate(row.conditions) if values is not None)
        group = groups.setdefault(stated, _Group(stated, {}))
        for cell in _cells(row, stated):
            other = group.cells.setdefault(cell, row)
            if other is not row:
                raise ValueError(_tie(other, row))
    for one, two in itertools.combinations(groups.values(), 2):
        if len(one.stated) == len(two.stated):
            _refuse_overlap(one, two)
    # The most conditions first; between equals the order cannot matter, for none overlap.
    return tuple(sorted(groups.values(), key=lambda group: -len(group.stated)))


def _cells(row: ExpenseRow, stated: tuple[int, ...]) -> Iterable[tuple[str, ...]]:
    values = [sorted(row.conditions[condition] or ()) for condition in stated]
    if math.prod(map(len, values)) > MAX_CELLS:
        raise ValueError(
            f"{row.label} names more than {MAX_CELLS} combinations of its conditions; "
            "split it or leave a condition out"
        )
    return itertools.product(*values)


def _refuse_overlap(one: _Group, other: _Group) -> None:
    """Two groups with equally many conditions overlap where what both state can be equal."""
    shared = [condition for condition in one.stated if condition in other.stated]
    seen = {_projection(cell, one.stated, shared): row for cell, row in one.cells.items()}
    for cell, row in other.cells.items():
        rival = seen.get(_projection(cell, other.stated, shared))
        if rival is not None:
            raise ValueError(_tie(rival, row))


def _projection(
    cell: tuple[str, ...], stated: tuple[int, ...], shared: Sequence[int]
) -> tuple[str, ...]:
    return tuple(cell[stated.index(condition)] for condition in shared)


def _tie(one: ExpenseRow, other: ExpenseRow) -> str:
    first, second = sorted((one, other), key=lambda row: row.number)
    return (
        f"{first.describe()} and {second.describe()} can both answer for one line; "
        "give one of them a further condition"
    )
