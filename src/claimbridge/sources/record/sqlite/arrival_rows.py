"""Arrivals and marks as rows of SQLite."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Sequence
from typing import Final

import msgspec

from claimbridge.journal.sqlite.values import Undecodable, text_of
from claimbridge.sources.record.arrivals import StoredArrival
from claimbridge.sources.record.ports import ArrivalQuery

_NAMES: Final = (
    "number", "source", "key", "version", "state", "label", "claim_id", "revision", "withdrawn",
    "code", "reason", "attempt", "reported", "answered_state", "content", "ignored", "occasion",
    "read_at", "updated_at",
)  # fmt: skip
_SELECT: Final = (
    "SELECT id, source, document, version, state, label, claim_id, revision, withdrawn, code, "
    "reason, attempt, told, answered, claim, ignored, occasion, read_at, updated_at FROM arrivals"
)
_INSERT: Final = """
INSERT INTO arrivals (source, document, version, label, withdrawn, ignored, occasion, read_at,
    state, claim_id, revision, code, reason, attempt, told, answered, claim, updated_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_UPDATE: Final = """
UPDATE arrivals SET state = ?, claim_id = ?, revision = ?, code = ?, reason = ?, attempt = ?,
    told = ?, answered = ?, claim = ?, updated_at = ? WHERE id = ?
"""
_OPEN: Final = """
SELECT id FROM arrivals WHERE state = 'read' AND source = ? ORDER BY withdrawn DESC, attempt, id
"""
_UNREPORTED: Final = """
SELECT id FROM arrivals WHERE source = ? AND told = 0 AND state <> 'read' ORDER BY id
"""
_ACCEPTED: Final = "SELECT id FROM arrivals WHERE state = 'accepted' AND source = ? ORDER BY id"
# A divided claim has submissions under other ids: those are looked at each time.
_WITH_NEWS: Final = """
SELECT DISTINCT a.id FROM arrivals a LEFT JOIN submissions s
ON s.claim_id = a.claim_id AND s.revision = a.revision AND s.purpose = 'post'
    AND s.ledger IN (SELECT value FROM json_each(?))
WHERE a.state = 'accepted' AND a.source = ? AND a.answered <> coalesce(s.state, '') ORDER BY a.id
"""
_SET_MARK: Final = """
INSERT INTO marks (source, mark, updated_at) VALUES (?, ?, ?)
ON CONFLICT (source) DO UPDATE SET mark = excluded.mark, updated_at = excluded.updated_at
"""


class SqliteArrivalRows:
    """``ArrivalRows`` by one connection. ``has_journal``: the journal stands beside them."""

    def __init__(self, connection: sqlite3.Connection, *, has_journal: bool) -> None:
        self._connection = connection
        self._has_journal = has_journal

    def select(self, query: ArrivalQuery) -> list[StoredArrival]:
        """Return the arrivals that are wanted."""
        where, values = _condition(query)
        order = "ORDER BY id DESC" if query.newest_first else "ORDER BY id"
        limit = "" if query.limit is None else f" LIMIT {query.limit}"
        rows = self._connection.execute(f"{_SELECT} WHERE {where} {order}{limit}", values)
        return [_arrival(row) for row in rows.fetchall()]

    def open_numbers(self, source: str) -> tuple[int, ...]:
        """Return the numbers of what is ``read``."""
        return self._numbers(_OPEN, source)

    def unreported_numbers(self, source: str) -> tuple[int, ...]:
        """Return the numbers of what has ended and is not ``reported``."""
        return self._numbers(_UNREPORTED, source)

    def numbers_with_news(self, source: str, books: Sequence[str]) -> tuple[int, ...]:
        """Return accepted arrivals whose submission is in another state than was answered."""
        if not self._has_journal:
            return self._numbers(_ACCEPTED, source)
        return self._numbers(_WITH_NEWS, msgspec.json.encode(books).decode(), source)

    def last_number(self) -> int:
        """Return the number of the newest arrival; 0 when there is none."""
        row = self._connection.execute("SELECT coalesce(max(id), 0) FROM arrivals").fetchone()
        return int(row[0])

    def add(self, arrival: StoredArrival) -> int:
        """Add an arrival; return its number."""
        values = (
            arrival.source,
            arrival.key,
            arrival.version,
            arrival.label,
            arrival.withdrawn,
            msgspec.json.encode(arrival.ignored).decode(),
            arrival.occasion,
            text_of(arrival.read_at),
            *_changing(arrival),
        )
        number = self._connection.execute(_INSERT, values).lastrowid
        assert number is not None  # a row was inserted
        return number

    def put(self, arrival: StoredArrival) -> None:
        """Write an arrival in the place of that with its number."""
        self._connection.execute(_UPDATE, (*_changing(arrival), arrival.number))

    def mark(self, source: str) -> str:
        """Return where reading a source goes on; "" when it has not begun."""
        statement = "SELECT mark FROM marks WHERE source = ?"
        row = self._connection.execute(statement, (source,)).fetchone()
        return str(row[0]) if row else ""

    def put_mark(self, source: str, mark: str, at: dt.datetime) -> None:
        """Keep where reading a source goes on."""
        self._connection.execute(_SET_MARK, (source, mark, text_of(at)))

    def _numbers(self, statement: str, *values: str) -> tuple[int, ...]:
        return tuple(row[0] for row in self._connection.execute(statement, values).fetchall())


def _condition(query: ArrivalQuery) -> tuple[str, list[object]]:
    """Return what is wanted as SQL, which holds no value, and its values."""
    terms: dict[str, Sequence[object]] = {}
    for column, value in (
        ("source", query.source),
        ("document", query.key),
        ("claim_id", query.claim_id),
    ):
        if value is not None:
            terms[f"{column} = ?"] = (value,)
    if query.states:
        terms[f"state IN ({_marks(query.states)})"] = [state.value for state in query.states]
    if query.numbers is not None:
        terms[f"id IN ({_marks(query.numbers)})"] = query.numbers
    if query.after:
        terms["id > ?"] = (query.after,)
    return " AND ".join(terms) or "1", [value for values in terms.values() for value in values]


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))


def _changing(arrival: StoredArrival) -> tuple[object, ...]:
    """Return what of an arrival may change, as its row holds it."""
    return (
        arrival.state.value,
        arrival.claim_id,
        arrival.revision,
        arrival.code,
        arrival.reason,
        arrival.attempt,
        arrival.reported,
        arrival.answered_state,
        arrival.content or None,
        text_of(arrival.updated_at),
    )


def _arrival(row: Sequence[object]) -> StoredArrival:
    fields = dict(zip(_NAMES, row, strict=True))
    try:
        fields["content"] = fields["content"] or ""
        fields["ignored"] = msgspec.json.decode(str(fields["ignored"]))
        return msgspec.convert(fields, StoredArrival, strict=False)
    except msgspec.MsgspecError as error:
        raise Undecodable(f"row {row[0]} of arrivals: {error}") from error


__all__ = ["SqliteArrivalRows"]
