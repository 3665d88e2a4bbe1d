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


def wanted_books(path: Path, journal_url: str) -> list[BookConfig]:
    """Return the books of the configured ledgers that use a journal; none of what is wrong."""
    wanted = []
    for name in ledgers_in(path):
        with suppress(ClaimBridgeError):
            config = load_config(path, ledger=name)
            if config.journal_url == journal_url:
                wanted.append(book_config_of(config))
    return wanted


def missing_in(path: Path, journal: Journal, journal_url: str) -> list[str]:
    """Return a sentence for each book that holds something and that no ledger means."""
    lost = missing(journal.books(), wanted_books(path, journal_url))
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


__all__ = ["book_of", "missing_in", "wanted_books", "warn_of_missing"]
