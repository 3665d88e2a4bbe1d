"""Every public class name is used once, so that a reader who meets it knows what it is."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks.house import modules_of, twice_used_classes

ROOT = Path(__file__).resolve().parents[1]
EXCEPTIONS: frozenset[str] = frozenset()
"""Names that still stand for two things; this list only shrinks."""


def test_every_public_class_name_is_used_once() -> None:
    """A second class of a name is renamed, or the list of exceptions is too long."""
    assert set(twice_used_classes(modules_of(ROOT))) == EXCEPTIONS
