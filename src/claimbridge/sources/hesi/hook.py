"""The receiver of Hesi's outbound messages: an ASGI application, mountable in your own.

    app = Starlette(routes=[Route("/hesi", HesiHook(record, sign_key=key))])

A message is a hint that a document changed, and nothing more: no amount, state or name in it is
read. It is answered as taken once the hint is on the disk; the intake then reads the document.
Messages that come at once are recorded together, so that a flood costs little.
"""

from __future__ import annotations

import asyncio
import hmac
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs

import msgspec

from claimbridge.clock import SYSTEM, Clock
from claimbridge.errors import ConfigurationError, JournalError
from claimbridge.sources.hesi.api.client import HesiClient
from claimbridge.sources.hesi.api.settings import HesiSettings
from claimbridge.sources.hints import Hints
from claimbridge.sources.receiver import Receive, Receiver, Scope, Send
from claimbridge.sources.record import SourceRecord, open_record
from claimbridge.sources.settings import journal_of, load_source

MAX_BODY: Final = 64 * 1024
"""Bytes: messages carry a few fields of a form."""
MOST_AT_ONCE: Final = 256
"""Messages taken in at one time; beyond that, a sender is asked to come again, as Hesi does."""
_LONGEST_KEY: Final = 200
_PATIENCE: Final = 10.0
"""Seconds that the body of a message may take to arrive."""
_KINDS: Final = ("flow", "message")
_OVERLAP: Final = 600_000
"""Milliseconds that the log of failures is read again: a message is in it only once its last
attempt failed, long after the document changed."""
_FIRST: Final = 24 * 3600 * 1000
"""How far back, in milliseconds, the log is read the first time."""


class _Message(msgspec.Struct):
    """What is read of a message; everything else is left alone."""

    flow_id: str = msgspec.field(name="flowId")
    sign_key: str = msgspec.field(default="", name="signKey")


class HesiHook(Receiver):
    """Takes messages in for one Hesi.

    ``sign_key`` is the 签名秘钥 of the outbound message; it is looked for in the body
    (``signKey``), in a header of that name, and in the query of the URL. ``source`` is the name of
    the source whose hints these are. Answers 204 once the hint is kept; 401 for a wrong key, 400,
    405, 408 and 413 for what is no message, 503 when it cannot be kept now. Raises
    ConfigurationError CB-560 without a key.
    """

    def __init__(self, hints: Hints, *, sign_key: str, source: str = "hesi") -> None:
        if not sign_key:
            raise ConfigurationError(
                "the receiver of Hesi's messages needs their sign_key: without it anybody could "
                "send some",
                code="CB-560",
            )
        super().__init__(max_bytes=MAX_BODY, patience=_PATIENCE, most=MOST_AT_ONCE)
        self._hints = hints
        self._sign_key = sign_key.encode()
        self._source = source
        self._waiting: dict[str, asyncio.Future[None]] = {}
        self._writing: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        return f"HesiHook(source={self._source!r})"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take in one request; the key in its URL is hidden before anything else is done."""
        original = dict(scope)
        if scope.get("query_string"):
            scope["query_string"] = b"***"  # servers log the URL, whatever it was answered
        await super().__call__(original, receive, send)

    async def take(self, scope: Scope, body: bytes) -> int:
        """Keep the hint of a message with the right key; return the status to answer with."""
        try:
            message = msgspec.json.decode(body, type=_Message)
        except (msgspec.DecodeError, RecursionError):
            return 400
        if not self._knows(message.sign_key, scope):
            return 401
        if not 0 < len(message.flow_id) <= _LONGEST_KEY or not message.flow_id.isprintable():
            return 400
        try:
            await self._keep(message.flow_id)
        except JournalError:
            return 503
        return 204

    def _knows(self, in_body: str, scope: Scope) -> bool:
        """Return whether one of the keys given is ours, in the same time for right and wrong."""
        headers = [value for name, value in scope["headers"] if name.lower() == b"signkey"]
        query = parse_qs(scope["query_string"].decode("latin-1")).get("signKey", [])
        keys = [in_body.encode("utf-8", "replace"), *headers[:1], *(q.encode() for q in query[:1])]
        return sum(hmac.compare_digest(key, self._sign_key) for key in keys) > 0

    async def _keep(self, flow_id: str) -> None:
        """Return once the hint is on the disk; what comes while others are written goes together.

        Of several messages about one document one is written.
        """
        durable = self._waiting.get(flow_id)
        if durable is None:
            durable = self._waiting[flow_id] = asyncio.get_running_loop().create_future()
        if self._writing is None:
            self._writing = asyncio.ensure_future(self._write())
        await asyncio.shield(durable)

    async def _write(self) -> None:
        try:
            while self._waiting:
                # A message that comes from here on is about a later moment: it waits for the next.
                group, self._waiting = self._waiting, {}
                failure: Exception | None = None
                try:
                    await asyncio.to_thread(self._hints.hint, self._source, list(group))
                except Exception as error:  # noqa: BLE001 - raised to each who waits for it
                    failure = error
                for durable in group.values():
                    if failure is None:
                        durable.set_result(None)
                    else:
                        durable.set_exception(failure)
                        durable.exception()  # looked at: who waited may have gone
        finally:
            self._writing = None


def open_hook(path: str | Path, *, source: str = "hesi") -> HesiHook:
    """Return the receiver of a configured Hesi's messages, as an ASGI application.

    Its hints go where `claimbridge intake` with the same configuration finds them. Raises
    ConfigurationError CB-560 without a ``sign_key``, JournalError when the record cannot be opened.
    """
    config = load_source(path, source)
    sign_key = config.settings(HesiSettings).signing_key()
    return HesiHook(open_record(journal_of(path, config)), sign_key=sign_key, source=source)


def hints_from_log(
    client: HesiClient, record: SourceRecord, *, source: str = "hesi", clock: Clock = SYSTEM
) -> int:
    """Turn the messages that reached nobody into hints; return how many documents they are about.

    Reads Hesi's log of failures from where it was read last, the first time a day back. Raises
    the client's errors; then the next call reads the same again.
    """
    place = f"{source} messages"
    now = int(clock.now().timestamp() * 1000)
    mark = record.mark(place)
    since = int(mark) - _OVERLAP if mark.isdigit() else now - _FIRST
    flow_ids = {
        flow_id: None
        for kind in _KINDS
        for flow_id in client.failed_messages(since=since, until=now, kind=kind)
        if len(flow_id) <= _LONGEST_KEY
    }
    if flow_ids:
        record.hint(source, list(flow_ids))
    record.take_in(place, (), mark=str(now))
    return len(flow_ids)
