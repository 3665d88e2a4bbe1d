"""The drill that compares lifelike replies with tidy ones, briefly, and that it can fail."""

from __future__ import annotations

import pytest
from tests.drills.lifelike import Counts, Played, Said, compare, compare_scene

from claimbridge.model import OutcomeKind
from claimbridge.sandbox import PROFILES

pytestmark = pytest.mark.filterwarnings("ignore::claimbridge.errors.ContractDriftWarning")

POSTED: Said = ((OutcomeKind.POSTED, "1"),)
REJECTED: Said = ((OutcomeKind.REJECTED, ""),)


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_lifelike_replies_are_read_alike(profile: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Posted, refused, repeated, asked for, corrected, reversed: the same outcomes."""
    monkeypatch.setenv("EAS_PASSWORD", "right")
    counts = compare(profile, [1])
    assert counts.notes == []
    assert counts.ends > 8
    assert counts.lifelike >= counts.tidy > 10


def test_what_is_read_otherwise_is_counted() -> None:
    """Another certain end is wrong, a doubtful one is not; what follows is not compared."""
    counts = Counts()
    tidy = Played([POSTED, POSTED], (("posted", "1"),))
    compare_scene(
        counts, Played([POSTED, REJECTED, POSTED], (("posted", "1"),)), tidy, "asked more"
    )
    compare_scene(counts, Played([REJECTED], (("LedgerRejection", "CB-4"),)), tidy, "wrong")
    compare_scene(counts, Played([], (("OutcomeUnknown", "CB-421"),)), tidy, "unsure")
    assert (counts.lifelike, counts.alike, counts.otherwise) == (4, 1, 3)
    assert (counts.ends, counts.wrong, counts.unsure) == (3, 1, 1)
