"""A short run of ``fuzz_verify``; the long one is the command."""

from __future__ import annotations

from tests.drills.fuzz_verify import run, table


def test_no_mutant_gets_anything_forged_through() -> None:
    """Nothing forged is delivered, no foreign exception escapes, no verdict is slow."""
    tally = run(mutants=3000, seed=7, jobs=1)
    print(table(tally))
    assert not tally.bad
    assert tally.verdicts["accepted"] > 20
    # The mutants are not all broken in one way: many rules are needed to refuse them.
    assert len(tally.verdicts) > 15
