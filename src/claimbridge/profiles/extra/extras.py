"""Requests with the fields that a configuration adds, and without those that it leaves out.

It stands below all profiles: a profile builds its request as ever, and what is configured is done
to the result. So each profile can be given fields that it knows nothing of, a user's own too.

A path through the element of a posting means each such element; through that of a document, each
document; any other the request, which then takes constants only. Profiles mark these elements
(``profiles.kit.owners``). A request that never holds several documents is a document's whole.

A dimension that the profile has no place for, and that an entry carries, is taken off a posting
before the profile sees it; but only where an entry really carries it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Final, NamedTuple

import msgspec

from claimbridge.contract.calls.shapes import Leaf, Types
from claimbridge.errors import ConfigurationError
from claimbridge.model import Posting, Submission
from claimbridge.profiles.extra.outline import Missing, find
from claimbridge.profiles.extra.owned import Level, Owned
from claimbridge.profiles.extra.paths import (
    Element,
    FilledAlreadyError,
    Steps,
    add,
    copied,
    element_at,
    is_within,
    remove,
    steps_of,
    without_counts,
)
from claimbridge.profiles.extra.settings import Extra, listed
from claimbridge.profiles.extra.values import Occasion, Template, template_of
from claimbridge.profiles.request import Inner, Request, as_request

Submissions = tuple[Submission, ...]
Opens = Callable[[Request], tuple[Leaf, Types]]
"""Returns what the contract knows of the element that a request's paths begin in, and of types."""


class Entry:
    """One added field, ready for use."""

    def __init__(self, extra: Extra, owned: Owned) -> None:
        self.extra: Final = extra
        self.title: Final = extra.title
        self.steps: Final[Steps] = steps_of(extra.at, what="extra: at")
        self.template: Final[Template] = template_of(extra.value, what=self.title)
        self.level: Final[Level] = owned.level_of(extra.at)
        self._roles, self._accounts = listed(extra.role), listed(extra.account)
        self._companies = listed(extra.company)

    @property
    def for_postings(self) -> bool:
        """Whether it is added once for each posting, wherever it stands."""
        fields = self.template.fields
        chosen = self._roles or self._accounts
        return bool(chosen) or any(one.startswith("posting.") for one in fields)

    @property
    def needs_document(self) -> bool:
        """Whether it differs from one document to the next."""
        extra = self.extra
        return bool(self.for_postings or self.template.fields or extra.company or extra.purpose)

    def takes(self, scope: Occasion, *, any_account: bool = False) -> bool:
        """Whether its filters let it stand for a document, or for a posting of it.

        ``any_account``: accounts and companies are not looked at.
        """
        voucher, posting = scope.submission.voucher, scope.posting
        purpose = self.extra.purpose
        if purpose and purpose != voucher.purpose:
            return False
        if posting is not None and self._roles and posting.role not in self._roles:
            return False
        if any_account:
            return True
        company = (posting.company if posting else "") or voucher.company
        if self._companies and company not in self._companies:
            return False
        return (
            posting is None
            or not self._accounts
            or any(fnmatchcase(posting.account, one) for one in self._accounts)
        )


class Applied(NamedTuple):
    """A request with its fields; ``carried`` are the dimensions that stand in it.

    Each by the numbers of submission and posting. ``used`` are the numbers of the entries that were
    added somewhere.
    """

    request: Request
    carried: frozenset[tuple[int, int, str]]
    used: frozenset[int]


