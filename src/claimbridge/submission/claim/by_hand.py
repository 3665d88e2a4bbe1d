"""What a person found in the ERP, recorded: the end of what no plan can decide."""

from __future__ import annotations

import datetime as dt
from typing import Final

import msgspec

from claimbridge.errors import ConflictingSubmission, OutcomeUnknown
from claimbridge.model import LIVE, History, Key, Outcome, OutcomeKind, State, Submission
from claimbridge.model.doubt import leave_doubt
from claimbridge.submission.decisions.decisions import quiet_left, quiet_left_at
from claimbridge.submission.decisions.documents import documents_of
from claimbridge.submission.decisions.evidence import (
    EVIDENCE,
    after,
    counts,
    in_state,
    reversal_key,
    with_original,
)
from claimbridge.submission.decisions.port import Exchanger, Rules
from claimbridge.submission.document.doubt import may_still_arrive, not_fresh
from claimbridge.submission.document.news import absorb
from claimbridge.submission.document.question import ask, findable_in, holds_nothing
from claimbridge.submission.steps.steps import Plan, Recall, Record


def settle_by_hand(
    key: Key, outcome: Outcome, rules: Rules, *, looked: dt.datetime | None = None
) -> Plan[Submission]:
    """Record what a person found in the ERP about a parked submission, or its parked reversal.

    NOT_DELIVERED or ABSENT says that the ERP holds nothing of it. Where the ERP cannot be asked, a
    person may also tell what became of an accepted submission: its number, its reversal. Raises
    ConflictingSubmission when there is nothing to settle, and OutcomeUnknown when the person
    ``looked`` too early (None: just now): what was sent may have arrived since.
    """
    while True:
        history = yield from Recall(key.book, key.claim_id)
        record = _to_settle(history, key)
        tells = outcome.kind in EVIDENCE and not rules.capabilities.can_query
        # Only people reverse there, and not every ERP tells that they did.
        tells |= outcome.kind is OutcomeKind.REVERSED and not rules.capabilities.can_reverse
        if record is not None and tells and _is_in_effect(history, record):
            return (yield from absorb(record, outcome, rules))
        if record is None or not _is_for_a_person(record):
            _refuse_unnamed(history, key)
            raise ConflictingSubmission(
                "only a parked submission, or one in a job of the ERP, is settled by hand"
                + (f"; this one is {record.state}" if record else "; there is none"),
                code="CB-454",
                claim_id=key.claim_id,
            )
        ending = _as_found(record, outcome, looked, rules)
        if (yield from Record(history, with_original(history, ending, rules))) is not None:
            return ending


def _refuse_unnamed(history: History, key: Key) -> None:
    """Raise ConflictingSubmission CB-469 where ``key`` does not say which of several documents."""
    those = documents_of(history, key.revision)
    parts = [one.key.part for one in those if one.key.part]
    if parts and key.part not in parts:
        parked = [str(one.key.part) for one in those if one.state is State.PARKED]
        raise ConflictingSubmission(
            f"it is {those[0].voucher.documents} documents; say which of them you found"
            + (f" (parked: part {', '.join(parked)})" if parked else ""),
            code="CB-469",
            claim_id=key.claim_id,
        )


def _is_for_a_person(record: Submission) -> bool:
    """Whether what a person found ends it: it is parked, or its job may never be told of again."""
    return record.state is State.PARKED or (record.state is State.IN_DOUBT and record.job != "")


def _to_settle(history: History, key: Key) -> Submission | None:
    """Return the submission of ``key``; while it is being reversed, its reversal.

    One whose reversal the ERP refused is settled itself: others may have reversed or deleted it.
    """
    record = history.get(key)
    if record is not None and record.state is State.REVERSING and not _is_refused(history, record):
        return history.get(reversal_key(key)) or record
    return record


def _is_in_effect(history: History, record: Submission) -> bool:
    """Whether the ERP accepted it, and no reversal of it took place or may have."""
    return record.state in LIVE or _is_refused(history, record)


