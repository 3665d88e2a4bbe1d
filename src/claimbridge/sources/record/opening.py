"""The kinds of records, and how one is opened by its URL."""

from __future__ import annotations

from pathlib import Path

from claimbridge.clock import SYSTEM, Clock
from claimbridge.errors import JournalError
from claimbridge.journal.sqlite import journal_file
from claimbridge.journal.sqlite.failures import PLACE
from claimbridge.sources.record.record import SourceRecord
from claimbridge.sources.record.sqlite.store import MemoryRecordStore, SqliteRecordStore


class SqliteRecord(SourceRecord):
    """The record in the file of the SQLite journal at ``path``, created when missing.

    ``timeout`` is how many seconds a write waits for other programs.
    """

    def __init__(self, path: Path, *, clock: Clock = SYSTEM, timeout: float = 10.0) -> None:
        file = journal_file.ensure_file(path)
        super().__init__(SqliteRecordStore(file, timeout=timeout), clock=clock)


class MemoryRecord(SourceRecord):
    """A record in this process alone."""

    def __init__(self, *, clock: Clock = SYSTEM) -> None:
        super().__init__(MemoryRecordStore(), clock=clock)


def open_record(url: str, *, clock: Clock = SYSTEM) -> SourceRecord:
    """Open the record in the journal that ``url`` names, creating it when it is missing.

    ``memory:`` keeps it in this process alone. Raises JournalError as ``open_journal`` does.
    """
    if url == "memory:":
        return MemoryRecord(clock=clock)
    if not url.startswith("sqlite://"):
        raise JournalError(
            "a record of sources is kept beside an SQLite journal; use sqlite:///claims.db, "
            "sqlite:////path/claims.db, or memory:",
            code=PLACE,
        )
    return SqliteRecord(journal_file.path_of(url), clock=clock)


__all__ = ["MemoryRecord", "SqliteRecord", "open_record"]
