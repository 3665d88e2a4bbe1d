"""Connections are used again, but never one that the server is known to have left."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.soap.authority import Authority
from tests.soap.conftest import Sender
from tests.soap.server import REPLY, Server, Wire, http

from claimbridge.clock import Uptime
from claimbridge.errors import DeliveryError, DeliveryRefused, OutcomeUnknown
from claimbridge.soap.transport import AsyncTransport, Transport, TransportSettings


@pytest.mark.parametrize("secure", [False, True])
def test_many_calls_one_connection(
    secure: bool,
    sender: Sender,
    serve: Callable[..., Server],
    authority: Authority,
    tmp_path: Path,
) -> None:
    """Calls one after another share one connection; faults and refusals do not cost it."""
    kinds = [http(), http(500), http(429, b""), http(404, b""), http(502, b"")]

    def act(wire: Wire) -> None:
        wire.send(kinds[wire.served % len(kinds)])

    server = serve(act, tls=authority.server(tmp_path) if secure else None)
    post = sender(server.url(), ca=authority.pem)
    for _ in range(20):
        with suppress(DeliveryError):
            post()
    assert len(server.requests) == 20
    assert server.connections == 1


def closing(wire: Wire) -> None:
    wire.send(http())
    wire.close()


def closing_with_notice(wire: Wire) -> None:
    wire.send(http(Connection="close"))
    wire.close()


@pytest.mark.parametrize("act", [closing, closing_with_notice])
@pytest.mark.parametrize("secure", [False, True])
def test_a_connection_closed_in_between_is_not_used_again(
    act: Callable[[Wire], None],
    secure: bool,
    sender: Sender,
    serve: Callable[..., Server],
    authority: Authority,
    tmp_path: Path,
) -> None:
    """A server that closes after each reply costs a new connection, never an unknown outcome."""
    server = serve(act, tls=authority.server(tmp_path) if secure else None)
    post = sender(server.url(), ca=authority.pem)
    for _ in range(5):
        assert post().body == REPLY
        time.sleep(0.02)
        sender.settle()
    assert server.connections == 5
    assert len(server.requests) == 5


def test_a_close_while_sending_is_unknown_and_sent_once(
    sender: Sender, serve: Callable[..., Server]
) -> None:
    """When the server closes a kept connection on our request, nobody knows, and nothing repeats.

    A client that resends here posts twice: the server may have read the request.
    """

    def act(wire: Wire) -> None:
        if wire.served == 1:
            wire.send(http())
        else:
            wire.close()

    server = serve(act)
    post = sender(server.url())
    post()
    with pytest.raises(OutcomeUnknown) as caught:
        post()
    assert caught.value.code == "CB-461"
    assert len(server.requests) == 2


def test_surplus_bytes_do_not_become_the_next_reply(
    sender: Sender, serve: Callable[..., Server]
) -> None:
    """What a server sends beyond its Content-Length is never taken for the next answer."""
    forged = http(body=b"<forged/>")

    def act(wire: Wire) -> None:
        wire.send(http() + (forged if wire.number == 1 else b""))

    server = serve(act)
    post = sender(server.url())
    assert post().body == REPLY
    time.sleep(0.02)
    sender.settle()
    assert post().body == REPLY


class Hands:
    """A clock whose steady count is moved by hand."""

    def __init__(self) -> None:
        self.count = 0.0

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)

    def monotonic(self) -> float:
        return self.count

    def uptime(self) -> Uptime:
        return Uptime("test", self.monotonic())


def test_an_idle_connection_is_not_trusted_for_long(serve: Callable[..., Server]) -> None:
    """A connection idle beyond ``idle`` seconds is replaced: the server may be closing it now."""
    server = serve(http())
    clock = Hands()
    with Transport(TransportSettings(server.url(), idle=4.0), clock=clock) as transport:
        for pause, connections in ((0.0, 1), (3.9, 1), (4.1, 2)):
            clock.count += pause
            transport.post(b"<q/>", headers={})
            assert server.connections == connections


def test_an_idle_connection_is_not_trusted_for_long_async(serve: Callable[..., Server]) -> None:
    """The same without blocking, by the loop's own clock."""
    server = serve(http())

    async def calls() -> None:
        async with AsyncTransport(TransportSettings(server.url(), idle=0.1)) as transport:
            await transport.post(b"<q/>", headers={})
            await asyncio.sleep(0.3)
            await transport.post(b"<q/>", headers={})

    asyncio.run(calls())
    assert server.connections == 2


