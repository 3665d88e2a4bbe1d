"""A claim as one document or several: what is planned for all of them together.

What is intended with a claim of several documents is written before the first one moves (see
``intentions``). Each document then has all the guarantees of one, and whoever finds the claim
unfinished, this process or another, goes on from there.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from claimbridge.errors import (
    ClaimBridgeError,
    ConflictingSubmission,
    NotDelivered,
    OutcomeUnknown,
)
from claimbridge.model import LIVE, Gap, History, Key, Purpose, State, Submission
from claimbridge.model.digests import Digest
from claimbridge.submission.decisions import (
    Busy,
    Refuse,
    TakeBack,
    closed_error,
    decide,
    not_reversible,
)
from claimbridge.submission.documents import (
    accepted,
    documents,
    is_whole,
    newest,
    posts,
    stands,
    was_taken,
)
from claimbridge.submission.doubt import resolve
from claimbridge.submission.evidence import refusal, reverse_key
from claimbridge.submission.first import check_newest, into_doubt, is_unasked
from claimbridge.submission.flight import Tries
from claimbridge.submission.intentions import closed, posting, reversing
from claimbridge.submission.plans import (
    check_reversible,
    learn_number,
    reconcile,
    reverse,
    submit,
)
from claimbridge.submission.port import Draft, Exchanger, Rules
from claimbridge.submission.question import found_again
from claimbridge.submission.steps import Look, Plan, Recall, Record

Documents = tuple[Submission, ...]


def submit_claim(
    claim: Key, digest: Digest, prepare: Callable[[], tuple[Draft, ...]], ledger: Exchanger
) -> Plan[Documents]:
    """Carry a claim into the ledger, as ``submit`` does; return its documents, most often one.

    ``claim`` is the key of the claim as one document. ``prepare`` returns a draft of each of its
    documents; it is called at most once, before anything is written or sent. Raises what submitting
    one raises, naming the part and how many were accepted before it.
    """
    history = yield from Recall(claim.book, claim.claim_id)
    begun = documents(history, claim.revision)
    before = [one for one in posts(history) if one.key.revision < claim.revision]
    if accepted(begun, digest) and not any(stands(one) for one in before):
        return begun
    can = ledger.rules.capabilities
    divides = can.postings is not None or any(one.key.part for one in posts(history))
    if not divides or (begun and not begun[0].key.part and stands(begun[0])):
        one = yield from submit(claim, digest, lambda: _only(prepare()), ledger, seen=history)
        return (one,)
    drafts = prepare()
    if len(drafts) == 1:
        return ((yield from submit(claim, digest, lambda: drafts[0], ledger, seen=history)),)
    yield from _intend_posting([draft.submission for draft in drafts], history, ledger.rules)
    return (yield from _submit_each(drafts, ledger))


def _only(drafts: tuple[Draft, ...]) -> Draft:
    """Return the draft of a claim that is one document.

    Raises NotDelivered for one that is several by now: another process has just found that its one
    document never arrived.
    """
    if len(drafts) > 1:
        raise NotDelivered(
            f"nothing was sent: it was begun as one document and is {len(drafts)} now; submit it "
            "again",
            claim_id=drafts[0].submission.key.claim_id,
        )
    return drafts[0]


def _intend_posting(wanted: Sequence[Submission], seen: History, rules: Rules) -> Plan[None]:
    """Record that all of these are to be posted; raises what keeps any of them out."""
    yield from check_newest(seen.claim_id)
    history = seen
    tries = Tries(rules)
    while True:
        busy = False
        for one in wanted:
            decision = decide(history, one.key, one.digest, parts=one.voucher.documents)
            if isinstance(decision, Refuse):
                raise decision.error
            if isinstance(decision, TakeBack) and not rules.capabilities.can_reverse:
                raise not_reversible(decision.submission)
            busy |= isinstance(decision, Busy)
        if busy:  # what is being sent now may be what keeps these out
            yield from tries.wait_for_turn(wanted[0].key)
        else:
            intended = posting(history, wanted, rules)
            if not intended or (yield from Record(history, intended)) is not None:
                return
        history = yield from Recall(seen.book, seen.claim_id)


def _submit_each(drafts: Sequence[Draft], ledger: Exchanger) -> Plan[Documents]:
    done: list[Submission] = []
    for draft in drafts:
        wanted = draft.submission
        try:
            done.append((yield from _carry(draft, ledger)))
        except ClaimBridgeError as error:
            raise _of_claim(error, wanted, done) from error.__cause__
    return tuple(done)


def _carry(draft: Draft, ledger: Exchanger) -> Plan[Submission]:
    wanted = draft.submission
    return (yield from submit(wanted.key, wanted.digest, lambda: draft, ledger))


def _of_claim(
    error: ClaimBridgeError, part: Submission, done: Sequence[Submission]
) -> ClaimBridgeError:
    """Return the error of one part as that of its claim."""
    error.claim_id = part.key.claim_id
    if part.voucher.documents > 1:
        counted = (
            f"part {part.key.part} of {part.voucher.documents} ({len(done)} accepted before it)"
        )
        error.message = f"{counted}: {error.message}"
        error.args = (error.message,)
    return error


def reverse_claim(
    claim: Key, posting_date: dt.date, text: str, ledger: Exchanger
) -> Plan[Documents]:
    """Take all documents of a claim's revision back; return their reversals.

    ``claim`` is the key of any of them. A later revision that waits for that is not sent any more.
    Raises what ``reverse`` raises.
    """
    history = yield from Recall(claim.book, claim.claim_id)
    if not claim.part and newest(history) == claim.revision:
        return ((yield from reverse(claim, posting_date, text, ledger)),)
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
        found = documents(history, revision)
        if any(one.state is State.SENDING for one in history.submissions):
            yield from tries.wait_for_turn(found[0].key)
        elif not (yield from _settled(history, found, there, ledger)):
            if not any(was_taken(one) for one in found):
                raise ConflictingSubmission(
                    f"revision {revision} has no journal entry that could be reversed",
                    code="CB-455",
                    claim_id=seen.claim_id,
                )
            gap = (yield from Look()).gap
            intended = tuple(
                change
                for change in reversing(history, found, posting_date, text, ledger.rules)
                if not _is_left_open(history, change, revision, gap)
            )
            if not intended or (yield from Record(history, intended)) is not None:
                return
        history = yield from Recall(seen.book, seen.claim_id)


def _is_left_open(history: History, change: Submission, revision: int, gap: Gap | None) -> bool:
    """Whether it would close a later revision that another journal may have sent.

    That one is asked for when it is submitted.
    """
    known = history.get(change.key)
    return known is not None and change.key.revision > revision and is_unasked(known, gap)


def _settled(history: History, found: Documents, there: set[int], ledger: Exchanger) -> Plan[bool]:
    """Find out about one document of which too little is known; False where all is known.

    ``there`` are the parts of which the ERP has just said that it has them. What waits, and another
    journal may have sent, is found out about too: it would be closed for good.
    """
    gap = (yield from Look()).gap
    for one in posts(history):
        same = one.key.revision == found[0].key.revision
        if gap is not None and same and one.state is State.PENDING and is_unasked(one, gap):
            yield from into_doubt(history, one, gap, ledger.rules)
            return True
    for one in found:
        if one.state is State.PARKED:
            raise closed_error(one)
        if one.state is State.IN_DOUBT:
            yield from resolve(history, one, ledger, resend=False)
            return True
        sure = ledger.rules.capabilities.checks_reversals or one.key.part in there
        if one.state in LIVE and (one.missing or not sure):
            yield from found_again(one, ledger)
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
    for one in documents(history, claim.revision):
        if not was_taken(one):
            continue
        try:
            reversals.append((yield from reverse(one.key, posting_date, text, ledger)))
        except ClaimBridgeError as error:
            raise _of_claim(error, one, reversals) from error.__cause__
    return tuple(reversals)


def reconcile_claim(unfinished: Submission, ledger: Exchanger) -> Plan[Documents]:
    """Bring what is intended with a claim to its end; return its documents, () for nothing left.

    Raises the errors of DeliveryError where the end is another, or is not reached.
    """
    key = unfinished.key
    history = yield from Recall(key.book, key.claim_id)
    if not any(one.key.part for one in history.submissions):
        return ((yield from reconcile(unfinished, ledger)),)
    open_ = [one for one in posts(history) if stands(one) or one.state is State.PENDING]
    revision = max((one.key.revision for one in open_), default=0)
    found = documents(history, revision)
    if any(one.state is State.REVERSING for one in found):
        return (yield from _finish_reversal(history, found, ledger))
    if any(one.state in _ON_THE_WAY for one in found):
        return (yield from _finish_posting(found, ledger))
    yield from _end_doubts(history, revision, ledger)
    _refuse_half(found)
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
            yield from reconcile(one, ledger)


def _finish_reversal(history: History, found: Documents, ledger: Exchanger) -> Plan[Documents]:
    first = next(one for one in found if one.state is State.REVERSING)
    known = history.get(reverse_key(first.key))
    voucher = known.voucher if known is not None else first.voucher
    yield from reverse_claim(first.key, voucher.posting_date, voucher.text, ledger)
    return (yield from _documents_now(first.key))


def _finish_posting(found: Documents, ledger: Exchanger) -> Plan[Documents]:
    """Send what waits, from the journal alone; not beside a part that the ERP refused."""
    if is_whole(found) and not any(one.state in _NOT_TO_SEND_BESIDE for one in found):
        yield from _submit_each([Draft(one) for one in found], ledger)
        return (yield from _documents_now(found[0].key))
    for one in found:
        if one.state in (State.IN_DOUBT, State.SENDING):
            history = yield from Recall(one.key.book, one.key.claim_id)
            yield from _find_out(history, one.key, ledger)
    yield from _close_dead(found[0].key, ledger.rules)
    found = yield from _documents_now(found[0].key)
    _refuse_half(found)
    return found


def _find_out(history: History, key: Key, ledger: Exchanger) -> Plan[None]:
    known = history.get(key)
    if known is not None and known.state is State.IN_DOUBT:
        yield from resolve(history, known, ledger, resend=False)


def _close_dead(key: Key, rules: Rules) -> Plan[None]:
    """Close what waits beside documents that were taken back, where nothing of the claim is left.

    Nothing would send it, and it would keep its invoices. Not where another journal may have
    sent it.
    """
    while (yield from Look()).gap is None:
        history = yield from Recall(key.book, key.claim_id)
        found = documents(history, key.revision)
        waiting = [one for one in found if one.state is State.PENDING]
        taken_back = any(was_taken(one) and not stands(one) for one in found)
        if not waiting or not taken_back or any(stands(one) for one in found):
            return
        why = "not sent: what was posted of the claim was reversed"
        if (yield from Record(history, tuple(closed(waiting, rules, why)))) is not None:
            return


def _documents_now(key: Key) -> Plan[Documents]:
    history = yield from Recall(key.book, key.claim_id)
    return documents(history, key.revision)


def _refuse_half(found: Documents) -> None:
    """Raise what is wrong with a claim of which some is in the ledger and some is not."""
    there = [one for one in found if stands(one)]
    if not there:
        return
    for one in found:
        if one.state is State.REJECTED:
            raise _of_claim(refusal(one), one, there)
        if one.state is State.PARKED:
            raise _of_claim(closed_error(one), one, there)
    if not is_whole(found) or len(there) < len(found):
        parts = max(1, found[0].voucher.documents)
        raise OutcomeUnknown(
            f"{len(there)} of its {parts} documents are in the ledger, and the journal cannot tell "
            "how to go on: submit the claim again, or reverse it",
            code="CB-438",
            claim_id=found[0].key.claim_id,
            reference=there[0].reference,
            attempt=there[0].attempt,
        )


_ON_THE_WAY: Final = frozenset({State.PENDING, State.SENDING, State.IN_DOUBT})
_NOT_TO_SEND_BESIDE: Final = frozenset({State.REJECTED, State.PARKED, State.REVERSED})
