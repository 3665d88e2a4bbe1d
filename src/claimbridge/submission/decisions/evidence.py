"""What an outcome does to a submission: the state machine, pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from claimbridge.errors import (
    DeliveryError,
    DeliveryRefused,
    LedgerRejection,
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
    Reason,
    State,
    Submission,
)
from claimbridge.model.doubt import enter_doubt, leave_doubt
from claimbridge.submission.decisions.decisions import closed_error
from claimbridge.submission.decisions.port import Rules
from claimbridge.submission.decisions.references import reference_for

_STATE_OF: Final = {
    OutcomeKind.POSTED: State.POSTED,
    OutcomeKind.ACKNOWLEDGED: State.ACKNOWLEDGED,
    OutcomeKind.DUPLICATE: State.ACKNOWLEDGED,
    OutcomeKind.PAID: State.PAID,
    OutcomeKind.REVERSED: State.REVERSED,
    OutcomeKind.REJECTED: State.REJECTED,
}
_POSTED_WHEN_NUMBERED: Final = frozenset({OutcomeKind.DUPLICATE, OutcomeKind.REVERSED})
EVIDENCE: Final = frozenset(_STATE_OF)


def outcome_of_each(
    submissions: Sequence[Submission], outcomes: Sequence[Outcome]
) -> tuple[Outcome, ...]:
    """Return one outcome for each submission, matched by reference.

    A reply that names another document than ours says nothing about ours. One outcome without a
    reference speaks for the whole request, unless it claims success for more than one document.
    """
    by_reference: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        if outcome.reference is not None:
            by_reference.setdefault(outcome.reference, []).append(outcome)
    general = outcomes[0] if len(outcomes) == 1 and outcomes[0].reference is None else None
    if general is not None and len(submissions) > 1 and general.kind in _NAMES_ONE:
        general = None
    matches: list[Outcome] = []
    for submission in submissions:
        answers = by_reference.get(submission.reference)
        if answers:
            matches.append(_contradiction(submission.reference) if differ(answers) else answers[0])
        else:
            matches.append(general or _nothing_about(submission, outcomes))
    return tuple(matches)


def differ(outcomes: Sequence[Outcome]) -> bool:
    """Say whether outcomes for one document say different things about it."""
    return len({(outcome.kind, outcome.journal_entry) for outcome in outcomes}) > 1


_NAMES_ONE: Final = (EVIDENCE | {OutcomeKind.ABSENT}) - {OutcomeKind.REJECTED}


def _nothing_about(submission: Submission, outcomes: Sequence[Outcome]) -> Outcome:
    named = ", ".join(sorted({o.reference for o in outcomes if o.reference})[:3]) or "no document"
    return Outcome(
        kind=OutcomeKind.UNKNOWN,
        text=f"the reply names {named}, not {submission.reference}",
    )


def _contradiction(reference: str) -> Outcome:
    return Outcome(
        kind=OutcomeKind.UNKNOWN,
        reference=reference,
        text=f"the reply says two different things about {reference}",
    )


def counts(outcome: Outcome) -> bool:
    """Say whether an answer that the ERP holds nothing of ours is one to *this* request.

    A true signed answer can be held back, and given to a later request. So "absent", a refusal and
    "not now" count only where something signed binds them to their request. The one judgement for
    every such answer.
    """
    return outcome.bound


UNBOUND: Final = (
    "nothing signed says that the ERP's answer is one to this request and not an old one that "
    "somebody repeats (with replies.addressing or replies.max_age something can)"
)


def after(
    current: Submission, outcome: Outcome, rules: Rules, *, compare: bool = True
) -> Submission:
    """Return the submission as ``outcome`` leaves it; the heart of the state machine."""
    kind = outcome.kind
    if kind in EVIDENCE and kind is not OutcomeKind.REJECTED:
        return _adoption(current, outcome, rules, compare=compare)
    if kind in {OutcomeKind.UNKNOWN, OutcomeKind.UNDER_WAY, OutcomeKind.ABSENT}:
        # "Absent" answers a question; as the answer to a voucher it is no evidence of anything.
        # A refusal that may be that of a second copy gives its reasons: they count if the ERP still
        # does not have it when nothing can arrive any more.
        current = msgspec.structs.replace(
            current,
            job=outcome.job or current.job,
            reasons=outcome.reasons or current.reasons,
        )
        return enter_doubt(
            in_state(current, State.IN_DOUBT, rules, detail=outcome.text), rules.clock
        )
    if kind is OutcomeKind.REJECTED:
        return _after_refusal(current, outcome, rules)
    # NOT_DELIVERED, UNAVAILABLE: this attempt had no effect; an earlier one may have had.
    if not counts(outcome):
        detail = f"{outcome.text}; {UNBOUND}"
        return enter_doubt(in_state(current, State.IN_DOUBT, rules, detail=detail), rules.clock)
    state = State.PENDING if current.doubt_since is None else State.IN_DOUBT
    return in_state(current, state, rules, detail=outcome.text)


def _adoption(current: Submission, outcome: Outcome, rules: Rules, *, compare: bool) -> Submission:
    """The ERP holds a document with our reference: ours, if the amounts agree."""
    ours = current.voucher.totals
    unexplained = outcome.kind is OutcomeKind.DUPLICATE and current.doubt_since is None
    if compare and outcome.totals and outcome.totals != ours:
        return in_state(
            current,
            State.PARKED,
            rules,
            detail=f"the ERP holds {outcome.journal_entry or 'a document'} under our reference "
            f"with other amounts ({_totals_text(outcome.totals)}, ours {_totals_text(ours)})",
        )
    if compare and unexplained and not outcome.totals:
        return in_state(
            current,
            State.PARKED,
            rules,
            detail=f"the ERP already had {outcome.journal_entry or 'a document'} under our "
            "reference before we sent it, and does not tell its amounts",
        )
    state = _STATE_OF[outcome.kind]
    if outcome.kind is OutcomeKind.REVERSED and current.key.purpose is Purpose.REVERSE:
        # Said of a reversal, it means that what was to be taken back has been taken back.
        state = State.ACKNOWLEDGED
    if outcome.kind in _POSTED_WHEN_NUMBERED and outcome.journal_entry is not None:
        state = State.POSTED if state is State.ACKNOWLEDGED else state
    return msgspec.structs.replace(
        leave_doubt(in_state(current, state, rules, detail=outcome.text)),
        journal_entry=outcome.journal_entry or current.journal_entry,
        reasons=(),
    )


def _after_refusal(current: Submission, outcome: Outcome, rules: Rules) -> Submission:
    detail = outcome.text or "; ".join(str(reason) for reason in outcome.reasons)
    state, reasons = State.REJECTED, outcome.reasons
    certain = counts(outcome)
    if current.doubt_since is not None or not certain:
        # An earlier sending may have been committed, or may yet arrive and be accepted: a refusal
        # of the later one proves nothing about it. The reasons, kept in doubt, say that it came.
        state = State.IN_DOUBT if rules.capabilities.can_query else State.PARKED
        reasons = reasons or (Reason(detail or "refused without a reason"),)
        why = "an earlier answer was lost, a later sending was refused" if certain else UNBOUND
        detail = f"{why}: {detail}"
        current = current if current.doubt_since is not None else enter_doubt(current, rules.clock)
    refusal = in_state(current, state, rules, detail=detail)
    return msgspec.structs.replace(refusal, reasons=reasons)


def in_state(current: Submission, state: State, rules: Rules, *, detail: str) -> Submission:
    """Return ``current`` in another state, and why."""
    return msgspec.structs.replace(
        current, state=state, detail=detail, updated_at=rules.clock.now()
    )


def at_take_off(submission: Submission, rules: Rules) -> Submission:
    """Return the submission as it is recorded just before it is sent."""
    return msgspec.structs.replace(
        in_state(submission, State.SENDING, rules, detail=""),
        attempt=submission.attempt + 1,
        attempted_at=rules.clock.now(),
        attempted_uptime=rules.clock.uptime(),
        job="",
        reasons=(),
    )


def with_content_of(record: Submission, target: Submission) -> Submission:
    """Return the record of earlier, ineffective attempts with today's voucher and invoices.

    The reference stays, even where the profile would derive another today; but not one that was
    only looked for, as an earlier version would have called it, and never sent.
    """
    was_sent = record.attempted_at is not None or record.state is not State.PENDING
    return msgspec.structs.replace(
        record,
        reference=record.reference if was_sent else target.reference,
        voucher=target.voucher,
        invoices=target.invoices,
    )


def reversal_key(key: Key) -> Key:
    """Return the key of the reversal of ``key``."""
    return msgspec.structs.replace(key, purpose=Purpose.REVERSE)


def reversal_of(
    original: Submission,
    reversal: Submission | None,
    posting_date: dt.date,
    text: str,
    rules: Rules,
) -> Submission:
    """Return the submission that takes ``original`` back, or its earlier attempt renewed."""
    assert original.journal_entry is not None  # reverse() learned it before
    voucher = original.voucher.reversal(
        original.journal_entry, posting_date=posting_date, text=text
    )
    if reversal is not None:
        return msgspec.structs.replace(reversal, voucher=voucher)
    key = reversal_key(original.key)
    return Submission(
        key=key,
        reference=reference_for(key, rules.capabilities, apart=rules.apart),
        digest=original.digest,
        voucher=voucher,
        state=State.PENDING,
    )


def in_reversal(original: Submission, rules: Rules) -> Submission:
    """Return the original of a reversal that is being sent."""
    if original.state is State.REVERSING:
        return original
    reversing = in_state(original, State.REVERSING, rules, detail="its reversal is being sent")
    return msgspec.structs.replace(reversing, returns_to=original.state)


def with_original(history: History, landing: Submission, rules: Rules) -> tuple[Submission, ...]:
    """Return what to write with a submission: what its end makes of others of the claim.

    The end of a reversal decides about its original. A part that the ERP refuses is the refusal of
    its claim, where nothing of that may be in the ledger.
    """
    if landing.key.purpose is not Purpose.REVERSE:
        return landing, *_refusals_beside(history, landing, rules)
    original = history.get(msgspec.structs.replace(landing.key, purpose=Purpose.POST))
    if original is None:
        return (landing,)
    if landing.state in LIVE and (original.state in LIVE or original.state is State.REVERSING):
        settled = in_state(
            original, State.REVERSED, rules, detail=f"by {landing.journal_entry or ''}"
        )
    elif landing.state in {State.REJECTED, State.PENDING} and original.state is State.REVERSING:
        beside = _beside(history, original)
        if beside and (landing.state is State.PENDING or not _untouched(history, beside)):
            return (landing,)  # the whole claim is to be taken back; some of it may be already
        return (
            landing,
            _as_before(original, rules, "its reversal did not take place"),
            *(change for one in beside for change in _sparing_changes(history, one, rules)),
        )
    else:
        return (landing,)
    return landing, msgspec.structs.replace(settled, returns_to=None)


def _refusals_beside(history: History, landing: Submission, rules: Rules) -> list[Submission]:
    """Return what is not sent either because a part of the claim was refused."""
    if landing.state is not State.REJECTED or not landing.voucher.documents:
        return []
    others = [
        one
        for one in history.submissions
        if one.key.purpose is Purpose.POST
        and one.key != landing.key
        and one.key.revision == landing.key.revision
        and one.voucher.documents == landing.voucher.documents
    ]
    if any(one.state not in {State.PENDING, State.REJECTED, State.REVERSED} for one in others):
        return []
    why = f"not sent: the ERP refused part {landing.key.part}"
    waiting = [one for one in others if one.state is State.PENDING]
    return [in_state(one, State.REJECTED, rules, detail=why) for one in waiting]


def _beside(history: History, original: Submission) -> list[Submission]:
    """Return the other documents of a claim that are being taken back with one, or were."""
    return [
        one
        for one in history.submissions
        if one.key.purpose is Purpose.POST
        and one.key != original.key
        and one.key.revision == original.key.revision
        and one.voucher.documents == original.voucher.documents
        and one.state in (State.REVERSING, State.REVERSED)
    ]


def _untouched(history: History, beside: Sequence[Submission]) -> bool:
    """Whether none of these was taken back, nor may have been."""
    return all(
        one.state is State.REVERSING
        and (reversal := history.get(reversal_key(one.key))) is not None
        and reversal.state in {State.PENDING, State.REJECTED}
        for one in beside
    )


def _sparing_changes(history: History, one: Submission, rules: Rules) -> list[Submission]:
    """Return what to write of a document that is not to be taken back after all."""
    why = "not sent: the ERP refused to reverse another document of the claim"
    reversal = history.get(reversal_key(one.key))
    waits = reversal is not None and reversal.state is State.PENDING
    refusal = [in_state(reversal, State.REJECTED, rules, detail=why)] if reversal and waits else []
    return [_as_before(one, rules, why), *refusal]


def _as_before(original: Submission, rules: Rules, why: str) -> Submission:
    """Return a document as it was before it was to be taken back."""
    kept = in_state(original, original.returns_to or State.POSTED, rules, detail=why)
    return msgspec.structs.replace(kept, returns_to=None)


def error_for(landing: Submission, outcome: Outcome) -> DeliveryError:
    """Return the error that says how a submission ended, if not well."""
    about: dict[str, Any] = {
        "claim_id": landing.key.claim_id,
        "reference": landing.reference,
        "attempt": landing.attempt,
    }
    if landing.state is State.REJECTED:
        return refusal(landing)
    if landing.state in {State.PARKED, State.REVERSING, State.REVERSED}:
        return closed_error(landing)
    if landing.state is State.IN_DOUBT:
        missing = landing.detail or outcome.text
        return OutcomeUnknown(
            f"sent, but the answer is missing ({missing}); it may be posted: reconcile",
            code=outcome.code or None,
            retry_after=outcome.retry_after,
            **about,
        )
    if outcome.kind is OutcomeKind.UNAVAILABLE:
        return LedgerUnavailable(
            f"the ERP takes nothing in now: {outcome.text}",
            code=outcome.code or None,
            retry_after=outcome.retry_after,
            **about,
        )
    kind = DeliveryRefused if outcome.retry_is_useless else NotDelivered
    return kind(f"it did not reach the ERP: {outcome.text}", code=outcome.code or None, **about)


def refusal(landing: Submission) -> LedgerRejection:
    """Return the error that tells why the ERP refused it."""
    reasons = "; ".join(str(reason) for reason in landing.reasons) or landing.detail
    return LedgerRejection(
        f"the ERP refused it: {reasons}",
        reasons=landing.reasons,
        claim_id=landing.key.claim_id,
        reference=landing.reference,
        attempt=landing.attempt,
    )


def _totals_text(totals: dict[str, Any]) -> str:
    return ", ".join(f"{amount} {currency}" for currency, amount in sorted(totals.items()))
