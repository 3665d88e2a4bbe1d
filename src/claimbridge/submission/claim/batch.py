"""Many documents in one request, and what that leaves over one by one."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence

import msgspec

from claimbridge.errors import (
    ClaimBridgeError,
)
from claimbridge.journal import newest
from claimbridge.model import (
    LIVE,
    Claim,
    History,
    OutcomeKind,
    State,
    Submission,
)
from claimbridge.submission.decisions.decisions import Fly, decide
from claimbridge.submission.decisions.documents import Documents
from claimbridge.submission.decisions.evidence import (
    at_take_off,
    error_for,
    outcome_of_each,
    with_content_of,
)
from claimbridge.submission.decisions.port import Built, Draft, Exchanger, LedgerPort
from claimbridge.submission.decisions.unseen import gap_of, questions_before
from claimbridge.submission.document.delivery import submit_draft
from claimbridge.submission.document.first import is_unguarded
from claimbridge.submission.document.flight import give_up, record_outcome, take_off
from claimbridge.submission.steps.steps import Pause, Plan, ReadContinuity, Recall
from claimbridge.submission.steps.together import side_by_side


class _Flight(msgspec.Struct, frozen=True):
    """One of the flights that share a request: which draft, and the journal as it began."""

    index: int
    start: History
    submission: Submission


_Results = dict[int, Submission | ClaimBridgeError]


def submit_together(
    claims: Sequence[Claim], book: str, ledger: LedgerPort
) -> Plan[dict[int, Documents | ClaimBridgeError]]:
    """Carry those claims in one request that are one document each.

    Returns the document or an error of each, by the claim's place; what is several documents, or
    cannot be built now, is left over. ``book`` is the id of our book.
    """
    drafts, built = _drafts(claims, book, ledger)
    ends = yield from submit_batch(list(drafts.values()), ledger, built=built)
    return {
        index: end if isinstance(end, ClaimBridgeError) else (end,)
        for index, end in zip(drafts, ends, strict=True)
    }


def _drafts(
    claims: Sequence[Claim], book: str, ledger: LedgerPort
) -> tuple[dict[int, Draft], Built | None]:
    """Return the drafts of the claims that are one document, by their place, and their request.

    Where the contract refuses the request as a whole, each is judged alone and the request is
    left to be built of what remains.
    """
    drafts: dict[int, Draft] = {}
    for index, claim in enumerate(claims):
        with contextlib.suppress(ClaimBridgeError):
            documents = ledger.documents(claim, book)
            if len(documents) == 1:
                drafts[index] = Draft(documents[0])
    try:
        together = tuple(draft.submission for draft in drafts.values())
        return drafts, ledger.build("submit", together) if together else None
    except ClaimBridgeError:
        return {i: draft for i, draft in drafts.items() if _can_be_built(draft, ledger)}, None


def _can_be_built(draft: Draft, ledger: LedgerPort) -> bool:
    try:
        ledger.build("submit", (draft.submission,))
    except ClaimBridgeError:
        return False
    return True


def submit_batch(
    drafts: Sequence[Draft], ledger: Exchanger, *, built: Built | None = None
) -> Plan[list[Submission | ClaimBridgeError]]:
    """Carry many vouchers in one request; return a submission or an error for each, in order.

    ``built`` is the request of all the drafts, in their order; None leaves it to be built. What
    cannot go into the one request (doubt, earlier revisions, another sender), and what the one
    request left open, is carried by ``submit_document`` one at a time. Nothing raises midway.
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


def _take_off_together(
    drafts: Sequence[Draft], flights: list[_Flight], results: _Results, ledger: Exchanger
) -> Plan[None]:
    """Begin what can be sent at once; keep the flights in the order of their drafts."""
    looks = yield from side_by_side([_look_at(draft) for draft in drafts])
    ready: dict[int, tuple[History, Submission]] = {}
    for index, look in enumerate(looks):
        if isinstance(look, ClaimBridgeError):
            results[index] = look
        elif look is not None:
            ready[index] = look
    free = yield from _may_be_sent(ready, ledger)
    plans = [_take_off(index, *ready[index], flights, ledger) for index in free]
    for index, end in zip(free, (yield from side_by_side(plans)), strict=True):
        if isinstance(end, ClaimBridgeError):
            results[index] = end
    flights.sort(key=lambda flight: flight.index)


