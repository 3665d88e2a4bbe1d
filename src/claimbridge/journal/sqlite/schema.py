"""How a SQLite file gets from one version of our tables to the next.

``PRAGMA application_id`` says that a file is ours, ``PRAGMA user_version`` how many of MIGRATIONS
it has seen.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from claimbridge.errors import JournalError
from claimbridge.journal.sqlite.failures import FOREIGN, NEWER
from claimbridge.journal.sqlite.migrations import MIGRATIONS

APPLICATION_ID: Final = 0x436C4272
"""``ClBr``."""


def bring_up(
    connection: sqlite3.Connection,
    path: Path,
    migrations: Sequence[Sequence[str]] = MIGRATIONS,
) -> None:
    """Make the file a journal of the present version, in one transaction; leave others alone.

    Raises JournalError for a file that is not ours (CB-225) or newer than this program (CB-226);
    sqlite3.Error for the rest. Either way the file stays as it was.
    """
    if _version(connection, path, migrations) == 0:
        # Cannot be set inside a transaction, and stays set in the file.
        connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Again, now that nobody else can write: another process may have been faster.
        for statements in migrations[_version(connection, path, migrations) :]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(migrations)}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def is_current(
    connection: sqlite3.Connection,
    path: Path,
    migrations: Sequence[Sequence[str]] = MIGRATIONS,
) -> bool:
    """Whether the file has the present version; raises JournalError as ``bring_up`` does.

    Asked again in every write: a newer program may migrate a file that an older one has open.
    """
    return _version(connection, path, migrations) == len(migrations)


def _version(
    connection: sqlite3.Connection, path: Path, migrations: Sequence[Sequence[str]]
) -> int:
    application = _number(connection, "application_id")
    version = _number(connection, "user_version")
    if application != APPLICATION_ID and (application or version or _has_tables(connection)):
        raise JournalError(
            f"{path} is another program's database, not a journal of claimbridge; name another "
            "file. It was left as it is",
            code=FOREIGN,
        )
    if version > len(migrations):
        raise JournalError(
            f"journal {path} was written by a newer claimbridge (version {version}, this one "
            f"knows {len(migrations)}); upgrade claimbridge. It was left as it is",
            code=NEWER,
        )
    return version


def _has_tables(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is not None


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    value: int = connection.execute(f"PRAGMA {pragma}").fetchone()[0]
    return value


__all__ = ["APPLICATION_ID", "MIGRATIONS", "bring_up", "is_current"]
