"""The intake: claims from one source into their ledgers, one pass at a time.

    read ──▶ recorded, with the mark ──▶ its attempt counted ──▶ submitted ──▶ the end recorded
         ──▶ reported to the source ──▶ what goes back to it carried

Each arrow is a durable step, and each pass begins where the last one ended, however that ended.
Submitting twice is harmless because of the journal, and reporting twice because sources take it. So
a pass that is killed anywhere loses nothing and doubles nothing. One claim's trouble is its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

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
from claimbridge.model import State
from claimbridge.sources.base import Arrival, Source, SpeaksFormLanguage, WritesBack
from claimbridge.sources.intake.ledgers import SourceLedgers, claim_of
from claimbridge.sources.intake.outgoing import Outgoing
from claimbridge.sources.intake.rereading import Rereading, foreign
from claimbridge.sources.intake.send_queue import SendQueue, in_turns
from claimbridge.sources.intake.verdict import NEEDS_A_PERSON, reason_of, state_after
from claimbridge.sources.intake.withdrawal import withdraw
from claimbridge.sources.record import ArrivalState, SourceRecord, StoredArrival
from claimbridge.sources.settings import SourceConfig

_TOGETHER: Final = 100
"""Arrivals recorded in one transaction, and claims submitted before the next are looked at."""


class IntakeItem(msgspec.Struct, frozen=True, kw_only=True):
    """One arrival that a pass has brought on, as it now stands; ``read`` means: later.

    ``error`` says why it is not accepted; None where it is, or where nothing is wrong with it.
    """

    arrival: StoredArrival
    error: ClaimBridgeError | None = None


class IntakeReport(msgspec.Struct, kw_only=True):
    """What one pass did: new documents read, and how many arrivals ended in which way.

    ``closed`` were withdrawn, superseded, or refused by a person: nobody has to look.
    ``brought_back`` counts what went back to the source: numbers, decisions, payments.
    ``troubles`` are about no claim: the source could not be read, an end not be reported to it, a
    ledger not be opened. The next pass tries them again.
    """

    read: int = 0
    accepted: int = 0
    parked: int = 0
    later: int = 0
    closed: int = 0
    brought_back: int = 0
    troubles: list[ClaimBridgeError] = []

    def count(self, state: ArrivalState) -> None:
        """Count one arrival that a pass has brought on to ``state``."""
        match state:
            case ArrivalState.READ:
                self.later += 1
            case ArrivalState.ACCEPTED:
                self.accepted += 1
            case ArrivalState.PARKED:
                self.parked += 1
            case _:
                self.closed += 1


class Intake:
    """Passes of one source. ``clients`` gives the client of a ledger by its name.

    Closing the source, the record and the clients is the caller's business. Raises
    ConfigurationError where a source that writes back cannot say how.
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
        self.report = IntakeReport()
        self._name = config.name
        self._ledgers = SourceLedgers(config, clients)
        self._outgoing = self._open_outgoing(clock)
        self._tried: set[int] = set()
        self._rereading = Rereading(source, record, upto=0)

    def _open_outgoing(self, clock: Clock) -> Outgoing | None:
        """Return what goes back to the source; None where nothing does."""
        if not isinstance(self.source, WritesBack):
            return None
        try:
            port = self.source.write_back_port()
        except ClaimBridgeError:
            raise
        except Exception as error:  # a user's source may raise anything
            raise foreign(error, self._name) from error
        return Outgoing(
            self._name,
            port,
            record=self.record,
            ledgers=self._ledgers,
            trouble=self._trouble,
            clock=clock,
        )

    def run(self) -> Iterator[IntakeItem]:
        """Make one pass; yield each arrival that it brought on. ``report`` counts them.

        Raises JournalError when the record fails, and NotDelivered CB-539 while another process
        makes a pass of the same source. Stopped early, it has done what it yielded.
        """
        self.report, self._tried = IntakeReport(), set()
        with self.record.turn(self._name):
            self._rereading = Rereading(self.source, self.record, upto=self.record.last())
            again = self._read()
            self._look_at_parked()
            for page in self.record.pages(self.record.open(self._name), size=_TOGETHER):
                yield from self._bring_on(page)
            yield from self._report_ends(again)
            if self._outgoing is not None:
                self.report.brought_back += self._outgoing.carry()

    # --- reading --------------------------------------------------------------------------------

    def _read(self) -> list[int]:
        """Record all that the source gives; return what had ended before and was given again."""
        again: list[int] = []
        last = self.record.last()
        batch: list[Arrival] = []
        try:
            for arrival in self.source.arrivals(since=self.record.mark(self._name)):
                batch.append(_with_reason(arrival))
                if len(batch) == _TOGETHER:
                    again += self._keep(batch, last)
                    batch = []
        except Exception as error:  # noqa: BLE001 - a user's source may raise anything
            self._trouble(error)
        return again + self._keep(batch, last)

    def _keep(self, batch: Sequence[Arrival], last: int) -> list[int]:
        if not batch:
            return []
        mark = next((arrival.mark for arrival in reversed(batch) if arrival.mark), "")
        rows = self.record.take_in(self._name, batch, mark=mark)
        self.report.read += sum(row.number > last for row in rows)
        return [row.number for row in rows if row.state is not ArrivalState.READ and row.reported]

    # --- submitting -----------------------------------------------------------------------------

    def _look_at_parked(self) -> None:
        """Go on with those that waited for a person, who has settled them in the journal."""
        for arrival in self.record.select([ArrivalState.PARKED], source=self._name):
            if arrival.code not in NEEDS_A_PERSON or not (claim := claim_of(arrival)):
                continue
            try:
                standing = self._ledgers.client_of(claim).status(claim.id, ask=False)
            except ClaimBridgeError as error:
                self._trouble(error)
                continue
            if standing.state not in (State.PARKED, State.IN_DOUBT):
                self.record.retry(arrival)

    def _bring_on(self, arrivals: Sequence[StoredArrival]) -> Iterator[IntakeItem]:
        by_ledger: dict[str, list[StoredArrival]] = {}
        for arrival in arrivals:
            if arrival.withdrawn:
                yield self._withdraw(arrival)
                continue
            try:
                claim = arrival.claim()
                ledger = self._ledgers.name_of(claim) if claim else ""
                by_ledger.setdefault(ledger, []).append(arrival)
            except ClaimError as error:
                yield self._end(arrival, error)
        for ledger, group in by_ledger.items():
            yield from self._submit(ledger, group)

    def _submit(self, ledger: str, arrivals: Sequence[StoredArrival]) -> Iterator[IntakeItem]:
        try:
            client = self._ledgers.client(ledger)
        except (ConfigurationError, KeyUnavailable) as error:
            self._trouble(error)
            for arrival in arrivals:
                yield self._end(arrival, error)
            return
        why: ClaimBridgeError | None = None
        attempts = [arrival for arrival in self.record.begin(arrivals) if arrival is not None]
        for turn in in_turns(attempts):
            queue = SendQueue(turn, against=self._rereading.against, why=why)
            yield from self._send(client, queue)
            why = queue.why

    def _send(self, client: Client, queue: SendQueue) -> Iterator[IntakeItem]:
        for result in client.submit_many(queue):
            arrival = queue.next_result()
            if result.error is None:
                self.record.accept(arrival)
                yield self._item(arrival, None)
            else:
                yield self._end(arrival, result.error)
            queue.judge(result.error)
        for arrival, why in queue.held_back:
            yield self._end(arrival, why)
        for arrival in queue.waiting():
            yield self._count(arrival, queue.why)

    def _end(self, arrival: StoredArrival, error: ClaimBridgeError) -> IntakeItem:
        """Record an end other than acceptance; what only time can fix stays ``read``."""
        state = state_after(error)
        reason = self._in_words(reason_of(error), arrival, error)
        if state is ArrivalState.PARKED:  # it is this claim's alone, and may go back with it
            error.message = self._in_words(error.message, arrival, error)
            error.args = (error.message,)
        if state is ArrivalState.READ:
            self.record.delay(arrival, code=error.code, reason=reason)
            return self._count(self._now(arrival), error)
        self.record.end(arrival, state, code=error.code, reason=reason)
        return self._item(arrival, error)

    def _in_words(self, text: str, arrival: StoredArrival, error: ClaimBridgeError) -> str:
        """Return a reason in the words of the source's form, where the source speaks them."""
        claim = claim_of(arrival)
        if claim is None or not isinstance(self.source, SpeaksFormLanguage):
            return text
        return self.source.in_words(text, claim, counted=not isinstance(error, LedgerRejection))

    def _withdraw(self, arrival: StoredArrival) -> IntakeItem:
        try:
            withdraw(arrival, record=self.record, client_of=self._ledgers.client_of)
        except ClaimBridgeError as error:
            return self._end(arrival, error)
        return self._item(arrival, None)

    # --- reporting ends to the source -----------------------------------------------------------

    def _report_ends(self, again: Sequence[int]) -> Iterator[IntakeItem]:
        """Report the ends that the source gave ``again``, or has not taken note of."""
        numbers = dict.fromkeys([*again, *self.record.unreported(self._name)])
        for page in self.record.pages(list(numbers), size=_TOGETHER):
            for arrival in page:
                self._report(arrival, arrival.error())
                if arrival.number not in self._tried and not arrival.reported:
                    yield self._count(arrival, arrival.error())

    def _item(self, arrival: StoredArrival, error: ClaimBridgeError | None) -> IntakeItem:
        """Report an end that was recorded just now, and count it."""
        now = self._now(arrival)
        self._report(now, error)
        return self._count(now, error)

    def _now(self, arrival: StoredArrival) -> StoredArrival:
        (now,) = self.record.get([arrival.number])
        return now

    def _report(self, arrival: StoredArrival, error: ClaimBridgeError | None) -> None:
        """Let the source take note of an end; what fails is done by the next pass.

        What goes back to the source is planned first: no end counts as reported without its plan.
        """
        if arrival.state is ArrivalState.READ:
            return
        standing = None
        try:
            if arrival.state is ArrivalState.ACCEPTED:
                standing = self._ledgers.standing_of(arrival)
            refusal = None if standing else error
            if self._outgoing is not None:
                self._outgoing.plan(arrival, standing, refusal)
            self.source.ended(arrival.arrival(), standing=standing, error=refusal)
        except Exception as failure:  # noqa: BLE001 - a user's source may raise anything
            self._trouble(failure)
            return
        self.record.note_reported(arrival)

    # --- counting -------------------------------------------------------------------------------

    def _count(self, arrival: StoredArrival, error: ClaimBridgeError | None) -> IntakeItem:
        self._tried.add(arrival.number)
        self.report.count(arrival.state)
        return IntakeItem(arrival=arrival, error=error)

    def _trouble(self, error: Exception) -> None:
        if not isinstance(error, ClaimBridgeError):
            error = foreign(error, self._name)
        self.report.troubles.append(error)


def _with_reason(arrival: Arrival) -> Arrival:
    """Return an arrival; one that is neither a claim nor withdrawn gets an error."""
    if arrival.claim is not None or arrival.error is not None or arrival.withdrawn:
        return arrival
    error = ClaimError(
        "its source gave neither a claim nor a reason; fix the source", code="CB-542"
    )
    return msgspec.structs.replace(arrival, error=error)


__all__ = ["Intake", "IntakeItem", "IntakeReport"]
