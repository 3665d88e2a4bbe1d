"""A journal on each store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.journal.stores import STORES, Setting

from claimbridge.journal import Journal


@pytest.fixture(params=STORES)
def setting(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Setting]:
    """Two journals on each store."""
    made: Setting = request.param(tmp_path)
    yield made
    made.journal.close()
    made.neighbour.close()


@pytest.fixture
def journal(setting: Setting) -> Journal:
    """A journal on each store."""
    return setting.journal
