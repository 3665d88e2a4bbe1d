"""One message to the ERP, ready for the transport, and its answer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import msgspec

from claimbridge.clock import Uptime
from claimbridge.soap.envelope import Envelope


class Message(msgspec.Struct, frozen=True):
    """One HTTP request body and its headers; which operation it asks.

    ``book`` is the id of the book that it is for. ``id`` is what it calls itself (WS-Addressing),
    "" when it has no name. ``endpoint`` is the address of another port of the ERP, "" for the
    ledger's own endpoint. ``asked`` is when it was made, None where nobody compares the answer's
    moment with it. ``checked`` is when the attempts that it carries were last known to be ours;
    None where it is harmless.
    """

    operation: str
    body: bytes
    headers: Mapping[str, str]
    book: str
    id: str = ""
    endpoint: str = ""
    asked: dt.datetime | None = None
    checked: Uptime | None = None


class Answer(msgspec.Struct, frozen=True, eq=False):
    """A reply whose envelope was opened, and whose signature was judged where one is demanded.

    ``cookies`` are the HTTP reply's Set-Cookie headers, ``drift`` what was wrong with how it was
    sent. ``bound`` False: it is signed, and yet nothing signed says that it is the answer to this
    message and not to an earlier one.
    """

    envelope: Envelope
    cookies: tuple[str, ...] = ()
    drift: tuple[str, ...] = ()
    bound: bool = True
