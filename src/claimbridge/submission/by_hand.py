"""What a person found in the ERP, recorded: the end of what no plan can decide."""

from __future__ import annotations

import datetime as dt
from typing import Final

import msgspec

from claimbridge.errors import ConflictingSubmission, OutcomeUnknown
from claimbridge.model import LIVE, History, Key, Outcome, OutcomeKind, State, Submission
from claimbridge.submission.decisions import quiet_left, quiet_left_at
from claimbridge.submission.documents import documents
from claimbridge.submission.doubt import may_still_arrive, not_fresh
from claimbridge.submission.evidence import (
    EVIDENCE,
    after,
    counts,
    moved,
    reverse_key,
    undoubted,
    with_original,
)
from claimbridge.submission.news import absorb
from claimbridge.submission.port import Exchanger, Rules
from claimbridge.submission.question import ask, findable_in, holds_nothing
from claimbridge.submission.steps import Plan, Recall, Record


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
        known = _to_settle(history, key)
        tells = outcome.kind in EVIDENCE and not rules.capabilities.can_query
        # Only people reverse there, and not every ERP tells that they did.
        tells |= outcome.kind is OutcomeKind.REVERSED and not rules.capabilities.can_reverse
        if known is not None and tells and _is_in_effect(history, known):
            return (yield from absorb(known, outcome, rules))
        if known is None or not _is_for_a_person(known):
            _refuse_unnamed(history, key)
            raise ConflictingSubmission(
                "only a parked submission, or one in a job of the ERP, is settled by hand"
                + (f"; this one is {known.state}" if known else "; there is none"),
                code="CB-454",
                claim_id=key.claim_id,
            )
        settled = _as_found(known, outcome, looked, rules)
        if (yield from Record(history, with_original(history, settled, rules))) is not None:
            return settled


def _refuse_unnamed(history: History, key: Key) -> None:
    """Raise ConflictingSubmission CB-469 where ``key`` does not say which of several documents."""
    found = documents(history, key.revision)
    parts = [one.key.part for one in found if one.key.part]
    if parts and key.part not in parts:
        parked = [str(one.key.part) for one in found if one.state is State.PARKED]
        raise ConflictingSubmission(
            f"it is {found[0].voucher.documents} documents; say which of them you found"
            + (f" (parked: part {', '.join(parked)})" if parked else ""),
            code="CB-469",
            claim_id=key.claim_id,
        )


def _is_for_a_person(known: Submission) -> bool:
    """Whether what a person found ends it: it is parked, or its job may never be told of again."""
    return known.state is State.PARKED or (known.state is State.IN_DOUBT and known.job != "")


def _to_settle(history: History, key: Key) -> Submission | None:
    """Return the submission of ``key``; while it is being reversed, its reversal.

    One whose reversal the ERP refused is settled itself: others may have reversed or deleted it.
    """
    known = history.get(key)
    if known is not None and known.state is State.REVERSING and not _is_refused(history, known):
        return history.get(reverse_key(key)) or known
    return known


def _is_in_effect(history: History, known: Submission) -> bool:
    """Whether the ERP accepted it, and no reversal of it took place or may have."""
    return known.state in LIVE or _is_refused(history, known)


def _is_refused(history: History, known: Submission) -> bool:
    """Whether it is to be reversed with the rest of its claim, and the ERP refuses that."""
    reversal = history.get(reverse_key(known.key))
    refused = reversal is not None and reversal.state is State.REJECTED
    return known.state is State.REVERSING and refused


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
    parked = undoubted(parked)
    if nothing_there and outcome.kind is not OutcomeKind.REJECTED:
        return moved(parked, State.PENDING, rules, detail=outcome.text)
    settled = after(parked, outcome, rules, compare=False)
    return msgspec.structs.replace(settled, detail=outcome.text)


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
        known = history.get(key)
        if known is None or not _is_in_effect(history, known):
            _refuse_unnamed(history, key)
            raise _not_accepted(key, known)
        if ledger.rules.capabilities.can_query:
            yield from _check_gone(known, ledger)
        gone = moved(known, State.REVERSED, ledger.rules, detail=f"gone from the ERP: {note}")
        gone = msgspec.structs.replace(gone, reasons=(), returns_to=None)
        if (yield from Record(history, (gone,))) is not None:
            return gone


def _check_gone(known: Submission, ledger: Exchanger) -> Plan[None]:
    """Ask the ERP once more: a person may have looked in another system, or too early."""
    left = findable_in(known, ledger.rules)
    outcome = yield from ask(known, ledger)
    if outcome.kind is not OutcomeKind.ABSENT and not holds_nothing(known, outcome):
        now = yield from absorb(known, outcome, ledger.rules)
        raise ConflictingSubmission(
            f"the ERP says that {known.reference} is {outcome.kind}, so it is not gone; it is "
            f"{now.state} here",
            code="CB-454",
            claim_id=known.key.claim_id,
            reference=known.reference,
        )
    if not counts(outcome) and ledger.rules.can_bind:
        raise not_fresh(known, ledger.rules)
    if left > 0:
        raise OutcomeUnknown(
            f"the ERP accepted {known.reference} so shortly ago that it may not be found there "
            f"yet; try again in {left:.0f} s",
            code="CB-434",
            claim_id=known.key.claim_id,
            reference=known.reference,
            attempt=known.attempt,
            retry_after=left,
        )


def _not_accepted(key: Key, known: Submission | None) -> ConflictingSubmission:
    what = "there is none" if known is None else f"this one is {known.state}"
    way = ""
    if known is not None and known.state is State.PARKED:
        way = "; if the ERP holds nothing of it, say so with --not-posted"
    if known is not None and known.state is State.REVERSING:
        way = "; bring its reversal to an end first: `claimbridge reconcile`"
    return ConflictingSubmission(
        f"only what the ERP accepted can be gone from it; {what}{way}",
        code="CB-454",
        claim_id=key.claim_id,
    )
