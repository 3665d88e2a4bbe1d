"""The enveloped signature as this package writes it, in canonical form to the last byte.

SignedInfo is prepared once for each signer. For a document only its Id, its digest and the value
are put in. The same pieces make the pattern that recognises such signatures.
"""

from __future__ import annotations

import re
from binascii import b2a_base64
from collections.abc import Callable
from typing import Final

from claimbridge.signing.form.dsig import DS, ENVELOPED, EXCLUSIVE_C14N, SHA256

_DECLARED: Final = f' xmlns:ds="{DS}"'.encode()
_METHOD: Final = (
    f'<ds:CanonicalizationMethod Algorithm="{EXCLUSIVE_C14N}"></ds:CanonicalizationMethod>'
    '<ds:SignatureMethod Algorithm="'
).encode()
_REFERENCE: Final = b'"></ds:SignatureMethod><ds:Reference URI="'
_DIGEST: Final = (
    f'"><ds:Transforms><ds:Transform Algorithm="{ENVELOPED}"></ds:Transform>'
    f'<ds:Transform Algorithm="{EXCLUSIVE_C14N}"></ds:Transform></ds:Transforms>'
    f'<ds:DigestMethod Algorithm="{SHA256}"></ds:DigestMethod><ds:DigestValue>'
).encode()
_DIGEST_END: Final = b"</ds:DigestValue></ds:Reference></ds:SignedInfo>"
_VALUE: Final = b"<ds:SignatureValue>"
_VALUE_END: Final = b"</ds:SignatureValue>"

START: Final = b"<ds:Signature" + _DECLARED + b"><ds:SignedInfo>"
"""How such a signature begins."""

SIGNED_INFO: Final = b"<ds:SignedInfo" + _DECLARED + b">"
"""How its canonical SignedInfo begins: alone, SignedInfo declares the prefix itself."""

PATTERN: Final = re.compile(
    re.escape(START)
    + b"(?P<info>"
    + re.escape(_METHOD)
    + rb"(?P<algorithm>[^\"<>&]{1,80})"
    + re.escape(_REFERENCE)
    + rb"(?:#(?P<id>[A-Za-z_][A-Za-z0-9._\-]{0,127}))?+"
    + re.escape(_DIGEST)
    + rb"(?P<digest>[A-Za-z0-9+/]{43}=)"
    + re.escape(_DIGEST_END)
    + b")"
    + re.escape(_VALUE)
    + rb"(?P<value>[A-Za-z0-9+/]++=*+)"
    + re.escape(_VALUE_END)
)
"""Such a signature up to its KeyInfo; ``info`` is SignedInfo from its first child to its end."""

END: Final = b"</ds:Signature>"
"""How it ends."""

KEY_INFO: Final = re.compile(
    b"<ds:KeyInfo><ds:X509Data>"
    + rb"(?P<certificates>(?:<ds:X509Certificate>[A-Za-z0-9+/]++=*+</ds:X509Certificate>)++)"
    + b"</ds:X509Data></ds:KeyInfo>"
    + END
)
"""The KeyInfo with the signature's end tag: the same for all signatures of one signer."""


class SignatureWriter:
    """Writes one signer's enveloped signatures; immutable."""

    def __init__(self, algorithm: str, key_info: str) -> None:
        self._head = _METHOD + algorithm.encode() + _REFERENCE
        self._end = f"{key_info}</ds:Signature>".encode()

    def signature(self, uri: bytes, digest: bytes, sign: Callable[[bytes], bytes]) -> bytes:
        """Return a ds:Signature over what ``uri`` names, its SHA-256 being ``digest``.

        ``uri`` needs no escape. ``sign`` signs the canonical SignedInfo.
        """
        encoded = b2a_base64(digest, newline=False)
        info = b"".join((self._head, uri, _DIGEST, encoded, _DIGEST_END))
        value = b2a_base64(sign(SIGNED_INFO + info), newline=False)
        return b"".join((START, info, _VALUE, value, _VALUE_END, self._end))
