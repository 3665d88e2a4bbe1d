"""Identity: what we sign with. A key, wherever it lives, its certificate and the issuers."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Protocol

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.hazmat.primitives.serialization import pkcs12

from claimbridge.errors import KeyUnavailable
from claimbridge.signing.certificates import (
    UnreadableCertificate,
    checked,
    from_pem,
    public_key_of,
)
from claimbridge.signing.dsig import MINIMUM_RSA_BITS, Algorithm

_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,40})-----.*?-----END \1-----", re.DOTALL)


class Key(Protocol):
    """A private key that signs, wherever it lives: in memory, in a token, behind a call.

    ``sign`` may raise anything; the signer turns it into KeyUnavailable.
    """

    @property
    def algorithm(self) -> Algorithm:
        """What ``sign`` does."""
        ...

    def sign(self, data: bytes) -> bytes:
        """Return the signature over ``data`` (not yet hashed), as XML signatures hold it.

        RSA: PKCS#1 v1.5. ECDSA: r and s, each as long as the curve's order, which is also what
        PKCS#11 returns (XMLDSig 1.1 §6.4.3), not DER.
        """
        ...


class SoftwareKey:
    """A key in this process's memory; its ``repr`` shows the algorithm only."""

    __slots__ = ("_algorithm", "_private")

    def __init__(self, private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> None:
        self._private = private
        self._algorithm = _algorithm_for(private.public_key())

    def __repr__(self) -> str:
        return f"SoftwareKey({self._algorithm.name})"

    @property
    def algorithm(self) -> Algorithm:
        """The one algorithm that suits this key."""
        return self._algorithm

    def sign(self, data: bytes) -> bytes:
        """Return the signature over ``data``, as XML signatures hold it."""
        if isinstance(self._private, rsa.RSAPrivateKey):
            return self._private.sign(data, padding.PKCS1v15(), hashes.SHA256())
        digest = hashes.SHA384() if self._private.key_size == 384 else hashes.SHA256()
        r, s = utils.decode_dss_signature(self._private.sign(data, ec.ECDSA(digest)))
        size = self._private.key_size // 8
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")


class Identity(msgspec.Struct, frozen=True, eq=False):
    """A key and the certificate that names its holder.

    ``chain`` holds the certificates of the issuers that came along, nearest first; empty when
    none did. Raises KeyUnavailable when the key is too weak or is not the certificate's.
    """

    key: Key
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...] = ()

    def __post_init__(self) -> None:
        suits = _algorithm_for(public_key_of(self.certificate))
        if self.key.algorithm.elliptic != suits.elliptic:
            raise KeyUnavailable(
                f"the key signs {self.key.algorithm.name}, but {self._name} holds another kind "
                "of key; take the certificate that was issued for this key",
                code="CB-314",
            )
        if not _may_sign(self.certificate):
            raise KeyUnavailable(
                f"{self._name} was not issued for signing (no digitalSignature key usage); "
                "ask its issuer for a signing certificate",
                code="CB-318",
            )

    @classmethod
    def from_pem(cls, data: bytes, password: bytes | None = None) -> Identity:
        """Open PEM text with one private key, its certificate, and issuers if there are any.

        The order does not matter. ``password`` is None for a key that is not encrypted.
        """
        blocks = [(match[1], match[0]) for match in _BLOCK.finditer(data)]
        keys = [block for label, block in blocks if label.endswith(b"PRIVATE KEY")]
        if len(keys) != 1:
            raise KeyUnavailable(
                f"the PEM text holds {len(keys)} private keys; it needs exactly one",
                code="CB-319" if keys else "CB-312",
            )
        text = b"\n".join(block for label, block in blocks if label == b"CERTIFICATE")
        return _pair(_read_key(keys[0], password), _certificates(text))

    @classmethod
    def from_pkcs12(cls, data: bytes, password: bytes | None = None) -> Identity:
        """Open a PKCS#12 file (``.p12``, ``.pfx``); ``password`` is None when it has none."""
        try:
            store = pkcs12.load_pkcs12(data, password)
        except Exception as error:
            # ValueError, or the backend's own errors. Only their words tell a wrong password
            # from a broken file.
            if "password" in str(error).lower():
                raise _wrong_password("PKCS#12 file", password) from error
            raise _unreadable("PKCS#12 file") from error
        if store.key is None:
            raise KeyUnavailable(
                "the PKCS#12 file holds no private key; export it again with the key",
                code="CB-312",
            )
        found = [entry.certificate for entry in (store.cert, *store.additional_certs) if entry]
        return _pair(store.key, _readable(lambda: checked(found)))

    @classmethod
    def open(cls, path: str | Path, password: bytes | None = None) -> Identity:
        """Open a PEM or PKCS#12 file; what it is follows from its content."""
        try:
            data = Path(path).read_bytes()
        except OSError as error:
            raise KeyUnavailable(f"the identity {path} cannot be read: {error.strerror}") from error
        open_as = cls.from_pem if b"-----BEGIN " in data else cls.from_pkcs12
        return open_as(data, password)

    @property
    def algorithm(self) -> Algorithm:
        """What its signatures are made with."""
        return self.key.algorithm

    def check(self, at: datetime) -> None:
        """Raise KeyUnavailable unless the certificate is valid at ``at`` (timezone-aware)."""
        if at > self.certificate.not_valid_after_utc:
            ended = self.certificate.not_valid_after_utc.isoformat()
            raise KeyUnavailable(f"{self._name} expired at {ended}; renew it", code="CB-316")
        if at < self.certificate.not_valid_before_utc:
            begins = self.certificate.not_valid_before_utc.isoformat()
            raise KeyUnavailable(
                f"{self._name} is not valid before {begins}; wait, or check the clock",
                code="CB-317",
            )

    @property
    def _name(self) -> str:
        return f"the certificate of {self.certificate.subject.rfc4514_string()}"

    def __repr__(self) -> str:
        subject = self.certificate.subject.rfc4514_string()
        return f"Identity({subject!r}, until {self.certificate.not_valid_after_utc:%Y-%m-%d})"


