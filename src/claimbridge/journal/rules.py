"""What every journal holds to about one claim, decided without I/O: which writes are lawful.

A refusal here (``CB-228``) is a programming error of the caller, never a race: it is judged
against the history that the caller itself has seen.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Final

import msgspec

from claimbridge.clock import Clock
from claimbridge.errors import JournalError
from claimbridge.journal.base import key_order
from claimbridge.journal.writes import Write
from claimbridge.model import (
    MOVES,
    Book,
    History,
    Key,
    State,
    Submission,
    Withdrawal,
)
from claimbridge.model.doubt import enter_doubt, is_measured

FIRST: Final = frozenset({State.PENDING, State.SENDING, State.PARKED})
"""Where a submission may begin."""

RENAMED: Final = frozenset({State.PENDING, State.REJECTED})
"""Where nothing in the ERP can bear the reference, so that another attempt may choose another."""

KEPT_LONGER: Final = dt.timedelta(hours=25)
"""For how long a reply that is too old to count is remembered still.

A clock that was set forward, for an hour or a day, and back again must not have us forget a reply
that counts again then.
"""

OWNER_ENDED: Final = "the process that was sending it ended before the answer was recorded"
GIVEN_UP: Final = "the attempt was given up before its answer was recorded"


def begin_writes(
    seen: History, changed: Sequence[Submission], now: dt.datetime
) -> tuple[Write, ...]:
    """Return the lawful writes of ``Journal.begin``; raises JournalError CB-228."""
    writes = _writes(seen, changed, now)
    if not any(write.takes_off for write in writes):
        raise misuse("begin() needs a submission that goes into sending", seen.claim_id)
    for write in writes:
        if write.takes_off and write.before is not None and write.before.state is State.SENDING:
            raise misuse(
                f"{write.after.key} is being sent already; a flight is never taken over",
                seen.claim_id,
            )
    return writes


def record_writes(
    seen: History,
    changed: Sequence[Submission],
    now: dt.datetime,
    *,
    withdrawn: Withdrawal | None = None,
) -> tuple[Write, ...]:
    """Return the lawful writes of ``Journal.record``; raises JournalError CB-228."""
    if withdrawn is not None:
        _check_withdrawal(seen, withdrawn)
    writes = () if withdrawn is not None and not changed else _writes(seen, changed, now)
    for write in writes:
        if write.takes_off:
            raise misuse(
                f"record() cannot leave {write.after.key} in sending; begin() does", seen.claim_id
            )
    return writes


def landing(adrift: Submission, why: str, clock: Clock) -> Write:
    """Return the write that puts a flight which nobody flies any more in doubt.

    Nobody noted when it ended, so the doubt is dated from now.
    """
    doubtful = enter_doubt(adrift, clock)
    now = doubtful.doubt_since
    assert now is not None  # it has just entered doubt
    after = msgspec.structs.replace(doubtful, state=State.IN_DOUBT, detail=why, updated_at=now)
    return Write(adrift, after, now)


def _is_measured(one: Submission) -> bool:
    """Whether it counts how long ago something of it was sent that may yet arrive."""
    if one.state not in {State.IN_DOUBT, State.PARKED, State.ACKNOWLEDGED}:
        return False
    if one.doubt_since is not None or one.attempted_at is None:
        return one.doubt_since is not None
    # Where several were sent, a refusal may be news of an earlier one.
    return one.attempt > 1 or one.state is State.IN_DOUBT


def measure_anew(history: History, clock: Clock) -> tuple[Write, ...]:
    """Return the writes that let quiet periods be measured in this boot of the machine.

    What was sent in another boot (or by a release that did not count) is quiet from now on: how
    much of its quiet period has passed, no clock here can say.
    """
    measured = [one for one in history.submissions if _is_measured(one)]
    if not measured:
        return ()
    up, now = clock.uptime(), clock.now()
    writes = []
    for one in measured:
        if is_measured(one.quiet_from, clock):
            continue
        doubted = one.doubt_since is not None
        after = msgspec.structs.replace(
            one,
            doubt_uptime=up if doubted else None,
            attempted_uptime=one.attempted_uptime if doubted else up,
        )
        writes.append(Write(one, after, now))
    return tuple(writes)


def next_history(
    seen: History, writes: Sequence[Write], withdrawn: Withdrawal | None = None
) -> History:
    """Return the history that follows ``seen`` once ``writes`` are written."""
    submissions = {one.key: one for one in seen.submissions}
    submissions.update({write.after.key: write.after for write in writes})
    return History(
        seen.book,
        seen.claim_id,
        seen.version + 1,
        tuple(sorted(submissions.values(), key=key_order)),
        withdrawn or seen.withdrawn,
    )


def not_empty(book: Book) -> JournalError:
    """Return the error for a book that cannot be forgotten."""
    return JournalError(
        f"book {book.id} ({book.name}) holds claims, so that it stays a book of its own; nothing "
        "was changed. Give it a name of its own: claimbridge journal rename",
        code="CB-233",
    )


def reference_taken(key: Key, reference: str, holder: Key | None) -> JournalError:
    """Return the error for a reference that another submission of the ledger carries."""
    whose = f"that of claim {holder.claim_id} ({holder})" if holder else "another submission's"
    return JournalError(
        f"reference {reference} of {key} is already {whose}; the ERP could not tell them apart: "
        "make the claim ids differ or let the profile derive longer references",
        code="CB-229",
        claim_id=key.claim_id,
    )


def not_yours(key: Key) -> JournalError:
    """Return the error for an end of somebody else's flight that the ERP has not vouched for."""
    return misuse(
        f"{key} is in another owner's flight; only what the ERP says of it may be recorded",
        key.claim_id,
    )


