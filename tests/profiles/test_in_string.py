"""A document in a string, configured: shown on two in-house services' real contracts."""

from __future__ import annotations

import json
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.profiles.samples import TRIP, submission

from claimbridge.config import LedgerConfig
from claimbridge.contract import Contract, Reply
from claimbridge.errors import ClaimError, ConfigurationError
from claimbridge.ledger import Ledger
from claimbridge.model import OutcomeKind, Posting, Role, Side
from claimbridge.profiles import load_profile
from claimbridge.xmlio import parse

ROOT = Path(__file__).resolve().parents[2]
CONTRACTS = Path(os.environ.get("CLAIMBRIDGE_CONTRACTS", ROOT.parent / "shared" / "contracts"))
REAL = CONTRACTS / "in-string"
needs_contracts = pytest.mark.skipif(not REAL.is_dir(), reason=f"no contracts at {REAL}")

REIM = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
<xs:element name="reim"><xs:complexType><xs:sequence>
  <xs:element name="billNo" type="xs:string"/>
  <xs:element name="company" type="xs:string"/>
  <xs:element name="items" maxOccurs="unbounded"><xs:complexType><xs:sequence>
    <xs:element name="subject" type="xs:string"/>
    <xs:element name="debit" type="xs:decimal"/>
    <xs:element name="credit" type="xs:decimal"/>
  </xs:sequence></xs:complexType></xs:element>
</xs:sequence></xs:complexType></xs:element></xs:schema>"""
OA: dict[str, Any] = {
    "operation": "receiveOaReim",
    "at": "reimJson",
    "format": "json",
    "schema": "reim.xsd",
    "root": "reim",
    "head": {"billNo": "{reference}", "company": "{company}"},
    "posting": {"subject": "{account}", "debit": "{debit}", "credit": "{credit}"},
    "postings_at": "items",
    "ignored": ["cost_centre", "project", "dimensions.profit_centre"],
    "success": "result/state",
    "success_values": ["ok"],
    "refused_values": ["invalid"],
    "duplicate_values": [],
    "number": "result/voucher",
    "reference": "",
    "message": "result/reason",
}
K3: dict[str, Any] = {
    "operation": "SaveVoucher",
    "at": "Data",
    "format": "elements",
    "head": {
        "FlowNumber": "{reference}",
        "FReference": "{text}",
        "FVoucherDate": "{posting_date}T00:00:00",
        "FPreparerNumber": "16394",
    },
    "posting": {
        "FExplanation": "{narration}",
        "FAccountNumber": "{account}",
        "FDC": "{side}",
        "FAmount": "{amount}",
    },
    "postings_at": "VoucherEntries/VoucherEntry",
    "sides": {"debit": "1", "credit": "0"},
    "ignored": ["cost_centre", "project", "dimensions.profit_centre"],
    "reply_at": "SaveVoucherResult",
    "reply_inside": False,
    "success": "State",
    "success_values": ["1"],
    "refused_values": ["0"],
    "duplicate_values": [],
    "number": "BillNo",
    "reference": "",
    "message": "Message",
}


def sent(options: dict[str, Any], folder: Path, contract: str) -> Any:
    """What the ledger builds of the sample voucher, by the real contract."""
    config = LedgerConfig(
        name="X", profile="in-string", endpoint="http://127.0.0.1:1/x", options=options,
        folder=str(folder),
    )  # fmt: skip
    ledger = Ledger(config, contract=Contract.load(REAL / contract))
    body, findings = ledger.writer.body(ledger.setup.profile.submit([submission(TRIP)]))
    assert findings == ()
    return parse(body)


@needs_contracts
def test_json_in_the_string_of_a_real_contract(tmp_path: Path) -> None:
    """receiveOaReim(reimJson): exact amounts, two columns, valid by the real WSDL."""
    (tmp_path / "reim.xsd").write_text(REIM)
    root = sent(OA, tmp_path, "reim.wsdl")
    text = root.findtext("reimJson") or ""
    document = json.loads(text, parse_float=Decimal)
    assert document["billNo"] == submission(TRIP).reference
    amounts = [(one["subject"], one["debit"], one["credit"]) for one in document["items"]]
    assert amounts[0] == ("6602010000", Decimal("943.40"), 0)
    assert sum(debit for _, debit, _ in amounts) == sum(credit for _, _, credit in amounts)
    assert '"debit":943.40' in text


@needs_contracts
def test_elements_of_a_real_contract(tmp_path: Path) -> None:
    """SaveVoucher(Data): the same template, as elements of the WSDL itself."""
    root = sent(K3, tmp_path, "LoadService.wsdl")
    entries = root.findall(".//{*}VoucherEntry")
    assert [one.findtext("{*}FDC") for one in entries][:2] == ["1", "1"]
    assert entries[0].findtext("{*}FAmount") == "943.40"


def told(options: dict[str, Any], reply: str) -> tuple[OutcomeKind, str]:
    profile = load_profile("in-string", options)
    (outcome,) = profile.read(Reply(parse(reply.encode())))
    return outcome.kind, str(outcome.journal_entry or "")


@pytest.mark.parametrize(
    ("inside", "kind", "number"),
    [
        ('{"result": {"state": "ok", "voucher": "V-7"}}', OutcomeKind.POSTED, "V-7"),
        ("<a><result><state>ok</state><voucher>7</voucher></result></a>", OutcomeKind.POSTED, "7"),
        ('{"result": {"state": "ok"}}', OutcomeKind.UNKNOWN, ""),
        ('{"result": {"state": "invalid", "voucher": "V-7"}}', OutcomeKind.UNKNOWN, ""),
        ('{"result": {"state": "invalid"}}', OutcomeKind.REJECTED, ""),
        ('{"result": {"state": "busy"}}', OutcomeKind.UNKNOWN, ""),
        ('{"result": {"state": "ok", "state": "invalid"}}', OutcomeKind.UNKNOWN, ""),
        ('{"state": "ok", "voucher": "V-7"}', OutcomeKind.UNKNOWN, ""),
        ("ok", OutcomeKind.UNKNOWN, ""),
        ("", OutcomeKind.UNKNOWN, ""),
    ],
)
def test_only_what_is_configured_is_believed(inside: str, kind: OutcomeKind, number: str) -> None:
    """JSON or XML; a word that the options do not know proves nothing."""
    text = inside.replace("<", "&lt;")
    reply = f"<receiveOaReimResponse><return>{text}</return></receiveOaReimResponse>"
    assert told(OA, reply) == (kind, number)


def _said(state: str, voucher: str) -> str:
    return json.dumps({"result": {"state": state, "voucher": voucher, "reason": "科目不存在"}})


@pytest.mark.parametrize(
    ("written", "kind", "number"),
    [
        (json.dumps(_said("ok", "7")), OutcomeKind.POSTED, "7"),
        (json.dumps(json.dumps(_said("ok", "7"))), OutcomeKind.POSTED, "7"),
        (json.dumps({"d": _said("ok", "7")}), OutcomeKind.POSTED, "7"),
        (json.dumps({"d": json.dumps(_said("ok", "7"))}), OutcomeKind.UNKNOWN, ""),
        (json.dumps(_said("invalid", "")), OutcomeKind.REJECTED, ""),
        (json.dumps({"d": _said("invalid", "")}), OutcomeKind.REJECTED, ""),
        (json.dumps({"d": _said("ok", "7"), "e": ""}), OutcomeKind.UNKNOWN, ""),
        (json.dumps("7"), OutcomeKind.UNKNOWN, ""),
        ('"' * 9, OutcomeKind.UNKNOWN, ""),
    ],
)
def test_a_document_in_a_string_once_more(written: str, kind: OutcomeKind, number: str) -> None:
    """JSON that was written as a string again, and ASP.NET's ``d``, are opened, and it is told."""
    text = written.replace("<", "&lt;")
    reply = f"<receiveOaReimResponse><return>{text}</return></receiveOaReimResponse>"
    assert told(OA, reply) == (kind, number)
    if kind is not OutcomeKind.UNKNOWN:
        (outcome,) = load_profile("in-string", OA).read(Reply(parse(reply.encode())))
        assert outcome.drift


