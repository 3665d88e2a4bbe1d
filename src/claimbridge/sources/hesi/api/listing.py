"""Reading a list that changes under the reader, without missing a document.

Hesi pages by offset, and a document that changes moves to the list's end: every offset behind it
then points one document too far. So each page is asked for from the update time of the last one,
not from an offset. A document never gets an earlier time: whatever was not read yet is still
ahead.

Only where more documents than a page holds changed within one second (Hesi takes seconds) do
offsets remain. Their pages overlap: within one second documents can only leave, so that nothing was
missed between two pages as long as the second begins with a document that is known. Otherwise
reading steps back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from claimbridge.errors import LedgerUnavailable
from claimbridge.sources.hesi.api.http import TOO_LARGE, JsonObject

Fetch = Callable[[int | None, int, int], Sequence[object]]
"""Gives a page: from an update time (milliseconds; None: the first), an offset, how many."""

_MOST_STEPS_BACK: Final = 200
_MOST_TOO_LARGE: Final = 50
"""Documents too large in a row, after which reading stops: something else is wrong."""
_SMALLEST: Final = 2
"""Documents in a page: with fewer, pages could not overlap."""


class HesiListEntry(msgspec.Struct, frozen=True):
    """One document of a list, with the update time that ordered it.

    ``unread`` says why it could not be read, where nothing tells which document it is: its mark
    must not be passed.
    """

    document: JsonObject
    id: str
    updated: int
    unread: LedgerUnavailable | None = None


def read_changes(fetch: Fetch, *, since: int | None, page_size: int) -> Iterator[HesiListEntry]:
    """Yield every document updated at ``since`` (milliseconds) or later, oldest update first.

    A document that changes meanwhile comes again, with its later update. Raises LedgerUnavailable
    CB-514 for a list in another order than was asked for, or one that never holds still. A
    document without an id is named by its content. Where a page is too large for one answer,
    smaller ones are asked for, at last one document at a time: what is too large by itself, and
    what is no document, comes as ``unread``, and the others go on.
    """
    whole = page_size
    step = _step(page_size)
    begin = None if since is None else since // 1000
    offset = steps_back = 0
    known: set[tuple[str, int]] = set()
    while True:
        try:
            page = _entries(
                fetch(None if begin is None else begin * 1000, offset, page_size), begin
            )
        except LedgerUnavailable as error:
            if error.code != TOO_LARGE:
                raise
            if page_size > _SMALLEST:
                page_size = max(_SMALLEST, page_size // 2)
                step, offset = _step(page_size), 0
                continue
            singly, beyond = _one_by_one(fetch, begin, offset, error)
            for entry in singly:
                if (entry.id, entry.updated) not in known:
                    known.add((entry.id, entry.updated))
                    yield entry
            if beyond is None:
                return
            # What was passed may have hidden others that moved; they are read again from the mark.
            begin, offset, known = beyond, 0, {one for one in known if one[1] // 1000 >= beyond}
            page_size, step = whole, _step(whole)
            continue
        if offset and not (page and (page[0].id, page[0].updated) in known):
            steps_back += 1
            if steps_back > _MOST_STEPS_BACK:
                raise _unreadable("changes faster than it can be read")
            offset = max(0, offset - step)
            continue
        for entry in page:
            if (entry.id, entry.updated) not in known:
                known.add((entry.id, entry.updated))
                yield entry
        # One second earlier: whether Hesi's bound is inside or outside is not documented.
        last = page[-1].updated // 1000 - 1 if page else None
        if last is not None and (begin is None or last > begin):
            begin, offset = last, 0
            known = {(name, time) for name, time in known if time // 1000 >= last}
        elif len(page) < page_size:
            return
        else:
            offset += step


def _one_by_one(
    fetch: Fetch, begin: int | None, offset: int, why: LedgerUnavailable
) -> tuple[list[HesiListEntry], int | None]:
    """Return what stands at an offset and behind it, and the first second that is clear of it.

    None: the list ends before. Without overlap nothing shows that none was missed; so it is always
    told that one may be.
    """
    found = [HesiListEntry({}, "", 0 if begin is None else begin * 1000, why)]
    passed = in_a_row = 0
    while in_a_row < _MOST_TOO_LARGE:
        try:
            page = _entries(fetch(None if begin is None else begin * 1000, offset, 1), begin)
        except LedgerUnavailable as error:
            if error.code != TOO_LARGE:
                raise
            passed, in_a_row = offset, in_a_row + 1
        else:
            in_a_row = 0
            if not page:
                return found, None
            found += page[:1]
            second = page[0].updated // 1000
            clear = begin is None or second > begin + 1
            if page[0].unread is None and passed < offset and clear:
                return found, second
        offset += 1
    raise why


def _step(page_size: int) -> int:
    """Return how far the next page begins behind this one, where pages overlap."""
    return page_size - max(1, page_size // 5)


def _entries(documents: Sequence[object], begin: int | None) -> list[HesiListEntry]:
    """Return a page's documents, in the order of their times; raises where it is another."""
    page = []
    latest = 0 if begin is None else begin * 1000
    for document in documents:
        if not isinstance(document, dict):
            page.append(HesiListEntry({}, _name_for({"": document}), latest, _misshapen()))
            continue
        found, updated = document.get("id"), document.get("updateTime")
        if type(updated) is not int:
            updated = latest  # it stands behind the one before it, and holds up nobody
        if not isinstance(found, str) or not found:
            found = _name_for(document)
        if updated < latest:
            raise _unreadable("is not ordered by the update time from which it was asked for")
        latest = updated
        page.append(HesiListEntry(document, found, updated))
    return page


def _name_for(document: JsonObject) -> str:
    """Return a name for a document without an id, the same for the same plain content."""
    form = document.get("form")
    plain = {**document, **form} if isinstance(form, dict) else document
    shown = sorted(f"{name}={value}" for name, value in plain.items() if type(value) in _PLAIN)
    return f"unnamed-{hashlib.sha256(repr(shown).encode()).hexdigest()[:16]}"


_PLAIN: Final = frozenset({str, int, bool, Decimal})


def _misshapen() -> LedgerUnavailable:
    return LedgerUnavailable(
        "what stands in Hesi's list of documents is no document, and nobody can say which it is",
        code="CB-514",
    )


def _unreadable(why: str) -> LedgerUnavailable:
    return LedgerUnavailable(
        f"Hesi's list of documents {why}; nothing was skipped: it is read again from its mark",
        code="CB-514",
    )
