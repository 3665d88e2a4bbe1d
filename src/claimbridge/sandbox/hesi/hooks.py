"""The sandbox's Hesi calls out: messages to a configured URL, tried again, logged when they fail.

One thread sends them, one after the other, as they come.
"""

from __future__ import annotations

import http.client
import queue
import threading
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from claimbridge.errors import ConfigurationError
from claimbridge.sandbox.hesi.books import CORPORATION, JsonObject, Node

_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_ACTIONS: Final = {
    "approving": ("backlog.approving", "待审批"),
    "paying": ("backlog.paying", "待支付"),
    "paid": ("flow.paid", "已支付/审批完成"),
    "rejected": ("flow.rejected", "被驳回"),
}


class HookSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What ``POST /sandbox/hesi/hooks`` takes: where messages go, and which answers count.

    ``url`` "" sends none. An answer counts if its status is one of ``success`` and its text holds
    ``keyword``. Up to ``retries`` (3 at most) follow, each after ``interval`` seconds (10 at most).
    ``fields`` names the fields of the form that a message carries.
    """

    url: str = ""
    success: tuple[int, ...] = (200, 201, 204)
    keyword: str = ""
    retries: int = 0
    interval: float = 0.0
    timeout: float = 5.0
    fields: tuple[str, ...] = ("code",)

    def __post_init__(self) -> None:
        if self.url and urlsplit(self.url).hostname not in _LOOPBACK:
            raise ConfigurationError(
                "the sandbox sends messages to this machine only; name a url on 127.0.0.1",
                code="CB-274",
            )
        if not (0 <= self.retries <= 3 and 0 <= self.interval <= 10):
            raise ConfigurationError(
                "Hesi sends a message again 3 times at most, after 10 seconds at most; lower "
                "retries or interval",
                code="CB-274",
            )


class Outbound:
    """Sends messages; ``failed`` is the log of those that nobody took."""

    def __init__(self, sign_key: Callable[[], str], millis: Callable[[], int]) -> None:
        self.settings: HookSettings = HookSettings()
        self.failed: list[JsonObject] = []
        self.sent: int = 0
        self._sign_key = sign_key
        self._millis = millis
        self._closing = threading.Event()
        self._queue: queue.Queue[tuple[HookSettings, JsonObject] | None] = queue.Queue()
        self._thread: threading.Thread | None = None

    def queue_message(self, body: JsonObject, node: Node | None) -> None:
        """Queue the message about a document that changed its state or its step."""
        settings = self.settings
        if not settings.url:
            return
        action, name = _ACTIONS.get(body["state"], (body["state"], body["state"]))
        form: dict[str, Any] = body["form"]
        message = {
            "signKey": self._sign_key(),
            "flowId": body["id"],
            "nodeId": node.id if node else None,
            "action": action,
            "actionName": name,
            "state": body["state"],
            **{field: form.get(field) for field in settings.fields},
        }
        self._queue.put((settings, message))
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="hesi-outbound", daemon=True)
            self._thread.start()

    def flush(self) -> None:
        """Wait until every message in the queue is sent, or given up."""
        self._queue.join()

    def close(self) -> None:
        """Send nothing more."""
        self._closing.set()
        self._queue.put(None)
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while (queued := self._queue.get()) is not None:
            if not self._closing.is_set():
                self._deliver(*queued)
            self._queue.task_done()
        self._queue.task_done()

    def _deliver(self, settings: HookSettings, message: JsonObject) -> None:
        for turn in range(settings.retries + 1):
            if turn and self._closing.wait(settings.interval):
                return
            answer = _post(settings, message)
            if answer is not None:
                status, text = answer
                if status in settings.success and settings.keyword in text:
                    self.sent += 1
                    return
        self.failed.append(self._entry(message, answer))

    def _entry(self, message: JsonObject, answer: tuple[int, str] | None) -> JsonObject:
        now = self._millis()
        shown = {name: value for name, value in message.items() if name != "signKey"}
        return {
            "name": "sandbox",
            "messageId": "sandbox-message",
            "flowId": message["flowId"],
            "dataLinkId": "",
            "nodeId": message["nodeId"],
            "request": shown,
            "response": {"status": answer[0], "body": answer[1][:200]} if answer else {},
            "state": "FAILURE",
            "id": f"LOG-{len(self.failed) + 1}",
            "type": "INVOKING",
            "version": 1,
            "active": True,
            "createTime": now,
            "updateTime": now,
            "corporationId": CORPORATION,
            "messageType": "flow" if message["nodeId"] else "message",
        }


def _post(settings: HookSettings, message: JsonObject) -> tuple[int, str] | None:
    """Return status and text of the answer; None when there was none."""
    where = urlsplit(settings.url)
    connection = http.client.HTTPConnection(
        where.hostname or "", where.port or 80, timeout=settings.timeout
    )
    try:
        path = where.path + (f"?{where.query}" if where.query else "")
        connection.request(
            "POST",
            path or "/",
            body=msgspec.json.encode(message),
            headers={"Content-Type": "application/json;charset=UTF-8"},
        )
        reply = connection.getresponse()
        return reply.status, reply.read(65_536).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
