"""The intake: claims from one source into their ledgers, one pass at a time.

    read ──▶ recorded, with the mark ──▶ its attempt counted ──▶ submitted ──▶ the end recorded
         ──▶ the source told ──▶ what goes back to it carried out

Each arrow is a durable step, and each pass begins where the last one ended, however that ended.
Submitting twice is harmless because of the journal; telling twice because sources take it; so a
pass that is killed anywhere loses nothing and doubles nothing. One claim's trouble is its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Final, Protocol

import msgspec

from claimbridge.client import Client
from claimbridge.clock import SYSTEM, Clock
from claimbridge.errors import (
    ClaimBridgeError,
    ClaimError,
    ConfigurationError,
    KeyUnavailable,
    LedgerRejection,
)
from claimbridge.model import Claim, Standing, State
from claimbridge.sources.base import Arrival, Source
from claimbridge.sources.ends import FOR_A_PERSON, Line, in_turns, reason_of, state_after
from claimbridge.sources.record import ArrivalState, SourceRecord, StoredArrival
from claimbridge.sources.rereading import Rereading, foreign
from claimbridge.sources.settings import SourceConfig
from claimbridge.sources.withdrawal import withdraw
from claimbridge.sources.writeback import (
    Answers,
    WriteBack,
    WriteBackKind,
    WriteBackState,
    carry_out,
    worth_trying,
)

_TOGETHER: Final = 100
"""Arrivals recorded in one transaction, and claims submitted before the next are looked at."""
_UNANSWERED: Final = frozenset({ArrivalState.SUPERSEDED, ArrivalState.WITHDRAWN})
"""Ends that nobody waits to hear of: a later version's will be told, or none is wanted."""


class Handled(msgspec.Struct, frozen=True, kw_only=True):
    """One arrival that a pass has brought on, as it now stands; ``read`` means: later.

    ``error`` says why it is not accepted; None where it is, or where nothing is wrong with it.
    """

    arrival: StoredArrival
    error: ClaimBridgeError | None = None


class Report(msgspec.Struct, kw_only=True):
    """What one pass did: new documents read, and how many arrivals ended in which way.

    ``closed`` were withdrawn, superseded, or refused by a person: nobody has to look.
    ``brought_back`` counts what went back to the source: numbers, decisions, payments.
    ``troubles`` are about no claim: the source could not be read or told, a ledger not opened.
    They are tried again by the next pass.
    """

    read: int = 0
    accepted: int = 0
    parked: int = 0
    later: int = 0
    closed: int = 0
    brought_back: int = 0
    troubles: list[ClaimBridgeError] = []


class Answering(Protocol):
    """A source that something goes back to: a voucher's number, an approval, a payment."""

    answers: Answers


