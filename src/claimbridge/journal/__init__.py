"""The journal: our durable record of every submission attempt.

``open_journal`` opens one by its URL; a journal of your own needs only to do what ``Journal``
says.
"""

from __future__ import annotations

from claimbridge.clock import SYSTEM, Clock
from claimbridge.errors import JournalError
from claimbridge.journal.base import Journal
from claimbridge.journal.memory import MemoryJournal
from claimbridge.journal.sqlite.failures import PLACE
from claimbridge.journal.sqlite.journal import SqliteJournal
from claimbridge.journal.sqlite.journal_file import path_of


def open_journal(url: str, *, clock: Clock = SYSTEM) -> Journal:
    """Open the journal that ``url`` names, creating it when it is missing.

    ``sqlite:///claims.db`` is relative to the working folder, ``sqlite:////var/lib/claims.db``
    absolute; ``memory:`` forgets everything when the process ends. Raises JournalError: CB-227
    for a URL or place where no journal can be kept, and what SqliteJournal raises.
    """
    if url == "memory:":
        return MemoryJournal(clock=clock)
    if url.startswith("sqlite://"):
        return SqliteJournal(path_of(url), clock=clock)
    # The rest of a URL may hold a password: only its scheme is repeated.
    scheme, colon, _ = url.partition(":")
    if scheme in ("postgres", "postgresql"):
        what = "there is no PostgreSQL journal yet"
    elif colon:
        what = f"there is no journal of the kind {scheme!r}"
    else:
        what = f"{url!r} is not a URL"
    raise JournalError(
        f"{what}; use sqlite:///claims.db (relative), sqlite:////path/claims.db, or memory:",
        code=PLACE,
    )


__all__ = ["Journal", "MemoryJournal", "SqliteJournal", "open_journal"]
