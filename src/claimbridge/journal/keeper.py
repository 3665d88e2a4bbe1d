"""The keeper: the rules of flights, once, over a store that keeps them and owners that live.

A *flight* is one attempt: it takes off with ``begin``, and lands with ``record``. The keeper sees
to it that nobody takes over a living owner's flight. It puts a flight that nobody flies any more in
doubt. It lets no claim into two books, and no invoice into two claims. In a journal that is not the
newest it begins nothing. A store of another kind needs nothing but ``Store`` and ``Owners`` (see
``claimbridge.journal.ports``).
"""

from __future__ import annotations

import contextlib
import datetime as dt
import heapq
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from operator import attrgetter
from typing import Final, TypeVar

from claimbridge.clock import SYSTEM, Clock
from claimbridge.errors import ClaimBridgeError, JournalError
from claimbridge.journal import elsewhere, invoices, newest, rules
from claimbridge.journal.base import result_or_error
from claimbridge.journal.calls import ClientCall
from claimbridge.journal.flights import Flight, Flights
from claimbridge.journal.newest import Evidence
from claimbridge.journal.ports import (
    Aloft,
    ClaimWrite,
    Owners,
    Store,
    StoredSubmission,
    Surroundings,
)
from claimbridge.journal.writes import Write
from claimbridge.model import (
    Book,
    Continuity,
    Gap,
    History,
    InvoiceHolder,
    InvoiceUse,
    Key,
    Move,
    State,
    Submission,
    Withdrawal,
)

T = TypeVar("T")

_PAGE: Final = 200
"""Submissions, ids or moves read at once: what bounds the memory of what yields them."""


