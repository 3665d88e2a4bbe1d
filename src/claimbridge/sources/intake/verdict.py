"""What an error means for an arrival, decided without I/O: again later, or a person must look."""

from __future__ import annotations

from typing import Final

from claimbridge.errors import (
    ClaimBridgeError,
    ConfigurationError,
    ConflictingSubmission,
    LedgerRejection,
    LedgerUnavailable,
    NotDelivered,
    OutcomeUnknown,
    SchemaViolation,
    SigningError,
)
from claimbridge.sources.record import ArrivalState

_OF_ONE_CLAIM: Final = frozenset({"CB-229", "CB-254"})
"""Configuration errors that are about the claim's own submission: time alone fixes none."""
NEEDS_A_PERSON: Final = frozenset({"CB-421", "CB-425", "CB-427", "CB-431", "CB-432", "CB-470"})
"""Unknown outcomes that time alone does not resolve."""


def state_after(error: ClaimBridgeError) -> ArrivalState:
    """Return where an arrival stands after this error; READ where time or set-up fix it."""
    if isinstance(error, OutcomeUnknown):
        lasting = error.code in NEEDS_A_PERSON and error.retry_after is None
        return ArrivalState.PARKED if lasting else ArrivalState.READ
    if isinstance(error, ConflictingSubmission) and error.code == "CB-452":
        return ArrivalState.SUPERSEDED
    if error.code in _OF_ONE_CLAIM:
        return ArrivalState.PARKED
    set_up = (NotDelivered, LedgerUnavailable, ConfigurationError, SigningError)
    return ArrivalState.READ if isinstance(error, set_up) else ArrivalState.PARKED


def reason_of(error: ClaimBridgeError) -> str:
    """Return why, with all that the ERP or the contract has against it."""
    if isinstance(error, LedgerRejection) and error.reasons:
        return "; ".join([error.message, *map(str, error.reasons)])
    if isinstance(error, SchemaViolation) and error.findings:
        parts = [f"{each.claim_field or each.path}: {each.text}" for each in error.findings]
        return "; ".join([error.message, *parts])
    return error.message


__all__ = ["NEEDS_A_PERSON", "reason_of", "state_after"]
