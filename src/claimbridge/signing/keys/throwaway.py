"""Throw-away identities for demonstrations and tests. NOT FOR PRODUCTION.

Anyone can make these: a certificate from here proves nothing. A real signing identity comes from
your company's certificate authority.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

from claimbridge.clock import SYSTEM, Clock

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
Kind = Literal["rsa", "p256", "p384"]

_LIFETIME = timedelta(days=30)


class Throwaway(msgspec.Struct, frozen=True, eq=False):
    """A signer and the authority that issued it, made on the spot. NOT FOR PRODUCTION."""

    key: PrivateKey
    certificate: x509.Certificate
    authority: x509.Certificate

    def pem(self, password: bytes | None = None) -> bytes:
        """Return key and certificate as PEM text; the key is encrypted when there is a password."""
        return self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            _encryption(password),
        ) + _pem(self.certificate)

    def pkcs12(self, password: bytes | None = None) -> bytes:
        """Return key, certificate and authority as a PKCS#12 file."""
        return pkcs12.serialize_key_and_certificates(
            b"throwaway", self.key, self.certificate, [self.authority], _encryption(password)
        )

    @property
    def trust(self) -> bytes:
        """The authority's certificate as PEM text: the anchor of a verifier's policy."""
        return _pem(self.authority)

    @property
    def pin(self) -> bytes:
        """The signer's own certificate as PEM text."""
        return _pem(self.certificate)

    def __repr__(self) -> str:
        return f"Throwaway({self.certificate.subject.rfc4514_string()!r})"


def make(name: str = "signer", *, kind: Kind = "p256", clock: Clock = SYSTEM) -> Throwaway:
    """Make an authority and a signer called ``name``, valid for 30 days. NOT FOR PRODUCTION.

    The authority's key is thrown away at once, so it issues nothing else.
    """
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority_name = _name(f"throwaway authority of {name}")
    authority = (
        _builder(authority_name, authority_name, authority_key, clock)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(issuing=True), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    key = _generate(kind)
    certificate = (
        _builder(_name(name), authority_name, key, clock)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(issuing=False), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    return Throwaway(key, certificate, authority)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: PrivateKey, clock: Clock
) -> x509.CertificateBuilder:
    start = clock.now() - timedelta(minutes=5)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + _LIFETIME)
    )


def _generate(kind: Kind) -> PrivateKey:
    if kind == "rsa":
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return ec.generate_private_key(ec.SECP256R1() if kind == "p256" else ec.SECP384R1())


def _usage(*, issuing: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not issuing,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=issuing,
        crl_sign=issuing,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _encryption(password: bytes | None) -> serialization.KeySerializationEncryption:
    if password is None:
        return serialization.NoEncryption()
    return serialization.BestAvailableEncryption(password)
