"""A journal in memory: for tests, simulations and ``demo``. It ends with its process."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from typing import TypeVar

import msgspec

from claimbridge.clock import SYSTEM, Clock
from claimbridge.errors import ClaimBridgeError
from claimbridge.journal import invoices, newest, rules
from claimbridge.journal.base import outcome_of
from claimbridge.journal.calls import ClientCall
from claimbridge.journal.flights import Flights
from claimbridge.model import (
    Book,
    Continuity,
    Gap,
    History,
    InvoiceHolder,
    Key,
    Move,
    Purpose,
    State,
    Submission,
    Withdrawal,
)
from claimbridge.turns import Turn

T = TypeVar("T")


class MemoryJournal:
    """Keeps what SqliteJournal keeps, by the same rules, in this process alone.

    Nothing of it is durable: "durable" in the protocol's promises means "while it exists" here.
    """

    def __init__(self, *, clock: Clock = SYSTEM) -> None:
        self._clock = clock
        self._record = _Record()
        self._flights = Flights()
        self._closed = False

    def twin(self) -> MemoryJournal:
        """Return another owner's journal on the same record, as another process would have it."""
        other = MemoryJournal(clock=self._clock)
        other._record = self._record
        return other

    def abandon_flights(self) -> None:
        """Act as if this process had died in the midst of its flights, and had come up again.

        What it had in ``sending`` is ``in_doubt`` for the next reader.
        """
        with self._record.turn.held():
            self._flights.abandon()
            self._flights = Flights()

    def books(self) -> tuple[Book, ...]:
        """Return the books that ledgers of this journal meant, in the order of their opening."""
        with self._open() as record:
            return record.books

    def keep_books(self, seen: Sequence[Book], books: Sequence[Book]) -> bool:
        """Keep ``books`` in the place of ``seen``; False when they are others by now."""
        with self._open() as record:
            if record.books != tuple(seen):
                return False
            left = {book.id for book in books}
            for book in seen:
                if book.id not in left and any(key[0] == book.id for key in record.histories):
                    raise rules.not_empty(book)
            record.books = tuple(books)
            return True

    def history(self, book: str, claim_id: str) -> History:
        """Return all submissions of one claim; flights that nobody flies are put in doubt."""
        with self._open() as record:
            history = record.histories.get((book, claim_id)) or History(book, claim_id)
            adrift = [
                one
                for one in history.submissions
                if one.state is State.SENDING and not record.aloft[one.key].flies
            ]
            changes = [rules.landed(one, self._why_adrift(one.key), self._clock) for one in adrift]
            changes += rules.remeasured(history, self._clock)
            return record.store(history, changes) if changes else history

    def begin(self, seen: History, changed: Sequence[Submission]) -> History | None:
        """Write ``changed``, with this journal as the owner of what goes into sending."""
        with self._open() as record:
            changes = rules.begun(seen, changed, self._clock.now())
            if not record.is_current(seen):
                return None
            history = record.store(seen, changes)
            record.begun_at = changes[0].at
            for key in [change.after.key for change in changes if change.takes_off]:
                number = self._flights.take_off()
                record.aloft[key] = _Aloft(self._flights, number)
                self._flights.written(number, key, history)
            return history

    def record(
        self,
        seen: History,
        changed: Sequence[Submission],
        *,
        withdrawn: Withdrawal | None = None,
    ) -> History | None:
        """Write ``changed``; the flights it names have ended, whatever comes of the write."""
        named = self._flights.named(seen, changed)
        try:
            history = self._recorded(seen, changed, withdrawn)
        except BaseException:
            self._flights.end(named)
            raise
        self._flights.end(one for one in named if history is not None or one.history is seen)
        return history

    def owns(self, flights: Sequence[Submission]) -> bool:
        """Whether each of these attempts is sending, in a flight of this journal."""
        with self._open() as record:
            return all(self._flies(record, one) for one in flights)

    def note_job(self, flights: Sequence[Submission], job: str) -> None:
        """Keep which job of the ERP holds what these attempts have sent."""
        with self._open() as record:
            for one in [flight for flight in flights if self._flies(record, flight)]:
                place = (one.key.book, one.key.claim_id)
                record.histories[place] = rules.with_job(record.histories[place], one.key, job)

    def _flies(self, record: _Record, flight: Submission) -> bool:
        history = record.histories.get((flight.key.book, flight.key.claim_id))
        held = history.get(flight.key) if history is not None else None
        if held is None or held.state is not State.SENDING or held.attempt != flight.attempt:
            return False
        aloft = record.aloft[flight.key]
        return aloft.flights is self._flights and aloft.flies

    def ended(self, call: ClientCall) -> None:
        """Put in doubt what ``call`` has begun and not ended."""
        self._flights.drop(call)  # the next reader finds it in doubt

    def at_once(self, calls: Sequence[Callable[[], T]]) -> list[T | ClaimBridgeError]:
        """Make the calls one after the other: nothing waits for a disk here."""
        return [outcome_of(call) for call in calls]

    def invoices(self, names: Collection[str]) -> tuple[InvoiceHolder, ...]:
        """Return the submissions that have, or had, invoices of these names, oldest first."""
        with self._open() as record:
            return record.holders(names)

    def find(self, book: str, reference: str) -> Submission | None:
        """Return the submission that the ERP knows by ``reference``; None when we have none."""
        with self._open() as record:
            key = record.references.get((book, reference))
            return None if key is None else record.submission(key)

    def select(
        self, book: str, states: Sequence[State] = (), *, parts: bool = False
    ) -> Iterator[Submission]:
        """Yield submissions in these states (empty: in any), oldest first; or parts alone."""
        wanted = frozenset(states or State)
        with self._open() as record:
            for key in [key for key in record.aloft if key.book == book]:
                self.history(key.book, key.claim_id)
            keys: dict[int, Key] = {}
            for state in wanted:
                keys |= record.by_state[book, state]
        for number in sorted(keys):
            with self._open() as record:
                found = record.submission(keys[number])
            if found.state in wanted and (found.key.part or not parts):
                yield found

    def counts(self, book: str) -> dict[State, int]:
        """Return how many submissions are in each state, as they are written."""
        with self._open() as record:
            held = ((state, len(record.by_state.get((book, state), ()))) for state in State)
            return {state: count for state, count in held if count}

    def moves(self, book: str, claim_id: str) -> Iterator[Move]:
        """Yield every move of a claim's submissions, oldest first."""
        with self._open() as record:
            found = tuple(record.moves.get((book, claim_id), ()))
        yield from found

    def cursor(self, book: str) -> str:
        """Return where reading the ERP's changes got to; "" when it has not begun."""
        with self._open() as record:
            return record.cursors.get(book, "")

    def set_cursor(self, book: str, cursor: str) -> None:
        """Keep where reading the ERP's changes got to."""
        with self._open() as record:
            record.cursors[book] = cursor

    def first_sight(self, book: str, seal: str, until: datetime) -> bool:
        """Keep that a signed reply was seen; False when it was seen before."""
        with self._open() as record:
            oldest = self._clock.now() - rules.KEPT_LONGER
            record.sights = {key: end for key, end in record.sights.items() if end >= oldest}
            if (book, seal) in record.sights:
                return False
            record.sights[book, seal] = until
            return True

    def continuity(self) -> Continuity:
        """Return its gaps; it is always the newest, and never asked whether it is new."""
        with self._open() as record:
            return Continuity(lasting=False, last_begun=record.begun_at, gaps=tuple(record.gaps))

    def is_new(self, book: str) -> bool:
        """Return False: a journal in memory says by itself that it does not last."""
        return False

    def agree_new(self, book: str) -> None:
        """Do nothing: a journal in memory is always new."""

    def note_gap(self, until: datetime) -> tuple[Gap | None, bool]:
        """Keep that another copy was in use until then."""
        with self._open() as record:
            gap, is_new = newest.noted(until, self.continuity(), self._clock)
            if gap is not None and is_new:
                record.gaps.append(gap)
            return gap, is_new

    def make_newest(self) -> None:
        """Do nothing: nothing else has this record."""

    def close(self) -> None:
        """Refuse further use; closing twice does no harm."""
        self._closed = True

    @contextlib.contextmanager
    def _open(self) -> Iterator[_Record]:
        """Have the record for oneself: the ``with`` is the transaction."""
        if self._closed:
            raise rules.misuse("the journal is closed")
        with self._record.turn.held():
            yield self._record

    def _recorded(
        self, seen: History, changed: Sequence[Submission], withdrawn: Withdrawal | None
    ) -> History | None:
        with self._open() as record:
            changes = rules.recorded(seen, changed, self._clock.now(), withdrawn=withdrawn)
            if not record.is_current(seen):
                return None
            for change in changes:
                if change.lands_unproven and not self._is_ours(change.after.key):
                    raise rules.not_yours(change.after.key)
            return record.store(seen, changes, withdrawn)

    def _is_ours(self, key: Key) -> bool:
        return self._record.aloft[key].flights is self._flights

    def _why_adrift(self, key: Key) -> str:
        return rules.GIVEN_UP if self._is_ours(key) else rules.OWNER_ENDED


