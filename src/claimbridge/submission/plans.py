"""The plans: what a client carries out for its caller.

Each function named as a verb here is a *plan*: a generator that yields steps (read the journal,
write it, make one exchange with the ERP, pause) and is sent their answers. A client performs the
steps; it decides nothing. So the same code runs under the synchronous client, the asynchronous
one, and a simulation of a million deliveries.

What the plans guarantee, as long as the profile's ``Capabilities`` are true:

* ``sending`` is durable before a request leaves; an attempt that ends without an answer is
  ``in_doubt`` and is never simply sent again.
* Doubt ends by evidence only: what the ERP answers when asked for our reference, or its refusal of
  a duplicate. "There is no such document" is believed at once only for sending the *same*
  reference again to an ERP that refuses duplicates; for everything else it must still be true
  after the quiet period, because a request that we gave up may yet arrive.
* A claim has one live journal entry: a later revision first settles the doubt about the earlier
  ones, then reverses what was posted, then posts.
"""

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
    MOVES,
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
    may_still_arrive,
    quiet_left,
)
from claimbridge.submission.evidence import (
    EVIDENCE,
    after,
    assigned,
    error_for,
    moved,
    renewed,
    reversal_of,
    reverse_key,
    taking_off,
    with_original,
)
from claimbridge.submission.flight import Tries, give_up, send, settle
from claimbridge.submission.steps import Begin, Draft, Exchange, Plan, Recall, Record, Rules


def submit(key: Key, digest: str, prepare: Callable[[], Draft], rules: Rules) -> Plan[Submission]:
    """Carry one voucher into the ledger; return its submission once the ERP accepted it.

    ``prepare`` is called at most once, before anything is written or sent. Raises the errors of
    DeliveryError, and whatever ``prepare`` raises.
    """
    draft: Draft | None = None
    tries = Tries(rules)
    while True:
        history = yield from Recall(key.ledger, key.claim_id)
        decision = decide(history, key, digest, rules)
        if isinstance(decision, Done):
            return decision.submission
        if isinstance(decision, Refuse):
            raise decision.error
        if isinstance(decision, Busy):
            yield from tries.wait_for_turn(key)
            continue
        body: bytes | None = None
        if isinstance(decision, Resolve) and decision.submission.key == key:
            flight = decision.submission  # what was sent once is sent again as it was
            if (yield from resolve(history, flight, rules, resend=True)) is not RESEND:
                continue
        else:
            # Prepared before anything is reversed for it: it may turn out not to be sendable.
            draft = draft or prepare()
            if isinstance(decision, Resolve):
                yield from resolve(history, decision.submission, rules, resend=False)
                continue
            if isinstance(decision, TakeBack):
                date = draft.submission.voucher.posting_date
                yield from reverse(decision.submission.key, date, "", rules)
                continue
            flight = renewed(decision.known or draft.submission, draft.submission)
            body = draft.body
        sent = yield from send(history, (flight,), rules, verb="submit", body=body)
        if sent is None:
            continue  # another writer was faster: look again
        landed, outcome = sent
        if landed.state in LIVE:
            return landed
        yield from tries.after(landed, outcome)


