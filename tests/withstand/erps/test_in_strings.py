"""Documents in strings: every fault against both clients leaves one effect, or is parked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.withstand.scene import (
    SENDERS,
    attempted,
    claim,
    configured,
    faults,
    late,
    one_effect,
)

from claimbridge.errors import LedgerRejection, SchemaViolation
from claimbridge.model import Acknowledgement
from claimbridge.sandbox import Sandbox

SETTINGS: dict[str, tuple[str, dict[str, Any]]] = {
    "unique": ("in-string", {"duplicate_values": ("2",)}),
    "not-unique": ("in-string", {}),
    "UTF-8": ("yonyou-nc", {}),
    "GBK": ("yonyou-nc", {"encoding": "GBK"}),
}
TOO_LONG = {
    "in-string": (201, "document/posting[3]/text"),
    "yonyou-nc": (301, "xmlStr/voucher/voucher_head/details/item[3]/explanation"),
}
"""For each profile how long a posting's text must not be, and where it stands."""


@pytest.mark.parametrize("kind", SENDERS)
@pytest.mark.parametrize("fault", list(faults()))
@pytest.mark.parametrize("setting", SETTINGS)
def test_one_effect_or_parked(
    erp: Sandbox, new_id: Callable[[], str], tmp_path: Path, setting: str, fault: str, kind: str
) -> None:
    """One voucher and its number; only where references are not unique may a person have to look.

    in-string's service keeps them unique, and the profile may be told so; Yonyou NC does not.
    """
    profile, options = SETTINGS[setting]
    config = configured(profile, port=erp.port, journal=tmp_path / "claims.db", options=options)
    with SENDERS[kind](config) as sender:
        struck = one_effect(sender, erp, f"{fault}@1", profile=profile, new_id=new_id)
    if isinstance(struck.end, Acknowledgement):
        (document,) = struck.held.live
        assert document.journal_entry is not None
        assert str(struck.end.journal_entry) == document.journal_entry.split(" / ")[0]
    else:
        assert setting != "unique"


@pytest.mark.parametrize("kind", SENDERS)
@pytest.mark.parametrize("profile", TOO_LONG)
def test_a_refusal_is_told(
    erp: Sandbox, new_id: Callable[[], str], tmp_path: Path, profile: str, kind: str
) -> None:
    """The message inside the string is the reason."""
    config = configured(profile, port=erp.port, journal=tmp_path / "claims.db")
    with SENDERS[kind](config) as sender, pytest.raises(LedgerRejection) as caught:
        sender.submit(late(claim(new_id())))
    (reason,) = caught.value.reasons
    assert "2025-03 is closed" in reason.text


@pytest.mark.parametrize("profile", TOO_LONG)
def test_the_inner_schema_refuses_before_anything_is_sent(
    erp: Sandbox, new_id: Callable[[], str], tmp_path: Path, profile: str
) -> None:
    """A text too long for the inner document is told by its claim field; nothing leaves."""
    config = configured(profile, port=erp.port, journal=tmp_path / "claims.db")
    mine = claim(new_id())
    length, path = TOO_LONG[profile]
    long = msgspec.structs.replace(mine.lines[1], text="长" * length)
    mine = msgspec.structs.replace(mine, lines=(mine.lines[0], long))
    before = erp.requests()
    with SENDERS["Client"](config) as sender:
        error = attempted(sender, mine)
    assert isinstance(error, SchemaViolation)
    assert [one.claim_field for one in error.findings] == ["lines[1].text"]
    assert error.findings[0].path == path
    assert erp.requests() == before
