"""What is done before a first sending where the answer, or its want, speaks against it."""

from __future__ import annotations

from typing import Final

import msgspec

from claimbridge.errors import OutcomeUnknown
from claimbridge.model import (
    Gap,
    History,
    Outcome,
    OutcomeKind,
    Purpose,
    State,
    Submission,
)
from claimbridge.model.doubt import enter_doubt
from claimbridge.submission.decisions.evidence import after, in_reversal, in_state, with_original
from claimbridge.submission.decisions.port import Rules
from claimbridge.submission.decisions.references import reference_for
from claimbridge.submission.decisions.unseen import parts_asked_for, unknown_keys
from claimbridge.submission.steps.steps import Plan, Record

_K = OutcomeKind
GONE: Final = frozenset({_K.ABSENT, _K.REJECTED, _K.REVERSED})
"""Answers for an earlier revision that mean that nothing of it counts in the ledger."""


def no_answer(question: Submission, answer: Outcome) -> Outcome:
    """Return what an answer means that says nothing of ``question``: nothing was sent."""
    text = (
        f"asked first whether it holds {question.reference}, the ERP gave no answer "
        f"({answer.text or answer.kind}); nothing was sent"
    )
    kind = answer.kind if answer.kind is _K.UNAVAILABLE else _K.NOT_DELIVERED
    # Where the answer's signature is the reason, or what only a person can change, its code says.
    keeps = answer.code.startswith("CB-3") or answer.retry_is_useless or kind is _K.UNAVAILABLE
    return msgspec.structs.replace(
        answer, kind=kind, text=text, code=answer.code if keeps else "CB-436"
    )


def refuse_earlier(earlier: Submission, answer: Outcome, flight: Submission) -> None:
    """Raise OutcomeUnknown CB-432 where an earlier revision counts which nobody knows."""
    if answer.kind in GONE:
        return
    raise OutcomeUnknown(
        f"the ERP holds revision {earlier.key.revision} of it as "
        f"{answer.journal_entry or earlier.reference}, and this journal does not know it: submit "
        "that revision as it was, which adopts it, or reverse it in the ERP; then submit this one "
        "again. Nothing was sent",
        code="CB-432",
        claim_id=flight.key.claim_id,
        reference=earlier.reference,
    )


def wait_for_arrivals(flight: Submission, gap: Gap, rules: Rules) -> None:
    """Raise OutcomeUnknown CB-423 while what was sent in a gap may still arrive."""
    now = rules.clock.uptime()
    # After a reboot: at least as long as this boot has been running.
    passed = now.since(gap.noted)
    passed = now.seconds if passed is None else passed
    if passed < rules.quiet_period:
        left = rules.quiet_period - passed
        raise OutcomeUnknown(
            f"the ERP does not have {flight.reference} yet, but what another journal sent may "
            f"still arrive for {left:.0f} s; try again after that. Nothing was sent",
            code="CB-423",
            claim_id=flight.key.claim_id,
            reference=flight.reference,
            retry_after=left,
        )


def decide_unasked(
    history: History, flight: Submission, gap: Gap, rules: Rules
) -> Plan[Outcome | None]:
    """Decide about a document of a gap where the ERP cannot be asked."""
    earlier = [
        reference_for(key, rules.capabilities, apart=rules.apart)
        for key in unknown_keys(history, flight, gap, rules)
    ]
    if rules.capabilities.unique_reference and not earlier:
        # A second one is refused; but what is not taken in, or refused for itself, says nothing.
        yield from into_doubt(history, flight, gap, rules)
        return Outcome(kind=_K.UNKNOWN, reference=flight.reference, text="sent in doubt")
    why = (
        f"another journal, in use until {gap.until:%Y-%m-%d %H:%M:%S%z}, may have sent it, and "
        f"this ERP cannot be asked by reference; look for {flight.reference} in the ERP"
    )
    if earlier:
        parts = " and further parts" if len(parts_asked_for(rules)) > 1 else ""
        why += (
            f", and for earlier revisions that this journal does not know ({', '.join(earlier)}"
            f"{parts}), which are to be reversed there if they are in effect"
        )
    why += "; then settle it by hand"
    return (yield from park(history, flight, why, rules))


def into_doubt(history: History, flight: Submission, gap: Gap, rules: Rules) -> Plan[None]:
    """Put what another journal may have sent in doubt; the journal must be read anew."""
    if history.get(flight.key) is None:
        start = yield from Record(history, (in_state(flight, State.PENDING, rules, detail=""),))
        if start is None:
            return
        history = start
    why = f"another journal was in use until {gap.until:%Y-%m-%d %H:%M:%S%z} and may have sent it"
    doubtful = enter_doubt(in_state(flight, State.IN_DOUBT, rules, detail=why), rules.clock)
    doubtful = msgspec.structs.replace(doubtful, attempt=1)
    original = history.get(msgspec.structs.replace(flight.key, purpose=Purpose.POST))
    reverses = flight.key.purpose is Purpose.REVERSE and original is not None
    others = (in_reversal(original, rules),) if reverses and original is not None else ()
    yield from Record(history, (doubtful, *others))


def park(history: History, flight: Submission, why: str, rules: Rules) -> Plan[Outcome]:
    """Leave it to a person; nothing is sent."""
    parked = _for_a_person(flight, why, rules)
    yield from Record(history, _landing_changes(history, parked, rules))
    return Outcome(kind=_K.UNKNOWN, reference=flight.reference, text=why)


def _for_a_person(flight: Submission, why: str, rules: Rules) -> Submission:
    """Return it as a person shall look at it: what that person says is not asked again.

    So it counts as sent, by whoever sent it: what they sent last may still arrive within the quiet
    period, and a person who finds nothing before its end has looked too early.
    """
    parked = in_state(flight, State.PARKED, rules, detail=why)
    return msgspec.structs.replace(enter_doubt(parked, rules.clock), attempt=1)


def adopt(history: History, flight: Submission, answer: Outcome, rules: Rules) -> Plan[Outcome]:
    """Take what the ERP holds for ours if the amounts agree; else a person looks."""
    entry = answer.journal_entry or "a document"
    if answer.totals:
        landing = after(flight, answer, rules)
    else:
        why = (
            f"the ERP already had {entry} under our reference before we sent it, and does not tell "
            "its amounts"
        )
        landing = _for_a_person(flight, why, rules)
    if landing.state is State.PARKED:
        landing = _for_a_person(landing, landing.detail, rules)
    if landing.state is not State.PARKED and history.get(flight.key) is None:
        why = f"asked before it was sent for the first time: the ERP holds {entry}"
        waiting = in_state(flight, State.PENDING, rules, detail=why)
        start = yield from Record(history, (waiting,))
        if start is None:
            return answer
        history = start
    yield from Record(history, _landing_changes(history, landing, rules))
    return answer


def _landing_changes(history: History, landing: Submission, rules: Rules) -> tuple[Submission, ...]:
    """Return what to write; the original of a reversal that a person must look at is held."""
    if landing.state is State.PARKED and landing.key.purpose is Purpose.REVERSE:
        original = history.get(msgspec.structs.replace(landing.key, purpose=Purpose.POST))
        if original is not None:
            return landing, in_reversal(original, rules)
    return with_original(history, landing, rules)
