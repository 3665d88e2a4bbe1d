"""Requests in the contract's own names become canonical XML in schema order, or are refused."""

from __future__ import annotations

import enum
import random
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import zeep
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from claimbridge import xmlio
from claimbridge.contract import Bundle, Contract
from claimbridge.contract.calls.zeep_reader import ClosedTransport
from claimbridge.contract.files.documents import gather
from claimbridge.errors import ContractError, SchemaViolation

SAMPLE = Path(__file__).parent / "data" / "sample" / "service.wsdl"
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
SAP_POST = "JournalEntryCreateRequestConfirmation_In"


def minimal(**more: Any) -> dict[str, Any]:
    """A valid request of the sample contract."""
    return {
        "Header": {"When": NOON, "Day": date(2026, 11, 24)},
        "Employee": "E1",
        "Amount": {"#text": Decimal("10.50"), "@currency": "CNY"},
        "Origin": "O",
        **more,
    }


def refused(contract: Contract, body: Mapping[str, Any]) -> list[tuple[str, str]]:
    with pytest.raises(SchemaViolation) as caught:
        contract.render("Post", body)
    assert caught.value.code == "CB-121"
    return [(finding.path, finding.rule) for finding in caught.value.findings]


def test_everything_at_once_is_valid_and_in_order(sample: Contract) -> None:
    """Attributes, choices, groups, xsi:type, refs and repeated names, given in any order."""
    body = minimal(
        Tag=["a", "b", "c", "d"],
        Flags={"Copies": 2, "Urgent": True},
        Memo=[None, "m"],
        Side=["S", "H"],
        Account=["1", "2"],
        Party={"@xsi:type": "Person", "Born": date(2000, 1, 1), "Name": "李四"},
        **{"@Id": "v1", "@trace": "t"},
    )
    body["Header"] = {
        "@{urn:other}mark": "x",
        "Note": {"#text": "差<&>\r", "@lang": "zh"},
        "Day": date(2026, 11, 24),
        "When": datetime(2026, 11, 24, 12, tzinfo=timezone(timedelta(hours=8))),
    }
    del body["Employee"]
    body |= {"Site": "S1", "Vendor": "V1"}
    written = sample.render("Post", body)
    assert sample.check(written) == ()
    assert written.decode() == (
        '<n0:PostRequest xmlns:n0="urn:sample:messages" xmlns:n1="urn:sample:types" Id="v1" '
        'n1:trace="t"><n0:Header xmlns:n2="urn:other" n2:mark="x">'
        "<When>2026-11-24T12:00:00+08:00</When><Day>2026-11-24</Day>"
        '<Note xml:lang="zh">差&lt;&amp;&gt;&#xD;</Note></n0:Header>'
        "<n0:Vendor>V1</n0:Vendor><n0:Site>S1</n0:Site>"
        '<n0:Amount currency="CNY">10.50</n0:Amount>'
        '<n0:Party xmlns:n3="urn:sample:parties" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="n3:Person">'
        "<n3:Name>李四</n3:Name><n3:Born>2000-01-01</n3:Born></n0:Party>"
        "<n0:Account>1</n0:Account><n0:Side>S</n0:Side>"
        "<n0:Account>2</n0:Account><n0:Side>H</n0:Side><n0:Memo>m</n0:Memo>"
        "<n0:Tag>a</n0:Tag><n0:Tag>b</n0:Tag><n0:Tag>c</n0:Tag>"
        "<n0:Flags><Urgent>true</Urgent><Copies>2</Copies></n0:Flags>"
        "<n1:Origin>O</n1:Origin><n0:Tag>d</n0:Tag></n0:PostRequest>"
    )
    kept = xmlio.canonical(xmlio.parse(written), inclusive_prefixes=("n3",))
    assert kept == written


