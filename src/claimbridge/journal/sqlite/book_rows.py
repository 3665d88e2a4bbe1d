"""Books as rows, and what another book has of a claim: statements of the SQLite journal.

Each function runs inside a transaction that its caller opened.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from claimbridge.journal import rules
from claimbridge.journal.sqlite.rows import Undecodable, text_of
from claimbridge.model import Book

_BOOKS: Final = """
SELECT b.id, b.profile, b.endpoint, b.within, b.parallel, b.opened_at, n.name
FROM books b LEFT JOIN book_names n ON n.book = b.id ORDER BY b.number, n.number
"""
_INSERT: Final = """
INSERT INTO books (id, profile, endpoint, within, parallel, opened_at) VALUES (?, ?, ?, ?, ?, ?)
"""
_HELD: Final = """
SELECT s.ledger, s.revision, s.state
FROM claims c JOIN submissions s ON s.ledger = c.ledger AND s.claim_id = c.claim_id
WHERE c.claim_id = ? AND c.ledger <> ? AND s.purpose = 'post'
"""
_USED: Final = "SELECT 1 FROM claims WHERE ledger = ? LIMIT 1"


def read_books(connection: sqlite3.Connection) -> tuple[Book, ...]:
    """Return all books, in the order of their opening, each with its names in theirs."""
    books: dict[str, Book] = {}
    for row in connection.execute(_BOOKS).fetchall():
        known = books.get(row[0])
        if known is None:
            books[row[0]] = _book(row)
        else:
            books[row[0]] = msgspec.structs.replace(known, names=(*known.names, str(row[6])))
    return tuple(books.values())


def write_books(
    connection: sqlite3.Connection, seen: tuple[Book, ...], books: tuple[Book, ...]
) -> bool:
    """Write ``books`` in the place of ``seen``; False when there are others by now.

    Raises JournalError CB-233 where one that is left out holds claims.
    """
    if read_books(connection) != seen:
        return False
    left = {book.id for book in books}
    for book in seen:
        if book.id not in left and connection.execute(_USED, (book.id,)).fetchone():
            raise rules.not_empty(book)
    # Few rows, seldom written: all of them anew, so that the order of rows is that of ``books``.
    connection.execute("DELETE FROM book_names")
    connection.execute("DELETE FROM books")
    connection.executemany(_INSERT, [_values(book) for book in books])
    connection.executemany(
        "INSERT INTO book_names (name, book) VALUES (?, ?)",
        [(name, book.id) for book in books for name in book.names],
    )
    return True


def check_elsewhere(connection: sqlite3.Connection, changes: Iterable[rules.Write]) -> None:
    """Raise ConflictingSubmission CB-457 where another book has a claim that is about to be sent.

    It is read in the transaction that records the sending: of two books that are sent one claim
    at once, the second sees the first.
    """
    for change in changes:
        if not change.posts:
            continue
        key = change.after.key
        found = connection.execute(_HELD, (key.claim_id, key.book)).fetchall()
        if found:
            rules.refuse_elsewhere(key, _held(found), read_books(connection))


def _held(found: Sequence[Sequence[object]]) -> list[rules.Presence]:
    try:
        return [
            msgspec.convert(
                dict(zip(rules.Presence.__struct_fields__, row, strict=True)), rules.Presence
            )
            for row in found
        ]
    except msgspec.MsgspecError as error:
        raise Undecodable(f"a row of submissions: {error}") from error


def _values(book: Book) -> tuple[object, ...]:
    place = book.place
    told = (None, None, None) if place is None else (place.profile, place.endpoint, place.within)
    return (book.id, *told, book.parallel, text_of(book.opened_at))


def _book(row: Sequence[object]) -> Book:
    id_, profile, endpoint, within, parallel, opened_at, name = row
    fields = {
        "id": id_,
        "names": () if name is None else (name,),
        "place": None
        if profile is None
        else {"profile": profile, "endpoint": endpoint, "within": within},
        "parallel": bool(parallel),
        "opened_at": opened_at,
    }
    try:
        return msgspec.convert(fields, Book)
    except msgspec.MsgspecError as error:
        raise Undecodable(f"row {id_} of books: {error}") from error


__all__ = ["check_elsewhere", "read_books", "write_books"]