class Extras:
    """What is added to one ledger's requests, and left out; threads may share it.

    ``taken`` are the dimensions that only entries carry.
    """

    def __init__(
        self,
        omit: Sequence[str],
        entries: Sequence[Entry],
        *,
        taken: frozenset[str] = frozenset(),
        about: str = "ledger",
    ) -> None:
        self.omit: Final = tuple(omit)
        self.entries: Final = tuple(entries)
        self.taken: Final = taken
        self.about: Final = about
        self._omitted = [steps_of(path, what="omit:") for path in omit]

    def __bool__(self) -> bool:
        return bool(self.omit or self.entries)

    @property
    def types(self) -> tuple[str, ...]:
        """The types that added fields give as ``@xsi:type``."""
        return tuple(sorted({kind for each in self.entries for kind in each.template.types}))

    def words(self) -> tuple[str, ...]:
        """Return a sentence for each entry, for people."""
        left_out = [f"left out: {path}" for path in self.omit]
        return (*left_out, *(_words(each.extra) for each in self.entries))

    def build(
        self, build: Callable[[Submissions], Request], submissions: Submissions, opens: Opens
    ) -> Request:
        """Return what ``build`` makes of the submissions, with fields added and left out.

        Raises ConfigurationError CB-248 where a field is filled already.
        """
        if not self:
            return build(submissions)
        lean = tuple(_without(one, self.taken) for one in submissions)
        done = self.apply(build(lean), lean, submissions, opens)
        lost = self._lost(submissions, done.carried)
        if lost:
            # The profile answers for what no entry carries: it refuses the dimension or not.
            lean = tuple(_without(one, self.taken, lost, n) for n, one in enumerate(submissions))
            done = self.apply(build(lean), lean, submissions, opens)
        return done.request

    def apply(
        self, request: Request, seen: Submissions, submissions: Submissions, opens: Opens
    ) -> Applied:
        """Return a request that the profile built of ``seen``, with what is configured."""
        return self.applied(self.entries, request, seen, submissions, opens)

    def applied(
        self,
        entries: Sequence[Entry],
        request: Request,
        seen: Submissions,
        submissions: Submissions,
        opens: Opens,
        *,
        trial: bool = False,
    ) -> Applied:
        """Return the request with these entries.

        ``trial``: filters by account and company let everything pass, and only the first entry must
        find its place free.
        """
        target: Request | Inner = request.inner or request
        body = copied(target.body)
        for steps in self._omitted:
            remove(body, steps)
        root, types = opens(request)
        run = _Run(body, target.owners, seen, submissions)
        for number, entry in enumerate(entries):
            place = find(root, entry.steps, body, types)
            if isinstance(place, Missing):  # another operation of the ledger has it
                continue
            try:
                run.add(number, entry, repeats=place.repeats, trial=trial)
            except FilledAlreadyError:
                if not (trial and number):
                    raise self._filled(entry, repeats=place.repeats) from None
        plain = as_request(request.operation, body)
        kept = {path: field for path, field in target.sources.items() if not self._omits(path)}
        changed = msgspec.structs.replace(
            target, body=plain.body, sources=kept | dict(plain.sources)
        )
        whole = msgspec.structs.replace(request, inner=changed) if request.inner else changed
        assert isinstance(whole, Request)
        return Applied(whole, frozenset(run.carried), frozenset(run.used))

    def _omits(self, path: str) -> bool:
        plain = without_counts(path)
        return any(is_within(plain, one) for one in self.omit)

    def _filled(self, entry: Entry, *, repeats: bool) -> ConfigurationError:
        if entry.for_postings and entry.level.kind != "posting" and not repeats:
            why = (
                "it would stand there once for each posting, but the contract allows one, or the "
                "profile does not mark which element is which posting's (of_posting)"
            )
        else:
            why = "the profile, or another entry, fills it already; name it in omit too"
        return ConfigurationError(f"{self.about}: {entry.title}: {why}", code="CB-248")

    def _lost(
        self, submissions: Submissions, carried: frozenset[tuple[int, int, str]]
    ) -> frozenset[tuple[int, int, str]]:
        """Return the dimensions that were taken off, and that no entry carries."""
        return frozenset(
            (at, number, name)
            for at, one in enumerate(submissions)
            for number, posting in enumerate(one.voucher.postings)
            for name, code in posting.dimensions.items()
            if name in self.taken and code and (at, number, name) not in carried
        )


