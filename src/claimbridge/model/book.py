"""A book: one set of accounts in one ERP, whatever people call it.

The name of a ledger in a configuration is only a label. A submission is known by its *book id*. The
journal makes that id when a book is first opened, and keeps it for good with the book's place.
"""

from __future__ import annotations

import datetime as dt

import msgspec


class Place(msgspec.Struct, frozen=True, order=True):
    """What identifies a book: the profile, the endpoint, and which of the books behind it.

    ``endpoint`` is written in one way (see ``submission.decisions.books.place_of``). ``within``
    names the company, tenant or account set, from profile and configuration, in words that a person
    can compare; "" where the endpoint has one book only.
    """

    profile: str
    endpoint: str
    within: str = ""

    def __str__(self) -> str:
        inner = f" ({self.within})" if self.within else ""
        return f"{self.endpoint}{inner}, profile {self.profile}"


class Book(msgspec.Struct, frozen=True, kw_only=True):
    """One book as the journal keeps it; its submissions are kept under ``id``.

    ``names`` are those of the ledgers that meant it, the newest last. ``place`` is None where the
    book is of an older journal and was not opened since. ``parallel`` books have the same claims as
    others. ``opened_at`` is when the book was first opened; None where nobody noted it.
    """

    id: str
    names: tuple[str, ...]
    place: Place | None = None
    parallel: bool = False
    opened_at: dt.datetime | None = None

    @property
    def name(self) -> str:
        """Its newest name, or its id where it has none."""
        return self.names[-1] if self.names else self.id
