"""Finding out what became of a submission whose answer is missing."""

from __future__ import annotations

import msgspec

from claimbridge.errors import OutcomeUnknown
from claimbridge.model import History, Outcome, OutcomeKind, Purpose, State, Submission
from claimbridge.model.doubt import leave_doubt
from claimbridge.submission.decisions.decisions import quiet_left
from claimbridge.submission.decisions.evidence import (
    EVIDENCE,
    UNBOUND,
    after,
    counts,
    differ,
    error_for,
    in_state,
    outcome_of_each,
    with_original,
)
from claimbridge.submission.decisions.port import Exchanger, Rules
from claimbridge.submission.document.flight import fly
from claimbridge.submission.steps.steps import Plan, Record


class Resend(msgspec.Struct, frozen=True):
    """The answer of ``resolve`` that this may be sent again now, as it is."""

    submission: Submission


def resolve(
    history: History, doubtful: Submission, ledger: Exchanger, *, resend: bool
) -> Plan[Resend | Submission | None]:
    """Find out what became of a submission in doubt, by the profile's recipe.

    Returns Resend when the same reference may be sent again now (only with ``resend``), else the
    submission as it was settled; None when another writer was faster. Either way the journal must
    be read anew. Raises OutcomeUnknown when the doubt remains, with ``retry_after`` where time
    will help.
    """
    if not ledger.rules.capabilities.can_query:
        return (yield from _resolve_unasked(history, doubtful, ledger, resend=resend))
    # Taken before asking: the answer may be as old as the question.
    left = quiet_left(doubtful, ledger.rules)
    outcomes = yield from ledger.exchange("query", (doubtful,))
    outcome = outcome_of_each((doubtful,), outcomes)[0]
    if outcome.kind is OutcomeKind.UNDER_WAY:
        # In flight still: the quiet period begins when its job was last seen.
        yield from _write(history, after(doubtful, outcome, ledger.rules), ledger.rules)
        raise _under_way(doubtful, outcome, ledger.rules)
    proven = counts(outcome)
    if outcome.kind is OutcomeKind.REJECTED and not doubtful.reasons:
        # The ERP remembers that it refused one. Where only one was sent, that was it.
        left = left if doubtful.attempt > 1 or not proven else 0.0
        refused = after(doubtful, outcome, ledger.rules)
        doubtful = msgspec.structs.replace(refused, state=doubtful.state)
    if outcome.kind in {OutcomeKind.ABSENT, OutcomeKind.REJECTED}:
        plan = _decide_absent(
            history, doubtful, ledger.rules, left=left, resend=resend, proven=proven
        )
        return (yield from plan)
    if outcome.kind in EVIDENCE:
        return (yield from _write(history, after(doubtful, outcome, ledger.rules), ledger.rules))
    if differ([one for one in outcomes if one.reference == doubtful.reference]):
        return (yield from _park(history, doubtful, ledger.rules, outcome.text))
    raise OutcomeUnknown(
        f"the answer was lost, and asking for {doubtful.reference} brought none: "
        f"{outcome.text or outcome.kind}; try again or reconcile later",
        # Where the answer's signature is the reason, that is what must be fixed.
        code=outcome.code if outcome.code.startswith("CB-3") else "CB-422",
        claim_id=doubtful.key.claim_id,
        reference=doubtful.reference,
        attempt=doubtful.attempt,
        retry_after=outcome.retry_after or ledger.rules.backoff,
    )


def _resolve_unasked(
    history: History, doubtful: Submission, ledger: Exchanger, *, resend: bool
) -> Plan[Resend | Submission | None]:
    """Resolve a doubt where the ERP cannot be asked: by sending again, or by a person."""
    if not ledger.rules.capabilities.unique_reference:
        why = (
            "the answer was lost and this ERP cannot be asked by reference; look for "
            f"{doubtful.reference} in the ERP, then settle it by hand"
        )
        return (yield from _park(history, doubtful, ledger.rules, why))
    if resend:
        return Resend(doubtful)
    verb = "reverse" if doubtful.key.purpose is Purpose.REVERSE else "submit"
    sent = yield from fly(history, (doubtful,), ledger, verb=verb)
    if sent is not None and sent[0].state is State.IN_DOUBT:
        raise error_for(*sent)
    return sent[0] if sent is not None else None


