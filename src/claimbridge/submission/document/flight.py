"""One attempt: begin, exchange, record; and how often to try."""

from __future__ import annotations

from claimbridge.errors import ClaimBridgeError, JournalError, OutcomeUnknown
from claimbridge.model import History, Key, Outcome, OutcomeKind, State, Submission
from claimbridge.submission.decisions.evidence import (
    EVIDENCE,
    after,
    at_take_off,
    error_for,
    in_reversal,
    outcome_of_each,
    with_original,
)
from claimbridge.submission.decisions.port import Built, Exchanger, Rules
from claimbridge.submission.document.news import absorb
from claimbridge.submission.steps.steps import Begin, Pause, Plan, Recall, Record


def fly(
    history: History,
    records: tuple[Submission, ...],
    ledger: Exchanger,
    *,
    verb: str,
    built: Built | None = None,
) -> Plan[tuple[Submission, Outcome] | None]:
    """Begin, exchange, record. ``records`` is the submission, and the original of a reversal.

    Returns None when another writer was faster: read the journal again and decide again.
    """
    flight = at_take_off(records[0], ledger.rules)
    others = tuple(in_reversal(other, ledger.rules) for other in records[1:])
    start = yield from take_off(history, flight, ledger, others)
    if start is None:
        return None
    try:
        outcomes = yield from ledger.exchange(verb, (flight,), built)
    except GeneratorExit:
        raise  # nobody is left to perform a step
    except BaseException:
        yield from give_up(flight, ledger)
        raise
    (outcome,) = outcome_of_each((flight,), outcomes)
    return (yield from record_outcome(start, flight, outcome, ledger))


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


def record_outcome(
    start: History, flight: Submission, outcome: Outcome, ledger: Exchanger
) -> Plan[tuple[Submission, Outcome] | None]:
    """Write what the exchange brought; None when others have gone on from there meanwhile."""
    try:
        return (yield from _record(start, flight, outcome, ledger))
    except (GeneratorExit, ClaimBridgeError):
        raise
    except BaseException:
        yield from give_up(flight, ledger)
        raise


def _record(
    history: History, flight: Submission, outcome: Outcome, ledger: Exchanger
) -> Plan[tuple[Submission, Outcome] | None]:
    if outcome.kind is OutcomeKind.DUPLICATE and not outcome.totals:
        outcome = yield from _with_totals(flight, outcome, ledger)
    while _is_open(history, flight):
        landing = after(flight, outcome, ledger.rules)
        try:
            written = yield from Record(history, with_original(history, landing, ledger.rules))
        except JournalError as error:
            raise _not_kept(flight, outcome, error) from error
        if written is not None:
            return landing, outcome
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


def _not_kept(flight: Submission, outcome: Outcome, error: JournalError) -> OutcomeUnknown:
    return OutcomeUnknown(
        f"the exchange ended as {outcome.kind}"
        + (f" ({outcome.journal_entry})" if outcome.journal_entry else "")
        + f", but the journal could not keep it: {error}; fix the journal and reconcile",
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
            yield from _record(history, current, doubt, ledger)
    except ClaimBridgeError:
        return  # the journal gives up the flight, so the next reader finds it in doubt


def _with_totals(flight: Submission, outcome: Outcome, ledger: Exchanger) -> Plan[Outcome]:
    """Ask for the amounts of the duplicate before adopting it, where the ERP can be asked."""
    if not ledger.rules.capabilities.can_query:
        return outcome
    (answer,) = outcome_of_each((flight,), (yield from ledger.exchange("query", (flight,))))
    if answer.kind in EVIDENCE and answer.totals:
        return answer
    if flight.doubt_since is None or outcome.journal_entry is not None or answer.kind in EVIDENCE:
        return outcome
    # "There already" names no entry, and the ERP does not find one: nothing is acknowledged on
    # that, and nothing refused. It stays in doubt, and is asked for again.
    held = "has no such document" if answer.kind is OutcomeKind.ABSENT else answer.text
    return Outcome(
        kind=OutcomeKind.UNKNOWN,
        reference=outcome.reference,
        text=f"the ERP refuses it as there already, but asked for it: {held or answer.kind}",
        retry_after=answer.retry_after,
    )


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

    def after_question(self, flight: Submission, answer: Outcome) -> Plan[None]:
        """Go on after a question before a first sending that did not end with sending it.

        Where it brought no answer, wait before it is asked again, or raise when it is not.
        """
        if answer.kind in {OutcomeKind.NOT_DELIVERED, OutcomeKind.UNAVAILABLE}:
            yield from self.after(flight, answer)

    def after(self, landing: Submission, outcome: Outcome) -> Plan[None]:
        """Wait before the next try, or raise when there is none."""
        doubtful = landing.state is State.IN_DOUBT
        # One round more for a doubt: it does not send, but asks.
        most = self._rules.retries + doubtful
        if landing.state not in {State.PENDING, State.IN_DOUBT} or self._made >= most:
            raise error_for(landing, outcome)
        if outcome.retry_is_useless and not doubtful:
            raise error_for(landing, outcome)
        wait = self._rules.backoff * 2**self._made if self._made or not doubtful else 0.0
        if outcome.retry_after is not None:
            if outcome.retry_after > self._rules.longest_wait:
                raise error_for(landing, outcome)
            wait = max(wait, outcome.retry_after)
        self._made += 1
        if wait and not (yield from Pause(wait)):
            raise error_for(landing, outcome)