def submit_batch(
    drafts: Sequence[Draft], rules: Rules
) -> Plan[list[Submission | ClaimBridgeError]]:
    """Carry many vouchers in one request; return a submission or an error for each, in order.

    What cannot go into the one request (doubt, earlier revisions, another sender), and what the
    one request left open, is carried by ``submit`` one at a time. Nothing raises midway.
    """
    results: list[Submission | ClaimBridgeError | None] = [None] * len(drafts)
    flights: list[tuple[int, History, Submission]] = []
    try:
        for index, draft in enumerate(drafts):
            wanted = draft.submission
            try:
                history = yield from Recall(wanted.key.ledger, wanted.key.claim_id)
                decision = decide(history, wanted.key, wanted.digest, rules)
                if isinstance(decision, Send):
                    flight = taking_off(renewed(decision.known or wanted, wanted), rules)
                    begun = yield from Begin(history, (flight,))
                    if begun is not None:
                        flights.append((index, begun, flight))
            except ClaimBridgeError as error:
                results[index] = error
        if flights:
            submissions = tuple(flight for _, _, flight in flights)
            outcomes = assigned(submissions, (yield from Exchange("submit", submissions)))
    except BaseException:
        for _, begun, flight in flights:
            yield from give_up(begun, flight, rules)
        raise
    for number, (index, begun, flight) in enumerate(flights):
        try:
            landed, outcome = yield from settle(begun, flight, outcomes[number], rules)
            if landed.state in LIVE:
                results[index] = landed
            elif landed.state is State.REJECTED:
                results[index] = error_for(landed, outcome)
        except ClaimBridgeError as error:
            results[index] = error
    for index, draft in enumerate(drafts):
        if results[index] is None:
            results[index] = yield from _one_by_one(draft, rules)
    return [result for result in results if result is not None]


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
            code="CB-205",
            claim_id=key.claim_id,
        )
    tries = Tries(rules)
    while True:
        history = yield from Recall(key.ledger, key.claim_id)
        original = history.get(key)
        if original is None:
            raise _nothing_to_reverse(key)
        reversal = history.get(reverse_key(key))
        if original.state is State.REVERSED:
            return reversal or original
        if any(other.state is State.SENDING for other in history.submissions):
            yield from tries.wait_for_turn(key)
            continue
        if original.state is State.IN_DOUBT:
            yield from resolve(history, original, rules, resend=False)
            continue
        if original.state not in LIVE and original.state is not State.REVERSING:
            raise _nothing_to_reverse(key)
        if original.journal_entry is None:
            yield from _learn_number(original, rules)
            continue
        if reversal is not None and reversal.state is State.PARKED:
            raise closed_error(reversal)
        if reversal is not None and reversal.state is State.IN_DOUBT:
            resolved = yield from resolve(history, reversal, rules, resend=True)
            if resolved is not RESEND:
                continue
        else:
            reversal = reversal_of(original, reversal, posting_date, text, rules)
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


def resolve(history: History, doubtful: Submission, rules: Rules, *, resend: bool) -> Plan[object]:
    """Find out what became of a submission in doubt, by the profile's recipe.

    Returns a special value when the same reference may be sent again now (only with ``resend``);
    otherwise the journal has been moved on and must be read anew. Raises OutcomeUnknown when the
    doubt remains, with ``retry_after`` where time will help.
    """
    capabilities = rules.capabilities
    if not capabilities.can_query:
        if capabilities.unique_reference and resend:
            return RESEND
        if capabilities.unique_reference:
            yield from _resend_as_it_was(history, doubtful, rules)
            return None
        parked = moved(
            doubtful,
            State.PARKED,
            rules,
            detail="the answer was lost and this ERP cannot be asked by reference; look for "
            f"{doubtful.reference} in the ERP, then settle it by hand",
        )
        yield from Record(history, with_original(history, parked, rules))
        return None
    outcomes = yield from Exchange("query", (doubtful,))
    outcome = assigned((doubtful,), outcomes)[0]
    if outcome.kind is OutcomeKind.ABSENT:
        return (yield from _absent(history, doubtful, rules, resend=resend))
    if outcome.kind in EVIDENCE:
        adopted = after(doubtful, outcome, rules)
        yield from Record(history, with_original(history, adopted, rules))
        return None
    raise OutcomeUnknown(
        f"the answer was lost, and asking for {doubtful.reference} brought none: "
        f"{outcome.text or outcome.kind}; try again or reconcile later",
        code="CB-422",
        claim_id=doubtful.key.claim_id,
        reference=doubtful.reference,
        attempt=doubtful.attempt,
        retry_after=outcome.retry_after or rules.backoff,
    )


def _absent(history: History, doubtful: Submission, rules: Rules, *, resend: bool) -> Plan[object]:
    """The ERP has no such document: believe it now, or only after the quiet period."""
    left = quiet_left(doubtful, rules)
    if resend and (rules.capabilities.unique_reference or left == 0):
        return RESEND
    if left == 0:
        # It never arrived and no longer can; a refusal that came later stands.
        state = State.PENDING if doubtful.state is State.IN_DOUBT else doubtful.state
        cleared = moved(doubtful, state, rules, detail="asked; the ERP has no such document")
        cleared = msgspec.structs.replace(cleared, doubt_since=None)
        yield from Record(history, with_original(history, cleared, rules))
        return None
    raise OutcomeUnknown(
        f"the answer for {doubtful.reference} was lost; the ERP does not have it yet, but it may "
        f"still arrive for {left:.0f} s; try again after that",
        code="CB-423",
        claim_id=doubtful.key.claim_id,
        reference=doubtful.reference,
        attempt=doubtful.attempt,
        retry_after=left,
    )


