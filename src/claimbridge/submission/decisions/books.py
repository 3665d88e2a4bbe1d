"""Which book a ledger's name means; pure.

A name is a label: it may change, and one book may have two. So a book is found by its *place*
(profile, endpoint, and which of the books behind it), and the journal keeps what was found. A name
that is known and now stands for another place is refused: whether the ERP has moved, or another
one is meant, only a person can say.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
from collections.abc import Iterable, Sequence
from typing import Final
from urllib.parse import urlsplit

import msgspec

from claimbridge.clock import Clock
from claimbridge.errors import ConfigurationError, JournalError
from claimbridge.model import Book, Place
from claimbridge.submission.steps.steps import KeepBooks, Plan, ReadBooks

Books = tuple[Book, ...]
"""The books of a journal, in the order in which they were opened."""

_PORTS: Final = {"http": 80, "https": 443}


class BookConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What a configuration says of one ledger's book."""

    name: str
    place: Place
    parallel: bool = False


class LedgerBook(msgspec.Struct, frozen=True):
    """The book that a ledger means; ``news`` says what the journal has just learnt, "" for nothing.

    Nothing is said of a book's first opening.
    """

    book: Book
    news: str = ""


def place_of(profile: str, endpoint: str, *within: str) -> Place:
    """Return the place that a ledger's settings describe, each written in one way only."""
    return Place(profile, _written_one_way(endpoint), ", ".join(filter(None, within)))


def _written_one_way(endpoint: str) -> str:
    try:
        parts = urlsplit(endpoint)
        number = parts.port
    except ValueError:
        return endpoint  # no address: the transport refuses it
    scheme, host = parts.scheme.lower(), (parts.hostname or "").rstrip(".")
    host = f"[{host}]" if ":" in host else host
    port = "" if number in (None, _PORTS.get(scheme)) else f":{number}"
    query = f"?{parts.query}" if parts.query else ""
    return f"{scheme}://{host}{port}{parts.path.rstrip('/')}{query}"


def id_of(place: Place) -> str:
    """Return the id of the book at ``place``: the same again from an empty journal."""
    place_bytes = msgspec.json.encode((place.profile, place.endpoint, place.within))
    profile = re.sub(r"[^A-Za-z0-9._-]+", "-", place.profile)
    return f"{profile}-{hashlib.sha256(place_bytes).hexdigest()[:12]}"


def open_book(config: BookConfig, clock: Clock) -> Plan[LedgerBook]:
    """Read which book a ledger means, and keep what is new.

    Raises ConfigurationError: CB-232 where the name stands for another book than before, CB-234
    where a parallel ledger is the same book as another.
    """
    while True:
        books = yield from ReadBooks()
        ledger_book = find_book(books, config) or _new(books, config, clock)
        after = _with(books, ledger_book.book)
        # False: another process has just opened one; look again.
        if after == books or (yield from KeepBooks(books, after)):
            return ledger_book


def find_book(books: Books, config: BookConfig) -> LedgerBook | None:
    """Return the book that a ledger means, as it is to be kept; None for one not opened yet.

    Raises ConfigurationError as ``open_book`` does.
    """
    by_name = named_by(books, config.name)
    at_place = [book for book in books if book.place == config.place]
    if by_name is not None:
        _check_still_there(by_name, at_place, config)
        now = msgspec.structs.replace(by_name, place=config.place, parallel=config.parallel)
        return LedgerBook(now, _news_of_parallel(by_name, config))
    if not at_place:
        return None
    book = at_place[0]
    if book.parallel != config.parallel:
        raise _same_book(book, config)
    now = msgspec.structs.replace(book, names=(*book.names, config.name))
    also = f", known as {', '.join(book.names)} until now" if book.names else ""
    return LedgerBook(now, f"ledger {config.name} is book {book.id}{also}: {config.place}")


def named_by(books: Iterable[Book], name: str) -> Book | None:
    """Return the book that a name means; None when no book has it."""
    return next((book for book in books if name in book.names), None)


def missing(books: Iterable[Book], configured: Sequence[BookConfig]) -> tuple[Book, ...]:
    """Return the books that no configured ledger means, by its name or by its place."""
    names = {config.name for config in configured}
    places = {config.place for config in configured}
    return tuple(book for book in books if not names & set(book.names) and book.place not in places)


