"""A Hesi on loopback, beside the ERP: documents, write-backs, messages, disturbances to order.

    hesi = Hesi()
    with Sandbox(profiles=["reference"], hesi=hesi) as sandbox:
        hesi.put("ID-1", form={...}, state="paid")
        ...  # call sandbox.url("hesi") as if it were https://app.ekuaibao.com
        assert hesi.documents()[0]["voucherNo"] == "000001"

It follows the vendor's pages, and holds its documents in memory.
"""

from __future__ import annotations

import asyncio
import copy
import threading
from collections.abc import Iterable
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from claimbridge.clock import SYSTEM, Clock
from claimbridge.errors import ConfigurationError
from claimbridge.sandbox.hesi.books import (
    CORPORATION,
    Effect,
    HesiBooks,
    HesiDocument,
    JsonObject,
    Node,
    Put,
)
from claimbridge.sandbox.hesi.desk import HesiCall, HesiDesk, HesiOperation, find_operation
from claimbridge.sandbox.hesi.disturb import HesiAct, perform
from claimbridge.sandbox.hesi.hooks import HookSettings, Outbound
from claimbridge.sandbox.hesi.replies import refusal
from claimbridge.sandbox.http.connection import SandboxConnection
from claimbridge.sandbox.http.control import Control
from claimbridge.sandbox.http.pages import decode, json_page
from claimbridge.sandbox.http.reply import SandboxReply

PATH: Final = "/hesi"


class TokenOrder(msgspec.Struct, forbid_unknown_fields=True):
    """What ``POST /sandbox/hesi/tokens`` takes.

    ``expire`` ends every token now. ``premature`` is how many of the next calls are refused in
    spite of a good token, as Hesi once did right after it issued one.
    """

    expire: bool = False
    premature: int | None = None


class Hesi:
    """What a test does to the Hesi, and sees of it. Safe between threads.

    ``app_key`` and ``app_secret`` get a token. Outbound messages carry ``sign_key``, and the
    callback must repeat it. ``late``: seconds that approval states lag behind.
    """

    def __init__(
        self,
        *,
        app_key: str = "sandbox-app-key",
        app_secret: str = "sandbox-secret",  # noqa: S107 - the sandbox's own, opens nothing else
        sign_key: str = "sandbox-sign-key",
        late: float = 0.5,
        clock: Clock = SYSTEM,
    ) -> None:
        self._books = HesiBooks(clock)
        self.desk: HesiDesk = HesiDesk(
            self._books, app_key=app_key, app_secret=app_secret, sign_key=sign_key, late=late
        )
        self._outbound = Outbound(lambda: self.desk.sign_key, self._books.millis)
        self.desk.failed_messages = lambda: list(self._outbound.failed)
        self._books.on_change = self._outbound.queue_message

    def put(
        self,
        flow_id: str,
        *,
        form: JsonObject | None = None,
        owner: str = f"{CORPORATION}:employee",
        form_type: str = "expense",
        state: str | None = None,
        nodes: Iterable[Node] | None = None,
        node: str | None = None,
        channel: bool = True,
    ) -> None:
        """Add a document, or change the given fields of one (see ``Put``)."""
        self._books.put(
            Put(
                id=flow_id,
                form=form or {},
                owner=owner,
                form_type=form_type,
                state=state,
                nodes=None if nodes is None else tuple(nodes),
                node=node,
                channel=channel,
            )
        )

    def agree(self, flow_id: str, *, by: str = "", comment: str = "") -> None:
        """Let the step at which a document waits agree, as a person does; raises KeyError."""
        with self._books.lock:
            self._books.agree(self._document(flow_id), comment, by=by)

    def pay(self, flow_id: str, *, by: str = "") -> None:
        """Let the cashier have paid a document; raises KeyError."""
        with self._books.lock:
            self._books.pay(self._document(flow_id), by=by)

    def modify(self, flow_id: str, form: JsonObject) -> None:
        """Let somebody change a document where it stands, as finance may; raises KeyError."""
        with self._books.lock:
            document = self._document(flow_id)
            document.form.update(copy.deepcopy(form))
            self._books.move(document, state=document.state, node=document.waits_at)
            self._books.log(document, "freeflow.modify", node=document.waits_at, by="corp:finance")

    def order(self, given: Put) -> None:
        """Add or change a document as the control page says."""
        self._books.put(given)

    def delete(self, flow_id: str) -> bool:
        """Delete a document; False when there is none."""
        return self._books.delete(flow_id)

    def documents(self) -> list[JsonObject]:
        """Return every document: where it stands, its voucher number, what was done to it."""
        return self._books.rows()

    def details(self, flow_id: str) -> JsonObject:
        """Return a document as the details show it, deleted ones too; raises KeyError."""
        with self._books.lock:
            body: JsonObject = copy.deepcopy(self._document(flow_id).body)
            return body

    def effects(self, flow_id: str) -> list[Effect]:
        """Return the changes that write-backs made to a document, in their order."""
        with self._books.lock:
            document = self._books.get(flow_id)
            return list(document.effects) if document else []

    def tokens(self, order: TokenOrder) -> None:
        """Spoil tokens."""
        with self._books.lock:
            if order.expire:
                self.desk.tokens.expire()
            if order.premature is not None:
                self.desk.tokens.premature = order.premature

    def hooks(self, settings: HookSettings) -> None:
        """Send outbound messages there from now on."""
        self._outbound.settings = settings

    def flush(self) -> None:
        """Wait until every outbound message was sent, or given up."""
        self._outbound.flush()

    def failed_messages(self) -> list[JsonObject]:
        """Return the log of outbound messages that nobody took."""
        return list(self._outbound.failed)

    def _document(self, flow_id: str) -> HesiDocument:
        document = self._books.get(flow_id)
        if document is None:
            raise KeyError(flow_id)
        return document

    def close(self) -> None:
        """Send no more outbound messages."""
        self._outbound.close()


