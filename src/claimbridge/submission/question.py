"""Asking the ERP about what it accepted, and what it means when it no longer has it."""

from __future__ import annotations

from typing import Final

import msgspec

from claimbridge.errors import LedgerUnavailable, NotDelivered, OutcomeUnknown
from claimbridge.model import LIVE, Outcome, OutcomeKind, Reason, State, Submission
from claimbridge.submission.documents import settling
from claimbridge.submission.evidence import assigned, counts
from claimbridge.submission.news import absorb
from claimbridge.submission.port import Exchanger, Rules
from claimbridge.submission.steps import Plan, Recall, Record

NO_LONGER_THERE: Final = "CB-427"
"""The code of an entry that the ERP accepted and does not know any more."""


def refresh(known: Submission, ledger: Exchanger) -> Plan[Submission]:
    """Ask the ERP for the status of a submission that it accepted; return what is known now.

    Raises NotDelivered or LedgerUnavailable when the ERP cannot be asked: a question that fails
    puts nothing in doubt. Raises OutcomeUnknown CB-427 when the ERP no longer has it, which the
    journal then says too.
    """
    if not ledger.rules.capabilities.can_query:
        return known
    outcome = yield from ask(known, ledger)
    if holds_nothing(known, outcome):
        if counts(outcome) and findable_in(known, ledger.rules) == 0:
            yield from _note(known, ledger.rules)
        raise missing_error(known)
    return (yield from absorb(known, outcome, ledger.rules))


def holds_nothing(known: Submission, outcome: Outcome) -> bool:
    """Whether the ERP says that it has no document any more which it accepted.

    Of one that it posted, also where it remembers an earlier refusal; what it only took in, it may
    have refused since.
    """
    posted = known.state in LIVE and known.state is not State.ACKNOWLEDGED
    refused = outcome.kind is OutcomeKind.REJECTED and posted
    return known.state in LIVE and (outcome.kind is OutcomeKind.ABSENT or refused)


def ask(known: Submission, ledger: Exchanger) -> Plan[Outcome]:
    """Ask the ERP what it holds of a submission; raises NotDelivered or LedgerUnavailable."""
    outcome = assigned((known,), (yield from ledger.exchange("query", (known,))))[0]
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
    return outcome


def findable_in(known: Submission, rules: Rules) -> float:
    """Return the seconds until the ERP must find what it accepted; 0 when it must by now.

    By the count of this boot; after another one by the wall clock, which a boot outlasts.
    """
    passed = rules.clock.uptime().since(known.attempted_uptime)
    if passed is None:
        if known.attempted_at is None:
            return 0.0
        passed = (rules.clock.now() - known.attempted_at).total_seconds()
    return max(0.0, rules.quiet_period - passed)


def found_again(known: Submission, ledger: Exchanger) -> Plan[Submission]:
    """Ask again about what the ERP said that it no longer has; return it if that has changed.

    Raises as ``refresh`` does, CB-427 also when the answer says nothing new.
    """
    now = yield from refresh(known, ledger)
    if now.missing:
        raise missing_error(now)
    return now


def missing_error(known: Submission) -> OutcomeUnknown:
    """Return the error for an entry that the ERP no longer has, with the way out."""
    return OutcomeUnknown(
        _words(known),
        code=NO_LONGER_THERE,
        claim_id=known.key.claim_id,
        reference=known.reference,
        attempt=known.attempt,
    )


def _words(known: Submission) -> str:
    key = known.key
    return (
        f"the ERP accepted {known.reference} as {known.journal_entry or 'a document'} and now says "
        "that it has no such document; look for it in the ERP, and if it is gone: "
        f"{settling(key, '--gone')}"
    )


def _note(known: Submission, rules: Rules) -> Plan[None]:
    """Keep with a submission that the ERP no longer has it, so that whoever looks is told."""
    history = yield from Recall(known.key.book, known.key.claim_id)
    current = history.get(known.key)
    if current is None or current.state not in LIVE or current.missing:
        return
    reason = Reason("the ERP says that it has no such document any more", code=NO_LONGER_THERE)
    noted = msgspec.structs.replace(
        current, reasons=(reason,), detail=_words(current), updated_at=rules.clock.now()
    )
    # None: somebody else has moved it on meanwhile, and knows more.
    yield from Record(history, (noted,))
