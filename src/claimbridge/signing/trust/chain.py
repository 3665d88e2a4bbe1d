"""Judges whether we trust a signer's certificate, before any signature is computed."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID as Usage
from cryptography.x509.oid import ExtensionOID, NameOID
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    PolicyBuilder,
    Store,
    VerificationError,
)
from cryptography.x509.verification import Policy as PathPolicy

from claimbridge.errors import SignerUntrusted
from claimbridge.signing.keys.algorithms import MINIMUM_RSA_BITS
from claimbridge.signing.keys.certificates import name_of, public_key_of
from claimbridge.signing.trust.constraints import check_common_name, check_mail_names
from claimbridge.signing.trust.policy import Policy, read_certificates
from claimbridge.signing.trust.revocation import Revocations
from claimbridge.signing.trust.sizes import MAXIMUM_RSA_BITS, refuse_huge

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey
_Extension = TypeVar("_Extension", bound=x509.ExtensionType)

MAXIMUM_INTERMEDIATES = 4

_CURVES = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)

# A certificate that names extended usages must name one of these. Server authentication, time
# stamping and code signing are other uses: the operator of a web server under the same CA must not
# be able to sign vouchers with the server's certificate.
_SIGNING_USAGES = frozenset(
    {
        Usage.ANY_EXTENDED_KEY_USAGE,
        Usage.CLIENT_AUTH,
        Usage.EMAIL_PROTECTION,
        x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36"),  # document signing, RFC 9336
        x509.ObjectIdentifier("1.3.6.1.4.1.311.10.3.12"),  # document signing, Microsoft
    }
)

# Critical extensions of a pinned certificate that are judged here, or limit nothing we use.
_KNOWN = frozenset(
    {
        ExtensionOID.KEY_USAGE,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
    }
)


class Judge:
    """Judges signers' certificates by one policy; immutable, so threads may share it."""

    def __init__(self, policy: Policy) -> None:
        self._subjects = policy.subjects
        pins = read_certificates(policy.pin) if policy.pin else []
        self._pins = {pin: _unknown_limit(pin) for pin in pins}
        self._trusted = read_certificates(policy.trust) if policy.trust else []
        self._anchors = Store(self._trusted) if policy.trust else None
        required = policy.revocation == "required"
        self._revocations = Revocations(policy.crls, policy.ocsp, required=required)
        self._usages = frozenset(map(x509.ObjectIdentifier, policy.usages))

    def moments(self) -> list[datetime]:
        """Return when verdicts may change, beside the bounds of the signers' certificates."""
        anchors = [*self._trusted, *self._pins]
        bounds = [(one.not_valid_before_utc, one.not_valid_after_utc) for one in anchors]
        return [*itertools.chain.from_iterable(bounds), *self._revocations.moments()]

    def judge(self, certificates: Sequence[x509.Certificate], at: datetime) -> x509.Certificate:
        """Return the signer's certificate, trusted at ``at``, or raise SignerUntrusted."""
        signer = _signer_of(certificates)
        public_key(signer)
        refuse_huge(certificates)
        _check_validity(signer, at)
        _check_usage(signer)
        self._check_required_usage(signer)
        if self._anchors is None:
            self._check_pin(signer)
        else:
            others = [other for other in certificates if other != signer]
            path = _path(signer, others, self._anchors, at)
            self._revocations.check(path, at)
            if self._subjects:
                for name in signer.subject.get_attributes_for_oid(NameOID.COMMON_NAME):
                    check_common_name(str(name.value), path)
        self._check_subject(signer)
        return signer

    def _check_required_usage(self, signer: x509.Certificate) -> None:
        # anyExtendedKeyUsage stands for no particular one (RFC 5280 §4.2.1.12: applications MAY
        # then refuse a certificate that does not name the usage they require).
        named = _extension(signer, x509.ExtendedKeyUsage)
        if self._usages and (named is None or self._usages.isdisjoint(named)):
            raise SignerUntrusted(
                f"{name_of(signer)} was not issued for the required use (extended key usage "
                f"{', '.join(sorted(one.dotted_string for one in self._usages))})",
                code="CB-336",
            )

    def _check_pin(self, signer: x509.Certificate) -> None:
        if signer not in self._pins:
            raise SignerUntrusted(
                f"{name_of(signer)} is not the pinned one; if the signer renewed it, pin the new "
                "one",
                code="CB-338",
            )
        unknown = self._pins[signer]
        if unknown:
            raise SignerUntrusted(
                f"{name_of(signer)} has a critical extension that cannot be judged here "
                f"({unknown}); pin a certificate without it",
                code="CB-356",
            )

    def _check_subject(self, signer: x509.Certificate) -> None:
        names = signer.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        if self._subjects and (len(names) != 1 or names[0].value not in self._subjects):
            raise SignerUntrusted(
                f"{name_of(signer)} is not one of the expected signers "
                f"({', '.join(self._subjects)})",
                code="CB-339",
            )


def public_key(certificate: x509.Certificate) -> PublicKey:
    """Return the certificate's key; raises SignerUntrusted unless it is strong and of our kinds."""
    key = public_key_of(certificate)
    if isinstance(key, rsa.RSAPublicKey):
        if MINIMUM_RSA_BITS <= key.key_size <= MAXIMUM_RSA_BITS:
            return key
        found = f"RSA with {key.key_size} bits"
    elif isinstance(key, ec.EllipticCurvePublicKey):
        if isinstance(key.curve, _CURVES):
            return key
        found = f"the curve {key.curve.name}"
    else:
        found = "another kind of key"
    raise SignerUntrusted(
        f"{name_of(certificate)} holds {found}; RSA with {MINIMUM_RSA_BITS} to {MAXIMUM_RSA_BITS} "
        "bits, P-256, P-384 and P-521 are accepted",
        code="CB-337",
    )


