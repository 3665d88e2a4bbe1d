"""What an exchange may hold besides one request and its reply: several calls, waits, a session.

A profile describes the conversation as a generator, without I/O; ``claimbridge.ledger`` performs
it. Most profiles need none of this.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import msgspec

from claimbridge.model import Outcome, Submission
from claimbridge.profiles.base import Profile, Request

if TYPE_CHECKING:
    from claimbridge.contract.calls.fault import Fault
    from claimbridge.contract.calls.replies import Reply


class Pause(msgspec.Struct, frozen=True):
    """Wait so many seconds before going on; answered by None."""

    seconds: float


class LogIn(msgspec.Struct, frozen=True):
    """Drop the session that was used and begin a fresh one; answered by None.

    A profile that yields it says that the call before had no effect, because its session was dead.
    """


class Began(msgspec.Struct, frozen=True):
    """Say that the ERP took the request in as a job of this name; answered by None.

    It is kept with what was sent, where the conversation ends before the job does: ``look_up``
    then finds it as a submission's ``job``, and asks for it first.
    """

    job: str


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """The secrets of ``[ledger.X.auth]``, read; "" and an empty mapping where not configured."""

    user: str = ""
    password: str = ""
    secrets: Mapping[str, str] = {}

    def __repr__(self) -> str:
        return f"Credentials(user={self.user!r})"


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt of one call, for ``headers``: ``session`` is "" where there is none."""

    operation: str
    credentials: Credentials
    session: str = ""


Conversation = Generator[
    "Request | Pause | LogIn | Began", "Reply | Fault | None", tuple[Outcome, ...]
]
"""One exchange of several calls; see ``Converses``."""


@runtime_checkable
class Converses(Protocol):
    """A profile whose exchanges are several calls."""

    def converse(self, request: Request) -> Conversation:
        """Perform one exchange that begins with ``request``, and return its outcomes.

        It yields ``request`` itself first: what was validated and signed, sent as it stands. Each
        call is answered by its Reply, or the Fault that came instead. A call that gets neither
        ends the conversation: NOT_DELIVERED or UNAVAILABLE where no request that may have had an
        effect was answered before, else UNKNOWN. So commit, poll and look up here, in any order.
        """
        ...


@runtime_checkable
class HasHeaders(Protocol):
    """A profile that puts SOAP headers of its own into each message."""

    def headers(self, call: Call) -> Sequence[bytes]:
        """Return header elements in canonical XML for one attempt; see ``profiles.markup``."""
        ...


@runtime_checkable
class HasSessions(Protocol):
    """A profile whose ERP is logged in to; the ledger keeps the session for all its threads."""

    def log_in(self, credentials: Credentials) -> Request:
        """Return the request that begins a session."""
        ...

    def read_log_in(self, reply: Reply | Fault) -> str:
        """Return the session's id.

        Raises DeliveryRefused when the credentials are wrong, LedgerUnavailable when the ERP has
        no session to give now, NotDelivered for whatever else.
        """
        ...


@runtime_checkable
class LooksUp(Protocol):
    """A profile whose ERP is not asked by reference alone; it takes the place of ``query``."""

    def look_up(self, submissions: Sequence[Submission]) -> Request:
        """Return the request that asks what the ERP holds of these submissions."""
        ...


@runtime_checkable
class TellsBooksApart(Protocol):
    """A profile of an ERP where one endpoint serves several books: companies, account sets.

    Two ledgers at one endpoint, of one profile that says the same of both, are one book.
    """

    def told_apart_by(self, *, user: str) -> str:
        """Return what tells this book apart from others behind the endpoint; "" for nothing.

        It is shown to people, and is the same text for as long as it is the same book. ``user`` is
        that of ``[ledger.X.auth]``, "" where there is none.
        """
        ...


def begun(profile: Profile, request: Request) -> Conversation:
    """Return the conversation that a profile begins with ``request``: one call as a rule."""
    if isinstance(profile, Converses):
        return profile.converse(request)
    return _plain(profile, request)


def answer_to(request: Request) -> Generator[Request, Reply | Fault | None, Reply | Fault]:
    """Make a call within a conversation, and return what it was answered by."""
    answer = yield request
    assert answer is not None  # only what is no request is answered by None
    return answer


def _plain(profile: Profile, request: Request) -> Conversation:
    from claimbridge.contract.calls.fault import Fault

    answer = yield from answer_to(request)
    return (profile.read_fault(answer),) if isinstance(answer, Fault) else profile.read(answer)
