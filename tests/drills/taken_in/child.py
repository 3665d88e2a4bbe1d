"""The process that is killed: it makes one pass of a folder, and dies at a step of its choosing."""

from __future__ import annotations

import functools
import os
import signal
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeVar

from claimbridge.client import Client
from claimbridge.journal.sqlite.group import GroupCommit
from claimbridge.soap.transport import Transport
from claimbridge.sources.intake import Intake
from claimbridge.sources.record import open_record
from claimbridge.sources.settings import journal_of, load_source, open_source

T = TypeVar("T")

STEPS: tuple[tuple[type, str], ...] = (
    (GroupCommit, "write"),  # every durable write, of the record and of the journal
    (Transport, "post"),
    (Path, "rename"),  # files that move, and reasons that are written
)


class Steps:
    """Counts the steps of this process, and kills it before or after the ``fatal``-th."""

    def __init__(self, fatal: int | None, *, after: bool) -> None:
        self.taken = 0
        self._fatal = fatal
        self._after = after
        self._lock = threading.Lock()

    def watch(self) -> None:
        """Count every call of STEPS from now on."""
        for owner, name in STEPS:
            setattr(owner, name, self._counted(getattr(owner, name)))

    def _counted(self, call: Callable[..., T]) -> Callable[..., T]:
        @functools.wraps(call)
        def counting(*arguments: Any, **options: Any) -> T:
            with self._lock:
                self.taken += 1
                fatal = self.taken == self._fatal
            if fatal and not self._after:
                os.kill(os.getpid(), signal.SIGKILL)
            result = call(*arguments, **options)
            if fatal:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return counting


def once(config: Path) -> Intake:
    """Make one pass of the source ``inbox``; return the intake with its report."""
    configured = load_source(config, "inbox")
    record = open_record(journal_of(config, configured))
    source = open_source(configured, record)
    client = Client.from_config(config)
    try:
        intake = Intake(source, config=configured, record=record, clients=lambda _: client)
        for _ in intake.run():
            pass
        return intake
    finally:
        client.close()
        source.close()
        record.close()


def run(config: Path, fatal: int | None, after: bool, steps: Connection) -> None:
    """Be the process; send how many steps it took, if it lives."""
    counted = Steps(fatal, after=after)
    counted.watch()
    once(config)
    steps.send(counted.taken)
    steps.close()


__all__ = ["STEPS", "once", "run"]
