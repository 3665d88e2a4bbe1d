"""What a contract offers and declares is shown whole: nothing lost, nothing without an end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from lxml import etree

from claimbridge.contract import Bundle
from claimbridge.contract.outline.types import Facets
from claimbridge.contract.study.overview import Overview, Row
from claimbridge.errors import ContractError

XS = "http://www.w3.org/2001/XMLSchema"
WSDL = """<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:t="urn:t"
    xmlns:s="http://schemas.xmlsoap.org/wsdl/soap/" targetNamespace="urn:w" xmlns:w="urn:w">
  <types><x:schema xmlns:x="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:t"
      elementFormDefault="qualified">{schema}</x:schema></types>
  <message name="in"><part name="p" element="t:Root"/></message>
  <portType name="pt"><operation name="Do"><input message="w:in"/></operation></portType>
  <binding name="b" type="w:pt"><s:binding transport="http://schemas.xmlsoap.org/soap/http"/>
    <operation name="Do"><s:operation soapAction="urn:do"/>
      <input><s:body use="literal"/></input></operation></binding>
  <service name="S"><port name="P" binding="w:b"><s:address location="https://e/"/></port></service>
</definitions>"""


def _overview(schema: str, **files: str) -> Overview:
    contents = {f"{name}.xsd": text.encode() for name, text in files.items()}
    contents["a.wsdl"] = WSDL.format(schema=schema).encode()
    return Overview.load(Bundle.from_files("a.wsdl", contents))


def _rows(schema: str, **files: str) -> dict[str, Row]:
    overview = _overview(schema, **files)
    (operation,) = overview.operations("Do")
    (root,) = overview.roots(operation)
    return {
        row.path if row.name else f"{row.path} {row.kind}": row
        for row in overview.tree(root.element)
    }


def test_cardinalities_facets_and_documentation_are_told() -> None:
    """Each element says how often it stands, of which type, within which facets, and why."""
    rows = _rows(
        """<x:simpleType name="Code"><x:restriction base="x:token"><x:maxLength value="10"/>
             <x:pattern value="[A-Z]+"/><x:pattern value="[0-9]+"/></x:restriction></x:simpleType>
           <x:simpleType name="Short"><x:restriction base="t:Code"><x:maxLength value="4"/>
             <x:pattern value="..*"/></x:restriction></x:simpleType>
           <x:element name="Root"><x:complexType><x:sequence>
             <x:element name="A" type="t:Short" minOccurs="0" maxOccurs="unbounded" nillable="true">
               <x:annotation><x:documentation>The   cost
                 centre.</x:documentation></x:annotation></x:element>
             <x:choice maxOccurs="2"><x:element name="B" type="x:int" fixed="1"/>
               <x:element name="C"><x:complexType><x:simpleContent><x:extension base="x:decimal">
                 <x:attribute name="cur" type="t:Code" use="required"/>
               </x:extension></x:simpleContent></x:complexType></x:element></x:choice>
           </x:sequence></x:complexType></x:element>"""
    )
    a = rows["Root/A"]
    assert (a.name, a.least, a.most, a.nillable) == ("{urn:t}A", 0, None, True)
    assert (a.type, a.text, a.documentation) == ("{urn:t}Short", "token", "The cost centre.")
    assert a.facets == Facets(max_length=4, patterns=("[A-Z]+|[0-9]+", "..*"))
    assert rows["Root choice"].most == 2
    assert rows["Root/B"].fixed == "1"
    assert rows["Root/B"].depth == rows["Root choice"].depth + 1
    assert rows["Root/C"].text == "decimal"
    assert rows["Root/C/@cur"].least == 1
    assert rows["Root/C/@cur"].facets.max_length == 10


def test_a_type_that_holds_itself_is_told_once() -> None:
    """Recursion ends, and the row says that the type was told above."""
    rows = _rows(
        """<x:complexType name="Node"><x:sequence><x:element name="Name" type="x:string"/>
             <x:element name="Child" type="t:Node" minOccurs="0"/></x:sequence></x:complexType>
           <x:element name="Root" type="t:Node"/>"""
    )
    assert list(rows) == ["Root", "Root/Name", "Root/Child"]
    assert rows["Root/Child"].shown_above
    assert not rows["Root"].shown_above


def test_extensions_restrictions_groups_and_substitutes_are_resolved() -> None:
    """A derived type shows its base's elements first; what may stand instead is named."""
    rows = _rows(
        """<x:group name="G"><x:sequence><x:element name="InGroup"/></x:sequence></x:group>
           <x:attributeGroup name="AG"><x:attribute name="id" type="x:ID"/></x:attributeGroup>
           <x:complexType name="Base" abstract="true"><x:sequence><x:element name="First"/>
             </x:sequence><x:attributeGroup ref="t:AG"/></x:complexType>
           <x:complexType name="More"><x:complexContent><x:extension base="t:Base"><x:sequence>
             <x:group ref="t:G"/></x:sequence></x:extension></x:complexContent></x:complexType>
           <x:complexType name="Less"><x:complexContent><x:restriction base="t:More"><x:sequence>
             <x:element name="First"/></x:sequence><x:attribute name="id" use="prohibited"/>
             </x:restriction></x:complexContent></x:complexType>
           <x:element name="Head" type="x:string" abstract="true"/>
           <x:element name="Own" type="x:string" substitutionGroup="t:Head"/>
           <x:element name="Root"><x:complexType><x:sequence><x:element name="M" type="t:More"/>
             <x:element name="L" type="t:Less"/><x:element name="B" type="t:Base"/>
             <x:element ref="t:Head" minOccurs="0"/></x:sequence></x:complexType></x:element>"""
    )
    assert {"Root/M/First", "Root/M/InGroup", "Root/M/@id", "Root/L/First"} <= rows.keys()
    assert not {"Root/L/InGroup", "Root/L/@id"} & rows.keys()
    assert (rows["Root/B"].abstract, rows["Root/B"].alternatives) == (True, ("{urn:t}More",))
    assert (rows["Root/Head"].least, rows["Root/Head"].alternatives) == (0, ("{urn:t}Own",))


