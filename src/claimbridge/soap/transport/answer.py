"""A complete HTTP answer as it came, not yet judged: its status, its headers, its body."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Final

import msgspec

from claimbridge.errors import OutcomeUnknown

_PLAIN: Final = frozenset({"", "identity"})
_MISNAMED: Final = frozenset({"utf-8", "utf8", "none"})
"""What servers write there that encodes nothing: a charset, or the word for nothing."""
# RFC 9110 §11.3: a scheme stands first, or after a comma, and no "=" follows it.
_SCHEME: Final = re.compile(r"(?:^|,)\s*([A-Za-z][A-Za-z0-9._-]{0,40})(?=\s*(?:,|$)|\s+[^\s=,])")
_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_MOST_SCHEMES: Final = 8
_FRAME = 65_536
"""Bytes by which data that does not compress may grow in its compressed form."""


class Headers(msgspec.Struct, frozen=True):
    """The headers of one reply: ``joined`` by name in lower case, and each ``Set-Cookie`` alone.

    Repeated headers are joined with ``", "`` (RFC 9110 §5.2), save where both say the same. Cookies
    cannot be joined (RFC 6265 §3): their dates have commas.
    """

    joined: Mapping[str, str]
    cookies: tuple[str, ...]


def headers_of(pairs: Iterable[tuple[str, str]]) -> Headers:
    """Return headers from their pairs, in the order in which they came."""
    headers: dict[str, list[str]] = {}
    for name, value in pairs:
        headers.setdefault(name.lower(), []).append(value)
    joined = {name: ", ".join(dict.fromkeys(values)) for name, values in headers.items()}
    return Headers(joined, tuple(headers.get("set-cookie", ())))


def encodings_in(value: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the codings that a Content-Encoding names, and the names in it that encode nothing."""
    names = [name.strip().lower() for name in value.split(",")]
    real = tuple(name for name in names if name not in _PLAIN | _MISNAMED)
    return real, tuple(dict.fromkeys(name for name in names if name in _MISNAMED))


def schemes_in(value: str) -> tuple[str, ...]:
    """Return the schemes of a WWW-Authenticate or Proxy-Authenticate, each once, in order."""
    bare = _QUOTED.sub('""', value[:2000])
    schemes = dict.fromkeys(match[1] for match in _SCHEME.finditer(bare))
    return tuple(schemes)[:_MOST_SCHEMES]


class ReplyBody:
    """Collects a body piece by piece, decompressed, never beyond ``limit`` bytes.

    The bytes as they came are bounded too: a stream of empty compressed members never grows.

    Raises OutcomeUnknown: CB-462 for what does not decompress, CB-465 for what is too large.
    """

    def __init__(self, encoding: str, *, limit: int, place: str) -> None:
        codings, _ = encodings_in(encoding)
        self._encoding = ", ".join(codings)
        self._limit = limit
        self._place = place
        self._received = 0
        self._body = (
            bytearray()
        )  # a list of pieces would cost more than they hold, if one byte each
        self._inflater = zlib.decompressobj(wbits=31)

    def add(self, piece: bytes) -> None:
        """Take the next piece as it came from the network."""
        self._received += len(piece)
        if self._received > self._limit + _FRAME:
            raise self._too_large()
        if not self._encoding:
            self._keep(piece)
        elif self._encoding in {"gzip", "x-gzip"}:
            self._inflate(piece)
        else:
            raise self._unreadable(
                f"is encoded as {self._encoding[:40]!a}, which was not asked for"
            )

    def whole(self) -> bytes:
        """Return the body; the last piece has been added."""
        compressed = self._encoding in {"gzip", "x-gzip"}
        if compressed and self._received and not self._inflater.eof:
            raise self._unreadable("ends in the middle of its compressed data")
        return bytes(self._body)

    def _inflate(self, piece: bytes) -> None:
        while piece:
            if self._inflater.eof:
                self._inflater = zlib.decompressobj(wbits=31)  # RFC 1952 §2.2: several members
            try:
                # One byte more than may be kept is enough to see that a bomb goes off.
                self._keep(self._inflater.decompress(piece, self._limit - len(self._body) + 1))
            except zlib.error as error:
                raise self._unreadable("does not decompress") from error
            piece = self._inflater.unconsumed_tail or self._inflater.unused_data

    def _keep(self, piece: bytes) -> None:
        if len(self._body) + len(piece) > self._limit:
            raise self._too_large()
        self._body += piece

    def _too_large(self) -> OutcomeUnknown:
        return OutcomeUnknown(
            f"the reply of {self._place} is larger than {self._limit} bytes; "
            "reconcile before sending again",
            code="CB-465",
        )

    def _unreadable(self, why: str) -> OutcomeUnknown:
        return OutcomeUnknown(
            f"the reply of {self._place} {why}; reconcile before sending again", code="CB-462"
        )


class HttpAnswer(msgspec.Struct, frozen=True):
    """A complete HTTP answer, not yet judged.

    ``headers`` are as sent, names in lower case, repeated ones joined with ``", "``; ``cookies`` is
    each Set-Cookie by itself. ``body`` is decompressed. ``place`` names who answered, for messages.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    cookies: tuple[str, ...] = ()
    place: str = ""

    def __repr__(self) -> str:
        return f"HttpAnswer({self.status}, {len(self.body)} bytes)"


def retry_after(value: str | None, now: datetime) -> float | None:
    """Return the seconds that a Retry-After header asks for (RFC 9110 §10.2.3), 0 or more.

    None when there is none, or none that can be read.
    """
    text = (value or "").strip()
    if re.fullmatch(r"[0-9]{1,9}", text):
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
        return max(0.0, (moment - now).total_seconds())
    except (ValueError, TypeError, OverflowError):
        # TypeError: a date with the zone -0000 is naive.
        return None
