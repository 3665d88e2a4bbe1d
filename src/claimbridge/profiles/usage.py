"""What a profile sends and reads, found out by running it: never a list kept by hand.

The profile builds requests from sample submissions that fill every field of a voucher. It reads
sample replies that fill every element of its own contract, and each element it asks for is noted.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing, suppress
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import msgspec

from claimbridge import xmlio
from claimbridge.contract.calls.replies import Reply
from claimbridge.contract.study.generation import Generation
from claimbridge.contract.study.specimens import specimens
from claimbridge.contract.study.uses import Sent, Uses
from claimbridge.errors import ClaimBridgeError, ConfigurationError
from claimbridge.model import Submission
from claimbridge.profiles.abilities import (
    HasSessions,
    ListsChanges,
    ListsMasterRecords,
    LooksUp,
    Queries,
    Reverses,
    begin,
)
from claimbridge.profiles.base import Profile
from claimbridge.profiles.conversation import Credentials
from claimbridge.profiles.request import Request
from claimbridge.profiles.samples import (
    FIELDS,
    dimensions_to_try,
    reversing,
    sample_submissions,
)

if TYPE_CHECKING:
    from lxml import etree

_MOST_CALLS: Final = 10
"""Calls of one conversation that are followed: a profile may ask until the answer changes."""

Reads = dict[str, set[tuple[str, ...]]]


Builds = Callable[[str, tuple[Submission, ...]], Request]
"""Builds the request of a verb, ``submit`` or ``reverse``."""


def uses_of(
    profile: Profile,
    own: Generation,
    *,
    build: Builds | None = None,
    dimensions: Collection[str] = (),
) -> Uses:
    """Return what ``profile`` sends and reads; ``own`` is the contract that it was written for.

    ``build`` is a ledger's, with the fields that its configuration adds and leaves out; None: the
    profile's requests as they are. ``dimensions`` are those that these fields carry.
    A sample that the profile refuses adds nothing. Raises ConfigurationError CB-241 when building
    fails with anything but one of our errors.
    """
    reads: Reads = {}
    answers = _Answers(own, reads)
    sent = [
        one
        for request in _requests(profile, build or _by(profile), dimensions)
        for one in _conversation(profile, request, answers)
    ]
    _read_changes(profile, answers)
    sent += _listing(profile, answers)
    return Uses(
        profile=profile.name,
        sent=tuple(_as_sent(request) for request in (*_logging_in(profile, answers), *sent)),
        widest=tuple(_as_sent(request) for request in _widest(profile, build or _by(profile))),
        read={name: frozenset(paths) for name, paths in reads.items()},
    )


def _as_sent(request: Request) -> Sent:
    return Sent(request.operation, request.body, request.sources, request.port)


def _by(profile: Profile) -> Builds:
    def build(verb: str, submissions: tuple[Submission, ...]) -> Request:
        if verb == "reverse":
            assert isinstance(profile, Reverses)
            return profile.reverse(submissions[0])
        return profile.submit(submissions)

    return build


def _widest(profile: Profile, build: Builds) -> list[Request]:
    """Return requests with wide values: all fields at once, or one by one if those are refused.

    A profile that refuses a long company code may still take long texts.
    """
    found = [*_requests(profile, build, widest=FIELDS)]
    return found or [one for name in FIELDS for one in _requests(profile, build, widest=(name,))]


def _requests(
    profile: Profile,
    build: Builds,
    further: Collection[str] = (),
    *,
    widest: Collection[str] = (),
) -> Iterator[Request]:
    """Yield every request that the profile builds from the samples."""
    can = profile.capabilities
    reference = "R" * can.reference_length if widest else "EXP-2026-0042"[: can.reference_length]
    dimensions = dict.fromkeys((*dimensions_to_try(profile), *sorted(further)))
    posted = partial(build, "submit")
    taken: list[Submission] = []
    for submission in sample_submissions(dimensions, reference=reference, widest=widest):
        for request in _build(posted, (submission,)):
            taken.append(submission)
            yield request
    if can.batch > 1 and len(taken) > 1:
        other = msgspec.structs.replace(taken[1], reference=f"{reference[:-1]}X")
        yield from _build(posted, (taken[0], other))
    if can.can_reverse and isinstance(profile, Reverses):
        for submission in taken[:1]:
            yield from _build(partial(build, "reverse"), (reversing(submission),))
    if can.can_query and isinstance(profile, LooksUp):
        for asked in {len(taken[:1]), len(taken[:2])} - {0}:
            yield from _build(profile.look_up, taken[:asked])
    elif can.can_query and isinstance(profile, Queries):
        yield from _build(profile.query, [reference])
        yield from _build(profile.query, [reference, f"{reference[:-1]}X"])
    if can.can_list_changes and isinstance(profile, ListsChanges):
        for cursor in ("", "17"):
            yield from _build(lambda at: profile.changes(at, 50), cursor)


def _build(build: Callable[[Any], Request], of: object) -> Iterator[Request]:
    try:
        yield build(of)
    except ClaimBridgeError:
        return
    except Exception as error:  # a user's code may raise anything when called
        raise ConfigurationError(
            f"the profile fails on a sample: {type(error).__name__}: {error}; "
            "it must build a request from any voucher, or refuse it with one of our errors",
            code="CB-241",
        ) from error


class _Answers:
    """Answers requests with everything that a contract allows, and notes which parts are read."""

    def __init__(self, own: Generation, reads: Reads) -> None:
        self._own = own
        self._reads = reads
        self._made: dict[str, Sequence[etree._Element]] = {}

    def to(self, operation: str) -> Iterator[Reply]:
        """Yield replies to an operation, alternatives and listed values one after the other."""
        known = self._own.operations.get(operation)
        yield from self.of(known.output) if known else ()

    def faults(self, operation: str) -> Iterator[Reply]:
        """Yield the details of an operation's faults."""
        known = self._own.operations.get(operation)
        for name in known.faults if known else ():
            yield from self.of(name)

    def of(self, name: str) -> Iterator[Reply]:
        """Yield what the element ``{namespace}name`` may hold."""
        root = self._own.root(name)
        if root is not None:
            if name not in self._made:
                self._made[name] = specimens(root, self._own)
            for element in self._made[name]:
                yield _Noted(element, self._reads.setdefault(root.local, set()), ())


