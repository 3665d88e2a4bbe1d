"""The sandbox over HTTP: a SOAP endpoint per profile, and pages to look at and to steer it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from claimbridge.errors import ConfigurationError
from claimbridge.sandbox.hesi.service import Hesi
from claimbridge.sandbox.hesi.service import routes as hesi_routes
from claimbridge.sandbox.http import published
from claimbridge.sandbox.http.connection import SandboxConnection
from claimbridge.sandbox.http.control import Control, Steering
from claimbridge.sandbox.http.disturb import DECOY, Act, perform
from claimbridge.sandbox.http.endpoint import UNREADABLE, Endpoint, Misunderstood, SoapExchange
from claimbridge.sandbox.http.pages import decode, json_page
from claimbridge.sandbox.http.reply import SandboxReply
from claimbridge.sandbox.kit.disturbances import Disturbances, parse_disturbances
from claimbridge.sandbox.kit.responder import ErpAnswer


class SoapApp:
    """The ASGI application of one profile."""

    def __init__(self, endpoint: Endpoint, control: Control) -> None:
        self._endpoint = endpoint
        self._control = control
        self._answers: dict[str, ErpAnswer] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the contract to GET, and calls to POST."""
        request = Request(scope)
        if request.method == "POST":
            await self._call(request, SandboxConnection(scope, receive, send))
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

    async def _call(self, request: Request, connection: SandboxConnection) -> None:
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

    async def _exchange(self, exchange: SoapExchange, connection: SandboxConnection) -> None:
        call = exchange.call
        connection.manner = call.manner
        self._control.count(call.operation)
        disturbance = self._control.disturbances.next(call.operation, call.kind)
        previous = self._answers.get(call.operation)

        async def commit() -> ErpAnswer:
            # A thread: writing to disk must not hold up the other connections.
            answer = await asyncio.to_thread(self._endpoint.answer, exchange)
            if not answer.fault:
                self._answers[call.operation] = answer
            return answer

        reply: SandboxReply | None
        if disturbance is None:
            reply = self._endpoint.reply(exchange, await commit())
            await connection.reply(reply)
        else:
            reply = await perform(
                Act(
                    disturbance=disturbance,
                    endpoint=self._endpoint,
                    exchange=exchange,
                    connection=connection,
                    commit=commit,
                    previous=previous,
                    base=self._control.base,
                    closing=self._control.closing,
                )
            )
        self._record(exchange, reply, disturbance=disturbance.name if disturbance else "")

    def _record(
        self, exchange: SoapExchange, reply: SandboxReply | None, *, disturbance: str
    ) -> None:
        if self._control.recorder is None:
            return
        named = self._endpoint.responder.references(exchange.call)
        case = "-".join(filter(None, (named[0] if named else exchange.call.kind, disturbance)))
        name = self._endpoint.responder.name
        self._control.recorder.keep(name, exchange, reply, case=case, disturbance=disturbance)


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
        return json_page(control.ledger())

    def requests(request: Request) -> Response:
        return json_page(control.counts())

    async def disturbances(request: Request) -> Response:
        if request.method == "POST":
            given = decode(await request.body(), _Spec)
            await control.order(Disturbances(parse_disturbances(given.faults), seed=given.seed))
        return json_page({"faults": control.disturbances.spec})

    async def advance(request: Request) -> Response:
        body = await request.body()
        steering = decode(body or b"{}", Steering)
        return json_page(await asyncio.to_thread(control.advance, steering))

    def decoy(request: Request) -> Response:
        control.count("decoy")
        return PlainTextResponse("nobody should have come here\n")

    routes: list[BaseRoute] = [
        Route("/sandbox/ledger", ledger),
        Route("/sandbox/requests", requests),
        Route("/sandbox/faults", disturbances, methods=["GET", "POST"]),
        Route("/sandbox/advance", advance, methods=["POST"]),
        Route(DECOY, decoy, methods=["GET", "POST"]),
    ]
    for endpoint in endpoints:
        soap, path = SoapApp(endpoint, control), f"/{endpoint.responder.name}"
        routes += [
            Route(path, soap),
            Route(path + "/contract/{name:path}", soap.file),
            # Other ports of the same ERP: the operation says what is asked.
            Route(path + "/{port}", soap),
        ]
    if hesi is not None:
        routes += hesi_routes(hesi, control)
    handlers: Mapping[Any, Any] = {ConfigurationError: _refusal_page}  # starlette's own type is Any
    return Starlette(routes=routes, exception_handlers=handlers)


class _Spec(msgspec.Struct, forbid_unknown_fields=True):
    faults: str
    seed: int | None = None


def _refusal_page(request: Request, error: Exception) -> Response:
    return json_page({"error": str(error)}, status=400)


def _xml(content: bytes) -> Response:
    return Response(content, media_type="text/xml")