class Intake:
    """Passes of one source. ``clients`` gives the client of a ledger by its name.

    Closing the source, the record and the clients is the caller's business.
    """

    def __init__(
        self,
        source: Source,
        *,
        config: SourceConfig,
        record: SourceRecord,
        clients: Callable[[str], Client],
        clock: Clock = SYSTEM,
    ) -> None:
        self.source = source
        self.record = record
        self.report = Report()
        self._config = config
        self._name = config.name
        self._clients = clients
        self._clock = clock
        self._tried: set[int] = set()
        self._rereading = Rereading(source, record, upto=0)

    def run(self) -> Iterator[Handled]:
        """Make one pass; yield each arrival that it brought on. ``report`` counts them.

        Raises JournalError when the record fails, and NotDelivered CB-539 while another process
        makes a pass of the same source. Stopped early, it has done what it yielded.
        """
        self.report, self._tried = Report(), set()
        with self.record.turn(self._name):
            self._rereading = Rereading(self.source, self.record, upto=self.record.last())
            again = self._read()
            self._look_at_parked()
            for numbers in _chunks(self.record.open(self._name)):
                yield from self._bring_on(self.record.get(numbers))
            untold = dict.fromkeys([*again, *self.record.untold(self._name)])
            for numbers in _chunks(list(untold)):
                for arrival in self.record.get(numbers):
                    self._tell(arrival, arrival.error())
                    if arrival.number not in self._tried and not arrival.told:
                        yield self._counted(arrival, arrival.error())
            self._answer()

    # --- reading --------------------------------------------------------------------------------

    def _read(self) -> list[int]:
        """Record all that the source gives; return what had ended before and was given again."""
        again: list[int] = []
        known = self.record.last()
        batch: list[Arrival] = []
        try:
            for arrival in self.source.arrivals(since=self.record.mark(self._name)):
                batch.append(_checked(arrival))
                if len(batch) == _TOGETHER:
                    again += self._keep(batch, known)
                    batch = []
        except Exception as error:  # noqa: BLE001 - a user's source may raise anything
            self._trouble(error)
        return again + self._keep(batch, known)

    def _keep(self, batch: Sequence[Arrival], known: int) -> list[int]:
        if not batch:
            return []
        mark = next((one.mark for one in reversed(batch) if one.mark), "")
        found = self.record.take_in(self._name, batch, mark=mark)
        self.report.read += sum(one.number > known for one in found)
        return [one.number for one in found if one.state is not ArrivalState.READ and one.told]

    # --- submitting -----------------------------------------------------------------------------

    def _look_at_parked(self) -> None:
        """Go on with those that waited for a person, who has settled them in the journal."""
        for arrival in self.record.select([ArrivalState.PARKED], source=self._name):
            if arrival.code not in FOR_A_PERSON or not (claim := _claim_of(arrival)):
                continue
            try:
                status = self._client_of(claim).status(claim.id, ask=False)
            except ClaimBridgeError as error:
                self._trouble(error)
                continue
            if status.state not in (State.PARKED, State.IN_DOUBT):
                self.record.retry(arrival)

    def _bring_on(self, arrivals: Sequence[StoredArrival]) -> Iterator[Handled]:
        by_ledger: dict[str, list[StoredArrival]] = {}
        for arrival in arrivals:
            if arrival.withdrawn:
                yield self._withdraw(arrival)
                continue
            try:
                claim = arrival.claim()
                ledger = self._config.ledger_of(claim) if claim else ""
                by_ledger.setdefault(ledger, []).append(arrival)
            except ClaimError as error:
                yield self._ended(arrival, error)
        for ledger, wanted in by_ledger.items():
            yield from self._submit(ledger, wanted)

    def _submit(self, ledger: str, wanted: Sequence[StoredArrival]) -> Iterator[Handled]:
        try:
            client = self._clients(ledger)
        except (ConfigurationError, KeyUnavailable) as error:
            self._trouble(error)
            for arrival in wanted:
                yield self._ended(arrival, error)
            return
        why: ClaimBridgeError | None = None
        for turn in in_turns([one for one in self.record.begin(wanted) if one is not None]):
            line = Line(turn, against=self._rereading.against, why=why)
            yield from self._send(client, line)
            why = line.why

    def _send(self, client: Client, line: Line) -> Iterator[Handled]:
        for result in client.submit_many(line):
            arrival = line.left()
            if result.error is None:
                self.record.accept(arrival)
                yield self._told_of(arrival, None)
            else:
                yield self._ended(arrival, result.error)
            line.judge(result.error)
        for arrival, why in line.held_back:
            yield self._ended(arrival, why)
        for arrival in line.waiting():
            yield self._counted(arrival, line.why)

    def _ended(self, arrival: StoredArrival, error: ClaimBridgeError) -> Handled:
        """Record an end other than acceptance; what only time can mend stays ``read``."""
        state = state_after(error)
        reason = self._in_words(reason_of(error), arrival, error)
        if state is ArrivalState.PARKED:  # it is this claim's alone, and may go back with it
            error.message = self._in_words(error.message, arrival, error)
            error.args = (error.message,)
        if state is ArrivalState.READ:
            self.record.later(arrival, code=error.code, reason=reason)
            return self._counted(self._now(arrival), error)
        self.record.end(arrival, state, code=error.code, reason=reason)
        return self._told_of(arrival, error)

    def _in_words(self, text: str, arrival: StoredArrival, error: ClaimBridgeError) -> str:
        """Return a reason in the words of the source's form, where it is ``Worded``."""
        in_words: Callable[..., str] | None = getattr(self.source, "in_words", None)
        claim = _claim_of(arrival)
        if in_words is None or claim is None:
            return text
        return in_words(text, claim, counted=not isinstance(error, LedgerRejection))

    def _withdraw(self, arrival: StoredArrival) -> Handled:
        try:
            withdraw(arrival, record=self.record, client_of=self._client_of)
        except ClaimBridgeError as error:
            return self._ended(arrival, error)
        return self._told_of(arrival, None)

    def _client_of(self, claim: Claim) -> Client:
        return self._clients(self._config.ledger_of(claim))

    # --- telling --------------------------------------------------------------------------------

    def _told_of(self, arrival: StoredArrival, error: ClaimBridgeError | None) -> Handled:
        now = self._now(arrival)
        self._tell(now, error)
        return self._counted(now, error)

    def _now(self, arrival: StoredArrival) -> StoredArrival:
        (now,) = self.record.get([arrival.number])
        return now

    def _tell(self, arrival: StoredArrival, error: ClaimBridgeError | None) -> None:
        """Let the source take note of an end; what fails is done by the next pass.

        What goes back to it is planned first, so that nothing is taken for told without.
        """
        if arrival.state is ArrivalState.READ:
            return
        status = None
        try:
            if arrival.state is ArrivalState.ACCEPTED:
                status = self._status_of(arrival)
            self._plan(arrival, status, None if status else error)
            self.source.settled(arrival.arrival(), status=status, error=None if status else error)
        except Exception as failure:  # noqa: BLE001 - a user's source may raise anything
            self._trouble(failure)
            return
        self.record.told(arrival)

    def _plan(
        self, arrival: StoredArrival, status: Standing | None, error: ClaimBridgeError | None
    ) -> None:
        answers: Answers | None = getattr(self.source, "answers", None)
        if answers is None:
            return
        for planned in self._planned(answers, arrival, status, error):
            self.record.begin_write_back(planned)
        if status is not None:
            self.record.answered(arrival, status.state.value)

    def _planned(
        self,
        answers: Answers,
        arrival: StoredArrival,
        status: Standing | None,
        error: ClaimBridgeError | None,
    ) -> tuple[WriteBack, ...]:
        if arrival.state in _UNANSWERED:
            return ()
        if status is not None:
            status = self._with_period(arrival, status)
        return answers.planned(arrival.arrival(), status=status, error=error)

    def _status_of(self, arrival: StoredArrival) -> Standing:
        claim = _claim_of(arrival)
        if claim is not None:
            return self._client_of(claim).status(claim.id, ask=False)
        # An earlier version accepted what this one refuses: its id is known all the same.
        for ledger in self._config.all_ledgers:
            try:
                return self._clients(ledger).status(arrival.claim_id, ask=False)
            except ClaimError as error:
                if error.code != "CB-132":
                    raise
        raise ClaimError(
            "no ledger of its source knows it any more", code="CB-132", claim_id=arrival.claim_id
        )

    def _with_period(self, arrival: StoredArrival, status: Standing) -> Standing:
        """Return the status with its period, where the chart has periods."""
        claim = _claim_of(arrival)
        if claim is None or status.posting_date is None or not status.journal_entry:
            return status
        ledger = self._client_of(claim).ledger
        period = ledger.chart.period_of(status.posting_date) or ""
        return msgspec.structs.replace(status, period=period)

    def _answer(self) -> None:
        """Plan what goes back for what has moved on since, and bring it on as far as it goes."""
        answers: Answers | None = getattr(self.source, "answers", None)
        if answers is None:
            return
        books = self._ask_for_news()
        for numbers in _chunks(self.record.moved(self._name, books=books)):
            for arrival in self.record.get(numbers):
                try:
                    status = self._status_of(arrival)
                    if status.revision == arrival.revision and status.state != arrival.answered:
                        self._plan(arrival, status, None)
                except Exception as error:  # noqa: BLE001 - a user's answers may raise anything
                    self._trouble(error)
        found = self.record.open_write_backs(self._name)
        try:
            found = tuple(worth_trying(answers, found))
        except Exception as error:  # noqa: BLE001 - a user's answers may raise anything
            self._trouble(error)
        for one in found:
            try:
                moved = carry_out(
                    one,
                    answers=answers,
                    store=self.record,
                    stands=partial(self._stands, answers),
                    clock=self._clock,
                )
                self.report.brought_back += moved.state is WriteBackState.DONE
            except Exception as error:  # noqa: BLE001 - a user's answers may raise anything
                self._trouble(error)

    def _stands(self, answers: Answers, one: WriteBack) -> bool:
        """Return whether a decision would be made of its document as it stands now.

        Numbers and payments stay true: they are about the ledger, whatever the document becomes.
        """
        arrival = self.record.newest(self._name, one.key)
        if one.kind is not WriteBackKind.APPROVAL or arrival is None:
            return True
        if arrival.state is ArrivalState.READ:
            return False
        accepted = arrival.state is ArrivalState.ACCEPTED
        status = self._status_of(arrival) if accepted else None
        planned = self._planned(answers, arrival, status, None if accepted else arrival.error())
        return one.identity in {wanted.identity for wanted in planned}

    def _ask_for_news(self) -> list[str]:
        """Take in what changed in the ledgers: only what is posted has a number to bring back.

        Returns the ids of their books.
        """
        books: list[str] = []
        for ledger in self._config.all_ledgers:
            try:
                client = self._clients(ledger)
                book = client.book().id
                books.append(book)
                if client.ledger.profile.capabilities.can_list_changes:
                    for _ in client.changes():
                        pass
                    continue
                for known in client.journal.select(book, [State.ACKNOWLEDGED]):
                    client.status(known.key.claim_id)
            except ClaimBridgeError as error:
                self._trouble(error)
        return books

    # --- counting -------------------------------------------------------------------------------

    def _counted(self, arrival: StoredArrival, error: ClaimBridgeError | None) -> Handled:
        self._tried.add(arrival.number)
        name = {
            ArrivalState.READ: "later",
            ArrivalState.ACCEPTED: "accepted",
            ArrivalState.PARKED: "parked",
        }.get(arrival.state, "closed")
        setattr(self.report, name, getattr(self.report, name) + 1)
        return Handled(arrival=arrival, error=error)

    def _trouble(self, error: Exception) -> None:
        if not isinstance(error, ClaimBridgeError):
            error = foreign(error, self._name)
        self.report.troubles.append(error)


def _checked(arrival: Arrival) -> Arrival:
    if arrival.claim is not None or arrival.error is not None or arrival.withdrawn:
        return arrival
    error = ClaimError(
        "its source gave neither a claim nor a reason; mend the source", code="CB-542"
    )
    return msgspec.structs.replace(arrival, error=error)


def _claim_of(arrival: StoredArrival) -> Claim | None:
    try:
        return arrival.claim()
    except ClaimError:
        return None


def _chunks(numbers: Sequence[int]) -> Iterable[Sequence[int]]:
    for start in range(0, len(numbers), _TOGETHER):
        yield numbers[start : start + _TOGETHER]


__all__ = ["Answering", "Handled", "Intake", "Report"]
