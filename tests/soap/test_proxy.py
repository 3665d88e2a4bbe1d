"""Through a proxy: by tunnel only, with its own credentials, and never for loopback."""

from __future__ import annotations

import base64
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from tests.soap.authority import Authority
from tests.soap.conftest import Sender
from tests.soap.server import REPLY, Act, Server, Wire, http

from claimbridge.errors import ConfigurationError, DeliveryRefused, NotDelivered
from claimbridge.soap.transport import Bearer, TransportSettings


def tunnel_to(port: int) -> tuple[Act, list[bytes]]:
    """A proxy that tunnels every CONNECT to ``port`` on loopback, and the heads it was sent."""
    heads: list[bytes] = []

    def act(wire: Wire) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += wire.sock.recv(1)
        heads.append(head)
        with socket.create_connection(("127.0.0.1", port)) as onward:
            wire.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=_pump, args=(onward, wire.sock))
            back.start()
            _pump(wire.sock, onward)
            back.join()

    return act, heads


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(65536):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)


def test_an_https_endpoint_is_reached_by_tunnel(
    sender: Sender, serve: Callable[..., Server], authority: Authority, tmp_path: Path
) -> None:
    """The proxy is shown its own credentials and the host name, and nothing of the exchange."""
    erp = serve(http(), tls=authority.server(tmp_path, hosts=("erp.example",)))
    act, heads = tunnel_to(erp.port)
    proxy = serve(act, raw=True)
    post = sender(
        "https://erp.example/voucher-service",
        ca=authority.pem,
        auth=Bearer("for-the-erp"),
        proxy=f"http://us:p%C3%A4ss@127.0.0.1:{proxy.port}",
    )
    assert [post().body, post().body] == [REPLY, REPLY]
    assert len(heads) == 1, "the tunnel was not used again"
    assert heads[0].startswith(b"CONNECT erp.example:443 HTTP/1.")
    shown = base64.b64encode("us:päss".encode())
    assert b"Proxy-Authorization: Basic " + shown in heads[0]
    assert b"for-the-erp" not in heads[0]
    head, _ = erp.requests[0]
    assert b"Bearer for-the-erp" in head
    assert b"Host: erp.example" in head.split(b"\r\n")
    assert shown not in head


@pytest.mark.parametrize(("status", "code"), [(407, "CB-418"), (403, "CB-413"), (502, "CB-413")])
def test_a_proxy_that_says_no(
    status: int, code: str, sender: Sender, serve: Callable[..., Server]
) -> None:
    """What the proxy turns away never reached the ERP."""
    proxy = serve(http(status, b"no"), raw=True)
    with pytest.raises(NotDelivered) as caught:
        sender("https://erp.example/", proxy=f"http://u:secret@127.0.0.1:{proxy.port}")()
    assert caught.value.code == code
    assert isinstance(caught.value, DeliveryRefused) is (status == 407)
    assert "secret" not in str(caught.value)


def test_a_proxy_that_is_down(sender: Sender) -> None:
    """A proxy nobody runs is a connection that cannot be made."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        with pytest.raises(NotDelivered) as caught:
            sender("https://erp.example/", proxy=f"http://127.0.0.1:{free.getsockname()[1]}")()
    assert caught.value.code == "CB-413"


def test_a_proxy_that_hangs(sender: Sender, serve: Callable[..., Server]) -> None:
    """A proxy that answers CONNECT drop by drop ends with the time to connect."""
    answer = b"HTTP/1.1 200 Connection established\r\n\r\n"
    proxy = serve(lambda wire: wire.dribble(answer, every=0.1), raw=True)
    with pytest.raises(NotDelivered) as caught:
        sender("https://erp.example/", proxy=f"http://127.0.0.1:{proxy.port}", connect=0.4)()
    assert caught.value.code == "CB-414"


def test_loopback_needs_no_proxy(
    sender: Sender, serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A loopback endpoint is reached directly; the environment's proxies are not looked at."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    server = serve(http())
    assert sender(server.url(), proxy="http://127.0.0.1:9")().body == REPLY


@pytest.mark.parametrize("proxy", ["https://p.example", "socks5://p.example", "p:3128", "http://"])
def test_a_proxy_of_another_kind_is_a_set_up_error(proxy: str) -> None:
    """Only http:// proxies that tunnel are supported; anything else is said at once."""
    with pytest.raises(ConfigurationError) as caught:
        TransportSettings("https://erp.example/", proxy=proxy)
    assert caught.value.code == "CB-281"
