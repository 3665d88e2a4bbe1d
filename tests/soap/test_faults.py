"""Faults of both versions, as real servers send them, tidy or not."""

from __future__ import annotations

import pytest

from claimbridge.soap.envelope import NAMESPACES, SOAP11, SOAP12, open_envelope
from claimbridge.soap.faults import SoapFault


def fault(inside: str, version: str, *, envelope: str = "") -> SoapFault:
    inner, outer = NAMESPACES[version], NAMESPACES[envelope or version]
    opened = open_envelope(
        f'<e:Envelope xmlns:e="{outer}"><e:Body>'
        f'<s:Fault xmlns:s="{inner}">{inside}</s:Fault></e:Body></e:Envelope>'.encode()
    )
    assert opened.body is None
    assert opened.fault is not None
    return opened.fault


def test_soap_1_1() -> None:
    """Code, reason, actor and the first element of the detail, by SOAP 1.1 §4.4."""
    read = fault(
        "<faultcode>s:Client</faultcode><faultstring xml:lang='en'> period closed </faultstring>"
        "<faultactor>urn:ledger</faultactor>"
        "<detail>\n<!-- c --><r:Rejected xmlns:r='urn:r'><r:Reason>x</r:Reason></r:Rejected>"
        "<other/></detail>",
        SOAP11,
    )
    assert (read.code, read.reason, read.role) == ("Client", "period closed", "urn:ledger")
    assert read.detail_name == "{urn:r}Rejected"
    assert read.detail is not None
    assert read.detail.text("Reason") == "x"
    assert read.subcodes == ()


def test_soap_1_2() -> None:
    """Code, subcodes, the English reason, role and detail, by SOAP 1.2 Part 1 §5.4."""
    read = fault(
        "<s:Code><s:Value>s:Receiver</s:Value><s:Subcode><s:Value>a:Outer</s:Value>"
        "<s:Subcode><s:Value>a:Inner</s:Value></s:Subcode></s:Subcode></s:Code>"
        "<s:Reason><s:Text xml:lang='zh'>忙</s:Text><s:Text xml:lang='en-GB'>busy</s:Text>"
        "</s:Reason><s:Node>urn:node</s:Node><s:Role>urn:role</s:Role>"
        "<s:Detail><r:Throttled xmlns:r='urn:r'/></s:Detail>",
        SOAP12,
    )
    assert (read.code, read.reason, read.role) == ("Receiver", "busy", "urn:role")
    assert read.subcodes == ("Outer", "Inner")
    assert read.detail_name == "{urn:r}Throttled"


def test_a_fault_of_the_other_version_is_a_fault() -> None:
    """A gateway that wraps a 1.2 Fault into a 1.1 envelope is understood."""
    read = fault(
        "<s:Code><s:Value>s:Sender</s:Value></s:Code><s:Reason><s:Text>no</s:Text></s:Reason>",
        SOAP12,
        envelope=SOAP11,
    )
    assert (read.code, read.reason) == ("Sender", "no")


@pytest.mark.parametrize(
    ("inside", "code", "reason"),
    [
        ("", "", ""),
        ("<faultcode/><faultstring/><detail/>", "", ""),
        ("<faultcode>soapenv:Server.userException</faultcode>", "Server.userException", ""),
        ("<s:faultcode>s:Server</s:faultcode><s:faultstring>x</s:faultstring>", "Server", "x"),
        ("<faultcode>-1</faultcode><faultstring>a<!-- -->b</faultstring>", "-1", "ab"),
        ("<detail>just text</detail>", "", ""),
    ],
)
def test_what_a_fault_lacks_is_empty(inside: str, code: str, reason: str) -> None:
    """A Fault is never unreadable for what it leaves out or qualifies."""
    read = fault(inside, SOAP11)
    assert (read.code, read.reason) == (code, reason)
    assert read.detail is None
    assert read.detail_name == ""
