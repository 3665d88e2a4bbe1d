"""The disturbances, performed on a call of Hesi: the same names as for an ERP (``http.disturb``).

``fault`` is Hesi's HTTP 500, ``unsigned-fault`` a gateway's 502. ``wrong-reference`` is an answer
that names another document, ``drift`` an answer with unknown members, ``throttle=typed`` a 429 in
Hesi's own JSON. ``duplicate-reply`` has one meaning here: the answer to the call before.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, Final

import msgspec

from claimbridge.sandbox.hesi.replies import json_reply, refusal
from claimbridge.sandbox.http.connection import SandboxConnection
from claimbridge.sandbox.http.disturb import LOGIN_PAGE, redirect_reply, throttling_reply
from claimbridge.sandbox.http.reply import SandboxReply
from claimbridge.sandbox.kit.disturbances import Disturbance

_GATEWAY: Final = SandboxReply(
    status=HTTPStatus.BAD_GATEWAY,
    body=b"<html><body>502 Bad Gateway</body></html>",
    content_type="text/html",
)


class HesiAct(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A disturbance to perform on one call.

    ``commit`` lets Hesi do its work and returns its answer. ``previous`` is the answer to the
    call of the same operation before this one.
    """

    disturbance: Disturbance
    connection: SandboxConnection
    commit: Callable[[], Awaitable[SandboxReply]]
    previous: SandboxReply | None
    base: str
    closing: asyncio.Event


async def perform(act: HesiAct) -> None:
    """Perform the disturbance."""
    match act.disturbance.name:
        case "refuse-connection":
            await act.connection.reset()
        case "drop-before-commit":
            await act.connection.drop()
        case "commit-then-drop":
            await act.commit()
            await act.connection.drop()
        case "timeout":
            if act.disturbance.variant == "after-commit":
                await act.commit()
            await act.connection.silence(until=act.closing)
        case "half-reply" if act.disturbance.variant == "cut":
            await act.connection.half_reply(await act.commit())
        case "slow":
            await _slow(act)
        case _:
            await act.connection.reply(await _reply(act))


async def _slow(act: HesiAct) -> None:
    half = float(act.disturbance.variant) / 2

    async def pause(seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(act.closing.wait(), seconds)

    reply = await act.commit()
    await pause(half)
    await act.connection.reply(reply, over=half, pause=pause)


async def _reply(act: HesiAct) -> SandboxReply:
    """Return the reply of a disturbance that shows in the reply alone."""
    match act.disturbance.name, act.disturbance.variant:
        case "fault", _:
            return refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "系统异常")
        case "throttle", "typed":
            return refusal(HTTPStatus.TOO_MANY_REQUESTS, "请求过于频繁")
        case "throttle", status:
            return throttling_reply(int(status))
        case "redirect", _:
            return redirect_reply(act.base)
        case ("html-200" | "unsigned-fault") as name, variant:
            if variant == "after-commit":
                await act.commit()
            return LOGIN_PAGE if name == "html-200" else _GATEWAY
    reply = await act.commit()
    match act.disturbance.name:
        case "half-reply":
            return msgspec.structs.replace(reply, body=reply.body[: len(reply.body) // 2])
        case "duplicate-reply":
            return act.previous or reply
        case "wrong-reference":
            return json_reply(_misname(msgspec.json.decode(reply.body)), reply.status)
        case _:
            content = {"sandboxDrift": {"of": ["another", "version"]}}
            return json_reply(content | msgspec.json.decode(reply.body), reply.status)


def _misname(content: Any) -> Any:
    """Return an answer that names other documents."""
    if isinstance(content, list):
        return [_misname(part) for part in content]
    if not isinstance(content, dict):
        return content
    return {
        name: f"{value}-other" if name in ("id", "flowId") and value else _misname(value)
        for name, value in content.items()
    }
