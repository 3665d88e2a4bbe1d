"""What ``doctor`` says of certificates and revocation lists: whether they are in force."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

from cryptography import x509

from claimbridge.clock import SYSTEM
from claimbridge.config import LedgerConfig, Replies
from claimbridge.errors import ConfigurationError
from claimbridge.ledger import open_identities
from claimbridge.ledger.credentials import reply_policy
from claimbridge.signing import Identity, Policy

EXPIRY_WARNING = dt.timedelta(days=30)


def check_identity(config: LedgerConfig) -> str | tuple[str, str]:
    """Return what is known of the identities that vouchers are signed with, and how it is."""
    identities = open_identities(config)
    if not identities:
        return "warning", "none: vouchers are not signed"
    text = "; then ".join(map(_certificate_text, identities))
    now = SYSTEM.now()
    # One that is about to expire is no trouble where the next is there already.
    left = max(each.certificate.not_valid_after_utc for each in identities) - now
    if left < dt.timedelta(0):
        return "failure", f"{text}: expired; get a new certificate"
    begins = min(each.certificate.not_valid_before_utc for each in identities)
    if begins > now:
        return "failure", (
            f"{text}: not valid before {begins:%Y-%m-%d %H:%M}Z; wait until then, or check this "
            "machine's clock"
        )
    if left < EXPIRY_WARNING:
        return "warning", f"{text}: expires in {left.days} days; get a new certificate"
    return text


def _certificate_text(identity: Identity) -> str:
    certificate = identity.certificate
    name = certificate.subject.rfc4514_string()
    begins, until = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    since = f"from {begins:%Y-%m-%d} " if begins > SYSTEM.now() else ""
    return f"{name}, {since}until {until:%Y-%m-%d}"


def check_replies(config: LedgerConfig) -> str | tuple[str, str]:
    """Return how the ERP's signed replies are judged, and what of that judges nothing."""
    policy = reply_policy(config)
    assert policy is not None  # looked at where replies are signed
    assert config.replies is not None
    doubts = [
        *_age_doubts(config.replies),
        *_anchor_doubts(policy),
        *_list_doubts(policy, config.replies),
    ]
    if doubts:
        return "warning", "; ".join(doubts)
    return f"signed, and no older than {config.replies.max_age:g} s"


def _age_doubts(replies: Replies) -> Iterator[str]:
    if replies.max_age is None:
        bound = " (addressing binds an answer to its question where the ERP signs that)"
        yield (
            "replies has no max_age: a signed reply counts however old it is, and again"
            f"{bound if replies.addressing else ''}; set max_age = 300"
        )


def _anchor_doubts(policy: Policy) -> Iterator[str]:
    now = SYSTEM.now()
    for anchor in _certificates(policy):
        name = anchor.subject.rfc4514_string()
        if anchor.not_valid_after_utc < now:
            yield f"{name} expired on {anchor.not_valid_after_utc:%Y-%m-%d}"
        elif anchor.not_valid_before_utc > now:
            yield f"{name} is not valid before {anchor.not_valid_before_utc:%Y-%m-%d}"


def _list_doubts(policy: Policy, replies: Replies) -> Iterator[str]:
    anchors = _certificates(policy)
    issuers = [each.subject for each in anchors]
    if policy.pin:
        issuers += [each.issuer for each in anchors]
    for file, data in zip(replies.crls, policy.crls, strict=True):
        try:
            crl = _list(data)
        except ValueError as error:
            raise ConfigurationError(
                f"replies.crls: {file} is no revocation list", code="CB-345"
            ) from error
        if crl.issuer not in issuers:
            yield (
                f"the revocation list {file} is issued by {crl.issuer.rfc4514_string()}, which "
                "is no anchor of replies.trust: it says nothing of whom these issued; name the "
                "list of the right issuer, or ignore this where that is an authority between"
            )
        elif crl.next_update_utc is not None and crl.next_update_utc < SYSTEM.now():
            until = f"{crl.next_update_utc:%Y-%m-%d}"
            yield f"the revocation list {file} was to be replaced by {until}"


def _certificates(policy: Policy) -> Sequence[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(policy.trust or policy.pin)
    except ValueError as error:
        raise ConfigurationError(
            "replies.trust, or replies.pin, holds no certificate in PEM", code="CB-345"
        ) from error


def _list(data: bytes) -> x509.CertificateRevocationList:
    if b"-----BEGIN" in data:
        return x509.load_pem_x509_crl(data)
    return x509.load_der_x509_crl(data)


__all__ = ["check_identity", "check_replies"]
