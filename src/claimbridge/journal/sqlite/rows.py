"""Claims and their submissions as rows: their statements.

Each function runs inside a transaction that its caller opened, or is one statement, which reads
one consistent state.
"""

from __future__ import annotations

import datetime as dt
import itertools
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from claimbridge.clock import Uptime
from claimbridge.errors import ClaimBridgeError
from claimbridge.journal import rules
from claimbridge.journal.base import key_order
from claimbridge.journal.ports import Aloft, ClaimWrite, StoredSubmission
from claimbridge.journal.sqlite import move_rows
from claimbridge.journal.sqlite.values import Undecodable, text_of, values_of
from claimbridge.journal.writes import Write
from claimbridge.model import (
    History,
    InvoiceUse,
    JournalEntry,
    Key,
    Purpose,
    Reason,
    State,
    Submission,
    Voucher,
    Withdrawal,
)

Row = tuple[object, ...]

_CLAIM: Final = """
SELECT c.version, c.withdrawn, c.reason, s.id, s.ledger, s.claim_id, s.revision, s.purpose, s.part,
    s.reference, s.digest, s.state, s.attempt, s.attempted_at, s.updated_at, s.owner, s.flight,
    s.content
FROM claims c LEFT JOIN submissions s USING (ledger, claim_id)
WHERE c.ledger = ? AND c.claim_id = ?
"""
_ONE: Final = """
SELECT id, ledger, claim_id, revision, purpose, part, reference, digest, state, attempt,
    attempted_at, updated_at, owner, flight, content
FROM submissions WHERE ledger = ? AND reference = ?
"""
_PAGE: Final = """
SELECT id, ledger, claim_id, revision, purpose, part, reference, digest, state, attempt,
    attempted_at, updated_at, owner, flight, content
FROM submissions WHERE ledger = ? AND state = ? AND id > ? AND part >= ? ORDER BY id LIMIT ?
"""
_CLAIM_IDS: Final = """
SELECT claim_id FROM claims
WHERE ledger = ? AND claim_id >= ? AND claim_id > ? ORDER BY claim_id LIMIT ?
"""
_ALOFT: Final = "SELECT ledger, claim_id, owner, flight FROM submissions WHERE owner IS NOT NULL"
_COUNTS: Final = "SELECT state, count(*) FROM submissions WHERE ledger = ? GROUP BY state"
_INSERT: Final = """
INSERT INTO submissions (reference, digest, state, attempt, attempted_at, updated_at, owner,
    flight, content, ledger, claim_id, revision, purpose, part)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_UPDATE: Final = """
UPDATE submissions SET reference = ?, digest = ?, state = ?, attempt = ?, attempted_at = ?,
    updated_at = ?, owner = ?, flight = ?, content = ?
WHERE ledger = ? AND claim_id = ? AND revision = ? AND purpose = ? AND part = ? AND state = ?
"""
_CONTENT: Final = """
UPDATE submissions SET content = ?
WHERE ledger = ? AND claim_id = ? AND revision = ? AND purpose = ? AND part = ?
"""
_OWNER: Final = """
SELECT owner FROM submissions
WHERE ledger = ? AND claim_id = ? AND revision = ? AND purpose = ? AND part = ?
"""
_FLIGHT: Final = """
SELECT owner, flight FROM submissions
WHERE ledger = ? AND claim_id = ? AND revision = ? AND purpose = ? AND part = ? AND attempt = ?
    AND owner IS NOT NULL
"""
_BEGIN_CLAIM: Final = """
INSERT INTO claims (ledger, claim_id, version) VALUES (?, ?, 1) ON CONFLICT DO NOTHING
"""
_ADVANCE: Final = """
UPDATE claims SET version = version + 1 WHERE ledger = ? AND claim_id = ? AND version = ?
"""
_WITHDRAW: Final = """
UPDATE claims SET withdrawn = ?, reason = ? WHERE ledger = ? AND claim_id = ?
"""


class _Content(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What of a submission needs no column. To change it in any way is a migration."""

    voucher: Voucher
    journal_entry: JournalEntry | None = None
    reasons: tuple[Reason, ...] = ()
    detail: str = ""
    attempted_uptime: Uptime | None = None
    job: str = ""
    doubt_since: dt.datetime | None = None
    doubt_uptime: Uptime | None = None
    returns_to: State | None = None
    invoices: tuple[InvoiceUse, ...] = ()


