"""Values that cannot exist wrong: claims, vouchers, money, outcomes, submissions."""

from claimbridge.model.claim import Claim, ClaimLine, SupportingDocument, converted
from claimbridge.model.money import Money, as_amount, exponent
from claimbridge.model.outcome import Finding, JournalEntry, Outcome, OutcomeKind, Reason
from claimbridge.model.submission import (
    LIVE,
    MOVES,
    Acknowledgement,
    Change,
    History,
    Key,
    Move,
    State,
    Status,
    Submission,
)
from claimbridge.model.voucher import Posting, Purpose, Role, Side, Voucher

__all__ = [
    "LIVE",
    "MOVES",
    "Acknowledgement",
    "Change",
    "Claim",
    "ClaimLine",
    "Finding",
    "History",
    "JournalEntry",
    "Key",
    "Money",
    "Move",
    "Outcome",
    "OutcomeKind",
    "Posting",
    "Purpose",
    "Reason",
    "Role",
    "Side",
    "State",
    "Status",
    "Submission",
    "SupportingDocument",
    "Voucher",
    "as_amount",
    "converted",
    "exponent",
]
