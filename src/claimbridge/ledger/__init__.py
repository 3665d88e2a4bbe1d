"""One ledger: builds what is sent to it, reads what it answers, and plans what callers ask for.

No I/O and no decisions: the plans come from ``claimbridge.submission``, the clients perform them.
"""

from claimbridge.ledger.calls import Ledger
from claimbridge.ledger.message import Answer, Message, Send
from claimbridge.ledger.messages import Preview
from claimbridge.ledger.opened import wanted_book
from claimbridge.ledger.opening import open_identities, open_key, transport_settings
from claimbridge.ledger.outcomes import not_built, outcome_of

__all__ = [
    "Answer",
    "Ledger",
    "Message",
    "Preview",
    "Send",
    "not_built",
    "open_identities",
    "open_key",
    "outcome_of",
    "transport_settings",
    "wanted_book",
]
