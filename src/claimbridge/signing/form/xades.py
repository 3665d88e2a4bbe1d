"""XAdES-BES: the moment of signing and the signer's certificate are signed too.

ETSI EN 319 132-1. The signed properties are written in their own exclusive C14N, and their
Reference declares that canonicalisation as a Transform. So their bytes are the same in any place.
"""

from __future__ import annotations

import hashlib
import hmac
import uuid
from datetime import datetime, timedelta
from typing import Final

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from claimbridge.errors import DocumentError, SignatureInvalid, SignerUntrusted
from claimbridge.signing.form.c14n import canonical_element
from claimbridge.signing.form.dsig import (
    DIGESTS,
    DS,
    ENVELOPED,
    EXCLUSIVE_C14N,
    SHA256,
    SIGNED_PROPERTIES,
    XADES,
    digest_value,
    ds,
    xades,
)
from claimbridge.signing.form.structure import Signature, binary, elements

CLOCK_SKEW: Final = timedelta(seconds=60)
"""How far a sender's clock may be ahead of ours (WS-Security 1.1 §10 leaves the value to us)."""


class Properties(msgspec.Struct, frozen=True):
    """What a signature says about itself: its Object, the Reference to it, and its own Id."""

    name: str
    reference: str
    object: str

    def name_signature(self, signature: bytes) -> bytes:
        """Return ``signature`` with the Id that its properties point at."""
        return signature.replace(b"<ds:Signature ", f'<ds:Signature Id="{self.name}" '.encode(), 1)


def properties_to_sign(certificate: x509.Certificate, now: datetime) -> Properties:
    """Return the properties of a signature made ``now`` with ``certificate``."""
    name = f"xades-{uuid.uuid4().hex}"
    der = certificate.public_bytes(Encoding.DER)
    inside = (
        "<xades:SignedSignatureProperties>"
        f"<xades:SigningTime>{now:%Y-%m-%dT%H:%M:%SZ}</xades:SigningTime>"
        "<xades:SigningCertificateV2><xades:Cert><xades:CertDigest>"
        f'<ds:DigestMethod xmlns:ds="{DS}" Algorithm="{SHA256}"></ds:DigestMethod>'
        f'<ds:DigestValue xmlns:ds="{DS}">{digest_value(der)}</ds:DigestValue>'
        "</xades:CertDigest></xades:Cert></xades:SigningCertificateV2>"
        "</xades:SignedSignatureProperties>"
    )
    signed = (
        f'<xades:SignedProperties xmlns:xades="{XADES}" Id="{name}-properties">{inside}'
        "</xades:SignedProperties>"
    )
    return Properties(
        name,
        _reference(
            f'Type="{SIGNED_PROPERTIES}" URI="#{name}-properties"',
            (EXCLUSIVE_C14N,),
            signed.encode(),
        ),
        f'<ds:Object><xades:QualifyingProperties xmlns:xades="{XADES}" Target="#{name}">{signed}'
        "</xades:QualifyingProperties></ds:Object>",
    )


def reference_around(uri: str, content: bytes) -> str:
    """Return the Reference to the document around the signature, in canonical form."""
    return _reference(f'URI="{uri}"', (ENVELOPED, EXCLUSIVE_C14N), content)


def check_properties(signature: Signature, signer: x509.Certificate, now: datetime) -> datetime:
    """Return when the signature says it was made.

    Call it after the signature's value was verified, while the signature stands in its document.
    Raises SignatureInvalid: CB-328 altered, CB-350 not XAdES-BES, CB-352 an impossible moment.
    Raises SignerUntrusted CB-351 when the properties name another certificate.
    """
    assert signature.properties is not None
    holder, reference = signature.properties
    qualifying = _only(holder, "QualifyingProperties", attributes=("Id",))
    signed = _only(qualifying, "SignedProperties", attributes=("Id", "Target"))
    own = signature.element.get("Id")
    if not own or qualifying.get("Target") != f"#{own}" or reference.uri != f"#{signed.get('Id')}":
        raise _wrong_form("it is about another signature")
    try:
        content = canonical_element(signed, reference.prefixes)
    except DocumentError as error:
        raise SignatureInvalid("SignedProperties have no canonical form", code="CB-342") from error
    digest = hashlib.new(reference.hash, content).digest()
    if not hmac.compare_digest(digest, reference.digest):
        raise SignatureInvalid("SignedProperties were altered after signing", code="CB-328")
    about = _by_name(_only(signed, "SignedSignatureProperties", attributes=("Id",)))
    _check_certificate(about, signer)
    return _check_time(about, signer, now)


