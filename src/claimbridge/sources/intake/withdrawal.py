"""A document that its source took back after it was approved: what that means for its claim."""

from __future__ import annotations

from collections.abc import Callable

from claimbridge.client import Client
from claimbridge.errors import ClaimError, OutcomeUnknown
from claimbridge.model import Claim, Standing, State
from claimbridge.sources.record import ArrivalState, SourceRecord, StoredArrival


def withdraw(
    arrival: StoredArrival, *, record: SourceRecord, client_of: Callable[[Claim], Client]
) -> None:
    """Keep a withdrawn document out of the ledgers, and free its invoices.

    Raises ClaimError CB-537 where it is in a ledger: a person decides about its reversal;
    OutcomeUnknown CB-538 where that is not known yet.
    """
    versions = record.find(arrival.source, arrival.key)
    earlier = [version for version in versions if not version.withdrawn]
    claims = {
        claim.id: claim
        for version in earlier
        if version.number < arrival.number and (claim := version.claim()) is not None
    }
    for claim in claims.values():
        _keep_out(claim, arrival, client_of(claim))
    for version in earlier:
        if version.number < arrival.number and version.state in (
            ArrivalState.READ,
            ArrivalState.PARKED,
        ):
            record.end(version, ArrivalState.WITHDRAWN, code="", reason="its source took it back")
    record.end(arrival, ArrivalState.WITHDRAWN, code="", reason="")


def _keep_out(claim: Claim, arrival: StoredArrival, client: Client) -> None:
    reason = f"source {arrival.source} took it back before it was sent"
    standing = client.withdraw(
        claim.id, reason=reason, revision=claim.revision, approved_at=claim.approved_at
    )
    if standing is None:
        return
    if standing.state in (State.SENDING, State.IN_DOUBT):
        raise _not_known(standing, arrival)
    raise _in_ledger(standing, client.ledger.setup.config.name, arrival)


def _not_known(standing: Standing, arrival: StoredArrival) -> OutcomeUnknown:
    return OutcomeUnknown(
        f"source {arrival.source} took it back, and whether it is in the ledger is not known yet; "
        "claimbridge reconcile finds out, and the next pass looks again",
        code="CB-538",
        claim_id=standing.claim_id,
    )


def _in_ledger(standing: Standing, ledger: str, arrival: StoredArrival) -> ClaimError:
    entry = standing.journal_entry
    where = f"as journal entry {entry}" if entry else f"and is {standing.state} there"
    return ClaimError(
        f"source {arrival.source} took it back after it was submitted to ledger "
        f"{ledger} {where}; reverse it there (claimbridge reverse), then retry, or "
        "leave it",
        code="CB-537",
        claim_id=standing.claim_id,
    )


__all__ = ["withdraw"]
