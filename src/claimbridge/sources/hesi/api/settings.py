"""The table ``[source.NAME]`` of a Hesi: where it is, how it is asked, how its forms are read."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from claimbridge.bounds import check_numbers
from claimbridge.config import Timeouts, check_proxy, read_password, read_proxy
from claimbridge.errors import ConfigurationError
from claimbridge.model.zones import find_zone
from claimbridge.places import path_in
from claimbridge.soap.transport.settings import TransportSettings


class HesiSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One Hesi as configured; it holds no secret and pickles.

    ``address`` is the beginning of every URL. ``app_key`` and ``app_secret`` are references
    (``env:NAME``, ``file:PATH``, ``keyring:SERVICE/USER``) to 接入账号 and 接入密码. ``map`` is
    the field map's file. ``power_code`` is the 功能授权码 with which a token is refreshed instead
    of being asked for anew; empty: it is always asked for anew. ``forms`` are the form types that
    are read, ``states`` those in which a document is approved, ``withdrawn`` those into which one
    may fall back from there. ``begin`` is the day from which documents are read at all; None: from
    the first one. ``time_zone`` is where Hesi's days begin. ``page_size`` is Hesi's limit of 100
    at most; ``overlap`` is how many seconds before its mark every reading begins again; ``rate``
    how many calls a second may be made. ``retries``, ``backoff`` and ``longest_wait`` (seconds)
    are for reads only. ``reply_limit`` is in bytes. ``proxy`` is as a ledger's; ``ca`` a PEM file
    of further trust anchors for TLS. ``folder`` is where relative paths start.

    What goes back: ``vouchers`` brings the journal entry's number. ``node`` is the name of the
    EBot node at which documents wait for the ledger, "" for none; ``sign_key`` the reference to
    its 签名秘钥, which the receiver of messages needs, too. ``payments`` reports what the
    ledger paid. ``quiet`` is how many seconds a call whose answer was lost may still arrive.
    ``messages`` has Hesi's log of failed messages read for what the receiver missed.
    """

    app_key: str
    app_secret: str
    map: str = "hesi-map.toml"
    name: str = "hesi"
    address: str = "https://app.ekuaibao.com"
    power_code: str = ""
    forms: tuple[str, ...] = ("expense",)
    states: tuple[str, ...] = ("paid", "archived")
    withdrawn: tuple[str, ...] = ("nullify", "rejected")
    begin: dt.date | None = None
    time_zone: str = "Asia/Shanghai"
    page_size: int = 100
    overlap: int = 300
    rate: float = 5.0
    retries: int = 3
    backoff: float = 0.5
    longest_wait: float = 30.0
    timeouts: Timeouts = Timeouts()
    reply_limit: int = 50_000_000
    proxy: str | None = None
    ca: str | None = None
    vouchers: bool = True
    node: str = ""
    sign_key: str = ""
    payments: bool = False
    quiet: float = 60.0
    messages: bool = False
    folder: str = "."

    def __post_init__(self) -> None:
        check_proxy(self.proxy, what=f"source {self.name}: proxy")
        check_numbers("hesi", self, where=f"source {self.name}: ", code="CB-510")
        for field in ("forms", "states"):
            if not getattr(self, field):
                raise self._wrong(f"{field} is empty: nothing would ever be read")
        if self.node and not self.sign_key:
            raise self._wrong("node needs sign_key: Hesi takes no decision without it")
        _ = self.zone

    @property
    def zone(self) -> ZoneInfo:
        """The time zone in which Hesi's days begin."""
        try:
            return find_zone(self.time_zone)
        except ValueError as error:
            raise self._wrong(f"time_zone {self.time_zone[:40]!r} {error}") from None

    def path(self, value: str) -> Path:
        """Return a configured path, from the configuration's own folder where it is relative.

        Raises ConfigurationError where it begins with the home of a user whom nobody knows.
        """
        try:
            return path_in(self.folder, value)
        except ValueError as error:
            raise self._wrong(str(error)) from error

    def transport(self) -> TransportSettings:
        """Return how to reach it; raises ConfigurationError for what could not be safe."""
        if "?" in self.address:
            raise self._wrong("address has a query (?…); give the part before it")
        ca = None
        if self.ca is not None:
            try:
                ca = self.path(self.ca).read_bytes()
            except OSError as error:
                raise self._wrong(f"cannot read ca {self.ca}: {error.strerror}") from error
        return TransportSettings(
            self.address,
            connect=self.timeouts.connect,
            total=self.timeouts.total,
            proxy=read_proxy(self.proxy, self, what=f"proxy of source {self.name}"),
            ca=ca,
            reply_limit=self.reply_limit,
        )

    def secrets(self) -> tuple[str, str]:
        """Return 接入账号 and 接入密码; raises ConfigurationError or KeyUnavailable."""
        return (
            read_password(self.app_key, self, what=f"app_key of source {self.name}"),
            read_password(self.app_secret, self, what=f"app_secret of source {self.name}"),
        )

    def signing_key(self) -> str:
        """Return 签名秘钥, "" where there is none; raises ConfigurationError or KeyUnavailable."""
        if not self.sign_key:
            return ""
        return read_password(self.sign_key, self, what=f"sign_key of source {self.name}")

    def _wrong(self, what: str) -> ConfigurationError:
        return ConfigurationError(f"source {self.name}: {what}", code="CB-510")
