"""The simulation, briefly: enough to see that it runs, judges, and tells its story."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from tests.drills.simulate import BAD, main, simulate, tell, vouchers
from tests.drills.simulated.verdict import judge
from tests.drills.simulated.world import Episode

from claimbridge.model import OutcomeKind
from claimbridge.submission import in_our_spelling
from claimbridge.submission.decisions import decisions
from claimbridge.submission.decisions.books import find_book, named_by


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
    monkeypatch.setattr("claimbridge.submission.document.doubt.quiet_left", lambda *_: 0.0)
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


def _by_name(known: Any, wanted: Any) -> Any:
    return find_book(known, wanted) if named_by(known, wanted.name) else None


def _not_told_of_jobs(asked: Any, outcomes: Any, capabilities: Any) -> Any:
    told = in_our_spelling(asked, outcomes, capabilities)
    absent = [
        msgspec.structs.replace(one, kind=OutcomeKind.ABSENT, job="")
        if one.kind is OutcomeKind.UNDER_WAY
        else one
        for one in told
    ]
    return tuple(absent)


def _nothing(*_: Any, **__: Any) -> Iterator[Any]:
    yield from ()


BREAKS: dict[str, tuple[str, Any]] = {
    "the mark is ignored": ("claimbridge.journal.newest.refusal", lambda _: None),
    "a gap is ignored": ("claimbridge.submission.document.first.gap_of", lambda *_: None),
    "keyed by name": ("claimbridge.submission.decisions.books.find_book", _by_name),
    "another book may have it": (
        "claimbridge.journal.elsewhere.refuse_elsewhere",
        lambda *_: None,
    ),
    "no intent of a family": ("claimbridge.submission.claim.division._intend_posting", _nothing),
    "capitals are not recognised": (
        "tests.drills.simulated.world.in_our_spelling",
        lambda _, outcomes, __: tuple(outcomes),
    ),
    "a queued job is absent": ("tests.drills.simulated.world.in_our_spelling", _not_told_of_jobs),
    "what is gone is not noted": (
        "claimbridge.submission.document.question.holds_nothing",
        lambda *_: False,
    ),
    "invoices are not compared": ("claimbridge.journal.invoices.refusal", lambda *_, **__: None),
    "nothing is asked first": (
        "claimbridge.submission.document.first.questions_before",
        lambda *_: [],
    ),
    "a withdrawal is forgotten": (
        "claimbridge.submission.decisions.decisions._is_withdrawn",
        lambda *_: False,
    ),
}


@pytest.mark.parametrize("name", BREAKS)
def test_each_kind_can_fail(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A product that is broken in one of the ways that the simulation knows is found out."""
    monkeypatch.setattr(*BREAKS[name])
    assert sum(_bad(11, 1500).values()) > 0


@pytest.mark.parametrize(
    ("seed", "number"),
    [
        *((1, n) for n in (45, 181, 325, 342, 343, 410, 645, 1326, 1481, 1894)),
        *((2, 205), (2, 1272), (3, 60), (3, 98)),
    ],
)
def test_what_the_simulation_has_found(seed: int, number: int) -> None:
    """Episodes that once ended with a claim posted twice, lost or stuck end as they must."""
    episode = Episode(seed, number, vouchers())
    episode.run()
    assert judge(episode) == []
