"""What is common to all endpoints of a sandbox, and what its control pages do."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Awaitable, Callable

import msgspec

from claimbridge.errors import ConfigurationError
from claimbridge.model import JournalEntry
from claimbridge.sandbox.http.recording import Recorder
from claimbridge.sandbox.kit.books import ErpBooks, ErpTransaction
from claimbridge.sandbox.kit.disturbances import Disturbances
from claimbridge.sandbox.kit.documents import ErpDocument, Objection


class LedgerRow(msgspec.Struct, frozen=True, kw_only=True):
    """A document as ``GET /sandbox/ledger`` lists it; amounts are strings.

    ``journal_entry`` is number, company and year as the command prints them (``000001 / CN01 /
    2026``), None until it is posted.
    """

    reference: str
    journal_entry: str | None
    postings: list[dict[str, str]]
    state: str
    profile: str
    company: str
    fiscal_year: str
    purpose: str


class Steering(msgspec.Struct, forbid_unknown_fields=True):
    """What ``POST /sandbox/advance`` takes; every field may be left out."""

    profile: str | None = None
    reference: str | None = None
    to: str | None = None


class Control:
    """What is common to all endpoints: the books, the counts, the disturbances."""

    def __init__(
        self, books: ErpBooks, disturbances: Disturbances, recorder: Recorder | None
    ) -> None:
        self.books: ErpBooks = books
        self.disturbances: Disturbances = disturbances
        self.recorder: Recorder | None = recorder
        self.base: str = ""
        self.closing: asyncio.Event = asyncio.Event()
        self.settle_door: Callable[[bool], Awaitable[None]] = _no_door
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    async def order(self, disturbances: Disturbances) -> None:
        """Order other disturbances in place of these; their counts begin anew."""
        self.disturbances = disturbances
        await self.settle_door(disturbances.door_closed)

    def count(self, what: str) -> None:
        """Count a call."""
        with self._lock:
            self._counts[what] += 1

    def counts(self) -> dict[str, int]:
        """Return the numbers of calls so far, by operation."""
        with self._lock:
            return dict(self._counts)

    def ledger(self) -> list[LedgerRow]:
        """Return every document, in the order of entry."""
        with self.books.transaction() as books:
            return [_row(document) for document in books.all()]

    def advance(self, steering: Steering) -> list[LedgerRow]:
        """Move documents one step (entered, posted, paid), or up to ``to``; return those moved."""
        if steering.to not in (None, "posted", "paid", "rejected"):
            raise ConfigurationError(
                f"documents do not move to {steering.to!r}; name posted, paid or rejected",
                code="CB-274",
            )
        with self.books.transaction() as books:
            documents = [
                _move(document, steering.to, books)
                for document in books.all(steering.profile)
                if steering.reference in (None, document.reference)
            ]
        return [_row(document) for document in documents if document is not None]


async def _no_door(closed: bool) -> None:
    """Do nothing: an application without a server has no door."""


def _row(document: ErpDocument) -> LedgerRow:
    entry = document.entry
    numbered = JournalEntry(document.number or "", entry.company, document.fiscal_year)
    return LedgerRow(
        reference=document.reference,
        journal_entry=str(numbered) if document.number else None,
        postings=[
            {
                "account": posting.account,
                "side": posting.side,
                "currency": posting.currency,
                "amount": f"{posting.amount:f}",
                "cost_centre": posting.cost_centre,
                **({"company": posting.company} if posting.company else {}),
            }
            for posting in entry.postings
        ],
        state=document.status,
        profile=document.profile,
        company=entry.company,
        fiscal_year=document.fiscal_year,
        purpose=entry.purpose,
    )


def _move(document: ErpDocument, to: str | None, books: ErpTransaction) -> ErpDocument | None:
    if to == "rejected":
        reason = Objection("sandbox", "refused after it was entered")
        return books.reject(document, [reason]) if document.status == "entered" else None
    moved = None
    if document.status == "entered":
        document = moved = books.post(document)
        if to is None:
            return moved
    if document.status == "posted" and document.entry.purpose == "post" and to != "posted":
        moved = books.pay(document)
    return moved