def _look_at(draft: Draft) -> Plan[tuple[History, Submission] | None]:
    """Return a draft as it would be sent now; None where something else comes first."""
    target = draft.submission
    history = yield from Recall(target.key.book, target.key.claim_id)
    decision = decide(history, target.key, target.digest)
    if not isinstance(decision, Fly):
        return None
    return history, with_content_of(decision.record or target, target)


def _may_be_sent(
    ready: Mapping[int, tuple[History, Submission]], ledger: Exchanger
) -> Plan[list[int]]:
    """Return which of several may be sent at once; the others are for ``ask_first``, one by one."""
    firsts = {index: flight for index, (_, flight) in ready.items() if not flight.attempt}
    free = [index for index in ready if index not in firsts]
    if not firsts:
        return free
    continuity = yield from ReadContinuity()
    if newest.refusal(continuity) or (yield from is_unguarded(firsts.values(), ledger.rules)):
        return []
    asking: dict[int, Submission] = {}
    for index, flight in firsts.items():
        history = ready[index][0]
        gap = gap_of(continuity, history, flight)
        questions = questions_before(history, flight, gap, ledger.rules)
        if not questions and (gap is None or ledger.rules.capabilities.can_query):
            free.append(index)
        elif gap is None and [one.key for one in questions] == [flight.key]:
            asking[index] = flight
    if asking:
        flights = tuple(asking.values())
        answers = outcome_of_each(flights, (yield from ledger.exchange("query", flights)))
        free += [
            index
            for index, outcome in zip(asking, answers, strict=True)
            if outcome.kind is OutcomeKind.ABSENT
        ]
    return sorted(free)


def _take_off(
    index: int, history: History, target: Submission, flights: list[_Flight], ledger: Exchanger
) -> Plan[None]:
    flight = at_take_off(target, ledger.rules)
    start = yield from take_off(history, flight, ledger)
    if start is not None:
        flights.append(_Flight(index, start, flight))


def _fly_together(
    flights: list[_Flight], results: _Results, ledger: Exchanger, built: Built | None
) -> Plan[None]:
    """Make the one request, and record of each flight what the reply says of it."""
    submissions = tuple(flight.submission for flight in flights)
    outcomes = outcome_of_each(
        submissions, (yield from ledger.exchange("submit", submissions, built))
    )
    plans = [
        record_outcome(flight.start, flight.submission, outcome, ledger)
        for flight, outcome in zip(flights, outcomes, strict=True)
    ]
    wait = 0.0
    for flight, ending in zip(flights, (yield from side_by_side(plans)), strict=True):
        if isinstance(ending, ClaimBridgeError):
            results[flight.index] = ending
            continue
        if ending is None:
            continue
        landing, outcome = ending
        if landing.state in LIVE:
            results[flight.index] = landing
        elif (outcome.retry_after or 0.0) > ledger.rules.longest_wait or outcome.retry_is_useless:
            results[flight.index] = error_for(landing, outcome)
        elif landing.state is State.REJECTED and (outcome.reference or len(flights) == 1):
            # A refusal that names none of many may be the fault of a neighbour.
            results[flight.index] = error_for(landing, outcome)
        wait = max(wait, outcome.retry_after or 0.0)
    if 0.0 < wait <= ledger.rules.longest_wait:
        yield from Pause(wait)


def _one_by_one(draft: Draft, ledger: Exchanger) -> Plan[Submission | ClaimBridgeError]:
    try:
        return (yield from submit_draft(draft, ledger))
    except ClaimBridgeError as error:
        return error
