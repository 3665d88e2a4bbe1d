"""What every journal holds to, decided without I/O: which writes are lawful, and their stamps.

A refusal here (``CB-228``) is a programming error of the caller, never a race: it is judged
against the history that the caller itself has seen.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from typing import Final

import msgspec

from claimbridge.clock import Clock
from claimbridge.errors import ConflictingSubmission, JournalError
from claimbridge.journal.base import key_order
from claimbridge.model import (
    MOVES,
    Book,
    History,
    Key,
    Move,
    Purpose,
    State,
    Submission,
    Withdrawal,
)

FIRST: Final = frozenset({State.PENDING, State.SENDING, State.PARKED})
"""Where a submission may begin."""

UNPROVEN: Final = frozenset({State.PENDING, State.IN_DOUBT, State.PARKED})
"""Ends of a flight that rest on what its sender knows, not on the ERP's word.

Only the journal whose flight it is may record them: anybody else would take over a living
owner's flight. What the ERP itself has said (posted, rejected …) may come from anyone.
"""

RENAMED: Final = frozenset({State.PENDING, State.REJECTED})
"""Where nothing in the ERP can bear the reference, so that another attempt may choose another."""

ABSENT: Final = frozenset({State.PENDING, State.REJECTED, State.REVERSED})
"""Where an ERP has nothing of a voucher, for certain: in any other state it has, or may have."""

KEPT_LONGER: Final = dt.timedelta(hours=25)
"""For how long a reply that is too old to count is remembered still.

A clock that was set forward, for an hour or a day, and back again must not have us forget a reply
that counts again then.
"""

OWNER_ENDED: Final = "the process that was sending it ended before the answer was recorded"
GIVEN_UP: Final = "the attempt was given up before its answer was recorded"


class Write(msgspec.Struct, frozen=True):
    """One submission as it was (None: new) and as it shall be, stamped with the time ``at``."""

    before: Submission | None
    after: Submission
    at: dt.datetime

    @property
    def takes_off(self) -> bool:
        """Whether this begins a flight."""
        return self.after.state is State.SENDING

    @property
    def posts(self) -> bool:
        """Whether a claim's voucher is about to be sent, or is to be from now on."""
        intended = self.before is None and self.after.state is State.PENDING
        return (self.takes_off or intended) and self.after.key.purpose is Purpose.POST

    @property
    def lands_unproven(self) -> bool:
        """Whether this ends a flight in a way that only its own journal may record."""
        flew = self.before is not None and self.before.state is State.SENDING
        return flew and self.after.state in UNPROVEN

    @property
    def move(self) -> Move | None:
        """The step that it is; None where the state stays."""
        before = None if self.before is None else self.before.state
        if before is self.after.state:
            return None
        return Move(
            key=self.after.key,
            at=self.at,
            before=before,
            after=self.after.state,
            attempt=self.after.attempt,
            detail=self.after.detail,
        )


def begun(seen: History, changed: Sequence[Submission], now: dt.datetime) -> tuple[Write, ...]:
    """Return the lawful changes of ``Journal.begin``; raises JournalError CB-228."""
    changes = _changes(seen, changed, now)
    if not any(change.takes_off for change in changes):
        raise misuse("begin() needs a submission that goes into sending", seen.claim_id)
    for change in changes:
        if change.takes_off and change.before is not None and change.before.state is State.SENDING:
            raise misuse(
                f"{change.after.key} is being sent already; a flight is never taken over",
                seen.claim_id,
            )
    return changes


def recorded(
    seen: History,
    changed: Sequence[Submission],
    now: dt.datetime,
    *,
    withdrawn: Withdrawal | None = None,
) -> tuple[Write, ...]:
    """Return the lawful changes of ``Journal.record``; raises JournalError CB-228."""
    if withdrawn is not None:
        _check_withdrawal(seen, withdrawn)
    changes = () if withdrawn is not None and not changed else _changes(seen, changed, now)
    for change in changes:
        if change.takes_off:
            raise misuse(
                f"record() cannot leave {change.after.key} in sending; begin() does", seen.claim_id
            )
    return changes


def landed(adrift: Submission, why: str, clock: Clock) -> Write:
    """Return the change that puts a flight which nobody flies any more in doubt.

    When it ended nobody noted; it may have been just now, so the doubt is dated from now.
    """
    now = clock.now()
    after = msgspec.structs.replace(
        adrift,
        state=State.IN_DOUBT,
        detail=why,
        doubt_since=now,
        doubt_uptime=clock.uptime(),
        updated_at=now,
    )
    return Write(adrift, after, now)


def _is_measured(one: Submission) -> bool:
    """Whether it counts how long ago something of it was sent that may yet arrive."""
    if one.state not in {State.IN_DOUBT, State.PARKED, State.ACKNOWLEDGED}:
        return False
    if one.doubt_since is not None or one.attempted_at is None:
        return one.doubt_since is not None
    # Where several were sent, a refusal may be news of an earlier one.
    return one.attempt > 1 or one.state is State.IN_DOUBT


