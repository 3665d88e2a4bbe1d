"""What another journal may have sent: what the ERP is to be asked for; pure."""

from __future__ import annotations

from typing import Final

import msgspec

from claimbridge.model import (
    Continuity,
    Gap,
    History,
    Key,
    Purpose,
    Submission,
)
from claimbridge.submission.decisions.port import Rules
from claimbridge.submission.decisions.references import earlier_references, reference_for

_EARLIER: Final = 9
"""How many earlier revisions that the journal does not know are asked for, the newest of them."""


def gap_of(continuity: Continuity, history: History, flight: Submission) -> Gap | None:
    """Return the gap in which another journal may have sent this; None: it cannot have been.

    What this journal had sent before was put in doubt when the gap was noted, and what a person has
    settled counts as sent (see ``_park``).
    """
    gap, record = continuity.gap, history.get(flight.key)
    if gap is None or (record is not None and record.attempt):
        return None
    if flight.key.purpose is Purpose.REVERSE:
        original = history.get(msgspec.structs.replace(flight.key, purpose=Purpose.POST))
        sent = None if original is None else original.attempted_at
        return gap if sent is None or sent <= gap.until else None
    approved = flight.voucher.approved_at
    is_later = approved is not None and approved > gap.until
    return None if is_later and not unknown_revisions(history, flight, gap) else gap


def unknown_revisions(history: History, flight: Submission, gap: Gap | None) -> list[int]:
    """Return the revisions before this one which the journal does not know, the newest first.

    After a gap it does not know either what it was given since, and closed before it was asked for.
    """
    if flight.key.purpose is Purpose.REVERSE:
        return []
    unasked = {one.key.revision for one in history.submissions if is_unasked(one, gap)}
    recorded = {one.key.revision for one in history.submissions} - unasked
    before = range(flight.key.revision - 1, 0, -1)
    return [revision for revision in before if revision not in recorded][:_EARLIER]


def is_unasked(one: Submission, gap: Gap | None) -> bool:
    """Whether another journal may have sent it in a gap, and the ERP was never asked for it."""
    if gap is None or one.attempt or one.key.purpose is Purpose.REVERSE:
        return False
    if one.voucher.approved_at is not None and one.voucher.approved_at > gap.until:
        return False
    return one.journal_entry is None and (one.updated_at is None or one.updated_at > gap.until)


def questions_before(
    history: History, flight: Submission, gap: Gap | None, rules: Rules
) -> list[Submission]:
    """Return what the ERP is to be asked for before ``flight`` is sent.

    Its own reference; and those of earlier revisions that the journal does not know, wherever it
    can be asked: a second revision beside the first is no duplicate to an ERP. And in a gap, by
    whatever an earlier version called any of these.
    """
    if not rules.capabilities.can_query:
        return []
    asked = [flight] if rules.asks_first or gap is not None else []
    keys = unknown_keys(history, flight, gap, rules)
    if gap is not None and flight.key.purpose is Purpose.POST:
        others = (msgspec.structs.replace(flight.key, part=part) for part in parts_asked_for(rules))
        keys += [key for key in others if history.get(key) is None and key != flight.key]
    asked += [question_about(flight, key, key.part, rules) for key in keys]
    if gap is not None and not rules.apart:
        asked += [
            msgspec.structs.replace(one, reference=earlier)
            for one in asked
            for earlier in earlier_references(one.key, rules.capabilities)
        ]
    return asked


def question_about(flight: Submission, key: Key, part: int, rules: Rules) -> Submission:
    """Return the question for a part of what ``key`` names; it is in no journal."""
    key = msgspec.structs.replace(key, part=part)
    reference = reference_for(key, rules.capabilities, apart=rules.apart)
    return msgspec.structs.replace(flight, key=key, reference=reference)


def unknown_keys(history: History, flight: Submission, gap: Gap | None, rules: Rules) -> list[Key]:
    """Return the keys of documents of earlier revisions which the journal does not know."""
    return [
        msgspec.structs.replace(flight.key, revision=revision, part=part)
        for revision in unknown_revisions(history, flight, gap)
        for part in parts_asked_for(rules)
    ]


def parts_asked_for(rules: Rules) -> tuple[int, ...]:
    """Return which documents stand for a claim: the whole, or the first of its parts."""
    return (0,) if rules.capabilities.postings is None else (0, 1)