def test_zeep_agrees(sample: Contract) -> None:
    """Bare zeep writes the same elements, in the same order, with the same values."""
    body = minimal(Tag=["a", "b"], Flags={"Urgent": True, "Copies": 1}, Account="1", Side="S")
    # Left to itself zeep would fetch http://www.w3.org/2001/xml.xsd for this contract.
    transport = ClosedTransport(gather(Bundle.from_path(SAMPLE)))
    client = zeep.Client("https://contract.invalid/service.wsdl", transport=transport)
    theirs = dict(body, Amount={"_value_1": Decimal("10.50"), "currency": "CNY"})
    theirs["_value_1"] = {"Account": theirs.pop("Account"), "Side": theirs.pop("Side")}
    envelope = client.create_message(client.service, "Post", **theirs)
    found = next(envelope.iter("{urn:sample:messages}PostRequest"))
    ours = xmlio.parse(sample.render("Post", body))
    assert [(e.tag, e.text, dict(e.attrib)) for e in ours.iter()] == [
        (e.tag, e.text, dict(e.attrib)) for e in found.iter()
    ]


def test_nil_is_written_where_it_is_asked_for(sample: Contract) -> None:
    """@xsi:nil writes an empty nillable element; None leaves an element out."""
    body = minimal(Flags=None)
    body["Header"]["Note"] = {"@xsi:nil": True}
    written = sample.render("Post", body)
    assert b'xsi:nil="true"></Note>' in written
    assert b"Flags" not in written
    assert sample.check(written) == ()


@pytest.mark.parametrize(
    ("value", "form"),
    [
        (Decimal("1E+2"), "100"),
        (Decimal("0.10"), "0.10"),
        (Decimal("-0.00"), "0.00"),
        (Decimal("12345678901234567.89"), "12345678901234567.89"),
        (Decimal("1E-7"), "0.0000001"),
        (7, "7"),
        (True, "true"),
        (False, "false"),
        (date(2026, 1, 2), "2026-01-02"),
        (NOON, "2026-11-24T12:00:00Z"),
        (NOON.replace(microsecond=106484), "2026-11-24T12:00:00.106484Z"),
        (enum.Enum("Side", {"S": "S"}, type=str)["S"], "S"),  # type: ignore[call-overload, index]  # mypy cannot read a made enum
        ("", ""),
    ],
)
def test_each_value_has_one_exact_form(sample: Contract, value: object, form: str) -> None:
    """Decimals are plain, times carry their zone, booleans are words."""
    written = sample.render("Post", {"Origin": value})
    assert written.count(f">{form}</n1:Origin>".encode()) == 1


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        (0.1, "type"),
        (float("nan"), "type"),
        (Decimal("NaN"), "type"),
        (Decimal("Infinity"), "type"),
        (Decimal("1E+400000000"), "type"),
        (datetime(2026, 1, 2), "type"),  # noqa: DTZ001 - without a zone, as a mistake would be
        (b"bytes", "type"),
        (object(), "type"),
        ([["a"]], "type"),
        ("a\x00b", "characters"),
        ("\x1b[31m", "characters"),
        ("\ud800", "characters"),
        ("\ufffe", "characters"),
    ],
)
def test_a_value_without_an_exact_form_is_refused(
    sample: Contract, value: object, rule: str
) -> None:
    """Floats, naive times, bytes and control characters never reach the wire."""
    assert refused(sample, {"Origin": value}) == [("Origin", rule)]
    assert refused(sample, {"@Id": value})[0] == ("@Id", rule)


def test_unknown_names_are_refused_with_their_path(sample: Contract) -> None:
    """Every misspelt key is named, with the one that was probably meant."""
    body = minimal(Employe="x", **{"@id": "v"})
    body["Header"]["Dey"] = "x"
    body["Amount"]["@curency"] = "CNY"
    body["Employee"] = {"#text": "E", "Inner": 1}
    with pytest.raises(SchemaViolation) as caught:
        sample.render("Post", body, sources={"Header": "claim.header"})
    found = {finding.path: finding for finding in caught.value.findings}
    paths = {"Employe", "@id", "Header/Dey", "Amount/@curency", "Employee/Inner"}
    assert found.keys() == paths
    assert {finding.rule for finding in found.values()} == {"unexpected"}
    assert "did you mean Employee?" in found["Employe"].text
    assert "did you mean @currency?" in found["Amount/@curency"].text
    assert found["Header/Dey"].claim_field == "claim.header"