class Keeper:
    """A ``Journal`` on a store and its owners; what each method promises stands there."""

    def __init__(self, store: Store, owners: Owners, *, clock: Clock = SYSTEM) -> None:
        self._store = store
        self._owners = owners
        self._clock = clock
        self._flights = Flights()
        self._closed = False
        with contextlib.suppress(JournalError):  # a full disk shall not hinder reading
            self._land_adrift()
        owners.sweep()

    # One claim

    def history(self, book: str, claim_id: str) -> History:
        """Return all submissions of one claim; flights that nobody flies are put in doubt."""
        while True:
            history, aloft = self._store.read(book, claim_id)
            adrift = self._adrift(aloft.values())
            if not adrift:
                return self._measured(history)
            self._land(book, claim_id, adrift)

    def begin(self, seen: History, changed: Sequence[Submission]) -> History | None:
        """Write ``changed``, durably, with this journal as the owner of what goes into sending."""
        writes = rules.begin_writes(seen, changed, self._clock.now())
        if self._closed:
            raise rules.misuse("the journal is closed")
        owner = self._owners.appear(idle=not self._flights.any())
        flights = {one.after.key: self._flights.take_off() for one in writes if one.takes_off}
        takeoffs = {key: Aloft(owner, number) for key, number in flights.items()}
        history = None
        try:
            history = self._put(seen, writes, takeoffs=takeoffs)
        finally:
            if history is None:
                self._flights.cancel(flights.values())
                self._retire_if_over()
        if history is not None:
            for key, number in flights.items():
                self._flights.note(number, key, history)
        return history

    def record(
        self,
        seen: History,
        changed: Sequence[Submission],
        *,
        withdrawn: Withdrawal | None = None,
    ) -> History | None:
        """Write ``changed``, durably; the flights it names have ended, whatever comes of it."""
        flights = self._flights.named(seen, changed)
        try:
            writes = rules.record_writes(seen, changed, self._clock.now(), withdrawn=withdrawn)
            history = self._put(seen, writes, withdrawn=withdrawn)
        except BaseException:
            self._end(flights)
            raise
        # A loser that did not begin the flight says nothing about it: its owner flies on.
        self._end(one for one in flights if history is not None or one.history is seen)
        return history

    def owns(self, flights: Sequence[Submission]) -> bool:
        """Whether each of these attempts is sending, in a flight of this journal's living owner."""
        me = self._owners.me()
        if not me:
            return False
        ours = all(
            aloft is not None and aloft.owner == me and self._flights.flies(aloft.flight)
            for aloft in self._store.flights_of(flights)
        )
        # Last: as long as the owner stands, nobody takes over what was read before.
        return ours and self._owners.stands(me)

    def note_job(self, flights: Sequence[Submission], job: str) -> None:
        """Keep, durably, which job of the ERP holds what these attempts have sent."""
        self._store.put_job(flights, job)

    def ended(self, call: ClientCall) -> None:
        """Put in doubt what ``call`` has begun and not ended."""
        if self._flights.drop(call):
            with contextlib.suppress(JournalError):  # then the next reader finds it so
                self._land_adrift()
            self._retire_if_over()

    def at_once(self, calls: Sequence[Callable[[], T]]) -> list[T | ClaimBridgeError]:
        """Make the calls from threads of their own where their writes then share transactions."""
        if len(calls) < 2 or self._store.together < 2:
            return [result_or_error(call) for call in calls]
        with ThreadPoolExecutor(min(len(calls), self._store.together)) as pool:
            # Each in a copy of this context: whatever begins there belongs to the call made here.
            futures = [pool.submit(copy_context().run, result_or_error, call) for call in calls]
            return [one.result() for one in futures]

    # Many claims

    def invoices(self, names: Collection[str]) -> tuple[InvoiceHolder, ...]:
        """Return the submissions that have, or had, invoices of these names, oldest first."""
        return self._store.holders(names)

    def find(self, book: str, reference: str) -> Submission | None:
        """Return the submission that the ERP knows by ``reference``; None when we have none."""
        return self._store.find(book, reference)

    def select(
        self, book: str, states: Sequence[State] = (), *, parts: bool = False
    ) -> Iterator[Submission]:
        """Yield submissions in these states (empty: in any), oldest first; or parts alone.

        Reads page by page; one that moves on meanwhile is yielded once, or not at all when it
        left these states. Flights that nobody flies are put in doubt first.
        """
        with contextlib.suppress(JournalError):  # where nothing can be written, listing goes on
            self._land_adrift()
        streams = [self._stream(book, state, parts) for state in dict.fromkeys(states or State)]
        last = 0
        for stored in heapq.merge(*streams, key=attrgetter("number")):
            if stored.number > last:
                last = stored.number
                yield stored.submission

    def claims(self, book: str, prefix: str) -> Iterator[str]:
        """Yield the ids of claims that begin with ``prefix``, in order; reads page by page."""
        last, size = "", _PAGE
        while size == _PAGE:
            page = self._store.claims(book, prefix, after=last, size=_PAGE)
            for last in page:
                yield last
            size = len(page)

    def counts(self, book: str) -> Mapping[State, int]:
        """Return how many submissions are in each state, as they are written."""
        return self._store.counts(book)

    def moves(self, book: str, claim_id: str) -> Iterator[Move]:
        """Yield every move of a claim's submissions, oldest first; reads page by page."""
        last, size = 0, _PAGE
        while size == _PAGE:
            page = self._store.moves(book, claim_id, after=last, size=_PAGE)
            for number, move in page:
                last = number
                yield move
            size = len(page)

    # Books, cursors, seals

    def books(self) -> tuple[Book, ...]:
        """Return the books that ledgers of this journal meant, in the order of their opening."""
        return self._store.books()

    def keep_books(self, seen: Sequence[Book], books: Sequence[Book]) -> bool:
        """Keep ``books`` in the place of ``seen``, durably; False when they are others by now."""
        return self._store.put_books(seen, books)

    def cursor(self, book: str) -> str:
        """Return where reading the ERP's changes got to; "" when it has not begun."""
        return self._store.cursor(book)

    def set_cursor(self, book: str, cursor: str) -> None:
        """Keep where reading the ERP's changes got to, durably."""
        self._store.put_cursor(book, cursor, self._clock.now())

    def first_sight(self, book: str, seal: str, until: dt.datetime) -> bool:
        """Keep that a signed reply was seen, durably; False when it was seen before."""
        oldest = self._clock.now() - rules.KEPT_LONGER
        return self._store.put_seal(book, seal, until, oldest=oldest)

    # Is it the newest?

    def continuity(self) -> Continuity:
        """Return whether this is the newest journal, and of which times it knows nothing."""
        evidence = self._store.evidence()
        while True:
            continuity = newest.judge(evidence)
            if continuity.is_newest:
                return continuity
            # The mark may have moved between two readings: what counts has been read twice.
            again = self._store.evidence()
            if again == evidence:
                return continuity
            evidence = again

    def is_new(self, book: str) -> bool:
        """Say whether nothing was sent to a book through it, and nobody said that this is right."""
        return self._store.is_new(book)

    def agree_new(self, book: str) -> None:
        """Keep that nothing was sent to a book before, where none was through this; durably."""
        continuity = self.continuity()
        while newest.is_replaceable(continuity):
            self._store.renew(lambda evidence: newest.is_replaceable(newest.judge(evidence)))
            continuity = self.continuity()
        if not continuity.replaces and self.is_new(book):
            self._store.agree_new(book)

    def note_gap(self, until: dt.datetime) -> tuple[Gap | None, bool]:
        """Keep that another copy was in use until then, durably; whether that is news."""

        def decide(evidence: Evidence) -> tuple[Gap | None, bool]:
            return newest.gap_until(until, newest.judge(evidence), self._clock)

        return self._store.put_gap(decide, self._clock.now())

    def make_newest(self) -> None:
        """Have this journal count as the newest, durably."""
        self._store.renew(lambda _: True)

    # An end

    def abandon_flights(self) -> None:
        """Act as if this process had died in the midst of its flights, and had come up again.

        What it had in ``sending`` is ``in_doubt`` for the next reader. For tests and simulations.
        """
        self._flights.renew()
        self._owners.retire()

    def close(self) -> None:
        """Close all files; a flight still in the air keeps its owner alive until it ends."""
        self._closed = True
        self._store.close()
        self._retire_if_over()

    def _end(self, flights: Iterable[Flight]) -> None:
        self._flights.end(flights)
        self._retire_if_over()

    def _retire_if_over(self) -> None:
        if self._closed and not self._flights.any():
            self._owners.retire()

    # Writing

    def _put(
        self,
        seen: History,
        writes: Sequence[Write],
        *,
        takeoffs: Mapping[Key, Aloft] = {},
        withdrawn: Withdrawal | None = None,
    ) -> History | None:
        """Write what is lawful where its surroundings allow that; None when ``seen`` is old."""
        uses = {one.after.key: invoices.new_uses(one) for one in writes}
        write = ClaimWrite(
            seen=seen,
            writes=tuple(writes),
            withdrawn=withdrawn,
            takeoffs=takeoffs,
            flown=frozenset(one.after.key for one in writes if one.lands_unproven),
            invoices=frozenset(use.invoice for some in uses.values() for use in some),
            is_posting=any(one.posts for one in writes),
        )
        judge = partial(_judge, write, uses, self._owners.me())
        if not self._store.put(write, judge):
            return None
        return rules.next_history(seen, writes, withdrawn)

    def _land(self, book: str, claim_id: str, adrift: Mapping[Aloft, str]) -> None:
        """Put flights in doubt, unless another was faster."""
        while True:
            # Read again: before it died, an owner may have noted a job.
            history, aloft = self._store.read(book, claim_id)
            writes = tuple(
                rules.landing(one, adrift[aloft[one.key]], self._clock)
                for one in history.submissions
                if aloft.get(one.key) in adrift
            )
            write = ClaimWrite(seen=history, writes=writes)
            if not writes or self._store.put(write, lambda _: None):
                return

    def _land_adrift(self) -> None:
        airborne = self._store.airborne()
        adrift = self._adrift(aloft for _, _, aloft in airborne)
        for book, claim_id in dict.fromkeys(
            (book, claim_id) for book, claim_id, aloft in airborne if aloft in adrift
        ):
            self._land(book, claim_id, adrift)

    def _adrift(self, airborne: Iterable[Aloft]) -> dict[Aloft, str]:
        """Return those flights that nobody flies any more, and why."""
        me = self._owners.me()
        flights = list(airborne)
        if not flights:
            return {}
        living = self._owners.living({one.owner for one in flights} - {me})
        adrift = {}
        for one in flights:
            if one.owner == me:
                if not self._flights.flies(one.flight):
                    adrift[one] = rules.GIVEN_UP
            elif one.owner not in living:
                adrift[one] = rules.OWNER_ENDED
        return adrift

    def _measured(self, history: History) -> History:
        """Let quiet periods that began in another boot be measured in this one, from now on."""
        writes = rules.measure_anew(history, self._clock)
        if not writes:
            return history
        # Where nothing can be written they are not measured, so that none of them ends.
        with contextlib.suppress(JournalError):
            # None: somebody was faster.
            return self._put(history, writes) or self.history(history.book, history.claim_id)
        return history

    def _stream(self, book: str, state: State, parts: bool) -> Iterator[StoredSubmission]:
        last, size = 0, _PAGE
        while size == _PAGE:
            page = self._store.page(book, state, after=last, size=_PAGE, parts=parts)
            yield from page
            size = len(page)
            last = page[-1].number if page else last


def _judge(
    write: ClaimWrite,
    uses: Mapping[Key, Sequence[InvoiceUse]],
    me: str,
    surroundings: Surroundings,
) -> None:
    """Raise where a write may not be, as its surroundings are."""
    claim_id = write.seen.claim_id
    if surroundings.evidence is not None:
        error = newest.refusal(newest.judge(surroundings.evidence))
        if error is not None:
            raise error
    for key in write.flown:
        if surroundings.owners.get(key) != me:
            raise rules.not_yours(key)
    if write.is_posting:
        key = next(one.after.key for one in write.writes if one.posts)
        elsewhere.refuse_elsewhere(key, surroundings.presences, surroundings.books)
    for some in uses.values():
        refusal = invoices.refusal(some, surroundings.holders, claim_id=claim_id)
        if refusal is not None:
            raise refusal


__all__ = ["Keeper"]
