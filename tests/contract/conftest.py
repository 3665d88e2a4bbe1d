"""The contracts that these tests use, each loaded once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from claimbridge.contract import Contract

SAMPLE = Path(__file__).parent / "data" / "sample" / "service.wsdl"


@pytest.fixture(scope="session")
def sample() -> Contract:
    """The small contract beside these tests."""
    return Contract.load(SAMPLE)


@pytest.fixture(scope="session", params=["2020", "2024"])
def sap(request: pytest.FixtureRequest, shared: Callable[[str], Path]) -> Contract:
    """SAP's own contract of either year."""
    return Contract.load(shared(f"contracts/sap-journal-entry/{request.param}.wsdl"))
