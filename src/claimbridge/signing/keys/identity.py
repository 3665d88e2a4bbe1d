"""Identity: what we sign with. A key, wherever it lives, its certificate and the issuers."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12

from claimbridge.errors import KeyUnavailable
from claimbridge.signing.keys.algorithms import Algorithm
from claimbridge.signing.keys.certificates import (
    UnreadableCertificate,
    check_readable,
    from_pem,
    public_key_of,
)
from claimbridge.signing.keys.keys import (
    SigningKey,
    SoftwareKey,
    algorithm_for,
    check_value,
    unsuitable,
)

_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,40})-----.*?-----END \1-----", re.DOTALL)


class Identity(msgspec.Struct, frozen=True, eq=False):
    """A key and the certificate that names its holder.

    ``chain`` holds the issuers' certificates that came with it, nearest first; empty for none.
    Raises KeyUnavailable when the key is too weak or is not the certificate's.
    """

    key: SigningKey
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...] = ()

    def __post_init__(self) -> None:
        suits = algorithm_for(public_key_of(self.certificate))
        if self.key.algorithm.elliptic != suits.elliptic:
            raise KeyUnavailable(
                f"the key signs {self.key.algorithm.name}, but {self._name} holds another kind "
                "of key; take the certificate that was issued for this key",
                code="CB-314",
            )
        if isinstance(self.key, SoftwareKey) and self.key.public != public_key_of(self.certificate):
            raise _mismatch(self._name)
        if not _may_sign(self.certificate):
            raise KeyUnavailable(
                f"{self._name} was not issued for signing (no digitalSignature key usage); "
                "ask its issuer for a signing certificate",
                code="CB-318",
            )

    @classmethod
    def current(cls, identities: Sequence[Identity], at: datetime) -> Identity:
        """Return the identity to sign with at ``at``, while one replaces another.

        It is the identity issued last, of those valid then; verifiers trust or pin both while they
        overlap. Raises KeyUnavailable CB-312 when there is none, CB-316 or CB-317 when none is
        valid.
        """
        if not identities:
            raise KeyUnavailable("there is no identity to sign with", code="CB-312")
        newest_first = sorted(
            identities, key=lambda each: each.certificate.not_valid_before_utc, reverse=True
        )
        refusals: list[KeyUnavailable] = []
        for identity in newest_first:
            try:
                identity.check(at)
            except KeyUnavailable as error:
                refusals.append(error)
            else:
                return identity
        raise refusals[0]

    @classmethod
    def from_pem(
        cls, data: bytes, password: bytes | None = None, *, algorithm: Algorithm | None = None
    ) -> Identity:
        """Open PEM text with one private key, its certificate, and issuers if there are any.

        The order does not matter. ``password`` is None for a key that is not encrypted;
        ``algorithm`` None for the one that suits the key (SHA-256; SHA-384 with P-384).
        """
        blocks = [(match[1], match[0]) for match in _BLOCK.finditer(data)]
        keys = [block for label, block in blocks if label.endswith(b"PRIVATE KEY")]
        if len(keys) != 1:
            raise KeyUnavailable(
                f"the PEM text holds {len(keys)} private keys; it needs exactly one",
                code="CB-319" if keys else "CB-312",
            )
        text = b"\n".join(block for label, block in blocks if label == b"CERTIFICATE")
        return _pair(_read_key(keys[0], password), _certificates(text), algorithm)

    @classmethod
    def from_pkcs12(
        cls, data: bytes, password: bytes | None = None, *, algorithm: Algorithm | None = None
    ) -> Identity:
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
        return _pair(store.key, _readable(lambda: check_readable(found)), algorithm)

    @classmethod
    def open(
        cls,
        path: str | Path,
        password: bytes | None = None,
        *,
        algorithm: Algorithm | None = None,
    ) -> Identity:
        """Open a PEM or PKCS#12 file; what it is follows from its content."""
        try:
            data = Path(path).read_bytes()
        except OSError as error:
            raise KeyUnavailable(f"the identity {path} cannot be read: {error.strerror}") from error
        open_as = cls.from_pem if b"-----BEGIN " in data else cls.from_pkcs12
        return open_as(data, password, algorithm=algorithm)

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

    def sign(self, data: bytes) -> bytes:
        """Return the key's signature over ``data``, which fits the certificate.

        Raises KeyUnavailable CB-309 when the key fails, CB-314 when it is not the certificate's.
        """
        try:
            value = self.key.sign(data)
        except Exception as error:
            # A key outside this process may raise anything; its words may hold a PIN.
            raise KeyUnavailable(
                "the key did not sign; see the cause, and whether its token is there and open",
                code="CB-309",
            ) from error
        if not isinstance(self.key, SoftwareKey):
            # We checked a SoftwareKey itself; of any other key we see only its values.
            self._check_value(value, data)
        return value

    def _check_value(self, value: object, data: bytes) -> None:
        public = public_key_of(self.certificate)
        assert isinstance(public, rsa.RSAPublicKey | ec.EllipticCurvePublicKey)
        try:
            if not isinstance(value, bytes):
                raise InvalidSignature
            check_value(public, value, data, self.algorithm)
        except InvalidSignature as error:
            raise _mismatch(self._name) from error

    @property
    def _name(self) -> str:
        return f"the certificate of {self.certificate.subject.rfc4514_string()}"

    def __repr__(self) -> str:
        subject = self.certificate.subject.rfc4514_string()
        return f"Identity({subject!r}, until {self.certificate.not_valid_after_utc:%Y-%m-%d})"


def _pair(
    private: object, certificates: list[x509.Certificate], algorithm: Algorithm | None
) -> Identity:
    """Join a key to its own certificate; the others become the chain."""
    if not isinstance(private, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise unsuitable("this kind of key cannot sign vouchers")
    key = SoftwareKey(private, algorithm=algorithm)
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


def _mismatch(name: str) -> KeyUnavailable:
    return KeyUnavailable(
        f"the key's signatures do not fit {name}; take the certificate that was issued for this "
        "key, and a key that signs as its algorithm says",
        code="CB-314",
    )


def _may_sign(certificate: x509.Certificate) -> bool:
    """Say whether key usage permits signatures; a certificate without one permits everything."""
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