def remeasured(history: History, clock: Clock) -> tuple[Write, ...]:
    """Return the changes that let quiet periods be measured in this boot of the machine.

    What was sent in another boot (or by a release that did not count) is quiet from now on: how
    much of its quiet period has passed, no clock here can say.
    """
    measured = [one for one in history.submissions if _is_measured(one)]
    if not measured:
        return ()
    up, now = clock.uptime(), clock.now()
    changes = []
    for one in measured:
        if up.since(one.quiet_from) is not None:
            continue
        doubted = one.doubt_since is not None
        after = msgspec.structs.replace(
            one,
            doubt_uptime=up if doubted else None,
            attempted_uptime=one.attempted_uptime if doubted else up,
        )
        changes.append(Write(one, after, now))
    return tuple(changes)


def continued(
    seen: History, changes: Sequence[Write], withdrawn: Withdrawal | None = None
) -> History:
    """Return the history that follows ``seen`` once ``changes`` are written."""
    submissions = {known.key: known for known in seen.submissions}
    submissions.update({change.after.key: change.after for change in changes})
    return History(
        seen.book,
        seen.claim_id,
        seen.version + 1,
        tuple(sorted(submissions.values(), key=key_order)),
        withdrawn or seen.withdrawn,
    )


class Presence(msgspec.Struct, frozen=True):
    """What a book has of a claim: the id of the book, and one revision's voucher."""

    book: str
    revision: int
    state: State


def refuse_elsewhere(key: Key, held: Iterable[Presence], books: Iterable[Book]) -> None:
    """Raise ConflictingSubmission CB-457 where another book has the claim of ``key``, or may have.

    ``held`` is what any book has of it. A parallel book has the same claims as others: it is not
    refused one, and refuses none.
    """
    known = {book.id: book for book in books}
    parallel = {book.id for book in known.values() if book.parallel}
    if key.book in parallel:
        return
    for one in held:
        if one.book == key.book or one.book in parallel or one.state in ABSENT:
            continue
        other = known.get(one.book)
        raise ConflictingSubmission(
            f"ledger {other.name if other else one.book} has this claim already, or may have "
            f"(revision {one.revision} is {one.state}); nothing was sent. "
            f"{_way_out(known.get(key.book), other)}",
            code="CB-457",
            claim_id=key.claim_id,
        )


def _way_out(mine: Book | None, other: Book | None) -> str:
    """Say how a claim comes out of another book; one that may be the same book is not left."""
    if mine is not None and other is not None and other.place in (None, mine.place):
        return (
            f"That is the book of another name of before, and may be this very one: claimbridge "
            f"journal rename {other.name} {mine.name}; or, where that is refused, submit it to "
            f"ledger {other.name}"
        )
    return (
        "Reverse it there first; or, where both books are to have it, set parallel = true for "
        "this ledger"
    )


def not_empty(book: Book) -> JournalError:
    """Return the error for a book that cannot be forgotten."""
    return JournalError(
        f"book {book.id} ({book.name}) holds claims, so that it stays a book of its own; nothing "
        "was changed. Give it a name of its own: claimbridge journal rename",
        code="CB-233",
    )


def with_job(history: History, key: Key, job: str) -> History:
    """Return a history of the same version in which a submission is known to be in a job."""
    submissions = tuple(
        msgspec.structs.replace(one, job=job) if one.key == key else one
        for one in history.submissions
    )
    return msgspec.structs.replace(history, submissions=submissions)


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


def _changes(seen: History, changed: Sequence[Submission], now: dt.datetime) -> tuple[Write, ...]:
    if not changed:
        raise misuse("there is nothing to write", seen.claim_id)
    known: dict[Key, Submission] = {one.key: one for one in seen.submissions}
    written: set[Key] = set()
    changes = []
    for submission in changed:
        _check_belongs(seen, submission, written)
        written.add(submission.key)
        before = known.get(submission.key)
        _check_move(before, submission)
        stamped = msgspec.structs.replace(submission, updated_at=now)
        changes.append(Write(before, stamped, now))
    return tuple(changes)


def _check_withdrawal(seen: History, withdrawn: Withdrawal) -> None:
    known = seen.withdrawn.revision if seen.withdrawn is not None else 1
    if withdrawn.revision < known:
        raise misuse(
            f"revision {known} was withdrawn already, {withdrawn.revision} is earlier",
            seen.claim_id,
        )


def _check_belongs(seen: History, submission: Submission, written: Collection[Key]) -> None:
    key = submission.key
    if (key.book, key.claim_id) != (seen.book, seen.claim_id):
        raise misuse(
            f"{key} does not belong to claim {seen.claim_id} in ledger {seen.book}", key.claim_id
        )
    if key in written:
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
    "ABSENT",
    "FIRST",
    "GIVEN_UP",
    "KEPT_LONGER",
    "OWNER_ENDED",
    "RENAMED",
    "UNPROVEN",
    "Presence",
    "Write",
    "begun",
    "continued",
    "landed",
    "misuse",
    "not_as_seen",
    "not_empty",
    "not_yours",
    "recorded",
    "reference_taken",
    "refuse_elsewhere",
    "with_job",
]
