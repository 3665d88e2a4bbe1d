"""The table ``[source.NAME]`` of a Hesi: where it is, how it is asked, how its forms are read."""

from __future__ import annotations

from typing import Final

import msgspec

from claimbridge.config import Timeouts
from claimbridge.errors import ConfigurationError


class HesiSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One Hesi as configured; it holds no secret and pickles.

    ``address`` is the beginning of every URL. ``app_key`` and ``app_secret`` are references
    (``env:NAME``, ``file:PATH``, ``keyring:SERVICE/USER``) to 接入账号 and 接入密码. ``map`` is
    the field map's file. ``power_code`` is the 功能授权码 with which a token is renewed instead
    of being asked for anew; empty: it is always asked for anew. ``forms`` and ``states`` are
    what is read. ``time_zone`` is where a day of Hesi's begins. ``page_size`` is Hesi's limit of
    100 at most; ``overlap`` is how many seconds before the mark every reading begins again;
    ``rate`` how many calls a second may be made at most. ``retries`` and ``backoff`` (seconds)
    are for reads only. ``proxy`` is a URL; ``ca`` a PEM file of further trust anchors for TLS.
    """

    app_key: str
    app_secret: str
    map: str = "hesi-map.toml"
    name: str = "hesi"
    address: str = "https://app.ekuaibao.com"
    power_code: str = ""
    forms: tuple[str, ...] = ("expense",)
    states: tuple[str, ...] = ("paid", "archived")
    time_zone: str = "Asia/Shanghai"
    page_size: int = 100
    overlap: int = 300
    rate: float = 5.0
    retries: int = 3
    backoff: float = 0.5
    timeouts: Timeouts = Timeouts()
    reply_limit: int = 50_000_000
    proxy: str | None = None
    ca: str | None = None
    folder: str = "."

    def __post_init__(self) -> None:
        for field, low, high in _RANGES:
            if not low <= getattr(self, field) <= high:
                raise ConfigurationError(
                    f"source {self.name}: {field} must be from {low} to {high}", code="CB-251"
                )


_RANGES: Final = (
    ("page_size", 1, 100),
    ("overlap", 1, 86_400),
    ("rate", 0.01, 1000),
    ("retries", 0, 20),
    ("backoff", 0, 3600),
    ("reply_limit", 1000, 1_000_000_000),
)
