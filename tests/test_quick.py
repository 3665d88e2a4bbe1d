"""The lists of slow tests name what is there."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.quick import ONE_OF_EACH, SLOW, is_quick

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("place", SLOW)
def test_what_is_slow_is_there(place: str) -> None:
    """A file that was moved is not forgotten in the list."""
    assert (ROOT / place).exists()


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_what_is_quick_all_the_same_is_there_and_would_be_slow(name: str) -> None:
    """Each names a test, or all tests, of a file that is slow."""
    file, _, test = name.partition("::")
    assert f"def {test.partition('[')[0]}" in (ROOT / file).read_text("utf-8")
    assert file.startswith(SLOW)
    assert is_quick(name)
