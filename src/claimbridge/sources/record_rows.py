"""Arrivals, invoices, deliveries and hints as rows: every statement of the record.

Each function runs inside a transaction that its caller opened, or is one statement.
"""

from __future__ import annotations

import datetime as dt
import enum
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from claimbridge.errors import (
    ClaimBridgeError,
    ClaimError,
    ConfigurationError,
    ConflictingSubmission,
    DocumentError,
    LedgerRejection,
    LedgerUnavailable,
    NotDelivered,
    OutcomeUnknown,
    SigningError,
)
from claimbridge.journal.rows import Undecodable
from claimbridge.model import Claim
from claimbridge.sources.base import Arrival
from claimbridge.sources.invoices import InvoiceUse

MAX_REASON: Final = 4000


class ArrivalState(enum.StrEnum):
    """What became of one version of a document."""

    READ = "read"
    """Kept, and on its way; every pass goes on with it."""
    ACCEPTED = "accepted"
    """The ledger accepted it."""
    PARKED = "parked"
    """A person must mend something; the reason says what. A retry makes it ``read`` again."""
    REFUSED = "refused"
    """A person has said that it will not be submitted."""
    WITHDRAWN = "withdrawn"
    """Its source took it back before it was in a ledger."""
    SUPERSEDED = "superseded"
    """A later version or revision took its place before it was in a ledger."""


_KINDS: Final[tuple[tuple[str, type[ClaimBridgeError]], ...]] = (
    ("CB-15", DocumentError),
    ("CB-2", ConfigurationError),
    ("CB-3", SigningError),
    ("CB-42", OutcomeUnknown),
    ("CB-43", LedgerRejection),
    ("CB-44", LedgerUnavailable),
    ("CB-45", ConflictingSubmission),
    ("CB-46", OutcomeUnknown),
    ("CB-4", NotDelivered),
    ("CB-538", OutcomeUnknown),
)
"""What a code says of its class, as docs/errors.md lists them: the first that fits; else a claim's.

Whoever decides by the class must not take a claim that may be posted for one that is refused.
"""


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a document, as it is recorded.

    ``number`` grows with age. ``content`` is the claim's JSON, "" where the document was none.
    ``code`` and ``reason`` say why it is in its state; of one that is ``read`` they say why it is
    not further. ``attempt`` counts the times that it was about to be submitted. ``told`` is
    whether its source took note of the end, ``answered`` for which of our states of its submission
    it was last planned what goes back there.
    """

    number: int
    source: str
    key: str
    version: str
    state: ArrivalState
    label: str = ""
    claim_id: str = ""
    revision: int = 0
    withdrawn: bool = False
    code: str = ""
    reason: str = ""
    attempt: int = 0
    told: bool = False
    answered: str = ""
    content: str = ""
    ignored: tuple[str, ...] = ()
    read_at: dt.datetime
    updated_at: dt.datetime

    @property
    def name(self) -> str:
        """What people call it: its label, else the claim's id, else its key."""
        return self.label or self.claim_id or self.key

    def claim(self) -> Claim | None:
        """Return the claim; None where the document was none. Raises ClaimError."""
        return Claim.from_json(self.content) if self.content else None

    def error(self) -> ClaimBridgeError | None:
        """Return why it went no further, as an error again; None where nothing is wrong."""
        if not self.code:
            return None
        kind = next((kind for start, kind in _KINDS if self.code.startswith(start)), ClaimError)
        return kind(self.reason, code=self.code, claim_id=self.claim_id or None)

    def arrival(self) -> Arrival:
        """Return it as its source gave it; ``claim`` is None where it cannot be read any more."""
        try:
            claim = self.claim()
        except ClaimError:
            claim = None
        return Arrival(
            key=self.key,
            version=self.version,
            claim=claim,
            error=None if claim is not None else self.error(),
            withdrawn=self.withdrawn,
            label=self.label,
            ignored=self.ignored,
        )


class Delivery(msgspec.Struct, frozen=True):
    """One body that a webhook was sent; ``number`` grows with age."""

    number: int
    digest: str
    body: bytes


class Hint(msgspec.Struct, frozen=True):
    """A document that a source was told to have changed; ``number`` grows with age."""

    number: int
    key: str


