"""An HTTP reply's headers as both clients of HTTP give them, repeated ones included."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

_PLAIN: Final = frozenset({"", "identity"})
_MISNAMED: Final = frozenset({"utf-8", "utf8", "none"})
"""What servers write there that encodes nothing: a charset, or the word for nothing."""
# RFC 9110 §11.3: a scheme stands first, or after a comma, and no "=" follows it.
_SCHEME: Final = re.compile(r"(?:^|,)\s*([A-Za-z][A-Za-z0-9._-]{0,40})(?=\s*(?:,|$)|\s+[^\s=,])")
_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_MOST_SCHEMES: Final = 8


class Headers(msgspec.Struct, frozen=True):
    """The headers of one reply: ``joined`` by name in lower case, and each ``Set-Cookie`` alone.

    Repeated headers are joined with ``", "`` (RFC 9110 §5.2), save where both say the same. Cookies
    cannot be joined (RFC 6265 §3): their dates have commas.
    """

    joined: Mapping[str, str]
    cookies: tuple[str, ...]


def headers_of(pairs: Iterable[tuple[str, str]]) -> Headers:
    """Return headers from their pairs, in the order in which they came."""
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name.lower(), []).append(value)
    joined = {name: ", ".join(dict.fromkeys(values)) for name, values in found.items()}
    return Headers(joined, tuple(found.get("set-cookie", ())))


def encodings_in(value: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the codings that a Content-Encoding names, and the names in it that encode nothing."""
    names = [name.strip().lower() for name in value.split(",")]
    real = tuple(name for name in names if name not in _PLAIN | _MISNAMED)
    return real, tuple(dict.fromkeys(name for name in names if name in _MISNAMED))


def schemes_in(value: str) -> tuple[str, ...]:
    """Return the schemes of a WWW-Authenticate or Proxy-Authenticate, each once, in order."""
    bare = _QUOTED.sub('""', value[:2000])
    found = dict.fromkeys(match[1] for match in _SCHEME.finditer(bare))
    return tuple(found)[:_MOST_SCHEMES]


__all__ = ["Headers", "encodings_in", "headers_of", "schemes_in"]
