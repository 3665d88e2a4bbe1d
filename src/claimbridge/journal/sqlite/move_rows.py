"""Moves as rows: their statements; see ``rows``."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Final

import msgspec

from claimbridge.journal.sqlite.values import Undecodable, text_of, values_of
from claimbridge.model import Move

_MOVES: Final = """
SELECT id, revision, purpose, part, at, state_before, state_after, attempt, detail
FROM moves WHERE ledger = ? AND claim_id = ? AND id > ? ORDER BY id LIMIT ?
"""
_APPEND: Final = """
INSERT INTO moves (ledger, claim_id, revision, purpose, part, at, state_before, state_after,
    attempt, detail) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


def append(connection: sqlite3.Connection, moves: Sequence[Move]) -> None:
    """Append moves."""
    connection.executemany(_APPEND, [_row(move) for move in moves])


def read_moves(
    connection: sqlite3.Connection, book: str, claim_id: str, after: int, size: int
) -> list[tuple[int, Move]]:
    """Return up to ``size`` of a claim's moves with numbers above ``after``, in order."""
    rows = connection.execute(_MOVES, (book, claim_id, after, size)).fetchall()
    return [(row[0], _move(book, claim_id, row[1:])) for row in rows]


def _row(move: Move) -> tuple[object, ...]:
    before = None if move.before is None else move.before.value
    return (
        *values_of(move.key),
        text_of(move.at),
        before,
        move.after.value,
        move.attempt,
        move.detail,
    )


def _move(book: str, claim_id: str, row: Sequence[object]) -> Move:
    revision, purpose, part, at, before, after, attempt, detail = row
    fields = {
        "key": {
            "book": book,
            "claim_id": claim_id,
            "revision": revision,
            "purpose": purpose,
            "part": part,
        },
        "at": at,
        "before": before,
        "after": after,
        "attempt": attempt,
        "detail": detail,
    }
    try:
        return msgspec.convert(fields, Move)
    except msgspec.MsgspecError as error:
        raise Undecodable(f"a move of claim {claim_id}: {error}") from error


__all__ = ["append", "read_moves"]
