"""What becomes of the submissions of a journal that is not the newest.

Another copy was in use until the gap's end, and may have moved whatever this one left open. What
may have been sent since goes into doubt where the ERP can be asked, or refuses duplicates; else a
person looks. What is live stays so. Its reversal, which the lost journal may have sent, is asked
for before it is sent for the first time (see ``first``). So is a claim that this journal does not
know.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

import msgspec

from claimbridge.model import Gap, History, Purpose, Reason, State, Submission
from claimbridge.model.doubt import enter_doubt
from claimbridge.submission.decisions.evidence import in_reversal, in_state
from claimbridge.submission.decisions.port import Rules
from claimbridge.submission.steps.steps import Plan, Recall, Record

MOVED_BY_COPIES: Final = (State.PENDING, State.REJECTED, State.IN_DOUBT, State.PARKED)
"""Where another copy of the journal may have moved a submission on, by sending."""


def bring_into_doubt(
    book: str, claim_id: str, gap: Gap, rules: Rules
) -> Plan[tuple[Submission, ...]]:
    """Put in doubt, or park, what may have been sent of a claim in a gap; return it as it is now.

    Doing it again changes nothing more.
    """
    while True:
        history = yield from Recall(book, claim_id)
        changed = after_gap(history, gap, rules)
        if not changed or (yield from Record(history, changed)) is not None:
            return changed


def after_gap(history: History, gap: Gap, rules: Rules) -> tuple[Submission, ...]:
    """Return what a gap changes of a claim; pure."""
    changed: list[Submission] = []
    for one in history.submissions:
        if (
            one.state not in MOVED_BY_COPIES
            or _is_superseded(history, one)
            or _was_doubted(one, gap)
        ):
            continue
        after = _anew(one, gap) if _begins_anew(one) else _after_gap_of(one, gap, rules)
        if after == one:
            continue
        changed.append(after)
        original = history.get(msgspec.structs.replace(one.key, purpose=Purpose.POST))
        if one.key.purpose is Purpose.REVERSE and after.state is State.PARKED and original:
            changed.append(in_reversal(original, rules))  # so that a person can settle the reversal
    return tuple(changed)


def _is_superseded(history: History, one: Submission) -> bool:
    """Whether it is sent no more, by whoever knows what this journal knows.

    A later revision was submitted; or what it was to take back has been taken back.
    """
    if one.key.purpose is Purpose.REVERSE:
        original = history.get(msgspec.structs.replace(one.key, purpose=Purpose.POST))
        return original is None or original.state is State.REVERSED
    return any(other.key.revision > one.key.revision for other in history.submissions)


def _begins_anew(one: Submission) -> bool:
    """Whether this journal never sent it: it is asked for before it is, and its claim with it.

    In doubt it would be sent without: beside an earlier revision that stands, or is not known here.
    """
    return one.attempt == 0 and one.key.purpose is Purpose.POST


def _anew(one: Submission, gap: Gap) -> Submission:
    """Return what begins anew; written after the gap, it counts as not asked for (``unasked``)."""
    why = _why(gap)
    return one if one.detail.endswith(why) else msgspec.structs.replace(one, detail=_also(one, why))


def _also(one: Submission, why: str) -> str:
    return f"{one.detail}; {why}" if one.detail else why


def _was_doubted(one: Submission, gap: Gap) -> bool:
    """Whether it is in doubt until the gap's end already, or was begun after it."""
    if one.attempted_at is not None and one.attempted_at > gap.until:
        return True
    uncertain = one.state in {State.IN_DOUBT, State.PARKED}
    return uncertain and one.doubt_since is not None and one.doubt_since >= gap.until


def _after_gap_of(one: Submission, gap: Gap, rules: Rules) -> Submission:
    if one.state is State.PARKED:
        return enter_doubt(one, rules.clock)
    can = rules.capabilities
    if one.state is State.REJECTED and one.key.purpose is Purpose.REVERSE:
        # In doubt it would be sent again without being asked for: it begins anew instead.
        return msgspec.structs.replace(one, attempt=0)
    if can.can_query or (can.unique_reference and one.state is not State.REJECTED):
        doubtful = in_state(one, State.IN_DOUBT, rules, detail=_why(gap))
    else:
        doubtful = in_state(one, State.PARKED, rules, detail=f"{_why(gap)}; {_look_for(one)}")
    return msgspec.structs.replace(
        enter_doubt(doubtful, rules.clock),
        # With the sending that may have been made; nobody knows how many there were.
        attempt=one.attempt + 1,
        reasons=_kept(one),
    )


def _kept(one: Submission) -> tuple[Reason, ...]:
    """Return the reasons of a refusal: what was refused is not sent again unasked."""
    if one.state is not State.REJECTED:
        return one.reasons
    return one.reasons or (Reason(one.detail or "refused without a reason"),)


def _why(gap: Gap) -> str:
    until = gap.until.astimezone(dt.UTC)
    return f"another journal was in use until {until:%Y-%m-%d %H:%M:%S}Z and may have sent it"


def _look_for(one: Submission) -> str:
    return (
        "this ERP cannot be asked by reference: look for "
        f"{one.reference} in the ERP, then settle it by hand"
    )


__all__ = ["MOVED_BY_COPIES", "after_gap", "bring_into_doubt"]
