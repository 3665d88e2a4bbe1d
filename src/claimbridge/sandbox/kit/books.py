"""The sandbox's books: documents in SQLite, one transaction each, durable before any answer.

The books are in memory, or in a file that survives ``kill -9`` (WAL, synchronous=FULL). The
transaction that books a document also gives it its number, so that there are no gaps. Writers take
turns, so changes are numbered in the order of the commits.
"""

from __future__ import annotations

import random
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from claimbridge.clock import SYSTEM, Clock
from claimbridge.errors import ConfigurationError
from claimbridge.model import JournalEntry
from claimbridge.private import make_private
from claimbridge.sandbox.kit.documents import ErpDocument, ErpVoucher, Objection, Series

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS book (id TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS document (
    change INTEGER NOT NULL UNIQUE,
    profile TEXT NOT NULL,
    reference TEXT NOT NULL,
    guard TEXT,                      -- the reference while it is taken, NULL while it is free
    status TEXT NOT NULL,
    series BLOB NOT NULL,            -- the run of numbers that it takes its own from
    sequence INTEGER,                -- NULL until it is posted
    number TEXT NOT NULL DEFAULT '',
    fiscal_year TEXT NOT NULL,
    entry BLOB NOT NULL,
    reversed_by BLOB,
    paid_on TEXT,
    reasons BLOB,
    changed_at TEXT NOT NULL,
    company TEXT NOT NULL,
    claim_id TEXT NOT NULL,
    original BLOB NOT NULL,          -- the voucher as it came, signature included
    id INTEGER PRIMARY KEY
);
-- The proof of "one reference, one document": a look before the write is not.
CREATE UNIQUE INDEX IF NOT EXISTS one_document ON document (profile, guard);
CREATE UNIQUE INDEX IF NOT EXISTS gapless ON document (profile, series, sequence);
CREATE INDEX IF NOT EXISTS by_reference ON document (profile, reference);
CREATE INDEX IF NOT EXISTS by_claim ON document (profile, company, claim_id);
CREATE INDEX IF NOT EXISTS by_number ON document (profile, number);
"""
_COLUMNS: Final = (
    "id, change, profile, reference, status, series, number, fiscal_year, entry, reversed_by,"
    " paid_on, reasons, changed_at"
)


class ErpBooks:
    """All documents of one sandbox, of all its profiles. Safe between threads and processes.

    ``state`` None keeps them in memory. The book has an id, which its cursors carry; ``seed`` makes
    the id the same at every start, None chooses one at random. ``folds``: references are stored,
    and looked for, in capitals, as in an ERP whose field has no lower case. Raises
    ConfigurationError CB-271 for a file that cannot be used.
    """

    def __init__(
        self,
        state: Path | None = None,
        *,
        clock: Clock = SYSTEM,
        seed: int | None = None,
        folds: bool = False,
    ) -> None:
        self._clock = clock
        self._folds = folds
        self._lock = threading.Lock()
        try:
            if state is not None:
                make_private(state)  # the files beside it get its mode from SQLite
            self._db = sqlite3.connect(
                state or ":memory:", timeout=30, isolation_level=None, check_same_thread=False
            )
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.executescript(_SCHEMA)
            self.id: str = self._identify(seed)
        except (OSError, sqlite3.Error) as error:
            raise ConfigurationError(
                f"the sandbox cannot keep its ledger in {state}: {error}; name another file",
                code="CB-271",
            ) from error

    def _identify(self, seed: int | None) -> str:
        # Not the disturbances' generator: their chances must not depend on whether the file is new.
        drawn = random.Random(seed).getrandbits(32)  # noqa: S311 - a name, not a secret
        with self.transaction():
            self._db.execute(
                "INSERT INTO book SELECT ? WHERE NOT EXISTS (SELECT 1 FROM book)", (f"{drawn:08x}",)
            )
            (name,) = self._db.execute("SELECT id FROM book").fetchone()
        return str(name)

    def close(self) -> None:
        """Close the file; every commit is in it already."""
        with self._lock:
            self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[ErpTransaction]:
        """Work on the books alone; they are committed, and on disk, when the block ends well."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield ErpTransaction(self._db, self._clock, folds=self._folds)
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise


class ErpTransaction:
    """The books while nobody else writes in them."""

    def __init__(self, db: sqlite3.Connection, clock: Clock, *, folds: bool = False) -> None:
        self._db = db
        self._clock = clock
        self._folds = folds

    def all(self, profile: str | None = None) -> list[ErpDocument]:
        """Return every document in the order of entry; None: of all profiles."""
        return self._select("profile = coalesce(?, profile) ORDER BY id", profile)

    def document_of(self, profile: str, reference: str) -> ErpDocument | None:
        """Return the document that holds ``reference``: the latest that was not rejected."""
        found = self._select(
            "profile = ? AND reference = ? AND status <> 'rejected' ORDER BY id DESC LIMIT 1",
            profile,
            self._fold(reference),
        )
        return found[0] if found else None

    def latest(self, profile: str, reference: str) -> ErpDocument | None:
        """Return the latest document with ``reference``, rejected or not."""
        found = self._select(
            "profile = ? AND reference = ? ORDER BY id DESC LIMIT 1",
            profile,
            self._fold(reference),
        )
        return found[0] if found else None

    def of_claim(self, profile: str, company: str, claim_id: str) -> list[ErpDocument]:
        """Return the claim's documents, without those that were rejected."""
        return self._select(
            "profile = ? AND company = ? AND claim_id = ? AND status <> 'rejected' ORDER BY id",
            profile,
            company,
            claim_id,
        )

    def by_journal_entry(self, profile: str, wanted: JournalEntry) -> ErpDocument | None:
        """Return the document behind a journal entry; empty parts of ``wanted`` match anything."""
        for document in self._select("profile = ? AND number = ?", profile, wanted.number):
            if wanted.company in ("", document.entry.company) and wanted.fiscal_year in (
                "",
                document.fiscal_year,
            ):
                return document
        return None

    def changes_since(self, profile: str, change: int, limit: int) -> list[ErpDocument]:
        """Return up to ``limit`` documents that changed after ``change``, in that order."""
        return self._select(
            "profile = ? AND change > ? ORDER BY change LIMIT ?", profile, change, limit
        )

    @property
    def last_change(self) -> int:
        """The number of the latest change, 0 before the first."""
        (last,) = self._db.execute("SELECT coalesce(max(change), 0) FROM document").fetchone()
        return int(last)

    def enter(
        self, profile: str, entry: ErpVoucher, original: bytes, *, series: Series, unique: bool
    ) -> ErpDocument:
        """Take a document in, unposted. ``unique``: no other may have its reference from now on."""
        entry = msgspec.structs.replace(entry, reference=self._fold(entry.reference))
        cursor = self._db.execute(
            "INSERT INTO document (change, profile, reference, guard, status, series, fiscal_year,"
            " entry, changed_at, company, claim_id, original)"
            " VALUES (?, ?, ?, ?, 'entered', ?, ?, ?, ?, ?, ?, ?)",
            (
                self.last_change + 1,
                profile,
                entry.reference,
                entry.reference if unique else None,
                msgspec.json.encode(series),
                f"{entry.posting_date.year:04}",
                msgspec.json.encode(entry),
                self._now(),
                entry.company,
                entry.claim_id,
                original,
            ),
        )
        return self._reread(cursor.lastrowid or 0)

    def post(self, document: ErpDocument) -> ErpDocument:
        """Put an entered document into the books, under the next number of its series."""
        (last,) = self._db.execute(
            "SELECT coalesce(max(sequence), 0) FROM document WHERE profile = ? AND series = ?",
            (document.profile, msgspec.json.encode(document.series)),
        ).fetchone()
        return self._update(
            document,
            "status = 'posted', sequence = ?, number = ?",
            last + 1,
            document.series.write(last + 1),
        )

    def pay(self, document: ErpDocument) -> ErpDocument:
        """Settle a posted document's payables."""
        today = self._clock.now().date().isoformat()
        return self._update(document, "status = 'paid', paid_on = ?", today)

    def reject(self, document: ErpDocument, reasons: Sequence[Objection]) -> ErpDocument:
        """Refuse an entered document afterwards; its reference is free again."""
        return self._update(
            document,
            "status = 'rejected', guard = NULL, reasons = ?",
            msgspec.json.encode(tuple(reasons)),
        )

    def reverse(self, document: ErpDocument, by: JournalEntry) -> ErpDocument:
        """Mark a document as reversed by another journal entry."""
        return self._update(
            document, "status = 'reversed', reversed_by = ?", msgspec.json.encode(by)
        )

    def _update(self, document: ErpDocument, what: str, *values: object) -> ErpDocument:
        self._db.execute(
            # `what` is one of the literals above; values are bound.
            f"UPDATE document SET {what}, change = ?, changed_at = ? WHERE id = ?",  # noqa: S608
            (*values, self.last_change + 1, self._now(), document.id),
        )
        return self._reread(document.id)

    def _reread(self, id_: int) -> ErpDocument:
        return self._select("id = ?", id_)[0]

    def _select(self, where: str, *values: object) -> list[ErpDocument]:
        # `where` is one of the literals above; values are bound.
        query = f"SELECT {_COLUMNS} FROM document WHERE {where}"  # noqa: S608
        return [_document(row) for row in self._db.execute(query, values)]

    def _fold(self, reference: str) -> str:
        return reference.upper() if self._folds else reference

    def _now(self) -> str:
        return self._clock.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class _Row(msgspec.Struct, frozen=True, array_like=True):
    id: int
    change: int
    profile: str
    reference: str
    status: str
    series: bytes
    number: str
    fiscal_year: str
    entry: bytes
    reversed_by: bytes | None
    paid_on: str | None
    reasons: bytes | None
    changed_at: str


def _document(columns: Sequence[object]) -> ErpDocument:
    row = msgspec.convert(columns, _Row)
    return ErpDocument(
        id=row.id,
        change=row.change,
        profile=row.profile,
        reference=row.reference,
        status=row.status,
        series=msgspec.json.decode(row.series, type=Series),
        number=row.number,
        fiscal_year=row.fiscal_year,
        entry=msgspec.json.decode(row.entry, type=ErpVoucher),
        reversed_by=(
            msgspec.json.decode(row.reversed_by, type=JournalEntry) if row.reversed_by else None
        ),
        paid_on=row.paid_on or "",
        reasons=(
            msgspec.json.decode(row.reasons, type=tuple[Objection, ...]) if row.reasons else ()
        ),
        changed_at=row.changed_at,
    )
