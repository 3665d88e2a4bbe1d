"""Where the ERP listens, how we show who we are, and how long we wait."""

from __future__ import annotations

import base64
import ipaddress
import re
from urllib.parse import SplitResult, quote, unquote, urlsplit

import msgspec

from claimbridge.errors import ConfigurationError

LONGEST_WAIT = 86_400.0
"""Seconds; what is asked for beyond a day is a slip, and beyond the system's own range."""

_MASK = "…"
_URL_SAFE = "%/:=&?~+!$,;'@()*[]"


class _WithSecrets(msgspec.Struct, frozen=True):
    """Shows its fields, with those that hold a secret masked, in ``repr`` and in rich's tables."""

    def _visible(self) -> tuple[tuple[str, object], ...]:
        raise NotImplementedError

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={value!r}" for name, value in self._visible())
        return f"{type(self).__name__}({fields})"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        # msgspec gives every Struct one of these, and rich prefers it to repr.
        return list(self._visible())


class Basic(_WithSecrets, frozen=True):
    """HTTP Basic (RFC 7617); user and password travel as UTF-8."""

    user: str
    password: str

    def __post_init__(self) -> None:
        if ":" in self.user or _unprintable(self.user) or _unprintable(self.password):
            raise ConfigurationError(
                "HTTP Basic takes no colon in the user and no control characters "
                "(RFC 7617 §2); use another account",
                code="CB-283",
            )

    def _visible(self) -> tuple[tuple[str, object], ...]:
        return ("user", self.user), ("password", _MASK)


class Bearer(_WithSecrets, frozen=True):
    """A bearer token (RFC 6750)."""

    token: str

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[\x21-\x7e]+", self.token):
            raise ConfigurationError(
                "a bearer token must be visible ASCII without spaces (RFC 6750 §2.1); "
                "check it for a line end",
                code="CB-283",
            )

    def _visible(self) -> tuple[tuple[str, object], ...]:
        return (("token", _MASK),)


class ClientCertificate(_WithSecrets, frozen=True):
    """A TLS client certificate with its key: the content of a PKCS#12 file (``.p12``, ``.pfx``).

    ``password`` is None when the file has none. The key is never written to a disk.
    """

    pkcs12: bytes
    password: str | None = None

    def _visible(self) -> tuple[tuple[str, object], ...]:
        return ("pkcs12", _MASK), ("password", self.password and _MASK)


Auth = Basic | Bearer | ClientCertificate


class Address(msgspec.Struct, frozen=True):
    """A checked URL, taken apart; ``target`` is path and query as they are sent.

    ``authorization`` is the value for a (Proxy-)Authorization header from the URL's user and
    password, None when it names none.
    """

    secure: bool
    host: str
    port: int
    target: str
    authorization: str | None = None

    @property
    def place(self) -> str:
        """The URL without its query, for messages and logs: a query may hold a token."""
        scheme, usual = ("https", 443) if self.secure else ("http", 80)
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == usual else f":{self.port}"
        return f"{scheme}://{host}{port}{self.target.partition('?')[0]}"

    @property
    def loopback(self) -> bool:
        """True where no byte leaves this machine."""
        return is_loopback(self.host)