def _signer_of(certificates: Sequence[x509.Certificate]) -> x509.Certificate:
    """Return the one certificate that is not an issuer's (XMLDSig 1.1 §4.5.4 fixes no order)."""
    if len(certificates) == 1:
        return certificates[0]
    ends = [found for found in certificates if not _is_issuer(found)]
    if len(ends) != 1 or len(certificates) > MAXIMUM_INTERMEDIATES + 1:
        raise SignerUntrusted(
            f"the signature comes with {len(certificates)} certificates, {len(ends)} of which "
            "could be the signer's; it must name one signer",
            code="CB-331",
        )
    return ends[0]


def _is_issuer(certificate: x509.Certificate) -> bool:
    constraints = _extension(certificate, x509.BasicConstraints)
    return constraints is not None and constraints.ca


def _check_validity(signer: x509.Certificate, at: datetime) -> None:
    if at > signer.not_valid_after_utc:
        raise SignerUntrusted(
            f"{name_of(signer)} expired at {signer.not_valid_after_utc.isoformat()}",
            code="CB-333",
        )
    if at < signer.not_valid_before_utc:
        raise SignerUntrusted(
            f"{name_of(signer)} is not valid before {signer.not_valid_before_utc.isoformat()}",
            code="CB-334",
        )


def _check_usage(signer: x509.Certificate) -> None:
    usage = _extension(signer, x509.KeyUsage)
    if usage is None or not usage.digital_signature:
        raise SignerUntrusted(
            f"{name_of(signer)} was not issued for signatures (key usage digitalSignature)",
            code="CB-335",
        )
    if not _permits_signing(_extension(signer, x509.ExtendedKeyUsage)):
        raise SignerUntrusted(
            f"{name_of(signer)} is limited to other uses (extended key usage)",
            code="CB-336",
        )


def _extension(certificate: x509.Certificate, kind: type[_Extension]) -> _Extension | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _unknown_limit(certificate: x509.Certificate) -> str:
    """Return a critical extension that is not judged here; empty when there is none.

    RFC 5280 §4.2: a system that does not know a critical extension must refuse the certificate.
    """
    unknown = (one for one in certificate.extensions if one.critical and one.oid not in _KNOWN)
    return next((one.oid.dotted_string for one in unknown), "")


def _permits_signing(usages: x509.ExtendedKeyUsage | None) -> bool:
    return usages is None or not _SIGNING_USAGES.isdisjoint(usages)


def _path(
    signer: x509.Certificate, others: list[x509.Certificate], anchors: Store, at: datetime
) -> list[x509.Certificate]:
    """Return the path to an anchor (RFC 5280 §6): names, signatures, validity, constraints.

    The verifier applies name constraints to alternative names. It does not judge directory names:
    a path with constraints on them is refused. So is a path with constraints on mail addresses if a
    subject holds one.
    """
    verifier = (
        PolicyBuilder()
        .store(anchors)
        .time(at)
        .max_chain_depth(MAXIMUM_INTERMEDIATES)
        .extension_policies(ca_policy=_ISSUERS, ee_policy=_SIGNERS)
        .build_client_verifier()
    )
    failed: VerificationError | None = None
    for issuers in _selections(others):
        try:
            chain = verifier.verify(signer, list(issuers)).chain
        except VerificationError as error:
            failed = error
        else:
            check_mail_names(chain)
            return chain
    raise SignerUntrusted(
        f"{name_of(signer)} does not lead up to a trusted certificate; if it should, add its "
        "issuer to the trusted ones",
    ) from failed


def _selections(others: list[x509.Certificate]) -> Iterable[Sequence[x509.Certificate]]:
    """Return the issuers to try, no two of which have the same name and the same key.

    The path verifier follows a circle of certificates that issue each other again and again. A
    signature fits only one of several different issuers, so four issuers give at most four
    selections.
    """
    if len(others) < 2:
        return [others]
    same: dict[tuple[bytes, bytes], list[x509.Certificate]] = {}
    for one in others:
        same.setdefault((one.subject.public_bytes(), _key_of(one)), []).append(one)
    return itertools.product(*same.values())


def _key_of(certificate: x509.Certificate) -> bytes:
    key = public_key_of(certificate)
    return b"" if key is None else key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


# The path verifier calls these, and turns a ValueError into a refusal.
def _must_sign_certificates(
    _: PathPolicy, __: x509.Certificate, found: x509.KeyUsage | None
) -> None:
    if found is not None and not found.key_cert_sign:
        raise ValueError("the issuer's key usage does not include signing certificates")


def _must_permit_signing(
    _: PathPolicy, __: x509.Certificate, found: x509.ExtendedKeyUsage | None
) -> None:
    if not _permits_signing(found):
        raise ValueError("the issuer's extended key usage is limited to other uses")


# An issuer must be a CA (the path verifier asserts cA if basic constraints are present), must sign
# certificates, and must serve our purpose.
_ISSUERS = (
    ExtensionPolicy.permit_all()
    .require_present(x509.BasicConstraints, Criticality.AGNOSTIC, None)
    .may_be_present(x509.KeyUsage, Criticality.AGNOSTIC, _must_sign_certificates)
    .may_be_present(x509.ExtendedKeyUsage, Criticality.AGNOSTIC, _must_permit_signing)
)
# The signer's own extensions are judged above, by name.
_SIGNERS = ExtensionPolicy.permit_all()
