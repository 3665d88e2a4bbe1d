"""The record of what sources gave, and of what goes back to them: the rules, over a store.

The record stands beside the journal, never in its place. The journal says what is in the ledger,
makes submitting twice harmless, and lets no two claims use one invoice. The record makes sure that
nothing read is forgotten, and that what goes back to a source is known. A call that returns has
been synced to the disk, as ``claimbridge.journal.sqlite.journal`` promises it; no network call is
ever made inside a transaction. Several processes may share it.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from claimbridge.clock import SYSTEM, Clock
from claimbridge.sources.base import Arrival
from claimbridge.sources.base.writeback import OPEN, WriteBack, WriteBackState
from claimbridge.sources.record import rules
from claimbridge.sources.record.arrivals import ArrivalState, Delivery, Hint, StoredArrival
from claimbridge.sources.record.ports import ArrivalQuery, ArrivalRows, RecordRows, RecordStore

_PAGE: Final = 200
"""Arrivals read at once by ``select``: what bounds its memory."""


class SourceRecord:
    """The record on a store.

    Every method raises JournalError when the record cannot be read or written; a write that raises
    has changed nothing. Safe for threads, and for all processes that share the store.
    ``Hints`` and ``WriteBacks`` in ``claimbridge.sources`` say more of the methods about those.
    """

    def __init__(self, store: RecordStore, *, clock: Clock = SYSTEM) -> None:
        self._store = store
        self._clock = clock

    def turn(self, source: str) -> contextlib.AbstractContextManager[None]:
        """Hold the one pass of a source, among all processes on this record.

        Raises NotDelivered CB-539 when another pass of it is under way: it does this one's work.
        """
        return self._store.turn(source)

    def close(self) -> None:
        """Let go of the store; closing twice does no harm."""
        self._store.close()

    # What a source gave

    def mark(self, source: str) -> str:
        """Return where reading the source goes on; "" when it has not begun."""
        return self._store.read(lambda rows: rows.arrivals.mark(source))

    def take_in(
        self, source: str, arrivals: Sequence[Arrival], *, mark: str = ""
    ) -> list[StoredArrival]:
        """Keep what a source gave, and with it where reading goes on; return it as it is kept.

        All of it or nothing. A version that is kept already stays as it is, unless it was no
        claim and is one now. A new one takes the place of what is not in a ledger yet: older
        versions of its document, and earlier revisions of its claim. An arrival with an error is
        parked at once. ``mark`` "" leaves the mark.
        """
        now = self._clock.now()

        def work(rows: RecordRows) -> list[StoredArrival]:
            for arrival in arrivals:
                _receive(rows.arrivals, source, arrival, now)
            if mark:
                rows.arrivals.put_mark(source, rules.storable(mark), now)
            return [_version(rows.arrivals, source, arrival) for arrival in arrivals]

        return self._store.write(work)

    def find(self, source: str, key: str) -> tuple[StoredArrival, ...]:
        """Return every version of a document, oldest first."""
        return tuple(self._select(ArrivalQuery(source=source, key=rules.storable(key))))

    def newest(self, source: str, key: str) -> StoredArrival | None:
        """Return the version of a document that was read last; None where there is none."""
        query = ArrivalQuery(source=source, key=rules.storable(key), limit=1, newest_first=True)
        return next(iter(self._select(query)), None)

    def select(
        self, states: Sequence[ArrivalState] = (), *, source: str | None = None
    ) -> Iterator[StoredArrival]:
        """Yield arrivals in these states (empty: in any), oldest first; ``source`` None: of all.

        Bounded memory: the caller may stop early, and may write while it reads.
        """
        last, size = 0, _PAGE
        while size == _PAGE:
            page = self._select(
                ArrivalQuery(source=source, states=tuple(states), after=last, limit=_PAGE)
            )
            yield from page
            last, size = (page[-1].number if page else last), len(page)

    def open(self, source: str) -> tuple[int, ...]:
        """Return the numbers of what a pass goes on with.

        What was taken back first, then what was attempted least often: one that fails again and
        again stands before nobody.
        """
        return self._store.read(lambda rows: rows.arrivals.open_numbers(source))

    def get(self, numbers: Sequence[int]) -> list[StoredArrival]:
        """Return the arrivals of these numbers, in their order."""
        arrivals = {one.number: one for one in self._select(ArrivalQuery(numbers=tuple(numbers)))}
        return [arrivals[number] for number in numbers if number in arrivals]

    def pages(self, numbers: Sequence[int], *, size: int = _PAGE) -> Iterator[list[StoredArrival]]:
        """Yield the arrivals of these numbers in their order, read ``size`` at a time."""
        for start in range(0, len(numbers), size):
            yield self.get(numbers[start : start + size])

    def unreported(self, source: str) -> tuple[int, ...]:
        """Return the numbers of what has ended without its source taking note, oldest first."""
        return self._store.read(lambda rows: rows.arrivals.unreported_numbers(source))

    def with_news(self, source: str, *, books: Sequence[str]) -> tuple[int, ...]:
        """Return the numbers of accepted arrivals whose submission moved on since it was answered.

        ``books`` are the ids of those that the source's claims go to. In memory, where no journal
        is at hand: of all accepted ones.
        """
        return self._store.read(lambda rows: rows.arrivals.numbers_with_news(source, books))

    def last(self) -> int:
        """Return the number of the newest arrival; 0 when there is none."""
        return self._store.read(lambda rows: rows.arrivals.last_number())

    # What becomes of it

    def begin(self, arrivals: Sequence[StoredArrival]) -> list[StoredArrival | None]:
        """Count one more attempt of claims that are about to be submitted.

        Returns each arrival as it then stands; None where it is no longer to be submitted.
        """
        now = self._clock.now()
        return self._store.write(
            lambda rows: [
                _change(rows.arrivals, one, lambda entry: rules.begin(entry, now))
                for one in arrivals
            ]
        )

    def accept(self, arrival: StoredArrival) -> None:
        """Record that the ledger accepted it; what was parked of the claim before is superseded."""
        now = self._clock.now()

        def work(rows: RecordRows) -> None:
            accepted = _change(rows.arrivals, arrival, lambda entry: rules.accept(entry, now))
            if accepted is not None:
                relatives = _relatives(rows.arrivals, accepted.claim_id)
                for one in rules.give_way(accepted, relatives, now):
                    rows.arrivals.put(one)

        self._store.write(work)

    def end(self, arrival: StoredArrival, state: ArrivalState, *, code: str, reason: str) -> bool:
        """Record another end, and why; False when it has ended otherwise meanwhile."""
        now = self._clock.now()
        return self._moves(
            arrival, lambda entry: rules.end(entry, state, code=code, reason=reason, now=now)
        )

    def delay(self, arrival: StoredArrival, *, code: str, reason: str) -> None:
        """Record why an arrival could not be brought further for now; it stays ``read``."""
        self._moves(arrival, lambda entry: rules.delay(entry, code=code, reason=reason))

    def retry(self, arrival: StoredArrival) -> bool:
        """Let the next pass go on with a parked arrival; False when it is not parked any more.

        One that never was a claim stays parked: it has to be read again, and taken in.
        """
        now = self._clock.now()
        return self._moves(arrival, lambda entry: rules.retry(entry, now))

    def note_reported(self, arrival: StoredArrival) -> None:
        """Record that the source took note of the end that ``arrival`` shows."""
        self._moves(arrival, lambda entry: rules.report(entry, arrival.state))

    def note_answer(self, arrival: StoredArrival, state: str) -> None:
        """Record that what goes back to the source was planned for this state in the ledger."""
        self._moves(arrival, lambda entry: rules.answer(entry, state))

    # What a webhook was sent

    def deliver(self, source: str, digest: str, body: bytes) -> bool:
        """Keep a body; False when one with this digest is kept already."""
        now = self._clock.now()
        return self._store.write(lambda rows: rows.messages.add_delivery(source, digest, body, now))

    def deliveries(self, source: str, *, after: int, limit: int = 100) -> list[Delivery]:
        """Return bodies with numbers above ``after``, oldest first."""
        return self._store.read(
            lambda rows: rows.messages.deliveries(source, after=after, limit=limit)
        )

    # What a source says to have changed

    def hint(self, source: str, keys: Sequence[str]) -> None:
        """Keep that these documents may have changed; one that is kept already becomes newest."""
        names = [rules.storable(key) for key in keys]
        self._store.write(lambda rows: rows.messages.add_hints(source, names))

    def hints(self, source: str, *, after: int = 0, limit: int = 100) -> list[Hint]:
        """Return hints with numbers above ``after``, oldest first."""
        return self._store.read(lambda rows: rows.messages.hints(source, after=after, limit=limit))

    def clear_hints(self, source: str, *, upto: int, key: str | None = None) -> None:
        """Forget hints with numbers up to ``upto``; those of one document where ``key`` is given.

        A hint that came again since then has a higher number, and stays.
        """
        name = None if key is None else rules.storable(key)
        self._store.write(lambda rows: rows.messages.clear_hints(source, upto=upto, key=name))

    # What goes back to a source

    def begin_write_back(self, write_back: WriteBack) -> WriteBack:
        """Add ``write_back`` unless its identity is kept already; return what is kept.

        What is kept as superseded becomes what is given, its attempts counted on.
        """
        now = self._clock.now()

        def work(rows: RecordRows) -> WriteBack:
            entry = rows.write_backs.find(write_back)
            planned = rules.plan_write_back(entry, write_back)
            if planned is None:
                return entry or write_back
            if entry is None:
                rows.write_backs.add(planned, now)
            else:
                rows.write_backs.put(planned, now)
            return planned

        return self._store.write(work)

    def record_write_back(self, write_back: WriteBack) -> bool:
        """Move what is kept to ``write_back``; False where that is no lawful step from it."""
        now = self._clock.now()

        def work(rows: RecordRows) -> bool:
            entry = rows.write_backs.find(write_back)
            moved = rules.move_write_back(entry, write_back)
            if moved is not None:
                rows.write_backs.put(moved, now)
            return moved is not None

        return self._store.write(work)

    def open_write_backs(self, source: str) -> tuple[WriteBack, ...]:
        """Return those in an ``OPEN`` state, oldest first."""
        return self.select_write_backs(source, tuple(OPEN))

    def select_write_backs(
        self, source: str, states: Sequence[WriteBackState]
    ) -> tuple[WriteBack, ...]:
        """Return those of a source in these states, oldest first."""
        return self._store.read(lambda rows: rows.write_backs.select(source, states=states))

    def write_backs_of(self, source: str, key: str) -> tuple[WriteBack, ...]:
        """Return all about one document, oldest first."""
        return self._store.read(lambda rows: rows.write_backs.select(source, key=key))

    def _select(self, query: ArrivalQuery) -> list[StoredArrival]:
        return self._store.read(lambda rows: rows.arrivals.select(query))

    def _moves(
        self,
        arrival: StoredArrival,
        change: Callable[[StoredArrival], StoredArrival | None],
    ) -> bool:
        """Change what is kept of an arrival; False where it stays as it is."""
        changed = self._store.write(lambda rows: _change(rows.arrivals, arrival, change))
        return changed is not None


def _receive(rows: ArrivalRows, source: str, arrival: Arrival, now: dt.datetime) -> None:
    versions = rows.select(ArrivalQuery(source=source, key=rules.storable(arrival.key)))
    relatives = _relatives(rows, arrival.claim.id if arrival.claim else "")
    reception = rules.receive(source, arrival, versions=versions, relatives=relatives, now=now)
    if reception is None:
        return
    if reception.is_new:
        rows.add(reception.row)
    else:
        rows.put(reception.row)
    for one in reception.superseded:
        rows.put(one)


def _change(
    rows: ArrivalRows,
    arrival: StoredArrival,
    change: Callable[[StoredArrival], StoredArrival | None],
) -> StoredArrival | None:
    (entry,) = rows.select(ArrivalQuery(numbers=(arrival.number,)))
    changed = change(entry)
    if changed is not None:
        rows.put(changed)
    return changed


def _relatives(rows: ArrivalRows, claim_id: str) -> list[StoredArrival]:
    """Return the arrivals of a claim that may still come into a ledger, or have."""
    if not claim_id:
        return []
    return rows.select(ArrivalQuery(claim_id=claim_id, states=rules.RELATIVES))


def _version(rows: ArrivalRows, source: str, arrival: Arrival) -> StoredArrival:
    """Return what is kept of an arrival's version."""
    versions = rows.select(ArrivalQuery(source=source, key=rules.storable(arrival.key)))
    version = rules.storable(arrival.version)
    return next(one for one in versions if one.version == version)


__all__ = ["SourceRecord"]