class _Aloft(msgspec.Struct, frozen=True):
    flights: Flights
    number: int

    @property
    def flies(self) -> bool:
        return self.flights.flies(self.number)


class _Record:
    """What is kept; used by one thread at a time."""

    def __init__(self) -> None:
        self.turn = Turn()
        self.books: tuple[Book, ...] = ()
        self.histories: dict[tuple[str, str], History] = {}
        self.of_claim: dict[str, set[str]] = defaultdict(set)
        """The books that have something of a claim."""
        self.references: dict[tuple[str, str], Key] = {}
        self.users: dict[str, dict[Key, None]] = defaultdict(dict)
        self.numbers: dict[Key, int] = {}
        self.by_state: dict[tuple[str, State], dict[int, Key]] = defaultdict(dict)
        self.aloft: dict[Key, _Aloft] = {}
        self.moves: dict[tuple[str, str], list[Move]] = defaultdict(list)
        self.cursors: dict[str, str] = {}
        self.sights: dict[tuple[str, str], datetime] = {}
        self.gaps: list[Gap] = []
        self.begun_at: datetime | None = None

    def submission(self, key: Key) -> Submission:
        found = self.histories[key.book, key.claim_id].get(key)
        assert found is not None  # nothing is ever removed
        return found

    def is_current(self, seen: History) -> bool:
        known = self.histories.get((seen.book, seen.claim_id))
        return seen.version == (0 if known is None else known.version)

    def store(
        self,
        seen: History,
        changes: Sequence[rules.Write],
        withdrawn: Withdrawal | None = None,
    ) -> History:
        self._check_seen(seen, changes)
        self._check_elsewhere(changes)
        self._check_references(changes)
        self._check_invoices(changes)
        history = rules.continued(seen, changes, withdrawn)
        for change in changes:
            self._keep(change)
        self.histories[seen.book, seen.claim_id] = history
        self.of_claim[seen.claim_id].add(seen.book)
        return history

    def held(self, claim_id: str) -> list[rules.Presence]:
        return [
            rules.Presence(book, one.key.revision, one.state)
            for book in sorted(self.of_claim.get(claim_id, ()))
            for one in self.histories[book, claim_id].submissions
            if one.key.purpose is Purpose.POST
        ]

    def _check_elsewhere(self, changes: Sequence[rules.Write]) -> None:
        for change in changes:
            if change.posts:
                key = change.after.key
                rules.refuse_elsewhere(key, self.held(key.claim_id), self.books)

    def _check_seen(self, seen: History, changes: Sequence[rules.Write]) -> None:
        known = self.histories.get((seen.book, seen.claim_id), seen)
        for change in changes:
            held = known.get(change.after.key)
            if (held and held.state) is not (change.before and change.before.state):
                raise rules.not_as_seen(change.after.key)

    def _check_references(self, changes: Sequence[rules.Write]) -> None:
        """Refuse before anything is changed: nothing here can be rolled back."""
        new: dict[tuple[str, str], Key] = {}
        for change in changes:
            key, reference = change.after.key, change.after.reference
            place = key.book, reference
            holder = self.references.get(place) or new.setdefault(place, key)
            if holder != key:
                raise rules.reference_taken(key, reference, holder)

    def _check_invoices(self, changes: Sequence[rules.Write]) -> None:
        for change in changes:
            uses = invoices.newly_used(change)
            holders = self.holders([use.invoice for use in uses])
            error = invoices.refusal(uses, holders, claim_id=change.after.key.claim_id)
            if error is not None:
                raise error

    def holders(self, names: Collection[str]) -> tuple[InvoiceHolder, ...]:
        keys = {key: None for name in names for key in self.users.get(name, ())}
        return tuple(
            InvoiceHolder(
                key=key,
                claim_id=found.key.claim_id,
                state=found.state,
                superseded=self._is_superseded(key),
                use=use,
            )
            for key in keys
            for found in [self.submission(key)]
            for use in found.invoices
            if use.invoice in names or use.number in names
        )

    def _is_superseded(self, key: Key) -> bool:
        submissions = self.histories[key.book, key.claim_id].submissions
        return any(one.key.revision > key.revision for one in submissions)

    def _keep(self, change: rules.Write) -> None:
        key, before, after = change.after.key, change.before, change.after
        number = self.numbers.setdefault(key, len(self.numbers))
        if before is not None:
            del self.references[key.book, before.reference]
            del self.by_state[key.book, before.state][number]
            for use in before.invoices:
                for name in (use.invoice, use.number):
                    self.users[name].pop(key, None)
        for use in after.invoices:
            for name in (use.invoice, use.number):
                self.users[name][key] = None
        self.references[key.book, after.reference] = key
        self.by_state[key.book, after.state][number] = key
        if not change.takes_off:
            self.aloft.pop(key, None)
        if change.move is not None:
            self.moves[key.book, key.claim_id].append(change.move)


__all__ = ["MemoryJournal"]
