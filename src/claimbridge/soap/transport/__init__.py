"""One POST to the ERP, and what its failure means for the ledger.

Everything that fails before the first byte of the request may have left is ``NotDelivered`` (or
its ``DeliveryRefused``, where trying again unchanged is useless). Everything after it is
``OutcomeUnknown`` until there is a complete answer; what that means is the business of the wire.
Nothing is ever sent twice, and no redirect is followed.

========= ==================== ======================================================
code      error                what happened
========= ==================== ======================================================
CB-410    DeliveryRefused      refused here: too large, unusable header, closed transport
CB-412    NotDelivered         the host name does not resolve
CB-413    NotDelivered         refused, unreachable, cut off before the request, proxy says no
CB-414    NotDelivered         no connection in time (name, TCP, proxy, TLS)
CB-415    NotDelivered         the TLS handshake failed; DeliveryRefused where the
                               certificate is untrusted, expired or for another host name
CB-416    NotDelivered         all connections stayed busy
CB-418    DeliveryRefused      the proxy, or TLS, says no to our credentials
CB-460    OutcomeUnknown       no complete reply in time
CB-461    OutcomeUnknown       the connection or the HTTP framing broke off
CB-462    OutcomeUnknown       the reply does not decompress
CB-465    OutcomeUnknown       the reply is larger than the limit
========= ==================== ======================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from claimbridge.soap.transport.answer import HttpAnswer
from claimbridge.soap.transport.pool import Ports
from claimbridge.soap.transport.request import HttpMessage
from claimbridge.soap.transport.settings import (
    Auth,
    Basic,
    Bearer,
    ClientCertificate,
    TransportSettings,
)
from claimbridge.soap.transport.sync import Transport

if TYPE_CHECKING:
    from claimbridge.soap.transport.aio import AsyncTransport


def __getattr__(name: str) -> object:
    # aiohttp is an extra, and costs more to import than all the rest: only when it is asked for.
    if name == "AsyncTransport":
        from claimbridge.soap.transport.aio import AsyncTransport

        return AsyncTransport
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "AsyncTransport",
    "Auth",
    "Basic",
    "Bearer",
    "ClientCertificate",
    "HttpAnswer",
    "HttpMessage",
    "Ports",
    "Transport",
    "TransportSettings",
]
