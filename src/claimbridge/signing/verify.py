"""Verify: from a signed document to the bytes that were signed, and to nothing else.

The order is fixed: the secure parser, the place, the allow-lists, the certificate, the signature
over SignedInfo, the digests. What a caller gets is built from the very bytes that were hashed.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from lxml import etree

from claimbridge.clock import SYSTEM, Clock
from claimbridge.errors import ConfigurationError, DocumentError, SignatureInvalid
from claimbridge.signing.fast import FastVerifier
from claimbridge.signing.form import place as placement
from claimbridge.signing.form.c14n import canonical_document, canonical_element
from claimbridge.signing.form.detached import by_name, not_covered, refusal
from claimbridge.signing.form.dsig import SIGNATURE
from claimbridge.signing.form.given import check_bytes
from claimbridge.signing.form.place import SignaturePlace
from claimbridge.signing.form.structure import (
    MAXIMUM_TOGETHER,
    DigestReference,
    Signature,
    read_signature,
)
from claimbridge.signing.form.xades import check_properties
from claimbridge.signing.keys.keys import check_value
from claimbridge.signing.second import not_confirmed, refuse_instructions, second_opinion
from claimbridge.signing.trust.age import check_age
from claimbridge.signing.trust.chain import Judge, public_key
from claimbridge.signing.trust.policy import Policy
from claimbridge.signing.verified import Verified
from claimbridge.xmlio import parse


class Verifier:
    """Verifies documents by one policy; immutable, so threads may share it."""

    def __init__(self, policy: Policy, *, clock: Clock = SYSTEM) -> None:
        self._policy = policy
        self._judge = Judge(policy)
        self._fast = FastVerifier(policy, self._judge)
        self._clock = clock

    def verify(self, document: bytes) -> Verified:
        """Return what is signed in ``document``.

        Raises DocumentError for XML that we do not read, SignatureInvalid when the document is
        unsigned, altered or signed in a way that the policy refuses, SignerUntrusted when the
        signer does not count.
        """
        check_bytes(document, what="what is to be verified")
        found = self._fast.verify(document, self._now)
        return self._verify(document) if found is None else found

    def _verify(self, document: bytes) -> Verified:
        """Verify any document, the general way."""
        root = parse(document, what="signed document")
        placement.refuse_repeated_ids(root)
        find = placement.in_envelope if self._policy.placement == "soap" else placement.in_document
        place = find(root)
        signature = read_signature(place.signature)
        covered = _coverage(place, signature)
        now = self._now
        signer = self._signer(place, signature, now)
        signing_time = check_properties(signature, signer, now) if signature.properties else None
        contents = _check_digests(place, signature, covered)
        if self._policy.second_opinion:
            wanted = {each.uri: contents[element] for each, element in covered}
            if "" in wanted:
                refuse_instructions(root)
            soap = self._policy.placement == "soap"
            envelope = str(etree.QName(root).namespace) if soap else ""
            second_opinion(document, signature, signer, wanted, now, envelope=envelope)
        created = None
        if self._policy.max_age is not None:
            created = check_age(place, contents, now, timedelta(seconds=self._policy.max_age))
        verified = _result(contents[place.target], signer, signature, signing_time=signing_time)
        if place.security is None:
            return verified
        blocks = tuple(contents[one] for one in place.blocks if one in contents)
        return msgspec.structs.replace(verified, blocks=blocks, created=created)

    @property
    def _now(self) -> datetime:
        return self._policy.at or self._clock.now()

    def _signer(
        self, place: SignaturePlace, signature: Signature, now: datetime
    ) -> x509.Certificate:
        """Return the certificate of a trusted signer, whose key has signed SignedInfo."""
        certificates = placement.certificates(place, signature.key_info)
        signer = self._judge.judge(certificates, now)
        _check_signature(signature, signer)
        return signer

    def verify_detached(
        self, signature: bytes, contents: Mapping[str, bytes]
    ) -> dict[str, Verified | SignatureInvalid]:
        """Return, for each of ``contents`` by its name, what was signed or why it does not count.

        ``contents`` may be one, or some, of those that were signed together; others are ignored,
        and nothing is fetched. Raises as ``verify`` does when the signature itself does not count,
        because then nothing is signed.
        """
        if self._policy.placement == "soap":
            raise ConfigurationError(
                "signature policy: a detached signature has placement document", code="CB-345"
            )
        check_bytes(signature, what="the detached signature")
        for name, content in contents.items():
            check_bytes(content, what=f"the content {name[:60]!r}")
        root = parse(signature, what="detached signature")
        placement.refuse_repeated_ids(root)
        if root.tag != SIGNATURE:
            raise SignatureInvalid("the detached signature is not a ds:Signature")
        read = read_signature(root, detached=True)
        place = SignaturePlace(signature=root, target=root, coverable={})
        now = self._now
        signer = self._signer(place, read, now)
        covered = by_name(read.references)
        verdicts = {
            name: refusal(name, content, covered.get(name)) or _result(content, signer, read)
            for name, content in contents.items()
        }
        if not self._policy.second_opinion:
            return verdicts
        confirmed = _unanimous(verdicts)
        if confirmed is verdicts:
            second_opinion(signature, read, signer, contents, now, detached=True)
        return confirmed

    def verify_together(
        self, document: bytes, element: str
    ) -> tuple[Verified | SignatureInvalid, ...]:
        """Return, for each ``element`` of ``document`` in order, what was signed or why not.

        The elements are the root's children, and one signature, the last child, covers each by its
        Id (``Signer.sign_together``). The signature may cover nothing else. Raises as ``verify``
        does when the signature itself does not count, because then nothing is signed.
        """
        check_bytes(document, what="what is to be verified")
        root = parse(document, what="signed document")
        placement.refuse_repeated_ids(root)
        place = placement.in_document(root)
        read = read_signature(place.signature, most=MAXIMUM_TOGETHER)
        found = list(root.iterchildren(element))
        covered = by_name(read.references)
        names = {f"#{one.get('Id')}" for one in found if one.get("Id")}
        if not found or covered.keys() - names or read.properties:
            raise SignatureInvalid(
                f"the signature covers something else than {element} in its place", code="CB-325"
            )
        now = self._now
        signer = self._signer(place, read, now)
        verdicts = {
            name: _verdict_of(one, covered, signer, read)
            for one, name in zip(found, _names(found), strict=True)
        }
        if not self._policy.second_opinion:
            return tuple(verdicts.values())
        confirmed = _unanimous(verdicts)
        if confirmed is verdicts:
            wanted = {n: v.content for n, v in verdicts.items() if isinstance(v, Verified)}
            second_opinion(document, read, signer, wanted, now)
        return tuple(confirmed.values())

    def verify_elements(self, document: bytes, element: str) -> tuple[Verified, ...]:
        """Return what every ``element`` (``{namespace}name``) in ``document`` signs for itself.

        Each must carry its own enveloped signature, as if it were a document. The results are in
        document order; the first element that is not verified raises. The signatures do not cover
        the rest of ``document`` (an envelope, the request). Raises SignatureInvalid when there is
        no such element.
        """
        check_bytes(document, what="what is to be verified")
        root = parse(document, what="signed document")
        placement.refuse_repeated_ids(root)
        found = list(root.iter(element))
        if not found:
            raise SignatureInvalid(f"there is no {element} in the document")
        return tuple(self.verify(etree.tostring(each, with_tail=False)) for each in found)


Verdicts = dict[str, Verified | SignatureInvalid]


def _unanimous(verdicts: Verdicts) -> Verdicts:
    """Return ``verdicts`` if ours accepts all; otherwise accept none.

    signxml cannot say which content fits: it stops at the first one that does not.
    """
    refused = next((n for n, one in verdicts.items() if isinstance(one, SignatureInvalid)), None)
    if refused is None:
        return verdicts
    return {
        name: one if isinstance(one, SignatureInvalid) else not_confirmed(refused)
        for name, one in verdicts.items()
    }


def _names(found: Sequence[etree._Element]) -> Iterator[str]:
    """Yield a name for each element: the URI that may cover it, or its number."""
    for number, one in enumerate(found):
        yield f"#{one.get('Id')}" if one.get("Id") else str(number)


def verify_detached(
    signature: bytes, contents: Mapping[str, bytes], policy: Policy, *, clock: Clock = SYSTEM
) -> dict[str, Verified | SignatureInvalid]:
    """Return a verdict per content of a detached signature; see ``Verifier.verify_detached``."""
    return Verifier(policy, clock=clock).verify_detached(signature, contents)


def verify(document: bytes, policy: Policy, *, clock: Clock = SYSTEM) -> Verified:
    """Return what is signed in ``document``, by ``policy``; see ``Verifier.verify``.

    For many documents make one Verifier: it reads the trusted certificates once.
    """
    return Verifier(policy, clock=clock).verify(document)


def verify_elements(
    document: bytes, element: str, policy: Policy, *, clock: Clock = SYSTEM
) -> tuple[Verified, ...]:
    """Return what every ``element`` in ``document`` signs; see ``Verifier.verify_elements``."""
    return Verifier(policy, clock=clock).verify_elements(document, element)


def _result(
    content: bytes,
    signer: x509.Certificate,
    signature: Signature,
    *,
    signing_time: datetime | None = None,
) -> Verified:
    signed = _canonical(signature.signed_info, signature.prefixes)
    return Verified(
        content=content,
        subject=signer.subject.rfc4514_string(),
        fingerprint=signer.fingerprint(hashes.SHA256()).hex(),
        signing_time=signing_time,
        seal=hashlib.sha256(signed).hexdigest(),
    )


def _verdict_of(
    element: etree._Element,
    covered: Mapping[str, DigestReference],
    signer: x509.Certificate,
    signature: Signature,
) -> Verified | SignatureInvalid:
    """Return the verdict on one element of those that were signed together."""
    name = str(element.get("Id", ""))
    reference = covered.get(f"#{name}")
    if reference is None or reference.enveloped:
        return not_covered(name)
    try:
        content = _canonical(element, reference.prefixes)
    except SignatureInvalid as error:
        return error
    return refusal(name, content, reference) or _result(content, signer, signature)


Covered = list[tuple[DigestReference, etree._Element]]


def _coverage(place: SignaturePlace, signature: Signature) -> Covered:
    """Return what each Reference covers; the target must be among it, and nothing unexpected."""
    covered: Covered = []
    for reference in signature.references:
        element = place.coverable.get(reference.uri)
        if element is None:
            raise SignatureInvalid(
                f"the signature covers {reference.uri[:120]!r}, which is not in a place that "
                "counts; it must cover "
                + ("the root" if place.security is None else "the Body, and header blocks at most"),
                code="CB-325",
            )
        if reference.enveloped != (place.security is None):
            raise SignatureInvalid(
                "the enveloped-signature transform belongs to an enveloped signature, and only "
                "there",
                code="CB-324",
            )
        covered.append((reference, element))
    targets = [element for _, element in covered]
    if place.target not in targets or len(set(targets)) != len(targets):
        raise SignatureInvalid(
            "the signature does not cover what it must, once: it covers "
            + ", ".join(repr(reference.uri[:60]) for reference in signature.references),
            code="CB-325",
        )
    return covered


def _check_signature(signature: Signature, signer: x509.Certificate) -> None:
    key = public_key(signer)
    if signature.algorithm.elliptic != isinstance(key, ec.EllipticCurvePublicKey):
        raise SignatureInvalid(
            f"the signature says {signature.algorithm.name}, but the certificate holds another "
            "kind of key",
            code="CB-323",
        )
    signed = _canonical(signature.signed_info, signature.prefixes)
    try:
        check_value(key, signature.value, signed, signature.algorithm)
    except InvalidSignature as error:
        raise SignatureInvalid(
            "the signature value does not fit: SignedInfo was altered, or another key signed it",
            code="CB-329",
        ) from error


def _check_digests(
    place: SignaturePlace, signature: Signature, covered: Covered
) -> dict[etree._Element, bytes]:
    """Compare every digest; returns the canonical bytes of what is covered."""
    if place.security is None:
        _take_out(signature.element)
    contents: dict[etree._Element, bytes] = {}
    for reference, element in covered:
        contents[element] = signed = _canonical(element, reference.prefixes)
        if reference.uri == "" and (element.getprevious(), element.getnext()) != (None, None):
            # XMLDSig 1.1 §4.4.3.3: the whole document, top-level instructions included.
            signed = canonical_document(element, reference.prefixes)
        digest = hashlib.new(reference.hash, signed).digest()
        if not hmac.compare_digest(digest, reference.digest):
            raise SignatureInvalid(
                f"{etree.QName(element).localname} was altered after it was signed (its digest "
                "differs)",
                code="CB-328",
            )
    return contents


def _canonical(element: etree._Element, prefixes: tuple[str, ...]) -> bytes:
    try:
        return canonical_element(element, prefixes)
    except DocumentError as error:
        # Never as empty: an empty canonical form has a digest anyone can write down.
        raise SignatureInvalid(
            "what is signed has no canonical form (is a namespace URI relative?)", code="CB-342"
        ) from error


def _take_out(signature: etree._Element) -> None:
    """Remove the enveloped signature; the text after it stays (XMLDSig 1.1 §6.6.4)."""
    parent, before, tail = signature.getparent(), signature.getprevious(), signature.tail
    assert parent is not None
    if tail and before is not None:
        before.tail = (before.tail or "") + tail
    elif tail:
        parent.text = (parent.text or "") + tail
    parent.remove(signature)
