"""One GET of one document: for locking a contract, never for talking to a ledger."""

from __future__ import annotations

import http.client
from contextlib import closing
from http import HTTPStatus
from typing import TYPE_CHECKING

from urllib3.exceptions import HTTPError, ReadTimeoutError

from claimbridge.clock import SYSTEM, Clock
from claimbridge.errors import ContractError
from claimbridge.soap.transport import failures
from claimbridge.soap.transport.connection import Connection, Deadline, TlsConnection, timed
from claimbridge.soap.transport.settings import TransportSettings
from claimbridge.soap.transport.tls import tls_context

if TYPE_CHECKING:
    from urllib3.response import BaseHTTPResponse

_PIECE = 65_536
_EACH = 60.0
"""Seconds for one document."""
_HEADERS = {"Accept": "text/xml, application/wsdl+xml, */*;q=0.5", "Accept-Encoding": "identity"}


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
        self._end = Deadline(clock, seconds)

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
    address, place = settings.address, settings.place
    if address.secure:
        tls = timed(tls_context(settings))
        connection: Connection = TlsConnection(address.host, address.port, ssl_context=tls)
    else:
        connection = Connection(address.host, address.port)
    whole = Deadline(clock, settings.total)
    try:
        _open(connection, Deadline(clock, settings.connect), place)
        connection.until(whole)
        headers = {"User-Agent": settings.user_agent, **_HEADERS}
        connection.request(
            "GET", address.target, headers=headers, preload_content=False, decode_content=False
        )
        with closing(connection.getresponse()) as response:
            return _body(response, settings)
    except (TimeoutError, ReadTimeoutError) as error:
        raise _failed(place, f"gave no complete answer in {whole.seconds:g} s") from error
    except (OSError, http.client.HTTPException, HTTPError) as error:
        raise _failed(place, f"broke off ({type(error).__name__})") from error
    finally:
        connection.close()


def _open(connection: Connection, deadline: Deadline, place: str) -> None:
    try:
        connection.open(deadline)
    except (OSError, http.client.HTTPException, HTTPError) as error:
        cause = error if isinstance(error, OSError) else OSError()
        why = failures.unreachable(cause, place=place, seconds=deadline.seconds)
        raise ContractError(why.message, code="CB-219") from error


def _body(response: BaseHTTPResponse, settings: TransportSettings) -> bytes:
    place = settings.place
    if 300 <= response.status < 400:
        raise _failed(place, "answers with a redirect; lock the address that it leads to")
    if response.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        raise _failed(
            place,
            f"asks for credentials (HTTP {response.status}); "
            "save the files by a browser that is logged in, and lock the folder",
        )
    if response.status != HTTPStatus.OK:
        raise _failed(place, f"answers HTTP {response.status}; check the address")
    pieces: list[bytes] = []
    size = 0
    for piece in response.stream(_PIECE, decode_content=False):
        size += len(piece)
        if size > settings.reply_limit:
            raise _failed(place, f"sends more than {settings.reply_limit} bytes")
        pieces.append(piece)
    return b"".join(pieces)


def _failed(place: str, what: str) -> ContractError:
    return ContractError(f"{place} {what}", code="CB-219")


__all__ = ["Downloads", "download"]
