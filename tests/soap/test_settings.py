"""Settings that cannot exist wrong and never show a secret; what the headers of a request say."""

from __future__ import annotations

import base64
import logging
import pickle
import subprocess
import sys
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from rich.console import Console
from tests.soap.conftest import Sender
from tests.soap.server import REPLY, Server, http

from claimbridge.errors import ClaimBridgeError, ConfigurationError
from claimbridge.soap.http import content_headers
from claimbridge.soap.transport import (
    Auth,
    Basic,
    Bearer,
    ClientCertificate,
    TransportSettings,
)

ENDPOINT = "https://erp.example/voucher-service"


@pytest.mark.parametrize(
    "endpoint",
    [
        "",
        "erp.example/x",
        "ftp://erp.example/",
        "file:///etc/passwd",
        "https://",
        "https:///x",
        "https://erp.example:port/",
        "https://erp.example:99999/",
        "https://erp.example/a b",
        "https://erp.example/\r\nHost: other",
        "https://user:secret@erp.example/",
        "https://erp.example/#there",
        "https://[::1/",
        f"https://{'a' * 70}.example/",
        "http://erp.example/",
        "http://127.0.0.1.example/",
        "http://localhost.example/",
        "http://10.0.0.1/",
    ],
)
def test_an_endpoint_that_cannot_work_is_a_set_up_error(endpoint: str) -> None:
    """What is no safe address is said when the settings are made, without repeating secrets."""
    with pytest.raises(ConfigurationError) as caught:
        TransportSettings(endpoint)
    assert caught.value.code == "CB-280"
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("name", ["connect", "total", "pool", "idle", "reply_limit"])
@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf")])
def test_waits_and_limits_are_finite(name: str, value: float) -> None:
    """No time and no size can be without a bound."""
    with pytest.raises(ConfigurationError) as caught:
        TransportSettings(ENDPOINT, **{name: value})
    assert caught.value.code == "CB-284"


@pytest.mark.parametrize(
    "make",
    [
        lambda: Basic("a:b", "x"),
        lambda: Basic("a", "x\n"),
        lambda: Bearer("x\n"),
        lambda: Bearer(""),
        lambda: Bearer("令牌"),
    ],
)
def test_credentials_that_no_header_can_carry(make: Callable[[], Auth]) -> None:
    """A token with a line end, the usual slip with files, is said at once."""
    with pytest.raises(ConfigurationError) as caught:
        make()
    assert caught.value.code == "CB-283"


@pytest.mark.parametrize(
    "auth",
    [Basic("us", "secret"), Bearer("secret"), ClientCertificate(b"secret", "secret")],
)
def test_no_secret_is_ever_shown(auth: Auth) -> None:
    """Neither repr nor rich, which prefers another method, shows a password, token or key."""
    settings = TransportSettings(
        ENDPOINT + "?token=secret", auth=auth, proxy="http://us:secret@proxy.example:3128"
    )
    screen = StringIO()
    Console(file=screen, width=300).print(settings, auth)
    for shown in (repr(settings), str(settings), f"{settings.auth}", screen.getvalue()):
        assert "secret" not in shown
    assert ENDPOINT in repr(settings)
    assert "http://proxy.example:3128" in repr(settings)


def test_settings_pickle() -> None:
    """Configuration travels to another process; connections do not."""
    settings = TransportSettings(ENDPOINT, auth=Basic("us", "secret"))
    assert pickle.loads(pickle.dumps(settings)) == settings


def test_basic_and_bearer_travel_as_the_standards_say(
    sender: Sender, serve: Callable[..., Server]
) -> None:
    """HTTP Basic in UTF-8 (RFC 7617), bearer as it is (RFC 6750), and nothing without auth."""
    server = serve(http())
    for auth in (Basic("钱", "pä:ss"), Bearer("t0ken=="), None):
        sender(server.url(), auth=auth)()
    basic, bearer, none = (head for head, _ in server.requests)
    assert b"Authorization: Basic " + base64.b64encode("钱:pä:ss".encode()) in basic
    assert b"Authorization: Bearer t0ken==" in bearer.split(b"\r\n")
    assert b"uthorization" not in none


