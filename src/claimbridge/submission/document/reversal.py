"""Taking back one document that the ERP has posted."""

from __future__ import annotations

import datetime as dt

from claimbridge.errors import (
    ConfigurationError,
    ConflictingSubmission,
    DeliveryError,
    OutcomeUnknown,
)
from claimbridge.model import LIVE, History, Key, State, Submission
from claimbridge.submission.decisions.decisions import closed_error
from claimbridge.submission.decisions.documents import settle_command
from claimbridge.submission.decisions.evidence import reversal_key, reversal_of
from claimbridge.submission.decisions.port import Exchanger, Rules
from claimbridge.submission.document.doubt import Resend, resolve
from claimbridge.submission.document.first import ask_first
from claimbridge.submission.document.flight import Tries, fly
from claimbridge.submission.document.question import NO_LONGER_THERE, ask_again, refresh
from claimbridge.submission.steps.steps import Plan, Recall


def reverse_document(
    key: Key, posting_date: dt.date, text: str, ledger: Exchanger
) -> Plan[Submission]:
    """Take back the journal entry of ``key``; return the reversal's submission.

    Raises LedgerRejection when the ERP refuses (the entry stays), the other errors of
    DeliveryError, and ConfigurationError when the profile cannot reverse.
    """
    check_reversible(key, ledger.rules)
    reversal = yield from take_back(key, posting_date, text, ledger)
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
            f"{settle_command(key, '--reversed')}",
            code="CB-254",
            claim_id=key.claim_id,
        )


def take_back(
    key: Key, posting_date: dt.date, text: str, ledger: Exchanger
) -> Plan[Submission | None]:
    """Reverse ``key``; None when the ERP holds nothing of it that could be reversed."""
    tries = Tries(ledger.rules)
    is_there = ledger.rules.capabilities.checks_reversals
    while True:
        history = yield from Recall(key.book, key.claim_id)
        original, reversal = history.get(key), history.get(reversal_key(key))
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
            is_there = (yield from ask_again(original, ledger)).state in LIVE
            continue
        if original.journal_entry is None:
            yield from learn_number(original, ledger)
            continue
        if reversal is None or reversal.state is not State.IN_DOUBT:
            reversal = reversal_of(original, reversal, posting_date, text, ledger.rules)
        ready = yield from _ready(history, reversal, ledger, tries)
        if ready is None:
            continue
        end = yield from fly(history, (ready, original), ledger, verb="reverse")
        if end is None:
            continue
        landing, outcome = end
        if landing.state in LIVE:
            return landing
        if landing.state is State.REJECTED and (yield from _reversed_by_others(original, ledger)):
            continue
        yield from tries.after(landing, outcome)


def _ready(
    history: History, reversal: Submission, ledger: Exchanger, tries: Tries
) -> Plan[Submission | None]:
    """Return a reversal that may be sent now; None to look again."""
    if reversal.state is State.PARKED:
        raise closed_error(reversal)
    if reversal.state is State.IN_DOUBT:
        resolution = yield from resolve(history, reversal, ledger, resend=True)
        return resolution.submission if isinstance(resolution, Resend) else None
    answer = yield from ask_first(history, reversal, ledger)
    if answer is None:
        return reversal
    yield from tries.after_question(reversal, answer)
    return None


def _reversed_by_others(original: Submission, ledger: Exchanger) -> Plan[bool]:
    """Someone may have reversed it in the ERP already: then we have what we wanted."""
    try:
        now = yield from refresh(original, ledger)
    except DeliveryError as error:
        if error.code == NO_LONGER_THERE:
            raise
        return False  # the refusal is the news; a question that failed is not
    return now.state is State.REVERSED


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
