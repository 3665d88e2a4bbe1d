"""What a source of claims is: the seam between a reimbursement system and the ledgers.

A source reads; it never decides whether a claim is posted. What it read once may be read again at
any time: the same document gives the same claim, and posting it twice has one effect.

``Source`` is what every source implements. What a source can do besides is a protocol of its own
below; a source that implements one has that ability, and the intake uses it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, Protocol, runtime_checkable

import msgspec

from claimbridge.errors import ClaimBridgeError
from claimbridge.model import Claim, Standing
from claimbridge.sources.base.writeback import WriteBack

NOT_ASKED: Final = "a source of this kind cannot be asked; the first pass tries it"
"""What is said of a source that is not one of ``AnswersDoctor``."""


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """One document that a source gave: a claim, or why it is none.

    ``key`` is the document's id in the source (Hesi's flow id, a file's name) and ``version``
    changes whenever the document does. Either ``claim`` or ``error`` is set, unless the
    document is ``withdrawn``: deleted or taken back after it was approved. ``label`` is what
    people call the document (its number), empty where that is the key. ``ignored`` names the fields
    of the form that no rule reads. ``occasion`` tells apart the times that an unchanged document
    came back to wait for an answer; empty the first time, and where the source waits for none.
    ``mark`` is where reading may go on once everything up to here was recorded; empty where the
    source keeps no order.
    """

    key: str
    version: str
    claim: Claim | None = None
    error: ClaimBridgeError | None = None
    withdrawn: bool = False
    label: str = ""
    ignored: tuple[str, ...] = ()
    occasion: str = ""
    mark: str = ""


class Source(Protocol):
    """Where claims come from; implement it for a system of your own.

    ``name`` is the source's name in the configuration. Every method raises our errors only;
    ``NotDelivered`` and ``LedgerUnavailable`` mean: later.
    """

    name: str

    def arrivals(self, *, since: str = "") -> Iterator[Arrival]:
        """Yield what changed since the mark ``since``, oldest first; empty: everything.

        A document may come several times, and must come at least once.
        """
        ...

    def reread(self, key: str) -> Arrival | None:
        """Return the document as it is now; None when the source has no such document."""
        ...

    def ended(
        self, arrival: Arrival, *, standing: Standing | None, error: ClaimBridgeError | None
    ) -> None:
        """Take note of how an arrival ended: accepted with ``standing``, or refused by ``error``.

        A folder moves the file. The same end may be reported again.
        """
        ...

    def close(self) -> None:
        """Give back connections and files."""
        ...


@runtime_checkable
class AnswersDoctor(Protocol):
    """A source that can be asked whether it answers."""

    def answer_doctor(self) -> str:
        """Ask for next to nothing, and return what answered; raises our errors, as a read does."""
        ...


@runtime_checkable
class RereadsBeforeSending(Protocol):
    """A source whose claims may be taken back while they wait.

    While ``rereads`` is true, a claim that waited from an earlier pass is read again right before
    it is submitted, and submitted only as it is then.
    """

    @property
    def rereads(self) -> bool:
        """Whether what waited is read again."""
        ...


@runtime_checkable
class SpeaksFormLanguage(Protocol):
    """A source whose forms have words of their own."""

    def in_words(self, text: str, claim: Claim, *, counted: bool) -> str:
        """Return a reason against a claim in the words of its form; never raises.

        ``counted``: its ``line 1`` is the claim's first line, and not one of the ERP's document.
        """
        ...


@runtime_checkable
class WritesBack(Protocol):
    """A source that something goes back to: a voucher's number, an approval, a payment."""

    def write_back_port(self) -> WriteBackPort:
        """Return what plans and sends what goes back; the same one every time."""
        ...


class WriteBackPort(Protocol):
    """How one kind of source is written back to.

    ``send`` is called with a write-back that is recorded as ``sending``, ``look`` with one that is
    ``in_doubt``. Both return the write-back in its next state, unrecorded, and never raise.
    ``earlier`` are those of the same kind about the same document that were done before: what the
    source shows may be theirs.
    """

    def plan(
        self, arrival: Arrival, *, standing: Standing | None, error: ClaimBridgeError | None = None
    ) -> tuple[WriteBack, ...]:
        """Return what is to be brought back for an arrival that ended so; empty: nothing (yet).

        The same end gives the same write-backs, so that planning them again changes nothing.
        """
        ...

    def send(self, write_back: WriteBack, *, earlier: Sequence[WriteBack]) -> WriteBack:
        """Send it once: done, refused, parked, pending (nothing left us, or too early), in doubt.

        It may read first, and need not send what it finds there already.
        """
        ...

    def look(self, write_back: WriteBack, *, earlier: Sequence[WriteBack]) -> WriteBack:
        """Ask the source what became of it, without sending it: done, pending, parked, in doubt."""
        ...


@runtime_checkable
class KnowsWhatIsDue(Protocol):
    """A ``WriteBackPort`` that knows, of many at once, which are not worth trying yet.

    Without it every open write-back is tried in every pass.
    """

    def due(self, write_backs: Sequence[WriteBack]) -> Sequence[WriteBack]:
        """Return those that may get further now, in their order; never raises."""
        ...


__all__ = [
    "NOT_ASKED",
    "AnswersDoctor",
    "Arrival",
    "KnowsWhatIsDue",
    "RereadsBeforeSending",
    "Source",
    "SpeaksFormLanguage",
    "WriteBackPort",
    "WritesBack",
]
