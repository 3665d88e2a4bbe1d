"""The webhook: what is signed is recorded once; what is not leaves no trace and learns nothing."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import urllib3
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount
from tests.sources.conftest import EXAMPLES, plain

from claimbridge.cli import main
from claimbridge.clock import SYSTEM
from claimbridge.errors import ConfigurationError, KeyUnavailable
from claimbridge.sandbox import Sandbox
from claimbridge.sources.record import SourceRecord, open_record
from claimbridge.sources.webhook import MOST_AT_ONCE, Webhook, WebhookSource, sign

SECRET = "a shared secret"


def now() -> int:
    return int(SYSTEM.now().timestamp())


def body(name: str = "W-1", **changes: Any) -> bytes:
    return json.dumps(plain(name, **changes)).encode()


@pytest.fixture
def record(tmp_path: Path) -> Iterator[SourceRecord]:
    made = open_record(f"sqlite:///{tmp_path / 'claims.db'}")
    yield made
    made.close()


class Sender:
    """Another system, that posts to the receiver over HTTP."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.pool = urllib3.PoolManager(maxsize=16, retries=False)

    def send(
        self, content: bytes | Iterator[bytes], headers: dict[str, str], method: str = "POST"
    ) -> urllib3.BaseHTTPResponse:
        """Send one request; return the answer."""
        return self.pool.request(method, self.url, body=content, headers=headers)

    def post(self, content: bytes, secret: str = SECRET) -> int:
        """Post a body that is signed now; return the status."""
        return self.send(content, sign(secret, content, timestamp=now())).status


@contextlib.contextmanager
def served(hook: Webhook) -> Iterator[Sender]:
    """Serve the receiver, mounted in an application of the user's own."""
    app = Starlette(routes=[Mount("/claims", hook)])
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="on"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    sender = Sender(f"http://127.0.0.1:{port}/claims/")
    try:
        yield sender
    finally:
        sender.pool.clear()
        server.should_exit = True
        thread.join()


@pytest.fixture
def sender(record: SourceRecord) -> Iterator[Sender]:
    hook = Webhook(record, name="hr", secrets=[SECRET, "the next"], max_bytes=10_000)
    with served(hook) as made:
        yield made


def received(record: SourceRecord) -> int:
    return len(record.deliveries("hr", after=0, limit=1000))


def test_a_signed_claim_is_recorded_before_it_is_answered(
    sender: Sender, record: SourceRecord
) -> None:
    """202 means that it is on the disk; either of two secrets counts while one is replaced."""
    assert sender.post(body()) == 202
    assert sender.post(body("W-2"), "the next") == 202
    found = list(WebhookSource("hr", record).arrivals())
    assert [(one.key, one.mark) for one in found] == [("W-1", "1"), ("W-2", "2")]
    assert [one.key for one in WebhookSource("hr", record).arrivals(since="1")] == ["W-2"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Claimbridge-Timestamp": str(now())},
        {"Claimbridge-Signature": "sha256=" + "0" * 64},
        sign("another secret", body(), timestamp=now()),
        sign(SECRET, body("W-9"), timestamp=now()),
        {**sign(SECRET, body(), timestamp=now()), "Claimbridge-Timestamp": str(now() - 7)},
        sign(SECRET, body(), timestamp=now() - 1000),
        sign(SECRET, body(), timestamp=now() + 1000),
        {**sign(SECRET, body(), timestamp=now()), "Claimbridge-Timestamp": "-1"},
        {**sign(SECRET, body(), timestamp=now()), "Claimbridge-Timestamp": "9" * 40},
    ],
)
def test_what_is_not_signed_learns_nothing(
    sender: Sender, record: SourceRecord, headers: dict[str, str]
) -> None:
    """Every wrong signature or time gets the same empty 401, and nothing is kept."""
    answer = sender.send(body(), headers)
    assert answer.status == 401
    assert answer.data == b""
    assert received(record) == 0


def test_repeats_and_floods_change_nothing(sender: Sender, record: SourceRecord) -> None:
    """A sender that repeats itself two hundred times at once has sent one claim."""
    with ThreadPoolExecutor(16) as pool:
        codes = list(pool.map(lambda _: sender.post(body()), range(200)))
    assert set(codes) <= {202, 503}
    assert received(record) == 1


def test_what_is_too_large_is_not_read(sender: Sender, record: SourceRecord) -> None:
    """The limit counts what arrives, whatever the length announced."""
    assert sender.post(body(title="x" * 20_000)) == 413
    streamed = (b"x" * 1000 for _ in range(100))
    with contextlib.suppress(urllib3.exceptions.ProtocolError):  # cut off while it sends
        assert sender.send(streamed, {}).status == 413
    assert sender.send(b"", {}, "GET").status == 405
    assert received(record) == 0


def test_strangers_who_hold_their_bodies_open_take_nobodys_place(
    sender: Sender, record: SourceRecord
) -> None:
    """Neither many that send nothing nor some that send nearly all keep an honest sender out."""
    host, port = sender.url.split("/")[2].split(":")
    with contextlib.ExitStack() as held:
        for number in range(200):
            stranger = held.enter_context(socket.create_connection((host, int(port))))
            part = b"x" * (9_000 if number % 2 else 1)
            stranger.sendall(
                b"POST /claims/ HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\n" + part
            )
        time.sleep(0.3)
        assert [sender.post(body(f"W-{number}")) for number in range(5)] == [202] * 5
    assert received(record) == 5


