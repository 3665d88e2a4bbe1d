"""Sign vouchers, and verify what others signed: XML signatures, by position and allow-list."""

from claimbridge.signing.dsig import Algorithm
from claimbridge.signing.identity import Identity, Key
from claimbridge.signing.policy import Policy
from claimbridge.signing.sign import Signer
from claimbridge.signing.verify import Verified, Verifier, verify, verify_elements

__all__ = [
    "Algorithm",
    "Identity",
    "Key",
    "Policy",
    "Signer",
    "Verified",
    "Verifier",
    "verify",
    "verify_elements",
]
