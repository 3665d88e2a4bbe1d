"""What each failure means: not delivered, unknown, or unavailable. Against real sockets."""

from __future__ import annotations

import gzip
import socket
import time
import tracemalloc
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from tests.soap.conftest import Sender
from tests.soap.server import REPLY, Act, Server, Wire, http

from claimbridge.clock import Uptime
from claimbridge.errors import (
    ConfigurationError,
    DeliveryError,
    DeliveryRefused,
    LedgerUnavailable,
    NotDelivered,
    OutcomeUnknown,
)
from claimbridge.soap.transport import Transport, TransportSettings

HTML = b"<!DOCTYPE html><html><body>Welcome</body></html>"
FAULT = REPLY.replace(
    b'<r:Done xmlns:r="urn:r">yes</r:Done>',
    b"<s:Fault><faultcode>s:Server</faultcode><faultstring>no</faultstring></s:Fault>",
)
CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nTransfer-Encoding: chunked\r\n\r\n"


def then_close(data: bytes) -> Act:
    def act(wire: Wire) -> None:
        wire.send(data)
        wire.close()

    return act


def then_reset(data: bytes) -> Act:
    def act(wire: Wire) -> None:
        wire.send(data)
        wire.reset()

    return act


def squeezed(size: int) -> bytes:
    return gzip.compress(b"<a>" + b" " * size + b"</a>")


UNKNOWN: dict[str, tuple[Act | bytes, str]] = {
    "closed without a word": (then_close(b""), "CB-461"),
    "reset without a word": (then_reset(b""), "CB-461"),
    "half the status line": (then_close(b"HTTP/1.1 20"), "CB-461"),
    "not HTTP at all": (then_close(b"\x00\x01 hello\r\n\r\n"), "CB-461"),
    "half the headers": (then_close(b"HTTP/1.1 200 OK\r\nContent-Len"), "CB-461"),
    "headers only": (then_close(http(length=500, body=b"")), "CB-461"),
    "half the body": (then_close(http(body=REPLY[:50], length=len(REPLY))), "CB-461"),
    "half the body, then reset": (then_reset(http(body=REPLY[:50], length=len(REPLY))), "CB-461"),
    "a length that is no number": (
        then_close(http().replace(b"Content-Length: ", b"Content-Length: x")),
        "CB-461",
    ),
    "half a chunk": (then_close(CHUNKED + b"40\r\n<a>"), "CB-461"),
    "a chunk length that is none": (then_close(CHUNKED + b"zz\r\n<a/>\r\n0\r\n\r\n"), "CB-461"),
    "chunks without an end": (then_close(CHUNKED + b"4\r\n<a/>\r\n"), "CB-461"),
    "broken gzip": (http(body=b"\x1f\x8bnonsense", Content_Encoding="gzip"), "CB-462"),
    "half the gzip": (http(body=squeezed(999)[:-9], Content_Encoding="gzip"), "CB-462"),
    "an encoding nobody asked for": (http(Content_Encoding="br"), "CB-462"),
    "HTML with 200": (http(body=HTML, kind="text/html"), "CB-463"),
    "HTML that says it is XML": (http(body=HTML, kind="text/xml"), "CB-463"),
    "XHTML": (
        http(body=b"<?xml version='1.0'?>\n<!-- x --><html/>", kind="application/xhtml+xml"),
        "CB-463",
    ),
    "JSON": (http(body=b'{"ok": true}', kind="application/json"), "CB-463"),
    "text that says it is XML": (http(body=b"busy"), "CB-463"),
    "XML of no kind, said to be text": (http(body=b"<a/>", kind="text/plain"), "CB-463"),
    "200 and an empty body": (http(body=b""), "CB-464"),
    "202 and an empty body": (http(202, b""), "CB-464"),
    "204": (b"HTTP/1.1 204 No Content\r\n\r\n", "CB-464"),
    "larger than the limit": (http(body=b"<a>" + b" " * 200_000 + b"</a>"), "CB-465"),
    "a gzip bomb": (http(body=squeezed(5_000_000), Content_Encoding="gzip"), "CB-465"),
    "400 with HTML": (http(400, HTML, kind="text/html"), "CB-466"),
    "406": (http(406, b"", kind=""), "CB-466"),
    "408": (http(408, b"", kind=""), "CB-466"),
    "409": (http(409, b"", kind=""), "CB-466"),
    "500 with HTML": (http(500, HTML, kind="text/html"), "CB-466"),
    "500 with nothing": (http(500, b"", kind=""), "CB-466"),
    "502 page": (http(502, HTML, kind="text/html"), "CB-466"),
    "503 without Retry-After": (http(503, HTML, kind="text/html"), "CB-466"),
    "503 with a Retry-After of no meaning": (http(503, b"", Retry_After="soon"), "CB-466"),
    "504 page": (http(504, HTML, kind="text/html"), "CB-466"),
    "504 with XML that is no envelope": (http(504, b"<error/>"), "CB-466"),
    "599": (http(599, b"", kind=""), "CB-466"),
    "303": (http(303, b"", Location="/done"), "CB-466"),
    "403 page": (http(403, HTML, kind="text/html"), "CB-467"),
}


