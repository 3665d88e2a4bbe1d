"""The transport for threads: one POST, whose answer must hold XML."""

from __future__ import annotations

from collections.abc import Mapping

from claimbridge.clock import SYSTEM, Clock, Uptime
from claimbridge.soap.transport import failures
from claimbridge.soap.transport.reply import HttpReply, accept
from claimbridge.soap.transport.request import prepare
from claimbridge.soap.transport.settings import TransportSettings
from claimbridge.soap.transport.wire import Wire


class Transport:
    """Sends POSTs to one endpoint over a pool of connections; safe to use from many threads.

    Raises ConfigurationError or KeyUnavailable when it is made with an unusable ``ca`` or client
    certificate.
    """

    def __init__(self, settings: TransportSettings, *, clock: Clock = SYSTEM) -> None:
        self._settings = settings
        self._clock = clock
        self._place = settings.place
        self._wire = Wire(settings, clock=clock)

    def post(
        self,
        body: bytes,
        *,
        headers: Mapping[str, str],
        timeout: float | None = None,
        checked: Uptime | None = None,
    ) -> HttpReply:
        """Send ``body`` once and return the complete reply, which holds XML.

        ``timeout`` replaces ``settings.total``, in seconds. ``checked`` is when the sender was last
        known to own what it sends: it leaves soon after that, or not at all. Raises NotDelivered,
        OutcomeUnknown or LedgerUnavailable, as the package's docstring sorts them.
        """
        call = prepare(self._settings, body, headers, timeout, checked)
        with failures.watched(place=self._place, size=len(body), clock=self._clock) as watch:
            answer = self._wire.exchange(call)
            watch.reply = accept(answer, place=self._place, now=self._clock.now())
        return watch.reply

    def close(self) -> None:
        """Close idle connections now and busy ones when their exchange ends; twice is harmless."""
        self._wire.close()

    def __enter__(self) -> Transport:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
