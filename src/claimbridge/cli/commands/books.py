"""Commands about books: what the names of ledgers mean in the journal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from claimbridge.cli.book_names import missing_books
from claimbridge.cli.exit_codes import DONE
from claimbridge.cli.options import Config, Json, LedgerName
from claimbridge.cli.output import YES, complain, emit, row, say, show, table
from claimbridge.clock import SYSTEM
from claimbridge.config import ledgers_in, load_config
from claimbridge.errors import ConfigurationError
from claimbridge.journal import Journal, open_journal
from claimbridge.ledger import book_config_of
from claimbridge.model import Book, State
from claimbridge.submission import with_journal
from claimbridge.submission.decisions.books import move, rename


def list_books(
    *,
    config: Config = Path("claimbridge.toml"),
    ledger: LedgerName = None,
    json: Json = False,
) -> int:
    """List the books of the journal: their names, where they are, and what they hold."""
    grid = table("names", "book", "where", "holds", wrapped=("names", "where", "holds"))
    with _journal(config, ledger) as (journal, url):
        lost = {book.id for book in missing_books(config, journal, url)}
        for book in journal.books():
            counts = journal.counts(book.id)
            if json:
                emit(_record(book, counts, configured=book.id not in lost))
            else:
                row(grid, *_cells(book, counts, configured=book.id not in lost))
    if not json:
        show(grid)
    return DONE


def rename_book(
    old: str,
    new: str,
    /,
    *,
    config: Config = Path("claimbridge.toml"),
    ledger: LedgerName = None,
    json: Json = False,
) -> int:
    """Let a new name mean the book that an old name meant, after a ledger was renamed.

    Parameters
    ----------
    old
        The name that the journal knows; it then means nothing.
    new
        The name in the configuration.

    """
    configured = new in ledgers_in(config)
    with _journal(config, ledger) as (journal, _):
        book = with_journal(rename(old, new), journal)
        sentence = f"{new} is book {book.id} now"
        _show(book, journal, sentence, json=json, configured=configured)
    if not configured:
        complain(f"{config} has no [ledger.{new}] yet")
    return DONE


def move_book(
    name: str,
    /,
    *,
    config: Config = Path("claimbridge.toml"),
    json: Json = False,
) -> int:
    """Record that a ledger's book is now where the configuration says.

    Its endpoint, its profile, or what tells the book apart behind the endpoint has changed, and it
    is the same book.

    Parameters
    ----------
    name
        The ledger.

    """
    wanted = book_config_of(load_config(config, ledger=name))
    with _journal(config, name) as (journal, _):
        book = with_journal(move(wanted), journal)
        sentence = f"{name} is at {wanted.place} now"
        _show(book, journal, sentence, json=json, configured=True)
    return DONE


@contextmanager
def _journal(path: Path, ledger: str | None) -> Iterator[tuple[Journal, str]]:
    """Open the journal of a ledger, or the one that all ledgers share; give its URL too."""
    names = ledgers_in(path) if ledger is None else (ledger,)
    urls = {load_config(path, ledger=name).journal_url for name in names}
    if len(urls) != 1:
        raise ConfigurationError(
            f"the ledgers of {path} have several journals; name a ledger", code="CB-252"
        )
    url = urls.pop()
    journal = open_journal(url, clock=SYSTEM)
    try:
        yield journal, url
    finally:
        journal.close()


def _show(book: Book, journal: Journal, sentence: str, *, json: bool, configured: bool) -> None:
    if json:
        emit(_record(book, journal.counts(book.id), configured=configured))
    else:
        say(YES, f" {sentence}")


def _cells(
    book: Book, counts: Mapping[State, int], *, configured: bool
) -> tuple[str | tuple[str, str], ...]:
    names = ", ".join(book.names) or "(none)"
    holds = ", ".join(f"{count} {state}" for state, count in counts.items()) or "nothing"
    return (
        names if configured else (f"{names} (not configured)", "yellow"),
        book.id,
        ("parallel: " if book.parallel else "") + (str(book.place) if book.place else "not known"),
        holds,
    )


def _record(book: Book, counts: Mapping[State, int], *, configured: bool) -> dict[str, Any]:
    place = book.place
    return {
        "book": book.id,
        "names": list(book.names),
        "profile": place.profile if place else None,
        "endpoint": place.endpoint if place else None,
        "within": place.within if place else None,
        "parallel": book.parallel,
        "opened_at": book.opened_at,
        "states": {state.value: count for state, count in counts.items()},
        "configured": configured,
    }


__all__ = ["list_books", "move_book", "rename_book"]
