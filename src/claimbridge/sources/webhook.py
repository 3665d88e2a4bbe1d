"""A webhook as a source: claims in JSON that another system posts, signed with a shared secret.

    app = Webhook.from_config("claimbridge.toml", "hr")        # uvicorn module:app, or mount it

The receiver records a body durably and answers 202; the intake works it later. A repeat changes
nothing, and is answered the same. What is recorded was signed; whether it is a claim is judged by
the intake, which parks what is none.

The sender signs ``TIMESTAMP.BODY`` by HMAC-SHA256 and sends two headers: ``Claimbridge-Timestamp``
(seconds since 1970) and ``Claimbridge-Signature`` (``sha256=`` and the code in hex).
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, Self

import msgspec

from claimbridge.bounds import check_numbers
from claimbridge.clock import SYSTEM, Clock
from claimbridge.errors import ClaimBridgeError, ConfigurationError, JournalError
from claimbridge.model import Claim, Standing
from claimbridge.sources.base import Arrival
from claimbridge.sources.receiver import Receiver, Scope
from claimbridge.sources.record import Delivery, SourceRecord, open_record
from claimbridge.sources.settings import SourceConfig, journal_of, load_source

MOST_AT_ONCE: Final = 64
"""Bodies taken in at one time; beyond that, a sender is asked to come again."""
_PATIENCE: Final = 20.0
"""Seconds that a body may take to arrive."""
_PAGE: Final = 100


class WebhookSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One webhook as configured.

    ``secret`` is a reference; ``next_secret`` a second one that counts too, while one replaces the
    other. ``tolerance`` is how many seconds the sender's clock may be away from ours, and so how
    long a signed request can be sent again by whoever has seen it.
    """

    secret: str
    next_secret: str = ""
    max_bytes: int = 2_000_000
    tolerance: float = 300.0

    def __post_init__(self) -> None:
        check_numbers("webhook", self, where="", code="CB-531")


class Webhook(Receiver):
    """The receiver: an ASGI application for one source.

    Answers 202 once the body is on the disk. Answers 401 where the signature or its time is wrong,
    or stands there twice, without saying which. Answers 405, 408 and 413 for other requests, and
    503 when the body cannot be stored now. Raises ConfigurationError for an empty secret.
    """

    def __init__(
        self,
        record: SourceRecord,
        *,
        name: str,
        secrets: Sequence[str],
        max_bytes: int = 2_000_000,
        tolerance: float = 300.0,
        clock: Clock = SYSTEM,
    ) -> None:
        if not secrets or not all(secrets):
            raise ConfigurationError(
                f"source {name}: its secret is empty, so that anybody could send claims",
                code="CB-531",
            )
        super().__init__(max_bytes=max_bytes, patience=_PATIENCE, most=MOST_AT_ONCE)
        self._record = record
        self._name = name
        self._secrets = [secret.encode() for secret in secrets]
        self._tolerance = tolerance
        self._clock = clock

    @classmethod
    def from_config(cls, path: str | Path, name: str) -> Self:
        """Return the receiver of a source in a configuration file, with a record of its own.

        Raises ConfigurationError, KeyUnavailable or JournalError.
        """
        config = load_source(path, name)
        settings = config.settings(WebhookSettings)
        references = [settings.secret, *filter(None, [settings.next_secret])]
        return cls(
            open_record(journal_of(path, config)),
            name=name,
            secrets=[config.secret(reference, what="secret") for reference in references],
            max_bytes=settings.max_bytes,
            tolerance=settings.tolerance,
        )

    def __repr__(self) -> str:
        return f"Webhook(name={self._name!r})"

    async def take(self, scope: Scope, body: bytes) -> int:
        """Record a body that is signed; return the status to answer with."""
        stamped = _only(scope, b"claimbridge-timestamp")
        signature = _only(scope, b"claimbridge-signature")
        if not self._is_signed(stamped, signature, body):
            return 401
        digest = hashlib.sha256(body).hexdigest()
        try:
            await asyncio.to_thread(self._record.deliver, self._name, digest, body)
        except JournalError:
            return 503
        return 202

    def _is_signed(self, stamped: bytes, signature: bytes, body: bytes) -> bool:
        # Compared with every secret, whatever the first says: the time taken tells nothing.
        codes = [_signature(secret, stamped, body) for secret in self._secrets]
        right = sum(hmac.compare_digest(code, signature) for code in codes) > 0
        if not stamped.isdigit() or len(stamped) > 12:
            return False
        apart = abs(self._clock.now().timestamp() - int(stamped))
        return right and apart <= self._tolerance


class WebhookSource:
    """Reads what the receiver has recorded: a claim, or ``{"withdrawn": {"id", "revision"}}``.

    A document is a claim's id; a body that is neither is a document of its own.
    """

    def __init__(self, name: str, record: SourceRecord) -> None:
        self.name = name
        self._record = record

    def arrivals(self, *, since: str = "") -> Iterator[Arrival]:
        """Yield what was received after the body of the number ``since``."""
        after = int(since or 0)
        while page := self._record.deliveries(self.name, after=after, limit=_PAGE):
            for delivery in page:
                yield _arrival(delivery)
            after = page[-1].number

    def reread(self, key: str) -> Arrival | None:
        """Return what was received last about a document; None when nothing was."""
        versions = self._record.find(self.name, key)
        return versions[-1].arrival() if versions else None

    def ended(
        self, arrival: Arrival, *, standing: Standing | None, error: ClaimBridgeError | None
    ) -> None:
        """Nobody waits to hear."""

    def close(self) -> None:
        """Nothing is held open."""


def webhook_source(config: SourceConfig, record: SourceRecord) -> WebhookSource:
    """Return the source of kind ``webhook`` that ``config`` describes.

    The secret is not read: only the receiver needs it. Raises ConfigurationError.
    """
    config.settings(WebhookSettings)
    return WebhookSource(config.name, record)


def sign(secret: str, body: bytes, *, timestamp: int) -> dict[str, str]:
    """Return the headers by which a sender signs ``body``; ``timestamp`` is in seconds."""
    stamped = str(timestamp).encode()
    return {
        "Claimbridge-Timestamp": stamped.decode(),
        "Claimbridge-Signature": _signature(secret.encode(), stamped, body).decode(),
    }


class _ClaimName(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    revision: int


class _Withdrawal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``revision`` makes each withdrawal another body: the same one again is a repeat."""

    withdrawn: _ClaimName


def _arrival(delivery: Delivery) -> Arrival:
    number, mark = f"delivery {delivery.number}", str(delivery.number)
    try:
        taken_back = msgspec.json.decode(delivery.body, type=_Withdrawal).withdrawn
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        pass
    else:
        return Arrival(key=taken_back.id, version=delivery.digest, withdrawn=True, mark=mark)
    try:
        claim = Claim.from_json(delivery.body)
    except ClaimBridgeError as error:
        key = error.claim_id or number
        return Arrival(key=key, version=delivery.digest, error=error, mark=mark)
    return Arrival(key=claim.id, version=delivery.digest, claim=claim, mark=mark)


def _only(scope: Scope, wanted: bytes) -> bytes:
    """Return the one header of a name; empty where there is none, and where there are several."""
    values = [value for name, value in scope["headers"] if name.lower() == wanted]
    return bytes(values[0]) if len(values) == 1 else b""


def _signature(secret: bytes, stamped: bytes, body: bytes) -> bytes:
    code = hmac.new(secret, stamped + b"." + body, hashlib.sha256)
    return b"sha256=" + code.hexdigest().encode()


__all__ = ["Webhook", "WebhookSettings", "WebhookSource", "sign", "webhook_source"]