def test_who_holds_most_gives_way(record: SourceRecord) -> None:
    """A flood from one address does not cut off another that is slow."""
    hook = Webhook(record, name="hr", secrets=[SECRET])

    async def scene() -> list[int | None]:
        released = asyncio.Event()
        content = body()
        headers = [
            (name.lower().encode(), value.encode())
            for name, value in sign(SECRET, content, timestamp=now()).items()
        ]

        async def one(peer: str) -> int:
            sent: list[Any] = []
            parts = iter([content[:10], content[10:]])

            async def receive() -> dict[str, Any]:
                part = next(parts)
                if part != content[:10]:
                    await released.wait()
                return {"type": "http.request", "body": part, "more_body": part == content[:10]}

            async def send(event: Any) -> None:
                sent.append(event)

            scope = {
                "type": "http", "method": "POST", "headers": headers, "client": (peer, 1),
            }  # fmt: skip
            await hook(scope, receive, send)
            status: int = sent[0]["status"]
            return status

        slow = asyncio.create_task(one("192.0.2.1"))
        await asyncio.sleep(0)
        flood = [asyncio.create_task(one("192.0.2.2")) for _ in range(20 * MOST_AT_ONCE)]
        await asyncio.sleep(0.5)
        gone = [task.result() for task in flood if task.done()]
        for task in flood:
            task.cancel()
        await asyncio.gather(*flood, return_exceptions=True)
        released.set()
        return [await slow, *set(gone), len(gone)]

    assert asyncio.run(scene()) == [202, 503, 4 * MOST_AT_ONCE + 1]


def test_what_is_no_claim_is_parked_not_lost(record: SourceRecord, sender: Sender) -> None:
    """The sender is not asked to judge: it is recorded as it came, and told to the operator."""
    assert sender.post(b"{not json") == 202
    assert sender.post(body("W-3", total="1.00")) == 202
    assert sender.post(b'{"withdrawn": {"id": "W-4", "revision": 2}}') == 202
    broken, wrong, taken_back = WebhookSource("hr", record).arrivals()
    assert (broken.key, broken.error is not None) == ("delivery 1", True)
    assert (wrong.key, getattr(wrong.error, "code", "")) == ("W-3", "CB-108")
    assert (taken_back.key, taken_back.withdrawn) == ("W-4", True)


def test_a_full_record_asks_to_come_again(record: SourceRecord, sender: Sender) -> None:
    """Nothing is answered 202 that could not be kept."""
    record.close()
    answer = sender.send(body(), sign(SECRET, body(), timestamp=now()))
    assert answer.status == 503
    assert answer.headers["retry-after"] == "10"


def test_it_works_from_a_configuration(
    tmp_path: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Received, then carried into the ledger by the intake; the secret is shown nowhere."""
    config = tmp_path / "claimbridge.toml"
    config.write_text(
        f'[ledger.CN01]\nendpoint = "{sandbox.url()}"\nchart = "{EXAMPLES / "chart.toml"}"\n'
        'journal = "sqlite:///claims.db"\n'
        '[source.hr]\nkind = "webhook"\nledger = "CN01"\nsecret = "env:HR_SECRET"\n'
    )
    with pytest.raises(KeyUnavailable):
        Webhook.from_config(config, "hr")
    monkeypatch.setenv("HR_SECRET", SECRET)
    hook = Webhook.from_config(config, "hr")
    assert SECRET not in repr(hook)
    with served(hook) as sender:
        assert sender.post(body("W-1")) == 202
        assert sender.post(body("W-2", employee="E9999")) == 202
    assert main(["intake", "--config", str(config)]) == 1
    assert len(sandbox.ledger()) == 1
    assert main(["intake", "--config", str(config)]) == 0
    monkeypatch.setenv("CLAIMBRIDGE_SOURCE_HR_SECRET", SECRET)
    with pytest.raises(ConfigurationError) as refused:
        Webhook.from_config(config, "hr")
    assert refused.value.code == "CB-255"
    assert SECRET not in str(refused.value)


def test_an_empty_secret_is_refused(record: SourceRecord) -> None:
    """Else anybody could sign."""
    with pytest.raises(ConfigurationError):
        Webhook(record, name="hr", secrets=[""])
    with pytest.raises(ConfigurationError):
        Webhook(record, name="hr", secrets=[])


@pytest.mark.parametrize("name", ["Claimbridge-Signature", "Claimbridge-Timestamp"])
@pytest.mark.parametrize("first", ["right", "wrong"])
def test_a_doubled_header_is_refused_and_not_tried_in_turn(
    name: str, first: str, sender: Sender, record: SourceRecord
) -> None:
    """Two readers of one request must not differ in which of two signatures they believe."""
    content = body()
    right = sign(SECRET, content, timestamp=now())
    headers = urllib3.HTTPHeaderDict(right)
    wrong = urllib3.HTTPHeaderDict({**right, name: right[name][:-1] + "0"})
    doubled = headers if first == "right" else wrong
    doubled.add(name, (wrong if first == "right" else headers)[name])
    response = sender.pool.request("POST", sender.url, body=content, headers=doubled)
    assert response.status == 401
    doubled = urllib3.HTTPHeaderDict(right)
    doubled.add(name, right[name])
    assert sender.pool.request("POST", sender.url, body=content, headers=doubled).status == 401
    assert received(record) == 0
    assert sender.post(content) == 202
