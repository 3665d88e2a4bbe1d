"""Times are bounds by the wall clock, whatever the other side does."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.soap.authority import Authority
from tests.soap.conftest import Sender
from tests.soap.server import REPLY, Act, Server, Wire, http

from claimbridge.errors import NotDelivered, OutcomeUnknown
from claimbridge.soap.transport import Transport, TransportSettings


@contextmanager
def lasting(low: float, high: float) -> Iterator[None]:
    started = time.monotonic()
    yield
    spent = time.monotonic() - started
    assert low <= spent <= high, f"took {spent:.2f} s"


def slow_head(wire: Wire) -> None:
    wire.dribble(http(), every=0.05)


def slow_body(wire: Wire) -> None:
    wire.send(http()[: -len(REPLY)])
    wire.dribble(REPLY, every=0.05)


def slow_chunks(wire: Wire) -> None:
    wire.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    wire.dribble(b"1\r\n<\r\n" * 100, every=0.05)


def silent(wire: Wire) -> None:
    wire.hang()


@pytest.mark.parametrize("act", [silent, slow_head, slow_body, slow_chunks])
@pytest.mark.parametrize("secure", [False, True])
def test_the_total_time_bounds_the_whole_exchange(
    act: Act,
    secure: bool,
    sender: Sender,
    serve: Callable[..., Server],
    authority: Authority,
    tmp_path: Path,
) -> None:
    """A reply that trickles in, byte by byte, ends at the total time like one that never comes."""
    server = serve(act, tls=authority.server(tmp_path) if secure else None)
    post = sender(server.url(), ca=authority.pem)
    with lasting(0.35, 1.2), pytest.raises(OutcomeUnknown) as caught:
        post(timeout=0.4)
    assert caught.value.code == "CB-460"


def test_the_total_time_bounds_sending_too(
    sender: Sender, serve: Callable[..., Server], authority: Authority, tmp_path: Path
) -> None:
    """A server that takes the request in drop by drop is not waited for."""

    def sip(wire: Wire) -> None:
        while not wire.server.stopped.wait(0.02):
            wire.sock.recv(100_000)

    for tls in (None, authority.server(tmp_path)):
        server = serve(sip, raw=True, tls=tls)
        post = sender(server.url(), ca=authority.pem)
        with lasting(0.35, 1.5), pytest.raises(OutcomeUnknown) as caught:
            post(b"<q>" + b" " * 20_000_000 + b"</q>", timeout=0.4)
        assert caught.value.code == "CB-460"


def test_a_slow_reply_within_the_time_is_fine(sender: Sender, serve: Callable[..., Server]) -> None:
    """The time to connect does not bound the reply."""

    def act(wire: Wire) -> None:
        time.sleep(0.5)
        wire.send(http())

    assert sender(serve(act).url(), connect=0.2, total=5.0)().body == REPLY


@pytest.fixture
def full() -> Iterator[int]:
    """A port whose queue of connections is full: further attempts hang, as behind a firewall."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=0)
    address = listener.getsockname()
    waiting = []
    for _ in range(4):
        filler = socket.socket()
        filler.setblocking(False)
        filler.connect_ex(address)
        waiting.append(filler)
    yield address[1]
    for sock in (listener, *waiting):
        sock.close()


def test_no_connection_in_time_is_not_delivered(sender: Sender, full: int) -> None:
    """A host that does not answer to the connection attempt has not got the request."""
    post = sender(f"http://127.0.0.1:{full}/", connect=0.3)
    with lasting(0.25, 1.2), pytest.raises(NotDelivered) as caught:
        post()
    assert caught.value.code == "CB-414"
    assert caught.value.retryable


def test_all_connections_busy_is_not_delivered(serve: Callable[..., Server]) -> None:
    """A call that finds no free connection in time sends nothing."""
    entered = threading.Event()

    def act(wire: Wire) -> None:
        entered.set()
        time.sleep(0.8)
        wire.send(http())

    server = serve(act)
    with Transport(TransportSettings(server.url(), pool=1, connect=0.3)) as transport:
        first = threading.Thread(target=transport.post, args=(b"<q/>",), kwargs={"headers": {}})
        first.start()
        entered.wait()
        with pytest.raises(NotDelivered) as caught:
            transport.post(b"<q/>", headers={})
        first.join()
    assert caught.value.code == "CB-416"
    assert len(server.requests) == 1


def test_a_name_server_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's resolver has no timeout; ours has."""
    release = threading.Event()

    def hang(*_: object, **__: object) -> list[object]:
        release.wait(10)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    settings = TransportSettings("https://erp.example/", connect=0.3)
    with (
        Transport(settings) as transport,
        lasting(0.25, 1.0),
        pytest.raises(NotDelivered) as caught,
    ):
        transport.post(b"<q/>", headers={})
    release.set()
    assert caught.value.code == "CB-414"


def test_a_dead_address_leaves_time_for_the_next(
    monkeypatch: pytest.MonkeyPatch, full: int, serve: Callable[..., Server]
) -> None:
    """Of two addresses the first may be dead: the second is tried within the same time."""
    server = serve(http())

    def two(*_: object, **__: object) -> list[object]:
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))
            for port in (full, server.port)
        ]

    monkeypatch.setattr(socket, "getaddrinfo", two)
    with Transport(TransportSettings("http://localhost/", connect=1.0)) as transport:
        assert transport.post(b"<q/>", headers={}).body == REPLY
