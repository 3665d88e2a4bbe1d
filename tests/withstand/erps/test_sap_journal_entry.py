"""SAP's journal entry service end to end: both versions of SOAP, bulk requests, reversal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from tests.withstand.scene import SENDERS, Sender, claim, configured, held, late, lifelike

from claimbridge.errors import ClaimBridgeError, LedgerRejection
from claimbridge.model import State
from claimbridge.sandbox import Sandbox
from claimbridge.testing import load_exchanges
from claimbridge.xmlio import parse

PROFILE = "sap-journal-entry"


@pytest.fixture(params=[(kind, soap) for kind in SENDERS for soap in ("1.1", "1.2")], ids="-".join)
def sender(request: pytest.FixtureRequest, erp: Sandbox, tmp_path: Path) -> Iterator[Sender]:
    kind, soap = request.param
    config = configured(PROFILE, port=erp.port, journal=tmp_path / "claims.db", soap=soap)
    with SENDERS[kind](config) as sender:
        yield sender


def test_one_bulk_request_has_an_end_for_each(
    sender: Sender, erp: Sandbox, new_id: Callable[[], str]
) -> None:
    """Posted and refused side by side; sent again, only the corrected ones are."""
    claims = [claim(new_id()) for _ in range(5)]
    sent = [late(one) if n in (1, 3) else one for n, one in enumerate(claims)]
    before = erp.requests().get("JournalEntryCreateRequestConfirmation_In", 0)
    results = sender.submit_many(sent, batch=5)
    assert erp.requests()["JournalEntryCreateRequestConfirmation_In"] == before + 1
    assert [result.claim_id for result in results] == [one.id for one in claims]
    refused = [n for n, result in enumerate(results) if isinstance(result.error, LedgerRejection)]
    assert refused == [1, 3]
    mended = [
        msgspec.structs.replace(one, revision=2) if n in refused else one
        for n, one in enumerate(claims)
    ]
    again = sender.submit_many(mended, batch=5)
    assert not any(result.error for result in again)
    for one, result in zip(claims, again, strict=True):
        (document,) = held(erp.ledger(), PROFILE, one.id).posts
        assert result.acknowledgement is not None
        assert document.journal_entry == str(result.acknowledgement.journal_entry)


def test_what_was_posted_is_reversed(
    sender: Sender, erp: Sandbox, new_id: Callable[[], str]
) -> None:
    """The entry is taken back by one that names it, and a second call reverses nothing more."""
    mine = claim(new_id())
    sender.submit(mine)
    done = sender.reverse(mine.id)
    found = held(erp.ledger(), PROFILE, mine.id)
    assert [one.journal_entry for one in found.reversals] == [str(done.journal_entry)]
    assert len(found.taken_back) == 1
    assert sender.reverse(mine.id) == done
    assert sender.status(mine.id).state is State.REVERSED


@pytest.mark.parametrize("kind", SENDERS)
def test_a_second_attempt_carries_the_ids_of_the_first(tmp_path: Path, kind: str) -> None:
    """After "come back later" the same message is sent, with the same id and UUID."""
    folder = tmp_path / "recorded"
    with lifelike(profiles=[PROFILE], record=folder, faults="throttle@1") as erp:
        config = configured(PROFILE, port=erp.port, journal=tmp_path / "claims.db", retries=0)
        with SENDERS[kind](config) as sender:
            with pytest.raises(ClaimBridgeError):
                sender.submit(claim("T-1"))
            sender.submit(claim("T-1"))
    requests = [parse(exchange.request) for exchange in load_exchanges(folder)]
    for name in ("ID", "UUID"):
        first, second = ([found.text for found in one.iter(name)] for one in requests)
        assert len(first) == 2
        assert first == second
