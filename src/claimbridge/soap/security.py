"""WS-Security's UsernameToken: user and password inside the envelope."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from datetime import UTC
from xml.sax.saxutils import escape  # writes only; nothing is parsed with it

from claimbridge.clock import Clock
from claimbridge.errors import ConfigurationError

_OASIS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
_WSSE = f"{_OASIS}wssecurity-secext-1.0.xsd"
_WSU = f"{_OASIS}wssecurity-utility-1.0.xsd"
_PROFILE = f"{_OASIS}username-token-profile-1.0"
_BASE64 = f"{_OASIS}soap-message-security-1.0#Base64Binary"

# XML 1.0 §2.2, production Char, turned round.
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def username_token(
    user: str, password: str, *, digest: bool, clock: Clock, nonce: bytes | None = None
) -> bytes:
    """Return a ``wsse:Security`` header for one message, in canonical form.

    ``digest`` True sends Base64(SHA-1(nonce + created + password)) in the password's place (OASIS
    UsernameToken Profile 1.1 §3.1); False sends the password itself, which only TLS protects.
    Either way nonce and time are fresh, so that the server can refuse a repeat. ``nonce`` is for
    tests that compare with known values; None takes sixteen random bytes.

    Raises ConfigurationError (CB-286) for characters that XML cannot hold.
    """
    if _NO_XML.search(user) or _NO_XML.search(password):
        raise ConfigurationError(
            "user or password holds a character that XML cannot carry; use another password",
            code="CB-286",
        )
    fresh = secrets.token_bytes(16) if nonce is None else nonce
    created = _moment(clock)
    kind, secret = "PasswordText", password
    if digest:
        kind, secret = "PasswordDigest", _digest(fresh, created, password)
    return (
        f'<wsse:Security xmlns:wsse="{_WSSE}"><wsse:UsernameToken>'
        f"<wsse:Username>{_escape(user)}</wsse:Username>"
        f'<wsse:Password Type="{_PROFILE}#{kind}">{_escape(secret)}</wsse:Password>'
        f'<wsse:Nonce EncodingType="{_BASE64}">{_base64(fresh)}</wsse:Nonce>'
        f'<wsu:Created xmlns:wsu="{_WSU}">{created}</wsu:Created>'
        "</wsse:UsernameToken></wsse:Security>"
    ).encode()


def _digest(nonce: bytes, created: str, password: str) -> str:
    # The profile fixes SHA-1; what protects the password is the fresh nonce under TLS.
    hashed = hashlib.sha1(nonce + created.encode() + password.encode(), usedforsecurity=False)
    return _base64(hashed.digest())


def _moment(clock: Clock) -> str:
    """Return the time in UTC with milliseconds (the profile's §3.1 asks for xsd:dateTime)."""
    return clock.now().astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _escape(text: str) -> str:
    return escape(text, {"\r": "&#xD;"})


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