def _pair(private: object, certificates: list[x509.Certificate]) -> Identity:
    """Join a key to its own certificate; the others become the chain."""
    if not isinstance(private, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise _unsuitable("this kind of key cannot sign vouchers")
    key = SoftwareKey(private)
    if not certificates:
        raise KeyUnavailable(
            "there is a key but no certificate; put both into one file", code="CB-313"
        )
    public = private.public_key()
    own = [found for found in certificates if public_key_of(found) == public]
    if not own:
        names = ", ".join(found.subject.rfc4514_string() for found in certificates[:3])
        raise KeyUnavailable(
            f"the key belongs to none of the certificates with it ({names}); "
            "take the certificate that was issued for this key",
            code="CB-314",
        )
    return Identity(key, own[0], tuple(found for found in certificates if found != own[0]))


def _algorithm_for(public: object) -> Algorithm:
    """Return what a key signs with; raises KeyUnavailable when it is too weak or another kind."""
    if isinstance(public, rsa.RSAPublicKey):
        if public.key_size < MINIMUM_RSA_BITS:
            raise _unsuitable(f"RSA with {public.key_size} bits is too weak")
        return Algorithm.RSA_SHA256
    if isinstance(public, ec.EllipticCurvePublicKey):
        if isinstance(public.curve, ec.SECP256R1):
            return Algorithm.ECDSA_SHA256
        if isinstance(public.curve, ec.SECP384R1):
            return Algorithm.ECDSA_SHA384
        raise _unsuitable(f"the curve {public.curve.name} is not supported")
    raise _unsuitable("this kind of key cannot sign vouchers")


def _may_sign(certificate: x509.Certificate) -> bool:
    """Tell whether key usage permits signatures; a certificate without it permits everything."""
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage)
    except x509.ExtensionNotFound:
        return True
    return usage.value.digital_signature


def _read_key(block: bytes, password: bytes | None) -> object:
    try:
        return serialization.load_pem_private_key(block, password)
    except TypeError as error:
        if password is None:
            raise _wrong_password("private key", password) from error
        # A password for a key that has none: nothing is secret, and the key is there.
        return _read_key(block, None)
    except ValueError as error:
        if password is not None:
            raise _wrong_password("private key", password) from error
        raise _unreadable("private key") from error
    except Exception as error:
        # UnsupportedAlgorithm and the backend's own errors.
        raise _unreadable("private key") from error


def _certificates(text: bytes) -> list[x509.Certificate]:
    return _readable(lambda: from_pem(text)) if text else []


def _readable(read: Callable[[], list[x509.Certificate]]) -> list[x509.Certificate]:
    try:
        return read()
    except UnreadableCertificate as error:
        raise _unreadable("certificate") from error


def _wrong_password(what: str, password: bytes | None) -> KeyUnavailable:
    if password is None:
        message = f"the {what} is encrypted; give its password"
    else:
        message = f"the {what} does not open with this password; check the password"
    return KeyUnavailable(message, code="CB-311")


def _unreadable(what: str) -> KeyUnavailable:
    return KeyUnavailable(f"the {what} cannot be read: it is damaged or of an unknown kind")


def _unsuitable(why: str) -> KeyUnavailable:
    needs = f"RSA with {MINIMUM_RSA_BITS} bits or more, P-256 or P-384"
    return KeyUnavailable(f"{why}; use {needs}", code="CB-315")
