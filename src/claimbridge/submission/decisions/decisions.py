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
from claimbridge.model.digests import same_content
from claimbridge.submission.decisions.documents import (
    obsolete_documents,
    posts,
    settle_command,
    stands,
    was_taken,
)
from claimbridge.submission.decisions.port import Rules


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


class Close(msgspec.Struct, frozen=True):
    """First see to it that what waits, of an earlier revision or another division, never goes."""


class Fly(msgspec.Struct, frozen=True):
    """Send it; ``record`` is the record of earlier attempts, None for the first."""

    record: Submission | None


Decision = Done | Refuse | Busy | Resolve | TakeBack | Close | Fly


def decide(history: History, key: Key, digest: str, *, parts: int = 0) -> Decision:
    """Say what must happen next for ``key`` to be posted once; pure.

    ``parts`` is how many documents the claim is, 0 for one; where the history has ``key`` it is
    as that says.
    """
    record = history.get(key)
    if record is not None and not same_content(record.digest, digest):
        return Refuse(
            ConflictingSubmission(
                f"revision {key.revision} was submitted before with other content; "
                "give the changed claim a higher revision",
                code="CB-451",
                claim_id=key.claim_id,
                reference=record.reference,
            )
        )
    if record is not None and record.state in LIVE:
        # An earlier one that stands too was posted by another journal, or after a gap.
        beside = _clear_the_way(history, key)
        return beside if isinstance(beside, TakeBack) else Done(record)
    if any(other.state is State.SENDING for other in history.submissions):
        return Busy()
    if _is_withdrawn(history, key, record):
        return Refuse(withdrawn_error(history, key))
    if record is not None and record.state in _CLOSED:
        return Refuse(closed_error(record))
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
    parts = record.voucher.documents if record is not None else parts
    excluded = _excluded(history, key, parts)
    if excluded is not None:
        return Refuse(excluded)
    before = _clear_the_way(history, key)
    if record is not None and record.state is State.IN_DOUBT:
        # Sent from here, nothing stood in its way. Another journal may have cleared it, or not.
        return Resolve(record) if record.attempted_at is not None or before is None else before
    if before is None and obsolete_documents(history, key.revision, parts):
        return Close()
    return before or Fly(record)


def _is_withdrawn(history: History, key: Key, record: Submission | None) -> bool:
    """Whether the claim was taken back where it came from, and nothing of ``key`` was sent."""
    taken_back = history.withdrawn is not None and history.withdrawn.revision >= key.revision
    return taken_back and (record is None or not was_taken(record))


def withdrawn_error(history: History, key: Key) -> ConflictingSubmission:
    """Return why nothing is sent of a claim that was taken back where it came from."""
    assert history.withdrawn is not None  # asked only then
    return ConflictingSubmission(
        f"revision {key.revision} was withdrawn before it was sent ({history.withdrawn.reason}); "
        "submit a higher revision if it is to be posted after all",
        code="CB-459",
        claim_id=key.claim_id,
    )


def _excluded(history: History, key: Key, parts: int) -> ClaimBridgeError | None:
    """Return why another document of the same revision keeps ``key`` out; None: nothing does."""
    for other in posts(history):
        if other.key.revision != key.revision or other.key == key:
            continue
        same = other.voucher.documents == parts
        if other.state in (State.REVERSING, State.REVERSED) and (same or was_taken(other)):
            return closed_error(other)
        if not same and stands(other):
            return closed_error(other) if other.state is State.PARKED else _divided(other, parts)
    return None


def _divided(other: Submission, parts: int) -> ConflictingSubmission:
    return ConflictingSubmission(
        f"revision {other.key.revision} was submitted before as "
        f"{_counted(other.voucher.documents)} and would now be {_counted(parts)}: the chart or the "
        "ERP's limit has changed; give the claim a higher revision",
        code="CB-456",
        claim_id=other.key.claim_id,
        reference=other.reference,
    )


def _counted(parts: int) -> str:
    return f"{parts} documents" if parts else "one document"


_CLOSED: Final = frozenset({State.REVERSING, State.REVERSED, State.PARKED})


def closed_error(record: Submission) -> DeliveryError:
    """Return why nothing more can be submitted for a parked, reversing or reversed one."""
    if record.state is State.PARKED:
        return OutcomeUnknown(
            f"parked: {record.detail}",
            code="CB-421" if record.attempted_at else "CB-431",
            claim_id=record.key.claim_id,
            reference=record.reference,
            attempt=record.attempt,
        )
    became = "was reversed"
    if record.state is State.REVERSED and record.detail:
        became += f" ({record.detail})"
    return ConflictingSubmission(
        f"revision {record.key.revision} {became}; submit a higher revision to post it again",
        code="CB-453",
        claim_id=record.key.claim_id,
        reference=record.reference,
    )


def not_reversible(standing: Submission) -> ConflictingSubmission:
    """Return why nothing can take the place of one that the profile cannot reverse."""
    key = standing.key
    entry = standing.journal_entry or standing.reference
    command = settle_command(key, "--reversed")
    return ConflictingSubmission(
        f"revision {key.revision} is in the ledger as {entry}, and this profile cannot reverse it; "
        f"nothing was sent: reverse {entry} in the ERP, then {command}, then submit again",
        code="CB-468",
        claim_id=key.claim_id,
        reference=standing.reference,
        attempt=standing.attempt,
    )


def _clear_the_way(history: History, key: Key) -> Refuse | Resolve | TakeBack | None:
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


def quiet_left(submission: Submission, rules: Rules) -> float:
    """Return the seconds until what was sent last can no longer arrive; 0 when it cannot.

    The whole quiet period, where the count of this boot does not say when that was.
    """
    if not submission.may_arrive:
        return 0.0
    passed = rules.clock.uptime().since(submission.quiet_from)
    return rules.quiet_period if passed is None else max(0.0, rules.quiet_period - passed)


def quiet_left_at(submission: Submission, rules: Rules, looked: dt.datetime) -> float:
    """Return what was left of the quiet period when a person looked, by the wall clock.

    A step of that clock since then must not make the look a later one. So it counts as far back as
    it is from now, whichever way, and after the doubt by the wall clock as well.
    """
    since = submission.doubt_since or submission.attempted_at
    if since is None:
        return 0.0
    ago = abs((rules.clock.now() - looked).total_seconds())
    passed = rules.clock.uptime().since(submission.quiet_from) or 0.0
    passed = min(passed - ago, (looked - since).total_seconds())
    return max(0.0, rules.quiet_period - passed)
