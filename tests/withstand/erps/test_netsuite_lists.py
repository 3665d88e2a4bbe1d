"""NetSuite's lists of records: whatever strikes, a list is whole, or there is none."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest
from tests.withstand.scene import configured, faults

from claimbridge.aio import AsyncClient
from claimbridge.client import Client
from claimbridge.config import LedgerConfig
from claimbridge.errors import LedgerUnavailable, NotDelivered
from claimbridge.profiles.master_records import RecordList
from claimbridge.sandbox import Sandbox


def listed(config: LedgerConfig, client: str) -> RecordList:
    if client == "Client":
        with Client(config) as sync:
            return sync.list_records("account")

    async def awaited() -> RecordList:
        async with AsyncClient(config) as client:
            return await client.list_records("account")

    return asyncio.run(awaited())


@pytest.mark.filterwarnings("ignore::claimbridge.errors.ContractDriftWarning")
@pytest.mark.parametrize(("strikes", "client"), [("{}@1", "AsyncClient"), ("{}", "Client")])
@pytest.mark.parametrize("operation", ["search", "searchMoreWithId"])
@pytest.mark.parametrize("fault", list(faults()))
def test_a_list_is_whole_or_none(
    erp: Sandbox, tmp_path: Path, fault: str, strikes: str, operation: str, client: str
) -> None:
    """Lost, late, garbled, throttled, once or for as long as it is asked for: never half a list."""
    config = configured("netsuite", port=erp.port, journal=tmp_path / "claims.db")
    erp.set_faults(strikes.format(f"{operation}:{fault}"))
    found = None
    with suppress(NotDelivered, LedgerUnavailable):
        found = listed(config, client)
    erp.set_faults("")
    if found is not None:
        assert len(found.records) == 139
        assert found.records[0].names["number"] == "1221.01"
    assert all(one.profile != "netsuite" for one in erp.ledger())
