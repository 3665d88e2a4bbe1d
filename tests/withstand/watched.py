"""A journal that tells somebody before and after each of its writes."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from claimbridge.errors import ClaimBridgeError
from claimbridge.journal import Journal
from claimbridge.journal.calls import ClientCall
from claimbridge.model import (
    Book,
    Continuity,
    Gap,
    History,
    InvoiceHolder,
    Move,
    State,
    Submission,
    Withdrawal,
)

T = TypeVar("T")

Hook = Callable[[int], None]
"""Is called with the number of the write, counted from 1; what it raises, the write raises."""


def nothing(_: int) -> None:
    """Do nothing."""


class Watched(Journal):
    """Hands everything on to ``journal``, and calls ``before`` and ``after`` around each write."""

    def __init__(self, journal: Journal, *, before: Hook = nothing, after: Hook = nothing) -> None:
        self._journal = journal
        self._before = before
        self._after = after
        self._numbers = itertools.count(1)  # threads draw from it, each another

    def begin(self, seen: History, changed: Sequence[Submission]) -> History | None:
        return self._write(lambda: self._journal.begin(seen, changed))

    def record(
        self,
        seen: History,
        changed: Sequence[Submission],
        *,
        withdrawn: Withdrawal | None = None,
    ) -> History | None:
        return self._write(lambda: self._journal.record(seen, changed, withdrawn=withdrawn))

    def _write(self, write: Callable[[], History | None]) -> History | None:
        number = next(self._numbers)
        self._before(number)
        written = write()
        self._after(number)
        return written

    def owns(self, flights: Sequence[Submission]) -> bool:
        return self._journal.owns(flights)

    def ended(self, call: ClientCall) -> None:
        self._journal.ended(call)

    def at_once(self, calls: Sequence[Callable[[], T]]) -> list[T | ClaimBridgeError]:
        return self._journal.at_once(calls)

    def books(self) -> tuple[Book, ...]:
        return self._journal.books()

    def keep_books(self, seen: Sequence[Book], books: Sequence[Book]) -> bool:
        return self._journal.keep_books(seen, books)

    def history(self, ledger: str, claim_id: str) -> History:
        return self._journal.history(ledger, claim_id)

    def invoices(self, names: Collection[str]) -> tuple[InvoiceHolder, ...]:
        return self._journal.invoices(names)

    def find(self, ledger: str, reference: str) -> Submission | None:
        return self._journal.find(ledger, reference)

    def select(
        self, ledger: str, states: Sequence[State] = (), *, parts: bool = False
    ) -> Iterator[Submission]:
        return self._journal.select(ledger, states, parts=parts)

    def claims(self, ledger: str, prefix: str) -> Iterator[str]:
        return self._journal.claims(ledger, prefix)

    def counts(self, ledger: str) -> Mapping[State, int]:
        return self._journal.counts(ledger)

    def moves(self, ledger: str, claim_id: str) -> Iterator[Move]:
        return self._journal.moves(ledger, claim_id)

    def cursor(self, ledger: str) -> str:
        return self._journal.cursor(ledger)

    def set_cursor(self, ledger: str, cursor: str) -> None:
        self._journal.set_cursor(ledger, cursor)

    def first_sight(self, ledger: str, seal: str, until: datetime) -> bool:
        return self._journal.first_sight(ledger, seal, until)

    def continuity(self) -> Continuity:
        return self._journal.continuity()

    def note_job(self, flights: Sequence[Submission], job: str) -> None:
        self._journal.note_job(flights, job)

    def is_new(self, ledger: str) -> bool:
        return self._journal.is_new(ledger)

    def agree_new(self, ledger: str) -> None:
        self._journal.agree_new(ledger)

    def note_gap(self, until: datetime) -> tuple[Gap | None, bool]:
        return self._journal.note_gap(until)

    def make_newest(self) -> None:
        self._journal.make_newest()

    def close(self) -> None:
        self._journal.close()
