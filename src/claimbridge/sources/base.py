"""What a source of claims is: the seam between a reimbursement system and the ledgers.

A source reads; it never decides whether a claim is posted. What it read once may be read again at
any time: the same document gives the same claim, and posting it twice has one effect.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Protocol, runtime_checkable

import msgspec

from claimbridge.errors import ClaimBridgeError
from claimbridge.model import Claim, Standing

NOT_ASKED: Final = "a source of this kind cannot be asked; the first pass tries it"
"""What is said of a source that is not one of ``Probes``."""


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """One document that a source gave: a claim, or why it is none.

    ``key`` is the document's id in the source (Hesi's flow id, a file's name) and ``version``
    changes whenever the document does. Either ``claim`` or ``error`` is set, unless the
    document is ``withdrawn``: deleted or taken back after it was approved. ``label`` is what
    people call it (its number), empty where that is the key. ``ignored`` names the fields of
    the form that no rule reads. ``occasion`` tells apart the times that an unchanged document
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

    def settled(
        self, arrival: Arrival, *, status: Standing | None, error: ClaimBridgeError | None
    ) -> None:
        """Take note of how an arrival ended: accepted with ``status``, or refused by ``error``.

        A folder moves the file. It may be called again for the same arrival.
        """
        ...

    def close(self) -> None:
        """Give back connections and files."""
        ...


class Wary(Protocol):
    """A source whose claims may be taken back while they wait; implementing it is free.

    While ``rereads`` is true, a claim that waited from an earlier pass is read again right before
    it is submitted, and submitted only as it is then.
    """

    @property
    def rereads(self) -> bool:
        """Whether what waited is read again."""
        ...


@runtime_checkable
class Probes(Protocol):
    """A source that can be asked whether it answers; implementing it is free."""

    def probe(self) -> str:
        """Ask for next to nothing, and return what answered; raises our errors, as a read does."""
        ...


class Worded(Protocol):
    """A source whose forms have words of their own; implementing it is free."""

    def in_words(self, text: str, claim: Claim, *, counted: bool) -> str:
        """Return a reason against a claim in the words of its form; never raises.

        ``counted``: its ``line 1`` is the claim's first line, and not one of the ERP's document.
        """
        ...
