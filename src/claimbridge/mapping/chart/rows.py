"""The expense rows of a chart, and which of them answers for a claim line.

A row answers for one expense type, under its conditions. The first row that fits wins, in the
order of the chart. A row that can never be reached, because an earlier one takes all of its lines,
is refused when the chart is loaded.

The rows of a type are found without walking them: see ``axes``. Only a ``when`` is evaluated row by
row.
"""

from __future__ import annotations

import datetime as dt
import difflib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final, NamedTuple

import msgspec

from claimbridge.mapping.chart.axes import RangeAxis, ValueAxis
from claimbridge.mapping.chart.facts import CONDITIONS, Facts
from claimbridge.mapping.chart.narration import NarrationTemplate
from claimbridge.mapping.chart.when import When


class Window(NamedTuple):
    """The ranges that a row answers for; None: open on that side.

    An amount must be more than ``over``, and may be ``up_to`` itself. Both dates are inclusive.
    """

    over: Decimal | None = None
    up_to: Decimal | None = None
    first: dt.date | None = None
    last: dt.date | None = None

    def takes(self, amount: Decimal, posting: dt.date) -> bool:
        """Return whether an amount and a posting date are within."""
        return not (
            (self.over is not None and amount <= self.over)
            or (self.up_to is not None and amount > self.up_to)
            or (self.first is not None and posting < self.first)
            or (self.last is not None and posting > self.last)
        )

    def covers(self, other: Window) -> bool:
        """Return whether all that is within ``other`` is within this."""
        return (
            (self.over is None or (other.over is not None and other.over >= self.over))
            and (self.up_to is None or (other.up_to is not None and other.up_to <= self.up_to))
            and (self.first is None or (other.first is not None and other.first >= self.first))
            and (self.last is None or (other.last is not None and other.last <= self.last))
        )


ANY: Final = Window()


class ExpenseRow(msgspec.Struct, frozen=True, kw_only=True):
    """One checked row; its fields are those of ``layout.ExpenseTable``, with defaults filled in.

    ``conditions`` holds, for each of ``CONDITIONS``, the values that fit; None: any. ``file`` is
    the row's file, ``number`` its place there, ``label`` its name in messages. ``why`` explains why
    the row was chosen.
    """

    number: int
    type: str
    name: str
    account: str
    tax_rate: Decimal | None
    deductible: Decimal | None
    tax_code: str
    tax_in_expense: bool
    cost_centre_required: bool
    default_cost_centre: str
    dimensions: tuple[str, ...]
    narration: NarrationTemplate
    conditions: tuple[frozenset[str] | None, ...]
    label: str
    per_unit: Decimal | None = None
    unit: str = ""
    tax_free_per_unit: Decimal | None = None
    taxable_account: str = ""
    window: Window = ANY
    when: When | None = None
    file: str = ""
    why: str = ""

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "why", _why(self.conditions_in_words()))

    @property
    def specificity(self) -> int:
        """How many conditions the row states; shown, but the order of rows decides."""
        return len(self.conditions_in_words())

    def conditions_in_words(self) -> list[str]:
        """Return the conditions that the row states, in words."""
        window = self.window
        words = [
            f"{name} {'/'.join(sorted(values))}"
            for name, values in zip(CONDITIONS, self.conditions, strict=True)
            if values is not None
        ]
        for name, bound in (
            ("amount over", window.over),
            ("amount up to", window.up_to),
            ("from", window.first),
            ("to", window.last),
            ("when", self.when and self.when.text),
        ):
            if bound is not None:
                words.append(
                    f"{name} {bound:f}" if isinstance(bound, Decimal) else f"{name} {bound}"
                )
        return words

    def describe(self) -> str:
        """Return the row's label with its conditions, for messages."""
        return f"{self.label}: {', '.join(self.conditions_in_words()) or 'any'}"

    def takes_all_of(self, other: ExpenseRow) -> bool:
        """Return whether every line that fits ``other`` surely fits this row of its type."""
        for own, its in zip(self.conditions, other.conditions, strict=True):
            if own is not None and (its is None or not its <= own):
                return False
        return self.window.covers(other.window) and (self.when is None or self.when == other.when)


def _why(conditions: Sequence[str]) -> str:
    if not conditions:
        return "the row has no conditions"
    noun = "condition" if len(conditions) == 1 else "conditions"
    return f"the first row that fits, by {len(conditions)} {noun}: {', '.join(conditions)}"


