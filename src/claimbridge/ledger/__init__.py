"""One ledger: builds what is sent to it, reads what it answers, and plans what callers ask for.

No I/O and no decisions: the plans come from ``claimbridge.submission``, the clients perform them.
"""

from claimbridge.ledger.calls import Ledger
from claimbridge.ledger.messages import Message, Preview, not_built, outcome_of
from claimbridge.ledger.opening import open_identity, transport_settings

__all__ = [
    "Ledger",
    "Message",
    "Preview",
    "not_built",
    "open_identity",
    "outcome_of",
    "transport_settings",
]
