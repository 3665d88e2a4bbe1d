"""What must happen next for one claim revision to be posted once; pure."""

from __future__ import annotations

import datetime as dt
from typing import Final

import msgspec

from claimbridge.errors import (
    ClaimBridgeError,
    ConflictingSubmission,
    DeliveryError,
    OutcomeUnknown,
)
from claimbridge.model import LIVE, History, Key, Purpose, State, Submission
from claimbridge.submission.steps import Rules


class Done(msgspec.Struct, frozen=True):
    """The ERP holds it already."""

    submission: Submission


class Refuse(msgspec.Struct, frozen=True):
    """It must not be sent."""

    error: ClaimBridgeError


class Busy(msgspec.Struct, frozen=True):
    """A living process is sending this claim now."""


class Resolve(msgspec.Struct, frozen=True):
    """First find out what became of this one."""

    submission: Submission


class TakeBack(msgspec.Struct, frozen=True):
    """First reverse this one."""

    submission: Submission


class Send(msgspec.Struct, frozen=True):
    """Send it; ``known`` is the record of earlier attempts, None for the first."""

    known: Submission | None


Decision = Done | Refuse | Busy | Resolve | TakeBack | Send


def decide(history: History, key: Key, digest: str) -> Decision:
    """Say what must happen next for ``key`` to be posted once; pure."""
    known = history.get(key)
    if known is not None and known.digest != digest:
        return Refuse(
            ConflictingSubmission(
                f"revision {key.revision} was submitted before with other content; "
                "give the changed claim a higher revision",
                code="CB-451",
                claim_id=key.claim_id,
                reference=known.reference,
            )
        )
    if known is not None and known.state in LIVE:
        return Done(known)
    if any(other.state is State.SENDING for other in history.submissions):
        return Busy()
    if known is not None and known.state in _CLOSED:
        return Refuse(closed_error(known))
    later = [s for s in history.submissions if s.key.revision > key.revision]
    if later:
        return Refuse(
            ConflictingSubmission(
                f"revision {later[-1].key.revision} was submitted before; revision "
                f"{key.revision} is out of date",
                code="CB-452",
                claim_id=key.claim_id,
            )
        )
    if known is not None and known.state is State.IN_DOUBT:
        return Resolve(known)
    return _clear_the_way(history, key) or Send(known)


_CLOSED: Final = frozenset({State.REVERSING, State.REVERSED, State.PARKED})


def closed_error(known: Submission) -> DeliveryError:
    """Return why nothing more can be submitted for a parked, reversing or reversed one."""
    if known.state is State.PARKED:
        return OutcomeUnknown(
            f"parked: {known.detail}",
            code="CB-421" if known.attempt else "CB-431",
            claim_id=known.key.claim_id,
            reference=known.reference,
            attempt=known.attempt,
        )
    return ConflictingSubmission(
        f"revision {known.key.revision} was reversed; submit a higher revision to post it again",
        code="CB-453",
        claim_id=known.key.claim_id,
        reference=known.reference,
    )


def _clear_the_way(history: History, key: Key) -> Decision | None:
    """Say what must happen to earlier revisions first; None when nothing stands in the way."""
    for earlier in history.submissions:
        if earlier.key.revision >= key.revision or earlier.key.purpose is Purpose.REVERSE:
            continue
        if earlier.state is State.PARKED:
            return Refuse(closed_error(earlier))
        if earlier.state is State.IN_DOUBT:
            return Resolve(earlier)
        if earlier.state in LIVE or earlier.state is State.REVERSING:
            return TakeBack(earlier)
    return None


def quiet_left(submission: Submission, rules: Rules, *, at: dt.datetime | None = None) -> float:
    """Return the seconds until what was sent last can no longer arrive; 0 when it cannot.

    ``at`` None means now.
    """
    since = submission.doubt_since or submission.attempted_at
    if since is None:
        return 0.0
    passed = ((at or rules.clock.now()) - since).total_seconds()
    return max(0.0, rules.quiet_period - passed)