def test_the_request_arrives_as_it_is(sender: Sender, serve: Callable[..., Server]) -> None:
    """Path, query, headers and every byte of the body reach the server unchanged, in one piece."""
    server = serve(http())
    body = "<q>钱 &#13;</q>".encode() + b" " * 2_000_000
    sender(server.url("/erp/%E4%B8%AD;v=1/钱?sap-client=100&a=%2F"))(
        body, headers=content_headers("1.1", "urn:x#Submit")
    )
    [(head, received)] = server.requests
    assert received == body
    lines = head.split(b"\r\n")
    assert lines[0] == b"POST /erp/%E4%B8%AD;v=1/%E9%92%B1?sap-client=100&a=%2F HTTP/1.1"
    assert b'SOAPAction: "urn:x#Submit"' in lines
    assert b"Content-Type: text/xml; charset=utf-8" in lines
    assert b"Accept-Encoding: gzip" in lines
    assert b"Content-Length: %d" % len(body) in lines
    names = [line.partition(b":")[0].lower() for line in lines[1:]]
    assert len(names) == len(set(names)), "a header was sent twice"


def test_content_headers() -> None:
    """SOAP 1.1 quotes its action in a header, SOAP 1.2 in the content type."""
    assert content_headers("1.1", "") == {
        "Content-Type": "text/xml; charset=utf-8",
        "SOAPAction": '""',
    }
    assert content_headers("1.2", "urn:a") == {
        "Content-Type": 'application/soap+xml; charset=utf-8; action="urn:a"'
    }
    assert content_headers("1.2", "") == {"Content-Type": "application/soap+xml; charset=utf-8"}
    for action in ('a"b', "a\r\nb", "a\\", "动作"):
        with pytest.raises(ConfigurationError) as caught:
            content_headers("1.1", action)
        assert caught.value.code == "CB-285"


def test_the_log_tells_sizes_and_never_content(
    sender: Sender, serve: Callable[..., Server], caplog: pytest.LogCaptureFixture
) -> None:
    """At DEBUG, the most talkative, no library shows body, credentials or query."""
    caplog.set_level(logging.DEBUG)
    broken = http(body=b"<private/>").replace(b"Content-Type:", b"private")
    server = serve(lambda wire: wire.send(http() if wire.served == 1 else broken))
    post = sender(server.url("/erp?token=secret"), auth=Basic("us", "secret"), total=1.0)
    post(b"<q>private</q>")
    with pytest.raises(ClaimBridgeError):
        post(b"<q>private</q>")
    assert "secret" not in caplog.text
    assert "private" not in caplog.text
    assert "yes" not in caplog.text
    ours = [record.getMessage() for record in caplog.records if record.name == "claimbridge.soap"]
    assert len(ours) == 2
    assert ours[0].startswith(f"POST {server.url('/erp')}: 14 bytes sent; HTTP 200, {len(REPLY)} ")
    assert "CB-461" in ours[1]


def _python(code: str) -> Any:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)


def test_without_aiohttp_the_error_names_the_install() -> None:
    """Who lacks the extra is told how to get it, and the sync transport works all the same."""
    done = _python(
        "import sys; sys.modules['aiohttp'] = None\n"
        "from claimbridge.errors import MissingExtra\n"
        "from claimbridge.soap.transport import Transport\n"
        "try:\n    from claimbridge.soap.transport import AsyncTransport\n"
        "except MissingExtra as error:\n    print(error)\n"
    )
    assert "pip install 'claimbridge[async]'" in done.stdout, done.stderr


def test_aiohttp_is_not_imported_for_the_sync_transport() -> None:
    """Who does not ask for the async transport does not pay for it."""
    done = _python(
        "import sys, claimbridge.soap.transport\nprint('aiohttp' in sys.modules, end='')"
    )
    assert done.stdout == "False", done.stderr