class _Columns(msgspec.Struct, frozen=True, array_like=True):
    """A row, checked column by column; SQLite itself would keep any type in any column."""

    number: int
    book: str
    claim_id: str
    revision: int
    purpose: Purpose
    part: int
    reference: str
    digest: str
    state: State
    attempt: int
    attempted_at: dt.datetime | None
    updated_at: dt.datetime
    owner: str | None
    flight: int | None
    content: str


_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(_Content)


def encode(submission: Submission) -> str:
    """Return the JSON of what needs no column. Raises JournalError CB-228 for text that is none."""
    content = _Content(
        voucher=submission.voucher,
        journal_entry=submission.journal_entry,
        reasons=submission.reasons,
        detail=submission.detail,
        attempted_uptime=submission.attempted_uptime,
        job=submission.job,
        doubt_since=submission.doubt_since,
        doubt_uptime=submission.doubt_uptime,
        returns_to=submission.returns_to,
        invoices=submission.invoices,
    )
    try:
        return _ENCODER.encode(content).decode()
    except UnicodeEncodeError as error:
        raise rules.misuse(f"lone surrogates in a text of {submission.key}") from error


def read_claim(
    connection: sqlite3.Connection, book: str, claim_id: str
) -> tuple[History, dict[Key, Aloft]]:
    """Return a claim's history, and whose flights its ``sending`` submissions are in."""
    rows = connection.execute(_CLAIM, (book, claim_id)).fetchall()
    if not rows:
        return History(book, claim_id), {}
    version, withdrawn, reason = rows[0][:3]
    stored = [_stored(row[3:]) for row in rows if row[3] is not None]
    submissions = sorted((one.submission for one in stored), key=key_order)
    aloft = {one.submission.key: one.aloft for one in stored if one.aloft is not None}
    taken_back = Withdrawal(withdrawn, reason) if withdrawn else None
    return History(book, claim_id, version, tuple(submissions), taken_back), aloft


def read_reference(connection: sqlite3.Connection, book: str, reference: str) -> Submission | None:
    """Return the submission with this reference; None when there is none."""
    row = connection.execute(_ONE, (book, reference)).fetchone()
    return None if row is None else _stored(row).submission


def read_page(
    connection: sqlite3.Connection,
    book: str,
    state: State,
    after: int,
    size: int,
    *,
    parts: bool = False,
) -> list[StoredSubmission]:
    """Return up to ``size`` submissions in ``state`` with numbers above ``after``, in order.

    With ``parts`` only those of divided claims.
    """
    rows = connection.execute(_PAGE, (book, state.value, after, int(parts), size)).fetchall()
    return [_stored(row) for row in rows]


def read_claim_ids(
    connection: sqlite3.Connection, book: str, prefix: str, after: str, size: int
) -> list[str]:
    """Return up to ``size`` ids of claims that begin with ``prefix``, above ``after``, in order."""
    ids = (str(row[0]) for row in connection.execute(_CLAIM_IDS, (book, prefix, after, size)))
    # In order, those that begin with the prefix are the first from the prefix on.
    return list(itertools.takewhile(lambda claim_id: claim_id.startswith(prefix), ids))


def read_counts(connection: sqlite3.Connection, book: str) -> dict[State, int]:
    """Return how many submissions of a book are in each state; no state with 0."""
    counts = dict(connection.execute(_COUNTS, (book,)).fetchall())
    return {state: counts[state.value] for state in State if state.value in counts}


def read_aloft(connection: sqlite3.Connection) -> list[tuple[str, str, Aloft]]:
    """Return ledger, claim id and flight of every ``sending`` row."""
    rows = connection.execute(_ALOFT).fetchall()
    return [(book, claim_id, Aloft(owner, flight)) for book, claim_id, owner, flight in rows]


def read_owners(connection: sqlite3.Connection, keys: Iterable[Key]) -> dict[Key, str]:
    """Return whose flights these submissions are in, of those that are in any."""
    rows = {key: connection.execute(_OWNER, values_of(key)).fetchone() for key in keys}
    return {key: str(row[0]) for key, row in rows.items() if row is not None and row[0]}


