"""How large a stranger's key may be: judged before anything is computed with it.

OpenSSL computes with larger keys too, slowly: no document may buy that time.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from claimbridge.errors import SignerUntrusted
from claimbridge.signing.keys.certificates import public_key_of

MAXIMUM_RSA_BITS: Final = 8192
# What OpenSSL itself allows for moduli above 3072 bits; a longer one makes checking as slow as
# signing.
MAXIMUM_EXPONENT_BITS: Final = 64


def refuse_huge(certificates: Iterable[x509.Certificate]) -> None:
    """Raise SignerUntrusted CB-337 for the first certificate whose key is too large."""
    for certificate in certificates:
        found = too_large(certificate)
        if found:
            raise SignerUntrusted(
                f"the certificate of {certificate.subject.rfc4514_string()!r} holds {found}; RSA "
                f"with {MAXIMUM_RSA_BITS} bits is the most that is accepted, of issuers too",
                code="CB-337",
            )


def too_large(certificate: x509.Certificate) -> str:
    """Return what is too large in the certificate's key; empty when nothing is."""
    key = public_key_of(certificate)
    if not isinstance(key, rsa.RSAPublicKey):
        return ""
    if key.key_size > MAXIMUM_RSA_BITS:
        return f"RSA with {key.key_size} bits"
    bits = key.public_numbers().e.bit_length()
    return f"RSA with an exponent of {bits} bits" if bits > MAXIMUM_EXPONENT_BITS else ""
