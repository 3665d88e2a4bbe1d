"""Arrivals as rows: their statements.

Each function runs inside a transaction that its caller opened, or is one statement.
"""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Sequence
from typing import Final

import msgspec

from claimbridge.journal.sqlite.values import Undecodable
from claimbridge.model import Claim
from claimbridge.sources.base import Arrival
from claimbridge.sources.record.arrivals import ArrivalState, StoredArrival

MAX_REASON: Final = 4000


_COLUMNS: Final = (
    "id, source, document, version, state, label, claim_id, revision, withdrawn, code, reason, "
    "attempt, told, answered, claim, ignored, occasion, read_at, updated_at"
)
_INSERT: Final = """
INSERT INTO arrivals (source, document, version, state, label, claim_id, revision, withdrawn,
    code, reason, claim, ignored, occasion, read_at, updated_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
"""
_NO_CLAIM: Final = """
SELECT id FROM arrivals WHERE source = :source AND document = :document AND version = :version
AND state = 'parked' AND claim IS NULL AND withdrawn = 0
"""
_NOW_A_CLAIM: Final = """
UPDATE arrivals SET state = :state, claim_id = :claim_id, revision = :revision, claim = :claim,
    code = :code, reason = :reason, told = 0, updated_at = :now WHERE id = :id
"""
_OLDER: Final = """
SELECT id, source = :source AND document = :document FROM arrivals
WHERE state IN ('read', 'parked') AND id <> :number AND withdrawn = 0 AND (
    (source = :source AND document = :document)
    OR (claim_id = :claim_id AND claim_id <> '' AND revision < :revision))
"""
_LATER: Final = """
SELECT max(revision) FROM arrivals
WHERE claim_id = ? AND revision > ? AND state IN ('read', 'accepted', 'parked')
"""
_SET_MARK: Final = """
INSERT INTO marks (source, mark, updated_at) VALUES (?, ?, ?)
ON CONFLICT (source) DO UPDATE SET mark = excluded.mark, updated_at = excluded.updated_at
"""
_SUPERSEDE: Final = """
UPDATE arrivals SET state = 'superseded', code = 'CB-533', reason = ?, told = ?, updated_at = ?
WHERE id = ?
"""
_END: Final = """
UPDATE arrivals SET state = ?, code = ?, reason = ?, told = 0, updated_at = ? WHERE id = ?
"""


def stamp(moment: dt.datetime) -> str:
    """Return a moment as rows hold it: UTC, so that texts sort as times do."""
    return moment.astimezone(dt.UTC).isoformat(timespec="microseconds")


def storable(text: str, limit: int | None = None) -> str:
    """Return a text that SQLite can hold: file names may have bytes that are no text."""
    return text[:limit].encode("utf-8", "backslashreplace").decode()


# Arrivals


def add(connection: sqlite3.Connection, source: str, arrival: Arrival, now: dt.datetime) -> None:
    """Add one version of a document unless it is there; older versions of it step back.

    One that was no claim, and is read as one now that what reads it was mended, is replaced.
    """
    claim, error = arrival.claim, arrival.error
    key, version = storable(arrival.key), storable(arrival.version)
    known = _last_claim_id(connection, source, key)
    claim_id = claim.id if claim else storable((error and error.claim_id) or known, 64)
    revision = claim.revision if claim else 0
    state, code, reason = ArrivalState.READ, "", ""
    if error is not None and claim is None:
        state, code = ArrivalState.PARKED, error.code
        reason = storable(error.message, MAX_REASON)
    elif claim is not None and (later := _later(connection, claim)):
        state, code = ArrivalState.SUPERSEDED, "CB-533"
        reason = f"revision {revision} came after revision {later} of the same claim"
    done = connection.execute(
        _INSERT,
        (
            source,
            key,
            version,
            state.value,
            storable(arrival.label, 1000),
            claim_id,
            revision,
            arrival.withdrawn,
            code,
            reason,
            claim.to_json().decode() if claim else None,
            msgspec.json.encode([storable(name) for name in arrival.ignored]).decode(),
            arrival.occasion,
            stamp(now),
            stamp(now),
        ),
    )
    number = done.lastrowid if done.rowcount == 1 else None
    if number is None and claim is not None:
        names = {"source": source, "document": key, "version": version}
        number = _read_at_last(
            connection, claim, {**names, "now": stamp(now), "code": code, "reason": reason}, state
        )
    if number is not None and not arrival.withdrawn and state is not ArrivalState.SUPERSEDED:
        names = {"source": source, "document": key, "claim_id": claim_id}
        _supersede_older(connection, {**names, "revision": revision, "number": number}, now)


def _read_at_last(
    connection: sqlite3.Connection, claim: Claim, names: dict[str, str], state: ArrivalState
) -> int | None:
    """Let a claim take the place of a document that was none; None where there is no such one."""
    held = connection.execute(_NO_CLAIM, names).fetchone()
    if held is None:
        return None
    content = {"claim_id": claim.id, "revision": claim.revision, "claim": claim.to_json().decode()}
    connection.execute(_NOW_A_CLAIM, {**names, **content, "state": state.value, "id": held[0]})
    return int(held[0])


