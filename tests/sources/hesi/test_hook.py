"""Hesi's messages become hints on the disk; whatever else is sent becomes nothing."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import tracemalloc
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
import urllib3
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route
from tests.sources.hesi.stage import EBOT, SIGN_KEY, stage

from claimbridge.errors import ConfigurationError, JournalError
from claimbridge.sandbox import HookSettings
from claimbridge.sources.hesi.hook import MAX_BODY, MOST_AT_ONCE, HesiHook, hints_from_log
from claimbridge.sources.record import Hint, SourceRecord, SqliteRecord

FLOOD = 10_000


@pytest.fixture
def record(tmp_path: Path) -> Iterator[SourceRecord]:
    opened = SqliteRecord(tmp_path / "claims.db")
    yield opened
    opened.close()


@pytest.fixture
def hook(record: SourceRecord) -> HesiHook:
    return HesiHook(record, sign_key=SIGN_KEY)


def message(flow_id: object = "ID-1", key: object = SIGN_KEY, **more: object) -> bytes:
    return json.dumps({"flowId": flow_id, "signKey": key, **more}).encode()


async def post(
    hook: HesiHook,
    body: bytes | Sequence[bytes],
    *,
    method: str = "POST",
    query: str = "",
    headers: Sequence[tuple[bytes, bytes]] = (),
) -> int:
    """Call the application as a server would; return the status."""
    parts = [body] if isinstance(body, bytes) else list(body)
    asked, sent = iter(parts), []

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(0)
        part = next(asked, None)
        if part is None:
            return {"type": "http.disconnect"}
        parts.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(parts)}

    async def send(event: Any) -> None:
        sent.append(event)

    scope = {
        "type": "http", "method": method, "path": "/", "headers": list(headers),
        "query_string": query.encode(),
    }  # fmt: skip
    await hook(scope, receive, send)
    status: int = sent[0]["status"]
    return status


def told(record: SourceRecord) -> list[str]:
    return [hint.key for hint in record.hints("hesi", limit=20_000)]


def test_a_message_is_answered_once_its_hint_is_kept(hook: HesiHook, record: SourceRecord) -> None:
    """204 is said after the hint is on the disk, and amounts in the message count for nothing."""
    assert asyncio.run(post(hook, message(amount="1000000.00", state="paid"))) == 204
    assert told(record) == ["ID-1"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (message(key="guess"), 401),
        (message(key=""), 401),
        (message(key="sandbox-sign-ke"), 401),
        (json.dumps({"flowId": "ID-1"}).encode(), 401),
        (message(key=7), 400),
        (message(flow_id=""), 400),
        (message(flow_id=7), 400),
        (message(flow_id="x" * 201), 400),
        (message(flow_id="a\nb"), 400),
        (b'{"flowId": "\\ud800", "signKey": "sandbox-sign-key"}', 400),
        (b"", 400),
        (b"[]", 400),
        (b"{", 400),
        (b"\xff\xfe", 400),
        (b"[" * 60_000, 400),
        (b"<xml/>", 400),
        (message(more="x" * MAX_BODY), 413),
    ],
)
def test_what_is_no_message(hook: HesiHook, record: SourceRecord, body: bytes, status: int) -> None:
    """Wrong keys, wrong shapes and too much of anything leave no trace."""
    assert asyncio.run(post(hook, body)) == status
    assert told(record) == []


def test_other_requests(hook: HesiHook, record: SourceRecord) -> None:
    """Only POST is for messages; a body that never ends is not waited for."""
    assert asyncio.run(post(hook, message(), method="GET")) == 405
    assert asyncio.run(post(hook, [b"x" * 1000] * 100)) == 413
    assert asyncio.run(post(hook, [])) == 413
    assert told(record) == []


def test_the_key_may_travel_beside_the_body(hook: HesiHook, record: SourceRecord) -> None:
    """Hesi lets its users choose the fields of a message and its URL: the key is looked for."""
    bare = json.dumps({"flowId": "ID-1"}).encode()
    assert asyncio.run(post(hook, bare, query=f"signKey={SIGN_KEY}")) == 204
    assert asyncio.run(post(hook, bare, headers=[(b"signkey", SIGN_KEY.encode())])) == 204
    assert asyncio.run(post(hook, bare, query="signKey=guess&signKey=" + SIGN_KEY)) == 401


def test_a_receiver_without_a_key_is_refused(record: SourceRecord) -> None:
    """Without a key anybody could send hints; and the key is shown nowhere."""
    with pytest.raises(ConfigurationError, match="CB-560"):
        HesiHook(record, sign_key="")
    assert SIGN_KEY not in repr(HesiHook(record, sign_key=SIGN_KEY))


class Broken:
    """A record whose disk is full."""

    def hint(self, source: str, keys: Sequence[str]) -> None:
        raise JournalError("no space left on the disk")

    def hints(self, source: str, *, after: int = 0, limit: int = 100) -> list[Hint]:
        return []

    def clear_hints(self, source: str, *, upto: int, key: str | None = None) -> None:
        pass


def test_what_cannot_be_kept_is_not_taken() -> None:
    """503 makes Hesi try again, and log the message in the end."""
    hook = HesiHook(Broken(), sign_key=SIGN_KEY)
    assert asyncio.run(post(hook, message())) == 503
    assert asyncio.run(post(hook, message())) == 503, "it goes on"


class Counting:
    """A record that counts its transactions."""

    def __init__(self, record: SourceRecord) -> None:
        self.record = record
        self.writes = 0

    def hint(self, source: str, keys: Sequence[str]) -> None:
        self.writes += 1
        self.record.hint(source, keys)

    def hints(self, source: str, *, after: int = 0, limit: int = 100) -> list[Hint]:
        return self.record.hints(source, after=after, limit=limit)

    def clear_hints(self, source: str, *, upto: int, key: str | None = None) -> None:
        self.record.clear_hints(source, upto=upto, key=key)


class Slow(Counting):
    """A record whose disk takes its time: until the test lets it."""

    def __init__(self, record: SourceRecord) -> None:
        super().__init__(record)
        self.begun, self.go = Event(), Event()

    def hint(self, source: str, keys: Sequence[str]) -> None:
        super().hint(source, keys)
        self.begun.set()
        assert self.go.wait(10)


def test_a_message_that_comes_while_its_document_is_written(record: SourceRecord) -> None:
    """It is about a later moment than the hint that is on its way: it is written by itself."""
    slow = Slow(record)
    hook = HesiHook(slow, sign_key=SIGN_KEY)

    async def two() -> list[int]:
        first = asyncio.create_task(post(hook, message()))
        await asyncio.to_thread(slow.begun.wait, 10)
        second = asyncio.create_task(post(hook, message()))
        for _ in range(20):
            await asyncio.sleep(0)
        assert not first.done()
        slow.go.set()
        return [await first, await second]

    assert asyncio.run(two()) == [204, 204]
    assert (slow.writes, told(record)) == (2, ["ID-1"])


async def flood(hook: HesiHook, bodies: Sequence[bytes], *, at_once: int) -> list[int]:
    gate = asyncio.Semaphore(at_once)

    async def one(body: bytes) -> int:
        async with gate:
            return await post(hook, body)

    return await asyncio.gather(*(one(body) for body in bodies))


def test_a_flood_of_repeats_is_little_work(record: SourceRecord) -> None:
    """10,000 messages about 20 documents: 20 hints, few transactions, little memory."""
    counting = Counting(record)
    hook = HesiHook(counting, sign_key=SIGN_KEY)
    bodies = [message(f"ID-{number % 20}") for number in range(FLOOD)]
    gc.collect()
    tracemalloc.start()
    statuses = asyncio.run(flood(hook, bodies, at_once=200))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert set(statuses) == {204}
    assert len(told(record)) == 20
    assert counting.writes < FLOOD / 20
    assert peak < 60_000_000, "of which the 10,000 bodies and tasks of this test are the most"
    print(f"{FLOOD} messages: {counting.writes} transactions, peak {peak / 1e6:.1f} MB")


def test_more_at_once_than_is_taken_in(record: SourceRecord) -> None:
    """Beyond the bound a message is told to come again; what was taken is kept."""
    hook = HesiHook(record, sign_key=SIGN_KEY)
    bodies = [message(f"ID-{number}") for number in range(MOST_AT_ONCE * 3)]
    statuses = asyncio.run(flood(hook, bodies, at_once=len(bodies)))
    assert {204, 503} == set(statuses)
    assert len(told(record)) == statuses.count(204)
    assert asyncio.run(post(hook, message("ID-after"))) == 204


def test_a_flood_with_a_wrong_key_writes_nothing(record: SourceRecord) -> None:
    """Who does not know the key costs no disk."""
    counting = Counting(record)
    hook = HesiHook(counting, sign_key=SIGN_KEY)
    bodies = [message(f"ID-{number}", key="guess") for number in range(FLOOD)]
    assert set(asyncio.run(flood(hook, bodies, at_once=200))) == {401}
    assert counting.writes == 0


@contextlib.contextmanager
def served(hook: HesiHook) -> Iterator[str]:
    """Serve it by uvicorn, mounted in an application of the user's own."""
    app = Starlette(routes=[Route("/hooks", hook)])
    config = uvicorn.Config(app, port=0, log_config=None, lifespan="on")
    server = uvicorn.Server(config)
    thread = Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}/hooks"
    finally:
        server.should_exit = True
        thread.join()


