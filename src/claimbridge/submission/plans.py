"""The plans: what a client carries out for its caller, step by step."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence

import msgspec

from claimbridge.errors import (
    ClaimBridgeError,
    ConfigurationError,
    ConflictingSubmission,
    DeliveryError,
    LedgerRejection,
    OutcomeUnknown,
)
from claimbridge.model import (
    LIVE,
    History,
    Key,
    Purpose,
    State,
    Submission,
)
from claimbridge.submission.decisions import (
    Busy,
    Close,
    Done,
    Refuse,
    Resolve,
    Send,
    TakeBack,
    closed_error,
    decide,
    not_reversible,
)
from claimbridge.submission.documents import settling
from claimbridge.submission.doubt import Resend, resolve
from claimbridge.submission.evidence import (
    assigned,
    error_for,
    refusal,
    renewed,
    reversal_of,
    reverse_key,
    taking_off,
)
from claimbridge.submission.first import ask_earlier, ask_first, check_newest, may_be_sent
from claimbridge.submission.flight import Tries, give_up, send, settle, take_off
from claimbridge.submission.intentions import posting, unsendable
from claimbridge.submission.port import Built, Draft, Exchanger, Rules
from claimbridge.submission.question import NO_LONGER_THERE, found_again, refresh
from claimbridge.submission.steps import Pause, Plan, Recall, Record
from claimbridge.submission.together import side_by_side


def submit(
    key: Key,
    digest: str,
    prepare: Callable[[], Draft],
    ledger: Exchanger,
    *,
    seen: History | None = None,
) -> Plan[Submission]:
    """Carry one voucher into the ledger; return its submission once the ERP accepted it.

    ``prepare`` is called at most once, before anything is written or sent. ``seen`` is the claim's
    history where it was just read. Raises the errors of DeliveryError, and whatever ``prepare``
    raises.
    """
    draft: Draft | None = None
    tries = Tries(ledger.rules)
    while True:
        history = seen or (yield from Recall(key.book, key.claim_id))
        seen = None
        decision = decide(history, key, digest)
        if isinstance(decision, Done):
            if decision.submission.missing:
                return (yield from found_again(decision.submission, ledger))
            return decision.submission
        if isinstance(decision, Refuse):
            raise decision.error
        if isinstance(decision, TakeBack) and not ledger.rules.capabilities.can_reverse:
            raise not_reversible(decision.submission)
        if isinstance(decision, Busy):
            yield from tries.wait_for_turn(key)
            continue
        built: Built | None = None
        if isinstance(decision, Resolve) and decision.submission.key == key:
            resolved = yield from resolve(history, decision.submission, ledger, resend=True)
            if not isinstance(resolved, Resend):
                if resolved is not None and resolved.state is State.REJECTED:
                    raise refusal(resolved)  # what it was sent for has been answered
                continue
            flight = resolved.submission  # what was sent once is sent again as it was
            told = yield from ask_earlier(history, flight, ledger)
            if told is not None:
                yield from tries.asked(flight, told)
                continue
        else:
            # Prepared before anything is reversed for it: it may turn out not to be sendable.
            draft = draft or prepare()
            if isinstance(decision, Resolve):
                yield from resolve(history, decision.submission, ledger, resend=False)
                continue
            intended = posting(history, (draft.submission,), ledger.rules)
            if isinstance(decision, Close | TakeBack) and intended:
                yield from check_newest(key.claim_id)
                yield from Record(history, intended)
                continue
            if isinstance(decision, TakeBack):
                yield from _make_way(decision.submission.key, draft.submission, ledger)
                continue
            assert isinstance(decision, Send)  # there is no other decision
            flight = renewed(decision.known or draft.submission, draft.submission)
            told = yield from ask_first(history, flight, ledger)
            if told is not None:
                yield from tries.asked(flight, told)
                continue
            built = draft.built if flight.reference == draft.submission.reference else None
        sent = yield from send(history, (flight,), ledger, verb="submit", built=built)
        if sent is None:
            continue  # another writer was faster: look again
        landed, outcome = sent
        if landed.state in LIVE:
            return landed
        yield from tries.after(landed, outcome)


def _make_way(earlier: Key, wanted: Submission, ledger: Exchanger) -> Plan[None]:
    """Take an earlier document back for ``wanted``; where the ERP does not, that one stands."""
    try:
        yield from _take_back(earlier, wanted.voucher.posting_date, "", ledger)
    except (LedgerRejection, OutcomeUnknown) as refused:
        if isinstance(refused, OutcomeUnknown) and refused.code != NO_LONGER_THERE:
            raise
        why = f"not sent: revision {earlier.revision} stands ({refused.message})"
        while True:
            history = yield from Recall(earlier.book, earlier.claim_id)
            given_up = unsendable(history, wanted.key.revision, ledger.rules, why)
            if not given_up or (yield from Record(history, given_up)) is not None:
                raise


def submit_batch(
    drafts: Sequence[Draft], ledger: Exchanger, *, built: Built | None = None
) -> Plan[list[Submission | ClaimBridgeError]]:
    """Carry many vouchers in one request; return a submission or an error for each, in order.

    ``built`` is the request of all the drafts, in their order; None leaves it to be built. What
    cannot go into the one request (doubt, earlier revisions, another sender), and what the one
    request left open, is carried by ``submit`` one at a time. Nothing raises midway.
    """
    results: dict[int, Submission | ClaimBridgeError] = {}
    flights: list[_Flight] = []
    try:
        yield from _take_off_together(drafts, flights, results, ledger)
        if flights:
            request = built if len(flights) == len(drafts) else None
            yield from _fly_together(flights, results, ledger, request)
    except GeneratorExit:
        raise  # nobody is left to perform a step
    except BaseException:
        for flight in flights:
            yield from give_up(flight.submission, ledger)
        raise
    for index, draft in enumerate(drafts):
        if index not in results:
            results[index] = yield from _one_by_one(draft, ledger)
    return [results[index] for index in range(len(drafts))]


class _Flight(msgspec.Struct, frozen=True):
    """One of the flights that share a request: which draft, and the journal as it began."""

    index: int
    begun: History
    submission: Submission


_Results = dict[int, Submission | ClaimBridgeError]


def _take_off_together(
    drafts: Sequence[Draft], flights: list[_Flight], results: _Results, ledger: Exchanger
) -> Plan[None]:
    """Begin what can be sent at once; keep the flights in the order of their drafts."""
    looked = yield from side_by_side([_look_at(draft) for draft in drafts])
    ready: dict[int, tuple[History, Submission]] = {}
    for index, seen in enumerate(looked):
        if isinstance(seen, ClaimBridgeError):
            results[index] = seen
        elif seen is not None:
            ready[index] = seen
    free = yield from may_be_sent(ready, ledger)
    plans = [_take_off(index, *ready[index], flights, ledger) for index in free]
    for index, end in zip(free, (yield from side_by_side(plans)), strict=True):
        if isinstance(end, ClaimBridgeError):
            results[index] = end
    flights.sort(key=lambda flight: flight.index)


def _look_at(draft: Draft) -> Plan[tuple[History, Submission] | None]:
    """Return a draft as it would be sent now; None where something else comes first."""
    wanted = draft.submission
    history = yield from Recall(wanted.key.book, wanted.key.claim_id)
    decision = decide(history, wanted.key, wanted.digest)
    if not isinstance(decision, Send):
        return None
    return history, renewed(decision.known or wanted, wanted)


def _take_off(
    index: int, history: History, wanted: Submission, flights: list[_Flight], ledger: Exchanger
) -> Plan[None]:
    flight = taking_off(wanted, ledger.rules)
    begun = yield from take_off(history, flight, ledger)
    if begun is not None:
        flights.append(_Flight(index, begun, flight))


def _fly_together(
    flights: list[_Flight], results: _Results, ledger: Exchanger, built: Built | None
) -> Plan[None]:
    """Make the one request, and settle each flight by what the reply says of it."""
    submissions = tuple(flight.submission for flight in flights)
    outcomes = assigned(submissions, (yield from ledger.exchange("submit", submissions, built)))
    plans = [
        settle(flight.begun, flight.submission, outcome, ledger)
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
        elif (outcome.retry_after or 0.0) > ledger.rules.longest_wait or outcome.useless:
            results[flight.index] = error_for(landed, outcome)
        elif landed.state is State.REJECTED and (outcome.reference or len(flights) == 1):
            # A refusal that names none of many may be the fault of a neighbour.
            results[flight.index] = error_for(landed, outcome)
        wait = max(wait, outcome.retry_after or 0.0)
    if 0.0 < wait <= ledger.rules.longest_wait:
        yield from Pause(wait)


def _one_by_one(draft: Draft, ledger: Exchanger) -> Plan[Submission | ClaimBridgeError]:
    wanted = draft.submission
    try:
        return (yield from submit(wanted.key, wanted.digest, lambda: draft, ledger))
    except ClaimBridgeError as error:
        return error


def reverse(key: Key, posting_date: dt.date, text: str, ledger: Exchanger) -> Plan[Submission]:
    """Take back the journal entry of ``key``; return the reversal's submission.

    Raises LedgerRejection when the ERP refuses (the entry stays), the other errors of
    DeliveryError, and ConfigurationError when the profile cannot reverse.
    """
    check_reversible(key, ledger.rules)
    reversal = yield from _take_back(key, posting_date, text, ledger)
    if reversal is None:
        raise ConflictingSubmission(
            f"revision {key.revision} has no journal entry that could be reversed",
            code="CB-455",
            claim_id=key.claim_id,
        )
    return reversal


def check_reversible(key: Key, rules: Rules) -> None:
    """Raise ConfigurationError CB-254 where the profile cannot reverse."""
    if not rules.capabilities.can_reverse:
        raise ConfigurationError(
            "this profile cannot reverse a journal entry; reverse it in the ERP, then "
            f"{settling(key, '--reversed')}",
            code="CB-254",
            claim_id=key.claim_id,
        )


def _take_back(
    key: Key, posting_date: dt.date, text: str, ledger: Exchanger
) -> Plan[Submission | None]:
    """Reverse ``key``; None when the ERP holds nothing of it that could be reversed."""
    tries = Tries(ledger.rules)
    is_there = ledger.rules.capabilities.checks_reversals
    while True:
        history = yield from Recall(key.book, key.claim_id)
        original, reversal = history.get(key), history.get(reverse_key(key))
        if original is None:
            return None
        if original.state is State.REVERSED:
            if reversal is not None and reversal.state is State.IN_DOUBT:
                yield from resolve(history, reversal, ledger, resend=False)
                continue
            return reversal if reversal is not None and reversal.state in LIVE else original
        if any(other.state is State.SENDING for other in history.submissions):
            yield from tries.wait_for_turn(key)
            continue
        if original.state is State.IN_DOUBT:
            yield from resolve(history, original, ledger, resend=False)
            continue
        if original.state not in LIVE and original.state is not State.REVERSING:
            return None
        if original.missing or (original.state in LIVE and not is_there):
            is_there = (yield from found_again(original, ledger)).state in LIVE
            continue
        if original.journal_entry is None:
            yield from learn_number(original, ledger)
            continue
        if reversal is not None and reversal.state is State.PARKED:
            raise closed_error(reversal)
        if reversal is not None and reversal.state is State.IN_DOUBT:
            resolved = yield from resolve(history, reversal, ledger, resend=True)
            if not isinstance(resolved, Resend):
                continue
            reversal = resolved.submission
        else:
            reversal = reversal_of(original, reversal, posting_date, text, ledger.rules)
            told = yield from ask_first(history, reversal, ledger)
            if told is not None:
                yield from tries.asked(reversal, told)
                continue
        sent = yield from send(history, (reversal, original), ledger, verb="reverse")
        if sent is None:
            continue
        landed, outcome = sent
        if landed.state in LIVE:
            return landed
        if landed.state is State.REJECTED and (yield from _reversed_by_others(original, ledger)):
            continue
        yield from tries.after(landed, outcome)


def _reversed_by_others(original: Submission, ledger: Exchanger) -> Plan[bool]:
    """Someone may have reversed it in the ERP already: then we have what we wanted."""
    try:
        now = yield from refresh(original, ledger)
    except DeliveryError as error:
        if error.code == NO_LONGER_THERE:
            raise
        return False  # the refusal is the news; a question that failed is not
    return now.state is State.REVERSED


def reconcile(unfinished: Submission, ledger: Exchanger) -> Plan[Submission]:
    """Bring an unfinished submission to an end: ask, adopt, or send what was never sent.

    Raises the errors of DeliveryError where the end is not a journal entry.
    """
    key = unfinished.key
    history = yield from Recall(key.book, key.claim_id)
    if key.purpose is Purpose.REVERSE or unfinished.state is State.REVERSING:
        reversal = history.get(reverse_key(key)) or unfinished
        voucher = reversal.voucher
        original = msgspec.structs.replace(key, purpose=Purpose.POST)
        return (yield from reverse(original, voucher.posting_date, voucher.text, ledger))
    superseded = any(s.key.revision > key.revision for s in history.submissions)
    if not superseded:
        draft = Draft(unfinished)
        return (yield from submit(key, unfinished.digest, lambda: draft, ledger))
    current = history.get(key) or unfinished
    if current.state is State.IN_DOUBT:
        yield from resolve(history, current, ledger, resend=False)
        history = yield from Recall(key.book, key.claim_id)
        current = history.get(key) or current
    return current


def learn_number(original: Submission, ledger: Exchanger) -> Plan[None]:
    """Ask for the number of a journal entry that has none yet; OutcomeUnknown while it has none."""
    now = yield from refresh(original, ledger)
    if now.journal_entry is None and now.state in LIVE:
        can_query = ledger.rules.capabilities.can_query
        raise OutcomeUnknown(
            "the ERP has not given the journal entry a number yet, so it cannot be reversed yet"
            if can_query
            else "the journal entry's number is not known and this ERP cannot be asked for it; "
            f"look for {original.reference} in the ERP, then settle it by hand",
            code="CB-425",
            claim_id=original.key.claim_id,
            reference=original.reference,
            attempt=original.attempt,
            retry_after=ledger.rules.backoff if can_query else None,
        )
