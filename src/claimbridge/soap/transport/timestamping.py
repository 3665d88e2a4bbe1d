"""Asking a time stamping authority over HTTP (RFC 3161 §3.4)."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

from claimbridge.clock import SYSTEM, Clock
from claimbridge.errors import NotDelivered
from claimbridge.signing.trust.timestamps import MAXIMUM_REPLY, question, verify_timestamp
from claimbridge.soap.transport.download import Unfetched, fetch
from claimbridge.soap.transport.settings import TransportSettings

_HEADERS: Final = {
    "Content-Type": "application/timestamp-query",
    "Accept": "application/timestamp-reply",
    "Accept-Encoding": "identity",
}


class Timestamp(msgspec.Struct, frozen=True):
    """An authority's reply, to be kept beside the content, and the moment that it vouches for."""

    reply: bytes
    moment: datetime


def fetch_timestamp(
    content: bytes, authority: TransportSettings, *, trust: bytes, clock: Clock = SYSTEM
) -> Timestamp:
    """Return an authority's timestamp over ``content``, verified before it is returned.

    ``authority.endpoint`` is its address (http for loopback only; ``total`` bounds the whole in
    seconds), ``trust`` PEM text of the roots that it must lead up to. Only the SHA-256 of
    ``content`` travels. Raises NotDelivered CB-372 when it gives no answer: ask again; SigningError
    as ``question`` and ``verify_timestamp`` do; SignatureInvalid CB-373 for the answer to
    another question.
    """
    asked = question(content)
    settings = msgspec.structs.replace(authority, reply_limit=MAXIMUM_REPLY)
    try:
        reply = fetch(settings, query=asked.request, headers=_HEADERS, clock=clock)
    except Unfetched as error:
        raise NotDelivered(
            f"the time stamping authority at {settings.place} {error}", code="CB-372"
        ) from error
    moment = verify_timestamp(content, reply, trust=trust, nonce=asked.nonce)
    return Timestamp(reply, moment)
