"""The comparison of signatures in brief; the drill itself runs a hundred thousand documents."""

from __future__ import annotations

from tests.drills.same_signature import run


def test_fast_and_general_ways_agree():
    """Random documents and mutants: one canonical form, one signature, one verdict."""
    assert run(150, sample=3, seed=20261124).startswith("150 documents, 300 mutants: no difference")
