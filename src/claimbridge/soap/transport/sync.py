"""The transport for threads, on urllib3's connections.

urllib3's own pool is not used: it does not tell whether an exception came before or after the
first byte of the request, and its timeouts bound single reads, so that a reply which trickles in
byte by byte has no end.
"""

from __future__ import annotations

import http.client
import os
import queue
import re
import socket
import ssl
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, ReadTimeoutError
from urllib3.util.response import assert_header_parsing

from claimbridge.clock import SYSTEM, Clock
from claimbridge.errors import DeliveryError
from claimbridge.soap.transport import failures
from claimbridge.soap.transport.reply import Answer, HttpReply, ReplyBody, accept
from claimbridge.soap.transport.request import Call, prepare
from claimbridge.soap.transport.settings import Address, TransportSettings
from claimbridge.soap.transport.tls import tls_context

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer
    from urllib3.response import BaseHTTPResponse

_PIECE = 65_536


class Transport:
    """Sends POSTs to one endpoint over a pool of connections; safe to use from many threads.

    Raises ConfigurationError or KeyUnavailable when it is made with an unusable ``ca`` or client
    certificate.
    """

    def __init__(self, settings: TransportSettings, *, clock: Clock = SYSTEM) -> None:
        self._settings = settings
        self._clock = clock
        self._place = settings.place
        self._address = settings.address
        self._tls = _timed(tls_context(settings)) if self._address.secure else None
        self._pool = _Pool(self._connection, settings, clock)

    def post(
        self, body: bytes, *, headers: Mapping[str, str], timeout: float | None = None
    ) -> HttpReply:
        """Send ``body`` once and return the complete reply, which holds XML.

        ``timeout`` replaces ``settings.total``, in seconds. Raises NotDelivered, OutcomeUnknown
        or LedgerUnavailable, as the package's docstring sorts them.
        """
        call = prepare(self._settings, body, headers, timeout)
        with failures.watched(place=self._place, size=len(body), clock=self._clock) as watch:
            total = _Deadline(self._clock, call.total)
            opening = _Deadline(self._clock, call.connect)
            connection = self._pool.take(opening)
            try:
                self._open(connection, opening)
                answer = self._exchange(connection, call, total)
            except BaseException:
                self._pool.drop(connection)
                raise
            self._pool.give(connection)
            watch.reply = accept(answer, place=self._place, now=self._clock.now())
        return watch.reply

    def close(self) -> None:
        """Close idle connections now and busy ones when their exchange ends; twice is harmless."""
        self._pool.close()

    def __enter__(self) -> Transport:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _connection(self) -> _Connection:
        """Return a connection that is not open yet, by way of the proxy if there is one."""
        proxy = self._settings.via
        first = proxy or self._address
        if self._tls is None:
            return _Connection(first.host, first.port)
        connection = _TlsConnection(first.host, first.port, ssl_context=self._tls)
        if proxy is not None:
            connection.set_tunnel(self._address.host, self._address.port, _shown_to(proxy))
        return connection

    def _open(self, connection: _Connection, deadline: _Deadline) -> None:
        """Connect unless connected; whatever goes wrong here, the request was not delivered."""
        if not connection.is_closed:
            return
        try:
            connection.open(deadline)
        except _TunnelRefused as error:
            raise failures.tunnel_refused(error.status, place=self._place) from error
        except (OSError, http.client.HTTPException) as error:
            cause = error if isinstance(error, OSError) else OSError()
            raise failures.unreachable(
                cause, place=self._place, seconds=deadline.seconds
            ) from error

    def _exchange(self, connection: _Connection, call: Call, deadline: _Deadline) -> Answer:
        """Send and receive; whatever goes wrong from here on, the ERP may have the request."""
        connection.until(deadline)
        answered = False
        try:
            response = self._sent(connection, call)
            answered = True
            body = self._read(response)
        except (OSError, http.client.HTTPException, HTTPError) as error:
            raise self._lost(error, deadline, answered=answered) from error
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status, headers, body)

    def _sent(self, connection: _Connection, call: Call) -> BaseHTTPResponse:
        # A server that refuses a request need not read all of it; its answer may be waiting.
        with suppress(BrokenPipeError, ConnectionResetError, ssl.SSLEOFError):
            connection.request(
                "POST",
                self._address.target,
                call.body,
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

    def _lost(self, error: BaseException, deadline: _Deadline, *, answered: bool) -> DeliveryError:
        if isinstance(error, TimeoutError | ReadTimeoutError):
            return failures.late(place=self._place, seconds=deadline.seconds)
        if not answered and (refusal := failures.certificate_refusal(error, place=self._place)):
            return refusal
        return failures.broken_off(error, place=self._place)


def _shown_to(proxy: Address) -> dict[str, str]:
    return {"Proxy-Authorization": proxy.authorization} if proxy.authorization else {}


class _Deadline:
    """A point on the monotonic clock; ``seconds`` is how far away it was when it was set."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self.seconds = seconds
        self._clock = clock
        self._at = clock.monotonic() + seconds

    def left(self) -> float:
        """Return the seconds that are left; raises TimeoutError when there are none."""
        left = self._at - self._clock.monotonic()
        if left <= 0:
            raise TimeoutError("the time is up")
        return left


class _TimedSocket(socket.socket):
    """A socket whose reads and writes all end by one deadline, however small their steps."""

    deadline: _Deadline

    def recv_into(self, buffer: WriteableBuffer, nbytes: int | None = None, flags: int = 0) -> int:
        self.settimeout(self.deadline.left())
        return super().recv_into(buffer, nbytes or 0, flags)

    def send(self, data: ReadableBuffer, flags: int = 0) -> int:
        self.settimeout(self.deadline.left())
        return super().send(data, flags)

    def sendall(self, data: ReadableBuffer, flags: int = 0) -> None:
        # One deadline for all of it on a plain socket; on a TLS socket it calls `send`.
        self.settimeout(self.deadline.left())
        super().sendall(data, flags)


class _TimedTlsSocket(_TimedSocket, ssl.SSLSocket):
    pass


def _timed(context: ssl.SSLContext) -> ssl.SSLContext:
    context.sslsocket_class = _TimedTlsSocket
    return context


class _StrictResponse(http.client.HTTPResponse):
    """Refuses headers that http.client reads past: cut off, or with a length that is no number."""

    def begin(self) -> None:
        super().begin()
        # urllib3 finds defects too, but only logs them, with the URL and a piece of the reply.
        assert_header_parsing(self.msg)
        for length in self.msg.get_all("content-length", ()):
            if re.fullmatch(r"\s*[0-9]+\s*", length) is None:
                raise http.client.HTTPException("Content-Length is not a number")


class _TunnelRefused(Exception):
    """The proxy answered CONNECT with another status than 200."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class _Connection(HTTPConnection):
    """A connection that says which of its two halves failed: opening, or exchanging."""

    response_class = _StrictResponse

    def open(self, deadline: _Deadline) -> None:
        """Connect; raises OSError, HTTPException or _TunnelRefused."""
        self._opening = deadline
        try:
            self.connect()
        except OSError as error:
            # http.client tells the proxy's answer in its words only.
            if refused := re.match(r"Tunnel connection failed: (\d{3})", str(error)):
                raise _TunnelRefused(int(refused[1])) from error
            raise
        deadline.left()

    def until(self, deadline: _Deadline) -> None:
        """Let everything from here on end by ``deadline``."""
        if isinstance(self.sock, _TimedSocket):
            self.sock.deadline = deadline

    def _new_conn(self) -> socket.socket:
        return _dial(self._dns_host, self.port, self._opening)


class _TlsConnection(_Connection, HTTPSConnection):
    pass


def _dial(host: str, port: int, deadline: _Deadline) -> _TimedSocket:
    """Return a connected socket; a dead address leaves its share of the time to the next one."""
    found = _resolve(host, port, deadline)
    failed: OSError = OSError(f"{host} has no address")
    for position, (family, kind, protocol, _, address) in enumerate(found):
        dialled = _TimedSocket(family, kind, protocol)
        dialled.deadline = deadline
        try:
            dialled.settimeout(deadline.left() / (len(found) - position))
            dialled.connect(address)
            dialled.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            dialled.settimeout(deadline.left())
        except OSError as error:
            dialled.close()
            failed = error
        else:
            return dialled
    raise failed


_SocketAddress = tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]
_Found = Sequence[tuple[socket.AddressFamily, socket.SocketKind, int, str, _SocketAddress]]


