"""A book: one set of accounts in one ERP, whatever people call it.

The name of a ledger in a configuration is a label. What a submission is known by is the *book id*,
which a journal makes when a book is first opened and keeps for good, with the place that the book
is at.
"""

from __future__ import annotations

import datetime as dt

import msgspec


class Place(msgspec.Struct, frozen=True, order=True):
    """What tells a book apart: the profile, the endpoint, and which of the books behind it.

    ``endpoint`` is written in one way (see ``submission.books.place_of``). ``within`` is what
    profile and configuration say of the company, tenant or account set, in words that a person
    can compare; "" where an endpoint is one book.
    """

    profile: str
    endpoint: str
    within: str = ""

    def __str__(self) -> str:
        inner = f" ({self.within})" if self.within else ""
        return f"{self.endpoint}{inner}, profile {self.profile}"


class Book(msgspec.Struct, frozen=True, kw_only=True):
    """One book as the journal keeps it; ``id`` is what its submissions are kept under.

    ``names`` are those of the ledgers that meant it, the last one the newest. ``place`` None means
    that it is of an older journal, and was not opened since. ``parallel`` books have the same
    claims as others. ``opened_at`` is when it was opened first; None where nobody noted it.
    """

    id: str
    names: tuple[str, ...]
    place: Place | None = None
    parallel: bool = False
    opened_at: dt.datetime | None = None

    @property
    def name(self) -> str:
        """What people call it: its newest name, or its id where it has none."""
        return self.names[-1] if self.names else self.id
