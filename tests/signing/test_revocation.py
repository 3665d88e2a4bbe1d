"""Certificates that were taken back: by the lists in the policy, and by nothing else."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from tests.signing.issuing import AT, At, Holder, issue

from claimbridge.errors import ConfigurationError, SignerUntrusted
from claimbridge.signing import Identity, Policy, Signer, verify

ROOT = issue("root", ca=True)
MIDDLE = issue("middle", ROOT, ca=True)
SIGNER = issue("signer", MIDDLE)
SIGNED = Signer(Identity.from_pem(SIGNER.identity_pem(MIDDLE)), clock=At()).sign(b"<a/>")


def revoke(
    by: Holder,
    *revoked: Holder,
    name: x509.Name | None = None,
    since: datetime = AT - timedelta(hours=1),
    issued: datetime = AT - timedelta(hours=1),
    limited: bool = False,
) -> bytes:
    """A list by ``by`` that names ``revoked``, in force for a day."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(name or by.certificate.subject)
        .last_update(issued)
        .next_update(issued + timedelta(days=1))
    )
    if limited:
        builder = builder.add_extension(
            x509.IssuingDistributionPoint(None, None, True, False, None, False, False),
            critical=True,
        )
    for one in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(one.certificate.serial_number)
        builder = builder.add_revoked_certificate(entry.revocation_date(since).build())
    return builder.sign(by.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def verdict(*crls: bytes, revocation: str = "known") -> str:
    policy = Policy(trust=ROOT.pem, at=AT, crls=crls, revocation=revocation)
    try:
        verify(SIGNED, policy)
    except SignerUntrusted as error:
        return error.code
    return "accepted"


def test_who_was_revoked_is_refused() -> None:
    """The signer or its issuer, by its own issuer's list, also by one that is old by now."""
    old = AT - timedelta(days=9)
    assert verdict() == "accepted"
    assert verdict(revoke(MIDDLE)) == "accepted"
    assert verdict(revoke(MIDDLE, SIGNER)) == "CB-348"
    assert verdict(revoke(ROOT, MIDDLE)) == "CB-348"
    assert verdict(revoke(MIDDLE, SIGNER, issued=old, since=old)) == "CB-348"
    assert verdict(revoke(MIDDLE, SIGNER, since=AT + timedelta(hours=1))) == "accepted"


def test_a_list_of_somebody_else_says_nothing() -> None:
    """A list in the issuer's name by another key, another issuer's, or a limited one."""
    other = issue("middle", ca=True)
    assert verdict(revoke(other, SIGNER)) == "accepted"
    assert verdict(revoke(ROOT, SIGNER)) == "accepted"
    assert verdict(revoke(MIDDLE, SIGNER, limited=True)) == "accepted"
    assert verdict(revoke(other), revoke(ROOT), revocation="required") == "CB-349"


def test_required_fails_closed() -> None:
    """With ``required`` every certificate below the anchor needs a list that is in force."""
    middle, root = revoke(MIDDLE), revoke(ROOT)
    stale = revoke(MIDDLE, issued=AT - timedelta(days=2))
    early = revoke(MIDDLE, issued=AT + timedelta(hours=1))
    assert verdict(middle, root, revocation="required") == "accepted"
    for lists in ((), (middle,), (root,), (stale, root), (early, root)):
        assert verdict(*lists, revocation="required") == "CB-349"
    limited = revoke(MIDDLE, limited=True)
    assert verdict(limited, root, revocation="required") == "CB-349"


def test_lists_that_make_no_sense_are_refused_with_the_policy() -> None:
    """An unreadable list, an unknown mode, or lists beside a pin: a ConfigurationError."""
    for settings in (
        {"trust": ROOT.pem, "crls": (b"nonsense",)},
        {"trust": ROOT.pem, "crls": (b"-----BEGIN X509 CRL-----",)},
        {"trust": ROOT.pem, "revocation": "maybe"},
        {"pin": SIGNER.pem, "crls": (revoke(MIDDLE),)},
        {"pin": SIGNER.pem, "revocation": "required"},
    ):
        with pytest.raises(ConfigurationError):
            Policy(**settings)
