"""What the names of ledgers in a configuration mean in its journal, for commands."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from claimbridge.cli.output import complain
from claimbridge.client import Client
from claimbridge.config import LedgerConfig, ledgers_in, load_config
from claimbridge.errors import ClaimBridgeError
from claimbridge.journal import Journal
from claimbridge.ledger import book_config_of
from claimbridge.model import Book
from claimbridge.submission.decisions.books import BookConfig, find_book, missing, named_by


def book_of(journal: Journal, config: LedgerConfig) -> str:
    """Return the id of the book that a ledger means, without opening it.

    The name alone leads to it where the journal knows it: one who only looks may do so before it
    is said whether the book has moved.
    """
    books = journal.books()
    book = named_by(books, config.name)
    if book is not None:
        return book.id
    ledger_book = find_book(books, book_config_of(config))
    return config.name if ledger_book is None else ledger_book.book.id


def missing_books(path: Path, journal: Journal, journal_url: str) -> tuple[Book, ...]:
    """Return the books of a journal that no ledger of the configuration means.

    A ledger that does not load, because of a wrong option for instance, still means its name: its
    book is not lost, and nobody is to rename it.
    """
    wanted, named = _wanted(path, journal_url)
    lost = missing(journal.books(), wanted)
    return tuple(book for book in lost if not named & set(book.names))


def _wanted(path: Path, journal_url: str) -> tuple[list[BookConfig], set[str]]:
    """Return the books of the ledgers that use a journal, and the names of those not loaded."""
    wanted, named = [], set()
    for name in ledgers_in(path):
        url = journal_url  # what does not load may use any journal
        try:
            config = load_config(path, ledger=name)
            url = config.journal_url
            if url == journal_url:
                wanted.append(book_config_of(config))
        except ClaimBridgeError:  # reported where the ledger is opened
            if url == journal_url:
                named.add(name)
    return wanted, named


def missing_in(path: Path, journal: Journal, journal_url: str) -> list[str]:
    """Return a sentence for each book that holds something and that no ledger means."""
    lost = missing_books(path, journal, journal_url)
    counts = [(book, sum(journal.counts(book.id).values())) for book in lost]
    return [
        f"the journal holds {count} submission{'s' if count != 1 else ''} of ledger {book.name}, "
        f"which is not in {path}; if it was renamed: claimbridge journal rename {book.name} NEW"
        for book, count in counts
        if count
    ]


def warn_of_missing(path: Path, client: Client) -> None:
    """Warn of books that no ledger means, before something is sent; never fails."""
    with suppress(ClaimBridgeError):
        url = client.ledger.setup.config.journal_url
        for sentence in missing_in(path, client.journal, url):
            complain(f"warning: {sentence}")


__all__ = ["book_of", "missing_books", "missing_in", "warn_of_missing"]
