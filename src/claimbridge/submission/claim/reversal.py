"""Taking back all documents of a claim that the ERP has posted."""

from __future__ import annotations

import datetime as dt

from claimbridge.errors import (
    ClaimBridgeError,
    ConflictingSubmission,
)
from claimbridge.model import (
    LIVE,
    Gap,
    History,
    Key,
    State,
    Submission,
)
from claimbridge.submission.decisions.decisions import closed_error
from claimbridge.submission.decisions.documents import (
    Documents,
    as_error_of_claim,
    documents_of,
    newest_revision,
    posts,
    was_taken,
)
from claimbridge.submission.decisions.intentions import reversal_changes
from claimbridge.submission.decisions.port import Exchanger
from claimbridge.submission.decisions.unseen import is_unasked
from claimbridge.submission.document.adoption import into_doubt
from claimbridge.submission.document.doubt import resolve
from claimbridge.submission.document.first import check_newest
from claimbridge.submission.document.flight import Tries
from claimbridge.submission.document.question import ask_again
from claimbridge.submission.document.reversal import (
    check_reversible,
    learn_number,
    reverse_document,
)
from claimbridge.submission.steps.steps import Plan, ReadContinuity, Recall, Record


def reverse_claim(
    claim: Key, posting_date: dt.date, text: str, ledger: Exchanger
) -> Plan[Documents]:
    """Take all documents of a claim's revision back; return their reversals.

    ``claim`` is the key of any of them. A later revision that waits for that is not sent any more.
    Raises what ``reverse_document`` raises.
    """
    history = yield from Recall(claim.book, claim.claim_id)
    if not claim.part and newest_revision(history) == claim.revision:
        return ((yield from reverse_document(claim, posting_date, text, ledger)),)
    check_reversible(claim, ledger.rules)
    yield from _intend_reversal(history, claim.revision, posting_date, text, ledger)
    return (yield from _reverse_each(claim, posting_date, text, ledger))


def _intend_reversal(
    seen: History, revision: int, posting_date: dt.date, text: str, ledger: Exchanger
) -> Plan[None]:
    """Record that all documents of a revision are to be taken back, once it is known what is there.

    Raises OutcomeUnknown while that is not known, and ConflictingSubmission CB-455 where there is
    nothing.
    """
    yield from check_newest(seen.claim_id)
    tries = Tries(ledger.rules)
    history = seen
    there: set[int] = set()
    while True:
        documents = documents_of(history, revision)
        if any(one.state is State.SENDING for one in history.submissions):
            yield from tries.wait_for_turn(documents[0].key)
        elif not (yield from _learn_more(history, documents, there, ledger)):
            if not any(was_taken(one) for one in documents):
                raise ConflictingSubmission(
                    f"revision {revision} has no journal entry that could be reversed",
                    code="CB-455",
                    claim_id=seen.claim_id,
                )
            gap = (yield from ReadContinuity()).gap
            intention = tuple(
                change
                for change in reversal_changes(history, documents, posting_date, text, ledger.rules)
                if not _is_left_open(history, change, revision, gap)
            )
            if not intention or (yield from Record(history, intention)) is not None:
                return
        history = yield from Recall(seen.book, seen.claim_id)


def _is_left_open(history: History, change: Submission, revision: int, gap: Gap | None) -> bool:
    """Whether it would close a later revision that another journal may have sent.

    That one is asked for when it is submitted.
    """
    record = history.get(change.key)
    return record is not None and change.key.revision > revision and is_unasked(record, gap)


def _learn_more(
    history: History, documents: Documents, there: set[int], ledger: Exchanger
) -> Plan[bool]:
    """Find out about one document of which too little is known; False where all is known.

    ``there`` are the parts of which the ERP has just said that it has them. What waits, and another
    journal may have sent, is found out about too: it would be closed for good.
    """
    gap = (yield from ReadContinuity()).gap
    for one in posts(history):
        same = one.key.revision == documents[0].key.revision
        if gap is not None and same and one.state is State.PENDING and is_unasked(one, gap):
            yield from into_doubt(history, one, gap, ledger.rules)
            return True
    for one in documents:
        if one.state is State.PARKED:
            raise closed_error(one)
        if one.state is State.IN_DOUBT:
            yield from resolve(history, one, ledger, resend=False)
            return True
        sure = ledger.rules.capabilities.checks_reversals or one.key.part in there
        if one.state in LIVE and (one.missing or not sure):
            yield from ask_again(one, ledger)
            there.add(one.key.part)
            return True
        if one.state in LIVE and one.journal_entry is None:
            yield from learn_number(one, ledger)
            return True
    return False


def _reverse_each(
    claim: Key, posting_date: dt.date, text: str, ledger: Exchanger
) -> Plan[Documents]:
    history = yield from Recall(claim.book, claim.claim_id)
    reversals: list[Submission] = []
    for one in documents_of(history, claim.revision):
        if not was_taken(one):
            continue
        try:
            reversals.append((yield from reverse_document(one.key, posting_date, text, ledger)))
        except ClaimBridgeError as error:
            raise as_error_of_claim(error, one, reversals) from error.__cause__
    return tuple(reversals)
