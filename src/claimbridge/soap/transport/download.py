"""One document from one address: for locking contracts and for timestamps, never for a ledger."""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from contextlib import closing
from http import HTTPStatus
from typing import TYPE_CHECKING

from urllib3.exceptions import HTTPError, ReadTimeoutError

from claimbridge.clock import SYSTEM, Clock
from claimbridge.errors import ContractError
from claimbridge.soap.transport import failures
from claimbridge.soap.transport.connection import (
    Countdown,
    TimedConnection,
    TimedTlsConnection,
    with_countdown,
)
from claimbridge.soap.transport.settings import TransportSettings
from claimbridge.soap.transport.tls import tls_context

if TYPE_CHECKING:
    from urllib3.response import BaseHTTPResponse

_PIECE = 65_536
_EACH = 60.0
"""Seconds for one document."""
_HEADERS = {"Accept": "text/xml, application/wsdl+xml, */*;q=0.5", "Accept-Encoding": "identity"}


class Unfetched(Exception):
    """Why there is no answer; never leaves this package: callers say what it was for."""


class Downloads:
    """Fetches documents by address, all of them in ``seconds`` together.

    ``ca`` is PEM text with trust anchors beside the system's own. TLS is verified and no redirect
    followed; http is for loopback only. Raises as ``download`` does, and ConfigurationError for
    an address that could not be safe.
    """

    def __init__(
        self, *, ca: bytes | None = None, seconds: float = 300.0, clock: Clock = SYSTEM
    ) -> None:
        self._ca = ca
        self._clock = clock
        self._end = Countdown(clock, seconds)

    def __call__(self, address: str) -> bytes:
        """Return the document at ``address``."""
        try:
            left = self._end.left()
        except TimeoutError as error:
            raise ContractError(
                f"the contract was not complete after {self._end.seconds:g} s; "
                "its server is too slow, or leads from file to file",
                code="CB-219",
            ) from error
        settings = TransportSettings(address, total=min(_EACH, left), ca=self._ca)
        return download(settings, clock=self._clock)


def download(settings: TransportSettings, *, clock: Clock = SYSTEM) -> bytes:
    """Return what stands at ``settings.endpoint``, in ``settings.total`` seconds at most.

    TLS is verified, no redirect is followed, no proxy, cookie or credential is used, and no more
    than ``settings.reply_limit`` bytes are read. Raises ContractError CB-219 for everything else
    than a complete answer of 200.
    """
    try:
        return fetch(settings, clock=clock)
    except Unfetched as error:
        raise ContractError(f"{settings.place} {error}", code="CB-219") from error.__cause__


def fetch(
    settings: TransportSettings,
    *,
    query: bytes | None = None,
    headers: Mapping[str, str] = _HEADERS,
    clock: Clock = SYSTEM,
) -> bytes:
    """Return the answer to a GET, or to a POST of ``query`` where it is not None.

    It keeps what ``download`` promises, and raises Unfetched, whose words go after the place.
    """
    address = settings.address
    if address.secure:
        tls = with_countdown(tls_context(settings))
        connection: TimedConnection = TimedTlsConnection(
            address.host, address.port, ssl_context=tls
        )
    else:
        connection = TimedConnection(address.host, address.port)
    whole = Countdown(clock, settings.total)
    try:
        _open(connection, Countdown(clock, settings.connect), settings.place)
        connection.until(whole)
        connection.request(
            "GET" if query is None else "POST",
            address.target,
            query,
            {"User-Agent": settings.user_agent, **headers},
            preload_content=False,
            decode_content=False,
        )
        with closing(connection.getresponse()) as response:
            return _body(response, settings)
    except (TimeoutError, ReadTimeoutError) as error:
        raise Unfetched(f"gave no complete answer in {whole.seconds:g} s") from error
    except (OSError, http.client.HTTPException, HTTPError) as error:
        raise Unfetched(f"broke off ({type(error).__name__})") from error
    finally:
        connection.close()


def _open(connection: TimedConnection, deadline: Countdown, place: str) -> None:
    try:
        connection.open(deadline)
    except (OSError, http.client.HTTPException, HTTPError) as error:
        cause = error if isinstance(error, OSError) else OSError()
        why = failures.unreachable(cause, place=place, seconds=deadline.seconds)
        raise Unfetched(f"cannot be reached: {why.message}") from error


def _body(response: BaseHTTPResponse, settings: TransportSettings) -> bytes:
    if 300 <= response.status < 400:
        raise Unfetched("answers with a redirect; give the address that it leads to")
    if response.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        raise Unfetched(
            f"asks for credentials (HTTP {response.status}); save what it gives by a browser "
            "that is logged in"
        )
    if response.status != HTTPStatus.OK:
        raise Unfetched(f"answers HTTP {response.status}; check the address")
    pieces: list[bytes] = []
    size = 0
    for piece in response.stream(_PIECE, decode_content=False):
        size += len(piece)
        if size > settings.reply_limit:
            raise Unfetched(f"sends more than {settings.reply_limit} bytes")
        pieces.append(piece)
    return b"".join(pieces)


__all__ = ["Downloads", "Unfetched", "download", "fetch"]
