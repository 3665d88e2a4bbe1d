"""Books as rows, and what another book has of a claim: statements of the SQLite journal.

Each function runs inside a transaction that its caller opened.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Final

import msgspec

from claimbridge.journal import rules
from claimbridge.journal.elsewhere import Presence
from claimbridge.journal.sqlite.values import Undecodable, text_of
from claimbridge.model import Book, History

_BOOKS: Final = """
SELECT b.id, b.profile, b.endpoint, b.within, b.parallel, b.opened_at, n.name
FROM books b LEFT JOIN book_names n ON n.book = b.id ORDER BY b.number, n.number
"""
_INSERT: Final = """
INSERT INTO books (id, profile, endpoint, within, parallel, opened_at) VALUES (?, ?, ?, ?, ?, ?)
"""
_PRESENCES: Final = """
SELECT s.ledger, s.revision, s.state
FROM claims c JOIN submissions s ON s.ledger = c.ledger AND s.claim_id = c.claim_id
WHERE c.claim_id = ? AND c.ledger <> ? AND s.purpose = 'post'
"""
_USED: Final = "SELECT 1 FROM claims WHERE ledger = ? LIMIT 1"


def read_books(connection: sqlite3.Connection) -> tuple[Book, ...]:
    """Return all books, in the order of their opening, each with its names in theirs."""
    books: dict[str, Book] = {}
    for row in connection.execute(_BOOKS).fetchall():
        book = books.get(row[0])
        if book is None:
            books[row[0]] = _book(row)
        else:
            books[row[0]] = msgspec.structs.replace(book, names=(*book.names, str(row[6])))
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


def read_presences(connection: sqlite3.Connection, seen: History) -> tuple[Presence, ...]:
    """Return what other books have of a claim's vouchers to post.

    It is read in the transaction that records the sending: of two books that are sent one claim
    at once, the second sees the first.
    """
    rows = connection.execute(_PRESENCES, (seen.claim_id, seen.book)).fetchall()
    try:
        return tuple(
            msgspec.convert({"book": book, "revision": revision, "state": state}, Presence)
            for book, revision, state in rows
        )
    except msgspec.MsgspecError as error:
        raise Undecodable(f"a row of submissions: {error}") from error


def _values(book: Book) -> tuple[object, ...]:
    place = book.place
    where = (None, None, None) if place is None else (place.profile, place.endpoint, place.within)
    return (book.id, *where, book.parallel, text_of(book.opened_at))


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


__all__ = ["read_books", "read_presences", "write_books"]
