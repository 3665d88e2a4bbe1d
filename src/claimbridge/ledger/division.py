"""A claim as several documents, where the ERP takes no longer ones.

Each document (``EXP-7/1``, ``EXP-7/2`` …) has a journal of its own, and so every guarantee of one.
What is added here keeps them one claim: a division other than today's (another revision's, or the
undivided claim) is out of effect, for certain, before the first document of today's is sent.

Only a ledger whose profile knows a limit of postings comes here; for others a claim is one
document, and its journal is read once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Final, NamedTuple, TypeVar

import msgspec

from claimbridge import submission as plans
from claimbridge.errors import ClaimBridgeError, ConflictingSubmission
from claimbridge.mapping.division import part_id
from claimbridge.model import (
    LIVE,
    Acknowledgement,
    Claim,
    History,
    Key,
    Outcome,
    OutcomeKind,
    Purpose,
    State,
    Status,
    Submission,
)
from claimbridge.model.digests import Digest, same_content
from claimbridge.submission import Draft, Exchange, Plan, Recall, Record, Rules

T = TypeVar("T")


class Family(NamedTuple):
    """What the journal holds of a claim: as one document, and as parts, in their order."""

    whole: History
    parts: tuple[History, ...]

    def in_parts(self, revision: int) -> bool:
        """Whether any part of a revision was submitted."""
        return any(s.key.revision == revision for part in self.parts for s in _posts(part))

    def of(self, revision: int) -> tuple[Submission, ...]:
        """Return the documents that stand for a revision: one, or its parts; () for none.

        Where it was divided anew, those that had an effect.
        """
        whole = [s for s in _posts(self.whole) if s.key.revision == revision]
        parts = [s for part in self.parts for s in _posts(part) if s.key.revision == revision]
        if parts and (not whole or whole[0].state in _WITHOUT_EFFECT):
            return tuple(parts)
        return tuple(whole)

    @property
    def newest(self) -> int:
        """The newest revision that was submitted; 0 for none."""
        histories = (self.whole, *self.parts)
        return max((s.key.revision for known in histories for s in _posts(known)), default=0)


def digest_of(claim: Claim, part: int, parts: int) -> Digest:
    """Return the digest of a claim's part: any change to the claim, or its division, changes it."""
    return claim.digest.of_part(part, parts) if parts else claim.digest


def family(ledger: str, claim_id: str) -> Plan[Family]:
    """Read all that the journal holds of a claim."""
    whole = yield from Recall(ledger, claim_id)
    parts: list[History] = []
    while True:
        known = yield from Recall(ledger, part_id(claim_id, len(parts) + 1))
        if not any(s.voucher.parts for s in known.submissions):
            return Family(
                whole, tuple(parts)
            )  # none, or another claim whose id looks like a part's
        parts.append(known)


def accepted(known: Family, claim: Claim) -> tuple[Submission, ...]:
    """Return the claim's documents where the ERP holds them all, so that nothing is left to do."""
    found = known.of(claim.revision)
    complete = bool(found) and len(found) == max(1, found[0].voucher.parts)
    same = all(
        s.state in LIVE
        and not s.missing
        and same_content(s.digest, digest_of(claim, s.voucher.part, s.voucher.parts))
        for s in found
    )
    return found if complete and same else ()


def submit_in_parts(
    known: Family, claim: Claim, drafts: Sequence[Draft], rules: Rules
) -> Plan[tuple[Submission, ...]]:
    """Carry the claim's documents into the ledger, one after the other, in the place of any others.

    Raises what submitting one raises, naming the part and how many were accepted before it: the
    same claim submitted again goes on from there.
    """
    _refuse_another_division(known, claim, drafts)
    yield from plans.refuse_used(drafts[0].submission)
    ids = {draft.submission.key.claim_id for draft in drafts}
    date = drafts[0].submission.voucher.posting_date
    for other in (known.whole, *known.parts):
        if other.claim_id not in ids:
            yield from _take_out(other, claim, date, rules)
    done: list[Submission] = []
    for draft in drafts:
        try:
            done.append((yield from _carry(draft, rules)))
        except ClaimBridgeError as error:
            raise _of_claim(error, claim, len(done), len(drafts)) from error.__cause__
    return tuple(done)


def _carry(draft: Draft, rules: Rules) -> Plan[Submission]:
    wanted = draft.submission
    plan = plans.submit(wanted.key, wanted.digest, lambda: draft, rules)
    return (yield from alone(plan))