class _Run:
    """Adds fields to one body; never shared."""

    def __init__(
        self,
        body: Element,
        owners: Mapping[str, Posting | Submission],
        seen: Submissions,
        submissions: Submissions,
    ) -> None:
        self.body = body
        self.carried: set[tuple[int, int, str]] = set()
        self.used: set[int] = set()
        self._owners = owners
        self._seen = seen
        self._all = submissions

    def add(self, number: int, entry: Entry, *, repeats: bool, trial: bool) -> None:
        for element, steps, at, scope in self._targets(entry):
            if scope is not None and not entry.takes(scope, any_account=trial):
                continue
            value = entry.template.fill(scope)
            if value is None:
                continue
            add(element, steps, value, repeats=repeats)
            self.used.add(number)
            if scope is not None and scope.posting is not None:
                self.carried |= {(at, scope.number - 1, n) for n in entry.template.dimensions}

    def _targets(self, entry: Entry) -> Iterator[tuple[Element, Steps, int, Occasion | None]]:
        """Yield each element to add to, the path in it, the submission's number, and the scope."""
        kind, prefix = entry.level
        if kind == "request":
            yield self.body, entry.steps, 0, None
            return
        steps = entry.steps[len(steps_of(prefix, what="")) if prefix else 0 :]
        for path, at, posting in self._owned(entry.level):
            element = element_at(self.body, path)
            if element is not None:
                for scope in self._scopes(entry, at, posting):
                    yield element, steps, at, scope

    def _owned(self, level: Level) -> Iterator[tuple[str, int, int | None]]:
        """Yield the path of each element of the level, and whose it is: submission, posting."""
        if level == Level("document"):
            yield "", 0, None
            return
        for path, owner in self._owners.items():
            if without_counts(path) != level.prefix:
                continue
            if isinstance(owner, Submission):
                yield path, self._submission(owner), None
            else:
                yield path, *self._whose[path]

    def _scopes(self, entry: Entry, at: int, posting: int | None) -> Iterator[Occasion]:
        submission = self._all[at]
        postings = submission.voucher.postings
        if posting is not None:
            yield Occasion(submission, postings[posting], posting + 1)
        elif entry.for_postings:
            for number, one in enumerate(postings, start=1):
                yield Occasion(submission, one, number)
        else:
            yield Occasion(submission)

    def _submission(self, owner: Submission) -> int:
        exact = (at for at, one in enumerate(self._seen) if one is owner)
        alike = (at for at, one in enumerate(self._seen) if one.reference == owner.reference)
        return next(itertools.chain(exact, alike), 0)

    @cached_property
    def _whose(self) -> dict[str, tuple[int, int]]:
        """The numbers of submission and posting for each element of a posting."""
        documents = {
            path: self._submission(owner)
            for path, owner in self._owners.items()
            if isinstance(owner, Submission)
        }
        found: dict[str, tuple[int, int]] = {}
        for path, owner in self._owners.items():
            if isinstance(owner, Posting):
                around = [one for one in documents if is_within(path, one)]
                within = documents[max(around, key=len)] if around else None
                prefix = without_counts(path)
                taken = {whose for at, whose in found.items() if without_counts(at) == prefix}
                found[path] = self._posting(owner, within, taken)
        return found

    def _posting(
        self, owner: Posting, within: int | None, taken: Collection[tuple[int, int]]
    ) -> tuple[int, int]:
        """Return the numbers of submission and posting.

        The profile may have made a copy, and one posting may stand in two vouchers: the first that
        has no such element yet counts.
        """
        every = [
            (at, number, posting)
            for at, one in enumerate(self._seen)
            for number, posting in enumerate(one.voucher.postings)
            if within in (None, at)
        ]
        same = [(at, number) for at, number, posting in every if posting is owner]
        alike = [(at, number) for at, number, posting in every if posting == owner]
        known = same or alike or [(within or 0, 0)]
        return next((one for one in known if one not in taken), known[0])


def _without(
    submission: Submission,
    taken: frozenset[str],
    lost: frozenset[tuple[int, int, str]] = frozenset(),
    at: int = 0,
) -> Submission:
    """Return the submission without the dimensions ``taken``, but for those in ``lost``."""
    voucher = submission.voucher
    if not any(taken & posting.dimensions.keys() for posting in voucher.postings):
        return submission
    postings = tuple(
        msgspec.structs.replace(
            posting,
            dimensions={
                name: code
                for name, code in posting.dimensions.items()
                if name not in taken or (at, number, name) in lost
            },
        )
        for number, posting in enumerate(voucher.postings)
    )
    changed = msgspec.structs.replace(voucher, postings=postings)
    return msgspec.structs.replace(submission, voucher=changed)


def _words(extra: Extra) -> str:
    filters = (
        ("role", listed(extra.role)),
        ("account", listed(extra.account)),
        ("company", listed(extra.company)),
        ("purpose", (extra.purpose,) if extra.purpose else ()),
    )
    chosen = "; ".join(f"{name} {', '.join(values)}" for name, values in filters if values)
    return f"added: {extra.at}" + (f" ({chosen})" if chosen else "")


__all__ = ["Applied", "Entry", "Extras", "Opens", "Submissions"]
