"""The drill over divided claims in brief; ``python -m tests.drills.families`` is the long one."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from tests.drills.divided.child import PROFILES
from tests.drills.families import drill

pytestmark = pytest.mark.filterwarnings("ignore::claimbridge.errors.ContractDriftWarning")


@pytest.mark.parametrize("profile", PROFILES)
def test_divided_claims_are_whole_or_not_there(tmp_path: Path, profile: str) -> None:
    """Whatever strikes the processes, ``reconcile`` alone leaves nothing half in silence."""
    seed = random.SystemRandom().randrange(2**32)
    assert drill(tmp_path, rounds=6, seed=seed, profile=profile)
