"""Reads certificates whole, at the door: a certificate from here never fails to be read later.

cryptography reads a certificate's parts at first use, and raises then. Here a certificate that is
damaged in any part we use is refused when it arrives.
"""

from __future__ import annotations

from collections.abc import Callable

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes


class UnreadableCertificate(Exception):
    """Never leaves this package: each caller raises its own error, which names the certificate."""


def from_der(data: bytes) -> x509.Certificate:
    """Return one certificate; raises UnreadableCertificate."""
    return _read(lambda: [x509.load_der_x509_certificate(data)])[0]


def from_pem(data: bytes) -> list[x509.Certificate]:
    """Return the certificates of PEM text, one or more; raises UnreadableCertificate."""
    return _read(lambda: x509.load_pem_x509_certificates(data))


def check_readable(certificates: list[x509.Certificate]) -> list[x509.Certificate]:
    """Return ``certificates``, which can be read in every part; raises UnreadableCertificate."""
    return _read(lambda: certificates)


def public_key_of(certificate: x509.Certificate) -> CertificatePublicKeyTypes | None:
    """Return the key a certificate is about; None when it is of a kind nobody here knows."""
    try:
        return certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return None


def _read(load: Callable[[], list[x509.Certificate]]) -> list[x509.Certificate]:
    try:
        certificates = load()
        for certificate in certificates:
            _ = certificate.extensions, certificate.issuer
            _ = certificate.not_valid_before_utc, certificate.not_valid_after_utc
            certificate.subject.rfc4514_string()
    except Exception as error:
        # ValueError, InvalidVersion, DuplicateExtension, and what a later release may add.
        raise UnreadableCertificate from error
    return certificates


def name_of(certificate: x509.Certificate) -> str:
    """Return how errors name a certificate."""
    return f"the certificate of {certificate.subject.rfc4514_string()!r}"