@pytest.mark.parametrize(
    ("result", "kind"),
    [
        ("<State>1</State><BillNo>10</BillNo>", OutcomeKind.POSTED),
        ("<State>1</State>", OutcomeKind.UNKNOWN),
        ("<State>0</State><Message>no</Message>", OutcomeKind.REJECTED),
        ("<State>5</State><BillNo>10</BillNo>", OutcomeKind.UNKNOWN),
    ],
)
def test_a_structured_reply(result: str, kind: OutcomeKind) -> None:
    """SaveVoucherResult is read as elements."""
    reply = (
        '<SaveVoucherResponse xmlns="http://tempuri.org/"><SaveVoucherResult>'
        f"{result}</SaveVoucherResult></SaveVoucherResponse>"
    )
    assert told(K3, reply)[0] is kind


@pytest.mark.parametrize(
    "options",
    [
        {"posting": {"a": "{account}"}},
        {"posting": {"a": "{account}", "d": "{debit}", "c": "{credit}", "x": "{nonsense}"}},
        {"head": {"x": "{account}"}},
        {"sides": {"debit": "1"}},
        {"success_values": []},
        {"refused_values": [""]},
        {"success_values": ["1"]},
        {"format": "yaml"},
    ],
)
def test_wrong_options_are_refused(options: dict[str, Any]) -> None:
    """A template that would lose an amount, or an answer with two meanings, is told at once."""
    with pytest.raises(ConfigurationError) as caught:
        load_profile("in-string", options)
    assert caught.value.code in {"CB-176", "CB-243"}


def test_nothing_of_a_voucher_is_lost_in_silence() -> None:
    """A dimension without a place is refused, until the options place it or say to ignore it."""
    extra = Posting(
        role=Role.EXPENSE, account="1", side=Side.DEBIT, amount=Decimal(1), currency="CNY",
        dimensions={"fund": "F1"},
    )  # fmt: skip
    less = msgspec.structs.replace(extra, side=Side.CREDIT, dimensions={})
    voucher = msgspec.structs.replace(TRIP, postings=(extra, less))
    with pytest.raises(ClaimError, match=r"dimensions\.fund") as caught:
        load_profile("in-string").submit([submission(voucher)])
    assert caught.value.code == "CB-175"
    load_profile("in-string", {"ignored": ["dimensions.fund"]}).submit([submission(voucher)])
