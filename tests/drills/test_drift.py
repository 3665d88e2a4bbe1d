"""The drill of drifted replies, in short; and that it can tell."""

from __future__ import annotations

import warnings

import pytest
from tests.drills.drift import drill
from tests.drills.drifted.cases import cases

from claimbridge.model import JournalEntry, Outcome, OutcomeKind
from claimbridge.testing.drift import Verdict, judge


def test_no_drifted_reply_is_read_wrong() -> None:
    """600 mutated replies of all profiles: right, or an explicit unknown where evidence is gone."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tally = drill(cases(), mutations=600, seed=7, with_zeep=False)
    assert [(case, how, verdict) for case, how, verdict, _ in tally.bad] == []
    counted = sum(sum(one.values()) for one in tally.verdicts.values())
    assert counted >= 600
    assert sum(one[Verdict.RIGHT] for one in tally.verdicts.values()) > 400


POSTED = Outcome(
    kind=OutcomeKind.POSTED, reference="R", journal_entry=JournalEntry("100", "C1", "2026")
)
UNKNOWN = Outcome(kind=OutcomeKind.UNKNOWN, reference="R")
OTHER = Outcome(kind=OutcomeKind.POSTED, reference="R", journal_entry=JournalEntry("101", "C1"))
BARE = Outcome(
    kind=OutcomeKind.POSTED, reference="R", journal_entry=JournalEntry("100", "", "2026")
)
REFUSED = Outcome(kind=OutcomeKind.REJECTED, reference="R")


@pytest.mark.parametrize(
    ("after", "gone", "verdict"),
    [
        ((POSTED,), None, Verdict.RIGHT),
        ((UNKNOWN,), {"100"}, Verdict.UNKNOWN),
        ((UNKNOWN,), None, Verdict.NEEDLESS),
        ((OTHER,), {"100"}, Verdict.WRONG),
        ((REFUSED,), {"100"}, Verdict.WRONG),
        ((), {"R"}, Verdict.UNKNOWN),
        ((), None, Verdict.WRONG),
        ((BARE,), {"C1"}, Verdict.RIGHT),
        ((BARE,), {"100"}, Verdict.WRONG),
        ((POSTED, OTHER), None, Verdict.WRONG),
    ],
)
def test_the_judge_can_tell(
    after: tuple[Outcome, ...], gone: set[str] | None, verdict: Verdict
) -> None:
    """Another number, another fate, a part lost that was there: wrong; and so on."""
    assert judge((POSTED,), after, gone=gone) is verdict
