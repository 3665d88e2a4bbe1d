"""A Hesi in the sandbox, and claimbridge's client of it: what the tests of write-backs stand on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager

from claimbridge.clock import SYSTEM, Uptime
from claimbridge.config import Timeouts
from claimbridge.sandbox import Hesi, Node, Sandbox
from claimbridge.sources.hesi.api.client import HesiClient
from claimbridge.sources.hesi.api.http import Secret
from claimbridge.sources.hesi.api.settings import HesiSettings
from claimbridge.sources.hesi.api.token import HesiKeys
from claimbridge.sources.hesi.writeback import HesiWriteBackPort

EBOT = Node("FLOW:1", "ERP check", ebot=True)
CASHIER = Node("FLOW:2", "出纳支付")
SIGN_KEY = "sandbox-sign-key"
AT_ONCE = dt.timedelta(0)


class Skipping:
    """The system's clock, whose steady count can be moved on: waits are over at once."""

    def __init__(self) -> None:
        self.skipped = 0.0

    def now(self) -> dt.datetime:
        return SYSTEM.now()

    def monotonic(self) -> float:
        return SYSTEM.monotonic() + self.skipped

    def uptime(self) -> Uptime:
        return Uptime("test", self.monotonic())


class Stage:
    """One Hesi, its sandbox, a client and its answers."""

    def __init__(self, hesi: Hesi, sandbox: Sandbox, *, total: float = 0.5) -> None:
        self.hesi = hesi
        self.sandbox = sandbox
        self.clock = Skipping()
        self.total = total
        self.client = self.new_client()

    def new_client(self) -> HesiClient:
        settings = HesiSettings(
            app_key="env:UNUSED",
            app_secret="env:UNUSED",
            address=self.sandbox.url("hesi"),
            timeouts=Timeouts(connect=1, total=self.total),
            rate=1000,
            retries=0,
            backoff=0,
        )
        keys = HesiKeys(Secret("sandbox-app-key"), Secret("sandbox-secret"))
        return HesiClient(settings, keys, clock=self.clock, pause=lambda _seconds: None)

    def answers(
        self, *, quiet: dt.timedelta = AT_ONCE, sign_key: str = SIGN_KEY, node: str = EBOT.name
    ) -> HesiWriteBackPort:
        return HesiWriteBackPort(
            self.client, sign_key=sign_key, node=node, payments=True, quiet=quiet, clock=self.clock
        )

    def calls(self, operation: str) -> int:
        return self.sandbox.requests().get(f"hesi_{operation}", 0)


@contextmanager
def stage(*, late: float = 0.0, total: float = 0.5) -> Iterator[Stage]:
    """Serve a Hesi, and give it and a client of it."""
    hesi = Hesi(late=late)
    with Sandbox(profiles=[], hesi=hesi) as sandbox:
        built = Stage(hesi, sandbox, total=total)
        try:
            yield built
        finally:
            built.client.close()
