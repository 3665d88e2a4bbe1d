"""The kill drill in brief; ``python -m tests.drills.kill`` is the long one."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from tests.drills.kill import drill
from tests.withstand.scene import PROFILES


@pytest.mark.parametrize("profile", PROFILES)
def test_each_kind_of_kill_once(tmp_path: Path, profile: str) -> None:
    """After ``kill -9`` at each kind of point the next process brings every claim to its end."""
    seed = random.SystemRandom().randrange(2**32)
    assert drill(tmp_path, rounds=14, seed=seed, profile=profile)
