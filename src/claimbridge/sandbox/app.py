"""The sandbox over HTTP: a SOAP endpoint per profile, and pages to look at and to steer it."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from claimbridge.errors import ConfigurationError
from claimbridge.model import JournalEntry
from claimbridge.sandbox import published
from claimbridge.sandbox.connection import Connection
from claimbridge.sandbox.disturb import DECOY, Act, perform
from claimbridge.sandbox.endpoint import UNREADABLE, Endpoint, Exchange, Misunderstood, Reply
from claimbridge.sandbox.hesi.service import Hesi
from claimbridge.sandbox.hesi.service import routes as hesi_routes
from claimbridge.sandbox.kit.books import Books, Document, Objection, Transaction
from claimbridge.sandbox.kit.disturbances import Plan, parse_faults
from claimbridge.sandbox.kit.responder import Answer
from claimbridge.sandbox.recording import Recorder

_T = TypeVar("_T")


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A document as ``GET /sandbox/ledger`` lists it; amounts are strings.

    ``journal_entry`` is number, company and year as the command prints them (``000001 / CN01 /
    2026``), None until it is posted.
    """

    reference: str
    journal_entry: str | None
    postings: list[dict[str, str]]
    state: str
    profile: str
    company: str
    fiscal_year: str
    purpose: str


class Steering(msgspec.Struct, forbid_unknown_fields=True):
    """What ``POST /sandbox/advance`` takes; everything may be left out."""

    profile: str | None = None
    reference: str | None = None
    to: str | None = None


class Control:
    """What is common to all endpoints: the books, the counts, the plan of faults."""

    def __init__(self, books: Books, plan: Plan, recorder: Recorder | None) -> None:
        self.books: Books = books
        self.plan: Plan = plan
        self.recorder: Recorder | None = recorder
        self.base: str = ""
        self.closing: asyncio.Event = asyncio.Event()
        self.settle_door: Callable[[bool], Awaitable[None]] = _no_door
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    async def order(self, plan: Plan) -> None:
        """Put another plan of faults in place of this one; its counts begin anew."""
        self.plan = plan
        await self.settle_door(plan.door_closed)

    def count(self, what: str) -> None:
        """Count a call."""
        with self._lock:
            self._counts[what] += 1

    def counts(self) -> dict[str, int]:
        """Return the calls counted so far, by operation."""
        with self._lock:
            return dict(self._counts)

    def ledger(self) -> list[Listed]:
        """Return every document, in the order of entry."""
        with self.books.transaction() as books:
            return [_listed(document) for document in books.all()]

    def advance(self, steering: Steering) -> list[Listed]:
        """Move documents one step (entered, posted, paid), or up to ``to``; return the moved."""
        if steering.to not in (None, "posted", "paid", "rejected"):
            raise ConfigurationError(
                f"documents do not move to {steering.to!r}; name posted, paid or rejected",
                code="CB-274",
            )
        with self.books.transaction() as books:
            wanted = [
                document
                for document in books.all(steering.profile)
                if steering.reference in (None, document.reference)
            ]
            moved = [_moved(document, steering.to, books) for document in wanted]
        return [_listed(document) for document in moved if document is not None]


async def _no_door(closed: bool) -> None:
    """Do nothing: an application without a server has no door."""


def _listed(document: Document) -> Listed:
    entry = document.entry
    numbered = JournalEntry(document.number or "", entry.company, document.fiscal_year)
    return Listed(
        reference=document.reference,
        journal_entry=str(numbered) if document.number else None,
        postings=[
            {
                "account": leg.account,
                "side": leg.side,
                "currency": leg.currency,
                "amount": f"{leg.amount:f}",
                "cost_centre": leg.cost_centre,
                **({"company": leg.company} if leg.company else {}),
            }
            for leg in entry.legs
        ],
        state=document.status,
        profile=document.profile,
        company=entry.company,
        fiscal_year=document.fiscal_year,
        purpose=entry.purpose,
    )


def _moved(document: Document, to: str | None, books: Transaction) -> Document | None:
    if to == "rejected":
        reason = Objection("sandbox", "refused after it was taken in")
        return books.reject(document, [reason]) if document.status == "entered" else None
    moved = None
    if document.status == "entered":
        document = moved = books.post(document)
        if to is None:
            return moved
    if document.status == "posted" and document.entry.purpose == "post" and to != "posted":
        moved = books.pay(document)
    return moved