def _is_refused(history: History, record: Submission) -> bool:
    """Whether it is to be reversed with the rest of its claim, and the ERP refuses that."""
    reversal = history.get(reversal_key(record.key))
    refused = reversal is not None and reversal.state is State.REJECTED
    return record.state is State.REVERSING and refused


def _as_found(
    parked: Submission, outcome: Outcome, looked: dt.datetime | None, rules: Rules
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
    left = 0.0
    if parked.doubt_since is not None:
        left = quiet_left_at(parked, rules, looked) if looked else quiet_left(parked, rules)
    if nothing_there and left > 0:
        raise may_still_arrive(parked, left)
    parked = leave_doubt(parked)
    if nothing_there and outcome.kind is not OutcomeKind.REJECTED:
        return in_state(parked, State.PENDING, rules, detail=outcome.text)
    ending = after(parked, outcome, rules, compare=False)
    return msgspec.structs.replace(ending, detail=outcome.text)


_NOTHING_THERE: Final = frozenset(
    {OutcomeKind.ABSENT, OutcomeKind.NOT_DELIVERED, OutcomeKind.REJECTED}
)


def settle_gone(key: Key, note: str, ledger: Exchanger) -> Plan[Submission]:
    """Record that an entry which the ERP accepted is gone from it, as a person found.

    It is then ``reversed``: nothing of it is in effect, and nothing sends it again by itself; a
    higher revision may be submitted. Where the ERP can be asked it must say so too, after the
    quiet period: raises ConflictingSubmission when it has the entry, or there is none that it
    accepted; OutcomeUnknown when it is too early, or its answer may be an old one; and as ``ask``.
    """
    while True:
        history = yield from Recall(key.book, key.claim_id)
        record = history.get(key)
        if record is None or not _is_in_effect(history, record):
            _refuse_unnamed(history, key)
            raise _not_accepted(key, record)
        if ledger.rules.capabilities.can_query:
            yield from _check_gone(record, ledger)
        gone = in_state(record, State.REVERSED, ledger.rules, detail=f"gone from the ERP: {note}")
        gone = msgspec.structs.replace(gone, reasons=(), returns_to=None)
        if (yield from Record(history, (gone,))) is not None:
            return gone


def _check_gone(record: Submission, ledger: Exchanger) -> Plan[None]:
    """Ask the ERP once more: a person may have looked in another system, or too early."""
    left = findable_in(record, ledger.rules)
    outcome = yield from ask(record, ledger)
    if outcome.kind is not OutcomeKind.ABSENT and not holds_nothing(record, outcome):
        now = yield from absorb(record, outcome, ledger.rules)
        raise ConflictingSubmission(
            f"the ERP says that {record.reference} is {outcome.kind}, so it is not gone; it is "
            f"{now.state} here",
            code="CB-454",
            claim_id=record.key.claim_id,
            reference=record.reference,
        )
    if not counts(outcome) and ledger.rules.can_bind:
        raise not_fresh(record, ledger.rules)
    if left > 0:
        raise OutcomeUnknown(
            f"the ERP accepted {record.reference} so shortly ago that it may not be found there "
            f"yet; try again in {left:.0f} s",
            code="CB-434",
            claim_id=record.key.claim_id,
            reference=record.reference,
            attempt=record.attempt,
            retry_after=left,
        )


def _not_accepted(key: Key, record: Submission | None) -> ConflictingSubmission:
    what = "there is none" if record is None else f"this one is {record.state}"
    way = ""
    if record is not None and record.state is State.PARKED:
        way = "; if the ERP holds nothing of it, say so with --not-posted"
    if record is not None and record.state is State.REVERSING:
        way = "; bring its reversal to an end first: `claimbridge reconcile`"
    return ConflictingSubmission(
        f"only what the ERP accepted can be gone from it; {what}{way}",
        code="CB-454",
        claim_id=key.claim_id,
    )
