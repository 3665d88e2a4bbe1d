"""Values that cannot exist wrong: claims, vouchers, money, outcomes, submissions."""

from claimbridge.model.claim import Claim
from claimbridge.model.claim_checks import converted, owed_to_employee
from claimbridge.model.claim_parts import (
    Advance,
    Allocation,
    ClaimLine,
    Item,
    Payee,
    SupportingDocument,
    Tax,
)
from claimbridge.model.continuity import Continuity, Gap
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
    "Advance",
    "Allocation",
    "Change",
    "Claim",
    "ClaimLine",
    "Continuity",
    "Finding",
    "Gap",
    "History",
    "Item",
    "JournalEntry",
    "Key",
    "Money",
    "Move",
    "Outcome",
    "OutcomeKind",
    "Payee",
    "Posting",
    "Purpose",
    "Reason",
    "Role",
    "Side",
    "State",
    "Status",
    "Submission",
    "SupportingDocument",
    "Tax",
    "Voucher",
    "as_amount",
    "converted",
    "exponent",
    "owed_to_employee",
]