class Soap:
    """The ASGI application of one profile."""

    def __init__(self, endpoint: Endpoint, control: Control) -> None:
        self._endpoint = endpoint
        self._control = control
        self._answers: dict[str, Answer] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the contract to GET, and calls to POST."""
        request = Request(scope)
        if request.method == "POST":
            await self._call(request, Connection(scope, receive, send))
        else:
            await self._contract(request)(scope, receive, send)

    def _contract(self, request: Request) -> Response:
        url = f"{self._control.base}/{self._endpoint.responder.name}"
        if request.url.query.lower() == "wsdl":
            return _xml(published.wsdl(self._endpoint.bundle, url))
        return PlainTextResponse(f"POST SOAP here; the contract is at {url}?wsdl\n")

    def file(self, request: Request) -> Response:
        """Serve a file of the contract, as it is."""
        content = published.file(self._endpoint.bundle, request.path_params["name"])
        return PlainTextResponse("no such file\n", 404) if content is None else _xml(content)

    async def _call(self, request: Request, connection: Connection) -> None:
        body = await connection.request()
        if body is None:
            await connection.drop()
            return
        try:
            exchange = self._endpoint.open(
                body,
                content_type=request.headers.get("content-type", ""),
                soap_action=_action(request),
                cookies=request.cookies,
            )
        except Misunderstood as misunderstood:
            self._control.count(UNREADABLE)
            await connection.reply(misunderstood.reply)
            return
        await self._exchange(exchange, connection)

    async def _exchange(self, exchange: Exchange, connection: Connection) -> None:
        call = exchange.call
        self._control.count(call.operation)
        order = self._control.plan.next(call.operation, call.kind)
        previous = self._answers.get(call.operation)

        async def commit() -> Answer:
            # A thread: writing to disk must not hold up the other connections.
            answer = await asyncio.to_thread(self._endpoint.answer, exchange)
            if not answer.fault:
                self._answers[call.operation] = answer
            return answer

        reply: Reply | None
        if order is None:
            reply = self._endpoint.reply(exchange, await commit())
            await connection.reply(reply)
        else:
            reply = await perform(
                Act(
                    order=order,
                    endpoint=self._endpoint,
                    exchange=exchange,
                    connection=connection,
                    commit=commit,
                    previous=previous,
                    base=self._control.base,
                    closing=self._control.closing,
                )
            )
        self._record(exchange, reply, fault=order.name if order else "")

    def _record(self, exchange: Exchange, reply: Reply | None, *, fault: str) -> None:
        if self._control.recorder is None:
            return
        named = self._endpoint.responder.references(exchange.call)
        case = "-".join(filter(None, (named[0] if named else exchange.call.kind, fault)))
        name = self._endpoint.responder.name
        self._control.recorder.keep(name, exchange, reply, case=case, fault=fault)


def _action(request: Request) -> str | None:
    """Return the SOAPAction: a header in SOAP 1.1, a parameter of the content type in 1.2."""
    action = request.headers.get("soapaction")
    if action is None:
        for parameter in request.headers.get("content-type", "").split(";")[1:]:
            name, _, value = parameter.partition("=")
            if name.strip().lower() == "action":
                action = value
    return None if action is None else action.strip().strip('"')


def application(
    endpoints: Sequence[Endpoint], control: Control, hesi: Hesi | None = None
) -> Starlette:
    """Return the sandbox as an ASGI application."""

    def ledger(request: Request) -> Response:
        return _json(control.ledger())

    def requests(request: Request) -> Response:
        return _json(control.counts())

    async def faults(request: Request) -> Response:
        if request.method == "POST":
            given = _decoded(await request.body(), _Faults)
            await control.order(Plan(parse_faults(given.faults), seed=given.seed))
        return _json({"faults": control.plan.spec})

    async def advance(request: Request) -> Response:
        body = await request.body()
        steering = _decoded(body or b"{}", Steering)
        return _json(await asyncio.to_thread(control.advance, steering))

    def decoy(request: Request) -> Response:
        control.count("decoy")
        return PlainTextResponse("nobody should have come here\n")

    routes: list[BaseRoute] = [
        Route("/sandbox/ledger", ledger),
        Route("/sandbox/requests", requests),
        Route("/sandbox/faults", faults, methods=["GET", "POST"]),
        Route("/sandbox/advance", advance, methods=["POST"]),
        Route(DECOY, decoy, methods=["GET", "POST"]),
    ]
    for endpoint in endpoints:
        soap, path = Soap(endpoint, control), f"/{endpoint.responder.name}"
        routes += [
            Route(path, soap),
            Route(path + "/contract/{name:path}", soap.file),
            # Other ports of the same ERP: the operation says what is asked.
            Route(path + "/{port}", soap),
        ]
    if hesi is not None:
        routes += hesi_routes(hesi, control)
    handlers: Mapping[Any, Any] = {ConfigurationError: _refused}  # starlette's own type is Any
    return Starlette(routes=routes, exception_handlers=handlers)


class _Faults(msgspec.Struct, forbid_unknown_fields=True):
    faults: str
    seed: int | None = None


def _decoded(body: bytes, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.DecodeError as error:
        raise ConfigurationError(f"not what is expected here: {error}", code="CB-274") from error


def _refused(request: Request, error: Exception) -> Response:
    return _json({"error": str(error)}, status=400)


def _json(value: object, *, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")


def _xml(content: bytes) -> Response:
    return Response(content, media_type="text/xml")
