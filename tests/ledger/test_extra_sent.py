"""Fields of a configuration's own on their way to an ERP, and contracts opened for them."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from tests.contract.test_pruning import no_fetch
from tests.profiles.samples import TRIP, submission

from claimbridge.client import Client
from claimbridge.config import LedgerConfig, load_config
from claimbridge.contract.study.lock import lock
from claimbridge.ledger import Ledger
from claimbridge.model import Claim, State
from claimbridge.profiles.extra.settings import Extra
from claimbridge.sandbox import Sandbox

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
CLAIM = Claim.from_json((EXAMPLES / "claims/travel-cn.json").read_bytes())
FILE = """
[ledger.CN01]
profile = "sap-bapi"
endpoint = "{endpoint}"
chart = "chart.toml"
journal = "memory:"
omit = ["Documentheader/HeaderTxt"]
[[ledger.CN01.extra]]
at = "Accountgl/item/BusArea"
value = "E{{posting.number}}"
role = "expense"
[[ledger.CN01.extra]]
at = "Accountpayable/item/AllocNmbr"
value = "{{claim.id}}"
"""


def test_one_posting_with_a_field_of_its_own(tmp_path: Path) -> None:
    """It arrives, it is posted, and taken back; the reversal has the field too."""
    shutil.copy(EXAMPLES / "chart.toml", tmp_path)
    with Sandbox(profiles=["sap-bapi"], record=tmp_path / "seen") as erp:
        text = FILE.format(endpoint=erp.url("sap-bapi"))
        (tmp_path / "claimbridge.toml").write_text(text, "utf-8")
        with Client.from_config(tmp_path / "claimbridge.toml") as client:
            assert client.submit(CLAIM).journal_entry is not None
            client.reverse(CLAIM.id)
            assert client.status(CLAIM.id).state is State.REVERSED
    sent = sorted((tmp_path / "seen").rglob("AccDocumentPost/*/request.xml"))
    assert len(sent) == 2
    for path in sent:
        body = path.read_text("utf-8")
        assert ">E1</BusArea>" in body
        assert f">{CLAIM.id}</AllocNmbr>" in body
        assert "HeaderTxt" not in body


def test_a_contract_in_use_keeps_the_types_of_added_fields(
    shared: Callable[[str], Path], tmp_path: Path
) -> None:
    """The part of the contract that is stored for next time has them, so that it is enough."""
    wsdl = shared("contracts/netsuite-2023.2/netsuite.wsdl")
    lock(
        wsdl, into=tmp_path / "locked", fetch=no_fetch, at=dt.datetime(2026, 11, 24, tzinfo=dt.UTC)
    )
    value = {"@xsi:type": "StringCustomFieldRef", "@scriptId": "custbody_x", "value": "{claim.id}"}
    config = LedgerConfig(
        endpoint="http://127.0.0.1/",
        profile="netsuite",
        contract=str(tmp_path / "locked"),
        extra=(Extra(at="record/customFieldList/customField", value=value),),
    )
    plain = msgspec.structs.replace(
        TRIP, postings=tuple(msgspec.structs.replace(one, dimensions={}) for one in TRIP.postings)
    )
    for _ in range(2):  # written, and opened
        body = Ledger(config).build("submit", (submission(plain),)).body
        assert b"custbody_x" in body
        assert b"EXP-2026-0042</" in body


def test_the_environment_cannot_give_a_list(tmp_path: Path) -> None:
    """As for every list."""
    (tmp_path / "c.toml").write_text(FILE.format(endpoint="http://127.0.0.1/"), "utf-8")
    config = load_config(tmp_path / "c.toml", environ={})
    assert config.omit == ("Documentheader/HeaderTxt",)
    assert [one.at for one in config.extra][1] == "Accountpayable/item/AllocNmbr"
    with pytest.raises(Exception, match=r"CB-245 .*CLAIMBRIDGE_CN01_OMIT overrides a list"):
        load_config(tmp_path / "c.toml", environ={"CLAIMBRIDGE_CN01_OMIT": "a"})
