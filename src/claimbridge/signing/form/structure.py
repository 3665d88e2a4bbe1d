"""Reads one ``ds:Signature`` into values and refuses whatever is not on the allow-lists.

No cryptography happens here, so that nothing is computed for a signature the policy forbids.
Everything unexpected is refused: unknown elements, attributes, algorithms, transforms, comments and
processing instructions (in CVE-2025-29775 they split a DigestValue in two).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Sequence

import msgspec
from cryptography import x509
from lxml import etree

from claimbridge.errors import SignatureInvalid, SignerUntrusted
from claimbridge.signing.form.dsig import (
    DIGESTS,
    DS,
    ENVELOPED,
    EXCLUSIVE_C14N,
    INCLUSIVE_NAMESPACES,
    SIGNED_PROPERTIES,
    WSU_ID,
    ds,
)
from claimbridge.signing.keys.algorithms import Algorithm
from claimbridge.signing.keys.certificates import UnreadableCertificate, from_der

MAXIMUM_REFERENCES = 16
MAXIMUM_TOGETHER = 1000
MAXIMUM_DETACHED = 10_000

_SPACE = " \t\r\n"


class DigestReference(msgspec.Struct, frozen=True):
    """What one Reference says: which element, how it is made into bytes, and their digest.

    ``prefixes`` are rendered even where unused (the InclusiveNamespaces of exclusive C14N).
    ``hash`` is named as ``hashlib`` does.
    """

    uri: str
    enveloped: bool
    prefixes: tuple[str, ...]
    hash: str
    digest: bytes


class Signature(msgspec.Struct, frozen=True):
    """What one ``ds:Signature`` says; ``prefixes`` are those of its SignedInfo's C14N.

    ``properties`` is the Object of XAdES and the Reference that covers what is signed in it; None
    when there is none. That Reference is not among ``references``.
    """

    element: etree._Element
    signed_info: etree._Element
    prefixes: tuple[str, ...]
    algorithm: Algorithm
    references: tuple[DigestReference, ...]
    value: bytes
    key_info: etree._Element
    properties: tuple[etree._Element, DigestReference] | None = None


def read_signature(
    signature: etree._Element, *, detached: bool = False, most: int = MAXIMUM_REFERENCES
) -> Signature:
    """Return what ``signature`` says; raises SignatureInvalid where it leaves the allow-lists.

    ``detached``: its References cover bytes outside, as they are, without any transform. ``most``
    is how many References there may be.
    """
    parts = elements(signature, attributes=("Id",))
    names = [part.tag for part in parts]
    if names == [ds("SignedInfo"), ds("SignatureValue")]:
        raise no_certificate()
    usual = [ds("SignedInfo"), ds("SignatureValue"), ds("KeyInfo")]
    if names not in (usual, [*usual, ds("Object")]) or (detached and names != usual):
        raise _wrong_form("Signature", parts)
    info, value, key_info, *objects = parts
    inside = elements(info, attributes=("Id",))
    expected = (ds("CanonicalizationMethod"), ds("SignatureMethod"))
    references = inside[2:]
    if tuple(child.tag for child in inside[:2]) != expected or not references:
        raise _wrong_form("SignedInfo", inside)
    if len(references) > (MAXIMUM_DETACHED if detached else most):
        raise _wrong_form("SignedInfo", inside)
    properties = (objects[0], _of_properties(references.pop())) if objects else None
    return Signature(
        element=signature,
        signed_info=info,
        prefixes=_canonicalization(inside[0]),
        algorithm=_algorithm(inside[1]),
        references=tuple(_reference(each, detached=detached) for each in references),
        value=binary(value, attributes=("Id",)),
        key_info=key_info,
        properties=properties,
    )


def _of_properties(reference: etree._Element) -> DigestReference:
    """Return the Reference to the signed properties of XAdES, which stands last."""
    read = _reference(reference, attributes=("Id", "Type", "URI"))
    if reference.get("Type") != SIGNED_PROPERTIES or read.enveloped:
        raise _wrong_form("Reference to SignedProperties", [reference])
    return read


def _canonicalization(method: etree._Element) -> tuple[str, ...]:
    if method.get("Algorithm") != EXCLUSIVE_C14N:
        raise _forbidden("canonicalisation", method)
    return _inclusive_prefixes(method)


def _algorithm(method: etree._Element) -> Algorithm:
    _children(method, (), attributes=("Algorithm",))
    try:
        return Algorithm(method.get("Algorithm", ""))
    except ValueError:
        raise _forbidden("signature algorithm", method) from None


def _reference(
    reference: etree._Element,
    *,
    detached: bool = False,
    attributes: tuple[str, ...] = ("Id", "URI"),
) -> DigestReference:
    if reference.tag != ds("Reference"):
        raise _wrong_form("SignedInfo", [reference])
    names = (ds("DigestMethod"), ds("DigestValue"))
    expected = names if detached else (ds("Transforms"), *names)
    *transforms, method, value = _children(reference, expected, attributes=attributes)
    _children(method, (), attributes=("Algorithm",))
    hash_name = DIGESTS.get(method.get("Algorithm", ""))
    if hash_name is None:
        raise _forbidden("digest algorithm", method)
    enveloped, prefixes = _transforms(transforms[0]) if transforms else (False, ())
    uri = reference.get("URI")
    if uri is None:
        raise SignatureInvalid("a Reference does not say what it covers", code="CB-325")
    return DigestReference(uri, enveloped, prefixes, hash_name, binary(value))


def _transforms(transforms: etree._Element) -> tuple[bool, tuple[str, ...]]:
    """Return whether the signature itself is left out, and the prefixes of exclusive C14N."""
    steps = elements(transforms)
    names = [step.get("Algorithm", "") for step in steps]
    for step, name in zip(steps, names, strict=True):
        if step.tag != ds("Transform") or name not in (ENVELOPED, EXCLUSIVE_C14N):
            raise SignatureInvalid(
                f"the transform {name[:120]!r} is not accepted; only enveloped-signature and "
                "exclusive C14N are",
                code="CB-324",
            )
    if names not in ([EXCLUSIVE_C14N], [ENVELOPED, EXCLUSIVE_C14N]):
        raise SignatureInvalid(
            "the transforms are not (enveloped-signature and) one exclusive C14N, in that order",
            code="CB-324",
        )
    if len(steps) == 2:
        _children(steps[0], (), attributes=("Algorithm",))
    return len(steps) == 2, _inclusive_prefixes(steps[-1])


def _inclusive_prefixes(method: etree._Element) -> tuple[str, ...]:
    parameters = elements(method, attributes=("Algorithm",))
    if not parameters:
        return ()
    if len(parameters) > 1 or parameters[0].tag != INCLUSIVE_NAMESPACES:
        raise _wrong_form("exclusive C14N", parameters)
    _children(parameters[0], (), attributes=("PrefixList",))
    return tuple(parameters[0].get("PrefixList", "").split())


def read_x509_data(data: etree._Element) -> list[x509.Certificate]:
    """Return the certificates of a ``ds:X509Data``, at least one.

    Names, serial numbers and key identifiers beside them are hints, and are not used.
    """
    hints = (ds("X509IssuerSerial"), ds("X509SubjectName"), ds("X509SKI"))
    found = [part for part in elements(data) if part.tag not in hints]
    for part in found:
        if part.tag != ds("X509Certificate"):
            raise _wrong_form("X509Data", found)
    if not found:
        raise no_certificate()
    return [read_certificate(binary(part)) for part in found]


def read_certificate(der: bytes) -> x509.Certificate:
    """Return a certificate; raises SignerUntrusted when it cannot be read."""
    try:
        return from_der(der)
    except UnreadableCertificate as error:
        raise SignerUntrusted("the signer's certificate cannot be read", code="CB-332") from error


def no_certificate() -> SignerUntrusted:
    """Return the refusal of a signature that does not name its key by a certificate."""
    return SignerUntrusted(
        "the signature does not come with an X.509 certificate, and with nothing but one; bare "
        "keys, shared keys and key names are not accepted",
        code="CB-331",
    )


def binary(element: etree._Element, *, attributes: Sequence[str] = ()) -> bytes:
    """Return the bytes an element holds as base64, of which there is one spelling only.

    White space may break it into lines (XML Schema Part 2 §3.2.16); anything else is refused,
    padding bits that are not zero included.
    """
    _children(element, (), attributes=attributes, text_allowed=True)
    text = (element.text or "").translate(_NO_SPACE)
    try:
        value = base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        value = b""
    if not value or base64.b64encode(value).decode() != text:
        raise SignatureInvalid(
            f"{etree.QName(element).localname} is not strict base64", code="CB-327"
        )
    return value


_NO_SPACE = {ord(space): None for space in _SPACE}


def _children(
    element: etree._Element,
    expected: tuple[str, ...],
    *,
    attributes: Iterable[str] = (),
    text_allowed: bool = False,
) -> list[etree._Element]:
    """Return the children, which must be exactly the ``expected`` ones, in that order."""
    found = elements(element, attributes=attributes, text_allowed=text_allowed)
    if tuple(child.tag for child in found) != expected:
        raise _wrong_form(etree.QName(element).localname, found)
    return found


def elements(
    element: etree._Element, *, attributes: Iterable[str] = (), text_allowed: bool = False
) -> list[etree._Element]:
    """Return the child elements, with no text between them, no comment, no other attribute."""
    if any(name not in attributes for name in element.attrib):
        raise SignatureInvalid(
            f"{etree.QName(element).localname} carries an attribute that is not accepted",
            code="CB-322",
        )
    children = list(element)
    stray = [child.tail for child in children]
    if not text_allowed:
        stray.append(element.text)
    if any(not isinstance(child.tag, str) for child in children) or any(
        text and text.strip(_SPACE) for text in stray
    ):
        raise SignatureInvalid(
            f"there is stray text or a comment in {etree.QName(element).localname}", code="CB-327"
        )
    return children


def own_id(element: etree._Element) -> str:
    """Return the element's ``wsu:Id``; empty when it has none."""
    return element.get(WSU_ID, "")


def _forbidden(what: str, method: etree._Element) -> SignatureInvalid:
    name = method.get("Algorithm", "")[:120]
    return SignatureInvalid(f"the {what} {name!r} is not accepted", code="CB-323")


def _wrong_form(where: str, found: Sequence[etree._Element]) -> SignatureInvalid:
    names = ", ".join(str(child.tag).replace(f"{{{DS}}}", "")[:60] for child in found[:8])
    return SignatureInvalid(
        f"the signature's {where} is not built as expected; it holds: {names or 'nothing'}",
        code="CB-322",
    )
