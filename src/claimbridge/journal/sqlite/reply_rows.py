"""What was read of an ERP, as rows: cursors of its changes, seals of its signed replies."""

from __future__ import annotations

import datetime as dt
import sqlite3
from typing import Final

from claimbridge.journal.sqlite.values import text_of

_SET_CURSOR: Final = """
INSERT INTO cursors (ledger, cursor, updated_at) VALUES (?, ?, ?)
ON CONFLICT (ledger) DO UPDATE SET cursor = excluded.cursor, updated_at = excluded.updated_at
"""


def read_cursor(connection: sqlite3.Connection, book: str) -> str:
    """Return a ledger's cursor; "" when there is none."""
    row = connection.execute("SELECT cursor FROM cursors WHERE ledger = ?", (book,)).fetchone()
    return str(row[0]) if row else ""


def write_cursor(connection: sqlite3.Connection, book: str, cursor: str, now: dt.datetime) -> None:
    """Keep a ledger's cursor."""
    connection.execute(_SET_CURSOR, (book, cursor, text_of(now)))


def write_seal(
    connection: sqlite3.Connection, book: str, seal: str, until: dt.datetime, oldest: dt.datetime
) -> bool:
    """Keep a seal, and forget those of before ``oldest``; False when it was there."""
    connection.execute("DELETE FROM replies WHERE until < ?", (text_of(oldest),))
    done = connection.execute(
        "INSERT OR IGNORE INTO replies (ledger, seal, until) VALUES (?, ?, ?)",
        (book, seal, text_of(until)),
    )
    return done.rowcount == 1


__all__ = ["read_cursor", "write_cursor", "write_seal"]
