"""What an end means for an arrival, decided without I/O: again later, or a person must look."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from claimbridge.errors import (
    ClaimBridgeError,
    ClaimError,
    ConfigurationError,
    ConflictingSubmission,
    DeliveryRefused,
    LedgerRejection,
    LedgerUnavailable,
    NotDelivered,
    OutcomeUnknown,
    SchemaViolation,
    SigningError,
)
from claimbridge.model import Claim, invoices_of
from claimbridge.sources.record.arrivals import ArrivalState, StoredArrival

_IN_A_ROW: Final = 3
"""Failures to deliver, one after the other, after which a ledger is left alone for this pass."""

_LOCKING: Final = frozenset({"CB-417", "CB-418"})
"""Redirected, credentials refused: sent again they do harm."""
_OF_ONE_CLAIM: Final = frozenset({"CB-229", "CB-254"})
"""Configuration errors that are about the claim's own submission: time alone mends none."""
FOR_A_PERSON: Final = frozenset({"CB-421", "CB-425", "CB-427", "CB-431", "CB-432", "CB-470"})
"""Unknown outcomes that time alone does not resolve."""


class Line:
    """Claims on their way to one ledger; it ends early where going on would do harm.

    ``against`` is asked of each right before it goes. What it has an error against is held back.
    ``why`` says that the line has ended before it began.
    """

    def __init__(
        self,
        arrivals: Sequence[StoredArrival],
        *,
        against: Callable[[StoredArrival], ClaimBridgeError | None] = lambda _: None,
        why: ClaimBridgeError | None = None,
    ) -> None:
        self.held_back: list[tuple[StoredArrival, ClaimBridgeError]] = []
        self._arrivals = arrivals
        self._against = against
        self._sent: list[StoredArrival] = []
        self._entered = 0
        self._left = 0
        self._failed = 0
        self.why = why

    def __iter__(self) -> Iterator[Claim]:
        for arrival in self._arrivals:
            if self.why is not None:
                return
            claim = arrival.claim()
            assert claim is not None  # what is no claim never gets here
            self._entered += 1
            error = self._against(arrival)
            if error is not None:
                self.held_back.append((arrival, error))
                continue
            self._sent.append(arrival)
            yield claim

    def left(self) -> StoredArrival:
        """Return the arrival whose result is next: results come in the order of the claims."""
        self._left += 1
        return self._sent[self._left - 1]

    def judge(self, error: ClaimBridgeError | None) -> None:
        """Decide whether more are sent after one that ended so."""
        stops = error is not None and state_after(error) is ArrivalState.READ
        self._failed = self._failed + 1 if stops else 0
        harmful = isinstance(error, DeliveryRefused) and error.code in _LOCKING
        if harmful or self._failed >= _IN_A_ROW:
            self.why = error

    def waiting(self) -> Sequence[StoredArrival]:
        """Return those that were not sent any more."""
        return self._arrivals[self._entered :]


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


def state_after(error: ClaimBridgeError) -> ArrivalState:
    """Return where an arrival stands after this error; READ where time or set-up mend it."""
    if isinstance(error, OutcomeUnknown):
        lasting = error.code in FOR_A_PERSON and error.retry_after is None
        return ArrivalState.PARKED if lasting else ArrivalState.READ
    if isinstance(error, ConflictingSubmission) and error.code == "CB-452":
        return ArrivalState.SUPERSEDED
    if error.code in _OF_ONE_CLAIM:
        return ArrivalState.PARKED
    set_up = (NotDelivered, LedgerUnavailable, ConfigurationError, SigningError)
    return ArrivalState.READ if isinstance(error, set_up) else ArrivalState.PARKED


def reason_of(error: ClaimBridgeError) -> str:
    """Return why, with all that the ERP or the contract has against it."""
    if isinstance(error, LedgerRejection) and error.reasons:
        return "; ".join([error.message, *map(str, error.reasons)])
    if isinstance(error, SchemaViolation) and error.findings:
        parts = [f"{one.claim_field or one.path}: {one.text}" for one in error.findings]
        return "; ".join([error.message, *parts])
    return error.message


__all__ = ["FOR_A_PERSON", "Line", "in_turns", "reason_of", "state_after"]
