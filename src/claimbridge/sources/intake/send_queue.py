"""Claims on their way to one ledger: in which order, and when no more are sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from claimbridge.errors import ClaimBridgeError, ClaimError, DeliveryRefused
from claimbridge.model import Claim, invoices_of
from claimbridge.sources.intake.verdict import state_after
from claimbridge.sources.record import ArrivalState, StoredArrival

_IN_A_ROW: Final = 3
"""Failures to deliver, one after the other, after which a ledger is left alone for this pass."""

_LOCKING: Final = frozenset({"CB-417", "CB-418"})
"""Redirected, credentials refused: sent again they do harm."""


class SendQueue:
    """Claims on their way to one ledger; it ends early where going on would do harm.

    ``against`` is asked of each right before it goes. What it has an error against is held back.
    ``why`` says that the queue has ended before it began.
    """

    def __init__(
        self,
        arrivals: Sequence[StoredArrival],
        *,
        against: Callable[[StoredArrival], ClaimBridgeError | None] = lambda _: None,
        why: ClaimBridgeError | None = None,
    ) -> None:
        self.held_back: list[tuple[StoredArrival, ClaimBridgeError]] = []
        self.why = why
        self._arrivals = arrivals
        self._against = against
        self._sent: list[StoredArrival] = []
        self._position = 0
        self._results = 0
        self._failures = 0

    def __iter__(self) -> Iterator[Claim]:
        for arrival in self._arrivals:
            if self.why is not None:
                return
            claim = arrival.claim()
            assert claim is not None  # what is no claim never gets here
            self._position += 1
            error = self._against(arrival)
            if error is not None:
                self.held_back.append((arrival, error))
                continue
            self._sent.append(arrival)
            yield claim

    def next_result(self) -> StoredArrival:
        """Return the arrival whose result is next: results come in the order of the claims."""
        self._results += 1
        return self._sent[self._results - 1]

    def judge(self, error: ClaimBridgeError | None) -> None:
        """Decide whether more are sent after one that ended so."""
        stops = error is not None and state_after(error) is ArrivalState.READ
        self._failures = self._failures + 1 if stops else 0
        harmful = isinstance(error, DeliveryRefused) and error.code in _LOCKING
        if harmful or self._failures >= _IN_A_ROW:
            self.why = error

    def waiting(self) -> Sequence[StoredArrival]:
        """Return those that were not sent any more."""
        return self._arrivals[self._position :]


def in_turns(arrivals: Sequence[StoredArrival]) -> list[list[StoredArrival]]:
    """Return arrivals in turns, of which none holds two claims with one invoice.

    Claims are sent side by side: of two with one invoice, that which came first shall have it.
    """
    turns: list[list[StoredArrival]] = []
    turn_of: dict[str, int] = {}
    for arrival in arrivals:
        names = _invoices_of(arrival)
        turn = max((turn_of[name] + 1 for name in names if name in turn_of), default=0)
        turn_of.update(dict.fromkeys(names, turn))
        if turn == len(turns):
            turns.append([])
        turns[turn].append(arrival)
    return turns


def _invoices_of(arrival: StoredArrival) -> list[str]:
    claim = arrival.claim()
    try:
        return [use.invoice for use in invoices_of(claim)] if claim is not None else []
    except ClaimError:
        return []  # it will be refused for that


__all__ = ["SendQueue", "in_turns"]
