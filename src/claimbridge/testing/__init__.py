"""What users' own tests need: a ledger without an ERP, recorded exchanges, pytest fixtures.

    def test_my_code_submits(fake_ledger):
        my_code(fake_ledger)
        assert [entry.reference for entry in fake_ledger.erp.entries()] == ["EXP-1"]

``fake_ledger`` is a ``FakeLedger``: a ``claimbridge.Client`` with the real mapping, contract,
journal and decisions, and an ERP in memory in place of the network. For tests over real sockets
there is ``sandbox``, an ERP on loopback with disturbances to order.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from claimbridge.testing.exchanges import (
        RecordedExchange,
        assert_same_xml,
        load_exchanges,
        shown_outcomes,
    )
    from claimbridge.testing.fake import FakeErp, FakeLedger

__all__ = [
    "FakeErp",
    "FakeLedger",
    "RecordedExchange",
    "assert_same_xml",
    "load_exchanges",
    "shown_outcomes",
]


def __getattr__(name: str) -> object:
    """Load a name when it is first asked for: the plugin lives here, in every pytest run."""
    if name not in __all__:
        raise AttributeError(f"module 'claimbridge.testing' has no attribute {name!r}")
    home = "fake" if name.startswith("Fake") else "exchanges"
    return getattr(import_module(f"claimbridge.testing.{home}"), name)
