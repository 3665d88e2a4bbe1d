"""Small contracts in memory, of which tests change one thing."""

from __future__ import annotations

from claimbridge.contract import Bundle, Contract
from claimbridge.contract.study.generation import Generation

ENTRY = """
  <xs:element name="Number" type="xs:int"/>
  <xs:element name="Text" type="Short" minOccurs="0"/>
  <xs:element name="Item" type="Item" maxOccurs="unbounded"/>
"""
ITEM = """
  <xs:element name="Account" type="Short"/>
  <xs:element name="Amount" type="Amount"/>
  <xs:element name="Tax" type="xs:string" minOccurs="0"/>
"""
SHORT = '<xs:maxLength value="10"/>'
CURRENCY = '<xs:attribute name="currency" type="xs:string" use="required"/>'
ANSWER = """
  <xs:element name="Id" type="xs:string"/>
  <xs:element name="Status" type="Status"/>
  <xs:element name="Note" type="xs:string" minOccurs="0"/>
"""
STATUS = '<xs:enumeration value="posted"/><xs:enumeration value="refused"/>'
MORE_TYPES = ""

_WSDL = """<wsdl:definitions xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/"
  xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" xmlns:xs="http://www.w3.org/2001/XMLSchema"
  xmlns="urn:books" xmlns:b="urn:books" targetNamespace="urn:books">
 <wsdl:types><xs:schema targetNamespace="urn:books" elementFormDefault="qualified">
  <xs:element name="Post"><xs:complexType><xs:sequence>{entry}</xs:sequence></xs:complexType>
  </xs:element>
  <xs:element name="Posted"><xs:complexType><xs:sequence>{answer}</xs:sequence></xs:complexType>
  </xs:element>
  <xs:complexType name="Item"><xs:sequence>{item}</xs:sequence></xs:complexType>
  <xs:complexType name="Amount"><xs:simpleContent><xs:extension base="xs:decimal">{currency}
  </xs:extension></xs:simpleContent></xs:complexType>
  <xs:simpleType name="Short"><xs:restriction base="xs:string">{short}</xs:restriction>
  </xs:simpleType>
  <xs:simpleType name="Status"><xs:restriction base="xs:string">{status}</xs:restriction>
  </xs:simpleType>{more_types}
 </xs:schema></wsdl:types>
 <wsdl:message name="In"><wsdl:part name="p" element="b:Post"/></wsdl:message>
 <wsdl:message name="Out"><wsdl:part name="p" element="b:Posted"/></wsdl:message>
 <wsdl:portType name="Books"><wsdl:operation name="{operation}"><wsdl:input message="b:In"/>
  <wsdl:output message="b:Out"/></wsdl:operation></wsdl:portType>
 <wsdl:binding name="B" type="b:Books">
  <soap:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>
  <wsdl:operation name="{operation}"><soap:operation soapAction="{action}"/>
   <wsdl:input><soap:body use="literal"/></wsdl:input>
   <wsdl:output><soap:body use="literal"/></wsdl:output></wsdl:operation></wsdl:binding>
 <wsdl:service name="S"><wsdl:port name="P" binding="b:B">
  <soap:address location="http://127.0.0.1/"/></wsdl:port></wsdl:service>
</wsdl:definitions>"""


def bundle(
    *,
    entry: str = ENTRY,
    item: str = ITEM,
    short: str = SHORT,
    currency: str = CURRENCY,
    answer: str = ANSWER,
    status: str = STATUS,
    more_types: str = MORE_TYPES,
    operation: str = "Post",
    action: str = "",
) -> Bundle:
    """The contract of a small ERP, with the parts that are given."""
    text = _WSDL.format(
        entry=entry, item=item, short=short, currency=currency, answer=answer, status=status,
        more_types=more_types, operation=operation, action=action,
    )  # fmt: skip
    return Bundle.from_files("books.wsdl", {"books.wsdl": text.encode()})


def opened(made: Bundle) -> tuple[Contract, Generation]:
    """The contract and its outline."""
    contract = Contract.load(made)
    return contract, Generation.load(made)


def generation(**parts: str) -> Generation:
    """The outline of the small ERP's contract, with the parts that are given."""
    return opened(bundle(**parts))[1]