def not_as_seen(key: Key) -> JournalError:
    """Return the error for a history that is of the present version and yet another."""
    return misuse(
        f"{key} is not as the given history shows it; only give back what the journal gave",
        key.claim_id,
    )


def misuse(what: str, claim_id: str | None = None) -> JournalError:
    """Return the error for a call that no state of the journal makes right."""
    return JournalError(
        f"programming error: {what}; nothing was written", code="CB-228", claim_id=claim_id
    )


def _writes(seen: History, changed: Sequence[Submission], now: dt.datetime) -> tuple[Write, ...]:
    if not changed:
        raise misuse("there is nothing to write", seen.claim_id)
    submissions: dict[Key, Submission] = {one.key: one for one in seen.submissions}
    keys: set[Key] = set()
    writes = []
    for submission in changed:
        _check_belongs(seen, submission, keys)
        keys.add(submission.key)
        before = submissions.get(submission.key)
        _check_move(before, submission)
        stamped = msgspec.structs.replace(submission, updated_at=now)
        writes.append(Write(before, stamped, now))
    return tuple(writes)


def _check_withdrawal(seen: History, withdrawn: Withdrawal) -> None:
    latest = seen.withdrawn.revision if seen.withdrawn is not None else 1
    if withdrawn.revision < latest:
        raise misuse(
            f"revision {latest} was withdrawn already, {withdrawn.revision} is earlier",
            seen.claim_id,
        )


def _check_belongs(seen: History, submission: Submission, keys: Collection[Key]) -> None:
    key = submission.key
    if (key.book, key.claim_id) != (seen.book, seen.claim_id):
        raise misuse(
            f"{key} does not belong to claim {seen.claim_id} in ledger {seen.book}", key.claim_id
        )
    if key in keys:
        raise misuse(f"{key} is written twice at once", key.claim_id)


def _check_move(before: Submission | None, after: Submission) -> None:
    claim_id = after.key.claim_id
    if before is None:
        if after.state not in FIRST:
            raise misuse(f"{after.key} cannot begin in {after.state}", claim_id)
        return
    if after.state is not before.state and after.state not in MOVES[before.state]:
        raise misuse(f"{after.key} cannot move from {before.state} to {after.state}", claim_id)
    if after.reference != before.reference and before.state not in RENAMED:
        raise misuse(
            f"{after.key} cannot change its reference from {before.reference} to "
            f"{after.reference} in {before.state}: the ERP may know it by the first",
            claim_id,
        )


__all__ = [
    "FIRST",
    "GIVEN_UP",
    "KEPT_LONGER",
    "OWNER_ENDED",
    "RENAMED",
    "begin_writes",
    "landing",
    "measure_anew",
    "misuse",
    "next_history",
    "not_as_seen",
    "not_empty",
    "not_yours",
    "record_writes",
    "reference_taken",
]