def test_threads_share_the_pool(serve: Callable[..., Server]) -> None:
    """Sixteen threads, four connections, every call answered with its own reply."""

    def act(wire: Wire) -> None:
        wire.send(http(body=wire.body))

    server = serve(act)
    bodies = [b"<q>%d</q>" % number for number in range(200)]
    with (
        Transport(TransportSettings(server.url(), pool=4)) as transport,
        ThreadPoolExecutor(16) as threads,
    ):
        answers = list(threads.map(lambda body: transport.post(body, headers={}).body, bodies))
    assert answers == bodies
    assert server.connections <= 4


def test_a_hundred_calls_in_flight(serve: Callable[..., Server]) -> None:
    """A hundred calls wait for their answers at the same time, and the loop goes on turning."""

    def act(wire: Wire) -> None:
        time.sleep(0.3)
        wire.send(http(body=wire.body))

    server = serve(act)

    async def calls() -> tuple[list[bytes], int]:
        turns = 0

        async def turn() -> None:
            nonlocal turns
            while True:
                await asyncio.sleep(0.01)
                turns += 1

        turning = asyncio.create_task(turn())
        async with AsyncTransport(TransportSettings(server.url(), pool=100)) as transport:
            bodies = [b"<q>%d</q>" % number for number in range(100)]
            replies = await asyncio.gather(*(transport.post(b, headers={}) for b in bodies))
        turning.cancel()
        assert [reply.body for reply in replies] == bodies
        return bodies, turns

    started = time.monotonic()
    _, turns = asyncio.run(calls())
    assert time.monotonic() - started < 5, "the calls went one after another"
    assert server.connections == 100
    assert turns > 5


def test_a_full_pool_makes_async_calls_wait_or_give_up(serve: Callable[..., Server]) -> None:
    """Beyond the pool, calls queue; one that gets no turn in time was not delivered."""

    def act(wire: Wire) -> None:
        time.sleep(0.4)
        wire.send(http())

    server = serve(act)

    async def calls() -> list[object]:
        settings = TransportSettings(server.url(), pool=1, connect=0.6)
        async with AsyncTransport(settings) as transport:
            posts = (transport.post(b"<q/>", headers={}) for _ in range(3))
            return list(await asyncio.gather(*posts, return_exceptions=True))

    ended = asyncio.run(calls())
    codes = sorted(getattr(end, "code", "answered") for end in ended)
    assert codes == ["CB-416", "answered", "answered"]
    assert len(server.requests) == 2


def test_closing_tells_each_call_what_it_means_for_it(serve: Callable[..., Server]) -> None:
    """A call on its way when the transport closes is unknown; one still waiting sent nothing.

    Cancelling a task stays cancelling.
    """
    server = serve(lambda wire: wire.hang())

    async def calls() -> list[object]:
        transport = AsyncTransport(TransportSettings(server.url(), pool=1))
        posts = [asyncio.create_task(transport.post(b"<q/>", headers={})) for _ in range(3)]
        await asyncio.sleep(0.2)
        posts[2].cancel()
        await transport.close()
        return list(await asyncio.gather(*posts, return_exceptions=True))

    sent, waiting, cancelled = asyncio.run(calls())
    assert (type(sent), type(waiting)) == (OutcomeUnknown, DeliveryRefused)
    assert isinstance(cancelled, asyncio.CancelledError)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_process_opens_its_own_connections(serve: Callable[..., Server]) -> None:
    """Parent and child never write on the same connection."""
    server = serve(http())
    with Transport(TransportSettings(server.url())) as transport:
        transport.post(b"<q/>", headers={})
        child = os.fork()
        if child == 0:
            status = 1
            try:
                transport.post(b"<q/>", headers={})
                status = 0
            finally:
                os._exit(status)
        assert os.waitpid(child, 0)[1] == 0
        transport.post(b"<q/>", headers={})
    assert len(server.requests) == 3
    assert server.connections == 2
