"""The port that the record of sources stands on: a store, and the rows that a transaction sees.

``SourceRecord`` holds the rules, and decides. A *store* keeps rows, beside those of the journal:
in its file, in memory, in a database that many machines share. It decides nothing.

What every method promises:

- It may be called from any thread, and at the same time by other processes and machines.
- It raises JournalError, and nothing else of its own, where rows cannot be read or written: also
  for what a network or a pool of connections raises.
- ``Store.write`` that returns is durable; one that raises has written nothing. Where a store cannot
  know that (the connection was lost while it committed), the store looks again before it says so.
- Within ``write`` all is as if nobody else wrote: what was read stays as it was read until the end.
  A store may run its work again from the start, so the work does nothing but read and write rows.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

import msgspec

from claimbridge.sources.base.writeback import WriteBack, WriteBackState
from claimbridge.sources.record.arrivals import ArrivalState, Delivery, Hint, StoredArrival

T = TypeVar("T")


class ArrivalQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which arrivals are wanted, oldest first: those that fit all that is given.

    ``numbers`` None and ``states`` empty: any. ``after`` is a number; ``limit`` None: all.
    ``newest_first`` turns the order.
    """

    source: str | None = None
    key: str | None = None
    claim_id: str | None = None
    states: tuple[ArrivalState, ...] = ()
    numbers: tuple[int, ...] | None = None
    after: int = 0
    limit: int | None = None
    newest_first: bool = False


class ArrivalRows(Protocol):
    """Arrivals, and the mark of each source."""

    def select(self, query: ArrivalQuery) -> list[StoredArrival]:
        """Return the arrivals that are wanted."""
        ...

    def open_numbers(self, source: str) -> tuple[int, ...]:
        """Return the numbers of what is ``read``: withdrawals first, then by attempts, then age."""
        ...

    def unreported_numbers(self, source: str) -> tuple[int, ...]:
        """Return the numbers of what has ended and is not ``reported``, oldest first."""
        ...

    def numbers_with_news(self, source: str, books: Sequence[str]) -> tuple[int, ...]:
        """Return accepted arrivals whose submission is in another state than ``answered_state``.

        Of the submissions in these books (by id), in the journal beside. Where no journal is, all
        accepted arrivals; oldest first.
        """
        ...

    def last_number(self) -> int:
        """Return the number of the newest arrival; 0 when there is none."""
        ...

    def add(self, arrival: StoredArrival) -> int:
        """Add an arrival that is not there (source, key, version); return its number.

        The number is higher than any other, whatever the number of ``arrival`` is.
        """
        ...

    def put(self, arrival: StoredArrival) -> None:
        """Write an arrival in the place of that with its number; it is of the same document."""
        ...

    def mark(self, source: str) -> str:
        """Return where reading a source goes on; "" when it has not begun."""
        ...

    def put_mark(self, source: str, mark: str, at: dt.datetime) -> None:
        """Keep where reading a source goes on."""
        ...


class MessageRows(Protocol):
    """What a source was sent and has not read: bodies of webhooks, hints."""

    def add_delivery(self, source: str, digest: str, body: bytes, at: dt.datetime) -> bool:
        """Keep a body under a number above all others; False when its digest is there already."""
        ...

    def deliveries(self, source: str, *, after: int, limit: int) -> list[Delivery]:
        """Return bodies with numbers above ``after``, oldest first."""
        ...

    def add_hints(self, source: str, keys: Sequence[str]) -> None:
        """Keep hints under numbers above all others, also of those that are there already."""
        ...

    def hints(self, source: str, *, after: int, limit: int) -> list[Hint]:
        """Return hints with numbers above ``after``, oldest first."""
        ...

    def clear_hints(self, source: str, *, upto: int, key: str | None) -> None:
        """Forget hints with numbers up to ``upto``: of one document, or of all (None)."""
        ...


class WriteBackRows(Protocol):
    """What goes back to sources."""

    def find(self, write_back: WriteBack) -> WriteBack | None:
        """Return what is kept under the identity of ``write_back``."""
        ...

    def select(
        self, source: str, *, key: str | None = None, states: Sequence[WriteBackState] = ()
    ) -> tuple[WriteBack, ...]:
        """Return those of a source, of one document (None: of any), in these states; oldest first.

        Empty: in any state.
        """
        ...

    def add(self, write_back: WriteBack, at: dt.datetime) -> None:
        """Add a write-back whose identity is not there."""
        ...

    def put(self, write_back: WriteBack, at: dt.datetime) -> None:
        """Write a write-back in the place of that with its identity."""
        ...


class RecordRows(Protocol):
    """All rows, as one transaction sees them."""

    @property
    def arrivals(self) -> ArrivalRows:
        """Arrivals and marks."""
        ...

    @property
    def messages(self) -> MessageRows:
        """Deliveries and hints."""
        ...

    @property
    def write_backs(self) -> WriteBackRows:
        """Write-backs."""
        ...


class RecordStore(Protocol):
    """Keeps the rows of the record; ``arrivals`` and ``write_backs`` in one transaction."""

    def read(self, look: Callable[[RecordRows], T]) -> T:
        """Return what ``look`` returns: it calls one method of the rows, which reads one state."""
        ...

    def write(self, work: Callable[[RecordRows], T]) -> T:
        """Return what ``work`` returns, once all that it wrote is durable."""
        ...

    def turn(self, source: str) -> contextlib.AbstractContextManager[None]:
        """Hold the one pass of a source among all that share the store.

        A turn ends with its holder's life, however that ends. Raises NotDelivered CB-539 when
        another has it.
        """
        ...

    def close(self) -> None:
        """Let go of files and connections; closing twice does no harm."""
        ...


__all__ = [
    "ArrivalQuery",
    "ArrivalRows",
    "MessageRows",
    "RecordRows",
    "RecordStore",
    "WriteBackRows",
]