def _by_name(properties: etree._Element) -> dict[str, etree._Element]:
    found = {str(each.tag): each for each in elements(properties, attributes=("Id",))}
    known = {xades("SigningTime"), xades("SigningCertificate"), xades("SigningCertificateV2")}
    if len(found) != len(properties) or not found.keys() <= known:
        # A signature policy, a role, a place: nothing here would judge them.
        raise _wrong_form("it says more than the moment and the certificate")
    return found


def _check_certificate(about: dict[str, etree._Element], signer: x509.Certificate) -> None:
    kinds = [about[name] for name in map(xades, _CERTIFICATE_KINDS) if name in about]
    if len(kinds) != 1:
        raise _wrong_form("it must name the signer's certificate once")
    # The signer's comes first (EN 319 132-1 §5.2.2); issuers may follow.
    first = next(kinds[0].iterchildren(xades("Cert")), None)
    named = None if first is None else first.find(xades("CertDigest"))
    parts = [] if named is None else elements(named)
    if [part.tag for part in parts] != [ds("DigestMethod"), ds("DigestValue")]:
        raise _wrong_form("it does not hold the certificate's digest")
    hash_name = DIGESTS.get(parts[0].get("Algorithm", ""))
    if hash_name is None:
        raise _wrong_form("the digest algorithm of the certificate is not accepted")
    der = signer.public_bytes(Encoding.DER)
    if not hmac.compare_digest(hashlib.new(hash_name, der).digest(), binary(parts[1])):
        raise SignerUntrusted(
            "the signature names another certificate than the one it comes with", code="CB-351"
        )


_CERTIFICATE_KINDS: Final = ("SigningCertificate", "SigningCertificateV2")


def _check_time(
    about: dict[str, etree._Element], signer: x509.Certificate, now: datetime
) -> datetime:
    stated = about.get(xades("SigningTime"))
    try:
        moment = datetime.fromisoformat("" if stated is None else (stated.text or "").strip())
    except ValueError:
        raise _wrong_form("it holds no signing time") from None
    if moment.tzinfo is None:
        raise _wrong_form("its signing time has no time zone")
    valid = signer.not_valid_before_utc <= moment <= signer.not_valid_after_utc
    if not valid or moment - now > CLOCK_SKEW:
        raise SignatureInvalid(
            f"the signature says it was made at {moment.isoformat()}, "
            + ("which is still to come" if valid else "when its certificate was not valid"),
            code="CB-352",
        )
    return moment


def _only(parent: etree._Element, local: str, *, attributes: tuple[str, ...]) -> etree._Element:
    """Return the one child that XAdES-BES has here; other children are refused."""
    found = elements(parent, attributes=attributes)
    if [child.tag for child in found] != [xades(local)]:
        raise _wrong_form(f"it must hold {local}, and nothing else")
    return found[0]


def _wrong_form(why: str) -> SignatureInvalid:
    return SignatureInvalid(
        f"what the signature says about itself is not XAdES-BES as accepted here: {why}",
        code="CB-350",
    )


def _reference(attributes: str, transforms: tuple[str, ...], content: bytes) -> str:
    steps = "".join(f'<ds:Transform Algorithm="{step}"></ds:Transform>' for step in transforms)
    return (
        f"<ds:Reference {attributes}><ds:Transforms>{steps}</ds:Transforms>"
        f'<ds:DigestMethod Algorithm="{SHA256}"></ds:DigestMethod>'
        f"<ds:DigestValue>{digest_value(content)}</ds:DigestValue></ds:Reference>"
    )