class Api:
    """The interface as an ASGI application."""

    def __init__(self, hesi: Hesi, control: Control) -> None:
        self._hesi = hesi
        self._control = control
        self._lock = threading.Lock()
        self._previous: dict[str, SandboxReply] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a call, or disturb it where a disturbance has its turn."""
        request, connection = Request(scope), SandboxConnection(scope, receive, send)
        body = await connection.request()
        if body is None:
            await connection.drop()
            return
        found = find_operation(request.method, request.url.path.removeprefix(PATH))
        if found is None:
            await connection.reply(refusal(404, "接口不存在"))
            return
        operation, last = found
        call = HesiCall(dict(request.query_params), body, last)
        self._control.count(operation.name)
        disturbance = self._control.disturbances.next(operation.name, operation.kind)
        with self._lock:
            previous = self._previous.get(operation.name)

        async def commit() -> SandboxReply:
            return await asyncio.to_thread(self._answer, operation, call)

        if disturbance is None:
            await connection.reply(await commit())
            return
        act = HesiAct(
            disturbance=disturbance,
            connection=connection,
            commit=commit,
            previous=previous,
            base=self._control.base,
            closing=self._control.closing,
        )
        await perform(act)

    def _answer(self, operation: HesiOperation, call: HesiCall) -> SandboxReply:
        reply = self._hesi.desk.answer(operation, call)
        with self._lock:
            self._previous[operation.name] = reply
        return reply


def routes(hesi: Hesi, control: Control) -> list[BaseRoute]:
    """Return the interface at ``/hesi``, and the pages to look at it and to steer it."""

    async def documents(request: Request) -> Response:
        if request.method == "POST":
            await asyncio.to_thread(hesi.order, decode(await request.body(), Put))
        return json_page(hesi.documents())

    async def delete(request: Request) -> Response:
        flow_id = request.path_params["id"]
        if not await asyncio.to_thread(hesi.delete, flow_id):
            raise ConfigurationError(f"there is no document {flow_id} to delete", code="CB-274")
        return json_page(hesi.documents())

    async def tokens(request: Request) -> Response:
        hesi.tokens(decode(await request.body(), TokenOrder))
        return json_page({})

    async def hooks(request: Request) -> Response:
        if request.method == "POST":
            hesi.hooks(decode(await request.body(), HookSettings))
        return json_page(hesi.failed_messages())

    return [
        Route("/sandbox/hesi/documents", documents, methods=["GET", "POST"]),
        Route("/sandbox/hesi/documents/{id}", delete, methods=["DELETE"]),
        Route("/sandbox/hesi/tokens", tokens, methods=["POST"]),
        Route("/sandbox/hesi/hooks", hooks, methods=["GET", "POST"]),
        Route(PATH + "/{path:path}", Api(hesi, control)),
    ]
