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

    A document that changes meanwhile comes again, with its later update. A document without an id
    is named by its content. Where a page is too large for one answer, smaller ones are asked for,
    at last one document at a time. A document that is too large by itself, or that is none, comes
    as ``unread``, and the others go on.

    Raises LedgerUnavailable CB-514 for a list in another order than was asked for, or one that
    never holds still.
    """
    return _ListReader(fetch, since=since, page_size=page_size).changes()


class _ListReader:
    """One reading of the list: where it is, and which documents it has seen since ``_begin``.

    ``_begin`` is a second, None before the first; ``_offset`` counts from there.
    """

    def __init__(self, fetch: Fetch, *, since: int | None, page_size: int) -> None:
        self._fetch = fetch
        self._usual_size = page_size
        self._page_size = page_size
        self._begin = None if since is None else since // 1000
        self._offset = 0
        self._steps_back = 0
        self._seen: set[tuple[str, int]] = set()

    def changes(self) -> Iterator[HesiListEntry]:
        """Yield the changes; see ``read_changes``."""
        goes_on = True
        while goes_on:
            try:
                page = self._page(self._offset, self._page_size)
            except LedgerUnavailable as error:
                if error.code != TOO_LARGE:
                    raise
                if self._page_size > _SMALLEST:
                    self._page_size = max(_SMALLEST, self._page_size // 2)
                    self._offset = 0
                    continue
                entries, beyond = self._one_by_one(error)
                yield from self._unseen(entries)
                if beyond is None:
                    return
                # What was passed may have hidden others that moved; they are read again from the
                # mark.
                self._go_to(beyond)
                self._page_size = self._usual_size
                continue
            if self._may_lack_some(page):
                self._step_back()
                continue
            yield from self._unseen(page)
            goes_on = self._move_on(page)

    def _page(self, offset: int, size: int) -> list[HesiListEntry]:
        since = None if self._begin is None else self._begin * 1000
        return _entries(self._fetch(since, offset, size), self._begin)

    def _unseen(self, entries: Sequence[HesiListEntry]) -> Iterator[HesiListEntry]:
        for entry in entries:
            if (entry.id, entry.updated) not in self._seen:
                self._seen.add((entry.id, entry.updated))
                yield entry

    def _may_lack_some(self, page: Sequence[HesiListEntry]) -> bool:
        """Return whether documents may have moved from before this page: it does not overlap."""
        return self._offset > 0 and not (page and (page[0].id, page[0].updated) in self._seen)

    def _step_back(self) -> None:
        self._steps_back += 1
        if self._steps_back > _MOST_STEPS_BACK:
            raise _unreadable("changes faster than it can be read")
        self._offset = max(0, self._offset - self._step)

    def _move_on(self, page: Sequence[HesiListEntry]) -> bool:
        """Go behind a page that was read; return whether anything is there."""
        # One second earlier: whether Hesi's bound is inside or outside is not documented.
        last = page[-1].updated // 1000 - 1 if page else None
        if last is not None and (self._begin is None or last > self._begin):
            self._go_to(last)
            return True
        self._offset += self._step
        return len(page) >= self._page_size

    def _go_to(self, second: int) -> None:
        self._begin, self._offset = second, 0
        self._seen = {(name, time) for name, time in self._seen if time // 1000 >= second}

    @property
    def _step(self) -> int:
        """How far the next page begins behind this one, where pages overlap."""
        return self._page_size - max(1, self._page_size // 5)

    def _one_by_one(self, why: LedgerUnavailable) -> tuple[list[HesiListEntry], int | None]:
        """Return what stands at the offset and behind it, and the first second clear of it.

        None: the list ends before. Without overlap nothing shows that no document was missed, so
        the first entry is always ``unread``.
        """
        offset = self._offset
        entries = [HesiListEntry({}, "", 0 if self._begin is None else self._begin * 1000, why)]
        passed = in_a_row = 0
        while in_a_row < _MOST_TOO_LARGE:
            try:
                page = self._page(offset, 1)
            except LedgerUnavailable as error:
                if error.code != TOO_LARGE:
                    raise
                passed, in_a_row = offset, in_a_row + 1
            else:
                in_a_row = 0
                if not page:
                    return entries, None
                entries += page[:1]
                second = page[0].updated // 1000
                clear = self._begin is None or second > self._begin + 1
                if page[0].unread is None and passed < offset and clear:
                    return entries, second
            offset += 1
        raise why


def _entries(documents: Sequence[object], begin: int | None) -> list[HesiListEntry]:
    """Return a page's documents, in the order of their times; raises where it is another."""
    page = []
    latest = 0 if begin is None else begin * 1000
    for document in documents:
        if not isinstance(document, dict):
            page.append(HesiListEntry({}, _name_for({"": document}), latest, _misshapen()))
            continue
        flow_id, updated = document.get("id"), document.get("updateTime")
        if type(updated) is not int:
            updated = latest  # it stands behind the one before it, and holds up nobody
        if not isinstance(flow_id, str) or not flow_id:
            flow_id = _name_for(document)
        if updated < latest:
            raise _unreadable("is not ordered by the update time from which it was asked for")
        latest = updated
        page.append(HesiListEntry(document, flow_id, updated))
    return page


def _name_for(document: JsonObject) -> str:
    """Return a name for a document without an id, the same for the same plain content."""
    form = document.get("form")
    plain = {**document, **form} if isinstance(form, dict) else document
    fields = sorted(f"{name}={value}" for name, value in plain.items() if type(value) in _PLAIN)
    return f"unnamed-{hashlib.sha256(repr(fields).encode()).hexdigest()[:16]}"


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
