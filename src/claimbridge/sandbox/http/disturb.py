"""The disturbances, performed: on the answer, on the HTTP reply, or on the socket.

What is in the ledger afterwards:

=================== ======================================================================
refuse-connection   nothing: RST, the request unread. For every call: nobody is listening
timeout             the document, unless ``=before-commit``; the answer never comes
commit-then-drop    the document; the connection closes without a byte
drop-before-commit  nothing; the connection closes without a byte
half-reply          the document; half of the reply comes, then the end. ``=malformed``: a complete
                    HTTP reply whose XML ends in the middle
slow                the document; the answer takes 2 seconds, or ``=N``, and comes in pieces
fault               nothing: the contract's own refusal, with the reason "sandbox"
lock                nothing: the ERP's own refusal, as a user works on the ledger or the document
licence             nothing: the ERP's own refusal, as too many users are logged on
unsigned-fault      the document, unless ``=before-commit``: a gateway that gave up on the ERP sends
                    a plain soap:Server Fault, which proves nothing either way
throttle            nothing: 503 with Retry-After, ``=429`` likewise, ``=typed`` the contract's own
duplicate-reply     the document; the reply is that to the previous call of the operation, or,
                    ``=two-items``, holds the previous document beside this one
html-200            nothing, unless ``=after-commit``: a login page with the status 200;
                    ``=as-xml``: nothing, and the page is well-formed and says that it is
                    XML
redirect            nothing: 302 to a page that counts its visitors; ``=login``: the same with a
                    login page in it, and an address without a host
wrong-reference     the document; the reply names another reference
drift               the document; the reply is that of another version of the ERP
=================== ======================================================================
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import msgspec

from claimbridge.sandbox.http.connection import SandboxConnection
from claimbridge.sandbox.http.distort import double_items, drift_reply, misname_reference
from claimbridge.sandbox.http.endpoint import Endpoint, SoapExchange
from claimbridge.sandbox.http.reply import SandboxReply
from claimbridge.sandbox.kit.disturbances import Disturbance
from claimbridge.sandbox.kit.documents import Objection
from claimbridge.sandbox.kit.responder import ErpAnswer

RETRY_AFTER: Final = 1
"""Seconds that a throttled client is asked to wait."""
DECOY: Final = "/sandbox/decoy"
LOGIN_PAGE: Final = SandboxReply(
    status=200,
    body=b"<!DOCTYPE html><html><body><h1>Sign in</h1><form method=post></form></body></html>",
    content_type="text/html; charset=utf-8",
)

LOGIN_XML: Final = SandboxReply(
    status=200,
    body=(
        b'<?xml version="1.0" encoding="UTF-8"?>\n<html xmlns="http://www.w3.org/1999/xhtml">'
        b"<head><title>Logon</title></head><body><p>Please log on</p></body></html>"
    ),
    content_type="text/xml; charset=utf-8",
)


class Act(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A disturbance to perform on one exchange.

    ``commit`` lets the ERP do its work; ``previous`` is its answer to the call of the same
    operation before this one, None for the first. ``closing`` is set when the sandbox stops.
    """

    disturbance: Disturbance
    endpoint: Endpoint
    exchange: SoapExchange
    connection: SandboxConnection
    commit: Callable[[], Awaitable[ErpAnswer]]
    previous: ErpAnswer | None
    base: str
    closing: asyncio.Event

    async def send(self, answer: ErpAnswer) -> SandboxReply:
        """Answer in full."""
        return await self.send_raw(self.endpoint.reply(self.exchange, answer))

    async def send_raw(self, reply: SandboxReply, *, over: float = 0.0) -> SandboxReply:
        """Send a reply as it is."""
        await self.connection.reply(reply, over=over, pause=self.pause)
        return reply

    async def pause(self, seconds: float) -> None:
        """Wait, but no longer than the sandbox serves."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.closing.wait(), seconds)


def throttling_reply(status: int) -> SandboxReply:
    """Return the reply that asks a client to come back later."""
    return SandboxReply(
        status=status,
        body=b"too many calls; come back later\n",
        content_type="text/plain; charset=utf-8",
        headers={"retry-after": str(RETRY_AFTER)},
    )


def redirect_reply(base: str) -> SandboxReply:
    """Return the reply that sends a client to the page that counts its visitors."""
    headers = {"location": base + DECOY}
    return SandboxReply(status=302, body=b"", content_type="text/plain", headers=headers)


async def perform(act: Act) -> SandboxReply | None:
    """Perform the disturbance; return the reply that was sent in full, None when none was."""
    return await _PERFORM[act.disturbance.name](act)


async def _refuse_connection(act: Act) -> None:
    await act.connection.reset()


async def _timeout(act: Act) -> None:
    if act.disturbance.variant == "after-commit":
        await act.commit()
    await act.connection.silence(until=act.closing)


async def _commit_then_drop(act: Act) -> None:
    await act.commit()
    await act.connection.drop()


async def _drop_before_commit(act: Act) -> None:
    await act.connection.drop()


async def _half_reply(act: Act) -> SandboxReply | None:
    reply = act.endpoint.reply(act.exchange, await act.commit())
    if act.disturbance.variant == "malformed":
        return await act.send_raw(
            msgspec.structs.replace(reply, body=reply.body[: len(reply.body) // 2])
        )
    await act.connection.half_reply(reply)
    return None


async def _slow(act: Act) -> SandboxReply:
    half = float(act.disturbance.variant) / 2
    answer = await act.commit()
    await act.pause(half)
    return await act.send_raw(act.endpoint.reply(act.exchange, answer), over=half)


async def _fault(act: Act) -> SandboxReply:
    reason = Objection("sandbox", "refused because the sandbox was told to refuse it")
    return await act.send(act.endpoint.refuse(act.exchange, (reason,)))


async def _lock(act: Act) -> SandboxReply:
    reason = Objection("locked", "the document's period is locked by user BATCH01; try again later")
    return await act.send(act.endpoint.refuse(act.exchange, (reason,)))


async def _licence(act: Act) -> SandboxReply:
    reason = Objection("licence", "the number of users exceeds the licence; log on again later")
    return await act.send(act.endpoint.refuse(act.exchange, (reason,)))


async def _unsigned_fault(act: Act) -> SandboxReply:
    if act.disturbance.variant == "after-commit":
        await act.commit()
    text = "the gateway could not process the message"
    answer = ErpAnswer(content=b"", fault="receiver", reason=text)
    return await act.send_raw(act.endpoint.reply(act.exchange, answer, signed=False))


async def _throttle(act: Act) -> SandboxReply:
    if act.disturbance.variant == "typed":
        typed = act.endpoint.responder.throttle(act.exchange.call, RETRY_AFTER)
        if typed is not None:
            return await act.send(typed)
    status = 429 if act.disturbance.variant == "429" else 503
    return await act.send_raw(throttling_reply(status))


async def _duplicate_reply(act: Act) -> SandboxReply:
    answer = await act.commit()
    other = act.previous or answer
    if act.disturbance.variant == "previous" and act.previous is not None:
        return await act.send(other)
    content = double_items(answer.content, other.content, act.endpoint.responder.items)
    return await act.send(msgspec.structs.replace(answer, content=content))


async def _html_200(act: Act) -> SandboxReply:
    if act.disturbance.variant == "after-commit":
        await act.commit()
    return await act.send_raw(LOGIN_XML if act.disturbance.variant == "as-xml" else LOGIN_PAGE)


async def _redirect(act: Act) -> SandboxReply:
    if act.disturbance.variant == "login":
        headers = {"location": f"{DECOY}?goto=%2Fservices"}
        page = msgspec.structs.replace(LOGIN_PAGE, status=302, headers=headers)
        return await act.send_raw(page)
    return await act.send_raw(redirect_reply(act.base))


async def _wrong_reference(act: Act) -> SandboxReply:
    answer = await act.commit()
    named = act.endpoint.responder.references(act.exchange.call)
    if not named or not answer.content:
        return await act.send(answer)
    content = misname_reference(answer.content, named[0])
    return await act.send(msgspec.structs.replace(answer, content=content))


async def _drift(act: Act) -> SandboxReply:
    answer = await act.commit()
    if not answer.content:
        return await act.send(answer)
    content = drift_reply(answer.content, act.endpoint.responder.items)
    return await act.send(msgspec.structs.replace(answer, content=content))


_PERFORM: Final[Mapping[str, Callable[[Act], Awaitable[SandboxReply | None]]]] = {
    "refuse-connection": _refuse_connection,
    "timeout": _timeout,
    "commit-then-drop": _commit_then_drop,
    "drop-before-commit": _drop_before_commit,
    "half-reply": _half_reply,
    "slow": _slow,
    "fault": _fault,
    "lock": _lock,
    "licence": _licence,
    "unsigned-fault": _unsigned_fault,
    "throttle": _throttle,
    "duplicate-reply": _duplicate_reply,
    "html-200": _html_200,
    "redirect": _redirect,
    "wrong-reference": _wrong_reference,
    "drift": _drift,
}
