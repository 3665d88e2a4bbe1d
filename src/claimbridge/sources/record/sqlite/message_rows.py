"""Deliveries and hints as rows of SQLite."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Sequence

from claimbridge.journal.sqlite.values import text_of
from claimbridge.sources.record.arrivals import Delivery, Hint


class SqliteMessageRows:
    """``MessageRows`` by one connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def add_delivery(self, source: str, digest: str, body: bytes, at: dt.datetime) -> bool:
        """Keep a body; False when its digest is there already."""
        done = self._connection.execute(
            "INSERT INTO deliveries (source, digest, body, received_at) VALUES (?, ?, ?, ?) "
            "ON CONFLICT DO NOTHING",
            (source, digest, body, text_of(at)),
        )
        return done.rowcount == 1

    def deliveries(self, source: str, *, after: int, limit: int) -> list[Delivery]:
        """Return bodies with numbers above ``after``, oldest first."""
        rows = self._connection.execute(
            "SELECT id, digest, body FROM deliveries WHERE source = ? AND id > ? "
            "ORDER BY id LIMIT ?",
            (source, after, limit),
        )
        return [Delivery(*row) for row in rows.fetchall()]

    def add_hints(self, source: str, keys: Sequence[str]) -> None:
        """Keep hints; one that is there already gets a new number."""
        self._connection.executemany(
            "INSERT OR REPLACE INTO hints (source, document) VALUES (?, ?)",
            [(source, key) for key in keys],
        )

    def hints(self, source: str, *, after: int, limit: int) -> list[Hint]:
        """Return hints with numbers above ``after``, oldest first."""
        rows = self._connection.execute(
            "SELECT id, document FROM hints WHERE source = ? AND id > ? ORDER BY id LIMIT ?",
            (source, after, limit),
        )
        return [Hint(*row) for row in rows.fetchall()]

    def clear_hints(self, source: str, *, upto: int, key: str | None) -> None:
        """Forget hints with numbers up to ``upto``, of one document or of all."""
        self._connection.execute(
            "DELETE FROM hints WHERE source = ? AND id <= ? AND document = coalesce(?, document)",
            (source, upto, key),
        )


__all__ = ["SqliteMessageRows"]
