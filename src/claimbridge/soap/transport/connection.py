"""Connections whose every step ends in time, and that say which half of an exchange failed."""

from __future__ import annotations

import errno
import http.client
import queue
import re
import socket
import ssl
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util.response import assert_header_parsing

from claimbridge.clock import Clock
from claimbridge.soap.transport.request import Departure

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer


class Countdown:
    """A point on the monotonic clock; ``seconds`` is how far away it was when it was set."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self.seconds = seconds
        self._clock = clock
        self._at = clock.monotonic() + seconds

    def left(self) -> float:
        """Return the seconds that are left, above 0; raises TimeoutError when there are none."""
        left = self._at - self._clock.monotonic()
        if left <= 0:
            raise TimeoutError("the time is up")
        return left


class _TimedSocket(socket.socket):
    """A socket whose reads and writes all end by one deadline, however small their steps."""

    deadline: Countdown
    departure: Departure | None = None

    def recv_into(self, buffer: WriteableBuffer, nbytes: int | None = None, flags: int = 0) -> int:
        self.settimeout(self.deadline.left())
        return super().recv_into(buffer, nbytes or 0, flags)

    def sendall(self, data: ReadableBuffer, flags: int = 0) -> None:
        # Python takes a socket's timeout, plain or TLS, for the whole of what is handed over.
        self.settimeout(self.deadline.left())
        if self.departure is not None:
            self.departure.check()
        super().sendall(data, flags)


class _TimedTlsSocket(_TimedSocket, ssl.SSLSocket):
    """The same over TLS.

    Before its handshake, ssl looks whether the other side is there. Where it is gone already, ssl
    raises and leaves the socket open, which nobody else can close: done here.
    """

    def getpeername(self) -> Any:
        try:
            return super().getpeername()
        except OSError as error:
            self._close_unless(error, errno.ENOTCONN)
            raise

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        try:
            return super().recv(buflen, flags)
        except OSError as error:
            self._close_unless(error, errno.ENOTCONN, errno.EINVAL)
            raise

    def _close_unless(self, error: OSError, *expected: int) -> None:
        if getattr(self, "_sslobj", None) is None and error.errno not in expected:
            self.close()


def with_countdown(context: ssl.SSLContext) -> ssl.SSLContext:
    """Return ``context``, whose sockets end by their connection's deadline from now on."""
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


class TunnelRefused(Exception):
    """The proxy answered CONNECT with another status than 200."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class TimedConnection(HTTPConnection):
    """A connection that says which of its two halves failed: opening, or exchanging."""

    response_class = _StrictResponse

    def open(self, deadline: Countdown) -> None:
        """Connect; raises OSError, HTTPException or TunnelRefused."""
        self._opening = deadline
        try:
            self.connect()
        except OSError as error:
            # http.client tells the proxy's answer in its words only.
            if refused := re.match(r"Tunnel connection failed: (\d{3})", str(error)):
                raise TunnelRefused(int(refused[1])) from error
            raise
        deadline.left()

    def until(self, deadline: Countdown, departure: Departure | None = None) -> None:
        """Let everything from here on end by ``deadline``, and leave as ``departure`` allows."""
        if isinstance(self.sock, _TimedSocket):
            self.sock.deadline = deadline
            self.sock.departure = departure

    def _new_conn(self) -> socket.socket:
        return _dial(self._dns_host, self.port, self._opening)


class TimedTlsConnection(TimedConnection, HTTPSConnection):
    """The same over TLS; its context comes from ``with_countdown``."""


def _dial(host: str, port: int, deadline: Countdown) -> _TimedSocket:
    """Return a connected socket; a dead address leaves its share of the time to the next one."""
    addresses = _resolve(host, port, deadline)
    failed: OSError = OSError(f"{host} has no address")
    for position, (family, kind, protocol, _, address) in enumerate(addresses):
        try:
            dialled = _TimedSocket(family, kind, protocol)
        except OSError as error:  # a kind of address that this machine does not speak
            failed = error
            continue
        dialled.deadline = deadline
        try:
            dialled.settimeout(deadline.left() / (len(addresses) - position))
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
_Addresses = Sequence[tuple[socket.AddressFamily, socket.SocketKind, int, str, _SocketAddress]]


def _resolve(host: str, port: int, deadline: Countdown) -> _Addresses:
    """Ask the name server, for as long as there is time: the system call itself has no timeout."""
    answers: queue.SimpleQueue[_Addresses | OSError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except OSError as error:
            answers.put(error)

    try:
        threading.Thread(target=ask, name="claimbridge-resolve", daemon=True).start()
    except RuntimeError as error:
        raise OSError("the system gives no further thread") from error
    try:
        answer = answers.get(timeout=deadline.left())
    except queue.Empty:
        raise TimeoutError("the name server does not answer") from None
    if isinstance(answer, OSError):
        raise answer
    return answer
