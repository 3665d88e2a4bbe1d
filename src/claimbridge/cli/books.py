"""Which book a configured ledger means, for commands that only look."""

from __future__ import annotations

from claimbridge.config import LedgerConfig
from claimbridge.journal import Journal
from claimbridge.ledger import wanted_book
from claimbridge.submission.books import found, named_by


def book_of(journal: Journal, config: LedgerConfig) -> str:
    """Return the id of the book that a ledger means, without opening it.

    The name alone leads to it where the journal knows it: one who only looks may do so before it
    is said whether the book has moved.
    """
    known = journal.books()
    named = named_by(known, config.name)
    if named is not None:
        return named.id
    opened = found(known, wanted_book(config))
    return config.name if opened is None else opened.book.id


__all__ = ["book_of"]
