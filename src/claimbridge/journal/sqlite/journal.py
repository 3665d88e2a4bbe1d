"""The journal in one SQLite file: durable, shared by threads and processes of one machine.

What a returned write promises. The file is in WAL mode with ``synchronous=FULL``: a commit appends
to the ``-wal`` file and returns only after ``fsync`` of that file. So a committed write survives
the death of the process and of the operating system. It survives a power cut, too, as far as the
disk keeps what it has confirmed. With ``synchronous=NORMAL`` a power cut would lose the last
commits. A checkpoint copies pages into the main file and syncs that before the ``-wal`` is used
again. Readers see the last commit and never wait for a writer. Nobody sees a write that raises. One
exception: where the sync itself failed and the machine dies next, the write may be found after all,
as a flight in doubt or an end that did take place.

Beside ``claims.db`` lie SQLite's ``-wal`` and ``-shm``, ``claims.db-writer`` (whose turn it is to
write), and one ``claims.db-owner-…`` per process with flights (see ``owners``). ``claims.db-mark``
shows when a journal is not the newest (see ``newest``). A backup does not hold the mark. Whoever
moves a journal moves the mark too. To copy a journal use ``VACUUM INTO`` or SQLite's backup, never
``cp`` of the main file alone.
"""

from __future__ import annotations

from pathlib import Path

from claimbridge.clock import SYSTEM, Clock
from claimbridge.journal.keeper import Keeper
from claimbridge.journal.sqlite import journal_file
from claimbridge.journal.sqlite.owners import FileOwners
from claimbridge.journal.sqlite.store import SqliteStore


class SqliteJournal(Keeper):
    """The journal in the SQLite file at ``path``, created when missing.

    ``timeout`` is how many seconds a write waits for other programs; ``group`` how many writes of
    this process may share one transaction. Raises JournalError when the file cannot be used.
    Safe for threads. After a fork the child's copy is another owner, with connections of its own.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        clock: Clock = SYSTEM,
        timeout: float = 10.0,
        group: int = 256,
    ) -> None:
        file = journal_file.ensure_file(Path(path))
        store = SqliteStore(file, timeout=timeout, group=group)
        super().__init__(store, FileOwners(file), clock=clock)


__all__ = ["SqliteJournal"]