def advance(connection: sqlite3.Connection, seen: History) -> bool:
    """Count one more write of the claim; False when ``seen`` is no longer current."""
    if seen.version == 0:
        done = connection.execute(_BEGIN_CLAIM, (seen.book, seen.claim_id))
    else:
        done = connection.execute(_ADVANCE, (seen.book, seen.claim_id, seen.version))
    return done.rowcount == 1


def read_flight(connection: sqlite3.Connection, flight: Submission) -> Aloft | None:
    """Return whose flight an attempt is in; None where it is in the air no more."""
    values = (*values_of(flight.key), flight.attempt)
    row = connection.execute(_FLIGHT, values).fetchone()
    return None if row is None else Aloft(row[0], row[1])


def note_job(connection: sqlite3.Connection, flight: Submission, job: str) -> None:
    """Keep which job of the ERP holds an attempt that is in the air."""
    history, _ = read_claim(connection, flight.key.book, flight.key.claim_id)
    entry = history.get(flight.key)
    if entry is not None and entry.state is State.SENDING and entry.attempt == flight.attempt:
        content = encode(msgspec.structs.replace(entry, job=job))
        connection.execute(_CONTENT, (content, *values_of(flight.key)))


def write(connection: sqlite3.Connection, write: ClaimWrite, contents: Mapping[Key, str]) -> None:
    """Write ``write`` and its moves, after ``advance``; ``contents`` are what ``encode`` made.

    Raises JournalError: CB-229 for a reference that is taken, CB-228 where the file does not hold
    what a write says was before.
    """
    for one in write.writes:
        key = one.after.key
        try:
            _put(connection, one, _values(one.after, contents[key], write.takeoffs.get(key)))
        except sqlite3.IntegrityError as error:
            holder = read_reference(connection, key.book, one.after.reference)
            if holder is None or holder.key == key:
                raise rules.not_as_seen(key) from error
            raise rules.reference_taken(key, one.after.reference, holder.key) from error
    move_rows.append(connection, [one.move for one in write.writes if one.move is not None])
    if write.withdrawn is not None:
        withdrawn = (write.withdrawn.revision, write.withdrawn.reason)
        connection.execute(_WITHDRAW, (*withdrawn, write.seen.book, write.seen.claim_id))


def _put(connection: sqlite3.Connection, write: Write, values: Row) -> None:
    key = write.after.key
    if write.before is None:
        connection.execute(_INSERT, (*values, *values_of(key)))
        return
    done = connection.execute(_UPDATE, (*values, *values_of(key), write.before.state.value))
    if done.rowcount != 1:
        raise rules.not_as_seen(key)


def _values(submission: Submission, content: str, aloft: Aloft | None) -> Row:
    return (
        submission.reference,
        submission.digest,
        submission.state.value,
        submission.attempt,
        text_of(submission.attempted_at),
        text_of(submission.updated_at),
        aloft.owner if aloft else None,
        aloft.flight if aloft else None,
        content,
    )


def _stored(row: Sequence[object]) -> StoredSubmission:
    try:
        columns = msgspec.convert(row, _Columns)
        content = _DECODER.decode(columns.content)
    except (msgspec.MsgspecError, ClaimBridgeError, ValueError) as error:
        raise Undecodable(f"row {row[0]} of submissions: {error}") from error
    submission = Submission(
        key=Key(columns.book, columns.claim_id, columns.revision, columns.purpose, columns.part),
        reference=columns.reference,
        digest=columns.digest,
        voucher=content.voucher,
        state=columns.state,
        attempt=columns.attempt,
        journal_entry=content.journal_entry,
        reasons=content.reasons,
        detail=content.detail,
        attempted_at=columns.attempted_at,
        attempted_uptime=content.attempted_uptime,
        job=content.job,
        doubt_since=content.doubt_since,
        doubt_uptime=content.doubt_uptime,
        returns_to=content.returns_to,
        updated_at=columns.updated_at,
        invoices=content.invoices,
    )
    aloft = None
    if columns.owner is not None and columns.flight is not None:
        aloft = Aloft(columns.owner, columns.flight)
    return StoredSubmission(columns.number, submission, aloft)


__all__ = [
    "advance",
    "encode",
    "note_job",
    "read_aloft",
    "read_claim",
    "read_claim_ids",
    "read_counts",
    "read_flight",
    "read_owners",
    "read_page",
    "read_reference",
    "write",
]
