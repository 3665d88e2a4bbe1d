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
from claimbridge.submission.steps import Books, KeepBooks, Plan

Known = tuple[Book, ...]
"""The books of a journal, in the order in which they were opened."""

_PORTS: Final = {"http": 80, "https": 443}


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a configuration says of one ledger's book."""

    name: str
    place: Place
    parallel: bool = False


class Opened(msgspec.Struct, frozen=True):
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
    told = msgspec.json.encode((place.profile, place.endpoint, place.within))
    profile = re.sub(r"[^A-Za-z0-9._-]+", "-", place.profile)
    return f"{profile}-{hashlib.sha256(told).hexdigest()[:12]}"


def open_book(wanted: Wanted, clock: Clock) -> Plan[Opened]:
    """Read which book a ledger means, and keep what is new.

    Raises ConfigurationError: CB-232 where the name stands for another book than before, CB-234
    where a parallel ledger is the same book as another.
    """
    while True:
        known = yield from Books()
        opened = found(known, wanted) or _new(known, wanted, clock)
        after = _with(known, opened.book)
        # False: another process has just opened one; look again.
        if after == known or (yield from KeepBooks(known, after)):
            return opened


def found(known: Known, wanted: Wanted) -> Opened | None:
    """Return the book that a ledger means, as it is to be kept; None for one not opened yet.

    Raises ConfigurationError as ``open_book`` does.
    """
    named = named_by(known, wanted.name)
    placed = [book for book in known if book.place == wanted.place]
    if named is not None:
        _check_still_there(named, placed, wanted)
        now = msgspec.structs.replace(named, place=wanted.place, parallel=wanted.parallel)
        return Opened(now, _news_of_parallel(named, wanted))
    if not placed:
        return None
    book = placed[0]
    if book.parallel != wanted.parallel:
        raise _same_book(book, wanted)
    now = msgspec.structs.replace(book, names=(*book.names, wanted.name))
    also = f", known as {', '.join(book.names)} until now" if book.names else ""
    return Opened(now, f"ledger {wanted.name} is book {book.id}{also}: {wanted.place}")


def named_by(known: Iterable[Book], name: str) -> Book | None:
    """Return the book that a name means; None when no book has it."""
    return next((book for book in known if name in book.names), None)


def missing(known: Iterable[Book], configured: Sequence[Wanted]) -> tuple[Book, ...]:
    """Return the books that no configured ledger means, by its name or by its place."""
    names = {wanted.name for wanted in configured}
    places = {wanted.place for wanted in configured}
    return tuple(book for book in known if not names & set(book.names) and book.place not in places)


def rename(old: str, new: str) -> Plan[Book]:
    """Let ``new`` mean the book that ``old`` meant, which ``old`` then means no more.

    A book that ``new`` meant and that holds nothing is forgotten: the renamed one is at its place.
    Raises JournalError CB-233 where no book has the name, or the other book holds claims.
    """
    while True:
        known = yield from Books()
        book = named_by(known, old)
        if book is None:
            raise _unknown(known, old)
        if old == new:
            return book
        other = named_by(known, new)
        kept = tuple(name for name in book.names if name not in (old, new))
        renamed = msgspec.structs.replace(book, names=(*kept, new))
        if other is not None and other.id != book.id:
            renamed = msgspec.structs.replace(
                renamed, place=other.place or book.place, parallel=other.parallel
            )
            known_then = tuple(one for one in known if one.id != other.id)
        else:
            known_then = known
        if (yield from KeepBooks(known, _with(known_then, renamed))):
            return renamed


def move(wanted: Wanted) -> Plan[Book]:
    """Record that the book of a ledger's name is now where the configuration says.

    A book that was opened at the new place and holds nothing is forgotten. Raises JournalError
    CB-233 where no book has the name, or the other book holds claims.
    """
    while True:
        known = yield from Books()
        book = named_by(known, wanted.name)
        if book is None:
            raise _unknown(known, wanted.name)
        there = {one.id for one in known if one.place == wanted.place} - {book.id}
        moved = msgspec.structs.replace(book, place=wanted.place, parallel=wanted.parallel)
        after = _with(tuple(one for one in known if one.id not in there), moved)
        if after == known or (yield from KeepBooks(known, after)):
            return moved


def _new(known: Known, wanted: Wanted, clock: Clock) -> Opened:
    base = own = id_of(wanted.place)
    taken = {book.id for book in known}
    number = 1
    while own in taken:  # a book that was opened there has moved away, and keeps its id
        number += 1
        own = f"{base}-{number}"
    return Opened(
        Book(
            id=own,
            names=(wanted.name,),
            place=wanted.place,
            parallel=wanted.parallel,
            opened_at=clock.now(),
        )
    )


def _with(known: Known, book: Book) -> Known:
    if any(one.id == book.id for one in known):
        return tuple(book if one.id == book.id else one for one in known)
    return (*known, book)


def _check_still_there(named: Book, placed: Sequence[Book], wanted: Wanted) -> None:
    """Refuse a name that is known and now stands for another place."""
    if named.place is None or named.place == wanted.place:
        return
    here = _without_port(wanted.place)
    if not placed and here is not None and here == _without_port(named.place):
        return  # a sandbox that was started again
    elsewhere = f", where ledger {placed[0].name} is" if placed else ""
    raise ConfigurationError(
        f"ledger {wanted.name} was at {named.place}; the configuration now says {wanted.place}"
        f"{elsewhere}. Nothing was sent. If the same book has moved there: claimbridge journal "
        f"moved {wanted.name}. If it is another book, give it another name",
        code="CB-232",
    )


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


def _news_of_parallel(named: Book, wanted: Wanted) -> str:
    if named.parallel == wanted.parallel:
        return ""
    now = "parallel now" if wanted.parallel else "no longer parallel"
    return f"ledger {wanted.name}: book {named.id} is {now}"


def _same_book(book: Book, wanted: Wanted) -> ConfigurationError:
    is_parallel, other = (wanted.name, book.name) if wanted.parallel else (book.name, wanted.name)
    return ConfigurationError(
        f"ledger {is_parallel} is parallel, and is the same book as {other} ({wanted.place}): a "
        'claim would be posted once only. Say what tells it apart: book = "…" in its table, or '
        "the profile's own options",
        code="CB-234",
    )


def _unknown(known: Known, name: str) -> JournalError:
    names = ", ".join(sorted(name for book in known for name in book.names)) or "none"
    return JournalError(f"the journal has no book named {name}; it has: {names}", code="CB-233")


__all__ = [
    "Opened",
    "Wanted",
    "found",
    "id_of",
    "missing",
    "move",
    "named_by",
    "open_book",
    "place_of",
    "rename",
]
