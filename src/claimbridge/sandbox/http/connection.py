"""One HTTP exchange, down to its socket: answered properly, or broken off in the middle."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final

import msgspec
from starlette.types import Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from claimbridge.sandbox.http.front import packed
from claimbridge.sandbox.http.reply import SandboxReply
from claimbridge.sandbox.kit.manner import TIDY, Manner

MAX_REQUEST: Final = 20 * 1024 * 1024
"""Bytes; the voucher service promises to take as many."""
_TRANSPORT: Final = "claimbridge.sandbox.transport"
_RST: Final = struct.pack("ii", 1, 0)
"""SO_LINGER on, zero seconds: closing sends RST instead of FIN."""


class SandboxProtocol(H11Protocol):
    """uvicorn's HTTP/1.1, with the connection's transport in reach of the application."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        """Note the transport where ``SandboxConnection`` finds it."""
        super().connection_made(transport)
        serve = self.app

        async def with_transport(scope: Scope, receive: Receive, send: Send) -> None:
            scope[_TRANSPORT] = transport
            await serve(scope, receive, send)

        self.app = with_transport


class SandboxConnection:
    """What a disturbance needs of the exchange that it strikes.

    ``manner`` is how replies are packed: what stands in front of the ERP packs every one of them.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.manner: Manner = TIDY
        self._takes_gzip = b"gzip" in dict(scope["headers"]).get(b"accept-encoding", b"")
        self._transport: asyncio.Transport = scope[_TRANSPORT]
        self._receive = receive
        self._send = send

    def _packed(self, reply: SandboxReply) -> SandboxReply:
        return packed(reply, self.manner, gzip_taken=self._takes_gzip)

    async def request(self) -> bytes | None:
        """Return the whole body; None when the client went away or sent too much."""
        parts, size = [], 0
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                return None
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > MAX_REQUEST:
                return None
            if not message.get("more_body"):
                return b"".join(parts)

    async def reply(
        self,
        reply: SandboxReply,
        *,
        over: float = 0.0,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Answer; ``over`` a number of seconds, in small pieces with a ``pause`` before each."""
        reply = self._packed(reply)
        await self._send(_start(reply))
        pieces = _pieces(reply.body, 10 if over else 3 if reply.chunked else 1)
        for n, piece in enumerate(pieces, start=1):
            if over:
                await pause(over / len(pieces))
            more = n < len(pieces)
            await self._send({"type": "http.response.body", "body": piece, "more_body": more})

    async def half_reply(self, reply: SandboxReply) -> None:
        """Announce the whole answer, send half of it, and close."""
        reply = msgspec.structs.replace(self._packed(reply), chunked=False)
        head = [f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}"]
        head += [f"{name}: {value}" for name, value in _headers(reply)]
        half = reply.body[: len(reply.body) // 2]
        self._transport.write("\r\n".join([*head, "", ""]).encode("latin-1") + half)
        await self.drop()

    async def silence(self, *, until: asyncio.Event) -> None:
        """Answer nothing until the client goes away, or ``until`` is set; then close."""
        waits = [asyncio.ensure_future(self.until_closed()), asyncio.ensure_future(until.wait())]
        _, pending = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in pending:
            wait.cancel()
        await self.drop()

    async def drop(self) -> None:
        """Close without another byte: the client sees the end of the connection."""
        self._transport.close()
        await self.until_closed()

    async def reset(self) -> None:
        """Break off with RST: the client sees "connection reset by peer"."""
        self._transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, _RST
        )
        self._transport.abort()
        await self.until_closed()

    async def until_closed(self) -> None:
        """Wait until the connection is closed, by whichever side."""
        while (await self._receive())["type"] != "http.disconnect":
            pass


def _headers(reply: SandboxReply) -> list[tuple[str, str]]:
    return [
        ("content-type", reply.content_type),
        *(() if reply.chunked else (("content-length", str(len(reply.body))),)),
        *reply.headers.items(),
        *(("set-cookie", cookie) for cookie in reply.cookies),
    ]


def _start(reply: SandboxReply) -> Message:
    headers = [(name.encode(), value.encode()) for name, value in _headers(reply)]
    return {"type": "http.response.start", "status": reply.status, "headers": headers}


def _pieces(body: bytes, count: int) -> list[bytes]:
    size = max(1, -(-len(body) // count))
    return [body[at : at + size] for at in range(0, len(body), size)] or [b""]
