"""Verifies documents in the form that this package writes, from their bytes.

Only certain cases are accepted here; otherwise ``verify`` returns None and the general way decides.
So every refusal comes from the general way.

Why does the general way accept the same documents, with the same content? The signature is fixed to
the letter and stands before the root's end tag. Without the signature, the bytes of the document
have the signed digest, are well-formed, and are their own exclusive C14N. So the tree of the whole
document, without its signature, has just these bytes as its canonical form.
"""

from __future__ import annotations

import itertools
from binascii import a2b_base64, b2a_base64
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from lxml import etree

from claimbridge.errors import DocumentError, SigningError
from claimbridge.signing.form.c14n import canonical_document, is_plain
from claimbridge.signing.form.canonical_parts import ids_differ
from claimbridge.signing.form.dsig import DS
from claimbridge.signing.form.enveloped import END, KEY_INFO, PATTERN, SIGNED_INFO, START
from claimbridge.signing.form.place import refuse_repeated_ids
from claimbridge.signing.form.structure import read_certificate
from claimbridge.signing.keys.algorithms import Algorithm
from claimbridge.signing.keys.keys import Check, PublicKey, checking
from claimbridge.signing.trust.chain import Judge, public_key
from claimbridge.signing.trust.policy import Policy
from claimbridge.signing.verified import TREE, Verified
from claimbridge.xmlio import parse

_DS: Final = DS.encode()
_CERTIFICATE: Final = b"<ds:X509Certificate>"
_CERTIFICATE_END: Final = b"</ds:X509Certificate>"
# Far below every limit of the parser, so that the signature cannot be what goes beyond one.
_MAXIMUM_BYTES: Final = 1_000_000
_MAXIMUM_SIGNERS: Final = 256
# The fields of a policy that are judged here, or by the certificates' judge. A policy that sets any
# other field goes the general way.
_KNOWN: Final = frozenset(
    {"placement", "trust", "pin", "subjects", "at", "usages", "crls", "ocsp", "revocation"}
)


class TrustedSigner(msgspec.Struct, frozen=True, eq=False):
    """A trusted signer, until the validity of one of its certificates changes."""

    checks: Mapping[bytes, Check]
    """How its key checks values, by the algorithms that suit it."""
    subject: str
    fingerprint: str
    since: datetime
    until: datetime


class FastVerifier:
    """Verifies documents of a known form by one policy; threads may share it.

    It remembers the signers that the judge accepted. The same certificates, to the byte, have the
    same verdict as long as no certificate, list or response begins or ends in between.
    """

    def __init__(self, policy: Policy, judge: Judge) -> None:
        self._judge = judge
        self._signers: dict[bytes, TrustedSigner] = {}
        self._moments = judge.moments()
        asked = {
            field.name
            for field in msgspec.structs.fields(Policy)
            if getattr(policy, field.name) != field.default
        }
        self._open = policy.placement == "document" and asked <= _KNOWN

    def verify(self, document: bytes, now: datetime) -> Verified | None:
        """Return the signed content of ``document``; None when the general way must decide."""
        start = document.rfind(START)
        if start < 0 or not self._open or len(document) > _MAXIMUM_BYTES:
            return None
        match = PATTERN.match(document, start)
        if match is None or document.find(_DS, 0, start) >= 0:
            return None
        key_info_end = document.find(END, match.end()) + len(END)
        ending = document[key_info_end:]
        content = document[:start] + ending
        digest = b2a_base64(sha256(content).digest(), newline=False)
        if digest != match["digest"] or ending.count(b"<") != 1:
            return None
        signer = self._signer(document[match.end() : key_info_end], now)
        signed = SIGNED_INFO + match["info"]
        if signer is None or not _fits(signer, match["algorithm"], match["value"], signed):
            return None
        tree = _canonical_tree(content)
        if tree is None or not _is_target(tree, match["id"]):
            return None
        verified = Verified(
            content=content,
            subject=signer.subject,
            fingerprint=signer.fingerprint,
            seal=sha256(signed).hexdigest(),
        )
        verified.__dict__[TREE] = tree
        return verified

    def _signer(self, key_info: bytes, now: datetime) -> TrustedSigner | None:
        found = self._signers.get(key_info)
        # At the very moment of a change either side may be right: judge the signer again.
        if found is None or not found.since < now < found.until:
            found = self._judge_signer(key_info, now)
            if found is None:
                return None
            if len(self._signers) >= _MAXIMUM_SIGNERS:
                self._signers.clear()
            self._signers[key_info] = found
        return found

    def _judge_signer(self, key_info: bytes, now: datetime) -> TrustedSigner | None:
        match = KEY_INFO.fullmatch(key_info)
        if match is None:
            return None
        texts = match["certificates"].replace(_CERTIFICATE, b"").split(_CERTIFICATE_END)[:-1]
        encoded = [_decode(text) for text in texts]
        try:
            found = [read_certificate(der) for der in encoded if der]
            signer = self._judge.judge(found, now) if len(found) == len(texts) else None
        except SigningError:
            return None
        if signer is None:
            return None
        bounds = ((each.not_valid_before_utc, each.not_valid_after_utc) for each in found)
        moments = [*self._moments, *itertools.chain.from_iterable(bounds)]
        return TrustedSigner(
            checks=_checks(public_key(signer)),
            subject=signer.subject.rfc4514_string(),
            fingerprint=signer.fingerprint(hashes.SHA256()).hex(),
            since=max((moment for moment in moments if moment <= now), default=_NEVER),
            until=min((moment for moment in moments if moment >= now), default=now),
        )


_NEVER: Final = datetime.max.replace(tzinfo=UTC)


def _decode(text: bytes) -> bytes:
    """Return what base64 says, in its one spelling; empty where it is another."""
    try:
        value = a2b_base64(text, strict_mode=True)
    except ValueError:
        return b""
    return value if b2a_base64(value, newline=False) == text else b""


def _checks(key: PublicKey) -> dict[bytes, Check]:
    elliptic = isinstance(key, ec.EllipticCurvePublicKey)
    suitable = [algorithm for algorithm in Algorithm if algorithm.elliptic == elliptic]
    return {algorithm.encode(): checking(key, algorithm) for algorithm in suitable}


def _fits(signer: TrustedSigner, algorithm: bytes, value: bytes, signed: bytes) -> bool:
    check = signer.checks.get(algorithm)
    if check is None:
        return False
    try:
        check(_decode(value), signed)
    except InvalidSignature:
        return False
    return True


def _canonical_tree(content: bytes) -> etree._Element | None:
    """Return the tree of ``content``; None unless it is canonical and no id repeats."""
    try:
        tree = parse(content)
        if is_plain(content):  # with one attribute at most, and so one id
            return tree
        if canonical_document(tree) != content:
            return None
        if not ids_differ(content):
            refuse_repeated_ids(tree)
    except (DocumentError, SigningError):
        return None
    return tree


def _is_target(tree: etree._Element, name: bytes | None) -> bool:
    alone = tree.getprevious() is tree.getnext() is None
    return alone and (name is None or tree.get("Id") == name.decode("ascii"))