def test_chameleons_and_redefinitions_count_as_they_should() -> None:
    """An included schema takes its includer's namespace; what is redefined is narrower."""
    inner = (
        f'<x:schema xmlns:x="{XS}"><x:simpleType name="Code"><x:restriction base="x:string">'
        '<x:maxLength value="9"/></x:restriction></x:simpleType><x:complexType name="Box">'
        '<x:sequence><x:element name="In" type="Code"/></x:sequence></x:complexType></x:schema>'
    )
    rows = _rows(
        """<x:redefine schemaLocation="inner.xsd"><x:simpleType name="Code">
             <x:restriction base="t:Code"><x:minLength value="2"/></x:restriction></x:simpleType>
             <x:complexType name="Box"><x:complexContent><x:extension base="t:Box"><x:sequence>
             <x:element name="Added" type="t:Code"/></x:sequence></x:extension></x:complexContent>
             </x:complexType></x:redefine>
           <x:element name="Root" type="t:Box"/>""",
        inner=inner,
    )
    assert list(rows) == ["Root", "Root/In", "Root/Added"]
    assert rows["Root/In"].facets == rows["Root/Added"].facets == Facets(min_length=2, max_length=9)


@pytest.mark.parametrize(
    "schema",
    [
        '<x:element name="Root" type="t:Absent"/>',
        '<x:element name="Root"><x:complexType><x:sequence><x:element ref="t:No"/></x:sequence>'
        "</x:complexType></x:element>",
        '<x:element name="Root" type="t:A"/><x:simpleType name="A"><x:restriction base="t:A"/>'
        "</x:simpleType>",
        '<x:element name="Root" type="t:A"/><x:complexType name="A"><x:complexContent>'
        '<x:extension base="t:B"/></x:complexContent></x:complexType><x:complexType name="B">'
        '<x:complexContent><x:extension base="t:A"/></x:complexContent></x:complexType>',
        '<x:group name="G"><x:sequence><x:group ref="t:G"/><x:group ref="t:G"/></x:sequence>'
        '</x:group><x:element name="Root"><x:complexType><x:group ref="t:G"/></x:complexType>'
        "</x:element>",
        '<x:element name="Root"><x:complexType><x:sequence><x:element name="A" maxOccurs="many"/>'
        "</x:sequence></x:complexType></x:element>",
        "".join(
            f'<x:group name="G{n}"><x:sequence><x:group ref="t:G{n + 1}"/>'
            f'<x:group ref="t:G{n + 1}"/></x:sequence></x:group>'
            for n in range(40)
        )
        + '<x:group name="G40"><x:sequence><x:element name="A"/></x:sequence></x:group>'
        '<x:element name="Root"><x:complexType><x:group ref="t:G0"/></x:complexType></x:element>',
    ],
    ids=["type", "element", "itself", "each other", "group", "number", "doubling"],
)
def test_schemas_without_meaning_are_one_error_of_ours(schema: str) -> None:
    """References to nothing, derivation in a circle and groups that double come to an end."""
    with pytest.raises(ContractError) as caught:
        _rows(schema)
    assert caught.value.code == "CB-215"


def test_many_types_in_a_lattice_are_told_in_linear_length() -> None:
    """Two elements of each next type would be a tree of 2**60 rows; each type is told once."""
    types = "".join(
        f'<x:complexType name="T{n}"><x:sequence><x:element name="A" type="t:T{n + 1}"/>'
        f'<x:element name="B" type="t:T{n + 1}"/></x:sequence></x:complexType>'
        for n in range(60)
    )
    overview = _overview(f'{types}<x:complexType name="T60"/><x:element name="Root" type="t:T0"/>')
    (root,) = overview.roots(*overview.operations("Do"))
    assert len(list(overview.tree(root.element))) == 121


