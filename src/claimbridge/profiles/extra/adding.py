"""Adding fields to one body: each to the elements that it is for."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Mapping
from functools import cached_property

from claimbridge.errors import ConfigurationError
from claimbridge.model import Posting, Submission
from claimbridge.profiles.extra.entries import Entry
from claimbridge.profiles.extra.owned import Level
from claimbridge.profiles.extra.paths import (
    Element,
    FilledAlreadyError,
    Steps,
    add,
    crosses_several,
    element_at,
    is_within,
    steps_of,
    without_counts,
)
from claimbridge.profiles.extra.values import Occasion

Submissions = tuple[Submission, ...]


class Adding:
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
        """Add an entry wherever it belongs; ``number`` is noted as used.

        ``repeats``: it may stand several times in one element. ``trial``: filters by account and
        company let everything pass. Raises FilledAlreadyError.
        """
        beside = entry.for_postings and entry.level.kind != "posting"
        for element, steps, at, scope in self._targets(entry):
            if scope is not None and not entry.takes(scope, any_account=trial):
                continue
            value = entry.template.fill(scope)
            if value is None:
                continue
            if beside and crosses_several(element, steps):
                raise FilledAlreadyError(entry.title)  # nobody knows which one is the posting's
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
        has no such element yet counts. Raises ConfigurationError CB-248 for a posting that no
        voucher has: another posting's values are no substitute.
        """
        every = [
            (at, number, posting)
            for at, one in enumerate(self._seen)
            for number, posting in enumerate(one.voucher.postings)
            if within in (None, at)
        ]
        same = [(at, number) for at, number, posting in every if posting is owner]
        alike = [(at, number) for at, number, posting in every if posting == owner]
        known = same or alike
        if not known:
            raise ConfigurationError(
                f"extra: the profile marks an element as that of a posting on {owner.account[:60]} "
                "that the voucher does not have; it must mark the voucher's own posting, before "
                "it changes anything in it (of_posting)",
                code="CB-248",
            )
        return next((one for one in known if one not in taken), known[0])