class _Noted(Reply):
    """A reply that notes which paths are asked for."""

    __slots__ = ("_above", "_paths")

    def __init__(
        self, element: etree._Element, paths: set[tuple[str, ...]], above: tuple[str, ...]
    ) -> None:
        super().__init__(element)
        self._paths = paths
        self._above = above

    def child(self, element: etree._Element) -> Reply:
        return _Noted(element, self._paths, (*self._above, xmlio.local_name(element)))

    def all(self, *path: str) -> list[Reply]:
        self._paths.add((*self._above, *path))
        return super().all(*path)

    def texts(self, *path: str) -> list[str]:
        self._paths.add((*self._above, *path))
        return super().texts(*path)


def _conversation(profile: Profile, request: Request, answers: _Answers) -> list[Request]:
    """Return ``request`` and what the profile sends after it, whatever is answered."""
    from claimbridge.contract.calls.fault import Fault

    sent = {id(request): request}
    replies: Iterator[Reply | Fault] = iter(answers.to(request.operation))
    faults = (Fault("Server", "", detail) for detail in answers.faults(request.operation))
    for answer in (*replies, *faults):
        # How a reader takes nonsense is not judged here; StopIteration ends a conversation.
        with closing(begin(profile, request)) as conversation, suppress(Exception):
            step: object = next(conversation)
            for _ in range(_MOST_CALLS):
                if isinstance(step, Request):
                    sent.setdefault(id(step), step)
                    first = step is request
                    step = conversation.send(answer if first else _next(answers, step))
                else:
                    step = conversation.send(None)
    return list(sent.values())


def _next(answers: _Answers, request: Request) -> Reply:
    return next(islice(answers.to(request.operation), 1))


def _logging_in(profile: Profile, answers: _Answers) -> Iterator[Request]:
    if isinstance(profile, HasSessions):
        sample = Credentials(user="user", password="password")  # noqa: S106 - nobody's
        for request in _build(profile.log_in, sample):
            yield request
            for reply in answers.to(request.operation):
                with suppress(Exception):
                    profile.read_log_in(reply)


def _read_changes(profile: Profile, answers: _Answers) -> None:
    if profile.capabilities.can_list_changes and isinstance(profile, ListsChanges):
        for reply in answers.to(profile.changes("", 50).operation):
            with suppress(Exception):
                profile.read_changes(reply)


def _listing(profile: Profile, answers: _Answers) -> Iterator[Request]:
    """Yield the questions for lists of records, those for further pages included."""
    if not isinstance(profile, ListsMasterRecords):
        return
    for kind in profile.record_kinds:
        for request in _build(profile.list_records, kind):
            yield request
            for reply in answers.to(request.operation):
                with suppress(Exception):
                    if (more := profile.read_records(kind, reply).next) is not None:
                        yield more


__all__ = ["uses_of"]
