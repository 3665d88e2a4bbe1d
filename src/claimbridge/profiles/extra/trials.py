"""Requests that a profile builds from samples, to learn from: whose elements it marks, and more."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final, Literal, NamedTuple

import msgspec

from claimbridge.errors import ClaimBridgeError, ConfigurationError
from claimbridge.model import Posting, Submission
from claimbridge.profiles.abilities import Reverses, TakesSamples
from claimbridge.profiles.base import Profile
from claimbridge.profiles.extra.owned import Owned
from claimbridge.profiles.request import Inner, Request
from claimbridge.profiles.samples import reversing, sample_submissions

REFERENCE: Final = "CBXQ7ZKW29TRV4MH"
"""A reference like no other value of a sample."""
_BARER: Final = (
    (),
    ("project",),
    ("project", "cost_centre"),
    ("project", "cost_centre", "tax_code", "tax_base"),
    ("project", "cost_centre", "tax_code", "tax_base", "partner"),
)
"""Fields to leave out, one set after the other, until the profile takes the sample."""


class Trial(NamedTuple):
    """A request that the profile built, and what it built it of."""

    verb: Literal["submit", "reverse"]
    submissions: tuple[Submission, ...]
    request: Request

    @property
    def target(self) -> Request | Inner:
        """What paths lead into: the document in the string, where there is one."""
        return self.request.inner or self.request


def trials(profile: Profile) -> tuple[Trial, ...]:
    """Return what the profile builds from samples: single documents, a batch, a reversal.

    Samples that it refuses are left out. Raises ConfigurationError CB-241 where building fails with
    anything but one of our errors.
    """
    profile = in_trials(profile)
    reference = REFERENCE[: profile.capabilities.reference_length]
    posted = [
        made
        for sample in sample_submissions((), reference=reference)
        if (made := _first(profile, sample)) is not None
    ]
    return (*posted, *_reversals(profile, posted), *_batches(profile, posted))


def in_trials(profile: Profile) -> Profile:
    """Return the form of a profile that samples are tried on."""
    return profile.for_samples() if isinstance(profile, TakesSamples) else profile


def built(
    profile: Profile, verb: Literal["submit", "reverse"], submissions: tuple[Submission, ...]
) -> Trial | None:
    """Return what the profile builds of the submissions; None where it refuses them."""
    build: Callable[[], Request]
    if verb == "reverse":
        assert isinstance(profile, Reverses)
        build = lambda: profile.reverse(submissions[0])  # noqa: E731
    else:
        build = lambda: profile.submit(submissions)  # noqa: E731
    try:
        return Trial(verb, submissions, build())
    except ClaimBridgeError:
        return None
    except Exception as error:  # a user's code may raise anything when called
        raise ConfigurationError(
            f"profile {profile.name} fails on a sample: {type(error).__name__}: {error}; it must "
            "build a request from any voucher, or refuse it with one of our errors",
            code="CB-241",
        ) from error


def owned(profile: Profile, made: Iterable[Trial]) -> Owned:
    """Return whose elements the profile marks."""
    owners = (each.target.owners for each in made)
    return Owned.of(owners, whole=profile.capabilities.batch == 1)


def changed_postings(submission: Submission, change: Callable[[Posting], Posting]) -> Submission:
    """Return the submission with each posting changed."""
    voucher = submission.voucher
    postings = tuple(map(change, voucher.postings))
    voucher = msgspec.structs.replace(voucher, postings=postings)
    return msgspec.structs.replace(submission, voucher=voucher)


def _first(profile: Profile, sample: Submission) -> Trial | None:
    """Return what the profile makes of the fullest form of a sample that it takes."""
    for fields in _BARER:
        made = built(profile, "submit", (_barer(sample, fields),))
        if made is not None:
            return made
    return None


def _barer(sample: Submission, names: tuple[str, ...]) -> Submission:
    empty = {name: None if name == "tax_base" else "" for name in names}
    return changed_postings(sample, lambda one: msgspec.structs.replace(one, **empty))


def _reversals(profile: Profile, posted: list[Trial]) -> Iterator[Trial]:
    if not (profile.capabilities.can_reverse and isinstance(profile, Reverses)):
        return
    for each in posted:
        made = built(profile, "reverse", (reversing(each.submissions[0]),))
        if made is not None:
            yield made
            return


def _batches(profile: Profile, posted: list[Trial]) -> Iterator[Trial]:
    if profile.capabilities.batch == 1 or len(posted) < 2:
        return
    first, second = (each.submissions[0] for each in posted[:2])
    other = msgspec.structs.replace(second, reference=f"{second.reference[:-1]}X")
    made = built(profile, "submit", (first, other))
    if made is not None:
        yield made
