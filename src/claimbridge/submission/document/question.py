"""Asking the ERP about what it accepted, and what it means when it no longer has it."""

from __future__ import annotations

from typing import Final

import msgspec

from claimbridge.errors import LedgerUnavailable, NotDelivered, OutcomeUnknown
from claimbridge.model import LIVE, Outcome, OutcomeKind, Reason, State, Submission
from claimbridge.submission.decisions.documents import settle_command
from claimbridge.submission.decisions.evidence import counts, outcome_of_each
from claimbridge.submission.decisions.port import Exchanger, Rules
from claimbridge.submission.document.news import absorb
from claimbridge.submission.steps.steps import Plan, Recall, Record

NO_LONGER_THERE: Final = "CB-427"
"""The code of an entry that the ERP accepted and does not know any more."""


def refresh(submission: Submission, ledger: Exchanger) -> Plan[Submission]:
    """Ask the ERP for the status of a submission that it accepted; return what is known now.

    Raises NotDelivered or LedgerUnavailable when the ERP cannot be asked: a question that fails
    puts nothing in doubt. Raises OutcomeUnknown CB-427 when the ERP no longer has it, which the
    journal then says too.
    """
    if not ledger.rules.capabilities.can_query:
        return submission
    outcome = yield from ask(submission, ledger)
    if holds_nothing(submission, outcome):
        if counts(outcome) and findable_in(submission, ledger.rules) == 0:
            yield from _note(submission, ledger.rules)
        raise missing_error(submission)
    return (yield from absorb(submission, outcome, ledger.rules))


def holds_nothing(submission: Submission, outcome: Outcome) -> bool:
    """Whether the ERP says that it has no document any more which it accepted.

    Of one that it posted, also where it remembers an earlier refusal; what it only took in, it may
    have refused since.
    """
    posted = submission.state in LIVE and submission.state is not State.ACKNOWLEDGED
    refused = outcome.kind is OutcomeKind.REJECTED and posted
    return submission.state in LIVE and (outcome.kind is OutcomeKind.ABSENT or refused)


def ask(submission: Submission, ledger: Exchanger) -> Plan[Outcome]:
    """Ask the ERP what it holds of a submission; raises NotDelivered or LedgerUnavailable."""
    outcome = outcome_of_each((submission,), (yield from ledger.exchange("query", (submission,))))[
        0
    ]
    if outcome.kind is OutcomeKind.UNAVAILABLE:
        raise LedgerUnavailable(
            f"the ERP cannot answer now: {outcome.text}",
            claim_id=submission.key.claim_id,
            reference=submission.reference,
            retry_after=outcome.retry_after,
        )
    if outcome.kind in {OutcomeKind.UNKNOWN, OutcomeKind.NOT_DELIVERED}:
        raise NotDelivered(
            f"the ERP could not be asked for {submission.reference}: {outcome.text}",
            code="CB-411",
            claim_id=submission.key.claim_id,
            reference=submission.reference,
        )
    return outcome


def findable_in(submission: Submission, rules: Rules) -> float:
    """Return the seconds until the ERP must find what it accepted; 0 when it must by now.

    By the count of this boot; after another one by the wall clock, which a boot outlasts.
    """
    passed = rules.clock.uptime().since(submission.attempted_uptime)
    if passed is None:
        if submission.attempted_at is None:
            return 0.0
        passed = (rules.clock.now() - submission.attempted_at).total_seconds()
    return max(0.0, rules.quiet_period - passed)


def ask_again(submission: Submission, ledger: Exchanger) -> Plan[Submission]:
    """Ask again about what the ERP said that it no longer has; return it if that has changed.

    Raises as ``refresh`` does, CB-427 also when the answer says nothing new.
    """
    now = yield from refresh(submission, ledger)
    if now.missing:
        raise missing_error(now)
    return now


def missing_error(submission: Submission) -> OutcomeUnknown:
    """Return the error for an entry that the ERP no longer has, with the way out."""
    return OutcomeUnknown(
        _words(submission),
        code=NO_LONGER_THERE,
        claim_id=submission.key.claim_id,
        reference=submission.reference,
        attempt=submission.attempt,
    )


def _words(submission: Submission) -> str:
    key = submission.key
    return (
        f"the ERP accepted {submission.reference} as "
        f"{submission.journal_entry or 'a document'} and now says that it has no such document; "
        "look for it in the ERP, and if it is gone: "
        f"{settle_command(key, '--gone')}"
    )


def _note(submission: Submission, rules: Rules) -> Plan[None]:
    """Keep with a submission that the ERP no longer has it, so that whoever looks is told."""
    history = yield from Recall(submission.key.book, submission.key.claim_id)
    current = history.get(submission.key)
    if current is None or current.state not in LIVE or current.missing:
        return
    reason = Reason("the ERP says that it has no such document any more", code=NO_LONGER_THERE)
    noted = msgspec.structs.replace(
        current, reasons=(reason,), detail=_words(current), updated_at=rules.clock.now()
    )
    # None: somebody else has moved it on meanwhile, and knows more.
    yield from Record(history, (noted,))