def _decide_absent(
    history: History,
    doubtful: Submission,
    rules: Rules,
    *,
    left: float,
    resend: bool,
    proven: bool,
) -> Plan[Resend | Submission | None]:
    """The ERP has no such document: believe it now, only after the quiet period, or not at all.

    ``left`` is what was left of it, in seconds, when the ERP was asked; ``proven`` whether the
    answer is one to that question, for certain.
    """
    settled = leave_doubt(doubtful)  # for when nothing can arrive
    refused = bool(doubtful.reasons)  # a later sending was: not to be repeated unasked
    harmless = resend and rules.capabilities.unique_reference and not refused
    if harmless and (left > 0 or not proven):
        return Resend(doubtful)
    if left > 0:
        raise may_still_arrive(doubtful, left)
    if not proven and rules.can_bind:
        raise not_fresh(doubtful, rules)
    if not proven:
        why = (
            f"the answer was lost, and {UNBOUND}; look for {doubtful.reference} in the ERP, then "
            "settle it by hand"
        )
        return (yield from _park(history, doubtful, rules, why))
    if resend and not refused:
        return Resend(settled)
    state = State.REJECTED if refused else State.PENDING
    detail = doubtful.detail if refused else "asked; the ERP has no such document"
    return (yield from _write(history, in_state(settled, state, rules, detail=detail), rules))


def _under_way(doubtful: Submission, outcome: Outcome, rules: Rules) -> OutcomeUnknown:
    job = outcome.job or doubtful.job
    return OutcomeUnknown(
        f"the ERP has {doubtful.reference} in a job that has not ended ({job or 'without a name'}"
        f"{': ' if outcome.text else ''}{outcome.text}); nothing of the claim is sent until it has",
        code="CB-437",
        claim_id=doubtful.key.claim_id,
        reference=doubtful.reference,
        attempt=doubtful.attempt,
        retry_after=outcome.retry_after or rules.backoff,
    )


def not_fresh(asked: Submission, rules: Rules) -> OutcomeUnknown:
    """Return the error for a signed answer from before its question: nothing is known by it."""
    return OutcomeUnknown(
        f"the ERP's signed answer that it does not have {asked.reference} was made before the "
        "question: somebody repeats an old one, or the ERP's clock is behind by more than a "
        "minute; set the clock, then try again",
        code="CB-433",
        claim_id=asked.key.claim_id,
        reference=asked.reference,
        attempt=asked.attempt,
        retry_after=rules.backoff,
    )


def may_still_arrive(doubtful: Submission, left: float) -> OutcomeUnknown:
    """Return the error that says to wait for the rest of the quiet period, ``left`` seconds."""
    refused = "; ".join(str(reason) for reason in doubtful.reasons)
    lost = f"the answer for {doubtful.reference} was lost; the ERP does not have it yet"
    if refused and doubtful.attempt > 1:
        lost += f" and refused it when it was sent again ({refused})"
    elif refused:
        lost = f"the ERP refused {doubtful.reference} ({refused}) and does not have it yet"
    return OutcomeUnknown(
        f"{lost}, but it may still arrive for {left:.0f} s; try again after that",
        code="CB-423",
        claim_id=doubtful.key.claim_id,
        reference=doubtful.reference,
        attempt=doubtful.attempt,
        retry_after=left,
    )


def _park(
    history: History, doubtful: Submission, rules: Rules, why: str
) -> Plan[Submission | None]:
    return (yield from _write(history, in_state(doubtful, State.PARKED, rules, detail=why), rules))


def _write(history: History, settled: Submission, rules: Rules) -> Plan[Submission | None]:
    written = yield from Record(history, with_original(history, settled, rules))
    return None if written is None else settled