def rename(old: str, new: str) -> Plan[Book]:
    """Let ``new`` mean the book that ``old`` meant, which ``old`` then means no more.

    A book that ``new`` meant and that holds nothing is forgotten: the renamed one is at its place.
    Raises JournalError CB-233 where no book has the name, or the other book holds claims.
    """
    while True:
        books = yield from ReadBooks()
        book = named_by(books, old)
        if book is None:
            raise _unknown(books, old)
        if old == new:
            return book
        other = named_by(books, new)
        others = tuple(name for name in book.names if name not in (old, new))
        renamed = msgspec.structs.replace(book, names=(*others, new))
        if other is not None and other.id != book.id:
            renamed = msgspec.structs.replace(
                renamed, place=other.place or book.place, parallel=other.parallel
            )
            the_rest = tuple(one for one in books if one.id != other.id)
        else:
            the_rest = books
        if (yield from KeepBooks(books, _with(the_rest, renamed))):
            return renamed


def move(config: BookConfig) -> Plan[Book]:
    """Record that the book of a ledger's name is now where the configuration says.

    A book that was opened at the new place and holds nothing is forgotten. Raises JournalError
    CB-233 where no book has the name, or the other book holds claims.
    """
    while True:
        books = yield from ReadBooks()
        book = named_by(books, config.name)
        if book is None:
            raise _unknown(books, config.name)
        there = {one.id for one in books if one.place == config.place} - {book.id}
        relocated = msgspec.structs.replace(book, place=config.place, parallel=config.parallel)
        after = _with(tuple(one for one in books if one.id not in there), relocated)
        if after == books or (yield from KeepBooks(books, after)):
            return relocated


def _new(books: Books, config: BookConfig, clock: Clock) -> LedgerBook:
    base = own = id_of(config.place)
    ids = {book.id for book in books}
    number = 1
    while own in ids:  # a book that was opened there has moved away, and keeps its id
        number += 1
        own = f"{base}-{number}"
    return LedgerBook(
        Book(
            id=own,
            names=(config.name,),
            place=config.place,
            parallel=config.parallel,
            opened_at=clock.now(),
        )
    )


def _with(books: Books, book: Book) -> Books:
    if any(one.id == book.id for one in books):
        return tuple(book if one.id == book.id else one for one in books)
    return (*books, book)


def _check_still_there(by_name: Book, at_place: Sequence[Book], config: BookConfig) -> None:
    """Refuse a name that is known and now stands for another place."""
    if by_name.place is None or by_name.place == config.place:
        return
    here = _without_port(config.place)
    if not at_place and here is not None and here == _without_port(by_name.place):
        return  # a sandbox that was started again
    elsewhere = f", where ledger {at_place[0].name} is" if at_place else ""
    raise ConfigurationError(
        f"ledger {config.name} was at {by_name.place}; the configuration now says {config.place}"
        f"{elsewhere}. Nothing was sent. If the same book has moved there: claimbridge journal "
        f"moved {config.name}. If it is another book, give it another name",
        code="CB-232",
    )


def is_same_place(one: Place, other: Place) -> bool:
    """Say whether two places are one; on this very machine whatever the port."""
    return one == other or (_without_port(one) or one) == (_without_port(other) or other)


def _without_port(place: Place) -> Place | None:
    """Return a place on this very machine, whatever its port; None for one elsewhere."""
    parts = urlsplit(place.endpoint)
    if not _is_loopback(parts.hostname or ""):
        return None
    query = f"?{parts.query}" if parts.query else ""
    return msgspec.structs.replace(place, endpoint=f"{parts.scheme}://{parts.path}{query}")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _news_of_parallel(by_name: Book, config: BookConfig) -> str:
    if by_name.parallel == config.parallel:
        return ""
    now = "parallel now" if config.parallel else "no longer parallel"
    return f"ledger {config.name}: book {by_name.id} is {now}"


def _same_book(book: Book, config: BookConfig) -> ConfigurationError:
    is_parallel, other = (config.name, book.name) if config.parallel else (book.name, config.name)
    return ConfigurationError(
        f"ledger {is_parallel} is parallel, and is the same book as {other} ({config.place}): a "
        'claim would be posted once only. Say what tells it apart: book = "…" in its table, or '
        "the profile's own options",
        code="CB-234",
    )


def _unknown(books: Books, name: str) -> JournalError:
    names = ", ".join(sorted(name for book in books for name in book.names)) or "none"
    return JournalError(f"the journal has no book named {name}; it has: {names}", code="CB-233")