@pytest.mark.parametrize(
    "body",
    [
        {"#text": "x"},
        {7: "x"},
        {"Header": {'@a="1" b': "x"}},
        {"Header": {'@{u"}a b': "x"}},
        {"Header": {"@": "x"}},
        {"Header": {"@{relative}mark": "x"}},
        {"Header": "text"},
        {"Flags": {"#text": "x"}},
        {"Party": {"@xsi:type": "Nobody"}},
        {"Account": ["1", "2"], "Side": ["S"]},
        {"Account": ["1", "2"], "Side": "S"},
    ],
)
def test_odd_requests_are_refused_not_written(sample: Contract, body: dict[Any, Any]) -> None:
    """Nothing that is no name, and nothing whose place is not sure, is written."""
    assert refused(sample, body)


def test_a_request_that_holds_itself_is_refused(sample: Contract) -> None:
    """A cycle ends in our error, not in a crash."""
    body = minimal()
    body["Header"]["Note"] = body["Header"]
    assert refused(sample, body)


def test_what_is_known_but_wrong_is_left_to_the_gate(sample: Contract) -> None:
    """Both branches of a choice, too many items and missing ones are written, then found."""
    written = sample.render("Post", minimal(Vendor="V"))
    assert {finding.path for finding in sample.check(written)} == {"Vendor"}
    assert sample.check(sample.render("Post", {}))[0].rule == "missing"


def test_an_unknown_operation_is_a_contract_error(sample: Contract) -> None:
    """The error names what the contract does offer."""
    with pytest.raises(ContractError, match="it offers Post") as caught:
        sample.render("Pots", {})
    assert caught.value.code == "CB-216"


def test_an_operation_in_rpc_literal_style_is_a_contract_error(tmp_path: Path) -> None:
    """A contract of rpc/literal operations loads, and says why it cannot write a request."""
    encoded = Path(__file__).parent / "data" / "encoded" / "service.wsdl"
    place = tmp_path / "service.wsdl"
    place.write_text(encoded.read_text().replace('use="encoded"', 'use="literal"'))
    contract = Contract.load(place)
    with pytest.raises(ContractError, match="rpc") as caught:
        contract.render("put", {})
    assert caught.value.code == "CB-217"


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=30)


@settings(max_examples=200, deadline=None)
@given(TEXTS, TEXTS, st.decimals(allow_nan=False, allow_infinity=False, places=2))
def test_the_output_is_canonical_whatever_the_text(text: str, mark: str, amount: Decimal) -> None:
    """Whatever the values, the bytes are their own exclusive C14N and hold the values exactly."""
    if {"\ufffe", "\uffff"} & set(text + mark) or abs(amount) >= Decimal(10) ** 60:
        return
    body = minimal(Tag=[text, mark], **{"@trace": mark})
    body["Amount"] = {"#text": amount, "@currency": text}
    written = CONTRACT.render("Post", body)
    root = xmlio.parse(written)
    assert xmlio.canonical(root) == written
    assert root.get("{urn:sample:types}trace") == mark
    assert [tag.text or "" for tag in root.iter("{*}Tag")] == [text, mark]
    assert Decimal(str(root.findtext("{*}Amount"))) == amount


CONTRACT = Contract.load(SAMPLE)


def sap_body(items: int = 2) -> dict[str, Any]:
    """A G/L voucher as SAP takes it."""
    item = {
        "GLAccount": {"#text": "0065900000"},
        "AmountInTransactionCurrency": {"@currencyCode": "CNY", "#text": Decimal("100.00")},
        "DebitCreditCode": "S",
        "DocumentItemText": "差旅 & 住宿",
    }
    entry = {
        "PostingDate": date(2026, 11, 24),
        "DocumentDate": date(2026, 11, 24),
        "CompanyCode": "1410",
        "CreatedByUser": "CLAIMS",
        "AccountingDocumentType": "SA",
        "BusinessTransactionType": "RFBU",
        "OriginalReferenceDocumentType": "BKPFF",
        "Item": [dict(item, ReferenceDocumentItem=str(n)) for n in range(1, items + 1)],
    }
    return {
        "MessageHeader": {"CreationDateTime": NOON, "ID": "MSG-1"},
        "JournalEntryCreateRequest": [
            {"MessageHeader": {"CreationDateTime": NOON, "ID": "S-1"}, "JournalEntry": entry}
        ],
    }


