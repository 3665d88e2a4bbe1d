"""A document that its source took back after it was approved: what that means for its claim."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from claimbridge.client import Client
from claimbridge.errors import ClaimError, OutcomeUnknown
from claimbridge.model import LIVE, Claim, History, Purpose, State, Submission
from claimbridge.sources.record import ArrivalState, Kept, Record


def withdraw(arrival: Kept, *, record: Record, client_of: Callable[[Claim], Client]) -> None:
    """Keep a withdrawn document out of the ledgers, and free its invoices.

    Raises ClaimError CB-537 where it is in a ledger: a person decides about its reversal;
    OutcomeUnknown CB-538 where that is not known yet.
    """
    earlier = [one for one in record.find(arrival.source, arrival.key) if not one.withdrawn]
    claims = {
        claim.id: claim
        for one in earlier
        if one.number < arrival.number and (claim := one.claim()) is not None
    }
    for claim in claims.values():
        _keep_out(claim, arrival, client_of(claim))
    for one in earlier:
        if one.number < arrival.number and one.state in (ArrivalState.READ, ArrivalState.PARKED):
            record.end(one, ArrivalState.WITHDRAWN, code="", reason="its source took it back")
    for claim_id in claims:
        record.free(claim_id)
    record.end(arrival, ArrivalState.WITHDRAWN, code="", reason="")


def _keep_out(claim: Claim, arrival: Kept, client: Client) -> None:
    try:
        status = client.status(claim.id, ask=False)
    except ClaimError:  # nothing was submitted for it
        return
    # A divided claim has a history for each of its documents.
    for claim_id in dict.fromkeys([claim.id, *(part.claim_id for part in status.parts)]):
        _keep_document_out(
            client.journal.history(client.ledger.config.name, claim_id), arrival, client
        )


def _keep_document_out(history: History, arrival: Kept, client: Client) -> None:
    posts = [one for one in history.submissions if one.key.purpose is Purpose.POST]
    for one in posts:
        if one.state in LIVE or one.state in (State.REVERSING, State.PARKED):
            raise _in_ledger(one, arrival)
    if any(one.state in (State.SENDING, State.IN_DOUBT) for one in history.submissions):
        raise _not_known(history, arrival)
    taken_back = [
        msgspec.structs.replace(
            one,
            state=State.REVERSED,
            detail=f"source {arrival.source} took it back before it was sent",
        )
        for one in posts
        if one.state is State.PENDING
    ]
    # Else claimbridge reconcile would send it; a later revision may be. None: somebody else has
    # just moved it on.
    if taken_back and client.journal.record(history, taken_back) is None:
        raise _not_known(history, arrival)


def _not_known(history: History, arrival: Kept) -> OutcomeUnknown:
    return OutcomeUnknown(
        f"source {arrival.source} took it back, and whether it is in the ledger is not known yet; "
        "claimbridge reconcile finds out, and the next pass looks again",
        code="CB-538",
        claim_id=history.claim_id,
    )


def _in_ledger(submission: Submission, arrival: Kept) -> ClaimError:
    entry = submission.journal_entry
    where = f"as journal entry {entry}" if entry else f"and is {submission.state} there"
    return ClaimError(
        f"source {arrival.source} took it back after it was submitted to ledger "
        f"{submission.key.ledger} {where}; reverse it there (claimbridge reverse), then retry, or "
        "leave it",
        code="CB-537",
        claim_id=submission.key.claim_id,
    )


__all__ = ["withdraw"]
