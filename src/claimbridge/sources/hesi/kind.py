"""The kind of source ``hesi``: a Hesi as configured, with its hints and its write-backs."""

from __future__ import annotations

import datetime as dt

from claimbridge.clock import SYSTEM, Clock
from claimbridge.sources.hesi.api.settings import HesiSettings
from claimbridge.sources.hesi.hook import hints_from_log
from claimbridge.sources.hesi.source import HesiSource
from claimbridge.sources.hesi.writeback import HesiWriteBackPort
from claimbridge.sources.hints import SourceWithHints
from claimbridge.sources.record import SourceRecord
from claimbridge.sources.settings import SourceConfig


def hesi_source(
    config: SourceConfig, record: SourceRecord, *, clock: Clock = SYSTEM
) -> SourceWithHints:
    """Return the source of kind ``hesi`` that ``config`` describes.

    Raises ConfigurationError or KeyUnavailable for what it needs.
    """
    settings = config.settings(HesiSettings)
    sign_key = settings.signing_key() if settings.node else ""
    source = HesiSource.from_settings(settings, clock=clock)
    port = HesiWriteBackPort(
        source.client,
        source=config.name,
        sign_key=sign_key,
        node=settings.node,
        vouchers=settings.vouchers,
        payments=settings.payments,
        quiet=dt.timedelta(seconds=settings.quiet),
        clock=clock,
    )

    def catch_up() -> None:
        if settings.messages:
            hints_from_log(source.client, record, source=config.name, clock=clock)

    return SourceWithHints(source, record, port=port, catch_up=catch_up)
