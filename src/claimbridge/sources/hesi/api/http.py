"""One call to Hesi: what is sent, and the JSON that comes back, which may be anything.

What an address shows of itself here is its path: the query holds the access token.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final
from urllib.parse import quote, quote_plus, urlencode

import msgspec

from claimbridge.clock import Clock
from claimbridge.errors import (
    DeliveryRefused,
    LedgerUnavailable,
    NotDelivered,
    OutcomeUnknown,
)
from claimbridge.soap.transport.answer import retry_after
from claimbridge.soap.transport.request import TimedRequest
from claimbridge.soap.transport.settings import TransportSettings
from claimbridge.soap.transport.sync import HttpClient

JsonObject = dict[str, Any]
"""A JSON object as Hesi sent it; numbers with a point are Decimal, whole ones int."""

_READER: Final = msgspec.json.Decoder(float_hook=Decimal)
_LONGEST_WORDS: Final = 300


class Secret(msgspec.Struct, frozen=True):
    """A text that no ``repr`` shows."""

    text: str = ""

    def __repr__(self) -> str:
        return "Secret(…)"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        # msgspec gives every Struct one of these, and rich prefers it to repr.
        return []


NO_TOKEN: Final = Secret()


class HesiRequest(msgspec.Struct, frozen=True):
    """A call to Hesi without its token; ``path`` is percent-encoded.

    ``query`` and ``body`` may hold secrets: they are not shown.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: JsonObject | None = None

    def __repr__(self) -> str:
        return f"HesiRequest({self.method} {self.path})"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        # msgspec gives every Struct one of these, and rich prefers it to repr.
        return [("method", self.method), ("path", self.path)]


class HesiReply(msgspec.Struct, frozen=True):
    """A complete answer; ``json`` is None where it is not one JSON object, and is not shown."""

    status: int
    wait: float | None
    json: JsonObject | None
    kind: str

    def __repr__(self) -> str:
        return f"HesiReply({self.status})"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        # msgspec gives every Struct one of these, and rich prefers it to repr.
        return [("status", self.status)]

    @property
    def words(self) -> str:
        """What Hesi says about an error, short; empty where it says nothing."""
        return words_in(self.json or {})


def words_in(object_: Mapping[str, Any]) -> str:
    """Return the message in one of Hesi's objects, short; empty where there is none."""
    for name in ("errorMessage", "errorMsg", "message", "msg"):
        text = object_.get(name)
        if isinstance(text, str) and text.strip():
            return " ".join(text.split())[:_LONGEST_WORDS]
    return ""


