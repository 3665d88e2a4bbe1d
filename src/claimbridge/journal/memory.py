"""A journal in memory: for tests, simulations and ``demo``. It ends with its process."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import TypeVar

import msgspec

from claimbridge.clock import SYSTEM, Clock
from claimbridge.errors import JournalError
from claimbridge.journal import newest, rules
from claimbridge.journal.base import outcome_of
from claimbridge.journal.flights import Flights
from claimbridge.model import Continuity, Gap, History, Key, Move, State, Submission

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
        with self._record.lock:
            self._flights.abandon()
            self._flights = Flights()

    def history(self, ledger: str, claim_id: str) -> History:
        """Return all submissions of one claim; flights that nobody flies are put in doubt."""
        with self._open() as record:
            history = record.histories.get((ledger, claim_id)) or History(ledger, claim_id)
            adrift = [
                one
                for one in history.submissions
                if one.state is State.SENDING and not record.aloft[one.key].flies
            ]
            if not adrift:
                return history
            now = self._clock.now()
            landed = [rules.landed(one, self._why_adrift(one.key), now) for one in adrift]
            return record.store(history, landed)

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

    def record(self, seen: History, changed: Sequence[Submission]) -> History | None:
        """Write ``changed``; the flights it names have ended, whatever comes of the write."""
        named = self._flights.named(seen, changed)
        try:
            history = self._recorded(seen, changed)
        except BaseException:
            self._flights.end(named)
            raise
        self._flights.end(one for one in named if history is not None or one.history is seen)
        return history

    def at_once(self, calls: Sequence[Callable[[], T]]) -> list[T | JournalError]:
        """Make the calls one after the other: nothing waits for a disk here."""
        return [outcome_of(call) for call in calls]

    def find(self, ledger: str, reference: str) -> Submission | None:
        """Return the submission that the ERP knows by ``reference``; None when we have none."""
        with self._open() as record:
            key = record.references.get((ledger, reference))
            return None if key is None else record.submission(key)

    def select(self, ledger: str, states: Sequence[State] = ()) -> Iterator[Submission]:
        """Yield submissions in these states (empty: in any), oldest first."""
        wanted = frozenset(states or State)
        with self._open() as record:
            for key in [key for key in record.aloft if key.ledger == ledger]:
                self.history(key.ledger, key.claim_id)
            keys: dict[int, Key] = {}
            for state in wanted:
                keys |= record.by_state[ledger, state]
        for number in sorted(keys):
            with self._open() as record:
                found = record.submission(keys[number])
            if found.state in wanted:
                yield found

    def moves(self, ledger: str, claim_id: str) -> tuple[Move, ...]:
        """Return every move of a claim's submissions, oldest first."""
        with self._open() as record:
            return tuple(record.moves.get((ledger, claim_id), ()))

    def cursor(self, ledger: str) -> str:
        """Return where reading the ERP's changes got to; "" when it has not begun."""
        with self._open() as record:
            return record.cursors.get(ledger, "")

    def set_cursor(self, ledger: str, cursor: str) -> None:
        """Keep where reading the ERP's changes got to."""
        with self._open() as record:
            record.cursors[ledger] = cursor

    def first_sight(self, ledger: str, seal: str, until: datetime) -> bool:
        """Keep that a signed reply was seen; False when it was seen before."""
        with self._open() as record:
            now = self._clock.now()
            record.sights = {key: end for key, end in record.sights.items() if end >= now}
            if (ledger, seal) in record.sights:
                return False
            record.sights[ledger, seal] = until
            return True

    def continuity(self) -> Continuity:
        """Return its gaps; it is always the newest, and never asked whether it is new."""
        with self._open() as record:
            return Continuity(lasting=False, last_begun=record.begun_at, gaps=tuple(record.gaps))

    def agree_new(self) -> None:
        """Do nothing: a journal in memory is always new."""

    def note_gap(self, until: datetime) -> tuple[Gap | None, bool]:
        """Keep that another copy was in use until then."""
        with self._open() as record:
            gap, is_new = newest.noted(until, self.continuity(), now=self._clock.now())
            if gap is not None and is_new:
                record.gaps.append(gap)
            return gap, is_new

    def make_newest(self) -> None:
        """Do nothing: nothing else has this record."""

    def close(self) -> None:
        """Refuse further use; closing twice does no harm."""
        self._closed = True

    def _open(self) -> _Record:
        if self._closed:
            raise rules.misuse("the journal is closed")
        return self._record

    def _recorded(self, seen: History, changed: Sequence[Submission]) -> History | None:
        with self._open() as record:
            changes = rules.recorded(seen, changed, self._clock.now())
            if not record.is_current(seen):
                return None
            for change in changes:
                if change.lands_unproven and not self._is_ours(change.after.key):
                    raise rules.not_yours(change.after.key)
            return record.store(seen, changes)

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
    """What is kept. Entered, it is one thread's alone: its ``with`` is the transaction."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.histories: dict[tuple[str, str], History] = {}
        self.references: dict[tuple[str, str], Key] = {}
        self.numbers: dict[Key, int] = {}
        self.by_state: dict[tuple[str, State], dict[int, Key]] = defaultdict(dict)
        self.aloft: dict[Key, _Aloft] = {}
        self.moves: dict[tuple[str, str], list[Move]] = defaultdict(list)
        self.cursors: dict[str, str] = {}
        self.sights: dict[tuple[str, str], datetime] = {}
        self.gaps: list[Gap] = []
        self.begun_at: datetime | None = None

    def __enter__(self) -> _Record:
        self.lock.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.lock.release()

    def submission(self, key: Key) -> Submission:
        found = self.histories[key.ledger, key.claim_id].get(key)
        assert found is not None  # nothing is ever removed
        return found

    def is_current(self, seen: History) -> bool:
        known = self.histories.get((seen.ledger, seen.claim_id))
        return seen.version == (0 if known is None else known.version)

    def store(self, seen: History, changes: Sequence[rules.Change]) -> History:
        self._check_seen(seen, changes)
        self._check_references(changes)
        history = rules.continued(seen, changes)
        for change in changes:
            self._keep(change)
        self.histories[seen.ledger, seen.claim_id] = history
        return history

    def _check_seen(self, seen: History, changes: Sequence[rules.Change]) -> None:
        known = self.histories.get((seen.ledger, seen.claim_id), seen)
        for change in changes:
            held = known.get(change.after.key)
            if (held and held.state) is not (change.before and change.before.state):
                raise rules.not_as_seen(change.after.key)

    def _check_references(self, changes: Sequence[rules.Change]) -> None:
        """Refuse before anything is changed: nothing here can be rolled back."""
        new: dict[tuple[str, str], Key] = {}
        for change in changes:
            key, reference = change.after.key, change.after.reference
            place = key.ledger, reference
            holder = self.references.get(place) or new.setdefault(place, key)
            if holder != key:
                raise rules.reference_taken(key, reference, holder)

    def _keep(self, change: rules.Change) -> None:
        key, before, after = change.after.key, change.before, change.after
        number = self.numbers.setdefault(key, len(self.numbers))
        if before is not None:
            del self.references[key.ledger, before.reference]
            del self.by_state[key.ledger, before.state][number]
        self.references[key.ledger, after.reference] = key
        self.by_state[key.ledger, after.state][number] = key
        if not change.takes_off:
            self.aloft.pop(key, None)
        if change.move is not None:
            self.moves[key.ledger, key.claim_id].append(change.move)


__all__ = ["MemoryJournal"]
