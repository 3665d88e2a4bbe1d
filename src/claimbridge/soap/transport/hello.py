"""Connecting without a request: whether anybody is there, and is who it says it is."""

from __future__ import annotations

import socket

from claimbridge.soap.transport.failures import unreachable
from claimbridge.soap.transport.settings import TransportSettings
from claimbridge.soap.transport.tls import tls_context


def greet(settings: TransportSettings, *, tls: bool) -> str:
    """Connect and hang up, with ``tls`` after its handshake; return what answered.

    No request is made, and no proxy used. Raises NotDelivered or DeliveryRefused as a transport
    does, and what an unusable ``ca`` or client certificate raises.
    """
    address = settings.address
    place = f"{address.host}:{address.port}"
    try:
        with socket.create_connection((address.host, address.port), settings.connect) as plain:
            if not (tls and address.secure):
                return f"{place} answers"
            context = tls_context(settings)
            with context.wrap_socket(plain, server_hostname=address.host) as secure:
                return f"{place} answers, and its certificate is good ({secure.version()})"
    except OSError as error:
        raise unreachable(error, place=place, seconds=settings.connect) from error


__all__ = ["greet"]
