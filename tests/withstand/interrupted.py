"""The process that gets a Ctrl-C."""

from __future__ import annotations

import os
import signal
from typing import Final

from tests.withstand.scene import PROFILES, SENDERS, chart, contract

from claimbridge.config import LedgerConfig
from claimbridge.model import Claim

INTERRUPTED: Final = 130
"""The exit code of a process that ended by KeyboardInterrupt."""


def submit_until_interrupted(kind: str, config: LedgerConfig, mine: Claim) -> None:
    """Submit a claim; exit with 130 after a KeyboardInterrupt."""
    # A process started in the background ignores SIGINT until it is told otherwise.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with SENDERS[kind](config) as sender:
            sender.submit(mine)
    except KeyboardInterrupt:
        os._exit(INTERRUPTED)


# Imported by the fork server: each of its children has them at once.
for _profile in PROFILES:
    contract(_profile)
chart()
