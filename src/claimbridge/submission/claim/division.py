"""A claim as one document or several: what is planned for all of them together.

What is intended with a claim of several documents is written before the first one moves (see
``intentions``). Each document then has all the guarantees of one, and whoever finds the claim
unfinished, this process or another, goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from claimbridge.errors import (
    ClaimBridgeError,
    NotDelivered,
)
from claimbridge.model import Claim, History, Key, Submission
from claimbridge.model.digests import Digest
from claimbridge.submission.decisions.decisions import (
    Busy,
    Refuse,
    TakeBack,
    decide,
    not_reversible,
)
from claimbridge.submission.decisions.documents import (
    Documents,
    are_accepted,
    as_error_of_claim,
    documents_of,
    posts,
    stands,
)
from claimbridge.submission.decisions.intentions import posting_changes
from claimbridge.submission.decisions.port import Draft, Exchanger, LedgerPort, Rules
from claimbridge.submission.document.delivery import submit_document, submit_draft
from claimbridge.submission.document.first import check_newest
from claimbridge.submission.document.flight import Tries
from claimbridge.submission.steps.steps import Plan, Recall, Record


def prepare(claim: Claim, book: str, ledger: LedgerPort) -> tuple[Draft, ...]:
    """Return the documents of a claim with their validated, signed requests.

    ``book`` is the id of our book. Raises ClaimError.
    """
    documents = ledger.documents(claim, book)
    return tuple(Draft(one, ledger.build("submit", (one,))) for one in documents)


def submit_claim(
    claim: Key, digest: Digest, prepare: Callable[[], tuple[Draft, ...]], ledger: Exchanger
) -> Plan[Documents]:
    """Carry a claim into the ledger, as ``submit_document`` does; return its documents.

    ``claim`` is the key of the claim as one document. ``prepare`` returns a draft of each of its
    documents; it is called at most once, before anything is written or sent. Raises what submitting
    one raises, naming the part and how many were accepted before it.
    """
    history = yield from Recall(claim.book, claim.claim_id)
    documents = documents_of(history, claim.revision)
    before = [one for one in posts(history) if one.key.revision < claim.revision]
    if are_accepted(documents, digest) and not any(stands(one) for one in before):
        return documents
    can = ledger.rules.capabilities
    divides = can.postings is not None or any(one.key.part for one in posts(history))
    if not divides or (documents and not documents[0].key.part and stands(documents[0])):
        plan = submit_document(claim, digest, lambda: _only(prepare()), ledger, seen=history)
        return ((yield from plan),)
    drafts = prepare()
    if len(drafts) == 1:
        plan = submit_document(claim, digest, lambda: drafts[0], ledger, seen=history)
        return ((yield from plan),)
    yield from _intend_posting([draft.submission for draft in drafts], history, ledger.rules)
    return (yield from submit_each(drafts, ledger))


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


def _intend_posting(targets: Sequence[Submission], history: History, rules: Rules) -> Plan[None]:
    """Record that all of these are to be posted; raises what keeps any of them out."""
    yield from check_newest(history.claim_id)
    tries = Tries(rules)
    while True:
        busy = False
        for one in targets:
            decision = decide(history, one.key, one.digest, parts=one.voucher.documents)
            if isinstance(decision, Refuse):
                raise decision.error
            if isinstance(decision, TakeBack) and not rules.capabilities.can_reverse:
                raise not_reversible(decision.submission)
            busy |= isinstance(decision, Busy)
        if busy:  # what is being sent now may be what keeps these out
            yield from tries.wait_for_turn(targets[0].key)
        else:
            intention = posting_changes(history, targets, rules)
            if not intention or (yield from Record(history, intention)) is not None:
                return
        history = yield from Recall(history.book, history.claim_id)


def submit_each(drafts: Sequence[Draft], ledger: Exchanger) -> Plan[Documents]:
    """Submit the documents of a claim one by one; raises the first error, as one of the claim."""
    done: list[Submission] = []
    for draft in drafts:
        try:
            done.append((yield from submit_draft(draft, ledger)))
        except ClaimBridgeError as error:
            raise as_error_of_claim(error, draft.submission, done) from error.__cause__
    return tuple(done)
