"""The signature algorithms that are signed and accepted with, by their identifiers (RFC 9231)."""

from __future__ import annotations

import enum
from typing import Final

MINIMUM_RSA_BITS: Final = 2048


class Algorithm(enum.StrEnum):
    """A signature algorithm, by its identifier: RSA (PKCS#1 v1.5 or PSS) or ECDSA.

    PSS is meant as the identifiers of RFC 9231 §2.3.10 fix it: MGF1 with the same hash, and a salt
    as long as the hash. The identifier that takes parameters is not among them.
    """

    RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
    RSA_SHA384 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384"
    RSA_SHA512 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512"
    RSA_PSS_SHA256 = "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1"
    RSA_PSS_SHA384 = "http://www.w3.org/2007/05/xmldsig-more#sha384-rsa-MGF1"
    RSA_PSS_SHA512 = "http://www.w3.org/2007/05/xmldsig-more#sha512-rsa-MGF1"
    ECDSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
    ECDSA_SHA384 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384"
    ECDSA_SHA512 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512"

    @property
    def elliptic(self) -> bool:
        """True for ECDSA, False for RSA."""
        return "#ecdsa-" in self.value

    @property
    def digest(self) -> str:
        """The hash it signs, as ``hashlib`` names it."""
        return self.name.rpartition("_")[2].lower()

    @property
    def pss(self) -> bool:
        """True for RSA with the PSS padding."""
        return self.value.endswith("-rsa-MGF1")
