"""The access tokens of the sandbox's Hesi: issued, renewed, ended; under the books' lock."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from typing import Final

from claimbridge.sandbox.hesi.books import CORPORATION
from claimbridge.sandbox.hesi.replies import No

POWER_CODE: Final = "219904"
_FIRST_LIFE: Final = 2 * 3600
_RENEWED_LIFE: Final = 32 * 24 * 3600


class HesiTokens:
    """Who may ask. ``millis`` is the present moment.

    ``premature`` counts down the calls that are refused in spite of a good token, as Hesi once did
    right after it issued one.
    """

    def __init__(self, millis: Callable[[], int], app_key: str, app_secret: str) -> None:
        self.premature: int = 0
        self._millis = millis
        self._pair = (app_key, app_secret)
        self._ends: dict[str, int] = {}
        self._renewals: dict[str, str] = {}

    def expire(self) -> None:
        """End every token now."""
        self._ends.clear()
        self._renewals.clear()

    def admit(self, token: str) -> None:
        """Let a call with a live token pass; raises No for any other call."""
        if self._ends.get(token, 0) <= self._millis():
            raise No(403, "未授权")
        if self.premature > 0:
            self.premature -= 1
            raise No(403, "未授权")

    def issue(self, app_key: str, app_secret: str) -> object:
        """Issue a token for the account's key and secret; raises No for wrong ones."""
        right = [
            hmac.compare_digest(given.encode(), ours.encode())
            for given, ours in zip((app_key, app_secret), self._pair, strict=True)
        ]
        if not all(right):
            raise No(403, "密钥无效")
        return self._new_pair(_FIRST_LIFE)

    def refresh(self, access: str, renewal: str, power_code: str) -> object:
        """Issue a token for one that has not ended; both of the old pair end."""
        known = self._renewals.get(access)
        if (
            self._ends.get(access, 0) <= self._millis()
            or known is None
            or known != renewal
            or power_code != POWER_CODE
        ):
            raise No(403, "未授权")
        del self._ends[access], self._renewals[access]
        return self._new_pair(_RENEWED_LIFE)

    def _new_pair(self, seconds: int) -> object:
        access = f"{secrets.token_urlsafe(12)}:{CORPORATION}"
        renewal = secrets.token_urlsafe(12)
        expires = self._millis() + seconds * 1000
        self._ends[access] = expires
        self._renewals[access] = renewal
        return {
            "value": {
                "accessToken": access,
                "refreshToken": renewal,
                "expireTime": expires,
                "corporationId": CORPORATION,
            }
        }
