"""A Hesi as configured, whole: read, hinted at, and answered."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from claimbridge.clock import SYSTEM, Clock
from claimbridge.sources.hesi.hook import HesiHook, missed_messages
from claimbridge.sources.hesi.settings import HesiSettings
from claimbridge.sources.hesi.source import HesiSource
from claimbridge.sources.hesi.writeback import HesiAnswers
from claimbridge.sources.hints import Hinted
from claimbridge.sources.record import SourceRecord, open_record
from claimbridge.sources.settings import SourceConfig, journal_of, load_source


def hesi_source(config: SourceConfig, record: SourceRecord, *, clock: Clock = SYSTEM) -> Hinted:
    """Return the source of kind ``hesi`` that ``config`` describes.

    Raises ConfigurationError or KeyUnavailable for what it needs.
    """
    settings = config.settings(HesiSettings)
    sign_key = settings.signing_key() if settings.node else ""
    source = HesiSource.from_settings(settings, clock=clock)
    answers = HesiAnswers(
        source.client,
        source=config.name,
        sign_key=sign_key,
        node=settings.node,
        vouchers=settings.vouchers,
        payments=settings.payments,
        quiet=dt.timedelta(seconds=settings.quiet),
        clock=clock,
    )

    def missed() -> None:
        if settings.messages:
            missed_messages(source.client, record, source=config.name, clock=clock)

    return Hinted(source, record, answers=answers, missed=missed)


def open_hook(path: str | Path, *, source: str = "hesi") -> HesiHook:
    """Return the receiver of a configured Hesi's messages, as an ASGI application.

    Its hints go where `claimbridge intake` with the same configuration finds them. Raises
    ConfigurationError CB-560 without a ``sign_key``, JournalError when the record cannot be opened.
    """
    config = load_source(path, source)
    sign_key = config.settings(HesiSettings).signing_key()
    return HesiHook(open_record(journal_of(path, config)), sign_key=sign_key, source=source)
