"""The session that a ledger is logged in by, and the cookies that belong to it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from email.utils import parsedate_to_datetime
from typing import Final

# RFC 6265 §4.1.1, as §5.2 takes it: what a browser would send back is sent back. What no header of
# ours can carry is not: the request would be refused for it.
_COOKIE: Final = re.compile(r"\s*([!#$%&'*+.^_`|~0-9A-Za-z-]{1,256})\s*=([\x20-\x7e]{0,4096})\Z")
_MOST: Final = 60
"""Cookies of one session; RFC 6265 §6.1 asks for 50 of a domain."""
_EXPIRED: Final = dt.timedelta(days=1)
"""How long ago a cookie must have expired: the ERP's clock and ours differ."""


class Session:
    """One session: its id, "" where there is no login, and its cookies; threads may share it.

    Cookies belong to whom they were given: to all exchanges of a session that was logged in to, and
    else to one exchange. Path and domain are not looked at: there is one ERP.
    """

    __slots__ = ("_cookies", "id")

    def __init__(self) -> None:
        self.id: str = ""
        self._cookies: dict[str, str] = {}

    @property
    def cookies(self) -> Mapping[str, str]:
        """What is to be sent back now, by name."""
        return dict(self._cookies)

    def take(self, headers: Iterable[str], *, now: dt.datetime) -> None:
        """Take what a reply's Set-Cookie headers say; one that has expired takes its cookie away.

        Each step is one operation on a dict, so that threads need no lock.
        """
        for header in headers:
            pair, _, attributes = header.partition(";")
            cookie = _COOKIE.match(pair.rstrip())
            if cookie is None:
                continue
            if _is_over(attributes, now):
                self._cookies.pop(cookie[1], None)
            elif cookie[1] in self._cookies or len(self._cookies) < _MOST:
                self._cookies[cookie[1]] = cookie[2].strip()


class Sessions:
    """The session that a ledger's threads share; None while there is none.

    One at a time logs in: an ERP may end a user's older session when a new one begins.
    """

    def __init__(self) -> None:
        self.current: Session | None = None
        self._turn: dict[str, object] = {}

    def begin(self, who: object) -> bool:
        """Take the turn to log in; False while another has it."""
        # One operation on a dict: there is no lock that an exception could leave held.
        return self._turn.setdefault("turn", who) is who

    def end(self, who: object) -> None:
        """Give the turn back; nothing, where ``who`` does not have it."""
        if self._turn.get("turn") is who:
            self._turn.pop("turn", None)

    def keep(self, session: Session) -> None:
        """Let others use a session that was begun."""
        self.current = session

    def drop(self, session: Session) -> None:
        """Forget a session that is dead, unless another thread has begun a new one already."""
        if self.current is session:
            self.current = None


def _is_over(attributes: str, now: dt.datetime) -> bool:
    """Say whether a cookie's attributes take it away (RFC 6265 §5.2.1 and §5.2.2)."""
    values = dict(_attribute(text) for text in attributes.split(";"))
    age = values.get("max-age", "")
    if re.fullmatch(r"-?[0-9]{1,18}", age):
        return int(age) <= 0
    try:
        expires = parsedate_to_datetime(values["expires"])
        return expires < now - _EXPIRED
    except (KeyError, ValueError, TypeError, OverflowError):
        # TypeError: a date with the zone -0000 is naive.
        return False


def _attribute(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name.strip().lower(), value.strip()


__all__ = ["Session", "Sessions"]
