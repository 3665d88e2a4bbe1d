"""A server on raw sockets that misbehaves to order."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable

REPLY = (
    b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
    b'<r:Done xmlns:r="urn:r">yes</r:Done></s:Body></s:Envelope>'
)


def http(
    status: int = 200,
    body: bytes = REPLY,
    *,
    length: int | None = None,
    kind: str = "text/xml; charset=utf-8",
    **headers: str,
) -> bytes:
    """An HTTP answer, with a Content-Length that may lie."""
    size = len(body) if length is None else length
    lines = [f"HTTP/1.1 {status} So", f"Content-Length: {size}"]
    if kind:
        lines.append(f"Content-Type: {kind}")
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


class Wire:
    """One connection as the server sees it, with the request that was just read from it."""

    def __init__(self, sock: socket.socket, server: Server, number: int) -> None:
        self.sock = sock
        self.server = server
        self.number = number
        """Connections are counted from 1."""
        self.served = 0
        self.head = b""
        self.body = b""

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def dribble(self, data: bytes, *, every: float) -> None:
        """Send byte by byte until the peer has had enough."""
        for position in range(len(data)):
            self.send(data[position : position + 1])
            if self.server.stopped.wait(every):
                return

    def hang(self) -> None:
        """Say nothing until the test is over."""
        self.server.stopped.wait(30)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()

    def reset(self) -> None:
        """Close with RST, as a crashed server does."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def read_request(self) -> bool:
        """Read one request; False at the end of the connection."""
        data = b""
        while b"\r\n\r\n" not in data:
            piece = self.sock.recv(65536)
            if not piece:
                return False
            data += piece
        self.head, _, self.body = data.partition(b"\r\n\r\n")
        lengths = (
            int(line.partition(b":")[2])
            for line in self.head.lower().splitlines()
            if line.startswith(b"content-length")
        )
        length = next(lengths, 0)
        while len(self.body) < length:
            self.body += self.sock.recv(65536)
        self.served += 1
        return True


Act = Callable[[Wire], None]


class Server:
    """Listens on loopback and plays ``act`` for every request; counts what reaches it."""

    def __init__(self, act: Act, *, tls: ssl.SSLContext | None, raw: bool) -> None:
        self.connections = 0
        self.requests: list[tuple[bytes, bytes]] = []
        self.stopped = threading.Event()
        self._act = act
        self._tls = tls
        self._raw = raw
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port: int = self._socket.getsockname()[1]
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def url(self, path: str = "/erp", *, host: str = "127.0.0.1") -> str:
        return f"{'https' if self._tls else 'http'}://{host}:{self.port}{path}"

    def stop(self) -> None:
        self.stopped.set()
        for sock in (self._socket, *self._open):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()

    def _accept(self) -> None:
        while not self.stopped.is_set():
            try:
                sock, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(sock)
            threading.Thread(target=self._serve, args=(sock, self.connections), daemon=True).start()

    def _serve(self, sock: socket.socket, number: int) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(OSError, ValueError):
            if self._tls is not None:
                sock = self._tls.wrap_socket(sock, server_side=True)
                self._open.append(sock)
            wire = Wire(sock, self, number)
            if self._raw:
                self._act(wire)
                return
            while wire.read_request():
                self.requests.append((wire.head, wire.body))
                self._act(wire)
