"""Policy: whose signatures count, for what, and at which moment."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec
from cryptography import x509

from claimbridge.bounds import check_numbers
from claimbridge.errors import ConfigurationError
from claimbridge.signing.keys.certificates import UnreadableCertificate, from_pem
from claimbridge.signing.trust.ocsp import read_response
from claimbridge.signing.trust.revocation import read_list
from claimbridge.signing.trust.sizes import MAXIMUM_RSA_BITS, too_large


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What a signature must be to count; raises ConfigurationError where it contradicts itself.

    Exactly one of ``trust`` and ``pin`` says who is trusted.
    """

    placement: Literal["document", "soap"] = "document"
    """``document``: the signature is the last child of the root and covers the root.
    ``soap``: it lies in the one WS-Security header and covers the one Body in its place."""

    trust: bytes = b""
    """PEM text of the certificates that signers' certificates must lead up to. Empty: ``pin`` says
    who is trusted."""

    pin: bytes = b""
    """PEM text of the signers' own certificates, one or more (two while one replaces the other).
    Empty: ``trust`` says who is trusted."""

    subjects: tuple[str, ...] = ()
    """Common names (CN), one of which the signer must have, to the letter. Empty: every signer that
    the anchor or the pin admits."""

    at: datetime | None = None
    """The moment at which certificates and timestamps are judged. None: now, by the clock."""

    max_age: float | None = None
    """Seconds that may have passed since the signed WS-Security Timestamp was created. None: the
    age is not judged, and no Timestamp is needed."""

    crls: tuple[bytes, ...] = ()
    """Revocation lists, PEM or DER, of the issuers below ``trust``; nothing is ever fetched. Empty:
    nobody was revoked, as far as we know."""

    ocsp: tuple[bytes, ...] = ()
    """OCSP responses (RFC 6960), DER, about certificates below ``trust``; nothing is ever fetched.
    They may be those of many signers. Empty: no responder was asked."""

    usages: tuple[str, ...] = ()
    """Extended key usages, as object identifiers (``1.3.6.1.5.5.7.3.36``: document signing), one of
    which the signer's certificate must name. Empty: it may do without; where it names some, one
    must be for signatures or for clients."""

    revocation: Literal["known", "required"] = "known"
    """``known``: a certificate is refused when a list or a response says that it was revoked.
    ``required``: also when no list of its issuer and no response about it is in force here."""

    second_opinion: bool = False
    """True: signxml, an independent verifier, must accept the same signature over the same content
    too. It costs several times what verifying does."""

    def __post_init__(self) -> None:
        if bool(self.trust) == bool(self.pin):
            raise _contradiction("give either trust (anchors) or pin (certificates)")
        if self.placement not in ("document", "soap"):
            raise _contradiction(f"placement is document or soap, not {self.placement!r}")
        msgspec.structs.force_setattr(self, "subjects", tuple(self.subjects))
        if self.at is not None and self.at.tzinfo is None:
            raise _contradiction("at has no time zone")
        if self.max_age is not None and self.placement == "document":
            raise _contradiction("max_age is for placement soap: a document has no Timestamp")
        check_numbers(
            "replies", {"max_age": self.max_age}, where="signature policy: ", code="CB-345"
        )
        if self.max_age is not None:
            msgspec.structs.force_setattr(self, "max_age", float(self.max_age))
        for one in read_certificates(self.trust or self.pin):
            found = too_large(one)
            if found:
                raise ConfigurationError(
                    f"a trusted certificate, {one.subject.rfc4514_string()!r}, holds {found}; "
                    f"take one with {MAXIMUM_RSA_BITS} bits at most",
                    code="CB-359",
                )
        self._check_revocation()
        msgspec.structs.force_setattr(self, "usages", tuple(self.usages))
        for usage in self.usages:
            try:
                x509.ObjectIdentifier(usage)
            except ValueError:
                raise _contradiction(f"{usage!r} is not an object identifier") from None

    def _check_revocation(self) -> None:
        msgspec.structs.force_setattr(self, "crls", tuple(self.crls))
        if self.revocation not in ("known", "required"):
            raise _contradiction(f"revocation is known or required, not {self.revocation!r}")
        msgspec.structs.force_setattr(self, "ocsp", tuple(self.ocsp))
        if self.pin and (self.crls or self.ocsp or self.revocation == "required"):
            raise _contradiction("a pinned certificate is revoked by taking the pin out")
        for data in self.crls:
            read_list(data)
        for data in self.ocsp:
            read_response(data)


def read_certificates(pem: bytes) -> list[x509.Certificate]:
    """Return the certificates of PEM text; raises ConfigurationError when there is none."""
    try:
        return from_pem(pem)
    except UnreadableCertificate as error:
        raise ConfigurationError(
            "the trusted certificates cannot be read; give them as PEM text "
            "(-----BEGIN CERTIFICATE-----)",
            code="CB-346",
        ) from error


def _contradiction(what: str) -> ConfigurationError:
    return ConfigurationError(f"signature policy: {what}", code="CB-345")
