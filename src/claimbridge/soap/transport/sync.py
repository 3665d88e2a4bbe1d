"""The transport for threads: one HTTP exchange over a pool, and which half of it failed.

urllib3's own pool is not used. It does not say whether an exception came before or after the first
byte of the request. Its timeouts bound single reads, so that a reply which trickles in byte by byte
has no end.
"""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from urllib3.exceptions import HTTPError, ReadTimeoutError

from claimbridge.clock import SYSTEM, Clock, Uptime
from claimbridge.errors import DeliveryError
from claimbridge.soap.transport import failures
from claimbridge.soap.transport.answer import HttpAnswer, ReplyBody, headers_of
from claimbridge.soap.transport.connection import (
    Countdown,
    TimedConnection,
    TimedTlsConnection,
    TunnelRefused,
    with_countdown,
)
from claimbridge.soap.transport.pool import Pool
from claimbridge.soap.transport.request import Departure, Stale, TimedRequest, log_exchange, prepare
from claimbridge.soap.transport.settings import Address, TransportSettings
from claimbridge.soap.transport.tls import tls_context

if TYPE_CHECKING:
    from urllib3.response import BaseHTTPResponse

_PIECE = 65_536


class HttpClient:
    """Makes calls to one endpoint and returns whatever was answered; threads may share it.

    Raises ConfigurationError or KeyUnavailable when it is made with an unusable ``ca`` or client
    certificate.
    """

    def __init__(self, settings: TransportSettings, *, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._place = settings.place
        self._address = settings.address
        self._tls = with_countdown(tls_context(settings)) if self._address.secure else None
        self._pool = Pool(self._connection, settings, clock)

    def exchange(self, call: TimedRequest) -> HttpAnswer:
        """Make one call, once, and return its complete answer, of whatever status.

        Raises NotDelivered for what failed before the first byte of the request may have left,
        OutcomeUnknown for everything after it. No traceback that hangs on an error reaches into
        the HTTP client, whose variables hold the whole URL.
        """
        total = Countdown(self._clock, call.total)
        opening = Countdown(self._clock, call.connect)
        with self._pool.lend(opening) as loan:
            assert loan.connection is not None  # it was lent with one
            self._open(loan.connection, opening)
            answer = self._exchange(loan.connection, call, total)
            loan.complete = True
            return answer

    def close(self) -> None:
        """Close idle connections now and busy ones when their exchange ends; twice is harmless."""
        self._pool.close()

    def _connection(self) -> TimedConnection:
        """Return a connection that is not open yet, by way of the proxy if there is one."""
        proxy = self._settings.via
        first = proxy or self._address
        if self._tls is None:
            return TimedConnection(first.host, first.port)
        connection = TimedTlsConnection(first.host, first.port, ssl_context=self._tls)
        if proxy is not None:
            connection.set_tunnel(self._address.host, self._address.port, _proxy_headers(proxy))
        return connection

    def _open(self, connection: TimedConnection, deadline: Countdown) -> None:
        """Connect unless connected; whatever goes wrong here, the request was not delivered."""
        if not connection.is_closed:
            return
        try:
            connection.open(deadline)
        except TunnelRefused as error:
            raise failures.tunnel_refused(error.status, place=self._place) from error
        except (OSError, http.client.HTTPException, HTTPError) as error:
            cause = error if isinstance(error, OSError) else OSError()
            raise failures.unreachable(
                cause, place=self._place, seconds=deadline.seconds
            ) from error

    def _exchange(
        self, connection: TimedConnection, call: TimedRequest, deadline: Countdown
    ) -> HttpAnswer:
        """Send and receive; whatever goes wrong from here on, the ERP may have the request."""
        departure = Departure(call, self._clock)
        connection.until(deadline, departure)
        answered = False
        try:
            response = self._response(connection, call)
            answered = True
            body = self._read(response)
        except (OSError, http.client.HTTPException, HTTPError) as error:
            if isinstance(error, Stale) and not departure.begun:
                raise failures.standstill(place=self._place) from _shallow(error)
            raise self._loss(error, deadline, answered=answered) from _shallow(error)
        # ``items`` of urllib3 gives each of repeated headers, one after the other.
        headers = headers_of(response.headers.items())
        return HttpAnswer(response.status, headers.joined, body, headers.cookies, place=self._place)

    def _response(self, connection: TimedConnection, call: TimedRequest) -> BaseHTTPResponse:
        # A server that refuses a request need not read all of it; its answer may be waiting.
        with suppress(BrokenPipeError, ConnectionResetError, ssl.SSLEOFError):
            connection.request(
                call.method,
                call.target or self._address.target,
                call.body or None,
                call.headers,
                preload_content=False,
                decode_content=False,
            )
        return connection.getresponse()

    def _read(self, response: BaseHTTPResponse) -> bytes:
        body = ReplyBody(
            response.headers.get("content-encoding", ""),
            limit=self._settings.reply_limit,
            place=self._place,
        )
        for piece in response.stream(_PIECE, decode_content=False):
            body.add(piece)
        return body.whole()

    def _loss(self, error: BaseException, deadline: Countdown, *, answered: bool) -> DeliveryError:
        if isinstance(error, TimeoutError | ReadTimeoutError):
            return failures.late(place=self._place, seconds=deadline.seconds)
        if not answered and (refusal := failures.certificate_refusal(error, place=self._place)):
            return refusal
        return failures.break_off(error, place=self._place)


def _shallow(error: BaseException) -> BaseException:
    """Return ``error`` without the frames of the HTTP client, whose variables hold the URL."""
    link: BaseException | None = error
    while link is not None:
        link.__traceback__ = None
        link = link.__cause__ or link.__context__
    return error


def _proxy_headers(proxy: Address) -> dict[str, str]:
    return {"Proxy-Authorization": proxy.authorization} if proxy.authorization else {}


class Transport:
    """Sends POSTs to one endpoint over a pool of connections; safe to use from many threads.

    Raises ConfigurationError or KeyUnavailable when it is made with an unusable ``ca`` or client
    certificate.
    """

    def __init__(self, settings: TransportSettings, *, clock: Clock = SYSTEM) -> None:
        self._settings = settings
        self._clock = clock
        self._place = settings.place
        self._http = HttpClient(settings, clock=clock)

    def post(
        self,
        body: bytes,
        *,
        headers: Mapping[str, str],
        timeout: float | None = None,
        checked: Uptime | None = None,
    ) -> HttpAnswer:
        """Send ``body`` once and return the complete answer, of whatever status.

        ``timeout`` replaces ``settings.total``, in seconds. ``checked`` is when the sender was last
        known to own what it sends: it leaves soon after that, or not at all. Raises NotDelivered or
        OutcomeUnknown, as the package's docstring sorts them.
        """
        call = prepare(self._settings, body, headers, timeout, checked)
        with log_exchange(place=self._place, size=len(body), clock=self._clock) as watch:
            watch.answer = self._http.exchange(call)
        return watch.answer

    def close(self) -> None:
        """Close idle connections now and busy ones when their exchange ends; twice is harmless."""
        self._http.close()

    def __enter__(self) -> Transport:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
