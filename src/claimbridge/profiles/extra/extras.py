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

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import msgspec

from claimbridge.contract.calls.shapes import Leaf, Types
from claimbridge.errors import ConfigurationError
from claimbridge.model import Submission
from claimbridge.profiles.extra.adding import Adding, Submissions
from claimbridge.profiles.extra.entries import Entry
from claimbridge.profiles.extra.outline import Missing, find
from claimbridge.profiles.extra.paths import (
    FilledAlreadyError,
    copied,
    is_within,
    remove,
    steps_of,
    without_counts,
)
from claimbridge.profiles.extra.settings import Extra, listed
from claimbridge.profiles.request import Inner, Request, as_request

Opens = Callable[[Request], tuple[Leaf, Types]]
"""Returns what the contract knows of the element that a request's paths begin in, and of types."""


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

    @property
    def dimensions(self) -> frozenset[str]:
        """The dimensions of postings that added fields carry."""
        return frozenset().union(*(each.template.dimensions for each in self.entries))

    def words(self) -> tuple[str, ...]:
        """Return a sentence for each entry, for people."""
        left_out = [f"left out: {path}" for path in self.omit]
        return (*left_out, *(_words(each.extra) for each in self.entries))

    def build(
        self,
        build: Callable[[Submissions], Request],
        submissions: Submissions,
        opens: Opens,
        *,
        trial: bool = False,
    ) -> Request:
        """Return what ``build`` makes of the submissions, with fields added and left out.

        ``trial``: of samples; see ``applied``.
        Raises ConfigurationError CB-248 where a field is filled already.
        """
        if not self:
            return build(submissions)
        lean = tuple(_without(one, self.taken) for one in submissions)
        done = self.applied(self.entries, build(lean), lean, submissions, opens, trial=trial)
        lost = self._lost(submissions, done.carried)
        if lost:
            # The profile answers for what no entry carries: it refuses the dimension or not.
            lean = tuple(_without(one, self.taken, lost, n) for n, one in enumerate(submissions))
            done = self.applied(self.entries, build(lean), lean, submissions, opens, trial=trial)
        return done.request

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
        run = Adding(body, target.owners, seen, submissions)
        for number, entry in enumerate(entries):
            place = find(root, entry.steps, body, types)
            if isinstance(place, Missing):  # another operation of the ledger has it
                continue
            try:
                run.add(number, entry, repeats=place.repeats, trial=trial)
            except FilledAlreadyError:
                if not (trial and number):
                    raise self._filled(entry) from None
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

    def _filled(self, entry: Entry) -> ConfigurationError:
        if entry.for_postings and entry.level.kind != "posting":
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


__all__ = ["Applied", "Extras", "Opens"]
