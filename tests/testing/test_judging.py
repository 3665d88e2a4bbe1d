"""What a mutated reply may be read as, where evidence was taken away."""

from __future__ import annotations

import pytest

from claimbridge.model import JournalEntry, Outcome, OutcomeKind
from claimbridge.testing.drift.judging import ReadingVerdict, judge

POSTED = Outcome(kind=OutcomeKind.POSTED, reference="EXP-1", journal_entry=JournalEntry("1001"))


def read(kind: OutcomeKind, number: str = "1001") -> tuple[Outcome, ...]:
    return (Outcome(kind=kind, reference="EXP-1", journal_entry=JournalEntry(number)),)


@pytest.mark.parametrize(
    ("after", "gone", "verdict"),
    [
        (read(OutcomeKind.ACKNOWLEDGED), {"true"}, ReadingVerdict.UNKNOWN),
        (read(OutcomeKind.ACKNOWLEDGED), None, ReadingVerdict.WRONG),
        (read(OutcomeKind.ACKNOWLEDGED, "1002"), {"true"}, ReadingVerdict.WRONG),
        (read(OutcomeKind.PAID), {"true"}, ReadingVerdict.WRONG),
        (read(OutcomeKind.REVERSED), {"true"}, ReadingVerdict.WRONG),
        (read(OutcomeKind.POSTED), {"true"}, ReadingVerdict.RIGHT),
    ],
)
def test_less_may_be_said_of_the_same_entry(
    after: tuple[Outcome, ...], gone: set[str] | None, verdict: ReadingVerdict
) -> None:
    """Without its evidence a posted entry may count as accepted only; nothing more is allowed."""
    assert judge((POSTED,), after, gone=gone) is verdict
