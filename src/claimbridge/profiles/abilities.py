"""What only some profiles can do: one protocol for each ability, found with ``isinstance``.

A profile has an ability by having its methods or attributes; it derives from nothing and registers
nothing. ``docs/own-erp.md`` says which ERP needs which. Most profiles need few.

The first four stand for what ``Capabilities`` promises: ``lacking`` names what is promised and is
not there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from claimbridge.model import Submission
from claimbridge.profiles.base import Page, Profile
from claimbridge.profiles.conversation import Attempt, Conversation, Credentials, answer_to
from claimbridge.profiles.master_records import MasterRecords, RecordPage
from claimbridge.profiles.request import Request

if TYPE_CHECKING:
    from claimbridge.contract.calls.fault import Fault
    from claimbridge.contract.calls.replies import Reply


@runtime_checkable
class Reverses(Protocol):
    """A profile that takes journal entries back: ``can_reverse``."""

    def reverse(self, submission: Submission) -> Request:
        """Return the request that reverses ``submission.voucher.reverses``."""
        ...


@runtime_checkable
class Queries(Protocol):
    """A profile whose ERP is asked by our reference: ``can_query``."""

    def query(self, references: Sequence[str]) -> Request:
        """Return the request that asks what the ERP holds under these references of ours."""
        ...


@runtime_checkable
class LooksUp(Protocol):
    """A profile whose ERP is asked by more than the reference; it goes before ``query``."""

    def look_up(self, submissions: Sequence[Submission]) -> Request:
        """Return the request that asks what the ERP holds of these submissions."""
        ...


@runtime_checkable
class ListsChanges(Protocol):
    """A profile whose ERP lists what changed: ``can_list_changes``."""

    def changes(self, cursor: str, limit: int) -> Request:
        """Return the request for what changed after ``cursor`` ("" for the beginning)."""
        ...

    def read_changes(self, reply: Reply) -> Page:
        """Return one page of changes; raises OutcomeUnknown when the reply is no such page."""
        ...


@runtime_checkable
class Converses(Protocol):
    """A profile whose exchanges are several calls."""

    def converse(self, request: Request) -> Conversation:
        """Perform one exchange that begins with ``request``, and return its outcomes.

        The generator yields ``request`` itself first: it was validated and signed, and is sent as
        it stands. Each call is answered by its Reply, or by the Fault that came instead. A call
        that gets neither ends the conversation: NOT_DELIVERED or UNAVAILABLE if no earlier call
        can have had an effect, otherwise UNKNOWN. So commit, poll and look up here, in any order.
        """
        ...


@runtime_checkable
class HasHeaders(Protocol):
    """A profile that puts SOAP headers of its own into each message."""

    def headers(self, call: Attempt) -> Sequence[bytes]:
        """Return header elements in canonical XML for one attempt; see ``profiles.kit.markup``."""
        ...


@runtime_checkable
class HasAuthKinds(Protocol):
    """A profile that authenticates in a way of its own, in its headers or its login."""

    @property
    def auth_kinds(self) -> Sequence[str]:
        """The values of ``[ledger.X.auth] kind`` that are its own."""
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
        no session to give now, NotDelivered in any other case.
        """
        ...


@runtime_checkable
class HasPorts(Protocol):
    """A profile whose ERP has several ports."""

    @property
    def ports(self) -> Mapping[str, str]:
        """The other ports by name, each with its address relative to the endpoint."""
        ...


@runtime_checkable
class TellsBooksApart(Protocol):
    """A profile of an ERP where one endpoint serves several books: companies, account sets.

    Two ledgers at one endpoint, of one profile that says the same of both, are one book.
    """

    def told_apart_by(self, *, user: str) -> str:
        """Return the book's mark among others behind the endpoint; "" for none.

        People see this text. It stays the same for as long as the book is the same. ``user`` is
        that of ``[ledger.X.auth]``, "" where there is none.
        """
        ...


@runtime_checkable
class ListsMasterRecords(Protocol):
    """A profile whose ERP knows records by ids of its own; lists of them give the ids.

    The lists are fetched beforehand, by harmless calls: ``claimbridge codes``.
    """

    @property
    def record_kinds(self) -> Sequence[str]:
        """The kinds of records that can be listed, as ``claimbridge codes`` calls them."""
        ...

    @property
    def needed_kinds(self) -> Sequence[str]:
        """Those that its options need; () where it sends codes as they are."""
        ...

    def list_records(self, kind: str) -> Request:
        """Return the request for the first page of a kind."""
        ...

    def read_records(self, kind: str, reply: Reply) -> RecordPage:
        """Return one page.

        Raises LedgerUnavailable where the ERP is busy, DeliveryRefused where it does not let us,
        NotDelivered for any other reply that is no page.
        """
        ...

    def with_records(self, records: MasterRecords) -> Profile:
        """Return the same profile with these lists."""
        ...


@runtime_checkable
class NamesOperations(Protocol):
    """A profile that says which operations it calls, so that a large contract opens faster."""

    @property
    def operations(self) -> Sequence[str]:
        """The names of the operations; they bind nothing."""
        ...


@runtime_checkable
class NamesTypes(Protocol):
    """A profile that says which types it gives as ``@xsi:type``, for the same reason."""

    @property
    def types(self) -> Sequence[str]:
        """The names of the types; they bind nothing."""
        ...


@runtime_checkable
class NamesDimensions(Protocol):
    """A profile that says which dimensions it has places for; they are tried on it."""

    @property
    def dimensions(self) -> Sequence[str]:
        """The names of the dimensions, besides the fields that every posting has."""
        ...


@runtime_checkable
class NamesNoPlace(Protocol):
    """A profile that says what of a voucher its ERP has no place for."""

    @property
    def no_place(self) -> Mapping[str, str]:
        """The fields (``approver``, ``posting.project``), each with the reason."""
        ...


@runtime_checkable
class TakesSamples(Protocol):
    """A profile that looks codes up, and so refuses most samples."""

    def for_samples(self) -> Profile:
        """Return the same profile in a form that takes any code; nothing is posted with it."""
        ...


@runtime_checkable
class NamesKept(Protocol):
    """A profile that needs constants in its requests: to refuse repeats, or to read its answers.

    What carries the reference, amounts, accounts and the like is found out, and not listed.
    """

    @property
    def kept(self) -> Mapping[str, str]:
        """The paths that ``omit`` and ``extra`` leave alone, without counts, with the reasons."""
        ...


@runtime_checkable
class NamesLaterElements(Protocol):
    """A profile whose ERP's contract has grown: a site's contract may be of an older generation."""

    @property
    def later_elements(self) -> Mapping[str, str]:
        """What to say of an element (``OrderID``) that a site's contract does not have."""
        ...


def lacking(profile: Profile) -> Iterator[str]:
    """Yield the methods that a profile's capabilities promise, and that it does not have."""
    can = profile.capabilities
    if can.can_query and not isinstance(profile, Queries | LooksUp):
        yield "query"
    if can.can_reverse and not isinstance(profile, Reverses):
        yield "reverse"
    if can.can_list_changes and not isinstance(profile, ListsChanges):
        yield "changes and read_changes"


def begin(profile: Profile, request: Request) -> Conversation:
    """Return the conversation that a profile begins with ``request``: one call as a rule."""
    if isinstance(profile, Converses):
        return profile.converse(request)
    return _one_call(profile, request)


def _one_call(profile: Profile, request: Request) -> Conversation:
    from claimbridge.contract.calls.fault import Fault

    answer = yield from answer_to(request)
    return (profile.read_fault(answer),) if isinstance(answer, Fault) else profile.read(answer)
