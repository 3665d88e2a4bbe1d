"""Sign: an enveloped XML signature put into the document's own bytes.

Nothing else of the document moves: the validated bytes are the signed and sent ones. Parts that all
signatures of one signer share are computed once. What remains for each document is its canonical
form, one hash and one operation of the key.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from hashlib import sha256

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from claimbridge.clock import SYSTEM, Clock
from claimbridge.errors import DocumentError, SignatureInvalid, SigningError
from claimbridge.signing.form.c14n import canonical_document, canonical_element
from claimbridge.signing.form.canonical_parts import USABLE_ID, each, whole
from claimbridge.signing.form.detached import references_to
from claimbridge.signing.form.dsig import DS, EXCLUSIVE_C14N, SHA256, SIGNATURE, WSU_ID
from claimbridge.signing.form.enveloped import SignatureWriter
from claimbridge.signing.form.place import refuse_repeated_ids
from claimbridge.signing.form.splice import Edit, write
from claimbridge.signing.form.wssecurity import make_room
from claimbridge.signing.form.xades import properties_to_sign, reference_around
from claimbridge.signing.keys.identity import Identity
from claimbridge.xmlio import Canonical, canonical, parse

_DECLARED = re.compile(rb"(?:\xef\xbb\xbf)?<\?xml\s[^>]*?encoding\s*=\s*[\"']([^\"']*)[\"']")
_UTF8 = (b"UTF-8", b"UTF8", b"US-ASCII", b"ASCII")


class Signer:
    """Signs documents with one identity; immutable, so threads may share it if its key allows.

    Signatures are made with the identity's algorithm over a SHA-256 digest of the exclusive C14N,
    with the certificate and its issuers in X509Data.
    """

    def __init__(self, identity: Identity, *, clock: Clock = SYSTEM) -> None:
        self._identity = identity
        self._clock = clock
        self._methods = _methods(identity.algorithm)
        self._key_info = _key_info(identity)
        self._since = identity.certificate.not_valid_before_utc
        self._until = identity.certificate.not_valid_after_utc
        self._writer = SignatureWriter(identity.algorithm, self._key_info)

    def sign(self, document: bytes, *, element: str | None = None) -> bytes:
        """Return ``document`` with its signature in it, every other byte as it was.

        ``element`` None: one signature over the root, as its last child. The signature covers the
        whole document (URI ""), or the root by its Id if there is one. ``{namespace}name``: one
        signature over each such element, as its last child, by its Id. A ``Canonical`` is not
        parsed; the result is the same.

        Raises DocumentError for XML that we do not read, and KeyUnavailable when the certificate is
        not valid now or the key fails. Raises SigningError: CB-301 already signed, CB-302 no such
        element, CB-303 no usable Id, CB-304 not in UTF-8, CB-305 one inside the other, CB-306 no
        canonical form.
        """
        if type(document) is Canonical:
            signed = self._sign_canonical(document, element)
            if signed is not None:
                return signed
        root = self._open(document)
        if element is None:
            return write(document, {0: Edit(child=self._envelop(root, whole=True))})
        edits = {
            number: Edit(child=self._envelop(each, whole=False))
            for number, each in enumerate(root.iter(etree.Element))
            if each.tag == element
        }
        if not edits:
            raise SigningError(f"there is no {element} to sign in the document", code="CB-302")
        return write(document, edits)

    def sign_together(self, document: bytes, *, element: str) -> bytes:
        """Return ``document`` with one signature over every ``{namespace}name`` in it.

        They are children of the root. The signature covers each by its Id, so that each can be
        checked alone. It is the root's last child and covers nothing else. The key signs once.
        Raises as ``sign`` does.
        """
        root = self._open(document)
        _check_free(root, alone=True)
        found = list(root.iterchildren(element))
        if not found or len(found) != len(list(root.iter(element))):
            raise SigningError(
                f"the root holds no {element} as its child, or one stands elsewhere", code="CB-302"
            )
        references = "".join(
            _reference(_usable(one.get("Id"), etree.QName(one).localname), _canonical(one))
            for one in found
        )
        signature = self._signature(references, self._key_info)
        return write(document, {0: Edit(child=signature)})

    def sign_tree(self, root: etree._Element) -> bytes:
        """Return ``root`` in exclusive C14N, with its signature in it; raises as ``sign`` does.

        ``root`` is signed as a document of its own, without its surroundings.
        """
        try:
            document = canonical(root)
        except DocumentError as error:
            raise _no_form(error) from error
        return self.sign(document)

    def sign_envelope(self, envelope: bytes, *, headers: Sequence[str] = ()) -> bytes:
        """Return a SOAP envelope with a WS-Security signature over its Body and a new Timestamp.

        ``headers`` names header blocks (``{namespace}name``) to cover too; empty: none. The
        certificate travels as a BinarySecurityToken, without its issuers. Covered elements get a
        wsu:Id unless they have one; every other byte stays as it was. Raises as ``sign`` does, and
        SigningError CB-302 when there is no such header block, CB-307 for a document that is not an
        envelope.
        """
        certificate = _base64(self._identity.certificate.public_bytes(Encoding.DER))
        room = make_room(
            envelope,
            self._open(envelope),
            certificate=certificate,
            now=self._clock.now(),
            headers=headers,
        )
        root = parse(room.document, what="envelope to be signed")
        elements = list(root.iter(etree.Element))
        found = {element.get(WSU_ID): element for element in elements}
        references = "".join(
            _reference(name, _canonical(found[name]))
            for name in (
                _usable(room.body, "Body"),
                room.timestamp,
                *(_usable(block, "header block") for block in room.blocks),
            )
        )
        security = found[room.timestamp].getparent()
        signature = self._signature(references, room.key_info)
        assert security is not None
        return write(room.document, {elements.index(security): Edit(child=signature)})

    def sign_xades(self, document: bytes) -> bytes:
        """Return ``document`` signed as ``sign`` does, by XAdES-BES (ETSI EN 319 132-1).

        The signature covers the moment of signing and the digest of the certificate too, and
        survives being embedded in an envelope. Raises as ``sign`` does.
        """
        root = self._open(document)
        _check_free(root, alone=True)
        name = root.get("Id")
        if name is None:
            uri, content = "", _canonical(root, whole=True)
        else:
            uri = f"#{_usable(name, etree.QName(root).localname)}"
            content = _canonical(root)
        about = properties_to_sign(self._identity.certificate, self._clock.now())
        references = reference_around(uri, content) + about.reference
        signature = self._signature(references, self._key_info + about.object)
        return write(document, {0: Edit(child=about.name_signature(signature))})

    def sign_detached(self, contents: Mapping[str, bytes]) -> bytes:
        """Return one signature over many ``contents``, a document of its own beside them.

        The signature covers each content as it is, byte for byte, by its name, so that each can be
        checked alone. The key signs once. Names are file names: letters, digits, '.', '-' and '_'.
        Raises KeyUnavailable as ``sign`` does; SigningError CB-302 when there is nothing to sign,
        CB-303 for a name that cannot stand in a URI.
        """
        self._identity.check(self._clock.now())
        return self._signature(references_to(contents), self._key_info)

    def _sign_canonical(self, document: Canonical, element: str | None) -> bytes | None:
        """Return what ``sign`` would; None if only the parser can decide."""
        if element is None:
            root = whole(document)
            if root is None:
                return None
            self._check_identity()
            signature = self._over(root.name, document)
            return b"".join((document[: root.end], signature, document[root.end :]))
        parts = each(document, element)
        if parts is None:
            return None
        self._check_identity()
        pieces: list[bytes] = []
        done = 0
        for part in parts:
            pieces += (document[done : part.end], self._over(part.name, part.content))
            done = part.end
        return b"".join((*pieces, document[done:]))

    def _check_identity(self) -> None:
        now = self._clock.now()
        if not self._since <= now <= self._until:
            self._identity.check(now)

    def _over(self, name: bytes, content: bytes) -> bytes:
        """Return an enveloped signature; an empty ``name`` covers the whole document."""
        uri = b"#" + name if name else b""
        return self._writer.signature(uri, sha256(content).digest(), self._identity.sign)

    def _open(self, document: bytes) -> etree._Element:
        self._identity.check(self._clock.now())
        root = parse(document, what="document to be signed")
        _check_encoding(document)
        _check_ids(root)
        return root

    def _envelop(self, element: etree._Element, *, whole: bool) -> bytes:
        """Return the signature that ``element`` is to carry as its last child."""
        _check_free(element, alone=whole)
        name = element.get("Id")
        if name is None and whole:
            return self._over(b"", _canonical(element, whole=True))
        usable = _usable(name, etree.QName(element).localname)
        return self._over(usable.encode(), _canonical(element))

    def _signature(self, references: str, key_info: str) -> bytes:
        """Return the bytes of a ds:Signature; ``references`` hold the digests already."""
        # Two spellings of one SignedInfo: in the document the prefix ds is declared on Signature;
        # its canonical form, which is what the key signs, declares it on SignedInfo itself.
        info = f"{self._methods}{references}</ds:SignedInfo>"
        value = self._identity.sign(f'<ds:SignedInfo xmlns:ds="{DS}">{info}'.encode())
        return (
            f'<ds:Signature xmlns:ds="{DS}"><ds:SignedInfo>{info}'
            f"<ds:SignatureValue>{_base64(value)}</ds:SignatureValue>{key_info}</ds:Signature>"
        ).encode()


def _methods(algorithm: str) -> str:
    """Return the part of SignedInfo that one signer always writes, in canonical form."""
    return (
        f'<ds:CanonicalizationMethod Algorithm="{EXCLUSIVE_C14N}"></ds:CanonicalizationMethod>'
        f'<ds:SignatureMethod Algorithm="{algorithm}"></ds:SignatureMethod>'
    )


def _reference(name: str, signed: bytes) -> str:
    """Return a Reference to an Id, in canonical form; ``name`` needs no escape."""
    return (
        f'<ds:Reference URI="#{name}"><ds:Transforms>'
        f'<ds:Transform Algorithm="{EXCLUSIVE_C14N}"></ds:Transform></ds:Transforms>'
        f'<ds:DigestMethod Algorithm="{SHA256}"></ds:DigestMethod>'
        f"<ds:DigestValue>{_base64(sha256(signed).digest())}</ds:DigestValue>"
        "</ds:Reference>"
    )


def _key_info(identity: Identity) -> str:
    # A self-signed issuer is left out: a verifier trusts it already, or never will.
    issuers = [found for found in identity.chain if found.subject != found.issuer]
    certificates = "".join(map(_x509_certificate, (identity.certificate, *issuers)))
    return f"<ds:KeyInfo><ds:X509Data>{certificates}</ds:X509Data></ds:KeyInfo>"


def _x509_certificate(certificate: x509.Certificate) -> str:
    der = _base64(certificate.public_bytes(Encoding.DER))
    return f"<ds:X509Certificate>{der}</ds:X509Certificate>"


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _canonical(element: etree._Element, *, whole: bool = False) -> bytes:
    try:
        return canonical_document(element) if whole else canonical_element(element)
    except DocumentError as error:
        raise _no_form(error) from error


def _no_form(error: DocumentError) -> SigningError:
    return SigningError(f"cannot be signed: {error.message}", code="CB-306")


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


def _usable(name: str | None, what: str) -> str:
    """Return an Id that a Reference can point at."""
    if name is None or not USABLE_ID.fullmatch(name.encode()):
        raise SigningError(
            f"{what} needs an Id attribute to be signed by (a letter, then letters, digits, "
            f"'.', '-' or '_'), and has {'none' if name is None else repr(name[:60])}",
            code="CB-303",
        )
    return name
