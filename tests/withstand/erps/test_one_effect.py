"""ERPs that can be asked by reference: every fault leaves one journal entry, by either client."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.withstand.scene import SENDERS, configured, faults, one_effect

from claimbridge.sandbox import Sandbox


@pytest.mark.parametrize("kind", SENDERS)
@pytest.mark.parametrize("strikes", ["{}@1", "any:{}@1"])
@pytest.mark.parametrize("fault", list(faults()))
@pytest.mark.parametrize("profile", ["netsuite", "workday"])
def test_one_effect(
    erp: Sandbox,
    new_id: Callable[[], str],
    tmp_path: Path,
    profile: str,
    fault: str,
    strikes: str,
    kind: str,
) -> None:
    """Submitted again after the fault, a claim has one journal entry, and its id is the claim's."""
    config = configured(profile, port=erp.port, journal=tmp_path / "claims.db")
    with SENDERS[kind](config) as sender:
        spec = strikes.format(fault)
        one_effect(sender, erp, spec, profile=profile, new_id=new_id).acknowledged()
