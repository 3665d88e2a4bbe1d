"""Exchanges kept as files: ``<profile>/<operation>/<case>/{request.xml,reply.xml,case.toml}``.

Messages are written in exclusive canonical XML, so that a second recording differs only where the
exchange did. Secrets are removed: HTTP headers are not recorded at all, and ``***`` replaces
passwords, nonces and tokens inside the messages. Without ``reply.xml`` no reply was sent in full; a
reply that is not XML is ``reply.txt``. The files are 0600, their folders 0700.
"""

from __future__ import annotations

import re
import threading
from pathlib import Path
from typing import Final

import msgspec
from lxml import etree

from claimbridge.errors import ConfigurationError, DocumentError
from claimbridge.private import private_folder, write_private
from claimbridge.sandbox.http.endpoint import SoapExchange
from claimbridge.sandbox.http.reply import SandboxReply
from claimbridge.xmlio import canonical, local_name, parse

_SECRET: Final = re.compile(r"password|nonce|token|secret|sessionid|consumerkey", re.IGNORECASE)
# A certificate and the frame of a security header only sound like secrets.
_PUBLIC: Final = frozenset(
    {"UsernameToken", "BinarySecurityToken", "SecurityTokenReference", "Token"}
)
_TYPE: Final = "{http://www.w3.org/2001/XMLSchema-instance}type"
_SCRUBBED: Final = "***"


class Recorder:
    """Writes exchanges below ``folder``. Safe between threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()

    def keep(
        self,
        profile: str,
        exchange: SoapExchange,
        reply: SandboxReply | None,
        *,
        case: str,
        disturbance: str,
    ) -> None:
        """Write one exchange; ``case`` names it, ``disturbance`` is the one performed, "" for none.

        Raises ConfigurationError CB-273 when the folder cannot be written.
        """
        about = {
            "profile": profile,
            "operation": exchange.operation.name,
            "soap": exchange.version,
            "fault": disturbance or None,
            "status": reply.status if reply else None,
            "content_type": reply.content_type if reply else None,
        }
        try:
            with self._lock:
                place = self._place(profile, exchange.operation.name, case)
                write_private(place / "request.xml", scrub(exchange.request))
                if reply is not None:
                    _write_reply(place, reply.body)
                write_private(place / "case.toml", _toml(about))
        except OSError as error:
            raise ConfigurationError(
                f"the exchange cannot be recorded below {self._folder}: {error.strerror}",
                code="CB-273",
            ) from error

    def _place(self, profile: str, operation: str, case: str) -> Path:
        parent = self._folder / profile / operation
        name = re.sub(r"[^A-Za-z0-9.\-]+", "-", case).strip(".-") or "case"
        place, count = parent / name, 1
        while place.exists():
            count += 1
            place = parent / f"{name}-{count}"
        private_folder(place)
        return place


def scrub(message: bytes) -> bytes:
    """Return a message in canonical form, without secrets; raises DocumentError if not XML."""
    root = parse(message, what="the message to record")
    for part in root.iter(etree.Element):
        if local_name(part) not in _PUBLIC and _SECRET.search(local_name(part)) and not len(part):
            part.text = _SCRUBBED
    return canonical(root, inclusive_prefixes=_prefixes_in_types(root)) + b"\n"


def _prefixes_in_types(root: etree._Element) -> tuple[str, ...]:
    """Return the prefixes that only an ``xsi:type`` uses, which canonical form would drop."""
    types = (part.get(_TYPE, "").strip() for part in root.iter(etree.Element))
    return tuple(sorted({prefix for name in types if (prefix := name.rpartition(":")[0])}))


def _write_reply(place: Path, body: bytes) -> None:
    try:
        write_private(place / "reply.xml", scrub(body))
    except DocumentError:
        write_private(place / "reply.txt", body)


def _toml(about: dict[str, str | int | None]) -> bytes:
    # JSON's strings and integers are TOML's too.
    lines = (
        f"{name} = {msgspec.json.encode(value).decode()}\n"
        for name, value in about.items()
        if value is not None
    )
    return "".join(lines).encode()
