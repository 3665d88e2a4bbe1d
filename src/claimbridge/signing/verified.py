"""What a verified signature vouches for: the signed content, and who signed it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec
from lxml import etree

from claimbridge.xmlio import parse


class Verified(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """What was signed, and by whom. It holds nothing of the document that was not signed.

    ``content`` is the signed element in exclusive C14N, without its signature: the bytes that were
    hashed. Prefixes that only values use (``xsi:type="p:Name"``) are declared in it only where the
    signature covers their meaning. ``subject`` is the signer's name (RFC 4514) and ``fingerprint``
    the SHA-256 of its certificate, in hexadecimal. ``seal`` names the signature: the SHA-256 of
    its canonical SignedInfo, in hexadecimal, the same for every copy. (Not of the signature's
    value: whoever holds an ECDSA signature can write down a second value that fits as well.)
    ``signing_time`` is when a XAdES signature says it was made, by the signer's own clock; None for
    a signature that does not say. ``blocks`` are the header blocks of an envelope that the
    signature covers too, each in exclusive C14N, in their order. ``created`` is what the signed
    Timestamp of an envelope says; None where the policy asks for none.
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
        # The tree that was compared with the content, where there is one, goes to the first who
        # asks, and to nobody else.
        fresh: etree._Element | None = self.__dict__.pop(TREE, None)
        return parse(self.content, what="signed content") if fresh is None else fresh


TREE: Final = "_tree"
"""Where a Verified keeps the tree of its content that verifying made, until somebody asks."""