def _last_claim_id(connection: sqlite3.Connection, source: str, key: str) -> str:
    row = connection.execute(
        "SELECT claim_id FROM arrivals WHERE source = ? AND document = ? ORDER BY id DESC LIMIT 1",
        (source, key),
    ).fetchone()
    return str(row[0]) if row else ""


def _later(connection: sqlite3.Connection, claim: Claim) -> int | None:
    found: int | None = connection.execute(_LATER, (claim.id, claim.revision)).fetchone()[0]
    return found


def _supersede_older(
    connection: sqlite3.Connection, new: dict[str, object], now: dt.datetime
) -> None:
    for number, same_document in connection.execute(_OLDER, new).fetchall():
        reason = "a later version of it came before it was in a ledger"
        # The document itself lives on in its new version: there is nothing to tell its source.
        connection.execute(_SUPERSEDE, (reason, same_document, stamp(now), number))


def kept(
    connection: sqlite3.Connection, source: str, key: str, version: str
) -> StoredArrival | None:
    """Return one version of a document; None when it is not recorded."""
    where = "source = ? AND document = ? AND version = ?"
    found = select(connection, where, (source, storable(key), storable(version)))
    return found[0] if found else None


def select(
    connection: sqlite3.Connection, where: str, values: Sequence[object], rest: str = "ORDER BY id"
) -> list[StoredArrival]:
    """Return the arrivals that fit; ``where`` and ``rest`` are SQL of this package alone."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM arrivals WHERE {where} {rest}",  # noqa: S608 - no value in it
        tuple(values),
    )
    return [_kept(row) for row in rows.fetchall()]


def end(
    connection: sqlite3.Connection,
    number: int,
    state: ArrivalState,
    code: str,
    reason: str,
    now: dt.datetime,
) -> None:
    """Record how an arrival ended; its source has not been told yet."""
    text = storable(reason, MAX_REASON)
    connection.execute(_END, (state.value, code, text, stamp(now), number))


def supersede_parked(
    connection: sqlite3.Connection, accepted: StoredArrival, now: dt.datetime
) -> None:
    """Close what was parked of a claim before it was accepted: another document has mended it."""
    reason = f"the claim was accepted as {accepted.key}"
    connection.execute(
        "UPDATE arrivals SET state = 'superseded', code = 'CB-533', reason = ?, told = 0, "
        "updated_at = ? WHERE claim_id = ? AND state = 'parked' AND withdrawn = 0 AND id < ? "
        "AND revision <= ?",
        (reason, stamp(now), accepted.claim_id, accepted.number, accepted.revision),
    )


def count_attempt(connection: sqlite3.Connection, number: int, now: dt.datetime) -> bool:
    """Count one more attempt; False when the arrival is no longer to be submitted."""
    done = connection.execute(
        "UPDATE arrivals SET attempt = attempt + 1, updated_at = ? WHERE id = ? AND state = 'read'",
        (stamp(now), number),
    )
    return done.rowcount == 1


def set_mark(connection: sqlite3.Connection, source: str, mark: str, now: dt.datetime) -> None:
    """Keep where reading a source goes on."""
    connection.execute(_SET_MARK, (source, storable(mark), stamp(now)))


def _kept(row: Sequence[object]) -> StoredArrival:
    names = (
        "number", "source", "key", "version", "state", "label", "claim_id", "revision",
        "withdrawn", "code", "reason", "attempt", "told", "answered", "content", "ignored",
        "occasion", "read_at", "updated_at",
    )  # fmt: skip
    fields = dict(zip(names, row, strict=True))
    try:
        fields["content"] = fields["content"] or ""
        fields["ignored"] = msgspec.json.decode(str(fields["ignored"]))
        return msgspec.convert(fields, StoredArrival, strict=False)
    except msgspec.MsgspecError as error:
        raise Undecodable(f"row {row[0]} of arrivals: {error}") from error


_MOVED: Final = """
SELECT DISTINCT a.id FROM arrivals a LEFT JOIN submissions s
ON s.claim_id = a.claim_id AND s.revision = a.revision AND s.purpose = 'post'
    AND s.ledger IN (SELECT value FROM json_each(?))
WHERE a.state = 'accepted' AND a.source = ? AND a.answered <> coalesce(s.state, '') ORDER BY a.id
"""
"""A divided claim has submissions under other ids: those are looked at each time."""


def moved(connection: sqlite3.Connection, source: str, books: Sequence[str]) -> tuple[int, ...]:
    """Return accepted arrivals whose submission is in another state than was answered.

    ``books`` are the ids of those that the source's claims go to.
    """
    told = msgspec.json.encode(books).decode()
    return tuple(row[0] for row in connection.execute(_MOVED, (told, source)).fetchall())
