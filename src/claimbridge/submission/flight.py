"""One attempt: begin, exchange, settle; and how often to try."""

from __future__ import annotations

from claimbridge.errors import ClaimBridgeError, JournalError, OutcomeUnknown
from claimbridge.model import History, Key, Outcome, OutcomeKind, State, Submission
from claimbridge.submission.evidence import (
    EVIDENCE,
    after,
    assigned,
    error_for,
    held,
    taking_off,
    with_original,
)
from claimbridge.submission.steps import Begin, Exchange, Pause, Plan, Recall, Record, Rules


def send(
    history: History,
    records: tuple[Submission, ...],
    rules: Rules,
    *,
    verb: str,
    body: bytes | None = None,
) -> Plan[tuple[Submission, Outcome] | None]:
    """Begin, exchange, settle. ``records`` is the submission, and the original of a reversal.

    Returns None when another writer was faster and nothing was sent.
    """
    flight = taking_off(records[0], rules)
    others = tuple(held(other, rules) for other in records[1:])
    begun = yield from Begin(history, (flight, *others))
    if begun is None:
        return None
    try:
        outcomes = yield from Exchange(verb, (flight,), body)
    except BaseException:
        yield from give_up(begun, flight, rules)
        raise
    return (yield from settle(begun, flight, assigned((flight,), outcomes)[0], rules))


def settle(
    begun: History, flight: Submission, outcome: Outcome, rules: Rules
) -> Plan[tuple[Submission, Outcome]]:
    """Write what the exchange brought, whatever else has been written meanwhile."""
    history = begun
    while True:
        current = history.get(flight.key) or flight
        if outcome.kind is OutcomeKind.DUPLICATE and not outcome.totals:
            outcome = yield from _with_totals(current, outcome, rules)
        landed = after(current, outcome, rules)
        try:
            written = yield from Record(history, with_original(history, landed, rules))
        except JournalError as error:
            raise OutcomeUnknown(
                f"the exchange ended as {outcome.kind}"
                + (f" ({outcome.journal_entry})" if outcome.journal_entry else "")
                + f", but the journal could not keep it: {error}; mend the journal and reconcile",
                code="CB-424",
                claim_id=flight.key.claim_id,
                reference=flight.reference,
                attempt=flight.attempt,
            ) from error
        if written is not None:
            return landed, outcome
        history = yield from Recall(flight.key.ledger, flight.key.claim_id)


def give_up(begun: History, flight: Submission, rules: Rules) -> Plan[None]:
    """The attempt was broken off from outside (a signal, a cancellation): it is in doubt."""
    doubt = Outcome(kind=OutcomeKind.UNKNOWN, text="the attempt was broken off")
    try:
        yield from settle(begun, flight, doubt, rules)
    except ClaimBridgeError:
        return  # the journal gives up the flight, so the next reader finds it in doubt


def _with_totals(current: Submission, outcome: Outcome, rules: Rules) -> Plan[Outcome]:
    """Ask for the amounts of the duplicate before adopting it, where the ERP can be asked."""
    if not rules.capabilities.can_query:
        return outcome
    asked = assigned((current,), (yield from Exchange("query", (current,))))[0]
    return asked if asked.kind in EVIDENCE and asked.totals else outcome


class Tries:
    """Counts the tries of one call, and waits between them."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._made = 0
        self._turn_from: float | None = None
        self._turn_wait = 0.01

    def wait_for_turn(self, key: Key) -> Plan[None]:
        """Let another sender of the claim finish; OutcomeUnknown when it takes too long."""
        now = self._rules.clock.monotonic()
        self._turn_from = now if self._turn_from is None else self._turn_from
        if now - self._turn_from > self._rules.turn:
            raise OutcomeUnknown(
                f"another process has been sending this claim for {self._rules.turn:.0f} s; "
                "look at it, or try again later",
                code="CB-426",
                claim_id=key.claim_id,
                retry_after=self._rules.backoff,
            )
        yield from Pause(self._turn_wait)
        self._turn_wait = min(0.5, self._turn_wait * 1.5)

    def after(self, landed: Submission, outcome: Outcome) -> Plan[None]:
        """Wait before the next try, or raise when there is none."""
        if landed.state is State.IN_DOUBT and self._made <= self._rules.retries:
            if self._made:
                yield from Pause(self._rules.backoff * 2**self._made)
            self._made += 1
            return  # the next round resolves the doubt
        hopeless = outcome.useless or self._made >= self._rules.retries
        if landed.state is not State.PENDING or hopeless:
            raise error_for(landed, outcome)
        wait = self._rules.backoff * 2**self._made
        self._made += 1
        if outcome.retry_after is not None:
            if outcome.retry_after > self._rules.longest_wait:
                raise error_for(landed, outcome)
            wait = max(wait, outcome.retry_after)
        yield from Pause(wait)
