"""Which rows take a fact, as masks: ints with a bit for each row of a type.

An axis is one condition. It answers three questions without walking the rows: which of them take
a fact, which surely take all that another row takes there, and which have something in common
with it.
"""

from __future__ import annotations

import bisect
import datetime as dt
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Generic, TypeAlias, TypeVar

Bound: TypeAlias = Decimal | dt.date
_B = TypeVar("_B", Decimal, dt.date)


class ValueAxis:
    """A condition that names the values that fit; None: any."""

    def __init__(self, conditions: Sequence[frozenset[str] | None]) -> None:
        self._other = 0
        named: dict[str, int] = {}
        for number, values in enumerate(conditions):
            if values is None:
                self._other |= 1 << number
            for value in values or ():
                named[value] = named.get(value, 0) | 1 << number
        self._named = {value: mask | self._other for value, mask in named.items()}

    def taking(self, value: str) -> int:
        """Return the rows that take a value."""
        return self._named.get(value, self._other)

    def covering(self, values: frozenset[str] | None) -> int:
        """Return the rows that take all that a condition takes."""
        if values is None:
            return self._other
        mask = -1
        for value in values:
            mask &= self._named.get(value, self._other)
        return mask

    def meeting(self, values: frozenset[str] | None) -> int:
        """Return the rows that take something that a condition takes."""
        if values is None:
            return -1
        mask = self._other
        for value in values:
            mask |= self._named.get(value, 0)
        return mask


class RangeAxis(Generic[_B]):
    """A condition that bounds a fact, below exclusively and above inclusively; None: open.

    The bounds cut the axis into steps; within one of them the same rows take every fact.
    """

    def __init__(self, ranges: Sequence[tuple[_B | None, _B | None]]) -> None:
        self._bounds: list[_B] = sorted(
            {bound for pair in ranges for bound in pair if bound is not None}
        )
        changes = [0] * (len(self._bounds) + 2)
        for number, (low, high) in enumerate(ranges):
            first, last = self._steps(low, high)
            if first <= last:
                changes[first] ^= 1 << number
                changes[last + 1] ^= 1 << number
        self._masks: list[int] = []
        mask = 0
        for change in changes[:-1]:
            mask ^= change
            self._masks.append(mask)

    def _steps(self, low: _B | None, high: _B | None) -> tuple[int, int]:
        first = 0 if low is None else bisect.bisect_left(self._bounds, low) + 1
        last = len(self._bounds) if high is None else bisect.bisect_left(self._bounds, high)
        return first, last

    def taking(self, fact: _B) -> int:
        """Return the rows that take a fact."""
        return self._masks[bisect.bisect_left(self._bounds, fact)]

    def covering(self, low: _B | None, high: _B | None) -> int:
        """Return the rows that take all between two bounds of this axis."""
        first, last = self._steps(low, high)
        # A row takes a range without holes: what it takes at both ends it takes between them.
        return self._masks[first] & self._masks[last]

    def meeting(self, low: _B | None, high: _B | None) -> int:
        """Return the rows that take something between two bounds of this axis."""
        if low is None and high is None:
            return -1
        first, last = self._steps(low, high)
        return union(self._masks[first : last + 1])


def union(masks: Iterable[int]) -> int:
    """Return the rows that are in any of the masks."""
    rows = 0
    for mask in masks:
        rows |= mask
    return rows