@pytest.mark.parametrize("case", UNKNOWN)
def test_what_may_have_been_posted_is_unknown(
    case: str, sender: Sender, serve: Callable[..., Server]
) -> None:
    """After the request, nothing short of a complete reply with XML is taken for an answer."""
    act, code = UNKNOWN[case]
    server = serve(act)
    with pytest.raises(OutcomeUnknown) as caught:
        sender(server.url(), reply_limit=100_000)()
    assert caught.value.code == code
    assert "reconcile" in str(caught.value)
    assert len(server.requests) == 1, "it was sent again"


REFUSED: dict[str, tuple[bytes, str]] = {
    **{str(status): (http(status, b"", kind=""), "CB-409") for status in (404, 405, 413, 415)},
    "404 page": (http(404, HTML, kind="text/html"), "CB-409"),
    **{
        str(status): (http(status, b"", Location="https://b.invalid/x?t=secret"), "CB-417")
        for status in (301, 302, 307, 308)
    },
    "a redirect to nowhere": (http(302, b"", Location="http://[::1"), "CB-417"),
    "401": (http(401, b"", WWW_Authenticate="Basic"), "CB-418"),
    "407": (http(407, b"", kind=""), "CB-418"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_turned_away_unread_was_not_delivered(
    case: str, sender: Sender, serve: Callable[..., Server]
) -> None:
    """A request turned away before processing posted nothing, and is not retried blindly."""
    answer, code = REFUSED[case]
    server = serve(answer)
    with pytest.raises(DeliveryRefused) as caught:
        sender(server.url())()
    assert caught.value.code == code
    assert not caught.value.retryable
    assert "secret" not in str(caught.value)
    assert len(server.requests) == 1, "the redirect was followed, or the request sent again"


@pytest.mark.parametrize(
    ("answer", "code", "wait"),
    [
        (http(429, b"", kind=""), "CB-442", None),
        (http(429, FAULT, Retry_After="7"), "CB-442", 7.0),
        (http(503, HTML, Retry_After="120"), "CB-443", 120.0),
        (http(503, b"", Retry_After="Wed, 21 Oct 2015 07:28:00 GMT"), "CB-443", 0.0),
    ],
)
def test_a_technical_no_carries_the_wait(
    answer: bytes, code: str, wait: float | None, sender: Sender, serve: Callable[..., Server]
) -> None:
    """429, and 503 with Retry-After, say that nothing was taken in and when to come again."""
    with pytest.raises(LedgerUnavailable) as caught:
        sender(serve(answer).url())()
    assert (caught.value.code, caught.value.retry_after) == (code, wait)
    assert caught.value.retryable


class Noon:
    """A clock that stands at noon for those who ask the time, and runs for durations."""

    moment = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return time.monotonic()

    def uptime(self) -> Uptime:
        return Uptime("test", self.monotonic())


def test_retry_after_as_a_date_is_a_wait_from_now(
    sender: Sender, serve: Callable[..., Server]
) -> None:
    """An HTTP-date in Retry-After becomes seconds by our own clock."""
    later = format_datetime(Noon.moment + timedelta(minutes=3), usegmt=True)
    server = serve(http(503, b"", Retry_After=later))
    with pytest.raises(LedgerUnavailable) as caught:
        sender(server.url(), clock=Noon())()
    assert caught.value.retry_after == 180.0


RETURNED: dict[str, tuple[bytes, bytes]] = {
    "200": (http(), REPLY),
    "202 with an envelope": (http(202), REPLY),
    "500 with a Fault": (http(500, FAULT), FAULT),
    "400 with a SOAP 1.2 Fault": (http(400, FAULT, kind="application/soap+xml"), FAULT),
    "500 with any XML": (http(500, b"<error/>"), b"<error/>"),
    "401 with a Fault": (http(401, FAULT), FAULT),
    "503 with a Fault": (http(503, FAULT), FAULT),
    "an envelope said to be HTML": (http(kind="text/html"), REPLY),
    "an envelope of no said kind": (http(kind=""), REPLY),
    "gzip": (http(body=gzip.compress(REPLY), Content_Encoding="gzip"), REPLY),
    "gzip in two members": (
        http(body=gzip.compress(REPLY[:40]) + gzip.compress(REPLY[40:]), Content_Encoding="x-gzip"),
        REPLY,
    ),
    "chunked": (CHUNKED + b"4\r\n<a>b\r\n4\r\n</a>\r\n0\r\n\r\n", b"<a>b</a>"),
    "UTF-16": (http(body="<中/>".encode("utf-16")), "<中/>".encode("utf-16")),
    "GBK by the header alone": (
        http(body="<中/>".encode("gbk"), kind='text/xml; charset="GBK"'),
        "<中/>".encode(),
    ),
    "GBK by its own declaration": (
        http(
            body='<?xml version="1.0" encoding="GBK"?><中/>'.encode("gbk"),
            kind="text/xml; charset=iso-8859-1",
        ),
        '<?xml version="1.0" encoding="GBK"?><中/>'.encode("gbk"),
    ),
    "a charset nobody knows": (http(body=b"<a/>", kind="text/xml; charset=klingon"), b"<a/>"),
}


@pytest.mark.parametrize("case", RETURNED)
def test_a_complete_reply_with_xml_is_returned(
    case: str, sender: Sender, serve: Callable[..., Server]
) -> None:
    """Whatever may hold a Fault or an answer is handed on, decompressed, whatever its label."""
    answer, body = RETURNED[case]
    reply = sender(serve(answer).url())()
    assert reply.body == body
    assert repr(body)[2:] not in repr(reply), "a reply's repr shows its content"


def test_reading_stops_at_the_close_where_no_length_is_given(
    sender: Sender, serve: Callable[..., Server]
) -> None:
    """A reply that ends with its connection, as HTTP/1.0 servers send it, is read whole."""
    head = b"HTTP/1.0 200 OK\r\nContent-Type: text/xml\r\n\r\n"
    assert sender(serve(then_close(head + REPLY)).url())().body == REPLY


def test_an_early_no_is_heard(sender: Sender, serve: Callable[..., Server]) -> None:
    """A server that refuses a large request before reading it all is understood."""

    def act(wire: Wire) -> None:
        wire.sock.recv(4096)
        wire.send(http(413, b"", kind="", Connection="close"))
        wire.sock.shutdown(socket.SHUT_WR)
        while wire.sock.recv(65536):
            pass

    server = serve(act, raw=True)
    with pytest.raises(DeliveryRefused) as caught:
        sender(server.url())(b"<q>" + b" " * 3_000_000 + b"</q>")
    assert caught.value.code == "CB-409"


def test_a_bomb_is_never_inflated_beyond_the_limit(serve: Callable[..., Server]) -> None:
    """A reply that would inflate to gigabytes costs no more memory than the limit."""
    deflater = zlib.compressobj(9, wbits=31)
    bomb = b"".join(deflater.compress(b" " * 1_000_000) for _ in range(200)) + deflater.flush()
    server = serve(http(body=bomb, Content_Encoding="gzip"))
    transport = Transport(TransportSettings(server.url(), reply_limit=1_000_000))
    tracemalloc.start()
    with pytest.raises(OutcomeUnknown), transport:
        transport.post(b"<q/>", headers={})
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 6_000_000


def test_a_name_that_does_not_resolve(sender: Sender) -> None:
    """An unknown host name means not delivered."""
    assert _refusal(sender, "https://nowhere.invalid/erp") == "CB-412"


def test_a_port_nobody_listens_on(sender: Sender) -> None:
    """A refused connection means not delivered."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        assert _refusal(sender, f"http://127.0.0.1:{free.getsockname()[1]}/") == "CB-413"


def _refusal(sender: Sender, endpoint: str) -> str:
    with pytest.raises(NotDelivered) as caught:
        sender(endpoint)()
    assert caught.value.retryable
    return caught.value.code


def test_what_is_refused_here_opens_no_connection(
    sender: Sender, serve: Callable[..., Server]
) -> None:
    """Too large a request and headers that HTTP forbids are refused before a socket is opened."""
    server = serve(http())
    post = sender(server.url(), request_limit=10)
    refused: list[DeliveryError] = []
    for body, headers in (
        (b"<q>" + b" " * 10 + b"</q>", {}),
        (b"<q/>", {"SOAPAction": '"x"\r\nX-Injected: yes'}),
        (b"<q/>", {"SOAPAction": '"中"'}),
        (b"<q/>", {"Bad Name": "x"}),
    ):
        with pytest.raises(DeliveryRefused) as caught:
            post(body, headers=headers)
        refused.append(caught.value)
    assert {error.code for error in refused} == {"CB-410"}
    assert server.connections == 0


def test_a_closed_transport_refuses(sender: Sender, serve: Callable[..., Server]) -> None:
    """After close nothing is sent, and closing twice does no harm."""
    server = serve(http())
    post = sender(server.url())
    post()
    sender.end_transports()
    sender.end_transports()
    with pytest.raises(DeliveryRefused) as caught:
        post()
    assert caught.value.code == "CB-410"
    assert len(server.requests) == 1


def test_plain_http_is_for_loopback_only() -> None:
    """An endpoint that would send vouchers in the clear is a set-up error, not a late surprise."""
    with pytest.raises(ConfigurationError) as caught:
        TransportSettings("http://erp.example/voucher-service")
    assert caught.value.code == "CB-280"
    for endpoint in ("http://localhost:1/", "http://127.0.0.9/", "http://[::1]:8080/x"):
        TransportSettings(endpoint)
