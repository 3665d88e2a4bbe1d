"""Keeping a claim out of the ledger that was taken back where it came from."""

from __future__ import annotations

import datetime as dt
from typing import Final

from claimbridge.errors import OutcomeUnknown
from claimbridge.journal import newest as newest_journal
from claimbridge.model import LIVE, Continuity, Gap, History, Purpose, State, Submission, Withdrawal
from claimbridge.submission.decisions.documents import (
    documents_of,
    is_whole,
    newest_revision,
    posts,
    stands,
)
from claimbridge.submission.decisions.intentions import as_never_sent
from claimbridge.submission.decisions.port import Rules
from claimbridge.submission.decisions.unseen import is_unasked
from claimbridge.submission.steps.steps import Plan, ReadContinuity, Recall, Record


def withdraw_claim(
    book: str,
    claim_id: str,
    reason: str,
    rules: Rules,
    *,
    revision: int = 1,
    approved_at: dt.datetime | None = None,
) -> Plan[tuple[Submission, ...]]:
    """See to it that nothing of a claim that waits is ever sent, up to ``revision`` at least.

    Kept also where nothing of it was ever begun, so that a sender who comes later is refused. Of a
    revision that is, or may be, in the ledger, nothing is changed: its documents are returned, ()
    where there is none. A higher revision may be submitted later. ``approved_at`` is when the claim
    was approved, None for not known.

    Raises JournalError CB-235 or CB-236 where the journal is not the newest: then it cannot say
    that there is none. OutcomeUnknown CB-470, once it is kept, where another journal may have sent
    the claim.
    """
    while True:
        history = yield from Recall(book, claim_id)
        documents = _standing(history)
        waiting = _waiting(history)
        last = _last(waiting) if documents else max(revision, newest_revision(history))
        changed = tuple(as_never_sent(waiting, rules, reason))
        gap = None if documents else _unseen(history, (yield from ReadContinuity()), approved_at)
        before = history.withdrawn.revision if history.withdrawn is not None else 0
        if not changed and (documents or before >= last):
            return documents
        withdrawn = Withdrawal(max(last, before), reason)
        # None: somebody else has just moved it on; look again.
        if (yield from Record(history, changed, withdrawn)) is not None:
            if gap is not None:
                raise _may_be_there(claim_id, gap)
            return documents


def _unseen(
    history: History, continuity: Continuity, approved_at: dt.datetime | None
) -> Gap | None:
    """Return the gap in which another journal may have sent a claim that this one does not know."""
    refusal = newest_journal.refusal(continuity)
    if refusal is not None:
        refusal.claim_id = history.claim_id
        raise refusal
    gap = continuity.gap
    if gap is None or not (
        all(is_unasked(one, gap) for one in history.submissions)
        or any(is_unasked(one, gap) for one in _waiting(history))
    ):
        return None
    return None if approved_at is not None and approved_at > gap.until else gap


def _may_be_there(claim_id: str, gap: Gap) -> OutcomeUnknown:
    return OutcomeUnknown(
        "from now on it is kept out, but another journal, in use until "
        f"{gap.until:%Y-%m-%d %H:%M:%S%z}, may have sent it: look for it in the ERP, and reverse "
        "it there",
        code="CB-470",
        claim_id=claim_id,
    )


def _standing(history: History) -> tuple[Submission, ...]:
    """Return what is in the ledger or on its way: all documents of a divided claim."""
    documents = [
        one
        for states in (_IN_THE_LEDGER, _ON_ITS_WAY)
        for one in history.submissions
        if one.state in states
        if one.key.purpose is Purpose.POST or states is _ON_ITS_WAY
    ]
    if not documents:
        return ()
    first = documents[0]
    return documents_of(history, first.key.revision) if first.key.part else (first,)


def _waiting(history: History) -> list[Submission]:
    """Return what waits of revisions of which nothing is in the ledger.

    Not what has begun to take the place of an earlier revision: that would stay there in part.
    """
    there = {one.key.revision for one in posts(history) if stands(one)}
    if any(not _is_untouched(documents_of(history, revision)) for revision in there):
        return []
    return [
        one
        for one in posts(history)
        if one.state is State.PENDING and one.key.revision not in there
    ]


def _is_untouched(documents: tuple[Submission, ...]) -> bool:
    return is_whole(documents) and all(one.state in LIVE for one in documents)


def _last(waiting: list[Submission]) -> int:
    return max((one.key.revision for one in waiting), default=0)


_IN_THE_LEDGER: Final = LIVE | {State.REVERSING, State.PARKED}
_ON_ITS_WAY: Final = frozenset({State.SENDING, State.IN_DOUBT})