class HesiWire:
    """Sends calls to one Hesi, each once."""

    def __init__(self, settings: TransportSettings, *, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._wire = HttpClient(settings, clock=clock)
        self._base = settings.address.target.rstrip("/")
        self._place = settings.place.rstrip("/")

    def place(self, request: HesiRequest) -> str:
        """Return where a request goes, as it may stand in a message."""
        return self._place + request.path

    def send(self, request: HesiRequest, *, token: Secret) -> HesiReply:
        """Make the call once and return what was answered, whatever it is.

        Raises NotDelivered where it never left, OutcomeUnknown where the answer did not come
        whole.
        """
        answer = self._wire.exchange(self._call(request, token))
        return HesiReply(
            answer.status,
            retry_after(answer.headers.get("retry-after"), self._clock.now()),
            _object_in(_without(request, token, answer.body, said_no=answer.status != _OK)),
            answer.headers.get("content-type", "").partition(";")[0].strip()[:80],
        )

    def close(self) -> None:
        """Give the connections back."""
        self._wire.close()

    def _call(self, request: HesiRequest, token: Secret) -> TimedRequest:
        query = list(request.query)
        if token.text:
            query.append(("accessToken", token.text))
        target = self._base + request.path + ("?" if query else "")
        headers = {
            "User-Agent": self._settings.user_agent,
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
        }
        body = b""
        if request.body is not None:
            headers["Content-Type"] = "application/json"
            body = msgspec.json.encode(request.body)
        return TimedRequest(
            body,
            headers,
            min(self._settings.connect, self._settings.total),
            self._settings.total,
            method=request.method,
            target=target + urlencode(query),
        )


def _without(request: HesiRequest, token: Secret, body: bytes, *, said_no: bool) -> bytes:
    """Return an answer's body without the secrets of its request, which it may have repeated.

    In what Hesi gave, where it did not say no, only a secret of some length is taken for one: a
    short one may be a word, or a part of an amount.
    """
    secrets = [token.text]
    secrets += [text for name, text in request.query if name in _SECRET]
    secrets += [text for name, text in (request.body or {}).items() if name in _SECRET]
    shortest = 1 if said_no else _LONG
    for text in secrets:
        if len(text) < shortest:
            continue
        for spelt in {text, quote_plus(text), quote(text, safe="")}:
            body = body.replace(spelt.encode(), b"***")
    return body


_OK: Final = 200
_LONG: Final = 16
_SECRET: Final = frozenset({"refreshToken", "appKey", "appSecurity", "signKey"})


def read_json(data: bytes) -> object:
    """Return what JSON says, its numbers exact; None for what is none, or nested without end."""
    try:
        return _READER.decode(data)
    except (msgspec.MsgspecError, RecursionError, UnicodeError, ValueError, ArithmeticError):
        return None


def _object_in(body: bytes) -> JsonObject | None:
    """Return the JSON object of an answer; None for HTML, broken, endless or other things."""
    content = read_json(body)
    return content if isinstance(content, dict) else None


def read_object(reply: HesiReply, *, place: str) -> JsonObject:
    """Return the object that a read was answered with.

    Raises DeliveryRefused for what will not change by itself, LedgerUnavailable for the rest.
    """
    _refuse_unread(reply, place)
    if reply.status in {400, 404, 412}:
        words = f": {reply.words}" if reply.words else ""
        raise DeliveryRefused(
            f"{place} refuses the question (HTTP {reply.status}{words}); "
            "check the source's address, forms and states",
            code="CB-517",
        )
    if reply.status // 100 != 2:
        raise LedgerUnavailable(
            f"{place} answers HTTP {reply.status}; try again later",
            code="CB-513",
            retry_after=reply.wait,
        )
    if reply.json is None:
        raise LedgerUnavailable(
            f"{place} answers with {_description(reply)} instead of a JSON object; try again "
            "later; "
            "if it stays so, check the address",
            code="CB-514",
        )
    return reply.json


def object_of_write(reply: HesiReply, *, place: str) -> JsonObject:
    """Return the object that a write was answered with, of status 2xx, 400, 409 or 412.

    Raises what any other answer means for what was to be written.
    """
    _refuse_unread(reply, place)
    if reply.status == 403 and reply.json is not None:
        # Hesi judges the token before it looks at anything else; a firewall would not say JSON.
        raise NotDelivered(
            f"{place} no longer takes the access token (HTTP 403); try again: a new one is asked "
            "for",
            code="CB-525",
        )
    if reply.status in {404, 405, 413, 415}:
        raise DeliveryRefused(
            f"{place} turned the request away unread (HTTP {reply.status}); "
            "check the source's address",
            code="CB-517",
        )
    judged = reply.status // 100 == 2 or reply.status in {400, 409, 412}
    if not judged or reply.json is None:
        raise OutcomeUnknown(
            f"{place} gives no usable answer (HTTP {reply.status}, {_description(reply)}); "
            "look whether it was done before trying again",
            code="CB-515",
            retry_after=reply.wait,
        )
    return reply.json


def no_answer(
    error: OutcomeUnknown, *, place: str, read: bool
) -> LedgerUnavailable | OutcomeUnknown:
    """Return what an answer that did not come whole means for a read, or for a write."""
    why = _WHY.get(error.code, "the answer broke off")
    if read and error.code == "CB-465":
        return LedgerUnavailable(f"{place}: {why}; raise it, or ask for less", code=TOO_LARGE)
    if read:
        return LedgerUnavailable(f"{place}: {why}; try again later", code="CB-513")
    return OutcomeUnknown(
        f"{place}: {why}; look whether it was done before trying again", code="CB-515"
    )


TOO_LARGE: Final = "CB-527"
"""The code of an answer beyond ``reply_limit``: asking again, it would be as large."""

_WHY: Final = {
    "CB-460": "no complete answer came in time",
    "CB-462": "the answer does not decompress",
    "CB-465": "the answer is larger than reply_limit",
}


def _refuse_unread(reply: HesiReply, place: str) -> None:
    """Raise for the answers that mean the same to a read and a write: nobody looked at it."""
    if reply.status in {301, 302, 307, 308}:
        raise DeliveryRefused(
            f"{place} has moved (HTTP {reply.status}); redirects are not followed: set the new "
            "address in the source's table",
            code="CB-417",
        )
    if reply.status == 401:
        raise DeliveryRefused(f"{place} does not know us (HTTP 401)", code="CB-512")
    if reply.status == 429 or (reply.status == 503 and reply.wait is not None):
        when = "later" if reply.wait is None else f"in {reply.wait:.0f} s"
        raise LedgerUnavailable(
            f"{place} takes no more calls for now (HTTP {reply.status}); try again {when}",
            code="CB-513",
            retry_after=reply.wait,
        )


def _description(reply: HesiReply) -> str:
    if reply.json is not None:
        return "JSON"
    return f"content of type {reply.kind!a}" if reply.kind else "no content type"