class RowIndex:
    """Finds the row for a line without walking the chart."""

    def __init__(self, rows: Sequence[ExpenseRow]) -> None:
        self.rows = tuple(rows)
        by_type: dict[str, list[ExpenseRow]] = defaultdict(list)
        for row in rows:
            by_type[row.type].append(row)
        self._types = {type_: _TypeRows(members) for type_, members in by_type.items()}
        self._names = {type_: members[0].name for type_, members in by_type.items()}
        # Most types have one row for all: it needs no facts.
        self.unconditional: dict[str, ExpenseRow] = {
            type_: members[0] for type_, members in by_type.items() if not members[0].specificity
        }

    def find(self, facts: Facts) -> ExpenseRow | None:
        """Return the first row that fits; None when there is none.

        Raises MappingError where a ``when`` on the way cannot be judged.
        """
        rows = self._types.get(facts.type)
        if rows is None:
            return None
        for row in rows.candidates(facts):
            if row.when is None or row.when.holds(facts):
                return row
        return None

    def of_type(self, type_: str) -> tuple[ExpenseRow, ...]:
        """Return the rows of a type in the chart's order; empty when the chart has none."""
        rows = self._types.get(type_)
        return rows.rows if rows is not None else ()

    def types(self) -> tuple[str, ...]:
        """Return the types in the order of their first rows."""
        return tuple(self._types)

    def unreachable(self) -> Iterator[tuple[ExpenseRow, ExpenseRow]]:
        """Yield each row that an earlier one of its file hides, after that one."""
        for rows in self._types.values():
            yield from rows.unreachable()

    def meetings(self, type_: str) -> Iterator[tuple[ExpenseRow, Iterator[ExpenseRow]]]:
        """Yield each row of a type with the earlier rows that share lines with it.

        A ``when`` does not count here.
        """
        return self._types[type_].meetings()

    def nearest(self, type_: str) -> list[str]:
        """Return up to three types of the chart that are spelt or named most like ``type_``."""
        by_type = difflib.get_close_matches(type_, self._types, n=3, cutoff=_LIKENESS)
        names = difflib.get_close_matches(type_, self._names.values(), n=3, cutoff=_LIKENESS)
        by_name = [other for other, name in self._names.items() if name in names]
        return list(dict.fromkeys(by_type + by_name))[:3] or list(self._types)[:3]


_LIKENESS: Final = 0.3
"""Low: the message helps most when the type is only roughly right: "taxii" finds "travel"."""


_DAY: Final = dt.timedelta(days=1)


class _TypeRows:
    """The rows of one type; bit ``n`` of a mask stands for ``rows[n]``."""

    def __init__(self, rows: Sequence[ExpenseRow]) -> None:
        self.rows = tuple(rows)
        self._all = (1 << len(self.rows)) - 1
        self._exact = tuple(
            (place, ValueAxis([row.conditions[place] for row in self.rows]))
            for place in range(len(CONDITIONS))
            if any(row.conditions[place] is not None for row in self.rows)
        )
        amounts, days = [_amounts(row) for row in rows], [_days(row) for row in rows]
        self._amounts = RangeAxis(amounts) if set(amounts) != {(None, None)} else None
        self._days = RangeAxis(days) if set(days) != {(None, None)} else None

    def candidates(self, facts: Facts) -> Iterator[ExpenseRow]:
        """Yield the rows that fit, in order; their ``when`` is not evaluated."""
        mask = self._all
        for place, axis in self._exact:
            mask &= axis.taking(facts.exact[place])
        if self._amounts is not None:
            mask &= self._amounts.taking(facts.amount)
        if self._days is not None:
            mask &= self._days.taking(facts.posting)
        return self._of(mask)

    def _of(self, mask: int) -> Iterator[ExpenseRow]:
        while mask:
            lowest = mask & -mask
            yield self.rows[lowest.bit_length() - 1]
            mask ^= lowest

    def meetings(self) -> Iterator[tuple[ExpenseRow, Iterator[ExpenseRow]]]:
        """Yield each row with the earlier rows that share lines with it."""
        for number, row in enumerate(self.rows):
            mask = (1 << number) - 1
            for place, axis in self._exact:
                mask &= axis.meeting(row.conditions[place])
            if self._amounts is not None:
                mask &= self._amounts.meeting(*_amounts(row))
            if self._days is not None:
                mask &= self._days.meeting(*_days(row))
            yield row, self._of(mask)

    def unreachable(self) -> Iterator[tuple[ExpenseRow, ExpenseRow]]:
        """Yield (earlier, row) for each row that a single earlier row of its file hides."""
        for number, row in enumerate(self.rows):
            mask = (1 << number) - 1
            for place, axis in self._exact:
                mask &= axis.covering(row.conditions[place])
            if self._amounts is not None:
                mask &= self._amounts.covering(*_amounts(row))
            if self._days is not None:
                mask &= self._days.covering(*_days(row))
            for earlier in self._of(mask):
                if earlier.file == row.file and earlier.when in (None, row.when):
                    yield earlier, row
                    break


def _amounts(row: ExpenseRow) -> tuple[Decimal | None, Decimal | None]:
    return row.window.over, row.window.up_to


def _days(row: ExpenseRow) -> tuple[dt.date | None, dt.date | None]:
    """Return the last day before the row and its own last one."""
    first = row.window.first
    return (None if first is None or first == dt.date.min else first - _DAY), row.window.last
