"""claimbridge: approved expense claims into any ERP's ledger, exactly once in effect.

    from claimbridge import Claim, Client

    claim = Claim.from_json(path.read_bytes())
    with Client.from_config("claimbridge.toml", ledger="CN01") as ledger:
        ack = ledger.submit(claim)            # calling it twice posts once

The names below are the public ones. They are loaded when first used, so that importing the
package costs little.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from claimbridge.aio import AsyncClient
    from claimbridge.client import Client
    from claimbridge.config import AuthConfig, LedgerConfig, Timeouts, load_config
    from claimbridge.errors import (
        ClaimBridgeError,
        ClaimError,
        ConfigurationError,
        ConflictingSubmission,
        ContractDrift,
        ContractDriftWarning,
        ContractError,
        DeliveryError,
        DeliveryRefused,
        DocumentError,
        JournalError,
        JournalWarning,
        KeyUnavailable,
        LedgerRejection,
        LedgerUnavailable,
        MappingError,
        MissingExtra,
        NotDelivered,
        OutcomeUnknown,
        SchemaViolation,
        SignatureInvalid,
        SignerUntrusted,
        SigningError,
        UnbalancedVoucher,
    )
    from claimbridge.ledger import Ledger, Preview
    from claimbridge.mapping import Chart
    from claimbridge.model import (
        Acknowledgement,
        Change,
        Claim,
        ClaimLine,
        Finding,
        JournalEntry,
        Money,
        Outcome,
        OutcomeKind,
        Posting,
        Purpose,
        Reason,
        Role,
        Side,
        Standing,
        State,
        SupportingDocument,
        Voucher,
    )
    from claimbridge.profiles.base import Capabilities, Profile
    from claimbridge.results import Reconciled, Result
    from claimbridge.sources import Arrival, Source

_HOMES = {
    "claimbridge.aio": ["AsyncClient"],
    "claimbridge.client": ["Client"],
    "claimbridge.config": ["AuthConfig", "LedgerConfig", "Timeouts", "load_config"],
    "claimbridge.errors": [
        "ClaimBridgeError",
        "ClaimError",
        "ConfigurationError",
        "ConflictingSubmission",
        "ContractDrift",
        "ContractDriftWarning",
        "ContractError",
        "DeliveryError",
        "DeliveryRefused",
        "DocumentError",
        "JournalError",
        "JournalWarning",
        "KeyUnavailable",
        "LedgerRejection",
        "LedgerUnavailable",
        "MappingError",
        "MissingExtra",
        "NotDelivered",
        "OutcomeUnknown",
        "SchemaViolation",
        "SignatureInvalid",
        "SignerUntrusted",
        "SigningError",
        "UnbalancedVoucher",
    ],
    "claimbridge.ledger": ["Ledger", "Preview"],
    "claimbridge.mapping": ["Chart"],
    "claimbridge.model": [
        "Acknowledgement",
        "Change",
        "Claim",
        "ClaimLine",
        "Finding",
        "JournalEntry",
        "Money",
        "Outcome",
        "OutcomeKind",
        "Posting",
        "Purpose",
        "Reason",
        "Role",
        "Side",
        "State",
        "Standing",
        "SupportingDocument",
        "Voucher",
    ],
    "claimbridge.profiles.base": ["Capabilities", "Profile"],
    "claimbridge.results": ["Reconciled", "Result"],
    "claimbridge.sources": ["Arrival", "Source"],
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Acknowledgement",
    "Arrival",
    "AsyncClient",
    "AuthConfig",
    "Capabilities",
    "Change",
    "Chart",
    "Claim",
    "ClaimBridgeError",
    "ClaimError",
    "ClaimLine",
    "Client",
    "ConfigurationError",
    "ConflictingSubmission",
    "ContractDrift",
    "ContractDriftWarning",
    "ContractError",
    "DeliveryError",
    "DeliveryRefused",
    "DocumentError",
    "Finding",
    "JournalEntry",
    "JournalError",
    "JournalWarning",
    "KeyUnavailable",
    "Ledger",
    "LedgerConfig",
    "LedgerRejection",
    "LedgerUnavailable",
    "MappingError",
    "MissingExtra",
    "Money",
    "NotDelivered",
    "Outcome",
    "OutcomeKind",
    "OutcomeUnknown",
    "Posting",
    "Preview",
    "Profile",
    "Purpose",
    "Reason",
    "Reconciled",
    "Result",
    "Role",
    "SchemaViolation",
    "Side",
    "SignatureInvalid",
    "SignerUntrusted",
    "SigningError",
    "Source",
    "Standing",
    "State",
    "SupportingDocument",
    "Timeouts",
    "UnbalancedVoucher",
    "Voucher",
    "load_config",
]


def __getattr__(name: str) -> object:
    """Load a public name when it is first asked for (PEP 562)."""
    try:
        home = _HOME_OF[name]
    except KeyError:
        raise AttributeError(f"module 'claimbridge' has no attribute {name!r}") from None
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
