"""A relay between a client and the ERP that knows to the byte how far an exchange has come.

Every exchange has a connection of its own: the relay adds ``Connection: close`` to each reply. At
the ordered stage of the ordered exchange it calls whoever wants to do harm there.
"""

from __future__ import annotations

import contextlib
import enum
import re
import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

import msgspec

LOCAL: Final = "127.0.0.1"


class Stage(enum.StrEnum):
    """How far an exchange has come."""

    CONNECTED = "connected"
    """Not a byte of the request is here."""
    HALF_SENT = "half of the request sent"
    SENT = "request sent"
    """All of the request is here, and nothing of it at the ERP."""
    DELIVERED = "request delivered"
    """All of the request is at the ERP, which may be at work."""
    ANSWERED = "answer under way"
    """All of the reply is here, and nothing of it at the client."""
    HALF_ANSWERED = "half of the answer read"
    RETURNED = "answer returned"
    """All of the reply has been handed to the client's side of the connection."""


class Fate(enum.Enum):
    """What becomes of the exchange after the harm."""

    GO_ON = "go on"
    LOSE = "lose"
    """Nothing more is passed on; both connections close."""
    LATE = "late"
    """The request, of which nothing was passed on before, reaches the ERP after a while."""


class Order(msgspec.Struct, frozen=True):
    """Harm to be done: at the ``nth`` exchange from now (counted from 1), at ``stage``.

    ``nth`` 0: at each. With the fate LATE the request arrives ``delay`` seconds later.
    """

    nth: int
    stage: Stage
    act: Callable[[], None] = lambda: None
    fate: Fate = Fate.GO_ON
    delay: float = 0.3


class Relay:
    """Listens on a port of its own and passes exchanges on to ``target``, a port of this machine.

    ``target`` may be changed at any time. Use it as a context manager.
    """

    def __init__(self, target: int = 0) -> None:
        self.target: int = target
        self._listening = socket.create_server((LOCAL, 0), backlog=128)
        self.port: int = self._listening.getsockname()[1]
        self._lock = threading.Lock()
        self._orders: tuple[Order, ...] = ()
        self._seen = 0
        self._late: list[threading.Thread] = []

    def __enter__(self) -> Self:
        threading.Thread(target=self._serve, name="relay", daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # shutdown() wakes the thread that accepts; close() alone would not.
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.wait_for_the_late()

    @property
    def exchanges(self) -> int:
        """How many exchanges have begun since ``order``."""
        return self._seen

    def order(self, *orders: Order) -> None:
        """Order harm, instead of what was ordered before; exchanges are counted anew."""
        with self._lock:
            self._orders = orders
            self._seen = 0

    def wait_for_the_late(self) -> None:
        """Wait until every request with the fate LATE has been answered by the ERP."""
        with self._lock:
            late, self._late = self._late, []
        for thread in late:
            thread.join()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client: socket.socket) -> None:
        with self._lock:
            self._seen += 1
            due = [one for one in self._orders if one.nth in (0, self._seen)]
        # Whoever goes away, goes away: what that means is what these tests ask the client.
        with client, contextlib.suppress(OSError, _Lost):
            client.settimeout(30)
            _Exchange(self, client, due).run()

    def deliver_later(self, request: bytes, delay: float) -> None:
        """Let a request reach the ERP after ``delay`` seconds, whatever its sender does."""

        def deliver() -> None:
            with contextlib.suppress(OSError, _Lost):
                self.ask(request)

        timer = threading.Timer(delay, deliver)
        timer.start()
        with self._lock:
            self._late.append(timer)

    def connect(self) -> socket.socket:
        """Return a connection to the ERP."""
        return socket.create_connection((LOCAL, self.target), timeout=30)

    def ask(self, request: bytes) -> bytes:
        """Return the ERP's reply."""
        with self.connect() as erp:
            erp.sendall(request)
            return _message(erp)


class _Lost(Exception):
    """Nothing more of this exchange is to be passed on."""


class _Exchange:
    """One request and its reply, stage by stage."""

    def __init__(self, relay: Relay, client: socket.socket, due: list[Order]) -> None:
        self._relay = relay
        self._client = client
        self._due = due
        self._request = b""

    def run(self) -> None:
        self._reach(Stage.CONNECTED)
        self._request = self._read_request()
        self._reach(Stage.SENT)
        with self._relay.connect() as erp:
            erp.sendall(self._request)
            self._reach(Stage.DELIVERED)
            reply = _closing(_message(erp))
        self._reach(Stage.ANSWERED)
        half = len(reply) // 2
        self._client.sendall(reply[:half])
        self._reach(Stage.HALF_ANSWERED)
        self._client.sendall(reply[half:])
        self._reach(Stage.RETURNED)

    def _read_request(self) -> bytes:
        head = _head(self._client)
        length = _length(head)
        assert length is not None  # both clients say how long a request is
        half = _exactly(self._client, length - length // 2)
        self._reach(Stage.HALF_SENT)
        return head + half + _exactly(self._client, length // 2)

    def _reach(self, stage: Stage) -> None:
        for order in self._due:
            if order.stage is not stage:
                continue
            order.act()
            if order.fate is Fate.LATE:
                self._relay.deliver_later(self._request, order.delay)
            if order.fate is not Fate.GO_ON:
                raise _Lost


def _message(connection: socket.socket) -> bytes:
    """Return one HTTP message, cut off where its sender cut it off."""
    head = _head(connection)
    length = _length(head)
    if length is None:
        chunked = re.search(rb"\r\ntransfer-encoding:\s*chunked", head, re.I)
        return head + (_chunks(connection) if chunked else _rest(connection))
    body = b""
    while len(body) < length:
        piece = connection.recv(65536)
        if not piece:
            break
        body += piece
    return head + body


def _chunks(connection: socket.socket) -> bytes:
    """Return a chunked body up to its last chunk, or to where it was cut off."""
    body = b""
    while not body.endswith(b"0\r\n\r\n"):
        piece = connection.recv(65536)
        if not piece:
            break
        body += piece
    return body


def _head(connection: socket.socket) -> bytes:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += _exactly(connection, 1)
    return head


def _length(head: bytes) -> int | None:
    found = re.search(rb"\r\ncontent-length:\s*(\d+)", head, re.I)
    return int(found[1]) if found else None


def _exactly(connection: socket.socket, size: int) -> bytes:
    """Return ``size`` bytes; raises _Lost where the sender ends before."""
    parts = []
    while size:
        piece = connection.recv(size)
        if not piece:
            raise _Lost
        parts.append(piece)
        size -= len(piece)
    return b"".join(parts)


def _rest(connection: socket.socket) -> bytes:
    parts = []
    while piece := connection.recv(65536):
        parts.append(piece)
    return b"".join(parts)


def _closing(reply: bytes) -> bytes:
    line, _, rest = reply.partition(b"\r\n")
    return line + b"\r\nconnection: close\r\n" + rest
