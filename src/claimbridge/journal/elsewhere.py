"""Whether a book may have a claim that another book has: one rule of all journals, without I/O.

Two names of one book, or a ledger that was renamed in a file, must not post a claim twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from claimbridge.errors import ConflictingSubmission
from claimbridge.model import Book, Key, State

ABSENT: Final = frozenset({State.PENDING, State.REJECTED, State.REVERSED})
"""Where an ERP has nothing of a voucher, for certain: in any other state it has, or may have."""


class Presence(msgspec.Struct, frozen=True):
    """What a book has of a claim: the id of the book, and one revision's voucher."""

    book: str
    revision: int
    state: State


def refuse_elsewhere(key: Key, presences: Iterable[Presence], books: Iterable[Book]) -> None:
    """Raise ConflictingSubmission CB-457 where another book has the claim of ``key``, or may have.

    ``presences`` are those of any book. A parallel book has the same claims as others: no parallel
    book is refused a claim, and none refuses one.
    """
    by_id = {book.id: book for book in books}
    parallel = {book.id for book in by_id.values() if book.parallel}
    if key.book in parallel:
        return
    for presence in presences:
        if presence.book == key.book or presence.book in parallel or presence.state in ABSENT:
            continue
        other = by_id.get(presence.book)
        raise ConflictingSubmission(
            f"ledger {other.name if other else presence.book} has this claim already, or may have "
            f"(revision {presence.revision} is {presence.state}); nothing was sent. "
            f"{_way_out(by_id.get(key.book), other)}",
            code="CB-457",
            claim_id=key.claim_id,
        )


def _way_out(mine: Book | None, other: Book | None) -> str:
    """Say how a claim comes out of another book; one that may be the same book is not left."""
    if mine is not None and other is not None and other.place in (None, mine.place):
        return (
            f"That is the book of another name of before, and may be this very one: claimbridge "
            f"journal rename {other.name} {mine.name}; or, where that is refused, submit it to "
            f"ledger {other.name}"
        )
    return (
        "Reverse it there first; or, where both books are to have it, set parallel = true for "
        "this ledger"
    )


__all__ = ["ABSENT", "Presence", "refuse_elsewhere"]
