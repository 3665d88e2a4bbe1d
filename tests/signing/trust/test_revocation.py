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
    scope: x509.ExtensionType | None = None,
    says: x509.ExtensionType | None = None,
) -> bytes:
    """A list by ``by`` that names ``revoked``, in force for a day.

    ``scope`` is what it says of itself, critically; ``says`` what it says of its first entry.
    """
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(name or by.certificate.subject)
        .last_update(issued)
        .next_update(issued + timedelta(days=1))
    )
    if limited:
        scope = distribution(only_contains_user_certs=True)
    if scope is not None:
        builder = builder.add_extension(scope, critical=True)
    for number, one in enumerate(revoked):
        entry = x509.RevokedCertificateBuilder().serial_number(one.certificate.serial_number)
        if says is not None and number == 0:
            entry = entry.add_extension(says, critical=isinstance(says, x509.CertificateIssuer))
        builder = builder.add_revoked_certificate(entry.revocation_date(since).build())
    return builder.sign(by.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def distribution(**only: bool) -> x509.IssuingDistributionPoint:
    """What partitioned lists, and those of AD CS for users or issuers alone, say of themselves."""
    return x509.IssuingDistributionPoint(
        None,
        None,
        only.get("only_contains_user_certs", False),
        only.get("only_contains_ca_certs", False),
        None,
        only.get("indirect_crl", False),
        False,
    )


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
    """A list in the issuer's name by another key, or another issuer's."""
    other = issue("middle", ca=True)
    assert verdict(revoke(other, SIGNER)) == "accepted"
    assert verdict(revoke(ROOT, SIGNER)) == "accepted"
    assert verdict(revoke(other), revoke(ROOT), revocation="required") == "CB-349"


@pytest.mark.parametrize(
    "scope",
    [
        distribution(only_contains_user_certs=True),
        distribution(only_contains_ca_certs=True),
        distribution(indirect_crl=True),
        x509.IssuingDistributionPoint(
            [x509.UniformResourceIdentifier("http://crl.example/7")],
            *(None, False, False, None, False, False),
        ),
        x509.IssuingDistributionPoint(
            *(None, None, False, False),
            frozenset([x509.ReasonFlags.key_compromise]),
            *(False, False),
        ),
        x509.DeltaCRLIndicator(7),
        x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"),
    ],
)
def test_who_is_named_was_revoked_whatever_the_lists_scope(scope: x509.ExtensionType) -> None:
    """A list of the issuer that names the signer counts; only its silence proves nothing."""
    assert verdict(revoke(MIDDLE, SIGNER, scope=scope)) == "CB-348"
    assert verdict(revoke(MIDDLE, scope=scope)) == "accepted"
    silent = revoke(MIDDLE, scope=scope)
    assert verdict(silent, revoke(ROOT), revocation="required") == "CB-349"
    # Beside a whole list that says nothing against it, too.
    assert verdict(revoke(MIDDLE), revoke(MIDDLE, SIGNER, scope=scope)) == "CB-348"


def test_an_entry_counts_for_the_issuer_that_it_names() -> None:
    """In an indirect list, from the entry on that names another issuer (RFC 5280 §5.3.3)."""
    whole = distribution(indirect_crl=True)
    for name, expected in ((ROOT, "accepted"), (MIDDLE, "CB-348")):
        issuer = x509.CertificateIssuer([x509.DirectoryName(name.certificate.subject)])
        other = issue("other", MIDDLE)
        assert verdict(revoke(MIDDLE, SIGNER, scope=whole, says=issuer)) == expected
        assert verdict(revoke(MIDDLE, other, SIGNER, scope=whole, says=issuer)) == expected


def test_a_hold_that_ended_is_told_by_a_whole_list() -> None:
    """A delta that lets somebody go revokes nobody, and takes no other list's word back."""
    let_go = x509.CRLReason(x509.ReasonFlags.remove_from_crl)
    delta = revoke(MIDDLE, SIGNER, scope=x509.DeltaCRLIndicator(7), says=let_go)
    assert verdict(delta) == "accepted"
    assert verdict(delta, revoke(MIDDLE, SIGNER)) == "CB-348"
    # Twice in one list: the entry that revokes counts.
    twice = revoke(MIDDLE, SIGNER, SIGNER, scope=x509.DeltaCRLIndicator(7), says=let_go)
    assert verdict(twice) == "CB-348"


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