def test_a_voucher_is_valid_by_both_of_saps_contracts(sap: Contract) -> None:
    """The header grew in the middle between the years; the same dict fits both."""
    written = sap.render(SAP_POST, sap_body())
    assert sap.check(written) == ()
    assert xmlio.canonical(xmlio.parse(written)) == written


FAULTS = {"Side": "X", "Employee": "E123456", "Origin": "", "Account": ""}


def test_many_threads_write_and_check_one_contract() -> None:
    """A fresh contract used at once by many threads gives each its own findings."""
    contract = Contract.load(SAMPLE)
    several = {"Account": ["1"] * 300, "Side": ["S"] * 300}

    def use(number: int) -> bool:
        wrong = random.Random(number).choice([*FAULTS, None])
        body = minimal(**several)
        if wrong:
            body[wrong] = [*several.get(wrong, [None])[1:], FAULTS[wrong]]
        found = contract.check(contract.render("Post", body))
        return {each.path.partition("[")[0] for each in found} == ({wrong} if wrong else set())

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(use, range(120)))


def test_the_gate_judges_exactly_the_given_bytes(sample: Contract) -> None:
    """What was rendered for one request and altered by a byte is judged as altered."""
    written = sample.render("Post", minimal())
    altered = written.replace(b"10.50", b"10.505")
    assert (sample.check(written), bool(sample.check(altered))) == ((), True)
    assert isinstance(xmlio.parse(written), etree._Element)


def test_a_relative_namespace_is_refused() -> None:
    """Canonical XML has no form for it; the same contract with an absolute one is accepted."""
    wsdl = b"""<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:t="ledger"
        xmlns:s="http://schemas.xmlsoap.org/wsdl/soap/" targetNamespace="ledger">
      <types><xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="ledger"
          elementFormDefault="qualified"><xs:element name="Post"><xs:complexType><xs:sequence>
          <xs:element name="Text" type="xs:string"/></xs:sequence></xs:complexType></xs:element>
      </xs:schema></types>
      <message name="Post"><part name="body" element="t:Post"/></message>
      <portType name="P"><operation name="Post"><input message="t:Post"/></operation></portType>
      <binding name="B" type="t:P"><s:binding style="document"
          transport="http://schemas.xmlsoap.org/soap/http"/><operation name="Post">
          <s:operation soapAction=""/><input><s:body use="literal"/></input></operation></binding>
      <service name="S"><port name="P" binding="t:B"><s:address location="http://x/"/></port>
      </service></definitions>"""
    with pytest.raises(ContractError, match=r"CB-231.*'ledger'"):
        Contract.load(Bundle.from_files("service.wsdl", {"service.wsdl": wsdl}))
    absolute = wsdl.replace(b'"ledger"', b'"urn:ledger"')
    contract = Contract.load(Bundle.from_files("service.wsdl", {"service.wsdl": absolute}))
    assert isinstance(contract.render("Post", {"Text": "1"}), xmlio.Canonical)


def test_a_relative_namespace_of_a_wrapper_is_refused() -> None:
    """An rpc call's wrapper has the namespace of its ``soap:body``, which no schema names."""
    wsdl = b"""<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:t="urn:ledger"
        xmlns:s="http://schemas.xmlsoap.org/wsdl/soap/" targetNamespace="urn:ledger">
      <binding name="B" type="t:P"><operation name="Post"><input>
          <s:body use="literal" namespace="ledger"/></input></operation></binding>
      </definitions>"""
    with pytest.raises(ContractError, match=r"CB-231.*'ledger'"):
        gather(Bundle.from_files("service.wsdl", {"service.wsdl": wsdl}))
