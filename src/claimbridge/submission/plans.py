"""The plans: what a client carries out for its caller, step by step."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from claimbridge.errors import (
    ClaimBridgeError,
    ConfigurationError,
    ConflictingSubmission,
    DeliveryError,
    LedgerUnavailable,
    NotDelivered,
    OutcomeUnknown,
)
from claimbridge.model import (
    LIVE,
    History,
    Key,
    Outcome,
    OutcomeKind,
    Purpose,
    State,
    Submission,
)
from claimbridge.submission.decisions import (
    Busy,
    Done,
    Refuse,
    Resolve,
    Send,
    TakeBack,
    closed_error,
    decide,
    quiet_left,
)
from claimbridge.submission.doubt import Resend, may_still_arrive, resolve
from claimbridge.submission.evidence import (
    EVIDENCE,
    after,
    assigned,
    error_for,
    moved,
    refusal,
    renewed,
    reversal_of,
    reverse_key,
    taking_off,
    with_original,
)
from claimbridge.submission.first import ask_first, may_be_sent
from claimbridge.submission.flight import Tries, give_up, send, settle, take_off
from claimbridge.submission.news import absorb
from claimbridge.submission.steps import Built, Draft, Exchange, Pause, Plan, Recall, Record, Rules
from claimbridge.submission.together import side_by_side


def submit(key: Key, digest: str, prepare: Callable[[], Draft], rules: Rules) -> Plan[Submission]:
    """Carry one voucher into the ledger; return its submission once the ERP accepted it.

    ``prepare`` is called at most once, before anything is written or sent. Raises the errors of
    DeliveryError, and whatever ``prepare`` raises.
    """
    draft: Draft | None = None
    tries = Tries(rules)
    while True:
        history = yield from Recall(key.ledger, key.claim_id)
        decision = decide(history, key, digest)
        if isinstance(decision, Done):
            return decision.submission
        if isinstance(decision, Refuse):
            raise decision.error
        if isinstance(decision, Busy):
            yield from tries.wait_for_turn(key)
            continue
        built: Built | None = None
        if isinstance(decision, Resolve) and decision.submission.key == key:
            resolved = yield from resolve(history, decision.submission, rules, resend=True)
            if not isinstance(resolved, Resend):
                if resolved is not None and resolved.state is State.REJECTED:
                    raise refusal(resolved)  # what it was sent for has been answered
                continue
            flight = resolved.submission  # what was sent once is sent again as it was
        else:
            # Prepared before anything is reversed for it: it may turn out not to be sendable.
            draft = draft or prepare()
            if isinstance(decision, Resolve):
                yield from resolve(history, decision.submission, rules, resend=False)
                continue
            if isinstance(decision, TakeBack):
                date = draft.submission.voucher.posting_date
                yield from _take_back(decision.submission.key, date, "", rules)
                continue
            flight = renewed(decision.known or draft.submission, draft.submission)
            told = yield from ask_first(history, flight, rules)
            if told is not None:
                yield from tries.asked(flight, told)
                continue
            built = draft.built if flight.reference == draft.submission.reference else None
        sent = yield from send(history, (flight,), rules, verb="submit", built=built)
        if sent is None:
            continue  # another writer was faster: look again
        landed, outcome = sent
        if landed.state in LIVE:
            return landed
        yield from tries.after(landed, outcome)


def submit_batch(
    drafts: Sequence[Draft], rules: Rules, *, built: Built | None = None
) -> Plan[list[Submission | ClaimBridgeError]]:
    """Carry many vouchers in one request; return a submission or an error for each, in order.

    ``built`` is the request of all the drafts, in their order; None leaves it to be built. What
    cannot go into the one request (doubt, earlier revisions, another sender), and what the one
    request left open, is carried by ``submit`` one at a time. Nothing raises midway.
    """
    results: dict[int, Submission | ClaimBridgeError] = {}
    flights: list[_Flight] = []
    try:
        yield from _take_off_together(drafts, flights, results, rules)
        if flights:
            request = built if len(flights) == len(drafts) else None
            yield from _fly_together(flights, results, rules, request)
    except GeneratorExit:
        raise  # nobody is left to perform a step
    except BaseException:
        for flight in flights:
            yield from give_up(flight.submission, rules)
        raise
    for index, draft in enumerate(drafts):
        if index not in results:
            results[index] = yield from _one_by_one(draft, rules)
    return [results[index] for index in range(len(drafts))]


class _Flight(msgspec.Struct, frozen=True):
    """One of the flights that share a request: which draft, and the journal as it began."""

    index: int
    begun: History
    submission: Submission


_Results = dict[int, Submission | ClaimBridgeError]


def _take_off_together(
    drafts: Sequence[Draft], flights: list[_Flight], results: _Results, rules: Rules
) -> Plan[None]:
    """Begin what can be sent at once; keep the flights in the order of their drafts."""
    looked = yield from side_by_side([_look_at(draft) for draft in drafts])
    ready: dict[int, tuple[History, Submission]] = {}
    for index, seen in enumerate(looked):
        if isinstance(seen, ClaimBridgeError):
            results[index] = seen
        elif seen is not None:
            ready[index] = seen
    free = yield from may_be_sent(ready, rules)
    plans = [_take_off(index, *ready[index], flights, rules) for index in free]
    for index, end in zip(free, (yield from side_by_side(plans)), strict=True):
        if isinstance(end, ClaimBridgeError):
            results[index] = end
    flights.sort(key=lambda flight: flight.index)


def _look_at(draft: Draft) -> Plan[tuple[History, Submission] | None]:
    """Return a draft as it would be sent now; None where something else comes first."""
    wanted = draft.submission
    history = yield from Recall(wanted.key.ledger, wanted.key.claim_id)
    decision = decide(history, wanted.key, wanted.digest)
    if not isinstance(decision, Send):
        return None
    return history, renewed(decision.known or wanted, wanted)


def _take_off(
    index: int, history: History, wanted: Submission, flights: list[_Flight], rules: Rules
) -> Plan[None]:
    flight = taking_off(wanted, rules)
    begun = yield from take_off(history, flight, rules)
    if begun is not None:
        flights.append(_Flight(index, begun, flight))


def _fly_together(
    flights: list[_Flight], results: _Results, rules: Rules, built: Built | None
) -> Plan[None]:
    """Make the one request, and settle each flight by what the reply says of it."""
    submissions = tuple(flight.submission for flight in flights)
    outcomes = assigned(submissions, (yield from Exchange("submit", submissions, built)))
    plans = [
        settle(flight.begun, flight.submission, outcome, rules)
        for flight, outcome in zip(flights, outcomes, strict=True)
    ]
    wait = 0.0
    for flight, settled in zip(flights, (yield from side_by_side(plans)), strict=True):
        if isinstance(settled, ClaimBridgeError):
            results[flight.index] = settled
            continue
        if settled is None:
            continue
        landed, outcome = settled
        if landed.state in LIVE:
            results[flight.index] = landed
        elif (outcome.retry_after or 0.0) > rules.longest_wait or outcome.useless:
            results[flight.index] = error_for(landed, outcome)
        elif landed.state is State.REJECTED and (outcome.reference or len(flights) == 1):
            # A refusal that names none of many may be the fault of a neighbour.
            results[flight.index] = error_for(landed, outcome)
        wait = max(wait, outcome.retry_after or 0.0)
    if 0.0 < wait <= rules.longest_wait:
        yield from Pause(wait)


def _one_by_one(draft: Draft, rules: Rules) -> Plan[Submission | ClaimBridgeError]:
    wanted = draft.submission
    try:
        return (yield from submit(wanted.key, wanted.digest, lambda: draft, rules))
    except ClaimBridgeError as error:
        return error


def reverse(key: Key, posting_date: dt.date, text: str, rules: Rules) -> Plan[Submission]:
    """Take back the journal entry of ``key``; return the reversal's submission.

    Raises LedgerRejection when the ERP refuses (the entry stays), the other errors of
    DeliveryError, and ConfigurationError when the profile cannot reverse.
    """
    if not rules.capabilities.can_reverse:
        raise ConfigurationError(
            "this profile cannot reverse a journal entry; reverse it in the ERP",
            code="CB-254",
            claim_id=key.claim_id,
        )
    reversal = yield from _take_back(key, posting_date, text, rules)
    if reversal is None:
        raise ConflictingSubmission(
            f"revision {key.revision} has no journal entry that could be reversed",
            code="CB-455",
            claim_id=key.claim_id,
        )
    return reversal


def _take_back(key: Key, posting_date: dt.date, text: str, rules: Rules) -> Plan[Submission | None]:
    """Reverse ``key``; None when the ERP holds nothing of it that could be reversed."""
    tries = Tries(rules)
    while True:
        history = yield from Recall(key.ledger, key.claim_id)
        original, reversal = history.get(key), history.get(reverse_key(key))
        if original is None:
            return None
        if original.state is State.REVERSED:
            if reversal is not None and reversal.state is State.IN_DOUBT:
                yield from resolve(history, reversal, rules, resend=False)
                continue
            return reversal if reversal is not None and reversal.state in LIVE else original
        if any(other.state is State.SENDING for other in history.submissions):
            yield from tries.wait_for_turn(key)
            continue
        if original.state is State.IN_DOUBT:
            yield from resolve(history, original, rules, resend=False)
            continue
        if original.state not in LIVE and original.state is not State.REVERSING:
            return None
        if original.journal_entry is None:
            yield from _learn_number(original, rules)
            continue
        if reversal is not None and reversal.state is State.PARKED:
            raise closed_error(reversal)
        if reversal is not None and reversal.state is State.IN_DOUBT:
            resolved = yield from resolve(history, reversal, rules, resend=True)
            if not isinstance(resolved, Resend):
                continue
            reversal = resolved.submission
        else:
            reversal = reversal_of(original, reversal, posting_date, text, rules)
            told = yield from ask_first(history, reversal, rules)
            if told is not None:
                yield from tries.asked(reversal, told)
                continue
        sent = yield from send(history, (reversal, original), rules, verb="reverse")
        if sent is None:
            continue
        landed, outcome = sent
        if landed.state in LIVE:
            return landed
        if landed.state is State.REJECTED and (yield from _reversed_by_others(original, rules)):
            continue
        yield from tries.after(landed, outcome)


def _reversed_by_others(original: Submission, rules: Rules) -> Plan[bool]:
    """Someone may have reversed it in the ERP already: then we have what we wanted."""
    try:
        now = yield from refresh(original, rules)
    except DeliveryError:
        return False  # the refusal is the news; a question that failed is not
    return now.state is State.REVERSED


def refresh(known: Submission, rules: Rules) -> Plan[Submission]:
    """Ask the ERP for the status of a submission that it accepted; return what is known now.

    Raises NotDelivered or LedgerUnavailable when the ERP cannot be asked: a question that fails
    puts nothing in doubt.
    """
    if not rules.capabilities.can_query:
        return known
    outcome = assigned((known,), (yield from Exchange("query", (known,))))[0]
    if outcome.kind is OutcomeKind.UNAVAILABLE:
        raise LedgerUnavailable(
            f"the ERP cannot answer now: {outcome.text}",
            claim_id=known.key.claim_id,
            reference=known.reference,
            retry_after=outcome.retry_after,
        )
    if outcome.kind in {OutcomeKind.UNKNOWN, OutcomeKind.NOT_DELIVERED}:
        raise NotDelivered(
            f"the ERP could not be asked for {known.reference}: {outcome.text}",
            code="CB-411",
            claim_id=known.key.claim_id,
            reference=known.reference,
        )
    if outcome.kind is OutcomeKind.ABSENT and known.state in LIVE:
        raise OutcomeUnknown(
            f"the ERP accepted {known.reference} as {known.journal_entry or 'a document'} and now "
            "says that it has no such document; look at it in the ERP",
            code="CB-427",
            claim_id=known.key.claim_id,
            reference=known.reference,
            attempt=known.attempt,
        )
    return (yield from absorb(known, outcome, rules))


def reconcile(unfinished: Submission, rules: Rules) -> Plan[Submission]:
    """Bring an unfinished submission to an end: ask, adopt, or send what was never sent.

    Raises the errors of DeliveryError where the end is not a journal entry.
    """
    key = unfinished.key
    history = yield from Recall(key.ledger, key.claim_id)
    if key.purpose is Purpose.REVERSE or unfinished.state is State.REVERSING:
        reversal = history.get(reverse_key(key)) or unfinished
        voucher = reversal.voucher
        original = msgspec.structs.replace(key, purpose=Purpose.POST)
        return (yield from reverse(original, voucher.posting_date, voucher.text, rules))
    superseded = any(s.key.revision > key.revision for s in history.submissions)
    if not superseded:
        draft = Draft(unfinished)
        return (yield from submit(key, unfinished.digest, lambda: draft, rules))
    current = history.get(key) or unfinished
    if current.state is State.IN_DOUBT:
        yield from resolve(history, current, rules, resend=False)
        history = yield from Recall(key.ledger, key.claim_id)
        current = history.get(key) or current
    return current


def settle_by_hand(
    key: Key, outcome: Outcome, rules: Rules, *, looked: dt.datetime
) -> Plan[Submission]:
    """Record what a person found in the ERP about a parked submission, or its parked reversal.

    NOT_DELIVERED or ABSENT says that the ERP holds nothing of it. Where the ERP cannot be asked, a
    person may also tell what became of an accepted submission: its number, its reversal. Raises
    ConflictingSubmission when there is nothing to settle, and OutcomeUnknown when the person
    ``looked`` too early: what was sent may have arrived since.
    """
    while True:
        history = yield from Recall(key.ledger, key.claim_id)
        known = _to_settle(history, key)
        tells = outcome.kind in EVIDENCE and not rules.capabilities.can_query
        if known is not None and known.state in LIVE and tells:
            return (yield from absorb(known, outcome, rules))
        if known is None or known.state is not State.PARKED:
            raise ConflictingSubmission(
                "only a parked submission is settled by hand"
                + (f"; this one is {known.state}" if known else "; there is none"),
                code="CB-454",
                claim_id=key.claim_id,
            )
        settled = _as_found(known, outcome, looked, rules)
        if (yield from Record(history, with_original(history, settled, rules))) is not None:
            return settled


def _to_settle(history: History, key: Key) -> Submission | None:
    """Return the submission of ``key``; while it is being reversed, its reversal."""
    known = history.get(key)
    if known is not None and known.state is State.REVERSING:
        return history.get(reverse_key(key)) or known
    return known


def _as_found(
    parked: Submission, outcome: Outcome, looked: dt.datetime, rules: Rules
) -> Submission:
    """Return a parked submission as the word of a person who looked then leaves it."""
    if outcome.kind in {OutcomeKind.UNKNOWN, OutcomeKind.UNAVAILABLE}:
        raise ConflictingSubmission(
            f"an outcome of {outcome.kind} settles nothing; say what the ERP holds",
            code="CB-454",
            claim_id=parked.key.claim_id,
            reference=parked.reference,
        )
    nothing_there = outcome.kind in _NOTHING_THERE
    left = quiet_left(parked, rules, at=looked) if parked.doubt_since is not None else 0.0
    if nothing_there and left > 0:
        raise may_still_arrive(parked, left)
    undoubted = msgspec.structs.replace(parked, doubt_since=None)
    if nothing_there and outcome.kind is not OutcomeKind.REJECTED:
        return moved(undoubted, State.PENDING, rules, detail=outcome.text)
    settled = after(undoubted, outcome, rules, compare=False)
    return msgspec.structs.replace(settled, detail=outcome.text)


_NOTHING_THERE: Final = frozenset(
    {OutcomeKind.ABSENT, OutcomeKind.NOT_DELIVERED, OutcomeKind.REJECTED}
)


def _learn_number(original: Submission, rules: Rules) -> Plan[None]:
    now = yield from refresh(original, rules)
    if now.journal_entry is None and now.state in LIVE:
        can_query = rules.capabilities.can_query
        raise OutcomeUnknown(
            "the ERP has not given the journal entry a number yet, so it cannot be reversed yet"
            if can_query
            else "the journal entry's number is not known and this ERP cannot be asked for it; "
            f"look for {original.reference} in the ERP, then settle it by hand",
            code="CB-425",
            claim_id=original.key.claim_id,
            reference=original.reference,
            attempt=original.attempt,
            retry_after=rules.backoff if can_query else None,
        )
