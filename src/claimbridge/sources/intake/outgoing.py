"""What goes back to one source: planned for each end, and carried as far as it goes now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from claimbridge.clock import SYSTEM, Clock
from claimbridge.errors import ClaimBridgeError
from claimbridge.model import Standing
from claimbridge.sources.base import WriteBackPort
from claimbridge.sources.base.writeback import WriteBack, WriteBackKind, WriteBackState
from claimbridge.sources.intake.carrier import Carrier
from claimbridge.sources.intake.ledgers import SourceLedgers
from claimbridge.sources.record import ArrivalState, SourceRecord, StoredArrival

_UNANSWERED: Final = frozenset({ArrivalState.SUPERSEDED, ArrivalState.WITHDRAWN})
"""Ends that nobody waits to hear of: a later version's will be reported, or none is wanted."""


class Outgoing:
    """Plans and carries the write-backs of the source ``name``.

    ``trouble`` is given what goes wrong with one write-back; the others go on.
    """

    def __init__(
        self,
        name: str,
        port: WriteBackPort,
        *,
        record: SourceRecord,
        ledgers: SourceLedgers,
        trouble: Callable[[Exception], None],
        clock: Clock = SYSTEM,
    ) -> None:
        self._name = name
        self._port = port
        self._record = record
        self._ledgers = ledgers
        self._trouble = trouble
        self._carrier = Carrier(port, record, stands=self._stands, clock=clock)

    def plan(
        self, arrival: StoredArrival, standing: Standing | None, error: ClaimBridgeError | None
    ) -> None:
        """Record what goes back for an arrival that ended so; raises what the port raises."""
        for write_back in self._plans(arrival, standing, error):
            self._record.begin_write_back(write_back)
        if standing is not None:
            self._record.note_answer(arrival, standing.state.value)

    def carry(self) -> int:
        """Plan what goes back for what has moved on, and carry all; return how many got done."""
        books = self._ledgers.ask_for_news(self._trouble)
        for page in self._record.pages(self._record.with_news(self._name, books=books)):
            for arrival in page:
                self._plan_move(arrival)
        return sum(self._is_done(write_back) for write_back in self._due())

    def _plan_move(self, arrival: StoredArrival) -> None:
        """Plan what goes back for an accepted arrival whose submission has moved on since."""
        try:
            standing = self._ledgers.standing_of(arrival)
            if standing.revision == arrival.revision and standing.state != arrival.answered_state:
                self.plan(arrival, standing, None)
        except Exception as error:  # noqa: BLE001 - a user's port may raise anything
            self._trouble(error)

    def _due(self) -> Sequence[WriteBack]:
        write_backs = self._record.open_write_backs(self._name)
        try:
            return tuple(self._carrier.due(write_backs))
        except Exception as error:  # noqa: BLE001 - a user's port may raise anything
            self._trouble(error)
            return write_backs

    def _is_done(self, write_back: WriteBack) -> bool:
        """Carry one write-back; return whether it is done."""
        try:
            return self._carrier.carry(write_back).state is WriteBackState.DONE
        except Exception as error:  # noqa: BLE001 - a user's port may raise anything
            self._trouble(error)
            return False

    def _stands(self, write_back: WriteBack) -> bool:
        """Return whether a decision would be made of its document as it stands now.

        Numbers and payments stay true: they are about the ledger, whatever the document becomes.
        """
        arrival = self._record.newest(self._name, write_back.key)
        if write_back.kind is not WriteBackKind.APPROVAL or arrival is None:
            return True
        if arrival.state is ArrivalState.READ:
            return False
        if arrival.state is ArrivalState.ACCEPTED:
            plans = self._plans(arrival, self._ledgers.standing_of(arrival), None)
        else:
            plans = self._plans(arrival, None, arrival.error())
        return write_back.identity in {plan.identity for plan in plans}

    def _plans(
        self, arrival: StoredArrival, standing: Standing | None, error: ClaimBridgeError | None
    ) -> tuple[WriteBack, ...]:
        if arrival.state in _UNANSWERED:
            return ()
        if standing is not None:
            standing = self._ledgers.with_period(arrival, standing)
        return self._port.plan(arrival.arrival(), standing=standing, error=error)


__all__ = ["Outgoing"]
