"""Write-backs as rows of SQLite."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Sequence
from typing import Final

import msgspec

from claimbridge.journal.sqlite.values import Undecodable, text_of
from claimbridge.sources.base.writeback import WriteBack, WriteBackState

_INSERT: Final = """
INSERT INTO write_backs (content, state, attempt, reason, attempted_at, updated_at, doubt_boot,
    doubt_seconds, source, document, kind, occasion) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_UPDATE: Final = """
UPDATE write_backs SET content = ?, state = ?, attempt = ?, reason = ?, attempted_at = ?,
    updated_at = ?, doubt_boot = ?, doubt_seconds = ?
WHERE source = ? AND document = ? AND kind = ? AND occasion = ?
"""
_SELECT: Final = """
SELECT source, document, kind, occasion, content, state, attempt, reason, attempted_at,
    iif(state = 'in_doubt', updated_at, NULL),
    iif(state = 'in_doubt' AND doubt_boot IS NOT NULL,
        json_object('boot', doubt_boot, 'seconds', doubt_seconds), NULL)
FROM write_backs
"""
_NAMES: Final = (
    "source", "key", "kind", "occasion", "content", "state", "attempt", "reason", "attempted_at",
    "doubt_since", "doubt_uptime",
)  # fmt: skip


class SqliteWriteBackRows:
    """``WriteBackRows`` by one connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def find(self, write_back: WriteBack) -> WriteBack | None:
        """Return what is kept under the identity of ``write_back``."""
        where = "WHERE source = ? AND document = ? AND kind = ? AND occasion = ?"
        return next(iter(self._read(where, write_back.identity)), None)

    def select(
        self, source: str, *, key: str | None = None, states: Sequence[WriteBackState] = ()
    ) -> tuple[WriteBack, ...]:
        """Return those of a source, of one document, in these states; oldest first."""
        where, values = "WHERE source = ?", [source]
        if key is not None:
            where += " AND document = ?"
            values.append(key)
        if states:
            where += f" AND state IN ({', '.join('?' * len(states))})"
            values.extend(state.value for state in states)
        return self._read(f"{where} ORDER BY id", values)

    def add(self, write_back: WriteBack, at: dt.datetime) -> None:
        """Add a write-back."""
        self._connection.execute(_INSERT, (*_values(write_back, at), *write_back.identity))

    def put(self, write_back: WriteBack, at: dt.datetime) -> None:
        """Write a write-back in the place of that with its identity."""
        self._connection.execute(_UPDATE, (*_values(write_back, at), *write_back.identity))

    def _read(self, where: str, values: Sequence[object]) -> tuple[WriteBack, ...]:
        rows = self._connection.execute(_SELECT + where, tuple(values)).fetchall()
        return tuple(_write_back(row) for row in rows)


def _values(write_back: WriteBack, at: dt.datetime) -> tuple[object, ...]:
    uptime = write_back.doubt_uptime
    return (
        msgspec.json.encode(write_back.content, order="sorted").decode(),
        write_back.state.value,
        write_back.attempt,
        write_back.reason,
        text_of(write_back.attempted_at),
        # A row in doubt was changed last when it came to be so: looking in vain changes nothing.
        text_of(write_back.doubt_since or at),
        uptime.boot if uptime is not None else None,
        uptime.seconds if uptime is not None else None,
    )


def _write_back(row: Sequence[object]) -> WriteBack:
    fields = dict(zip(_NAMES, row, strict=True))
    try:
        fields["content"] = msgspec.json.decode(str(fields["content"]))
        if fields["doubt_uptime"] is not None:
            fields["doubt_uptime"] = msgspec.json.decode(str(fields["doubt_uptime"]))
        return msgspec.convert(fields, WriteBack)
    except msgspec.MsgspecError as error:
        raise Undecodable(f"a write-back of {row[0]} {row[1]}: {error}") from error


__all__ = ["SqliteWriteBackRows"]
