"""Yonyou NC: every fault against both clients leaves one effect, or is parked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.withstand.scene import (
    PARKED,
    SENDERS,
    attempted,
    claim,
    configured,
    faults,
    held,
    settled,
)

from claimbridge.errors import ClaimBridgeError, LedgerRejection, SchemaViolation
from claimbridge.model import Acknowledgement, State
from claimbridge.sandbox import Sandbox

PROFILE = "yonyou-nc"


@pytest.fixture(scope="module")
def service() -> Iterator[Sandbox]:
    with Sandbox(profiles=[PROFILE]) as opened:
        yield opened


@pytest.mark.parametrize("kind", SENDERS)
@pytest.mark.parametrize("fault", list(faults()))
@pytest.mark.parametrize("options", [{}, {"encoding": "GBK"}], ids=["UTF-8", "GBK"])
def test_one_effect_or_parked(
    service: Sandbox,
    new_id: Callable[[], str],
    tmp_path: Path,
    fault: str,
    kind: str,
    options: dict[str, Any],
) -> None:
    """One voucher and its number, or a person must look; never two."""
    config = configured(PROFILE, port=service.port, journal=tmp_path / "claims.db", options=options)
    with SENDERS[kind](config) as sender:
        sender.submit(claim(new_id()))
        mine = claim(new_id())
        service.set_faults(f"{fault}@1")
        attempted(sender, mine)
        service.set_faults("")
        end = settled(sender, mine)
        live = held(service.ledger(), PROFILE, mine.id).live
        if isinstance(end, Acknowledgement):
            (document,) = live
            assert str(end.journal_entry) == document.journal_entry.split(" / ")[0]
            assert sender.submit(mine) == end
        else:
            assert len(live) <= 1
            assert end.code == PARKED
            assert sender.status(mine.id).state is State.PARKED


@pytest.mark.parametrize("kind", SENDERS)
def test_a_refusal_is_told(
    service: Sandbox, new_id: Callable[[], str], tmp_path: Path, kind: str
) -> None:
    """The message inside the string is the reason."""
    config = configured(PROFILE, port=service.port, journal=tmp_path / "claims.db")
    late = claim(new_id())
    late = msgspec.structs.replace(late, posting_date=late.posting_date.replace(year=2025))
    with SENDERS[kind](config) as sender, pytest.raises(LedgerRejection) as caught:
        sender.submit(late)
    (reason,) = caught.value.reasons
    assert "2025-03 is closed" in reason.text


def test_the_inner_schema_refuses_before_anything_is_sent(
    service: Sandbox, new_id: Callable[[], str], tmp_path: Path
) -> None:
    """A text too long for the inner document is told by its claim field; nothing leaves."""
    config = configured(PROFILE, port=service.port, journal=tmp_path / "claims.db")
    mine = claim(new_id())
    long = msgspec.structs.replace(mine.lines[1], text="长" * 301)
    mine = msgspec.structs.replace(mine, lines=(mine.lines[0], long))
    before = service.requests()
    with SENDERS["Client"](config) as sender:
        error = attempted(sender, mine)
    assert isinstance(error, ClaimBridgeError)
    assert isinstance(error, SchemaViolation)
    assert [one.claim_field for one in error.findings] == ["lines[1].text"]
    assert error.findings[0].path == "xmlStr/voucher/voucher_head/details/item[3]/explanation"
    assert service.requests() == before
