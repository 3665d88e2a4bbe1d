"""The sources of a configuration, and the record that each shares with a journal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from claimbridge.errors import ConfigurationError
from claimbridge.sources.record import SourceRecord, open_record
from claimbridge.sources.settings import SourceConfig, journal_of, load_source, sources_in


def source_configs(config: Path, name: str | None) -> list[SourceConfig]:
    """Return the configuration of one source, or of all; raises ConfigurationError for none."""
    names = [name] if name is not None else list(sources_in(config))
    if not names:
        raise ConfigurationError(f"{config} has no [source.NAME]", code="CB-531")
    return [load_source(config, each) for each in names]


@contextmanager
def record_of(config: Path, source: SourceConfig) -> Iterator[SourceRecord]:
    """Open the record that a source shares with the journal of its ledgers."""
    record = open_record(journal_of(config, source))
    try:
        yield record
    finally:
        record.close()


__all__ = ["record_of", "source_configs"]
