"""Calling Hesi: the token, the rate, what is tried again and what never is."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from claimbridge.clock import SYSTEM, Clock
from claimbridge.errors import (
    DeliveryRefused,
    LedgerRejection,
    LedgerUnavailable,
    NotDelivered,
    OutcomeUnknown,
)
from claimbridge.model import Reason
from claimbridge.sources.hesi.api.http import (
    TOO_LARGE,
    HesiReply,
    HesiRequest,
    HesiWire,
    JsonObject,
    Secret,
    no_answer,
    object_of_write,
    read_object,
    words_in,
)
from claimbridge.sources.hesi.api.settings import HesiSettings
from claimbridge.sources.hesi.api.token import HesiKeys, HesiToken

_log: Final = logging.getLogger("claimbridge.hesi")


class HesiCalls:
    """Makes calls to one Hesi; threads may share it. ``pause`` waits for so many seconds."""

    def __init__(
        self,
        settings: HesiSettings,
        keys: HesiKeys,
        *,
        clock: Clock = SYSTEM,
        pause: Callable[[float], object] = time.sleep,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._pause = pause
        self._wire = HesiWire(settings.transport(), clock=clock)
        self._token = HesiToken(
            keys, self._send_in_turn, self._wire.place, power_code=settings.power_code, clock=clock
        )
        self._turn = threading.Lock()
        self._next = float("-inf")

    def close(self) -> None:
        """Give the connections back."""
        self._wire.close()

    def place(self, request: HesiRequest) -> str:
        """Return where a request goes, as it may stand in a message."""
        return self._wire.place(request)

    def write(self, request: HesiRequest) -> JsonObject:
        """Make one attempt; returns what Hesi said about it, which may still be a no."""
        token = self._token.current()  # whatever goes wrong here, nothing was written
        place = self._wire.place(request)
        try:
            reply = self._send_in_turn(request, token)
        except OutcomeUnknown as error:
            raise no_answer(error, place=place, read=False) from error
        if reply.status == 403:
            self._token.drop(token)
        answer = object_of_write(reply, place=place)
        code = _code_of(answer)
        if reply.status // 100 != 2 or code.startswith("4"):
            raise self.refusal(request, code or str(reply.status), words_in(answer))
        return answer

    def refusal(self, request: HesiRequest, code: str, words: str) -> LedgerRejection:
        """Return the error for a no of Hesi's, with its own code and words."""
        answer = f"{code}: {words}" if words else code
        return LedgerRejection(
            f"{self._wire.place(request)} says no ({answer})",
            reasons=(Reason(words or code, code),),
            code="CB-516",
        )

    def unclear(self, request: HesiRequest) -> OutcomeUnknown:
        """Return the error for an answer that does not say what became of a write."""
        return OutcomeUnknown(
            f"{self._wire.place(request)} does not say that it was done; look whether it was "
            "before trying again",
            code="CB-515",
        )

    def read(self, request: HesiRequest) -> JsonObject:
        """Ask, and return the object that Hesi answers."""
        return read_object(self.ask(request), place=self._wire.place(request))

    def ask(self, request: HesiRequest) -> HesiReply:
        """Ask, and ask again later where that may help; a token that died is renewed once.

        An answer of status 400, 404 or 412 is returned: what it means depends on the question.
        """
        attempt = 0
        while True:
            try:
                return self._ask_once(request)
            except (NotDelivered, LedgerUnavailable) as error:
                wait = self._wait_before_next(error, attempt)
                if wait is None:
                    raise
            attempt += 1
            self._pause(wait)

    def _ask_once(self, request: HesiRequest) -> HesiReply:
        place = self._wire.place(request)
        try:
            token = self._token.current()
            reply = self._send_in_turn(request, token)
            if reply.status == 403:
                self._token.drop(token)
                reply = self._send_in_turn(request, self._token.current())
        except OutcomeUnknown as error:
            raise no_answer(error, place=place, read=True) from error
        if reply.status == 403:
            words = f": {reply.words}" if reply.words else ""
            raise DeliveryRefused(
                f"{place} refuses a new access token too (HTTP 403{words}); "
                "check what the account may do",
                code="CB-512",
            )
        if reply.status not in {400, 404, 412}:
            read_object(reply, place=place)  # what may pass by itself is tried again
        return reply

    def _wait_before_next(
        self, error: NotDelivered | LedgerUnavailable, attempt: int
    ) -> float | None:
        """Return the seconds before the next attempt at a read; None: there is none."""
        if attempt >= self._settings.retries or not error.retryable or error.code == TOO_LARGE:
            return None
        wait = self._settings.backoff * float(2**attempt)
        retry_after = error.retry_after if isinstance(error, LedgerUnavailable) else None
        if retry_after is not None and retry_after > self._settings.longest_wait:
            return None
        return min(max(wait, retry_after or 0.0), self._settings.longest_wait)

    def _send_in_turn(self, request: HesiRequest, token: Secret) -> HesiReply:
        """Make one call when it is our turn by the rate limit."""
        with self._turn:
            now = self._clock.monotonic()
            at = max(now, self._next)
            self._next = at + 1 / self._settings.rate
        if at > now:
            self._pause(at - now)
        started = self._clock.monotonic()
        ending = "no answer"
        try:
            reply = self._wire.send(request, token=token)
            ending = f"HTTP {reply.status}"
        finally:
            spent = (self._clock.monotonic() - started) * 1000
            _log.debug(
                "%s %s: %s; %.0f ms", request.method, self._wire.place(request), ending, spent
            )
        return reply


def _code_of(answer: JsonObject) -> str:
    """Return the error code of Hesi's error object; empty for every other object."""
    code = answer.get("errorCode")
    return str(code) if isinstance(code, (str, int)) else ""
