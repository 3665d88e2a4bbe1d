"""Timestamps over HTTP: an authority on loopback, by ``openssl ts``, and what may stand there."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from tests.signing.trust.test_timestamps import CONTENT
from tests.signing.trust.test_timestamps import authority as authority  # a fixture

from claimbridge.clock import SYSTEM
from claimbridge.errors import (
    ClaimBridgeError,
    ConfigurationError,
    NotDelivered,
    SignatureInvalid,
    SignerUntrusted,
)
from claimbridge.signing.trust.timestamps import timestamp_request, verify_timestamp
from claimbridge.soap.transport import TransportSettings
from claimbridge.soap.transport.timestamping import fetch_timestamp

Answer = Callable[[bytes], bytes]


class Desk:
    """An HTTP server that answers queries as it is told to."""

    def __init__(self) -> None:
        self.answer: Answer = lambda query: b""
        self.status = 200
        self.location = ""
        self.asked: list[tuple[str, bytes]] = []
        desk = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                query = self.rfile.read(int(self.headers["Content-Length"]))
                desk.asked.append((self.headers["Content-Type"], query))
                answer = desk.answer(query)
                self.send_response(desk.status)
                self.send_header("Content-Type", "application/timestamp-reply")
                if desk.location:
                    self.send_header("Location", desk.location)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                for start in range(0, len(answer), 50_000):
                    self.wfile.write(answer[start : start + 50_000])

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def place(self) -> TransportSettings:
        return TransportSettings(f"http://127.0.0.1:{self._server.server_address[1]}/tsa", total=3)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def desk() -> Iterator[Desk]:
    opened = Desk()
    yield opened
    opened.close()


def test_a_timestamp_is_fetched_and_verifies_offline_later(desk: Desk, authority) -> None:
    """What comes back is verified at once, and again by whoever keeps it, without a network."""
    desk.answer, root = authority
    stamp = fetch_timestamp(CONTENT, desk.place, trust=root.pem)
    assert verify_timestamp(CONTENT, stamp.reply, trust=root.pem) == stamp.moment
    assert abs((SYSTEM.now() - stamp.moment).total_seconds()) < 60
    ((kind, query),) = desk.asked
    assert kind == "application/timestamp-query"
    assert CONTENT not in query


def test_an_old_answer_is_refused(desk: Desk, authority) -> None:
    """The same bytes may have been stamped long ago: the nonce must come back."""
    answer, root = authority
    kept: list[bytes] = []

    def repeat(query: bytes) -> bytes:
        kept.append(answer(query))
        return kept[0]

    desk.answer = repeat
    fetch_timestamp(CONTENT, desk.place, trust=root.pem)
    with pytest.raises(SignatureInvalid, match="CB-373"):
        fetch_timestamp(CONTENT, desk.place, trust=root.pem)


def test_a_timestamp_of_other_bytes_is_refused(desk: Desk, authority) -> None:
    """Whatever the authority was asked, it stamped something else."""
    answer, root = authority
    desk.answer = lambda _: answer(timestamp_request(b"other bytes"))
    with pytest.raises(SignatureInvalid):
        fetch_timestamp(CONTENT, desk.place, trust=root.pem)


def test_an_authority_that_nobody_trusts_is_refused(desk: Desk, authority, throwaway) -> None:
    """Whoever answers there must lead up to a trusted root."""
    desk.answer, _ = authority
    with pytest.raises(SignerUntrusted, match="CB-371"):
        fetch_timestamp(CONTENT, desk.place, trust=throwaway.trust)


def test_a_root_given_twice_counts_once(desk: Desk, authority) -> None:
    """A PEM file that names a root twice is no mistake worth an error."""
    desk.answer, root = authority
    assert fetch_timestamp(CONTENT, desk.place, trust=root.pem * 2).moment


def _slow(query: bytes) -> bytes:
    time.sleep(5)
    return b""


@pytest.mark.parametrize(
    ("status", "answer", "code"),
    [
        (200, lambda _: b"<html>try later</html>", "CB-370"),
        (200, lambda _: b"", "CB-370"),
        (200, lambda _: bytes.fromhex("30053003020102"), "CB-370"),
        (200, lambda _: b"\x30\x80" * 4000, "CB-370"),
        (200, lambda _: b"\0" * 2_000_000, "CB-372"),
        (200, _slow, "CB-372"),
        (302, lambda _: b"", "CB-372"),
        (401, lambda _: b"", "CB-372"),
        (500, lambda _: b"oops", "CB-372"),
    ],
    ids=[
        "html",
        "nothing",
        "rejected",
        "broken DER",
        "too much",
        "too slow",
        "redirect",
        "401",
        "500",
    ],
)
def test_rubbish_is_an_error_of_ours_in_bounded_time(
    desk: Desk, throwaway, status: int, answer: Answer, code: str
) -> None:
    """HTML, nothing, too much, too late, a redirect: said so, and nothing kept."""
    pytest.importorskip("rfc3161_client")
    desk.status, desk.answer, desk.location = status, answer, "http://127.0.0.1:1/elsewhere"
    began = time.monotonic()
    with pytest.raises(ClaimBridgeError, match=code):
        fetch_timestamp(CONTENT, desk.place, trust=throwaway.trust)
    assert time.monotonic() - began < 5


def test_nobody_there_is_worth_another_try(throwaway) -> None:
    """A refused connection is NotDelivered; an address in the clear is refused unasked."""
    pytest.importorskip("rfc3161_client")
    place = TransportSettings("http://127.0.0.1:9/", connect=1, total=2)
    with pytest.raises(NotDelivered, match="CB-372"):
        fetch_timestamp(CONTENT, place, trust=throwaway.trust)
    with pytest.raises(ConfigurationError):
        TransportSettings("http://tsa.example/")