class TransportSettings(_WithSecrets, frozen=True):
    """How to reach one ERP. Raises ConfigurationError for what could not work or is not safe.

    ``endpoint`` is https; http is accepted for a loopback address only. TLS is always verified.
    ``connect`` is the time in seconds before the first byte of a request leaves: waiting for a
    free connection, name, TCP, proxy, TLS. ``total`` is the time for the whole exchange by the
    wall clock, the last byte of the reply included.
    ``auth`` is None where the ERP asks for nothing at HTTP level. ``proxy`` is an ``http://`` URL
    that tunnels (CONNECT); None means a direct connection whatever the environment says. A
    loopback endpoint is always reached directly. ``ca`` is PEM text with trust anchors beside the
    system's own. ``pool`` is the number of connections; one that was idle for ``idle`` seconds is
    not used again (4 stays below the 5 s of Apache httpd, the shortest of the usual servers).
    The limits are in bytes; ``reply_limit`` counts them after decompression.
    """

    endpoint: str
    connect: float = 10.0
    total: float = 60.0
    auth: Auth | None = None
    proxy: str | None = None
    ca: bytes | None = None
    pool: int = 10
    idle: float = 4.0
    user_agent: str = "claimbridge"
    request_limit: int = 50_000_000
    reply_limit: int = 50_000_000

    def __post_init__(self) -> None:
        address = self.address
        if not address.secure and not address.loopback:
            raise ConfigurationError(
                f"{address.place} is not encrypted; use https:// "
                "(http:// is accepted for a loopback address only)",
                code="CB-280",
            )
        if not address.secure and isinstance(self.auth, ClientCertificate):
            raise ConfigurationError(
                f"{address.place} cannot be shown a client certificate; use https://",
                code="CB-280",
            )
        _ = self.via
        self._check_numbers()
        if not re.fullmatch(r"[\x20-\x7e]*", self.user_agent):
            raise ConfigurationError("user_agent must be printable ASCII", code="CB-284")

    def _check_numbers(self) -> None:
        numbers = {
            "connect": self.connect,
            "total": self.total,
            "pool": self.pool,
            "idle": self.idle,
            "request_limit": self.request_limit,
            "reply_limit": self.reply_limit,
        }
        for name, value in numbers.items():
            most = LONGEST_WAIT if name in {"connect", "total", "idle"} else float("inf")
            # The negated form refuses NaN; what has no end is refused too.
            if not 0 < value <= most or value == float("inf"):
                raise ConfigurationError(
                    f"{name} is {value}; it must be above 0 and have an end (times: a day)",
                    code="CB-284",
                )

    @property
    def address(self) -> Address:
        """The endpoint, taken apart."""
        return _address_of(self.endpoint, "endpoint", ("https", "http"), code="CB-280")

    @property
    def via(self) -> Address | None:
        """The proxy, taken apart; None for a direct connection."""
        if self.proxy is None:
            return None
        proxy = _address_of(self.proxy, "proxy", ("http",), code="CB-281")
        return None if self.address.loopback else proxy

    @property
    def place(self) -> str:
        """The endpoint as it may stand in a message."""
        return self.address.place

    def _visible(self) -> tuple[tuple[str, object], ...]:
        proxy = self.proxy and _address_of(self.proxy, "proxy", ("http",), code="CB-281").place
        return (
            ("endpoint", self.place),
            ("connect", self.connect),
            ("total", self.total),
            ("auth", self.auth),
            ("proxy", proxy),
            ("pool", self.pool),
        )


def basic(user: str, password: str) -> str:
    """Return the value of an Authorization header for HTTP Basic, in UTF-8."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode("ascii")


def _address_of(url: str, what: str, schemes: tuple[str, ...], *, code: str) -> Address:
    """Return the parts of ``url``; raises ConfigurationError that does not repeat the URL.

    A URL that cannot be read may hold a password anywhere.
    """
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").encode("idna").decode("ascii")
        port = parts.port
    except ValueError as error:
        raise ConfigurationError(f"the {what} is not a URL; fix it", code=code) from error
    wrong = _fault_of(url, parts, schemes)
    if wrong or not host:
        expected = " or ".join(f"{scheme}://host…" for scheme in schemes)
        raise ConfigurationError(
            f"the {what} {wrong or 'names no host'}; it must be like {expected}", code=code
        )
    if what == "endpoint" and parts.username is not None:
        raise ConfigurationError(
            "the endpoint holds a user name; put user and password under auth", code=code
        )
    secure = parts.scheme == "https"
    path = quote(parts.path or "/", safe=_URL_SAFE)
    query = f"?{quote(parts.query, safe=_URL_SAFE)}" if parts.query else ""
    authorization = None
    if parts.username is not None:
        authorization = basic(unquote(parts.username), unquote(parts.password or ""))
    return Address(secure, host, port or (443 if secure else 80), path + query, authorization)


def _fault_of(url: str, parts: SplitResult, schemes: tuple[str, ...]) -> str:
    if _unprintable(url) or " " in url:
        return "holds spaces or control characters"
    if parts.scheme not in schemes:
        return f"begins with {parts.scheme[:10] or 'no scheme'}"
    if parts.fragment:
        return "has a fragment (#…)"
    return ""


def is_loopback(host: str) -> bool:
    """Say whether ``host`` is this machine by its very name, without asking a name server."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _unprintable(text: str) -> bool:
    return any(ord(char) < 0x20 or ord(char) == 0x7F for char in text)
