"""Sets of facts as boxes: those that a row takes, those that several rows leave, an example.

A box has a side for each condition that names values, one for the amount and one for the posting
date. A ``when`` is not part of a box.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Final, NamedTuple, TypeAlias

from claimbridge.mapping.chart.facts import CONDITIONS
from claimbridge.mapping.chart.rows import ExpenseRow, Window
from claimbridge.model.money import EXACT

_ONE: Final = Decimal(1)
MAX_BOXES: Final = 4000
"""A remainder of more boxes than this is not examined."""


class ValueSet(NamedTuple):
    """Texts: the ``named`` ones, or with ``others`` all except those."""

    named: frozenset[str]
    others: bool

    def intersection(self, other: ValueSet) -> ValueSet:
        """Return what is in both."""
        if self.others and other.others:
            return ValueSet(self.named | other.named, True)
        if self.others or other.others:
            few, many = (other, self) if self.others else (self, other)
            return ValueSet(few.named - many.named, False)
        return ValueSet(self.named & other.named, False)

    def without(self, other: ValueSet) -> Iterator[ValueSet]:
        """Yield what is in this and not in the other."""
        yield self.intersection(ValueSet(other.named, not other.others))

    @property
    def is_empty(self) -> bool:
        """Whether nothing is in it."""
        return not self.others and not self.named


class Interval(NamedTuple):
    """Numbers more than ``over`` and up to ``up_to``; None: without end. A day is its ordinal."""

    over: Decimal | None
    up_to: Decimal | None

    def intersection(self, other: Interval) -> Interval:
        """Return what is in both."""
        overs = [bound for bound in (self.over, other.over) if bound is not None]
        ups = [bound for bound in (self.up_to, other.up_to) if bound is not None]
        return Interval(max(overs, default=None), min(ups, default=None))

    def without(self, other: Interval) -> Iterator[Interval]:
        """Yield what is in this and not in the other, below it and above."""
        if other.over is not None:
            yield self.intersection(Interval(None, other.over))
        if other.up_to is not None:
            yield self.intersection(Interval(other.up_to, None))

    @property
    def is_empty(self) -> bool:
        """Whether nothing is in it; no amount is below zero."""
        if self.up_to is None:
            return False
        return self.up_to < 0 if self.over is None else self.over >= self.up_to


Extent: TypeAlias = ValueSet | Interval
Box: TypeAlias = tuple[Extent, ...]

EVERY: Final = ValueSet(frozenset(), True)
ENDLESS: Final = Interval(None, None)
ALL: Final[Box] = (*[EVERY] * len(CONDITIONS), ENDLESS, ENDLESS)


def box_of(row: ExpenseRow) -> Box:
    """Return the facts that a row takes, its ``when`` apart."""
    exact = [EVERY if values is None else ValueSet(values, False) for values in row.conditions]
    return (*exact, *_spans(row.window))


def _spans(window: Window) -> tuple[Interval, Interval]:
    return Interval(window.over, window.up_to), days(window.first, window.last)


def days(first: dt.date | None, last: dt.date | None) -> Interval:
    """Return the days from one to another, both inclusive; None: without end."""
    return Interval(
        None if first is None else Decimal(first.toordinal() - 1),
        None if last is None else Decimal(last.toordinal()),
    )


def intersection(box: Box, other: Box) -> Box | None:
    """Return what is in both boxes; None where nothing is."""
    sides = []
    for side, its in zip(box, other, strict=True):
        both = side.intersection(its)  # type: ignore[arg-type]  # sides of one place are of one kind
        if both.is_empty:
            return None
        sides.append(both)
    return tuple(sides)


def remainder(box: Box, taken: Iterable[Box]) -> list[Box] | None:
    """Return what is in a box and in none of those taken; None for more than ``MAX_BOXES``."""
    left = [box]
    for other in taken:
        left = [piece for part in left for piece in _without(part, other)]
        if len(left) > MAX_BOXES:
            return None
        if not left:
            break
    return left


def _without(box: Box, other: Box) -> Iterator[Box]:
    if intersection(box, other) is None:
        yield box
        return
    rest = list(box)
    for place, its in enumerate(other):
        side = rest[place]
        for piece in side.without(its):  # type: ignore[arg-type]  # of one kind, as above
            if not piece.is_empty:
                yield (*rest[:place], piece, *rest[place + 1 :])
        rest[place] = side.intersection(its)  # type: ignore[arg-type]  # of one kind, as above


def example(box: Box) -> tuple[tuple[str, ...], Decimal, dt.date | None]:
    """Return facts in a box: its exact values ("" for none), an amount, a day (None: any)."""
    *exact, amount, day = box
    values = tuple(_value(name, side) for name, side in zip(CONDITIONS, exact, strict=True))
    assert isinstance(amount, Interval)
    assert isinstance(day, Interval)
    number = amount.up_to
    if number is None:
        number = Decimal(100) if amount.over is None else EXACT.add(amount.over, _ONE)
    ordinal = day.over + 1 if day.over is not None else day.up_to
    return values, number, None if ordinal is None else dt.date.fromordinal(int(ordinal))


def _value(name: str, side: Extent) -> str:
    assert isinstance(side, ValueSet)
    if not side.others:
        return min(side.named)
    if name != "employee" and "" not in side.named:
        return ""  # most claims have no project, and many no department
    return f"another {name}"


def in_words(facts: tuple[Sequence[str], Decimal, dt.date | None], box: Box, asked: Box) -> str:
    """Return an example in words, with the sides that the rows ask about."""
    exact, amount, day = facts
    words = [
        f"{name} {value or 'none'}"
        for name, value, side, whole in zip(CONDITIONS, exact, box, asked, strict=False)
        if side != whole
    ]
    if box[-2] != asked[-2]:
        words.append(f"amount {amount:f}")
    if box[-1] != asked[-1] and day is not None:
        words.append(f"posting date {day}")
    return ", ".join(words) or "any line"
