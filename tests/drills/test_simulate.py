"""The simulation, briefly: enough to see that it runs, judges, and tells its story."""

from __future__ import annotations

import pytest
from tests.drills.simulate import BAD, main, simulate, tell

from claimbridge.submission import decisions


def _bad(seed: int, deliveries: int, **options: bool) -> dict[str, int]:
    totals, _ = simulate(deliveries, seed, **options)
    return {kind: sum(one.flaws[kind] for one in totals) for kind in BAD}


@pytest.mark.parametrize("seed", [11, 12, 13])
def test_nothing_lost_nothing_duplicated(seed: int) -> None:
    """In a bad world every claim ends with one live entry of its highest revision."""
    assert _bad(seed, 1500) == dict.fromkeys(BAD, 0)


def test_a_naive_client_duplicates() -> None:
    """The same odds make a client that retries blindly post twice."""
    assert _bad(11, 500, careless=True)["duplicated"] > 10


def test_the_simulation_can_fail(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A plan that believes "absent" before the quiet period is found out, with the story."""
    monkeypatch.setattr("claimbridge.submission.doubt.quiet_left", lambda *_: 0.0)
    assert decisions.quiet_left is not None  # only the plans are blinded
    assert main(["--deliveries", "1500", "--seed", "11"]) == 1
    told = capsys.readouterr().out
    assert "duplicated: claim E" in told
    assert "seed 11" in told


def test_a_story_is_the_same_twice() -> None:
    """A seed and a claim tell one story."""
    story = tell(11, "E5-2")
    assert story == tell(11, "E5-2")
    assert any("submit" in line for line in story)
