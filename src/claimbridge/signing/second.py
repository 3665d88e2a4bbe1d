"""A second opinion: signxml, an independent verifier, must accept the same over the same content.

signxml is asked after ours has accepted, about the same signature in the same place, with the
signer's certificate that ours has judged. Trust, place and allow-lists are ours alone. signxml
repeats the reading, the canonicalisation, the digests and the signature. It is loaded at first use.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from cryptography import x509
from lxml import etree

from claimbridge.errors import SignatureInvalid
from claimbridge.signing.form.dsig import WSSE
from claimbridge.signing.form.structure import Signature

_MOST: Final = 200_000_000
"""Bytes that signxml may read in all: it reads the whole document again for every Reference."""


def second_opinion(
    document: bytes,
    signature: Signature,
    signer: x509.Certificate,
    contents: Mapping[str, bytes],
    at: datetime,
    *,
    envelope: str = "",
    detached: bool = False,
) -> None:
    """Return when signxml accepts ``signature`` over ``contents`` too.

    ``contents`` are the bytes that ours hands on, by the URIs that cover them. ``envelope`` is the
    namespace of a SOAP envelope, empty for a document; ``detached`` looks the URIs up in
    ``contents``. Raises SignatureInvalid CB-357 when signxml refuses, or saw other content; CB-358
    when it cannot judge.
    """
    expected = len(signature.references) + (signature.properties is not None)
    if expected * len(document) > _MOST:
        raise _unable("signxml would read too much")
    results = _ask(document, signer, at, expected, envelope, contents if detached else None)
    value = results[0].signature_xml.findtext("{*}SignatureValue")
    seen = {
        reference.uri: result.signed_data
        for reference, result in zip(signature.references, results, strict=False)
    }
    same = base64.b64decode(value) == signature.value and len(results) == expected
    if not same or any(seen.get(uri) != content for uri, content in contents.items()):
        raise SignatureInvalid(
            "the second opinion differs: signxml accepts the signature over other content than "
            "ours; do not use the document, and report it to claimbridge",
            code="CB-357",
        )


def refuse_instructions(root: etree._Element) -> None:
    """Raise SignatureInvalid CB-358 where a signature over the whole document covers instructions.

    Those beside the root belong to it (Canonical XML 1.0 §2.3); signxml takes the root alone.
    """
    for preceding in (True, False):
        if next(root.itersiblings(etree.PI, preceding=preceding), None) is not None:
            raise _unable("a processing instruction stands beside the root")


def _ask(
    document: bytes,
    signer: x509.Certificate,
    at: datetime,
    expected: int,
    envelope: str,
    contents: Mapping[str, bytes] | None,
) -> list[Any]:
    # Any: signxml's own results, which stay in this module.
    from signxml.exceptions import InvalidSignature
    from signxml.verifier import SignatureConfiguration, XMLVerifier

    place = f"./{{{envelope}}}Header/{{{WSSE}}}Security/" if envelope else "./"
    config = SignatureConfiguration(
        location=place, expect_references=expected, verification_time=at
    )
    try:
        # A verifier keeps what it was asked last: one for each question.
        found: Any = XMLVerifier().verify(
            document,
            x509_cert=signer,
            expect_config=config,
            uri_resolver=None if contents is None else contents.get,
        )
    except InvalidSignature as error:
        raise SignatureInvalid(
            "the second opinion differs: signxml refuses the signature that ours accepts (see the "
            "cause); do not use the document, and report it to claimbridge",
            code="CB-357",
        ) from error
    except Exception as error:
        # Whatever signxml does not know or foresee may raise any kind of exception.
        raise _unable(f"{type(error).__name__}: {str(error)[:200]}") from error
    return [found] if expected == 1 else list(found)


def _unable(why: str) -> SignatureInvalid:
    return SignatureInvalid(
        f"there is no second opinion: signxml cannot judge this signature ({why}); verify it "
        "without one only where you may",
        code="CB-358",
    )


def not_confirmed(name: str) -> SignatureInvalid:
    """Return the refusal of one content of several, of which ours refused another one."""
    return _unable(f"it judges all contents together, and {name[:120]!r} does not fit")
