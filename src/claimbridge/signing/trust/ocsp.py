"""What OCSP responders say of certificates (RFC 6960), from local responses; nothing is fetched.

A response counts when the certificate's issuer signed it. It also counts from a delegate that the
issuer certified directly for this, and has not revoked since. Nonces are ignored: others asked for
the responses.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Final

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from claimbridge.errors import ConfigurationError
from claimbridge.signing.keys.certificates import public_key_of
from claimbridge.signing.trust.sizes import too_large

_HASHES: Final = ("sha256", "sha384", "sha512")


TakenBack = Callable[[x509.Certificate, datetime], bool]
"""Says whether the issuer revoked a delegate of its own by a moment."""


class OcspAnswer(msgspec.Struct, frozen=True):
    """What one response says of one certificate.

    ``revoked`` is the moment of revocation, None when there is none. ``good``: the response says
    that the certificate is good, and is in force at the moment in question.
    """

    revoked: datetime | None
    good: bool


def read_response(data: bytes) -> ocsp.OCSPResponse:
    """Return a response, in DER, that can be read in every part; raises ConfigurationError."""
    try:
        found = ocsp.load_der_ocsp_response(data)
        if found.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            raise ValueError(f"the responder answered {found.response_status.name}")
        _ = found.extensions, found.certificates, found.tbs_response_bytes
        for one in found.responses:
            _ = one.serial_number, one.certificate_status, one.hash_algorithm
            _ = one.this_update_utc, one.next_update_utc, one.revocation_time_utc
    except Exception as error:
        # ValueError, and what cryptography raises for parts that are broken.
        raise ConfigurationError(
            "an OCSP response cannot be read, or reports a failure; give it as a DER file",
            code="CB-346",
        ) from error
    return found


def answers(
    responses: Sequence[ocsp.OCSPResponse],
    certificate: x509.Certificate,
    issuer: x509.Certificate,
    at: datetime,
    *,
    delegates: TakenBack | None,
) -> Iterator[OcspAnswer]:
    """Yield what trustworthy responses say of ``certificate`` at ``at``.

    ``delegates`` says whether a delegate was revoked by a moment; None: only the issuer's own
    responses count.
    """
    for response in responses:
        about = [one for one in response.responses if _is_about(one, certificate, issuer)]
        if about and _is_by(response, issuer, at, delegates, vouching=True):
            yield from (_answer(one, at) for one in about)
        elif about and _is_by(response, issuer, response.produced_at_utc, delegates):
            # The delegate's certificate has ended since, or is not for signatures: a revoked
            # certificate stays revoked all the same.
            yield from (OcspAnswer(one.revocation_time_utc, good=False) for one in about)


def _answer(one: ocsp.OCSPSingleResponse, at: datetime) -> OcspAnswer:
    # RFC 6960 §4.2.2.1: without nextUpdate there may be newer information at any time.
    until = one.next_update_utc
    in_force = until is not None and one.this_update_utc <= at <= until
    good = one.certificate_status is ocsp.OCSPCertStatus.GOOD
    return OcspAnswer(revoked=one.revocation_time_utc, good=good and in_force)


def _is_about(
    one: ocsp.OCSPSingleResponse, certificate: x509.Certificate, issuer: x509.Certificate
) -> bool:
    """Compare the CertID (§4.1.1): the issuer's name and key, hashed, and the serial number."""
    if one.serial_number != certificate.serial_number:
        return False
    key = _key_bits(issuer)
    # SHA-1 is what most responders name certificates by; nothing rests on its strength.
    hashed = getattr(hashlib, one.hash_algorithm.name, None)
    return (
        key is not None
        and hashed is not None
        and hashed(issuer.subject.public_bytes()).digest() == one.issuer_name_hash
        and hashed(key).digest() == one.issuer_key_hash
    )


def _key_bits(certificate: x509.Certificate) -> bytes | None:
    """Return the content of subjectPublicKey, without its tag, length and unused bits."""
    key = public_key_of(certificate)
    if isinstance(key, rsa.RSAPublicKey):
        return key.public_bytes(Encoding.DER, PublicFormat.PKCS1)
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return None


def _is_by(
    response: ocsp.OCSPResponse,
    issuer: x509.Certificate,
    at: datetime,
    taken_back: TakenBack | None,
    *,
    vouching: bool = False,
) -> bool:
    """Say whether the issuer, or a delegate that counts at ``at``, signed it (§4.2.2.2).

    ``vouching``: a delegate's certificate must say that it is for signatures.
    """
    if _is_named(response, issuer) and _has_signed(issuer, response):
        return True
    return taken_back is not None and any(
        _is_named(response, one)
        and _is_delegate(one, issuer, at)
        and _has_signed(one, response)
        and not taken_back(one, at)
        and (_is_for_signatures(one) or not vouching)
        for one in response.certificates
    )


def _is_delegate(certificate: x509.Certificate, issuer: x509.Certificate, at: datetime) -> bool:
    if too_large(certificate):
        return False
    try:
        usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        certificate.verify_directly_issued_by(issuer)
    except (x509.ExtensionNotFound, InvalidSignature, ValueError, TypeError, UnsupportedAlgorithm):
        return False
    valid = certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc
    return valid and ExtendedKeyUsageOID.OCSP_SIGNING in usages


def _is_for_signatures(certificate: x509.Certificate) -> bool:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return False
    return usage.digital_signature


def _is_named(response: ocsp.OCSPResponse, signer: x509.Certificate) -> bool:
    if response.responder_name is not None:
        return response.responder_name == signer.subject
    key = _key_bits(signer)
    return key is not None and hashlib.sha1(key).digest() == response.responder_key_hash  # noqa: S324 - §4.2.1 fixes SHA-1


def _has_signed(signer: x509.Certificate, response: ocsp.OCSPResponse) -> bool:
    key = public_key_of(signer)
    try:
        digest = response.signature_hash_algorithm
        if digest is None or digest.name not in _HASHES:
            return False
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(response.signature, response.tbs_response_bytes, padding.PKCS1v15(), digest)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(response.signature, response.tbs_response_bytes, ec.ECDSA(digest))
        else:
            return False
    except (InvalidSignature, UnsupportedAlgorithm):
        return False
    return True
