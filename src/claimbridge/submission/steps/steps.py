"""What a plan asks a client to do, and what its decisions depend on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Generator
from functools import partial
from typing import Any, Generic, TypeVar

import msgspec

from claimbridge.journal.base import Journal
from claimbridge.model import Book, Continuity, History, Submission, Withdrawal

M = TypeVar("M")
T = TypeVar("T")


class Step(msgspec.Struct, Generic[T], frozen=True):
    """Something to be done outside; ``yield from`` it to get its answer."""

    def __iter__(self) -> Generator[Step[Any], Any, T]:
        answer: T = yield self
        return answer


Plan = Generator[Step[Any], Any, T]


class Access(Step[T], Generic[T], frozen=True):
    """A step that the journal performs."""

    def perform(self, journal: Journal) -> T:
        """Do it."""
        raise NotImplementedError


class Recall(Access[History], frozen=True):
    """Read the journal: ``Journal.history``."""

    book: str
    claim_id: str

    def perform(self, journal: Journal) -> History:
        """Do it."""
        return journal.history(self.book, self.claim_id)


class ReadContinuity(Access[Continuity], frozen=True):
    """Ask whether the journal is the newest: ``Journal.continuity``."""

    def perform(self, journal: Journal) -> Continuity:
        """Do it."""
        return journal.continuity()


class IsNew(Access[bool], frozen=True):
    """Ask whether nothing was sent to a book through the journal: ``Journal.is_new``."""

    book: str

    def perform(self, journal: Journal) -> bool:
        """Do it."""
        return journal.is_new(self.book)


class AgreeNew(Access[None], frozen=True):
    """Keep that nothing was sent to a book before: ``Journal.agree_new``."""

    book: str

    def perform(self, journal: Journal) -> None:
        """Do it."""
        journal.agree_new(self.book)


class ReadBooks(Access[tuple[Book, ...]], frozen=True):
    """Read which books the journal knows: ``Journal.books``."""

    def perform(self, journal: Journal) -> tuple[Book, ...]:
        """Do it."""
        return journal.books()


class KeepBooks(Access[bool], frozen=True):
    """Keep what became known of books: ``Journal.keep_books``."""

    seen: tuple[Book, ...]
    books: tuple[Book, ...]

    def perform(self, journal: Journal) -> bool:
        """Do it."""
        return journal.keep_books(self.seen, self.books)


class Begin(Access[History | None], frozen=True):
    """Begin a flight: ``Journal.begin``."""

    seen: History
    changed: tuple[Submission, ...]

    def perform(self, journal: Journal) -> History | None:
        """Do it."""
        return journal.begin(self.seen, self.changed)


class Record(Access[History | None], frozen=True):
    """Write what became known: ``Journal.record``."""

    seen: History
    changed: tuple[Submission, ...]
    withdrawn: Withdrawal | None = None

    def perform(self, journal: Journal) -> History | None:
        """Do it."""
        if self.withdrawn is None:
            return journal.record(self.seen, self.changed)
        return journal.record(self.seen, self.changed, withdrawn=self.withdrawn)


class Confirm(Access[bool], frozen=True):
    """Ask whether attempts may still leave: ``Journal.owns``."""

    flights: tuple[Submission, ...]

    def perform(self, journal: Journal) -> bool:
        """Do it."""
        return journal.owns(self.flights)


class NoteJob(Access[None], frozen=True):
    """Keep which job of the ERP holds what attempts have sent: ``Journal.note_job``."""

    flights: tuple[Submission, ...]
    job: str

    def perform(self, journal: Journal) -> None:
        """Do it."""
        journal.note_job(self.flights, self.job)


class FirstSight(Access[bool], frozen=True):
    """Keep that a signed reply was seen, False when it was before: ``Journal.first_sight``."""

    book: str
    seal: str
    until: dt.datetime

    def perform(self, journal: Journal) -> bool:
        """Do it."""
        return journal.first_sight(self.book, self.seal, self.until)


class Find(Access[Submission | None], frozen=True):
    """Look for the submission that the ERP knows by a reference: ``Journal.find``."""

    book: str
    reference: str

    def perform(self, journal: Journal) -> Submission | None:
        """Do it."""
        return journal.find(self.book, self.reference)


class ReadCursor(Access[str], frozen=True):
    """Read where reading the ERP's changes got to: ``Journal.cursor``."""

    book: str

    def perform(self, journal: Journal) -> str:
        """Do it."""
        return journal.cursor(self.book)


class KeepCursor(Access[None], frozen=True):
    """Keep where reading the ERP's changes got to: ``Journal.set_cursor``."""

    book: str
    cursor: str

    def perform(self, journal: Journal) -> None:
        """Do it."""
        journal.set_cursor(self.book, self.cursor)


class AtOnce(Access[list[Any]], frozen=True):
    """Several accesses to the journal, which may share a sync: ``Journal.at_once``.

    Answered by a list: what each step is answered by, or our error that it raised.
    """

    steps: tuple[Access[Any], ...]

    def perform(self, journal: Journal) -> list[Any]:
        """Do them."""
        return journal.at_once([partial(step.perform, journal) for step in self.steps])


class Post(Step[T], Generic[M, T], frozen=True):
    """Send one message to the ERP; answered by its reply, or raises what the transport raises.

    What a message and a reply are is the business of whoever builds the one and reads the other.
    """

    message: M


class Pause(Step[bool], frozen=True):
    """Wait so many seconds; answered by whether the caller's time was long enough for it."""

    seconds: float


class Emit(Step[None], Generic[T], frozen=True):
    """Hand a value to whoever wants what the plan finds, one after the other."""

    value: T
