"""What the record keeps, as values: arrivals, deliveries, hints."""

from __future__ import annotations

import datetime as dt
import enum
from typing import Final

import msgspec

from claimbridge.errors import (
    ClaimBridgeError,
    ClaimError,
    ConfigurationError,
    ConflictingSubmission,
    DeliveryError,
    DocumentError,
    LedgerRejection,
    LedgerUnavailable,
    NotDelivered,
    OutcomeUnknown,
    SigningError,
)
from claimbridge.model import Claim
from claimbridge.sources.base import Arrival


class ArrivalState(enum.StrEnum):
    """What became of one version of a document."""

    READ = "read"
    """Kept, and on its way; every pass goes on with it."""
    ACCEPTED = "accepted"
    """The ledger accepted it."""
    PARKED = "parked"
    """A person must fix something; the reason says what. A retry makes it ``read`` again."""
    REFUSED = "refused"
    """A person has said that it will not be submitted."""
    WITHDRAWN = "withdrawn"
    """Its source took it back before it was in a ledger."""
    SUPERSEDED = "superseded"
    """A later version or revision took its place before it was in a ledger."""


_KINDS: Final[tuple[tuple[str, type[ClaimBridgeError]], ...]] = (
    ("CB-15", DocumentError),
    ("CB-2", ConfigurationError),
    ("CB-3", SigningError),
    ("CB-400", DeliveryError),
    ("CB-42", OutcomeUnknown),
    ("CB-430", LedgerRejection),
    ("CB-436", NotDelivered),
    ("CB-43", OutcomeUnknown),
    ("CB-44", LedgerUnavailable),
    ("CB-45", ConflictingSubmission),
    ("CB-468", ConflictingSubmission),
    ("CB-469", ConflictingSubmission),
    ("CB-46", OutcomeUnknown),
    ("CB-47", OutcomeUnknown),
    ("CB-488", ClaimError),
    ("CB-489", ConfigurationError),
    ("CB-490", ClaimError),
    ("CB-4", NotDelivered),
    ("CB-538", OutcomeUnknown),
    ("CB-545", NotDelivered),
)
"""What a code says of its class, as docs/errors.md lists them: the first that fits; else a claim's.

Whoever decides by the class must not take a claim that may be posted for one that is refused.
"""


class StoredArrival(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a document, as it is recorded.

    ``number`` grows with age. ``content`` is the claim's JSON, "" where the document was none.
    ``code`` and ``reason`` say why it is in its state; of one that is ``read`` they say why it is
    not further. ``attempt`` counts the times that it was about to be submitted. ``reported``
    is whether its source took note of the end, ``answered_state`` for which of our states of its
    submission it was last planned what goes back there. ``occasion`` is the arrival's.
    """

    number: int
    source: str
    key: str
    version: str
    state: ArrivalState
    label: str = ""
    claim_id: str = ""
    revision: int = 0
    withdrawn: bool = False
    code: str = ""
    reason: str = ""
    attempt: int = 0
    reported: bool = False
    answered_state: str = ""
    content: str = ""
    ignored: tuple[str, ...] = ()
    occasion: str = ""
    read_at: dt.datetime
    updated_at: dt.datetime

    @property
    def name(self) -> str:
        """What people call it: its label, else the claim's id, else its key."""
        return self.label or self.claim_id or self.key

    def claim(self) -> Claim | None:
        """Return the claim; None where the document was none. Raises ClaimError."""
        return Claim.from_json(self.content) if self.content else None

    def error(self) -> ClaimBridgeError | None:
        """Return why it went no further, as an error again; None where nothing is wrong."""
        if not self.code:
            return None
        kind = next((kind for start, kind in _KINDS if self.code.startswith(start)), ClaimError)
        return kind(self.reason, code=self.code, claim_id=self.claim_id or None)

    def arrival(self) -> Arrival:
        """Return it as its source gave it; ``claim`` is None where it cannot be read any more."""
        try:
            claim = self.claim()
        except ClaimError:
            claim = None
        return Arrival(
            key=self.key,
            version=self.version,
            claim=claim,
            error=None if claim is not None else self.error(),
            withdrawn=self.withdrawn,
            label=self.label,
            ignored=self.ignored,
            occasion=self.occasion,
        )


class Delivery(msgspec.Struct, frozen=True):
    """One body that a webhook was sent; ``number`` grows with age."""

    number: int
    digest: str
    body: bytes


class Hint(msgspec.Struct, frozen=True):
    """A document that a source was told to have changed; ``number`` grows with age."""

    number: int
    key: str


__all__ = ["ArrivalState", "Delivery", "Hint", "StoredArrival"]