RESEND: Final = object()
"""The answer of ``resolve`` that the same reference may be sent again."""


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


def absorb(known: Submission, outcome: Outcome, rules: Rules) -> Plan[Submission]:
    """Take in news about a submission, asked for or not; late and repeated news do no harm."""
    while True:
        history = yield from Recall(known.key.ledger, known.key.claim_id)
        current = history.get(known.key)
        if current is None or current.state is State.SENDING or outcome.kind not in EVIDENCE:
            return current or known  # a flight is settled by the one who began it
        news = after(current, outcome, rules)
        if not _is_progress(current, news):
            return current
        if (yield from Record(history, with_original(history, news, rules))) is not None:
            return news


def _is_progress(current: Submission, news: Submission) -> bool:
    if news.state == current.state:
        return current.state in LIVE and news.journal_entry != current.journal_entry
    return news.state in MOVES[current.state]


def reconcile(unfinished: Submission, rules: Rules) -> Plan[Submission]:
    """Bring an unfinished submission to an end: ask, adopt, or send what was never sent.

    Raises the errors of DeliveryError where the end is not a journal entry.
    """
    key = unfinished.key
    if key.purpose is Purpose.REVERSE or unfinished.state is State.REVERSING:
        original = msgspec.structs.replace(key, purpose=Purpose.POST)
        voucher = unfinished.voucher
        return (yield from reverse(original, voucher.posting_date, voucher.text, rules))
    history = yield from Recall(key.ledger, key.claim_id)
    superseded = any(s.key.revision > key.revision for s in history.submissions)
    if not superseded:
        draft = Draft(unfinished)
        return (yield from submit(key, unfinished.digest, lambda: draft, rules))
    current = history.get(key) or unfinished
    if may_still_arrive(current, rules):
        yield from resolve(history, current, rules, resend=False)
        history = yield from Recall(key.ledger, key.claim_id)
        current = history.get(key) or current
    return current


def settle_by_hand(key: Key, outcome: Outcome, rules: Rules) -> Plan[Submission]:
    """Record what a person found in the ERP about a parked submission.

    Raises ConflictingSubmission when the submission is not parked.
    """
    while True:
        history = yield from Recall(key.ledger, key.claim_id)
        known = history.get(key)
        if known is None or known.state is not State.PARKED:
            raise ConflictingSubmission(
                "only a parked submission is settled by hand"
                + (f"; this one is {known.state}" if known else "; there is none"),
                code="CB-454",
                claim_id=key.claim_id,
            )
        settled = after(known, outcome, rules, compare=False)
        settled = msgspec.structs.replace(settled, detail=outcome.text, doubt_since=None)
        if (yield from Record(history, with_original(history, settled, rules))) is not None:
            return settled


def _resend_as_it_was(history: History, doubtful: Submission, rules: Rules) -> Plan[None]:
    verb = "reverse" if doubtful.key.purpose is Purpose.REVERSE else "submit"
    sent = yield from send(history, (doubtful,), rules, verb=verb)
    if sent is not None and sent[0].state is State.IN_DOUBT:
        raise error_for(*sent)


def _learn_number(original: Submission, rules: Rules) -> Plan[None]:
    now = yield from refresh(original, rules)
    if now.journal_entry is None and now.state in LIVE:
        raise OutcomeUnknown(
            "the ERP has not given the journal entry a number yet, so it cannot be reversed yet",
            code="CB-425",
            claim_id=original.key.claim_id,
            reference=original.reference,
            retry_after=rules.backoff,
        )


def _nothing_to_reverse(key: Key) -> ConflictingSubmission:
    return ConflictingSubmission(
        f"revision {key.revision} has no journal entry that could be reversed",
        code="CB-455",
        claim_id=key.claim_id,
    )
