"""SOAP over HTTP: the headers of a request, and what an answer means for the ledger.

A complete reply with XML is handed on. Every other answer leaves the outcome unknown, save where
the answer itself proves that the request was turned away unread.

========= ==================== ======================================================
code      error                what was answered
========= ==================== ======================================================
CB-409    DeliveryRefused      404, 405, 413, 415 …: turned away unread
CB-417    DeliveryRefused      a redirect: the endpoint moved
CB-418    DeliveryRefused      401, 407
CB-442    LedgerUnavailable    429
CB-443    LedgerUnavailable    503 with Retry-After
CB-463    OutcomeUnknown       200, but HTML, JSON or other things that are not XML
CB-464    OutcomeUnknown       200, 202 or 204 without a body
CB-466    OutcomeUnknown       500, 502, 503, 504 … without a SOAP envelope
CB-467    OutcomeUnknown       403 without a SOAP envelope
========= ==================== ======================================================
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from urllib.parse import urlsplit

import msgspec

from claimbridge.errors import (
    ConfigurationError,
    DeliveryError,
    DeliveryRefused,
    DocumentError,
    LedgerUnavailable,
    OutcomeUnknown,
)
from claimbridge.soap.charset import as_document
from claimbridge.soap.envelope import SOAP12, open_envelope
from claimbridge.soap.multipart import NoRoot, root_of
from claimbridge.soap.transport.answer import (
    HttpAnswer,
    encodings_in,
    retry_after,
    schemes_in,
)
from claimbridge.soap.transport.failures import credentials_refused

_ACTION = re.compile(r"[\t\x20-\x7e]*")

# 303 is not here: it answers a POST that *was* processed (RFC 9110 §15.4.4).
_MOVED = {301, 302, 307, 308}

_OFFERS = {401: "www-authenticate", 407: "proxy-authenticate"}

# The server names a property of the request for which it did not process it. Not 406 (judged when
# the answer is written), not 408 (proxies send it for a slow ERP), not 409 or 422 (judged by the
# application). 403 stands apart: a firewall that inspects *answers* sends it after the ERP has
# committed.
_UNREAD = {404, 405, 410, 411, 413, 414, 415, 417, 421, 426, 431}

_PAGE = re.compile(
    rb"(?:<\?[^>]{0,200}>\s*|<!--.{0,500}?-->\s*){0,5}<(?:!doctype\s+)?html\b", re.I | re.S
)


class HttpReply(msgspec.Struct, frozen=True):
    """A complete answer with XML in it; whether the XML is well-formed is still to be seen.

    ``content_type`` and ``headers`` are as sent, names in lower case, repeated ones joined with
    ``", "``; ``cookies`` is each Set-Cookie by itself. ``body`` is decompressed, and of a reply in
    several parts the root part alone. Where the parser would read it in another encoding than it is
    written in, or not at all (RFC 7303 §3.2), it has been turned into UTF-8. ``drift`` says, a
    sentence each, what was wrong with how it was sent.
    """

    status: int
    content_type: str
    headers: Mapping[str, str]
    body: bytes
    cookies: tuple[str, ...] = ()
    drift: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"HttpReply({self.status}, {self.content_type!r}, {len(self.body)} bytes)"


def content_headers(version: str, soap_action: str) -> dict[str, str]:
    """Return the headers that say what the body is, for SOAP ``"1.1"`` or ``"1.2"``.

    SOAP 1.1 §6.1.1: SOAPAction, quoted, present even when empty. SOAP 1.2 Part 2 §7.1.4 and
    RFC 3902: the ``action`` parameter of the content type, left out when empty.
    """
    if not _ACTION.fullmatch(soap_action) or '"' in soap_action or "\\" in soap_action:
        raise ConfigurationError(
            f"the SOAP action {soap_action!a} cannot stand in an HTTP header; fix the contract",
            code="CB-285",
        )
    if version == SOAP12:
        action = f'; action="{soap_action}"' if soap_action else ""
        return {"Content-Type": f"application/soap+xml; charset=utf-8{action}"}
    return {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{soap_action}"'}


def accept(answer: HttpAnswer, *, now: datetime) -> HttpReply:
    """Return the answer if it holds XML; otherwise raise what it means for the ledger."""
    status, headers, body, place = answer.status, answer.headers, answer.body, answer.place
    retry = headers.get("retry-after")
    wait = None if retry is None else retry_after(retry, now)
    if status in _MOVED:
        raise _redirect(status, headers.get("location", ""), place)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise _unavailable(f"{place} asks for fewer requests (HTTP 429)", wait, "CB-442")
    if status == HTTPStatus.SERVICE_UNAVAILABLE and wait is not None:
        raise _unavailable(f"{place} is out of service for now (HTTP 503)", wait, "CB-443")
    content_type = headers.get("content-type", "")
    sent = _document_in(content_type, body)
    if not sent.why and _usable(status, sent.content_type, sent.body):
        drift = sent.drift + _false_encodings(headers.get("content-encoding", ""))
        return HttpReply(status, content_type, headers, sent.body, answer.cookies, drift)
    raise _useless(answer, sent)


class _Document(msgspec.Struct, frozen=True):
    """What an answer holds for the parser; ``why`` where nothing in it can be that."""

    content_type: str
    body: bytes
    drift: tuple[str, ...] = ()
    why: str = ""


def _document_in(content_type: str, body: bytes) -> _Document:
    """Return the document of an answer: its root part, where it has several."""
    several: tuple[str, ...] = ()
    if content_type.partition(";")[0].strip().lower() == "multipart/related":
        try:
            root = root_of(content_type, body)
        except NoRoot as why:
            return _Document(content_type, body, why=str(why))
        content_type, body = root.content_type, root.body
        several = ("a reply comes in several parts (multipart/related)",)
    document, drift = as_document(body, content_type)
    return _Document(content_type, document, several + drift)


def _false_encodings(encoding: str) -> tuple[str, ...]:
    if not encoding:
        return ()
    return tuple(
        f"a reply says Content-Encoding: {name}, which encodes nothing"
        for name in encodings_in(encoding)[1]
    )


def _usable(status: int, content_type: str, body: bytes) -> bool:
    """Say whether the answer holds XML that may say something about the voucher.

    A fault comes with 500, from SOAP 1.2 also with 400 (Part 2 §7.5.2). Under every other status,
    and under a content type that denies being XML, nothing short of a SOAP envelope counts.
    """
    if not body:
        return False
    expected = status // 100 == 2 or status in {400, 500}
    if expected and _claims_xml(content_type) and _begins_as_xml(body):
        return True
    try:
        open_envelope(body)
    except DocumentError:
        return False
    return True


def _claims_xml(content_type: str) -> bool:
    kind = content_type.partition(";")[0].strip().lower()
    return kind in {"", "text/xml", "application/xml"} or kind.endswith("+xml")


def _begins_as_xml(body: bytes) -> bool:
    start = body[:2000].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    return start.startswith(b"<") and not _PAGE.match(start)


def _redirect(status: int, location: str, place: str) -> DeliveryRefused:
    try:
        parts = urlsplit(location)
        # Without user, query and fragment: any of them may hold a secret.
        where = f"{parts.scheme}://{parts.hostname}{parts.path}" if parts.hostname else parts.path
    except ValueError:
        where = ""
    shown = f" to {where[:200]!a}" if where else ""
    return DeliveryRefused(
        f"{place} has moved{shown} (HTTP {status}); redirects are not followed: "
        "check the new address and set it as the endpoint",
        code="CB-417",
    )


def _unavailable(what: str, wait: float | None, code: str) -> LedgerUnavailable:
    when = "later" if wait is None else f"in {wait:.0f} s"
    return LedgerUnavailable(f"{what}; try again {when}", code=code, retry_after=wait)


def _useless(answer: HttpAnswer, sent: _Document) -> DeliveryError:
    """Return what an answer without usable XML means."""
    status, body, place = answer.status, sent.body, answer.place
    if status in _OFFERS:
        offers = schemes_in(answer.headers.get(_OFFERS[status], ""))
        takes = f"; it takes {', '.join(offers)}" if offers else ""
        return credentials_refused(
            f"{place} does not accept our credentials (HTTP {status}){takes}"
        )
    if status in _UNREAD:
        return DeliveryRefused(
            f"{place} turned the request away unread (HTTP {_status_text(status)}); "
            "check the endpoint's path and what it takes",
            code="CB-409",
        )
    if status == HTTPStatus.FORBIDDEN:
        what, code = "it, or a firewall before it, refused access (HTTP 403)", "CB-467"
    elif status // 100 != 2:
        what, code = f"HTTP {_status_text(status)} without a SOAP envelope", "CB-466"
    elif not body.strip():
        what, code = f"HTTP {status} with an empty body", "CB-464"
    else:
        kind = "an HTML page" if _PAGE.match(body[:2000].lstrip()) else "no XML"
        kind = f"several parts, and {sent.why}" if sent.why else kind
        content_type = answer.headers.get("content-type", "")[:80]
        what, code = f"HTTP {status} with {kind} (content type {content_type!a})", "CB-463"
    return OutcomeUnknown(
        f"{place} gave no usable answer: {what}; reconcile before sending again", code=code
    )


def _status_text(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
