"""The wire of SOAP over HTTP: a request becomes an envelope, and a reply is taken out of one."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from claimbridge.clock import Clock
from claimbridge.contract import Operation
from claimbridge.soap.addressing import message_headers
from claimbridge.soap.authenticator import Authenticator
from claimbridge.soap.charset import as_document
from claimbridge.soap.envelope import Envelope, SoapReply, build, open_envelope
from claimbridge.soap.http import accept, content_headers
from claimbridge.soap.transport import HttpAnswer, HttpMessage
from claimbridge.xmlio import canonical, local_name, parse

_AT_DOOR: Final = frozenset({401, 407})
_ACCEPT: Final = "text/xml, application/soap+xml, */*;q=0.5"


class SoapWire:
    """Carries one ledger's requests and replies in SOAP envelopes; threads may share it.

    ``addressing`` gives each message a name (WS-Addressing), which its reply must then repeat.
    ``token`` makes the WS-Security header of one message, None where there is none.
    ``authenticator`` judges the replies' signatures, None where replies are not signed.
    """

    def __init__(
        self,
        *,
        version: str,
        addressing: bool = False,
        token: Callable[[], bytes] | None = None,
        authenticator: Authenticator | None = None,
        clock: Clock,
    ) -> None:
        self._version = version
        self._addressing = addressing
        self._token = token
        self._authenticator = authenticator
        self._clock = clock

    def message(
        self, operation: Operation, body: bytes, *, address: str, headers: Sequence[bytes] = ()
    ) -> HttpMessage:
        """Return the message of one attempt; ``headers`` are the profile's own header elements."""
        name = uuid.uuid4().urn if self._addressing else ""
        blocks = (
            *(message_headers(name, operation.soap_action) if name else ()),
            *((self._token(),) if self._token is not None else ()),
            *headers,
        )
        return HttpMessage(
            address,
            {"Accept": _ACCEPT, **content_headers(self._version, operation.soap_action)},
            build(body, version=self._version, headers=blocks),
            id=name,
            asked=self._clock.now(),
        )

    def open(self, answer: HttpAnswer, message: HttpMessage) -> SoapReply:
        """Return the reply that answers a message, opened.

        Raises a DeliveryError for an answer without a reply (see ``soap.http``). Where replies are
        signed, one that does not verify says nothing, a Fault included. Raises DocumentError or
        SigningError.
        """
        reply = accept(answer, now=self._clock.now())
        if self._authenticator is None:
            envelope = self._known_at_door(open_envelope(reply.body))
            return SoapReply(_seen_at_door(envelope, reply.status), reply.drift)
        signed = self._authenticator.open(reply.body, message_id=message.id, asked=message.asked)
        envelope = self._known_at_door(signed.envelope)
        return msgspec.structs.replace(signed, envelope=envelope, drift=reply.drift)

    def _known_at_door(self, envelope: Envelope) -> Envelope:
        """Return the envelope; who sends no security header was not refused for it.

        The code is then about another message: what a bus sends to the ERP, or gets from it.
        """
        return envelope if self._token is not None else _with_door(envelope, at_door=False)

    def open_bytes(self, data: bytes) -> SoapReply:
        """Return a saved reply, whoever wrote it."""
        document, drift = as_document(data, "")
        return SoapReply(open_envelope(document), drift)

    def body_in(self, data: bytes) -> bytes:
        """Return what a request says by the contract, of a whole message or of that alone.

        Raises DocumentError when it is no XML.
        """
        root = parse(data)
        if local_name(root) != "Envelope":
            return data
        body = open_envelope(data).body
        return canonical(body) if body is not None else data


def _seen_at_door(envelope: Envelope, status: int) -> Envelope:
    """Return the envelope; a fault under HTTP 401 or 407 was made before the message was read.

    RFC 9110 §15.5.2: the request "has not been applied because it lacks valid authentication
    credentials"; §15.5.8 the same of a proxy. Without a fault the status means just that, too (see
    ``soap.http``, CB-418).
    """
    return _with_door(envelope, at_door=True) if status in _AT_DOOR else envelope


def _with_door(envelope: Envelope, *, at_door: bool) -> Envelope:
    if envelope.fault is None:
        return envelope
    fault = msgspec.structs.replace(envelope.fault, at_door=at_door)
    return msgspec.structs.replace(envelope, fault=fault)
