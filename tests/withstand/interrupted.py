"""The processes that get a Ctrl-C, or end in the middle without a word."""

from __future__ import annotations

import os
import signal
from typing import Final

from tests.withstand.scene import PROFILES, SENDERS, chart, contract
from tests.withstand.short_documents import ShortDocuments
from tests.withstand.watched import Watched

from claimbridge.client import Client
from claimbridge.config import LedgerConfig
from claimbridge.journal import SqliteJournal
from claimbridge.ledger import Ledger
from claimbridge.model import Claim

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


def submit_divided_until(config: LedgerConfig, mine: Claim, write: int, when: str) -> None:
    """Submit to an ERP of short documents; end before or after that write to the journal."""

    def end(number: int) -> None:
        if number == write:
            os._exit(ENDED)

    journal = Watched(SqliteJournal(config.journal.removeprefix("sqlite:///")), **{when: end})
    ledger = Ledger(config, profile=ShortDocuments(), contract=contract("reference"), chart=chart())
    with Client(config, ledger=ledger, journal=journal) as sender:
        sender.submit(mine)
    os._exit(0)


# Imported by the fork server: each of its children has them at once.
for _profile in PROFILES:
    contract(_profile)
chart()
