"""The ERP of the drill: a sandbox in a process of its own, with a file that survives kill -9."""

from __future__ import annotations

from http.client import HTTPConnection
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from claimbridge.sandbox import LedgerRow, Sandbox


class Erp:
    """A sandbox that can be killed and started again, on the same port with the same ledger."""

    def __init__(self, context: ForkServerContext, state: Path, *, profile: str) -> None:
        self._context = context
        self._state = state
        self._profile = profile
        self._process: ForkServerProcess | None = None
        self.port: int = 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()

    def start(self) -> None:
        """Serve; return when connections are taken in."""
        reader, writer = self._context.Pipe(duplex=False)
        arguments = (self._state, self.port, self._profile, writer)
        self._process = self._context.Process(target=_serve, args=arguments)
        self._process.start()
        writer.close()
        with reader:
            self.port = reader.recv()

    def kill(self) -> None:
        """Kill it as by ``kill -9``; return when it is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.join()

    @property
    def runs(self) -> bool:
        """Whether it has not been killed."""
        return self._process is not None and self._process.is_alive()

    def ledger(self) -> list[LedgerRow]:
        """Return what the ledger holds, as the sandbox's own page lists it."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("GET", "/sandbox/ledger")
            return msgspec.json.decode(connection.getresponse().read(), type=list[LedgerRow])
        finally:
            connection.close()


def _serve(state: Path, port: int, profile: str, started: Connection) -> None:
    def announce(erp: Sandbox) -> None:
        started.send(erp.port)
        started.close()

    Sandbox(state=state, port=port, profiles=[profile]).serve(announce)
