"""Bringing to its end what a process has left unfinished, from the journal alone."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Final

import msgspec

from claimbridge.errors import (
    OutcomeUnknown,
)
from claimbridge.journal.base import Journal
from claimbridge.model import (
    History,
    Key,
    Purpose,
    State,
    Submission,
)
from claimbridge.submission.claim.division import submit_each
from claimbridge.submission.claim.reversal import reverse_claim
from claimbridge.submission.decisions.decisions import closed_error
from claimbridge.submission.decisions.documents import (
    Documents,
    as_error_of_claim,
    documents_of,
    is_whole,
    posts,
    stands,
    was_taken,
)
from claimbridge.submission.decisions.evidence import refusal, reversal_key
from claimbridge.submission.decisions.intentions import as_never_sent
from claimbridge.submission.decisions.port import Draft, Exchanger, Rules
from claimbridge.submission.document.delivery import submit_draft
from claimbridge.submission.document.doubt import resolve
from claimbridge.submission.document.reversal import reverse_document
from claimbridge.submission.steps.steps import Access, Plan, ReadContinuity, Recall, Record

UNFINISHED: Final = (State.PENDING, State.SENDING, State.IN_DOUBT, State.REVERSING)
"""States that a submission does not stay in."""


def unfinished(journal: Journal, book: str) -> Iterator[Submission]:
    """Yield what of a book is to be brought to an end, each divided claim once.

    A part that was refused is among it: others of its claim may be in the ledger.
    """
    divided: set[str] = set()
    refused_parts = journal.select(book, (State.REJECTED,), parts=True)
    for one in chain(journal.select(book, UNFINISHED), refused_parts):
        if one.key.part:
            if one.key.claim_id in divided:
                continue
            divided.add(one.key.claim_id)
        yield one


class SelectUnfinished(Access[Iterator[Submission]], frozen=True):
    """Begin to read what of a book is to be brought to an end: see ``unfinished``."""

    book: str

    def perform(self, journal: Journal) -> Iterator[Submission]:
        """Do it."""
        return unfinished(journal, self.book)


class TakeNext(Access[Submission | None], frozen=True):
    """Read the next of several submissions; None when there is none any more."""

    rest: Iterator[Submission]

    def perform(self, journal: Journal) -> Submission | None:
        """Do it."""
        return next(self.rest, None)


def reconcile_document(unfinished: Submission, ledger: Exchanger) -> Plan[Submission]:
    """Bring an unfinished submission to an end: ask, adopt, or send what was never sent.

    Raises the errors of DeliveryError where the end is not a journal entry.
    """
    key = unfinished.key
    history = yield from Recall(key.book, key.claim_id)
    if key.purpose is Purpose.REVERSE or unfinished.state is State.REVERSING:
        reversal = history.get(reversal_key(key)) or unfinished
        voucher = reversal.voucher
        original = msgspec.structs.replace(key, purpose=Purpose.POST)
        return (yield from reverse_document(original, voucher.posting_date, voucher.text, ledger))
    superseded = any(s.key.revision > key.revision for s in history.submissions)
    if not superseded:
        return (yield from submit_draft(Draft(unfinished), ledger))
    current = history.get(key) or unfinished
    if current.state is State.IN_DOUBT:
        yield from resolve(history, current, ledger, resend=False)
        history = yield from Recall(key.book, key.claim_id)
        current = history.get(key) or current
    return current


def reconcile_claim(unfinished: Submission, ledger: Exchanger) -> Plan[Documents]:
    """Bring what is intended with a claim to its end; return its documents, () for nothing left.

    Raises the errors of DeliveryError where the end is another, or is not reached.
    """
    key = unfinished.key
    history = yield from Recall(key.book, key.claim_id)
    if not any(one.key.part for one in history.submissions):
        return ((yield from reconcile_document(unfinished, ledger)),)
    open_ = [one for one in posts(history) if stands(one) or one.state is State.PENDING]
    revision = max((one.key.revision for one in open_), default=0)
    documents = documents_of(history, revision)
    if any(one.state is State.REVERSING for one in documents):
        return (yield from _finish_reversal(history, documents, ledger))
    if any(one.state in _ON_THE_WAY for one in documents):
        return (yield from _finish_posting(documents, ledger))
    yield from _end_doubts(history, revision, ledger)
    _refuse_half(documents)
    return ()


def _end_doubts(history: History, revision: int, ledger: Exchanger) -> Plan[None]:
    """Find out about what was left in doubt behind a revision that stands.

    Reversals of documents that others have reversed; and earlier documents, after a gap.
    """
    for one in history.submissions:
        if one.key.purpose is Purpose.POST and one.key.revision < revision:
            yield from _find_out(history, one.key, ledger)
        original = history.get(msgspec.structs.replace(one.key, purpose=Purpose.POST))
        over = original is not None and original.state is State.REVERSED
        if one.key.purpose is Purpose.REVERSE and one.state is State.IN_DOUBT and over:
            yield from reconcile_document(one, ledger)


def _finish_reversal(history: History, documents: Documents, ledger: Exchanger) -> Plan[Documents]:
    first = next(one for one in documents if one.state is State.REVERSING)
    record = history.get(reversal_key(first.key))
    voucher = record.voucher if record is not None else first.voucher
    yield from reverse_claim(first.key, voucher.posting_date, voucher.text, ledger)
    return (yield from _documents_now(first.key))


def _finish_posting(documents: Documents, ledger: Exchanger) -> Plan[Documents]:
    """Send what waits, from the journal alone; not beside a part that the ERP refused."""
    if is_whole(documents) and not any(one.state in _NOT_TO_SEND_BESIDE for one in documents):
        yield from submit_each([Draft(one) for one in documents], ledger)
        return (yield from _documents_now(documents[0].key))
    for one in documents:
        if one.state in (State.IN_DOUBT, State.SENDING):
            history = yield from Recall(one.key.book, one.key.claim_id)
            yield from _find_out(history, one.key, ledger)
    yield from _close_dead(documents[0].key, ledger.rules)
    documents = yield from _documents_now(documents[0].key)
    _refuse_half(documents)
    return documents


def _find_out(history: History, key: Key, ledger: Exchanger) -> Plan[None]:
    record = history.get(key)
    if record is not None and record.state is State.IN_DOUBT:
        yield from resolve(history, record, ledger, resend=False)


def _close_dead(key: Key, rules: Rules) -> Plan[None]:
    """Close what waits beside documents that were taken back, where nothing of the claim is left.

    Nothing would send it, and it would keep its invoices. Not where another journal may have
    sent it.
    """
    while (yield from ReadContinuity()).gap is None:
        history = yield from Recall(key.book, key.claim_id)
        documents = documents_of(history, key.revision)
        waiting = [one for one in documents if one.state is State.PENDING]
        taken_back = any(was_taken(one) and not stands(one) for one in documents)
        if not waiting or not taken_back or any(stands(one) for one in documents):
            return
        why = "not sent: what was posted of the claim was reversed"
        if (yield from Record(history, tuple(as_never_sent(waiting, rules, why)))) is not None:
            return


def _documents_now(key: Key) -> Plan[Documents]:
    history = yield from Recall(key.book, key.claim_id)
    return documents_of(history, key.revision)


def _refuse_half(documents: Documents) -> None:
    """Raise what is wrong with a claim of which some is in the ledger and some is not."""
    there = [one for one in documents if stands(one)]
    if not there:
        return
    for one in documents:
        if one.state is State.REJECTED:
            raise as_error_of_claim(refusal(one), one, there)
        if one.state is State.PARKED:
            raise as_error_of_claim(closed_error(one), one, there)
    if not is_whole(documents) or len(there) < len(documents):
        parts = max(1, documents[0].voucher.documents)
        raise OutcomeUnknown(
            f"{len(there)} of its {parts} documents are in the ledger, and the journal cannot tell "
            "how to go on: submit the claim again, or reverse it",
            code="CB-438",
            claim_id=documents[0].key.claim_id,
            reference=there[0].reference,
            attempt=there[0].attempt,
        )


_ON_THE_WAY: Final = frozenset({State.PENDING, State.SENDING, State.IN_DOUBT})


_NOT_TO_SEND_BESIDE: Final = frozenset({State.REJECTED, State.PARKED, State.REVERSED})
