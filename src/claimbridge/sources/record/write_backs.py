"""Write-backs as rows: the statements of the record about what goes back to a source.

Each function runs inside a transaction that its caller opened, or is one statement.
"""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Sequence
from typing import Final

import msgspec

from claimbridge.journal.sqlite.values import Undecodable
from claimbridge.sources.base.writeback import WRITE_BACK_MOVES, WriteBack, WriteBackState
from claimbridge.sources.record.rows import MAX_REASON, stamp, storable

_ADD_WRITE_BACK: Final = """
INSERT INTO write_backs (source, document, kind, occasion, content, state, attempt, reason,
    attempted_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (source, document, kind, occasion) DO UPDATE SET content = excluded.content,
    state = excluded.state, reason = excluded.reason, updated_at = excluded.updated_at
WHERE state = 'superseded'
"""
_MOVE_WRITE_BACK: Final = """
UPDATE write_backs SET state = ?, attempt = ?, reason = ?, attempted_at = ?, updated_at = ?,
    doubt_boot = ?, doubt_seconds = ?
WHERE source = ? AND document = ? AND kind = ? AND occasion = ?
"""
_WRITE_BACK: Final = """
SELECT source, document, kind, occasion, content, state, attempt, reason, attempted_at,
    iif(state = 'in_doubt', updated_at, NULL),
    iif(state = 'in_doubt' AND doubt_boot IS NOT NULL,
        json_object('boot', doubt_boot, 'seconds', doubt_seconds), NULL)
FROM write_backs
"""


def add(connection: sqlite3.Connection, one: WriteBack, now: dt.datetime) -> WriteBack:
    """Add a write-back unless its identity is held, not superseded; return what is held."""
    content = msgspec.json.encode(one.content, order="sorted").decode()
    attempted = stamp(one.attempted_at) if one.attempted_at else None
    values = (one.state.value, one.attempt, storable(one.reason, MAX_REASON), attempted, stamp(now))
    connection.execute(_ADD_WRITE_BACK, (*one.identity, content, *values))
    return _held(connection, one) or one


def move(connection: sqlite3.Connection, one: WriteBack, now: dt.datetime) -> bool:
    """Move what is held to ``one``, where that is a lawful step; False where it is not."""
    held = _held(connection, one)
    if held is None or one.state not in WRITE_BACK_MOVES[held.state]:
        return False
    counted = 1 if one.state is WriteBackState.SENDING else 0
    if one.attempt != held.attempt + counted:
        return False
    attempted = stamp(one.attempted_at) if one.attempted_at else None
    reason = storable(one.reason, MAX_REASON)
    # A row in doubt was changed last when it came to be so: looking in vain changes nothing.
    now = one.in_doubt_since or now
    up = one.doubt_uptime
    doubted = (up.boot, up.seconds) if up is not None else (None, None)
    values = (one.state.value, one.attempt, reason, attempted, stamp(now), *doubted)
    connection.execute(_MOVE_WRITE_BACK, (*values, *one.identity))
    return True


def select(
    connection: sqlite3.Connection, source: str, states: Sequence[WriteBackState]
) -> tuple[WriteBack, ...]:
    """Return those of a source in these states, oldest first."""
    marks = ", ".join("?" * len(states))
    where = f"WHERE source = ? AND state IN ({marks}) ORDER BY id"
    return _read(connection, where, (source, *(state.value for state in states)))


def about(connection: sqlite3.Connection, source: str, key: str) -> tuple[WriteBack, ...]:
    """Return all about one document, oldest first."""
    return _read(connection, "WHERE source = ? AND document = ? ORDER BY id", (source, key))


def _held(connection: sqlite3.Connection, one: WriteBack) -> WriteBack | None:
    where = "WHERE source = ? AND document = ? AND kind = ? AND occasion = ?"
    found = _read(connection, where, one.identity)
    return found[0] if found else None


def _read(
    connection: sqlite3.Connection, where: str, values: Sequence[object]
) -> tuple[WriteBack, ...]:
    names = (
        "source", "key", "kind", "occasion", "content", "state", "attempt", "reason",
        "attempted_at", "in_doubt_since", "doubt_uptime",
    )  # fmt: skip
    found = []
    for row in connection.execute(_WRITE_BACK + where, tuple(values)).fetchall():
        fields = dict(zip(names, row, strict=True))
        try:
            fields["content"] = msgspec.json.decode(fields["content"])
            if fields["doubt_uptime"] is not None:
                fields["doubt_uptime"] = msgspec.json.decode(fields["doubt_uptime"])
            found.append(msgspec.convert(fields, WriteBack))
        except msgspec.MsgspecError as error:
            raise Undecodable(f"a write-back of {row[0]} {row[1]}: {error}") from error
    return tuple(found)
