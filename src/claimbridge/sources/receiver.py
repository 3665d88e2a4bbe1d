"""An ASGI application that takes in what others post, and answers by a status alone."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final, TypeAlias

# Written out as the ASGI specification 3.0 has them, so that a receiver needs no web framework.
# Any: a server's message holds what its type says.
Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_ARRIVING: Final = 16
"""Bodies that may be arriving for each that may be taken in: one that waits costs little."""


class _IncomingBody:
    """A body that is still arriving: from whom, how much of it is here, and how to end it."""

    def __init__(self, peer: str, timeout: asyncio.Timeout) -> None:
        self.peer = peer
        self.size = 0
        self.gave_way = False
        self._timeout = timeout

    def give_way(self) -> None:
        self.gave_way = True
        self._timeout.reschedule(asyncio.get_running_loop().time())


class _IncomingBodies:
    """The bodies that are arriving, the longest-waiting first; who is slow gives way to others.

    Nobody has shown a signature yet, so nobody may hold a place that another needs: beyond the
    bounds, the peer that holds most loses the body that it began first.
    """

    def __init__(self, *, most: int, max_bytes: int) -> None:
        self._most = most
        self._max_bytes = max_bytes
        self._held = 0
        self._all: dict[_IncomingBody, None] = {}
        self._peers: Counter[str] = Counter()

    def begin(self, arrival: _IncomingBody) -> None:
        self._all[arrival] = None
        self._peers[arrival.peer] += 1
        if len(self._all) > self._most:
            self._make_room()

    def grow(self, arrival: _IncomingBody, size: int) -> None:
        if arrival in self._all:
            arrival.size += size
            self._held += size
        while self._held > self._max_bytes:
            self._make_room()

    def end(self, arrival: _IncomingBody) -> None:
        if arrival in self._all:
            del self._all[arrival]
            self._held -= arrival.size
            self._peers[arrival.peer] -= 1
            if not self._peers[arrival.peer]:
                del self._peers[arrival.peer]

    def _make_room(self) -> None:
        most = max(self._peers.values())
        slow = next(one for one in self._all if self._peers[one.peer] == most)
        self.end(slow)
        slow.give_way()


class Receiver(ABC):
    """Reads whole bodies within bounds, and hands each to ``take``.

    ``max_bytes`` bounds a body, ``patience`` the seconds that it may take to arrive, and ``most``
    how many are taken in at one time: with these, a flood costs bounded memory. A body that is
    slow to arrive takes nobody's place: it gives way (503) when others need it. Answers 405 for
    another method than POST, 413, 408, and 503 with Retry-After beyond them; else as ``take``.
    """

    def __init__(self, *, max_bytes: int, patience: float, most: int) -> None:
        self._max_bytes = max_bytes
        self._patience = patience
        self._most = most
        self._under_way = 0
        self._arrivals = _IncomingBodies(most=_ARRIVING * most, max_bytes=most * max_bytes)

    @abstractmethod
    async def take(self, scope: Scope, body: bytes) -> int:
        """Take in one body; return the status to answer with."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take in one request."""
        if scope["type"] == "lifespan":
            await _live(receive, send)
        elif scope["type"] == "http":
            status = await self._status(scope, receive)
            further = {405: [(b"allow", b"POST")], 503: [(b"retry-after", b"10")]}
            headers = [(b"content-length", b"0"), *further.get(status, [])]
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
        else:
            await send({"type": "websocket.close", "code": 1000})

    async def _status(self, scope: Scope, receive: Receive) -> int:
        if scope["method"] != "POST":
            return 405
        body = await self._receive_body(scope, receive)
        if isinstance(body, int):
            return body
        if self._under_way >= self._most:
            return 503
        self._under_way += 1
        try:
            return await self.take(scope, body)
        finally:
            self._under_way -= 1

    async def _receive_body(self, scope: Scope, receive: Receive) -> bytes | int:
        """Return the whole body, or the status to answer with."""
        peer = str((scope.get("client") or ("",))[0])
        arrival = None
        try:
            async with asyncio.timeout(self._patience) as timeout:
                arrival = _IncomingBody(peer, timeout)
                self._arrivals.begin(arrival)
                body = await self._body(receive, arrival)
            return 413 if body is None else body
        except TimeoutError:
            return 503 if arrival is not None and arrival.gave_way else 408
        finally:
            if arrival is not None:
                self._arrivals.end(arrival)

    async def _body(self, receive: Receive, arrival: _IncomingBody) -> bytes | None:
        """Return the whole body; None when it is too large or never came."""
        parts, size = [], 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            part = message.get("body", b"")
            size += len(part)
            if size > self._max_bytes:
                return None
            if part:
                parts.append(part)
                self._arrivals.grow(arrival, len(part))
            if not message.get("more_body"):
                return b"".join(parts)


async def _live(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": message["type"] + ".complete"})
        if message["type"] == "lifespan.shutdown":
            return


__all__ = ["Receive", "Receiver", "Scope", "Send"]
