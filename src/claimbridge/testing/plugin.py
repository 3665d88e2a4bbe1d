"""The pytest plugin: fixtures ``fake_ledger`` and ``sandbox``; loaded by its entry point."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:  # importing claimbridge's parts here would slow down every pytest run
    from claimbridge.sandbox import Sandbox
    from claimbridge.testing.fake import FakeLedger


@pytest.fixture
def fake_ledger() -> Iterator[FakeLedger]:
    """Offer a ledger without an ERP: a ``claimbridge.testing.FakeLedger``."""
    from claimbridge.testing.fake import FakeLedger

    with FakeLedger() as ledger:
        yield ledger


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Offer an ERP on loopback, with disturbances to order: a ``claimbridge.sandbox.Sandbox``.

    Its replies are as untidy as those of real systems.
    """
    from claimbridge.sandbox import Sandbox

    with Sandbox(lifelike=True) as erp:
        yield erp
