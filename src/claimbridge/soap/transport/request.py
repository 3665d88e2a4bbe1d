"""One request: its headers, its time, by when it must leave, and the log line at its end."""

from __future__ import annotations

import datetime as dt
import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import msgspec

from claimbridge.clock import Clock, Uptime
from claimbridge.errors import DeliveryError, DeliveryRefused
from claimbridge.soap.transport.answer import HttpAnswer
from claimbridge.soap.transport.settings import (
    LONGEST_WAIT,
    Basic,
    Bearer,
    TransportSettings,
    basic,
)

_log = logging.getLogger("claimbridge.soap")

# RFC 9110 §5.1 and §5.5, without the obsolete bytes above ASCII.
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t\x20-\x7e]*")
_SLACK: Final = 5.0
"""Seconds, beside those for a connection, that a busy machine may take."""


class HttpMessage(msgspec.Struct, frozen=True):
    """One message to the ERP as a wire writes it, to be posted.

    ``address`` is that of another port of the ERP, "" for the ledger's own endpoint. ``id`` is what
    the message calls itself, "" when it has no name. ``asked`` is when it was made, None where
    nobody compares its answer's moment with it. ``checked`` is when the attempts that it carries
    were last known to be ours; None where it is harmless.
    """

    address: str
    headers: Mapping[str, str]
    body: bytes
    id: str = ""
    asked: dt.datetime | None = None
    checked: Uptime | None = None


class TimedRequest(msgspec.Struct, frozen=True):
    """One request, ready to go; ``connect`` and ``total`` are its waits in seconds.

    ``target`` is path and query; empty: the endpoint's own. An empty body is none. Body, headers
    and target may hold secrets, so that none of them is shown. ``checked`` is when the sender was
    last known to own what it sends; None where nobody else could (see ``Departure``).
    """

    body: bytes
    headers: dict[str, str]
    connect: float
    total: float
    method: str = "POST"
    target: str = ""
    checked: Uptime | None = None

    def __repr__(self) -> str:
        return f"TimedRequest({self.method}, {len(self.body)} bytes)"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        # msgspec gives every Struct one of these, and rich prefers it to repr.
        return [("method", self.method), ("size", len(self.body))]


class Stale(TimeoutError):
    """The sender was last known to own the request too long ago."""


class Departure:
    """Lets a request leave only soon after ``call.checked``; always where that is None.

    A process can be stopped between a check and the sending, and go on hours later. So this is
    asked right before bytes are handed to the system, on a count that goes on meanwhile.
    """

    def __init__(self, call: TimedRequest, clock: Clock) -> None:
        self._checked: Uptime | None = call.checked
        self._seconds = min(call.total, call.connect + _SLACK)
        self._clock = clock
        self.begun = False
        """Whether anything was let through."""

    def check(self) -> None:
        """Raise Stale where it is too late."""
        if self._checked is not None:
            passed = self._clock.uptime().since(self._checked)
            if passed is None or passed > self._seconds:
                raise Stale("stopped for too long before sending")
        self.begun = True


def prepare(
    settings: TransportSettings,
    body: bytes,
    headers: Mapping[str, str],
    timeout: float | None,
    checked: Uptime | None,
) -> TimedRequest:
    """Return the call, or raise DeliveryRefused: what cannot be sent is refused before a socket."""
    if len(body) > settings.request_limit:
        raise DeliveryRefused(
            f"the request has {len(body)} bytes, more than the {settings.request_limit} allowed; "
            "send fewer vouchers at once",
            code="CB-410",
        )
    sent = _standing(settings) | dict(headers)
    for name, value in sent.items():
        if not (_NAME.fullmatch(name) and _VALUE.fullmatch(value)):
            raise DeliveryRefused(
                f"the HTTP header {name!a} holds characters that HTTP forbids; fix it",
                code="CB-410",
            )
    total = settings.total if timeout is None else min(timeout, LONGEST_WAIT)
    if not total > 0:
        raise DeliveryRefused(f"no time is left to send it (timeout {total} s)", code="CB-410")
    return TimedRequest(body, sent, min(settings.connect, total), total, checked=checked)


def _standing(settings: TransportSettings) -> dict[str, str]:
    """Return the headers that every request of these settings carries."""
    sent = {
        "User-Agent": settings.user_agent,
        "Accept-Encoding": "gzip",
    }
    match settings.auth:
        case Basic(user=user, password=password):
            sent["Authorization"] = basic(user, password)
        case Bearer(token=token):
            sent["Authorization"] = f"Bearer {token}"
    return sent


class Watch(msgspec.Struct):
    """What the log line at the end of an exchange says: sizes, status, time; never content."""

    answer: HttpAnswer | None = None


@contextmanager
def log_exchange(*, place: str, size: int, clock: Clock) -> Iterator[Watch]:
    """Log one exchange at DEBUG when it ends, well or not."""
    watch = Watch()
    started = clock.monotonic()
    ending = "interrupted"
    try:
        yield watch
        if watch.answer is not None:
            ending = f"HTTP {watch.answer.status}, {len(watch.answer.body)} bytes"
    except DeliveryError as error:
        ending = error.code
        raise
    finally:
        spent = (clock.monotonic() - started) * 1000
        _log.debug("POST %s: %d bytes sent; %s; %.0f ms", place, size, ending, spent)
