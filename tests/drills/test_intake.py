"""The drill of the intake, briefly: twenty processes killed, nothing lost, nothing doubled."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.drills.intake import drill


def test_twenty_kills(tmp_path: Path) -> None:
    """Killed at steps spread over a whole pass, each pass is completed by the next."""
    assert drill(tmp_path, rounds=20, seed=7) == []


def test_the_drill_can_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A journal that does not look whose an invoice is, is found out."""
    monkeypatch.setattr("claimbridge.journal.invoices.refusal", lambda *_, **__: None)
    flaws = drill(tmp_path, rounds=1, seed=7)
    assert any("claims with one invoice" in flaw for flaw in flaws)