def alone(plan: Plan[T]) -> Plan[T]:
    """Run a plan that sends documents of claims, each only where no other excludes it.

    Every document has a journal of its own, so that two processes may be sending what must not be
    in the ledger together: revisions, divisions, a part of what is being reversed. Each first
    records what it is about to do, and only then looks for the others: whoever comes second sees
    the first, and what it was about to send never leaves.
    """
    try:
        step = next(plan)
        while True:
            try:
                answer: object = None
                if isinstance(step, Exchange) and step.verb == "submit":
                    answer = yield from _kept_back(step.submissions[0])
                answer = answer or (yield step)
            except GeneratorExit:
                plan.close()
                raise
            except BaseException as error:  # noqa: BLE001 - the plan must hear of every end
                step = plan.throw(error)
            else:
                step = plan.send(answer)
    except StopIteration as end:
        found: T = end.value
        return found


def _kept_back(flight: Submission) -> Plan[tuple[Outcome, ...] | None]:
    """Return the outcome of a flight that must not leave, because of another; None: it may."""
    whole_id = claim_of(flight)
    known = yield from family(flight.key.ledger, whole_id)
    parts = flight.voucher.parts
    replaced = {part_id(whole_id, part) for part in range(1, parts + 1)} if parts else {whole_id}
    for history in (known.whole, *known.parts):
        if history.claim_id == flight.key.claim_id:
            continue  # its own journal has been judged
        for other in _posts(history):
            if _excludes(other, flight, replaced=history.claim_id in replaced):
                text = (
                    f"nothing was sent: {other.reference} of the same claim is {other.state}; "
                    "another process is at work on the claim, submit it again"
                )
                return (Outcome(kind=OutcomeKind.NOT_DELIVERED, text=text, useless=True),)
    return None


def _excludes(other: Submission, flight: Submission, *, replaced: bool) -> bool:
    """Whether another document of the claim means that this one must not be sent now."""
    if other.key.revision != flight.key.revision:
        later = other.key.revision > flight.key.revision
        return later or (not replaced and other.state not in _WITHOUT_EFFECT)
    if other.voucher.parts != flight.voucher.parts:
        return other.state not in _WITHOUT_EFFECT
    return other.state in (State.REVERSING, State.REVERSED)


def claim_of(document: Submission) -> str:
    """Return the id of the claim that a document is, or is a part of."""
    whole, _, _ = document.key.claim_id.rpartition("/")
    return whole if document.voucher.parts else document.key.claim_id


def _refuse_another_division(known: Family, claim: Claim, drafts: Sequence[Draft]) -> None:
    """Refuse an earlier revision, and one that the ERP holds in a division other than today's."""
    _refuse_earlier(claim, known.newest)
    parts = drafts[0].submission.voucher.parts
    before = {s.voucher.parts for s in known.of(claim.revision) if s.state not in _WITHOUT_EFFECT}
    if before - {parts}:
        raise ConflictingSubmission(
            f"revision {claim.revision} was submitted before as {_counted(max(before))} and would "
            f"now be {_counted(parts)}: the chart or the ERP's limit has changed; "
            "give the claim a higher revision",
            code="CB-456",
            claim_id=claim.id,
        )


def _refuse_earlier(claim: Claim, newest: int) -> None:
    if newest > claim.revision:
        raise ConflictingSubmission(
            f"revision {newest} was submitted before; revision {claim.revision} is out of date",
            code="CB-452",
            claim_id=claim.id,
        )


def _counted(parts: int) -> str:
    return f"{parts} documents" if parts else "one document"


def _take_out(other: History, claim: Claim, posting_date: dt.date, rules: Rules) -> Plan[None]:
    """Leave nothing of ``other`` in effect, nor anything that could still be sent."""
    while True:
        history = yield from Recall(other.ledger, other.claim_id)
        _refuse_earlier(claim, max((s.key.revision for s in _posts(history)), default=0))
        found = [s for s in _posts(history) if s.state not in _OUT]
        if not found:
            return
        standing = found[-1]
        if standing.state is State.PENDING:
            yield from _close(history, standing, rules)
            continue
        if standing.state is State.PARKED:
            raise plans.closed_error(standing)
        try:
            yield from plans.reverse(standing.key, posting_date, "", rules)
        except ConflictingSubmission as error:
            if error.code != _NOTHING_TO_REVERSE:
                raise


