"""Documents inside a string: written and judged by their own schema, and read again."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from claimbridge.contract.strings.documents import InnerContract
from claimbridge.contract.strings.replies import read_inner
from claimbridge.errors import ContractError, DocumentError, SchemaViolation

BILL = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
<xs:element name="bill"><xs:complexType><xs:sequence>
  <xs:element name="no"><xs:simpleType><xs:restriction base="xs:string">
    <xs:maxLength value="12"/></xs:restriction></xs:simpleType></xs:element>
  <xs:element name="row" maxOccurs="unbounded"><xs:complexType><xs:sequence>
    <xs:element name="amount" type="xs:decimal"/>
    <xs:element name="account" type="xs:string" minOccurs="0"/>
    <xs:element name="last" type="xs:boolean" minOccurs="0"/>
  </xs:sequence></xs:complexType></xs:element>
</xs:sequence><xs:attribute name="sender"/></xs:complexType></xs:element></xs:schema>"""
BODY = {
    "no": "差旅 𠮷\r<",
    "row": [{"account": "0101", "amount": Decimal("123456789012345678.10")}],
}


@pytest.fixture
def bill(tmp_path: Path) -> InnerContract:
    (tmp_path / "bill.xsd").write_text(BILL)
    return InnerContract.open("bill.xsd", "bill", folder=tmp_path)


def test_xml_says_its_encoding_and_loses_nothing(bill: InnerContract) -> None:
    """What GBK lacks is a reference, so the text survives being stored in that encoding."""
    text = bill.document(BODY, sources={}, encoding="GBK")
    assert text.startswith('<?xml version="1.0" encoding="GBK"?><bill><no>差旅 &#134071;')
    assert text.encode("gbk").decode("gbk") == text
    read = read_inner(text)
    assert read.text("no") == "差旅 𠮷\r<"
    assert read.text("row", "amount") == "123456789012345678.10"


def test_json_is_typed_by_the_schema(bill: InnerContract) -> None:
    """Amounts are exact numbers, codes stay text with their zeros, what may repeat is an array."""
    body = {"no": "1", "row": [{"amount": "+07.50", "account": "007", "last": "1"}]}
    text = bill.document(body, sources={}, format="json")
    assert text == '{"no":"1","row":[{"amount":7.50,"account":"007","last":true}]}'
    exact = json.loads(bill.document(BODY, sources={}, format="json"), parse_float=Decimal)
    assert exact["row"][0]["amount"] == Decimal("123456789012345678.10")
    assert exact["no"] == BODY["no"]


def test_a_number_of_a_few_letters_stays_short(tmp_path: Path) -> None:
    """xs:double allows 1E999999999: written out, it would fill the memory."""
    (tmp_path / "rate.xsd").write_text(BILL.replace("xs:decimal", "xs:double"))
    rate = InnerContract.open("rate.xsd", "bill", folder=tmp_path)
    body = {"no": "1", "row": [{"amount": "1E+999999999"}, {"amount": "1.5E2"}]}
    text = rate.document(body, sources={}, format="json")
    assert text == '{"no":"1","row":[{"amount":1E+999999999},{"amount":150}]}'


@pytest.mark.parametrize("format_", ["xml", "json"])
def test_a_finding_names_the_claim_field(bill: InnerContract, format_: str) -> None:
    """The inner schema's gate is a gate: it refuses, and says where in the claim to mend."""
    body = {"no": "1234567890123", "row": [{"amount": "1"}, {"amount": "much"}]}
    with pytest.raises(SchemaViolation) as caught:
        bill.document(
            body,
            sources={"row[2]/amount": "lines[1].amount", "no": "title"},
            format=format_,  # type: ignore[arg-type]
        )
    found = [(one.rule, one.claim_field) for one in caught.value.findings]
    assert found == [("maxLength", "title"), ("type", "lines[1].amount")]


def test_json_has_no_place_for_attributes(bill: InnerContract) -> None:
    """An attribute is refused in JSON; nothing is left out in silence."""
    body = BODY | {"@sender": "x"}
    assert 'sender="x"' in bill.document(body, sources={})
    with pytest.raises(SchemaViolation, match="attributes"):
        bill.document(body, sources={}, format="json")


def test_a_schema_without_the_element_is_refused(tmp_path: Path) -> None:
    """The error names the schema and the element."""
    (tmp_path / "bill.xsd").write_text(BILL)
    with pytest.raises(ContractError, match="no element invoice") as caught:
        InnerContract.open("bill.xsd", "invoice", folder=tmp_path)
    assert caught.value.code == "CB-178"
    with pytest.raises(ContractError):
        InnerContract.open("absent.xsd", "bill", folder=tmp_path)
    with pytest.raises(ContractError, match=r"CB-213 there is no schema: .* names a home"):
        InnerContract.open("~nobody-of-this-name/bill.xsd", "bill", folder=tmp_path)


def test_json_is_read_as_xml_is() -> None:
    """Numbers keep their digits; a member given twice with two values is no evidence."""
    read = read_inner('{"n": "0123", "x": [{"a": 1.10}, {"a": 2}], "b": true, "c": 1, "c": 2}')
    assert (read.text("n"), read.texts("x", "a"), read.text("b")) == ("0123", ["1.10", "2"], "true")
    with pytest.raises(DocumentError):
        read.text("c")
    assert read_inner('[{"a": 1}, {"a": 3}]').texts("item", "a") == ["1", "3"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "OK",
        "{",
        "[" * 100_000,
        "[" * 80 + "]" * 80,
        '{"a": "\\u0000"}',
        '{"a": "\\ud800"}',
        "\ud800<a/>",
        '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
    ],
)
def test_what_is_no_document_is_told(text: str) -> None:
    """Whatever the string holds, the only error is ours."""
    with pytest.raises(DocumentError):
        read_inner(text)
