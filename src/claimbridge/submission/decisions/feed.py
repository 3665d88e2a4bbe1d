"""Where to go on in an ERP's list of changes, one change at a time.

An ERP gives a cursor for the end of a page. For a change within it our own cursor says where the
page began and which change was dealt with last: the page is read again from there, and goes on
behind that change. Where the ERP no longer lists it there, because it has changed again, the page
is begun anew: changes may come twice, and none is left out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Final

import msgspec

from claimbridge.model import Outcome
from claimbridge.profiles.base import Page

_OURS: Final = "claimbridge-page"


class Feed:
    """Reads page after page from a cursor, and knows how far the changes were dealt with."""

    def __init__(self, cursor: str) -> None:
        self.begin, self._done, self._last = _position(cursor)
        self._dealt = self._kept = cursor

    def limit(self, asked: int) -> int:
        """Return how many changes to ask for: so many that those dealt with are among them."""
        return max(asked, self._done + 1)

    def turn(self, page: Page) -> Iterator[tuple[Outcome, str]]:
        """Yield each change that is not dealt with, and where to go on once it is.

        A change counts as dealt with when the next one is asked for.
        """
        skipped, count = self._dealt_with(page), len(page.outcomes)
        for place, outcome in enumerate(page.outcomes[skipped:], start=skipped + 1):
            after = page.cursor if place == count else _cursor_within(self.begin, place, outcome)
            yield outcome, after
            self._dealt = after
        self.begin, self._done, self._last = page.cursor, 0, ""
        self._dealt = page.cursor

    def to_keep(self) -> str | None:
        """Return the cursor that the journal is to keep now; None where it keeps it already."""
        if self._dealt == self._kept:
            return None
        self._kept = self._dealt
        return self._dealt

    def _dealt_with(self, page: Page) -> int:
        """Return how many changes at the beginning of a page read again were dealt with."""
        # What is listed later than it was stands behind others that were not: it is not skipped.
        places = range(min(self._done, len(page.outcomes)), 0, -1)
        dealt = (place for place in places if _name(page.outcomes[place - 1]) == self._last)
        return next(dealt, 0)


def _name(change: Outcome) -> str:
    """Return what tells a change from others of its page, and from later ones of its document."""
    entry = change.journal_entry
    key_parts = [change.reference, change.kind, entry and msgspec.structs.astuple(entry)]
    return hashlib.sha256(msgspec.json.encode(key_parts)).hexdigest()[:16]


def _cursor_within(begin: str, done: int, last: Outcome) -> str:
    return f"{_OURS}:{done}:{_name(last)}:{begin}"


def _position(cursor: str) -> tuple[str, int, str]:
    """Return where a page begins, how many of it were dealt with, and the name of the last."""
    ours, _, rest = cursor.partition(":")
    done, _, rest = rest.partition(":")
    last, _, begin = rest.partition(":")
    if ours != _OURS or not done.isascii() or not done.isdigit():
        return cursor, 0, ""
    return begin, int(done), last
