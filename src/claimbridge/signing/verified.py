"""What a verified signature vouches for: the signed content, and who signed it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec
from lxml import etree

from claimbridge.xmlio import parse


class Verified(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """The signed content and its signer, without any part of the document that was not signed.

    ``content`` is the signed element in exclusive C14N, without its signature: the bytes that were
    hashed. A prefix that only values use (``xsi:type="p:Name"``) is declared in ``content`` only if
    the signature covers its meaning. ``subject`` is the signer's name (RFC 4514), ``fingerprint``
    the SHA-256 of its certificate, in hexadecimal. ``seal`` names the signature: the SHA-256 of its
    canonical SignedInfo, in hexadecimal, the same for every copy. (It is not made from the
    signature's value: a second ECDSA value that fits is easy to make.) ``signing_time`` is when a
    XAdES signature says it was made, by the signer's own clock; None for a signature that does not
    say. ``blocks`` are the header blocks of an envelope that the signature covers too, each in
    exclusive C14N, in their order. ``created`` is the time in the signed Timestamp of an envelope;
    None if the policy asks for none.
    """

    content: bytes
    subject: str
    fingerprint: str
    seal: str
    signing_time: datetime | None = None
    blocks: tuple[bytes, ...] = ()
    created: datetime | None = None

    def element(self) -> etree._Element:
        """Return ``content`` as a tree of its own, a new one on every call."""
        # The first caller gets the tree that verifying made, if there is one; others get a new one.
        fresh: etree._Element | None = self.__dict__.pop(TREE, None)
        return parse(self.content, what="signed content") if fresh is None else fresh


TREE: Final = "_tree"
"""The attribute of a Verified for the tree that verifying made, until somebody asks for it."""