def _close(history: History, waiting: Submission, rules: Rules) -> Plan[bool]:
    """See to it that what was never taken is never sent; False: another writer was faster."""
    why = "taken back before it was sent: the claim was reversed, or divided anew"
    closed = plans.moved(waiting, State.REVERSED, rules, detail=why)
    return (yield from Record(history, (closed,))) is not None


def reverse_parts(
    documents: Sequence[Submission], posting_date: dt.date, text: str, rules: Rules
) -> Plan[list[Submission]]:
    """Take back the parts of a claim that the ERP took; the others are never sent any more."""
    reversals: list[Submission] = []
    waiting = list(documents)
    seen: set[str] = set()
    while waiting:
        for document in waiting:
            seen.add(document.key.claim_id)
            if (yield from _was_taken(document.key, rules)):
                reversal = yield from plans.reverse(document.key, posting_date, text, rules)
                reversals.append(reversal)
        # Another process may have begun the next part before it could see the reversal.
        first = documents[0]
        known = yield from family(first.key.ledger, claim_of(first))
        found = known.of(first.key.revision)
        waiting = [one for one in found if one.key.claim_id not in seen]
    if not reversals:
        raise ConflictingSubmission(
            "no part of it has a journal entry that could be reversed", code=_NOTHING_TO_REVERSE
        )
    return reversals


def _was_taken(key: Key, rules: Rules) -> Plan[bool]:
    """Whether the ERP may hold, or held, a part; one that it never took is closed."""
    while True:
        history = yield from Recall(key.ledger, key.claim_id)
        standing = history.get(key)
        if standing is None or standing.state is State.REJECTED:
            return False
        if standing.state is not State.PENDING:
            return standing.state is not State.REVERSED or standing.journal_entry is not None
        if (yield from _close(history, standing, rules)):
            return False


def _of_claim(error: ClaimBridgeError, claim: Claim, done: int, parts: int) -> ClaimBridgeError:
    """Return the error of one part as that of its claim."""
    error.claim_id = claim.id
    if parts > 1:
        error.message = f"part {done + 1} of {parts} ({done} accepted before it): {error.message}"
        error.args = (error.message,)
    return error


def together(claim_id: str, acks: Sequence[Acknowledgement]) -> Acknowledgement:
    """Return what a caller learns of a claim's documents."""
    if acks[0].claim_id == claim_id:
        return acks[0]  # one document
    least = min(acks, key=lambda ack: _ATTENTION.index(ack.state))
    return msgspec.structs.replace(acks[0], claim_id=claim_id, state=least.state, parts=tuple(acks))


def status_together(claim_id: str, statuses: Sequence[Status], parts: int) -> Status:
    """Return where a claim stands: as the one of its documents that needs the most attention.

    ``parts`` is how many there are to be; those that are missing were not sent yet.
    """
    if statuses[0].claim_id == claim_id:
        return statuses[0]  # one document
    most = min(statuses, key=lambda status: _ATTENTION.index(status.state))
    missing = parts - len(statuses)
    standing = sum(status.state in LIVE for status in statuses)
    state, detail = most.state, ""
    if state in LIVE and missing:  # what is half posted is not posted
        state = State.PENDING
    if state is State.REVERSED and standing:
        state = State.REVERSING
        detail = f"{standing} of {parts} parts are not reversed yet; reverse it again"
    elif missing:
        detail = f"{missing} of {parts} parts were not sent yet"
    return msgspec.structs.replace(
        most,
        claim_id=claim_id,
        state=state,
        detail="; ".join(filter(None, (most.detail, detail))),
        parts=tuple(statuses),
    )


def _posts(history: History) -> list[Submission]:
    return [s for s in history.submissions if s.key.purpose is Purpose.POST]


_WITHOUT_EFFECT: Final = frozenset({State.PENDING, State.REJECTED, State.REVERSED})
_NOTHING_TO_REVERSE: Final = "CB-455"
_OUT: Final = frozenset({State.REJECTED, State.REVERSED})
_ATTENTION: Final = (
    State.PARKED,
    State.IN_DOUBT,
    State.REJECTED,
    State.SENDING,
    State.PENDING,
    State.REVERSING,
    State.REVERSED,
    State.ACKNOWLEDGED,
    State.POSTED,
    State.PAID,
)
"""The states of a claim's documents by how much they need attention, the most first."""
