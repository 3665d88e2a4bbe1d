"""What callers learn of a claim's documents; pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from claimbridge.model import LIVE, Acknowledgement, Standing, State, Submission


def acknowledgement(documents: Sequence[Submission]) -> Acknowledgement:
    """Return what a caller learns of a claim's accepted documents, most often one."""
    acknowledgements = [_acknowledgement_of(one) for one in documents]
    first = acknowledgements[0]
    if not first.document_number:
        return first
    least = min(acknowledgements, key=lambda one: _ATTENTION.index(one.state))
    return msgspec.structs.replace(
        first, document_number=0, state=least.state, documents=tuple(acknowledgements)
    )


def _acknowledgement_of(document: Submission) -> Acknowledgement:
    return Acknowledgement(
        claim_id=document.key.claim_id,
        revision=document.key.revision,
        reference=document.reference,
        state=document.state,
        journal_entry=document.journal_entry,
        document_number=document.key.part,
    )


def standing_of(document: Submission) -> Standing:
    """Return where a document stands."""
    return Standing(
        claim_id=document.key.claim_id,
        revision=document.key.revision,
        reference=document.reference,
        state=document.state,
        attempt=document.attempt,
        journal_entry=document.journal_entry,
        reasons=document.reasons,
        detail=document.detail,
        updated_at=document.updated_at,
        posting_date=document.voucher.posting_date,
        document_number=document.key.part,
    )


def standing_of_claim(documents: Sequence[Submission]) -> Standing:
    """Return where a claim stands; see ``standing_of_all``."""
    standings = [standing_of(one) for one in documents]
    return standing_of_all(standings, documents[0].voucher.documents)


def standing_of_all(standings: Sequence[Standing], parts: int) -> Standing:
    """Return where a claim stands: as the one of its documents that needs the most attention.

    ``parts`` is how many there are to be, 0 for one document.
    """
    if not standings[0].document_number:
        return standings[0]
    most = min(standings, key=lambda one: _ATTENTION.index(one.state))
    there = sum(one.state in LIVE for one in standings)
    waiting = parts - len(standings) + sum(one.state is State.PENDING for one in standings)
    state, detail = most.state, most.detail
    if state in LIVE and waiting:  # what is half posted is not posted
        state = State.PENDING
    if state is State.REVERSED and there:
        state = State.REVERSING
    if state is State.REVERSING:
        left = sum(one.state is not State.REVERSED for one in standings)
        detail = f"{left} of {parts} parts are not reversed yet; reverse it again"
    elif waiting:
        missing = f"{waiting} of {parts} parts were not sent yet"
        detail = "; ".join(filter(None, (detail, missing)))
    return msgspec.structs.replace(
        most, state=state, document_number=0, detail=detail, documents=tuple(standings)
    )


_ATTENTION: Final = (
    State.PARKED,
    State.IN_DOUBT,
    State.REJECTED,
    State.SENDING,
    State.PENDING,
    State.REVERSING,
    State.REVERSED,
    State.ACKNOWLEDGED,
    State.POSTED,
    State.PAID,
)
"""The states of a claim's documents by how much they need attention, the most first."""
