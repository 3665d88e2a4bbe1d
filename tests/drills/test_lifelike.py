"""The drill that compares lifelike replies with tidy ones, briefly, and that it can fail."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.drills.lifelike import Counts, Said, compare, compare_scene

from claimbridge.model import OutcomeKind
from claimbridge.sandbox import PROFILES

pytestmark = pytest.mark.filterwarnings("ignore::claimbridge.errors.ContractDriftWarning")

POSTED: Said = ((OutcomeKind.POSTED, "1"),)
REJECTED: Said = ((OutcomeKind.REJECTED, ""),)
UNKNOWN: Said = ((OutcomeKind.UNKNOWN, ""),)


AWAITED = {"workday": "a validation fault without an XPath is read as unknown"}


def profiles() -> Iterator[Any]:
    for profile in sorted(PROFILES):
        reason = AWAITED.get(profile)
        marks = [pytest.mark.xfail(strict=True, reason=reason)] if reason else []
        yield pytest.param(profile, marks=marks)


@pytest.mark.parametrize("profile", list(profiles()))
def test_lifelike_replies_are_read_alike(profile: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Posted, refused, repeated, asked for, corrected, reversed: the same outcomes."""
    monkeypatch.setenv("EAS_PASSWORD", "right")
    counts = compare(profile, [1])
    assert counts.notes == []
    assert counts.equal == counts.tidy == counts.lifelike > 10


def test_what_is_read_otherwise_is_counted() -> None:
    """Another certain outcome is wrong, an unknown one is not; what follows is not compared."""
    counts = Counts()
    compare_scene(counts, [POSTED, REJECTED, POSTED], [POSTED, POSTED], "wrong")
    compare_scene(counts, [UNKNOWN], [POSTED], "unsure")
    assert (counts.lifelike, counts.equal, counts.wrong, counts.unsure) == (4, 1, 1, 1)
