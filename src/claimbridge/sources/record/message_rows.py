"""Deliveries and hints as rows: their statements.

Each function runs inside a transaction that its caller opened, or is one statement.
"""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Sequence

from claimbridge.sources.record.arrivals import Delivery, Hint
from claimbridge.sources.record.rows import stamp, storable

# Deliveries


def add_delivery(
    connection: sqlite3.Connection, source: str, digest: str, body: bytes, now: dt.datetime
) -> bool:
    """Keep a body; False when it is there already."""
    done = connection.execute(
        "INSERT INTO deliveries (source, digest, body, received_at) VALUES (?, ?, ?, ?) "
        "ON CONFLICT DO NOTHING",
        (source, digest, body, stamp(now)),
    )
    return done.rowcount == 1


def read_deliveries(
    connection: sqlite3.Connection, source: str, after: int, limit: int
) -> list[Delivery]:
    """Return bodies with numbers above ``after``, oldest first."""
    rows = connection.execute(
        "SELECT id, digest, body FROM deliveries WHERE source = ? AND id > ? ORDER BY id LIMIT ?",
        (source, after, limit),
    )
    return [Delivery(*row) for row in rows.fetchall()]


# Hints


def add_hints(connection: sqlite3.Connection, source: str, keys: Sequence[str]) -> None:
    """Keep hints; one that is there already gets a new number."""
    connection.executemany(
        "INSERT OR REPLACE INTO hints (source, document) VALUES (?, ?)",
        [(source, storable(key)) for key in keys],
    )


def read_hints(connection: sqlite3.Connection, source: str, after: int, limit: int) -> list[Hint]:
    """Return hints with numbers above ``after``, oldest first."""
    rows = connection.execute(
        "SELECT id, document FROM hints WHERE source = ? AND id > ? ORDER BY id LIMIT ?",
        (source, after, limit),
    )
    return [Hint(*row) for row in rows.fetchall()]


def clear_hints(connection: sqlite3.Connection, source: str, upto: int, key: str | None) -> None:
    """Forget hints with numbers up to ``upto``, of one document or of all."""
    connection.execute(
        "DELETE FROM hints WHERE source = ? AND id <= ? AND document = coalesce(?, document)",
        (source, upto, None if key is None else storable(key)),
    )
