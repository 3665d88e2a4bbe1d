"""A journal's store in one SQLite file; its statements are in the modules of rows."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Final

from claimbridge.journal.newest import Evidence
from claimbridge.journal.ports import Aloft, ClaimWrite, Judge, StoredSubmission, Surroundings
from claimbridge.journal.sqlite import book_rows, invoice_rows, move_rows, reply_rows, rows
from claimbridge.journal.sqlite.database import Database
from claimbridge.journal.sqlite.marking import Marking
from claimbridge.model import Book, Gap, History, InvoiceHolder, Key, Move, State, Submission


class SqliteStore:
    """A ``Store`` in the file at ``path``; see ``Database`` for the rest."""

    together: Final = 32
    """Threads whose writes share a sync."""

    def __init__(
        self, path: Path, *, timeout: float, group: int, marking: Marking | None = None
    ) -> None:
        self._marking = marking or Marking(path)
        self._database = Database(path, timeout=timeout, group=group, hooks=self._marking)

    def read(self, book: str, claim_id: str) -> tuple[History, Mapping[Key, Aloft]]:
        """Return all that is kept of a claim, and the flights of what is ``sending``."""
        with self._database.reading() as connection:
            return rows.read_claim(connection, book, claim_id)

    def put(self, write: ClaimWrite, judge: Judge) -> bool:
        """Write ``write``, synced; False where its version is not current."""
        # Encoded before its turn comes: inside the transaction everybody waits.
        contents = {one.after.key: rows.encode(one.after) for one in write.writes}

        def put(connection: sqlite3.Connection) -> int | None:
            if not rows.advance(connection, write.seen):
                return None
            judge(self._surroundings(connection, write))
            rows.write(connection, write, contents)
            invoice_rows.write(connection, write.writes)
            return self._marking.count(connection, write.writes[0].at) if write.takeoffs else 0

        begun = self._database.write(put)
        if begun is None:
            return False
        self._marking.ensure(begun)
        return True

    def put_job(self, flights: Sequence[Submission], job: str) -> None:
        """Keep which job holds these attempts, synced."""

        def put(connection: sqlite3.Connection) -> None:
            for flight in flights:
                rows.note_job(connection, flight, job)

        self._database.write(put)

    def find(self, book: str, reference: str) -> Submission | None:
        """Return the submission with this reference."""
        with self._database.reading() as connection:
            return rows.read_reference(connection, book, reference)

    def page(
        self, book: str, state: State, *, after: int, size: int, parts: bool
    ) -> Sequence[StoredSubmission]:
        """Return submissions in a state with numbers above ``after``."""
        with self._database.reading() as connection:
            return rows.read_page(connection, book, state, after, size, parts=parts)

    def claims(self, book: str, prefix: str, *, after: str, size: int) -> Sequence[str]:
        """Return ids of claims that begin with ``prefix`` and are above ``after``."""
        with self._database.reading() as connection:
            return rows.read_claim_ids(connection, book, prefix, after, size)

    def counts(self, book: str) -> Mapping[State, int]:
        """Return how many submissions are in each state."""
        with self._database.reading() as connection:
            return rows.read_counts(connection, book)

    def moves(
        self, book: str, claim_id: str, *, after: int, size: int
    ) -> Sequence[tuple[int, Move]]:
        """Return a claim's moves with numbers above ``after``."""
        with self._database.reading() as connection:
            return move_rows.read_moves(connection, book, claim_id, after, size)

    def holders(self, names: Collection[str]) -> tuple[InvoiceHolder, ...]:
        """Return the submissions that have, or had, invoices of these identities or numbers."""
        with self._database.reading() as connection:
            return invoice_rows.read_holders(connection, names)

    def airborne(self) -> Sequence[tuple[str, str, Aloft]]:
        """Return the book, the claim's id and the flight of each submission in ``sending``."""
        with self._database.reading() as connection:
            return rows.read_aloft(connection)

    def flights_of(self, attempts: Sequence[Submission]) -> Sequence[Aloft | None]:
        """Return whose flight each attempt is in."""
        with self._database.reading() as connection:
            return [rows.read_flight(connection, attempt) for attempt in attempts]

    def books(self) -> tuple[Book, ...]:
        """Return all books, in the order of their opening."""
        with self._database.reading() as connection:
            return book_rows.read_books(connection)

    def put_books(self, seen: Sequence[Book], books: Sequence[Book]) -> bool:
        """Keep ``books`` in the place of ``seen``, synced; False when they are others by now."""
        return self._database.write(
            lambda connection: book_rows.write_books(connection, tuple(seen), tuple(books))
        )

    def cursor(self, book: str) -> str:
        """Return a book's cursor."""
        with self._database.reading() as connection:
            return reply_rows.read_cursor(connection, book)

    def put_cursor(self, book: str, cursor: str, at: dt.datetime) -> None:
        """Keep a book's cursor, synced."""
        self._database.write(
            lambda connection: reply_rows.write_cursor(connection, book, cursor, at)
        )

    def put_seal(self, book: str, seal: str, until: dt.datetime, *, oldest: dt.datetime) -> bool:
        """Keep a seal until then, synced; False when it is there, and its time is not over."""
        return self._database.write(
            lambda connection: reply_rows.write_seal(connection, book, seal, until, oldest)
        )

    def evidence(self) -> Evidence:
        """Return what the file says of itself, and what the mark beside it says."""
        with self._database.reading() as connection:
            self._database.check_file()
            return self._marking.evidence(connection)

    def put_gap(
        self, decide: Callable[[Evidence], tuple[Gap | None, bool]], at: dt.datetime
    ) -> tuple[Gap | None, bool]:
        """Keep the gap that is decided where it is new, synced."""

        def put(connection: sqlite3.Connection) -> tuple[Gap | None, bool]:
            gap, is_new = decide(self._marking.evidence(connection))
            if gap is not None and is_new:
                self._marking.note(connection, gap, at)
            return gap, is_new

        return self._database.write(put)

    def renew(self, decide: Callable[[Evidence], bool]) -> None:
        """Have the file count as the newest where that is decided, synced."""

        def renew(connection: sqlite3.Connection) -> None:
            if decide(self._marking.evidence(connection)):
                self._marking.renew(connection)

        self._database.write(renew)

    def is_new(self, book: str) -> bool:
        """Whether no attempt to a book was begun, nobody agreed to that, and no gap is kept."""
        with self._database.reading() as connection:
            return self._marking.is_new(connection, book)

    def agree_new(self, book: str) -> None:
        """Keep that a person says that nothing was sent to a book before, synced."""
        self._database.write(lambda connection: self._marking.agree_new(connection, book))

    def close(self) -> None:
        """Close all connections."""
        self._database.close()

    def _surroundings(self, connection: sqlite3.Connection, write: ClaimWrite) -> Surroundings:
        presences = book_rows.read_presences(connection, write.seen) if write.is_posting else ()
        return Surroundings(
            owners=rows.read_owners(connection, write.flown),
            presences=presences,
            books=book_rows.read_books(connection) if presences else (),
            holders=invoice_rows.read_users(connection, write.invoices),
            evidence=self._marking.present(connection) if write.takeoffs else None,
        )


__all__ = ["SqliteStore"]