_COLUMNS: Final = (
    "id, source, document, version, state, label, claim_id, revision, withdrawn, code, reason, "
    "attempt, told, answered, claim, ignored, read_at, updated_at"
)
_INSERT: Final = """
INSERT INTO arrivals (source, document, version, state, label, claim_id, revision, withdrawn,
    code, reason, claim, ignored, read_at, updated_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
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
    """Add one version of a document unless it is there; older versions of it step back."""
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
            stamp(now),
            stamp(now),
        ),
    )
    if done.rowcount == 1 and not arrival.withdrawn and state is not ArrivalState.SUPERSEDED:
        names = {"source": source, "document": key, "claim_id": claim_id, "revision": revision}
        _supersede_older(connection, {**names, "number": done.lastrowid}, now)


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
    # What was attempted keeps its invoices, for it may be in a ledger; the rest holds none.
    for number, same_document in connection.execute(_OLDER, new).fetchall():
        reason = "a later version of it came before it was in a ledger"
        # The document itself lives on in its new version: there is nothing to tell its source.
        connection.execute(_SUPERSEDE, (reason, same_document, stamp(now), number))


def kept(connection: sqlite3.Connection, source: str, key: str, version: str) -> Kept | None:
    """Return one version of a document; None when it is not recorded."""
    where = "source = ? AND document = ? AND version = ?"
    found = select(connection, where, (source, storable(key), storable(version)))
    return found[0] if found else None


def select(
    connection: sqlite3.Connection, where: str, values: Sequence[object], rest: str = "ORDER BY id"
) -> list[Kept]:
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


def _kept(row: Sequence[object]) -> Kept:
    names = (
        "number", "source", "key", "version", "state", "label", "claim_id", "revision",
        "withdrawn", "code", "reason", "attempt", "told", "answered", "content", "ignored",
        "read_at", "updated_at",
    )  # fmt: skip
    fields = dict(zip(names, row, strict=True))
    try:
        fields["content"] = fields["content"] or ""
        fields["ignored"] = msgspec.json.decode(str(fields["ignored"]))
        return msgspec.convert(fields, Kept, strict=False)
    except msgspec.MsgspecError as error:
        raise Undecodable(f"row {row[0]} of arrivals: {error}") from error


_MOVED: Final = """
SELECT DISTINCT a.id FROM arrivals a LEFT JOIN submissions s
ON s.claim_id = a.claim_id AND s.revision = a.revision AND s.purpose = 'post'
WHERE a.state = 'accepted' AND a.source = ? AND a.answered <> coalesce(s.state, '') ORDER BY a.id
"""
"""A divided claim has submissions under other ids: those are looked at each time."""


def moved(connection: sqlite3.Connection, source: str) -> tuple[int, ...]:
    """Return accepted arrivals whose submission is in another state than was answered."""
    return tuple(row[0] for row in connection.execute(_MOVED, (source,)).fetchall())


# Invoices

_TAKEN_BACK: Final = """
SELECT EXISTS (SELECT 1 FROM submissions WHERE claim_id = :claim_id AND purpose = 'post')
AND NOT EXISTS (SELECT 1 FROM submissions WHERE claim_id = :claim_id AND purpose = 'post'
    AND state NOT IN ('reversed', 'rejected'))
AND NOT EXISTS (SELECT 1 FROM arrivals WHERE claim_id = :claim_id AND state = 'read')
"""
"""Whether all that a claim had in a ledger was reversed, and nothing more of it is on its way."""


def take(
    connection: sqlite3.Connection, uses: Iterable[InvoiceUse], claim_id: str, number: int
) -> tuple[InvoiceUse, str, int] | None:
    """Hold invoices for a claim; None, or the first that another holds: with claim and line."""
    for use in uses:
        row = connection.execute(
            "SELECT claim_id, line FROM invoices WHERE invoice = ?", (use.invoice,)
        ).fetchone()
        if row is not None and row[0] != claim_id:
            if not connection.execute(_TAKEN_BACK, {"claim_id": row[0]}).fetchone()[0]:
                return use, row[0], row[1]
            connection.execute("DELETE FROM invoices WHERE claim_id = ?", (row[0],))
            row = None
        if row is None:
            connection.execute(
                "INSERT INTO invoices (invoice, claim_id, arrival, line) VALUES (?, ?, ?, ?)",
                (use.invoice, claim_id, number, use.line),
            )
    return None


def keep_only(
    connection: sqlite3.Connection, uses: Sequence[InvoiceUse], claim_id: str, number: int
) -> None:
    """Let the accepted revision hold its own invoices, and those alone."""
    connection.execute("DELETE FROM invoices WHERE claim_id = ?", (claim_id,))
    connection.executemany(
        "INSERT OR IGNORE INTO invoices (invoice, claim_id, arrival, line) VALUES (?, ?, ?, ?)",
        [(use.invoice, claim_id, number, use.line) for use in uses],
    )


def free(connection: sqlite3.Connection, number: int) -> None:
    """Let others use the invoices that this arrival holds."""
    connection.execute("DELETE FROM invoices WHERE arrival = ?", (number,))


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