def _resolve(host: str, port: int, deadline: _Deadline) -> _Found:
    """Ask the name server, for as long as there is time: the system call itself has no timeout."""
    answers: queue.SimpleQueue[_Found | OSError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except OSError as error:
            answers.put(error)

    threading.Thread(target=ask, name="claimbridge-resolve", daemon=True).start()
    try:
        answer = answers.get(timeout=deadline.left())
    except queue.Empty:
        raise TimeoutError("the name server does not answer") from None
    if isinstance(answer, OSError):
        raise answer
    return answer


class _Idle(msgspec.Struct, frozen=True):
    connection: _Connection
    since: float


class _Pool:
    """At most ``settings.pool`` connections; the one used last is used first."""

    def __init__(
        self, make: Callable[[], _Connection], settings: TransportSettings, clock: Clock
    ) -> None:
        self._make = make
        self._settings = settings
        self._clock = clock
        self._room = threading.Semaphore(settings.pool)
        self._lock = threading.Lock()
        self._idle: deque[_Idle] = deque()
        self._process = os.getpid()
        self._closed = False

    def take(self, deadline: _Deadline) -> _Connection:
        """Return a connection for one exchange; raises NotDelivered when none gets free."""
        place = self._settings.place
        if self._closed:
            raise failures.closed(place=place)
        if not self._room.acquire(timeout=deadline.left()):
            raise failures.busy(place=place, seconds=deadline.seconds)
        return self._reusable() or self._make()

    def give(self, connection: _Connection) -> None:
        """Take back a connection whose exchange is complete."""
        with self._lock:
            keep = not self._closed and not connection.is_closed
            if keep:
                self._idle.append(_Idle(connection, self._clock.monotonic()))
        if not keep:
            connection.close()
        self._room.release()

    def drop(self, connection: _Connection) -> None:
        """Take back a connection in an unknown condition."""
        connection.close()
        self._room.release()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            left = list(self._idle)
            self._idle.clear()
        for idle in left:
            idle.connection.close()

    def _reusable(self) -> _Connection | None:
        """Return an open connection that the server has not closed, as far as one can see.

        A server that closes at the very moment of sending makes the outcome unknown, so what has
        been idle for long, or is readable (the server's goodbye), is not tried.
        """
        while True:
            with self._lock:
                if self._process != os.getpid():
                    # After a fork, the parent's connections: two processes must not share one.
                    self._idle.clear()
                    self._process = os.getpid()
                if not self._idle:
                    return None
                idle = self._idle.pop()
            fresh = self._clock.monotonic() - idle.since < self._settings.idle
            if fresh and idle.connection.is_connected:
                return idle.connection
            idle.connection.close()
