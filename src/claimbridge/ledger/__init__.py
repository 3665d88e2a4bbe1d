"""One ledger: builds what is sent to it, and reads what it answers.

No I/O and no decisions: the plans come from ``claimbridge.submission``, the clients perform them.
"""

from claimbridge.ledger.credentials import open_identities, open_key, transport_settings
from claimbridge.ledger.ledger import Ledger
from claimbridge.ledger.reading import not_built, outcome_of
from claimbridge.ledger.setup import book_config_of
from claimbridge.ledger.writing import Preview

__all__ = [
    "Ledger",
    "Preview",
    "book_config_of",
    "not_built",
    "open_identities",
    "open_key",
    "outcome_of",
    "transport_settings",
]
