"""Certificates to order, for tests: right ones, and wrong in one way each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from claimbridge.clock import SYSTEM, Uptime

# The run's begin: xmlsec1, OpenSSL and Java judge the same certificates by the real time.
AT = SYSTEM.now().replace(microsecond=0)
# A moment at which the certificates of the vectors are valid.
VECTORS_AT = datetime(2026, 11, 24, 12, tzinfo=UTC)

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


class At:
    """A clock that stands still."""

    def __init__(self, moment: datetime = AT) -> None:
        self._moment = moment

    def now(self) -> datetime:
        return self._moment

    def monotonic(self) -> float:
        return 0.0

    def uptime(self) -> Uptime:
        return Uptime("test", self.monotonic())


class Holder(msgspec.Struct, frozen=True, eq=False):
    """A key and its certificate; it can issue further ones, allowed to or not."""

    key: PrivateKey
    certificate: x509.Certificate

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def identity_pem(self, *others: Holder) -> bytes:
        key = self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        return key + self.pem + b"".join(other.pem for other in others)


def issue(
    name: str | x509.Name,
    by: Holder | None = None,
    *,
    key: PrivateKey | None = None,
    ca: bool | None = False,
    path_length: int | None = None,
    signs: bool | None = True,
    certifies: bool | None = None,
    usages: list[x509.ObjectIdentifier] | None = None,
    start: datetime = AT - timedelta(days=1),
    end: datetime = AT + timedelta(days=365),
    extra: x509.ExtensionType | None = None,
) -> Holder:
    """Issue a certificate, self-signed when ``by`` is None; None leaves an extension out.

    ``certifies`` sets the key usage for signing certificates; None: what ``ca`` calls for.
    """
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = name if isinstance(name, x509.Name) else named(name)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
    )
    if ca is not None:
        builder = builder.add_extension(x509.BasicConstraints(ca, path_length), critical=True)
    if signs is not None:
        builder = builder.add_extension(
            _usage(signs=signs, ca=bool(ca), certifies=certifies), critical=True
        )
    if usages is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
    if extra is not None:
        builder = builder.add_extension(extra, critical=True)
    return Holder(key, builder.sign(by.key if by else key, hashes.SHA256()))


def named(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _usage(*, signs: bool, ca: bool, certifies: bool | None) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=signs and not ca,
        content_commitment=False,
        key_encipherment=not signs and not ca,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca and signs if certifies is None else certifies,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )


def huge(
    name: str,
    by: Holder,
    *,
    bits: int = 9001,
    exponent: int = 65537,
    ca: bool = True,
    usages: Sequence[x509.ObjectIdentifier] = (),
) -> Holder:
    """Certify a key that nobody has, and that nobody should compute with."""
    numbers = rsa.RSAPublicNumbers(exponent, (1 << (bits - 1)) + 9)
    builder = (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(by.certificate.subject)
        .public_key(numbers.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(AT - timedelta(days=1))
        .not_valid_after(AT + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca, None), critical=True)
    )
    if usages:
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
    return Holder(by.key, builder.sign(by.key, hashes.SHA256()))
