"""Judges the reading of a mutated reply, by the reading of the original."""

from __future__ import annotations

import enum
from collections.abc import Collection

from claimbridge.model import JournalEntry, Outcome, OutcomeKind


class ReadingVerdict(enum.StrEnum):
    """How a mutated reply was read."""

    RIGHT = "right"
    UNKNOWN = "unknown"
    """The profile says UNKNOWN, or less than before, and evidence is gone or contradicts itself."""
    NEEDLESS = "needless"
    """The profile says UNKNOWN, but all the evidence is still there."""
    WRONG = "wrong"
    """Silently another document, another outcome, or nothing."""


def judge(
    before: tuple[Outcome, ...], after: tuple[Outcome, ...], *, gone: Collection[str] | None
) -> ReadingVerdict:
    """Judge a reading.

    ``gone`` are the values that the mutation took away or contradicted; None when it touched
    nothing that the profile relies on.
    """
    verdicts = {_one(outcome, after, gone) for outcome in before}
    for worst in (ReadingVerdict.WRONG, ReadingVerdict.NEEDLESS, ReadingVerdict.UNKNOWN):
        if worst in verdicts:
            return worst
    return ReadingVerdict.RIGHT


def _one(was: Outcome, after: tuple[Outcome, ...], gone: Collection[str] | None) -> ReadingVerdict:
    """Judge the outcome of one document, which the sender finds by reference or by place."""
    named = [one for one in after if one.reference is not None and one.reference == was.reference]
    found = named or [one for one in after if one.reference is None or was.reference is None]
    if not found:
        # Its reference is gone: the sender knows nothing of the document, and asks.
        return ReadingVerdict.UNKNOWN if gone is not None else ReadingVerdict.WRONG
    return max((_same(was, one, gone) for one in found), key=list(ReadingVerdict).index)


def _same(was: Outcome, now: Outcome, gone: Collection[str] | None) -> ReadingVerdict:
    if now.kind is OutcomeKind.UNKNOWN and was.kind is not OutcomeKind.UNKNOWN:
        return ReadingVerdict.NEEDLESS if gone is None else ReadingVerdict.UNKNOWN
    if now.kind is not was.kind:
        less = gone is not None and _says_less(was, now, gone)
        return ReadingVerdict.UNKNOWN if less else ReadingVerdict.WRONG
    if _says_only_that_it_is_there(was, now, gone or ()):
        return ReadingVerdict.UNKNOWN
    if not _entry(was.journal_entry, now.journal_entry, gone or ()):
        return ReadingVerdict.WRONG
    if gone is None and now.totals != was.totals:
        return ReadingVerdict.WRONG
    if gone is None and was.reasons and not set(was.reasons) & set(now.reasons):
        return ReadingVerdict.WRONG
    return ReadingVerdict.RIGHT


def _says_less(was: Outcome, now: Outcome, gone: Collection[str]) -> bool:
    """Say whether a posted entry is read as accepted only: the sender asks whether it is posted."""
    posted = was.kind in {OutcomeKind.POSTED, OutcomeKind.PAID}
    accepted = posted and now.kind is OutcomeKind.ACKNOWLEDGED
    return accepted and _entry(was.journal_entry, now.journal_entry, gone)


def _says_only_that_it_is_there(was: Outcome, now: Outcome, gone: Collection[str]) -> bool:
    """Say whether a repeat has lost its number: still a repeat, without a number."""
    return (
        was.kind is OutcomeKind.DUPLICATE
        and now.journal_entry is None
        and was.journal_entry is not None
        and was.journal_entry.number in gone
    )


def _entry(was: JournalEntry | None, now: JournalEntry | None, gone: Collection[str]) -> bool:
    """Say whether a journal entry is the same; a part whose evidence is gone may be missing."""
    if was is None or now is None:
        return was is now
    return all(
        mine == theirs or (not theirs and mine in gone)
        for mine, theirs in (
            (was.number, now.number),
            (was.company, now.company),
            (was.fiscal_year, now.fiscal_year),
        )
    )
