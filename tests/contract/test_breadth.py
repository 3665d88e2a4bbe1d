"""A schema that is larger than any machine can check is refused before a compiler sees it."""

from __future__ import annotations

from pathlib import Path

import pytest

from claimbridge.contract import Contract
from claimbridge.errors import ContractError

WSDL = """<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:t="urn:t"
 xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" targetNamespace="urn:t"><types>
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:t"
 elementFormDefault="qualified">{schema}
<xs:element name="a"><xs:complexType><xs:sequence><xs:element name="b" type="t:T"/></xs:sequence>
</xs:complexType></xs:element></xs:schema></types>
<message name="m"><part name="p" element="t:a"/></message>
<portType name="P"><operation name="o"><input message="t:m"/></operation></portType>
<binding name="B" type="t:P"><soap:binding transport="http://schemas.xmlsoap.org/soap/http"/>
<operation name="o"><soap:operation soapAction=""/><input><soap:body use="literal"/></input>
</operation></binding>
<service name="S"><port name="X" binding="t:B"><soap:address location="https://e.example/"/></port>
</service></definitions>"""


def elements(count: int, name: str = "e", more: str = 'minOccurs="0"') -> str:
    return "".join(f'<xs:element name="{name}{i}" type="xs:string" {more}/>' for i in range(count))


def complex_type(content: str, name: str = "T") -> str:
    return f'<xs:complexType name="{name}">{content}</xs:complexType>'


def values(count: int, name: str = "T") -> str:
    listed = "".join(f'<xs:enumeration value="v{i}"/>' for i in range(count))
    return (
        f'<xs:simpleType name="{name}"><xs:restriction base="xs:string">{listed}'
        "</xs:restriction></xs:simpleType>"
    )


def loaded(folder: Path, schema: str) -> Contract:
    path = folder / "erp.wsdl"
    path.write_text(WSDL.format(schema=schema))
    return Contract.load(path)


HALF = complex_type(f"<xs:sequence>{elements(600, 'h')}</xs:sequence>", "H")
SCHEMAS = {
    "children": complex_type(f"<xs:sequence>{elements(1_001)}</xs:sequence>"),
    "a choice": complex_type(f"<xs:choice>{elements(20_000)}</xs:choice>"),
    "attributes": complex_type(
        "".join(f'<xs:attribute name="e{i}" type="xs:string"/>' for i in range(1_001))
    ),
    "what it extends": HALF
    + complex_type(
        '<xs:complexContent><xs:extension base="t:H"><xs:sequence>'
        f"{elements(600)}</xs:sequence></xs:extension></xs:complexContent>"
    ),
    "its groups": f'<xs:group name="G"><xs:sequence>{elements(600, "g")}</xs:sequence></xs:group>'
    + complex_type(f'<xs:sequence>{elements(600)}<xs:group ref="t:G"/></xs:sequence>'),
    "what stands in the place of its elements": '<xs:element name="h" type="xs:string"/>'
    + elements(300, "s", 'substitutionGroup="t:h"').replace('minOccurs="0"', "")
    + complex_type(
        "<xs:sequence>"
        + '<xs:element ref="t:h"/><xs:element name="q" type="xs:string"/>' * 4
        + "</xs:sequence>"
    ),
    "all types together": complex_type(f"<xs:sequence>{elements(900)}</xs:sequence>")
    + "".join(
        complex_type(f"<xs:sequence>{elements(900)}</xs:sequence>", f"T{i}") for i in range(5)
    ),
    "values": values(50_001),
    "values in all": values(50_000) + "".join(values(40_000, f"V{i}") for i in range(4)),
}


@pytest.mark.parametrize("what", SCHEMAS)
def test_what_no_machine_can_check_is_refused_when_it_is_opened(tmp_path: Path, what: str) -> None:
    """Children, attributes and values are counted, with all that is put in their place."""
    with pytest.raises(ContractError) as caught:
        loaded(tmp_path, SCHEMAS[what])
    assert caught.value.code == "CB-292"


def test_what_is_large_and_real_is_read(tmp_path: Path) -> None:
    """Twice the children of the largest known contract, and thousands of values, are judged."""
    wide = complex_type(f"<xs:sequence>{elements(700)}</xs:sequence>")
    contract = loaded(tmp_path, wide)
    assert not contract.check(b'<a xmlns="urn:t"><b><e1>x</e1><e699>x</e699></b></a>')
    contract = loaded(tmp_path, values(20_000))
    assert not contract.check(b'<a xmlns="urn:t"><b>v19999</b></a>')
    assert contract.check(b'<a xmlns="urn:t"><b>v20000</b></a>')
