"""The journal: our durable record of every submission attempt.

``open_journal`` opens one by its URL. ``Journal`` is what callers see. To keep one elsewhere, write
a ``Store`` and its ``Owners``, and give both to a ``Keeper``, which has the rules.
"""

from __future__ import annotations

from claimbridge.clock import SYSTEM, Clock
from claimbridge.errors import JournalError
from claimbridge.journal.base import Journal
from claimbridge.journal.elsewhere import Presence
from claimbridge.journal.keeper import Keeper
from claimbridge.journal.memory import MemoryJournal
from claimbridge.journal.newest import Evidence, Lineage, Mark
from claimbridge.journal.ports import (
    Aloft,
    ClaimWrite,
    Judge,
    Owners,
    Store,
    StoredSubmission,
    Surroundings,
)
from claimbridge.journal.sqlite.failures import PLACE
from claimbridge.journal.sqlite.journal import SqliteJournal
from claimbridge.journal.sqlite.journal_file import path_of
from claimbridge.journal.writes import Write


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


__all__ = [
    "Aloft",
    "ClaimWrite",
    "Evidence",
    "Journal",
    "Judge",
    "Keeper",
    "Lineage",
    "Mark",
    "MemoryJournal",
    "Owners",
    "Presence",
    "SqliteJournal",
    "Store",
    "StoredSubmission",
    "Surroundings",
    "Write",
    "open_journal",
]
