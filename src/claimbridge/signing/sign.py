"""Sign: an enveloped XML signature put into the document's own bytes.

Nothing else of the document moves, so what was validated is what is signed and sent. All that is
the same for every signature of one signer is computed once: what remains per document is its
canonical form, one hash and one operation of the key.
"""

from __future__ import annotations

import base64
import hashlib
import re

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from claimbridge.clock import SYSTEM, Clock
from claimbridge.errors import DocumentError, KeyUnavailable, SignatureInvalid, SigningError
from claimbridge.signing.c14n import surroundings
from claimbridge.signing.dsig import DS, ENVELOPED, EXCLUSIVE_C14N, SHA256, SIGNATURE
from claimbridge.signing.identity import Identity
from claimbridge.signing.place import refuse_repeated_ids
from claimbridge.signing.splice import append_children
from claimbridge.xmlio import canonical, parse

# What xs:ID allows, within ASCII: it stands in a URI and in XML without any escape.
_ID = re.compile(r"[A-Za-z_][A-Za-z0-9._\-]{0,127}")
_DECLARED = re.compile(rb"(?:\xef\xbb\xbf)?<\?xml\s[^>]*?encoding\s*=\s*[\"']([^\"']*)[\"']")
_UTF8 = (b"UTF-8", b"UTF8", b"US-ASCII", b"ASCII")


class Signer:
    """Signs documents with one identity; immutable, so threads may share it if its key allows.

    Signatures are RSA-SHA256, ECDSA-SHA256 (P-256) or ECDSA-SHA384 (P-384) over a SHA-256 digest
    of the exclusive C14N, with the certificate and its issuers in X509Data.
    """

    def __init__(self, identity: Identity, *, clock: Clock = SYSTEM) -> None:
        self._identity = identity
        self._clock = clock
        # Two spellings of one SignedInfo: in the document the prefix ds is declared on Signature;
        # its canonical form, which is what the key signs, declares it on SignedInfo itself.
        self._before_uri, self._after_uri = _signed_info(identity.algorithm)
        self._after_digest = "</ds:DigestValue></ds:Reference></ds:SignedInfo>"
        self._key_info = _key_info(identity)

    def sign(self, document: bytes, *, element: str | None = None) -> bytes:
        """Return ``document`` with its signature in it, every other byte as it was.

        ``element`` None: one signature over the root, as its last child; it covers the whole
        document (URI ""), or the root by its Id where it carries one. ``{namespace}name``: one
        over each such element, as its last child, by its Id.

        Raises DocumentError when ``document`` is no XML we read; KeyUnavailable when the
        certificate is not valid now or the key fails; SigningError CB-301 already signed, CB-302
        no such element, CB-303 no usable Id, CB-304 not in UTF-8, CB-305 one inside the other,
        CB-306 no canonical form.
        """
        self._identity.check(self._clock.now())
        root = parse(document, what="document to be signed")
        _check_encoding(document)
        _check_ids(root)
        if element is None:
            return append_children(document, {0: self._signature(root, whole=True)})
        children = {
            number: self._signature(each, whole=False)
            for number, each in enumerate(root.iter(etree.Element))
            if each.tag == element
        }
        if not children:
            raise SigningError(f"there is no {element} to sign in the document", code="CB-302")
        return append_children(document, children)

    def _signature(self, element: etree._Element, *, whole: bool) -> bytes:
        """Return the bytes of the ds:Signature over ``element``."""
        _check_free(element, alone=whole)
        uri = _uri(element, whole=whole)
        try:
            signed = canonical(element)
        except DocumentError as error:
            raise SigningError(f"cannot be signed: {error.message}", code="CB-306") from error
        if not uri:
            before, after = surroundings(element)
            signed = before + signed + after
        digest = base64.b64encode(hashlib.sha256(signed).digest()).decode()
        info = f'{self._before_uri}"{uri}"{self._after_uri}{digest}{self._after_digest}'
        value = base64.b64encode(self._sign(f'<ds:SignedInfo xmlns:ds="{DS}">{info}'.encode()))
        return (
            f'<ds:Signature xmlns:ds="{DS}"><ds:SignedInfo>{info}'
            f"<ds:SignatureValue>{value.decode()}</ds:SignatureValue>{self._key_info}"
            "</ds:Signature>"
        ).encode()

    def _sign(self, data: bytes) -> bytes:
        try:
            return self._identity.key.sign(data)
        except Exception as error:
            # Whatever a key outside this process raises; its own words may hold a PIN.
            raise KeyUnavailable(
                "the key did not sign; see the cause, and whether its token is there and open",
                code="CB-309",
            ) from error


def _signed_info(algorithm: str) -> tuple[str, str]:
    """Return SignedInfo, in canonical form without its start tag, before and after the URI."""
    return (
        f'<ds:CanonicalizationMethod Algorithm="{EXCLUSIVE_C14N}"></ds:CanonicalizationMethod>'
        f'<ds:SignatureMethod Algorithm="{algorithm}"></ds:SignatureMethod><ds:Reference URI='
    ), (
        f'><ds:Transforms><ds:Transform Algorithm="{ENVELOPED}"></ds:Transform>'
        f'<ds:Transform Algorithm="{EXCLUSIVE_C14N}"></ds:Transform></ds:Transforms>'
        f'<ds:DigestMethod Algorithm="{SHA256}"></ds:DigestMethod><ds:DigestValue>'
    )


def _key_info(identity: Identity) -> str:
    # A self-signed issuer is left out: a verifier trusts it already, or never will.
    issuers = [found for found in identity.chain if found.subject != found.issuer]
    certificates = "".join(map(_x509_certificate, (identity.certificate, *issuers)))
    return f"<ds:KeyInfo><ds:X509Data>{certificates}</ds:X509Data></ds:KeyInfo>"


def _x509_certificate(certificate: x509.Certificate) -> str:
    der = base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()
    return f"<ds:X509Certificate>{der}</ds:X509Certificate>"


def _check_encoding(document: bytes) -> None:
    declared = _DECLARED.match(document)
    # The parser has read it: bytes that are not UTF-8 say so, or begin as UTF-16 does.
    if b"\0" in document[:4] or (declared and declared[1].upper() not in _UTF8):
        raise SigningError(
            "the document to be signed is not in UTF-8; convert it first", code="CB-304"
        )


def _check_ids(root: etree._Element) -> None:
    try:
        refuse_repeated_ids(root)
    except SignatureInvalid as error:
        raise SigningError(f"cannot be signed: {error.message}", code="CB-303") from error


def _check_free(element: etree._Element, *, alone: bool) -> None:
    name = etree.QName(element).localname
    if any(child.tag == SIGNATURE for child in element):
        raise SigningError(f"this {name} carries a signature already", code="CB-301")
    if not alone and next(element.iterancestors(str(element.tag)), None) is not None:
        raise SigningError(
            f"a {name} stands inside another; each would cover the other's signature",
            code="CB-305",
        )


def _uri(element: etree._Element, *, whole: bool) -> str:
    """Return what the Reference says; empty stands for the whole document."""
    found = element.get("Id")
    if found is None and whole:
        return ""
    if found is None or not _ID.fullmatch(found):
        name = etree.QName(element).localname
        raise SigningError(
            f"{name} needs an Id attribute to be signed by (a letter, then letters, digits, "
            f"'.', '-' or '_'), and has {'none' if found is None else repr(found[:60])}",
            code="CB-303",
        )
    return f"#{found}"
