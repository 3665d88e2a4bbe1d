"""An ASGI application that takes in what others post, and answers by a status alone."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod

from starlette.types import Receive, Scope, Send


class Receiver(ABC):
    """Reads whole bodies within bounds, and hands each to ``take``.

    ``max_bytes`` bounds a body, ``patience`` the seconds that it may take to arrive, and ``most``
    how many are taken in at one time: with these, a flood costs bounded memory. Answers 405 for
    another method than POST, 413, 408, and 503 with Retry-After beyond them; else as ``take``.
    """

    def __init__(self, *, max_bytes: int, patience: float, most: int) -> None:
        self._max_bytes = max_bytes
        self._patience = patience
        self._most = most
        self._under_way = 0

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
        if self._under_way >= self._most:
            return 503
        self._under_way += 1
        try:
            async with asyncio.timeout(self._patience):
                body = await self._body(receive)
            return 413 if body is None else await self.take(scope, body)
        except TimeoutError:
            return 408
        finally:
            self._under_way -= 1

    async def _body(self, receive: Receive) -> bytes | None:
        """Return the whole body; None when it is too large or never came."""
        parts, size = [], 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > self._max_bytes:
                return None
            if not message.get("more_body"):
                return b"".join(parts)


async def _live(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": message["type"] + ".complete"})
        if message["type"] == "lifespan.shutdown":
            return


__all__ = ["Receiver"]
