"""What it means for the documents of a request when no reply of the ERP says it."""

from __future__ import annotations

from claimbridge.errors import (
    ClaimBridgeError,
    DeliveryError,
    DeliveryRefused,
    LedgerUnavailable,
    NotDelivered,
)
from claimbridge.model import Outcome, OutcomeKind


def outcome_of(error: DeliveryError) -> Outcome:
    """Return what a failed transport means for the documents of the request."""
    if isinstance(error, LedgerUnavailable):
        kind, wait = OutcomeKind.UNAVAILABLE, error.retry_after
    elif isinstance(error, NotDelivered):
        kind, wait = OutcomeKind.NOT_DELIVERED, None
    else:
        kind, wait = OutcomeKind.UNKNOWN, None
    return Outcome(
        kind=kind,
        text=error.message,
        code=error.code,
        retry_after=wait,
        retry_is_useless=isinstance(error, DeliveryRefused),
    )


def not_built(error: ClaimBridgeError) -> Outcome:
    """Return what a request that could not be built means: nothing left this machine."""
    return Outcome(
        kind=OutcomeKind.NOT_DELIVERED,
        text=f"the request could not be built: {error.message}",
        code="CB-419",
        retry_is_useless=True,
    )


def unknown(text: str, *, code: str = "") -> Outcome:
    """Return what an unreadable or missing reply means: the ERP may hold the documents."""
    telling = code.startswith(("CB-42", "CB-3"))  # the others say what is wrong with documents
    return Outcome(kind=OutcomeKind.UNKNOWN, text=text, code=code if telling else "")


def of_question(outcome: Outcome) -> Outcome:
    """Return what an outcome means as the answer to a question about documents.

    A refusal that names no document refuses the question, and says nothing of any document.
    """
    if outcome.kind is not OutcomeKind.REJECTED or outcome.reference is not None:
        return outcome
    told = outcome.text or "; ".join(map(str, outcome.reasons))
    return unknown(f"the ERP refuses the question: {told or 'no reason given'}")
