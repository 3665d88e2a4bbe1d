"""What users' own tests need: a ledger without an ERP, recorded exchanges, pytest fixtures.

    def test_my_code_submits(fake_ledger):
        my_code(fake_ledger)
        assert [entry.reference for entry in fake_ledger.erp.entries()] == ["EXP-1"]

``fake_ledger`` is a ``FakeLedger``: a ``claimbridge.Client`` with the real mapping, contract,
journal and decisions, and an ERP in memory in place of the network. For tests over real sockets
there is ``sandbox``, an ERP on loopback with faults to order.
"""

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
