"""Sign vouchers, and verify what others signed: XML signatures, by position and allow-list."""

from claimbridge.signing.keys.algorithms import Algorithm
from claimbridge.signing.keys.identity import Identity
from claimbridge.signing.keys.keys import CallbackKey, SigningKey, SoftwareKey
from claimbridge.signing.sign import Signer
from claimbridge.signing.trust.policy import Policy
from claimbridge.signing.verified import Verified
from claimbridge.signing.verify import (
    Verifier,
    verify,
    verify_detached,
    verify_elements,
)

__all__ = [
    "Algorithm",
    "CallbackKey",
    "Identity",
    "Policy",
    "Signer",
    "SigningKey",
    "SoftwareKey",
    "Verified",
    "Verifier",
    "verify",
    "verify_detached",
    "verify_elements",
]
