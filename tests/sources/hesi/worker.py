"""A process that brings write-backs to Hesi until none is open; killed by its test at random.

    python -m tests.sources.hesi.worker RECORD ADDRESS

It says "ready" when it begins, so that a kill strikes its work and not its imports.
"""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path

from claimbridge.sources.hesi.api.client import HesiClient
from claimbridge.sources.hesi.api.http import Secret
from claimbridge.sources.hesi.api.settings import HesiSettings
from claimbridge.sources.hesi.api.token import HesiKeys
from claimbridge.sources.hesi.writeback import HesiWriteBackPort
from claimbridge.sources.intake.carrier import Carrier
from claimbridge.sources.record import SqliteRecord


def main(record_path: str, address: str) -> None:
    settings = HesiSettings(
        app_key="env:UNUSED", app_secret="env:UNUSED", address=address, rate=1000, backoff=0.01
    )
    client = HesiClient(settings, HesiKeys(Secret("sandbox-app-key"), Secret("sandbox-secret")))
    answers = HesiWriteBackPort(
        client,
        sign_key="sandbox-sign-key",
        node="ERP check",
        payments=True,
        quiet=dt.timedelta(seconds=0.2),
    )
    record = SqliteRecord(Path(record_path))
    print("ready", flush=True)
    with record.turn("hesi"):
        while found := record.open_write_backs("hesi"):
            for write_back in found:
                Carrier(answers, record).carry(write_back)


if __name__ == "__main__":
    main(*sys.argv[1:])
