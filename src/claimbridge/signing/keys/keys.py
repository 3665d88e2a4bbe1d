"""Keys that sign: in memory, or behind a call of yours. The signer treats them alike."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Final, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

from claimbridge.errors import KeyUnavailable
from claimbridge.signing.keys.algorithms import MINIMUM_RSA_BITS, Algorithm

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey

Check = Callable[[bytes, bytes], None]
"""Called with a value and data; raises cryptography's InvalidSignature unless the value fits."""

_HASHES: Final = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}


class SigningKey(Protocol):
    """A private key that signs, wherever it lives: in memory, in a token, behind a call.

    ``sign`` may raise anything; the signer turns it into KeyUnavailable.
    """

    @property
    def algorithm(self) -> Algorithm:
        """What ``sign`` does."""
        ...

    def sign(self, data: bytes) -> bytes:
        """Return the signature over ``data`` (not yet hashed), as XML signatures hold it.

        RSA: PKCS#1 v1.5 or PSS. ECDSA: r and s, each as long as the curve's order, which is also
        what PKCS#11 returns (XMLDSig 1.1 §6.4.3), not DER.
        """
        ...


class SoftwareKey:
    """A key in this process's memory; its ``repr`` shows the algorithm only.

    ``algorithm`` None: the one that suits the key. Raises KeyUnavailable CB-315 when the key is
    too weak or of another kind, CB-314 when it cannot sign with ``algorithm``.
    """

    __slots__ = ("_algorithm", "_operation", "_private")

    def __init__(self, private: PrivateKey, *, algorithm: Algorithm | None = None) -> None:
        self._private = private
        self._algorithm = algorithm_for(private.public_key(), algorithm)
        self._operation = _operation(private, self._algorithm)

    def __repr__(self) -> str:
        return f"SoftwareKey({self._algorithm.name})"

    @property
    def algorithm(self) -> Algorithm:
        """What ``sign`` does."""
        return self._algorithm

    @property
    def public(self) -> PublicKey:
        """The public half, which a certificate must hold."""
        return self._private.public_key()

    def sign(self, data: bytes) -> bytes:
        """Return the signature over ``data``, as XML signatures hold it."""
        return self._operation(data)


class CallbackKey:
    """A key behind a call: a key service, a vault, a signing queue.

    ``sign`` gets the bytes to be signed, not their hash, and returns what ``SigningKey.sign``
    returns. What it raises becomes KeyUnavailable CB-309; what it returns is checked against the
    certificate before it goes into a document.
    """

    __slots__ = ("_algorithm", "_sign")

    def __init__(self, sign: Callable[[bytes], bytes], *, algorithm: Algorithm) -> None:
        self._sign = sign
        self._algorithm = algorithm

    def __repr__(self) -> str:
        return f"CallbackKey({self._algorithm.name})"

    @property
    def algorithm(self) -> Algorithm:
        """What ``sign`` does."""
        return self._algorithm

    def sign(self, data: bytes) -> bytes:
        """Return what the call returns."""
        return self._sign(data)


def algorithm_for(public: object, wanted: Algorithm | None = None) -> Algorithm:
    """Return a key's algorithm: ``wanted``, or for None the one that suits the key.

    Raises KeyUnavailable when the key is too weak or of another kind.
    """
    suits = _suits(public)
    if wanted is None:
        return suits
    if wanted.elliptic != suits.elliptic:
        raise KeyUnavailable(
            f"this key cannot sign {wanted.name}; it suits {suits.name}", code="CB-314"
        )
    return wanted


def check_value(public: PublicKey, value: bytes, data: bytes, algorithm: Algorithm) -> None:
    """Raise cryptography's InvalidSignature unless ``value`` signs ``data``.

    ``algorithm`` must be of the key's kind.
    """
    checking(public, algorithm)(value, data)


def checking(public: PublicKey, algorithm: Algorithm) -> Check:
    """Return ``check_value`` for this key and algorithm, with what stays the same made once."""
    hashed, digest = _hashing(algorithm)
    if isinstance(public, rsa.RSAPublicKey):
        rsa_verify, pads = public.verify, _padding(algorithm)
        return lambda value, data: rsa_verify(value, hashed(data).digest(), pads, digest)
    # XMLDSig 1.1 §6.4.3: r and s, each as long as the order of the curve.
    ec_verify, method, size = public.verify, ec.ECDSA(digest), (public.key_size + 7) // 8

    def check(value: bytes, data: bytes) -> None:
        if len(value) != 2 * size:
            raise InvalidSignature
        r, s = int.from_bytes(value[:size], "big"), int.from_bytes(value[size:], "big")
        ec_verify(utils.encode_dss_signature(r, s), hashed(data).digest(), method)

    return check


def _operation(private: PrivateKey, algorithm: Algorithm) -> Callable[[bytes], bytes]:
    """Return how ``private`` signs; the parts that stay the same are made once."""
    hashed, digest = _hashing(algorithm)
    if isinstance(private, rsa.RSAPrivateKey):
        rsa_sign, pads = private.sign, _padding(algorithm)
        return lambda data: rsa_sign(hashed(data).digest(), pads, digest)
    ec_sign, method, size = private.sign, ec.ECDSA(digest), private.key_size // 8
    return lambda data: _join(ec_sign(hashed(data).digest(), method), size)


def _join(value: bytes, size: int) -> bytes:
    """Return r and s of an ECDSA signature in DER, each ``size`` bytes long.

    X.690 §8.9 and RFC 3279 §2.2.3: a sequence of two integers. The head of the sequence has two
    bytes, for our sizes. Each integer has its length in one byte, and a zero before a first bit of
    one.
    """
    middle = 4 + value[3]
    r, s = value[4:middle], value[middle + 2 :]
    return r[-size:].rjust(size, b"\0") + s[-size:].rjust(size, b"\0")


def _hashing(algorithm: Algorithm) -> tuple[Callable[[bytes], hashlib._Hash], utils.Prehashed]:
    """Return what hashes for ``algorithm``: hashlib takes half the time that cryptography does."""
    return getattr(hashlib, algorithm.digest), utils.Prehashed(_HASHES[algorithm.digest])


def _padding(algorithm: Algorithm) -> padding.AsymmetricPadding:
    """Return how RSA pads for ``algorithm``."""
    if not algorithm.pss:
        return padding.PKCS1v15()
    digest = _HASHES[algorithm.digest]
    return padding.PSS(mgf=padding.MGF1(digest), salt_length=padding.PSS.DIGEST_LENGTH)


def unsuitable(why: str) -> KeyUnavailable:
    """Return the refusal of a key that is too weak or of a kind we do not sign with."""
    needs = f"RSA with {MINIMUM_RSA_BITS} bits or more, P-256 or P-384"
    return KeyUnavailable(f"{why}; use {needs}", code="CB-315")


def _suits(public: object) -> Algorithm:
    if isinstance(public, rsa.RSAPublicKey):
        if public.key_size < MINIMUM_RSA_BITS:
            raise unsuitable(f"RSA with {public.key_size} bits is too weak")
        return Algorithm.RSA_SHA256
    if isinstance(public, ec.EllipticCurvePublicKey):
        if isinstance(public.curve, ec.SECP256R1):
            return Algorithm.ECDSA_SHA256
        if isinstance(public.curve, ec.SECP384R1):
            return Algorithm.ECDSA_SHA384
        raise unsuitable(f"the curve {public.curve.name} is not supported")
    raise unsuitable("this kind of key cannot sign vouchers")
