"""Values that cannot exist wrong: claims, vouchers, money, outcomes, submissions."""

from claimbridge.findings import Finding, Reason
from claimbridge.model.book import Book, Place
from claimbridge.model.claim import Claim, owed_to_employee
from claimbridge.model.claim_lines import (
    Advance,
    Allocation,
    ClaimLine,
    Item,
    Payee,
    SupportingDocument,
    Tax,
    converted,
)
from claimbridge.model.continuity import Continuity, Gap
from claimbridge.model.invoices import InvoiceUse, identity_of, invoices_of
from claimbridge.model.money import Money, as_amount, exponent
from claimbridge.model.outcome import JournalEntry, Outcome, OutcomeKind
from claimbridge.model.submission import (
    LIVE,
    MOVES,
    Acknowledgement,
    Change,
    History,
    InvoiceHolder,
    Key,
    Move,
    Standing,
    State,
    Submission,
    Withdrawal,
)
from claimbridge.model.voucher import Posting, Purpose, Role, Side, Voucher

__all__ = [
    "LIVE",
    "MOVES",
    "Acknowledgement",
    "Advance",
    "Allocation",
    "Book",
    "Change",
    "Claim",
    "ClaimLine",
    "Continuity",
    "Finding",
    "Gap",
    "History",
    "InvoiceHolder",
    "InvoiceUse",
    "Item",
    "JournalEntry",
    "Key",
    "Money",
    "Move",
    "Outcome",
    "OutcomeKind",
    "Payee",
    "Place",
    "Posting",
    "Purpose",
    "Reason",
    "Role",
    "Side",
    "Standing",
    "State",
    "Submission",
    "SupportingDocument",
    "Tax",
    "Voucher",
    "Withdrawal",
    "as_amount",
    "converted",
    "exponent",
    "identity_of",
    "invoices_of",
    "owed_to_employee",
]
