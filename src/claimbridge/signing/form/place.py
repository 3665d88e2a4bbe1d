"""Finds the signature in its one place, and the element it must cover there.

A signature counts for an element in a fixed place, never for an element with a fixed Id: signature
wrapping works by Ids (McIntosh and Austel, 2005).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import msgspec
from cryptography import x509
from lxml import etree

from claimbridge.errors import SignatureInvalid
from claimbridge.signing.form.dsig import (
    BASE64_BINARY,
    ID_ATTRIBUTES,
    SIGNATURE,
    SOAP11,
    SOAP12,
    WSSE11,
    WSU_ID,
    X509_V3,
    ds,
    wsse,
    wsu,
)
from claimbridge.signing.form.structure import (
    binary,
    elements,
    no_certificate,
    own_id,
    read_certificate,
    read_x509_data,
)

# Threads may share it: lxml lets one at a time through a compiled expression.
_IDS = etree.XPath("//@*[translate(local-name(), 'ID', 'id') = 'id']", smart_strings=False)


class SignaturePlace(msgspec.Struct, frozen=True, kw_only=True):
    """Where a signature lies and which elements it may cover.

    The signature must cover ``target``, and the caller gets it. ``coverable`` holds, by the URIs
    that may point there, every element a Reference may cover, the target included. ``security`` is
    the WS-Security header; None for a document. ``blocks`` are the other header blocks.
    """

    signature: etree._Element
    target: etree._Element
    coverable: Mapping[str, etree._Element]
    security: etree._Element | None = None
    blocks: tuple[etree._Element, ...] = ()


def refuse_repeated_ids(root: etree._Element) -> None:
    """Raise SignatureInvalid if two elements share an id, in whatever spelling.

    Any attribute called id counts, in any case and namespace: a receiver that resolves ids more
    loosely than we do must find the same element.
    """
    values = [str(value) for value in _IDS(root)]
    if len(set(values)) != len(values):
        twice = Counter(values).most_common(1)[0][0]
        raise SignatureInvalid(
            f"the id {twice[:60]!r} is used twice in the document", code="CB-326"
        )


def in_document(root: etree._Element) -> SignaturePlace:
    """Return the enveloped signature that is the root's last child, and only that one."""
    children = [child for child in root if isinstance(child.tag, str)]
    signatures = [child for child in children if child.tag == SIGNATURE]
    if not signatures:
        raise SignatureInvalid(
            "the document is not signed: its root carries no ds:Signature as a child"
        )
    if len(signatures) > 1 or children[-1] is not signatures[0]:
        raise _wrong_place("the root must carry one ds:Signature, as its last child")
    ids = {f"#{root.get(name)}": root for name in ID_ATTRIBUTES if root.get(name)}
    return SignaturePlace(signature=signatures[0], target=root, coverable={"": root, **ids})


def in_envelope(root: etree._Element) -> SignaturePlace:
    """Return the signature of the one WS-Security header, over the one Body."""
    header, body = split_envelope(root)
    if header is None:
        raise SignatureInvalid("the envelope is not signed: it has no Header")
    securities = [child for child in header if child.tag == wsse("Security")]
    # Anywhere in the Header: a second signature is an invitation to look at the wrong one. Those
    # inside the Body are content.
    signatures = list(header.iter(SIGNATURE))
    if len(securities) > 1 or len(signatures) > 1:
        raise _wrong_place("the Header holds two or more signatures or WS-Security headers")
    if not securities or not signatures:
        raise SignatureInvalid("the envelope is not signed: no signature in a WS-Security header")
    if signatures[0].getparent() is not securities[0]:
        raise _wrong_place("it must be a child of the WS-Security header")
    blocks = [block for block in header if block is not securities[0]]
    parts = [part for part in securities[0] if part is not signatures[0]]
    coverable = {
        f"#{own_id(element)}": element
        for element in (*blocks, *parts, body)
        if isinstance(element.tag, str) and own_id(element)
    }
    if not own_id(body):
        raise SignatureInvalid("the Body has no wsu:Id, so nothing can cover it", code="CB-325")
    return SignaturePlace(
        signature=signatures[0],
        target=body,
        coverable=coverable,
        security=securities[0],
        blocks=tuple(blocks),
    )


def split_envelope(root: etree._Element) -> tuple[etree._Element | None, etree._Element]:
    """Return Header (None when there is none) and Body, which must be all there is."""
    namespace = etree.QName(root).namespace
    if namespace not in (SOAP11, SOAP12) or etree.QName(root).localname != "Envelope":
        raise _wrong_place("the document is not a SOAP envelope")
    children = [child for child in root if isinstance(child.tag, str)]
    names = [child.tag for child in children]
    if names == [f"{{{namespace}}}Body"]:
        return None, children[0]
    if names != [f"{{{namespace}}}Header", f"{{{namespace}}}Body"]:
        raise _wrong_place("the envelope must hold one Header and one Body, and nothing else")
    return children[0], children[1]


def certificates(place: SignaturePlace, key_info: etree._Element) -> list[x509.Certificate]:
    """Return the certificates a KeyInfo brings, which must be its only key material.

    Raises SignerUntrusted when there is none, SignatureInvalid when they are hidden oddly.
    """
    parts = elements(key_info, attributes=("Id",))
    if len(parts) != 1:
        raise no_certificate()
    if parts[0].tag == ds("X509Data"):
        return read_x509_data(parts[0])
    if parts[0].tag == wsse("SecurityTokenReference") and place.security is not None:
        return [_token(parts[0], place.security)]
    raise no_certificate()


def _token(reference: etree._Element, security: etree._Element) -> x509.Certificate:
    """Follow a SecurityTokenReference to the BinarySecurityToken beside the signature."""
    found = elements(reference, attributes=("Id", WSU_ID, f"{{{WSSE11}}}TokenType"))
    if [part.tag for part in found] != [wsse("Reference")]:
        raise no_certificate()
    elements(found[0], attributes=("URI", "ValueType"))
    uri = found[0].get("URI", "")
    for token in security.iterchildren(wsse("BinarySecurityToken")):
        if uri == f"#{own_id(token)}" and token.get("ValueType") == X509_V3:
            if token.get("EncodingType", BASE64_BINARY) != BASE64_BINARY:
                raise no_certificate()
            allowed = ("ValueType", "EncodingType", WSU_ID)
            return read_certificate(binary(token, attributes=allowed))
    raise no_certificate()


def timestamp(place: SignaturePlace) -> etree._Element | None:
    """Return the one Timestamp of the WS-Security header; None when there is none."""
    if place.security is None:
        return None
    found = list(place.security.iterchildren(wsu("Timestamp")))
    if len(found) > 1:
        raise _wrong_place("there are two or more Timestamps")
    return found[0] if found else None


def _wrong_place(why: str) -> SignatureInvalid:
    return SignatureInvalid(f"the signature does not count where it is: {why}", code="CB-321")
