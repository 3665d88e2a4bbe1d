"""The processes that get a Ctrl-C, or end in the middle without a word."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from typing import Final

from tests.withstand.division.short_documents import ShortDocuments
from tests.withstand.scene import PROFILES, SENDERS, chart, contract
from tests.withstand.watched import Watched

from claimbridge.client import Client
from claimbridge.config import LedgerConfig
from claimbridge.journal import Journal, SqliteJournal
from claimbridge.ledger import Ledger
from claimbridge.model import Claim, Submission

INTERRUPTED: Final = 130
"""The exit code of a process that ended by KeyboardInterrupt."""
ENDED: Final = 77
"""The exit code of a process that ended itself at a write to the journal."""


def submit_until_interrupted(kind: str, config: LedgerConfig, mine: Claim) -> None:
    """Submit a claim; exit with 130 after a KeyboardInterrupt."""
    # A process started in the background ignores SIGINT until it is told otherwise.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with SENDERS[kind](config) as sender:
            sender.submit(mine)
    except KeyboardInterrupt:
        os._exit(INTERRUPTED)


class Stops(Watched):
    """Stops the process (SIGSTOP) once it has begun a flight, or once it knows it for its own."""

    def __init__(self, journal: Journal, when: str) -> None:
        super().__init__(journal, after=self._begun)
        self._when = when
        self._stopped = False

    def _begun(self, number: int) -> None:
        if self._when == "begun":
            self._stop()

    def owns(self, flights: Sequence[Submission]) -> bool:
        ours = super().owns(flights)
        if self._when == "checked":
            self._stop()
        return ours

    def _stop(self) -> None:
        if not self._stopped:
            self._stopped = True
            os.kill(os.getpid(), signal.SIGSTOP)


def submit_and_stop(kind: str, config: LedgerConfig, mine: Claim, when: str) -> None:
    """Submit a claim in a process that stands still right before it sends; exit with 0."""
    journal = Stops(SqliteJournal(config.journal.removeprefix("sqlite:///")), when)
    with SENDERS[kind](config, journal=journal) as sender:
        sender.submit(mine)
    os._exit(0)


def submit_divided_until(config: LedgerConfig, mine: Claim, write: int, when: str) -> None:
    """Submit to an ERP of short documents; end before or after that write to the journal."""
    divided_until(config, mine, "submit", write, when)


def divided_until(config: LedgerConfig, mine: Claim, what: str, write: int, when: str) -> None:
    """Submit or reverse a divided claim; end before or after that write to the journal."""

    def end(number: int) -> None:
        if number == write:
            os._exit(ENDED)

    journal = Watched(SqliteJournal(config.journal.removeprefix("sqlite:///")), **{when: end})
    ledger = Ledger(config, profile=ShortDocuments(), contract=contract("reference"), chart=chart())
    with Client(config, ledger=ledger, journal=journal) as sender:
        if what == "submit":
            sender.submit(mine)
        else:
            sender.reverse(mine.id)
    os._exit(0)


# Imported by the fork server: each of its children has them at once.
for _profile in PROFILES:
    contract(_profile)
chart()
