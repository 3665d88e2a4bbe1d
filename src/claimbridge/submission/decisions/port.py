"""What the plans need of a ledger: the rules that it is under, and what carries a request there."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

import msgspec

from claimbridge.clock import SYSTEM, Clock
from claimbridge.model import Claim, Outcome, Submission
from claimbridge.profiles.base import Capabilities, Page
from claimbridge.profiles.request import Request
from claimbridge.submission.decisions.books import BookConfig
from claimbridge.submission.steps.steps import Plan

FirstSend = Literal["ask", "send"]


class Built(msgspec.Struct, frozen=True):
    """A request as it will be sent: the contract's operation, and the Body's child in bytes.

    ``request`` is what it was built from.
    """

    operation: str
    body: bytes
    request: Request


class Draft(msgspec.Struct, frozen=True):
    """A submission ready to be sent: ``built`` was validated, and signed where that is set up."""

    submission: Submission
    built: Built | None = None


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What the decisions depend on besides the history.

    ``retries`` is how often a request that certainly had no effect is sent again within one call;
    the waits between them begin at ``backoff`` seconds and double. A wait that the ERP asks for is
    honoured up to ``longest_wait`` seconds, else LedgerUnavailable carries it to the caller.
    ``quiet_period`` is how many seconds after a lost answer the ERP may still commit the request.
    It is longer than any request lives in the ERP and the proxies before it. It is long enough for
    the last commit to be found by its reference. ``turn`` is how long to wait for another sender of
    the same claim. ``first_send`` says whether the ERP is asked for a document before it is sent
    for the first time; None: where it can be asked, and does not itself refuse a second one.
    ``apart`` is what sets the references of a parallel book apart from those of other books in the
    same ERP; "" for any other book. ``can_bind`` False: replies are signed, and the settings let
    nothing say that an answer is one to its own question.
    """

    capabilities: Capabilities
    retries: int = 2
    backoff: float = 0.5
    longest_wait: float = 30.0
    quiet_period: float = 300.0
    turn: float = 120.0
    first_send: FirstSend | None = None
    apart: str = ""
    can_bind: bool = True
    clock: Clock = SYSTEM

    @property
    def asks_first(self) -> bool:
        """Whether the ERP is asked for a document before it is sent for the first time."""
        if self.first_send is not None:
            return self.first_send == "ask"
        return self.capabilities.can_query and not self.capabilities.unique_reference


class Exchanger(Protocol):
    """One book in one ERP, as the plans of its documents see it."""

    @property
    def rules(self) -> Rules:
        """What decisions about its documents depend on."""
        ...

    def exchange(
        self, verb: str, submissions: tuple[Submission, ...], built: Built | None = None
    ) -> Plan[tuple[Outcome, ...]]:
        """Make one request of the ERP, and return what its reply says.

        Never raises for what went wrong there. ``verb`` is ``submit``, ``reverse`` or ``query``.
        ``built`` is the request as it was validated and signed; None means that it must be built
        from the submissions.
        """
        ...


class LedgerPort(Exchanger, Protocol):
    """One book in one ERP, as the plans of what callers ask see it."""

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    @property
    def book_config(self) -> BookConfig:
        """What its configuration says of its book."""
        ...

    @property
    def companies(self) -> Mapping[str, str]:
        """The companies of its chart, with their currencies; none where it names none."""
        ...

    @property
    def expense_types(self) -> Sequence[str]:
        """The types of expense of its chart, in the chart's order; none where it has no chart."""
        ...

    @property
    def is_production(self) -> bool:
        """Whether people keep their accounts in it, so that nothing is tried there."""
        ...

    def documents(self, claim: Claim, book: str) -> tuple[Submission, ...]:
        """Return the documents that a claim would be, unsent: most often one.

        ``book`` is the id of our book. Raises ClaimError.
        """
        ...

    def build(self, verb: str, submissions: tuple[Submission, ...]) -> Built:
        """Return one request for these, validated and signed; raises ClaimError."""
        ...

    def page(self, book: str, cursor: str, limit: int) -> Plan[Page]:
        """Ask the ERP for one page of changes after ``cursor``.

        Raises ConfigurationError CB-254 where the profile cannot list them; NotDelivered or
        LedgerUnavailable, and what the transport raises, when there is no page.
        """
        ...

    def today(self, company: str, *, claim_id: str) -> dt.date:
        """Return the present day in a company's time zone.

        Raises ClaimError CB-199 where nobody names the zone.
        """
        ...
