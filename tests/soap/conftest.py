"""A misbehaving server, and both transports behind one face."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from tests.soap.authority import Authority
from tests.soap.server import Act, Server

from claimbridge.clock import SYSTEM
from claimbridge.soap.http import HttpReply, accept
from claimbridge.soap.transport import AsyncTransport, Transport, TransportSettings


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """``serve(act)``: a server that plays ``act`` for each request; bytes are simply sent.

    ``raw=True`` plays it once for each connection instead, before anything is read.
    """
    servers: list[Server] = []

    def start(act: Act | bytes, *, tls: ssl.SSLContext | None = None, raw: bool = False) -> Server:
        play = (lambda wire: wire.send(act)) if isinstance(act, bytes) else act
        servers.append(Server(play, tls=tls, raw=raw))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


class Sender:
    """A transport, sync or async, and what SOAP makes of its answer; driven from a plain test."""

    def __init__(self, *, asynchronous: bool) -> None:
        self.asynchronous = asynchronous
        self._runner: asyncio.Runner | None = None
        self._made: list[Any] = []

    def __call__(self, endpoint: str, **settings: Any) -> Callable[..., HttpReply]:
        """Return ``post``; times are short unless given."""
        chosen = {"connect": 2.0, "total": 4.0} | settings
        clock = {"clock": chosen.pop("clock")} if "clock" in chosen else {}
        sought = TransportSettings(endpoint, **chosen)
        kind = AsyncTransport if self.asynchronous else Transport
        transport = kind(sought, **clock)
        self._made.append(transport)

        def post(
            body: bytes = b"<q/>",
            *,
            headers: Mapping[str, str] | None = None,
            timeout: float | None = None,
        ) -> HttpReply:
            answer = transport.post(body, headers=headers or {}, timeout=timeout)
            if self.asynchronous:
                answer = self.wait(answer)
            return accept(answer, now=clock.get("clock", SYSTEM).now())

        return post

    def wait(self, answer: Any) -> Any:
        if self._runner is None:
            self._runner = asyncio.Runner()
        return self._runner.run(answer)

    def settle(self) -> None:
        """Let an event loop take in what has arrived meanwhile."""
        if self._runner is not None:
            self._runner.run(asyncio.sleep(0.01))

    def end_transports(self) -> None:
        for transport in self._made:
            closing = transport.close()
            if self.asynchronous:
                self.wait(closing)

    def end(self) -> None:
        self.end_transports()
        if self._runner is not None:
            self._runner.close()


@pytest.fixture(params=["sync", "async"])
def sender(request: pytest.FixtureRequest) -> Iterator[Sender]:
    """``sender(endpoint, **settings)`` returns ``post(body)`` of either transport."""
    made = Sender(asynchronous=request.param == "async")
    yield made
    made.end()


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority("the ERP's own CA")


@pytest.fixture(scope="session")
def stranger() -> Authority:
    return Authority("a CA nobody knows")
