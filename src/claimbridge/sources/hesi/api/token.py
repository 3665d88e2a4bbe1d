"""Hesi's access token: asked for once, renewed before it ends, shown nowhere."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

import msgspec

from claimbridge.clock import Clock
from claimbridge.errors import (
    DeliveryError,
    DeliveryRefused,
    LedgerUnavailable,
    NotDelivered,
    OutcomeUnknown,
)
from claimbridge.sources.hesi.api.http import (
    NO_TOKEN,
    HesiReply,
    HesiRequest,
    JsonObject,
    Secret,
    no_answer,
    read_object,
)

_EARLY: Final = 600.0
"""Seconds before its end from which a token is renewed."""
_LEAST: Final = 60.0
"""Seconds that a new token is used at least, however wrong our clock or Hesi's is."""
_PAUSE: Final = 60.0
"""Seconds before credentials that were refused, or a renewal that failed, are tried again."""


class HesiKeys(msgspec.Struct, frozen=True):
    """接入账号 and 接入密码; neither is shown."""

    app_key: Secret
    app_secret: Secret


class _Token(msgspec.Struct, frozen=True):
    """A token in use; ``renew`` and ``end`` are moments of the monotonic clock."""

    access: Secret
    refresh: Secret
    renew: float
    end: float


class HesiToken:
    """The token that all threads share; one of them renews it while the others wait.

    ``send`` makes one call to Hesi. ``power_code`` empty: a token is never refreshed, always
    asked for anew.
    """

    def __init__(
        self,
        keys: HesiKeys,
        send: Callable[[HesiRequest, Secret], HesiReply],
        place: Callable[[HesiRequest], str],
        *,
        power_code: str,
        clock: Clock,
    ) -> None:
        self._keys = keys
        self._send = send
        self._place = place
        self._power_code = power_code
        self._clock = clock
        self._lock = threading.Lock()
        self._token: _Token | None = None
        self._refused = float("-inf")

    def current(self) -> Secret:
        """Return a token that lives for some time yet.

        Raises DeliveryRefused CB-511 where Hesi does not know the keys, NotDelivered or
        LedgerUnavailable where none could be had now.
        """
        with self._lock:
            token, now = self._token, self._clock.monotonic()
            if token is not None and now < token.renew:
                return token.access
            try:
                self._token = self._renew(token if token and now < token.end else None)
            except (NotDelivered, LedgerUnavailable):
                if token is None or now >= token.end:
                    raise
                # It is still good for a while; the next renewal is tried a little later.
                self._token = msgspec.structs.replace(token, renew=now + _PAUSE)
            return self._token.access

    def drop(self, token: Secret) -> None:
        """Forget a token that Hesi no longer takes; one that was renewed since is kept."""
        with self._lock:
            if self._token is not None and self._token.access == token:
                self._token = None

    def _renew(self, token: _Token | None) -> _Token:
        if token is not None and self._power_code and token.refresh.text:
            token_again = self._refresh(token)
            if token_again is not None:
                return token_again
        return self._ask_anew()

    def _refresh(self, token: _Token) -> _Token | None:
        """Return the token that refreshing gave; None where it gave none: ask for a new one."""
        request = HesiRequest(
            "POST",
            "/api/openapi/v2/auth/refreshToken",
            (("refreshToken", token.refresh.text), ("powerCode", self._power_code)),
        )
        try:
            return self._from(read_object(self._send(request, token.access), place="Hesi"))
        except DeliveryError:
            # Refreshing changes both texts: where its answer was lost, the old ones are gone.
            return None

    def _ask_anew(self) -> _Token:
        request = self._request()
        place = self._place(request)
        if self._clock.monotonic() < self._refused + _PAUSE:
            raise _unknown_keys(place)
        try:
            reply = self._send(request, NO_TOKEN)
        except OutcomeUnknown as error:
            raise no_answer(error, place=place, read=True) from error
        if reply.status == 403:
            self._refused = self._clock.monotonic()
            raise _unknown_keys(place)
        token = self._from(read_object(reply, place=place))
        if token is None:
            raise LedgerUnavailable(
                f"{place} answers without an access token; try again later", code="CB-514"
            )
        return token

    def _request(self) -> HesiRequest:
        body = {"appKey": self._keys.app_key.text, "appSecurity": self._keys.app_secret.text}
        return HesiRequest("POST", "/api/openapi/v1/auth/getAccessToken", body=body)

    def _from(self, answer: JsonObject) -> _Token | None:
        """Return the token in an answer; None where there is none."""
        value = answer.get("value")
        if not isinstance(value, dict):
            return None
        access, refresh = value.get("accessToken"), value.get("refreshToken")
        ends = value.get("expireTime")
        if not isinstance(access, str) or not access or type(ends) is not int:
            return None
        now = self._clock.monotonic()
        left = ends / 1000 - self._clock.now().timestamp()
        end = now + max(left, _LEAST)
        renew = now + max(left - _EARLY, _LEAST)
        return _Token(
            Secret(access), Secret(refresh if isinstance(refresh, str) else ""), renew, end
        )


def _unknown_keys(place: str) -> DeliveryRefused:
    return DeliveryRefused(
        f"{place} does not know app_key and app_secret (HTTP 403); fix them, or the address, "
        "before trying again",
        code="CB-511",
    )
