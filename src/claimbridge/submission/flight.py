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
from claimbridge.submission.news import absorb
from claimbridge.submission.port import Built, Exchanger, Rules
from claimbridge.submission.steps import Begin, Pause, Plan, Recall, Record


def send(
    history: History,
    records: tuple[Submission, ...],
    ledger: Exchanger,
    *,
    verb: str,
    built: Built | None = None,
) -> Plan[tuple[Submission, Outcome] | None]:
    """Begin, exchange, settle. ``records`` is the submission, and the original of a reversal.

    Returns None when another writer was faster: read the journal again and decide again.
    """
    flight = taking_off(records[0], ledger.rules)
    others = tuple(held(other, ledger.rules) for other in records[1:])
    begun = yield from take_off(history, flight, ledger, others)
    if begun is None:
        return None
    try:
        outcomes = yield from ledger.exchange(verb, (flight,), built)
    except GeneratorExit:
        raise  # nobody is left to perform a step
    except BaseException:
        yield from give_up(flight, ledger)
        raise
    return (yield from settle(begun, flight, assigned((flight,), outcomes)[0], ledger))


def take_off(
    history: History, flight: Submission, ledger: Exchanger, others: tuple[Submission, ...] = ()
) -> Plan[History | None]:
    """Begin a flight; None when another writer was faster."""
    try:
        return (yield from Begin(history, (flight, *others)))
    except (GeneratorExit, ClaimBridgeError):
        raise
    except BaseException:
        yield from give_up(flight, ledger)  # it may have been written before the break
        raise


def settle(
    begun: History, flight: Submission, outcome: Outcome, ledger: Exchanger
) -> Plan[tuple[Submission, Outcome] | None]:
    """Write what the exchange brought; None when others have gone on from there meanwhile."""
    try:
        return (yield from _settled(begun, flight, outcome, ledger))
    except (GeneratorExit, ClaimBridgeError):
        raise
    except BaseException:
        yield from give_up(flight, ledger)
        raise


def _settled(
    history: History, flight: Submission, outcome: Outcome, ledger: Exchanger
) -> Plan[tuple[Submission, Outcome] | None]:
    if outcome.kind is OutcomeKind.DUPLICATE and not outcome.totals:
        outcome = yield from _with_totals(flight, outcome, ledger)
    while _is_open(history, flight):
        landed = after(flight, outcome, ledger.rules)
        try:
            written = yield from Record(history, with_original(history, landed, ledger.rules))
        except JournalError as error:
            raise _unrecorded(flight, outcome, error) from error
        if written is not None:
            return landed, outcome
        history = yield from Recall(flight.key.book, flight.key.claim_id)
    yield from absorb(flight, outcome, ledger.rules)
    return None


def _is_open(history: History, flight: Submission) -> bool:
    """Say whether this very attempt still waits for its end.

    The journal may have given it up by now, which puts it in doubt; whoever resolved that doubt
    knows more than this attempt does.
    """
    current = history.get(flight.key)
    return (
        current is not None
        and current.attempt == flight.attempt
        and current.state in {State.SENDING, State.IN_DOUBT}
    )


def _unrecorded(flight: Submission, outcome: Outcome, error: JournalError) -> OutcomeUnknown:
    return OutcomeUnknown(
        f"the exchange ended as {outcome.kind}"
        + (f" ({outcome.journal_entry})" if outcome.journal_entry else "")
        + f", but the journal could not keep it: {error}; mend the journal and reconcile",
        code="CB-424",
        claim_id=flight.key.claim_id,
        reference=flight.reference,
        attempt=flight.attempt,
    )


def give_up(flight: Submission, ledger: Exchanger) -> Plan[None]:
    """The attempt was broken off from outside (a signal, a cancellation): it is in doubt.

    Also where the journal may have begun it without our having heard so. Where it is a
    colleague's flight that is doubted then, no harm is done: doubt is resolved by asking.
    """
    doubt = Outcome(kind=OutcomeKind.UNKNOWN, text="the attempt was broken off")
    try:
        history = yield from Recall(flight.key.book, flight.key.claim_id)
        current = history.get(flight.key)
        if current is not None and _is_open(history, flight):
            # As the journal has it: it may know of a job that holds what was sent.
            yield from _settled(history, current, doubt, ledger)
    except ClaimBridgeError:
        return  # the journal gives up the flight, so the next reader finds it in doubt


def _with_totals(flight: Submission, outcome: Outcome, ledger: Exchanger) -> Plan[Outcome]:
    """Ask for the amounts of the duplicate before adopting it, where the ERP can be asked."""
    if not ledger.rules.capabilities.can_query:
        return outcome
    asked = assigned((flight,), (yield from ledger.exchange("query", (flight,))))[0]
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
        waited = now - self._turn_from
        if waited > self._rules.turn or not (yield from Pause(self._turn_wait)):
            raise OutcomeUnknown(
                f"another process has been sending this claim for {waited:.0f} s; look at it, or "
                "try again later",
                code="CB-426",
                claim_id=key.claim_id,
                retry_after=self._rules.backoff,
            )
        self._turn_wait = min(0.5, self._turn_wait * 1.5)

    def asked(self, flight: Submission, told: Outcome) -> Plan[None]:
        """Go on after a question before a first sending that did not end with sending it.

        Where it brought no answer, wait before it is asked again, or raise when it is not.
        """
        if told.kind in {OutcomeKind.NOT_DELIVERED, OutcomeKind.UNAVAILABLE}:
            yield from self.after(flight, told)

    def after(self, landed: Submission, outcome: Outcome) -> Plan[None]:
        """Wait before the next try, or raise when there is none."""
        doubtful = landed.state is State.IN_DOUBT
        # One round more for a doubt: it does not send, but asks.
        most = self._rules.retries + doubtful
        if landed.state not in {State.PENDING, State.IN_DOUBT} or self._made >= most:
            raise error_for(landed, outcome)
        if outcome.useless and not doubtful:
            raise error_for(landed, outcome)
        wait = self._rules.backoff * 2**self._made if self._made or not doubtful else 0.0
        if outcome.retry_after is not None:
            if outcome.retry_after > self._rules.longest_wait:
                raise error_for(landed, outcome)
            wait = max(wait, outcome.retry_after)
        self._made += 1
        if wait and not (yield from Pause(wait)):
            raise error_for(landed, outcome)