@pytest.mark.parametrize(
    ("method", "body", "query", "status"),
    [
        ("POST", b'{"flowId": "ID-1"}', "signKey=", 204),
        ("POST", b"no JSON", "signKey=", 400),
        ("POST", b'{"flowId": "ID-1"}', "signkey=", 401),
        ("GET", None, "signKey=", 405),
        ("DELETE", None, "signKey=", 405),
        ("POST", b"x" * (MAX_BODY + 1), "signKey=", 413),
    ],
)
def test_a_key_in_the_url_is_not_in_the_servers_log(
    record: SourceRecord,
    caplog: pytest.LogCaptureFixture,
    method: str,
    body: bytes | None,
    query: str,
    status: int,
) -> None:
    """Uvicorn writes the URL of every request, whatever it was answered: without the key."""
    with caplog.at_level("INFO"), served(HesiHook(record, sign_key=SIGN_KEY)) as url:
        answer = urllib3.request(method, f"{url}?{query}{SIGN_KEY}", body=body, retries=False)
        assert answer.status == status
    assert "/hooks" in caplog.text
    assert SIGN_KEY not in caplog.text


def test_with_hesis_own_messages_under_uvicorn(record: SourceRecord) -> None:
    """What Hesi sends arrives; what it could not send is found in its log of failures."""
    with stage() as hesi:
        with served(HesiHook(record, sign_key=SIGN_KEY)) as url:
            hesi.hesi.hooks(HookSettings(url=url, retries=1))
            for number in range(30):
                hesi.hesi.put(f"ID-{number}", state="approving", nodes=[EBOT])
                hesi.hesi.put(f"ID-{number}", state="paid")
            hesi.hesi.flush()
            assert hesi.hesi.failed_messages() == []
        assert sorted(told(record)) == sorted(f"ID-{number}" for number in range(30))
        record.clear_hints("hesi", upto=10**9)
        # Nobody listens any more.
        hesi.hesi.put("ID-L1", state="approving", nodes=[EBOT])
        hesi.hesi.put("ID-L2", state="paid")
        hesi.hesi.flush()
        assert told(record) == []
        assert hints_from_log(hesi.client, record, clock=hesi.clock) == 2
        assert sorted(told(record)) == ["ID-L1", "ID-L2"]
        record.clear_hints("hesi", upto=10**9)
        assert hints_from_log(hesi.client, record, clock=hesi.clock) == 2, "the overlap"
        assert record.mark("hesi messages").isdigit()


def test_a_log_that_cannot_be_read_is_read_again(record: SourceRecord) -> None:
    """The mark moves only once the log was read."""
    with stage() as hesi:
        hesi.hesi.hooks(HookSettings(url="http://127.0.0.1:9/", timeout=1))
        hesi.hesi.put("ID-1", state="approving", nodes=[EBOT])
        hesi.hesi.flush()
        hesi.sandbox.set_faults("hesi_failed:throttle@1")
        with pytest.raises(Exception, match="CB-51"):
            hints_from_log(hesi.client, record, clock=hesi.clock)
        assert (record.mark("hesi messages"), told(record)) == ("", [])
        assert hints_from_log(hesi.client, record, clock=hesi.clock) == 1