def test_what_nests_too_deep_to_show_is_told() -> None:
    """Groups within groups in each of many types end in an error of ours, not in Python's."""
    opening, closing = "<x:sequence>" * 40, "</x:sequence>" * 40
    types = "".join(
        f'<x:complexType name="T{n}">{opening}<x:element name="A" type="t:T{n + 1}"/>{closing}'
        "</x:complexType>"
        for n in range(60)
    )
    overview = _overview(f'{types}<x:complexType name="T60"/><x:element name="Root" type="t:T0"/>')
    (root,) = overview.roots(*overview.operations("Do"))
    with pytest.raises(ContractError) as caught:
        list(overview.tree(root.element))
    assert caught.value.code == "CB-215"


def test_overloads_arrays_and_headers_of_real_contracts(shared: Callable[[str], Path]) -> None:
    """Kingdee's three logins and SOAP-encoded arrays, NetSuite's headers and abstract record."""
    eas = Overview.load(shared("contracts/kingdee-eas/EASLogin_2021.wsdl"))
    logins = eas.operations("login")
    assert sorted(len(one.input.parts) for one in logins) == [6, 7, 8]
    assert {(one.style, one.use) for one in logins} == {("rpc", "encoded")}
    facade = Overview.load(shared("contracts/kingdee-eas/WSGLWebServiceFacade.wsdl"))
    (posting,) = facade.operations("importVoucher")
    columns = next(row for root in facade.roots(posting) for row in facade.tree(root.element))
    assert columns.array_of.endswith("}WSWSVoucher")
    rows = [row for root in facade.roots(posting) for row in facade.tree(root.element)]
    assert sum(row.path.startswith("col/item/") for row in rows) == 94
    suite = Overview.load(shared("contracts/netsuite-2023.2/netsuite.wsdl"))
    (upsert,) = suite.operations("upsert")
    roots = list(suite.roots(upsert))
    assert "tokenPassport" in [root.element.local for root in roots if root.role == "header"]
    assert len([root for root in roots if root.role == "fault"]) > 5
    record = next(
        row for root in roots for row in suite.tree(root.element) if row.path == "upsert/record"
    )
    assert record.abstract
    assert any(name.endswith("}JournalEntry") for name in record.alternatives)
    assert any(row.path == "JournalEntry/tranId" for row in suite.type_tree("JournalEntry"))


@pytest.mark.parametrize("year", ["2020", "2024"])
def test_saps_limits_are_told(shared: Callable[[str], Path], year: str) -> None:
    """The limits that SAP's README names are in the outline, in either year's contract."""
    sap = Overview.load(shared(f"contracts/sap-journal-entry/{year}.wsdl"))
    (operation,) = sap.offer.operations()
    root = next(root for root in sap.roots(operation) if root.role == "input")
    facets = {row.path.rpartition("/")[2]: row.facets for row in sap.tree(root.element)}
    assert facets["CompanyCode"].max_length == 4
    assert facets["DocumentHeaderText"].max_length == 25


def test_every_validation_of_workday_is_reachable(shared: Callable[[str], Path]) -> None:
    """All 1,874 are listed; per operation exactly those that its request's types lead to."""
    path = shared("contracts/workday-financial-management-v30/Financial_Management.wsdl")
    overview = Overview.load(path)
    assert len(list(overview.all_validations())) == 1874
    root = etree.parse(path).getroot()  # noqa: TID251 - an independent reading of our own file
    (operation,) = overview.operations("Submit_Accounting_Journal")
    told = {one.message for one in overview.validations(operation)}
    assert told == _reachable(root, "Submit_Accounting_Journal_Request")
    assert len(told) > 20
    reached = {
        one.message for each in overview.offer.operations() for one in overview.validations(each)
    }
    requests = (
        each.input.parts[0].element.rpartition("}")[2] for each in overview.offer.operations()
    )
    assert reached == {message for name in requests for message in _reachable(root, name)}


def _reachable(root: etree._Element, element: str) -> set[str]:
    """Return the messages below an element and the types it leads to, by a plain walk."""
    schema = root.find(f".//{{{XS}}}schema")
    assert schema is not None
    named = {node.get("name"): node for node in schema}
    types = {node.get("name"): node for node in schema if str(node.tag).endswith("Type")}
    waiting, seen = [named[element]], set[int]()
    told: set[str] = set()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        for below in node.iter(etree.Element):
            if str(below.tag).endswith("}Validation_Message"):
                told.add(" ".join("".join(below.itertext()).split()))
            for key in ("type", "base"):
                local = below.get(key, "").rpartition(":")[2]
                if local in types:
                    waiting.append(types[local])
    return told
