"""The contract documents themselves: who can load them, and what they refuse."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import pytest
import xmlschema
import zeep
from lxml import etree
from tests.profiles.samples import SERVICE, TYPES, document, message, submission

from claimbridge import xmlio
from claimbridge.contract import Bundle, Contract
from claimbridge.profiles.reference.profile import Reference

WSDL = Path(str(files("claimbridge.wsdl")))
XSD = Path(str(files("claimbridge.xsd")))
OPERATIONS = {"SubmitVoucher", "SubmitVouchers", "QueryVouchers", "ListChanges", "ReverseVoucher"}
XS = "{http://www.w3.org/2001/XMLSchema}"
WS = "{http://schemas.xmlsoap.org/wsdl/}"


@pytest.fixture(scope="module")
def contract() -> Contract:
    return Contract.load(Bundle.from_package("voucher-service.wsdl"))


@pytest.fixture(scope="module")
def voucher(contract: Contract) -> str:
    request = Reference().submit([submission()])
    return contract.render(request.operation, request.body).decode()


@pytest.mark.parametrize("name", ["voucher-service.wsdl", "sap-journal-entry.wsdl"])
def test_zeep_loads_it_with_both_soap_versions(name: str) -> None:
    """A Python client that knows nothing of claimbridge can use the contract."""
    ports = [
        port
        for service in zeep.Client(str(WSDL / name)).wsdl.services.values()  # type: ignore[no-untyped-call]  # zeep has no types
        for port in service.ports.values()
    ]
    assert {type(port.binding).__name__ for port in ports} == {"Soap11Binding", "Soap12Binding"}


def test_the_operations_are_those_of_the_service(contract: Contract) -> None:
    """Five operations, each with a SOAPAction and typed faults of its own."""
    assert set(contract.operations) == OPERATIONS
    assert all(operation.faults for operation in contract.operations.values())
    assert len({operation.soap_action for operation in contract.operations.values()}) == 5


def test_lxml_and_xmlschema_compile_the_schemas() -> None:
    """Both validators take the schemas as they lie on disk, imports included."""
    etree.XMLSchema(file=str(XSD / "voucher-service.xsd"))
    assert xmlschema.XMLSchema(str(XSD / "voucher-service.xsd"), allow="local").is_valid(
        message("QueryVouchersRequest", "<Reference>A</Reference>")
    )


def test_php_serves_it(peer: Callable[..., str]) -> None:
    """PHP's SoapServer and SoapClient take both contracts."""
    php = peer("php", "--ri", "soap")
    for name in ("voucher-service.wsdl", "sap-journal-entry.wsdl"):
        code = "ini_set('soap.wsdl_cache_enabled', '0'); $w = $argv[1];"
        code += "new SoapServer($w); echo count((new SoapClient($w))->__getFunctions());"
        done = subprocess.run([php, "-r", code, str(WSDL / name)], capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")
        assert int(done.stdout) == (10 if name.startswith("voucher") else 2)


def test_whatever_an_implementer_must_know_is_documented() -> None:
    """Every message and fault, every type of more than a value, every operation has its words."""
    service = xmlio.parse((XSD / "voucher-service.xsd").read_bytes())
    operations = xmlio.parse((WSDL / "voucher-service.wsdl").read_bytes())
    faults = [
        e for e in service.iterchildren(f"{XS}element") if e.get("name", "").endswith("Fault")
    ]
    assert len(faults) == 5
    assert all(fault.find(f"{XS}annotation") is not None for fault in faults)
    ports = operations.iterfind(f"{WS}portType/{WS}operation")
    assert all((port.findtext(f"{WS}documentation") or "").strip() for port in ports)


REFUSED = {
    "a side that is neither": (">debit<", ">soll<"),
    "an amount of nothing": ("<n1:Amount>943.40<", "<n1:Amount>0.00<"),
    "a negative amount": ("<n1:Amount>943.40<", "<n1:Amount>-943.40<"),
    "an amount with four decimals": ("<n1:Amount>943.40<", "<n1:Amount>943.4012<"),
    "an amount of nineteen digits": ("<n1:Amount>943.40<", "<n1:Amount>1234567890123456.789<"),
    "NaN": ("<n1:Amount>943.40<", "<n1:Amount>NaN<"),
    "an exponent": ("<n1:Amount>943.40<", "<n1:Amount>9.4E2<"),
    "a currency in small letters": ("<n1:Currency>CNY<", "<n1:Currency>cny<"),
    "a role of its own": (">input_tax<", ">vat<"),
    "a reference with a space": ("Reference>EXP-2026-0042<", "Reference>EXP 2026 0042<"),
    "a reference of 37 characters": ("Reference>EXP-2026-0042<", f"Reference>{'A' * 37}<"),
    "a company of 33 characters": ("Company>1410<", f"Company>{'1' * 33}<"),
    "a code with a space at its end": ("Account>6602010000<", "Account>6602010000 <"),
    "a code with a line break": ("Account>6602010000<", "Account>6602\n10000<"),
    "an impossible day": (">2026-03-31<", ">2026-02-30<"),
    "a day with a zone": (">2026-03-31<", ">2026-03-31+08:00<"),
    "a moment without a zone": ("T09:30:00+08:00<", "T09:30:00<"),
    "revision 0": ("Revision>1<", "Revision>0<"),
    "two postings with one number": ('Number="2"', 'Number="1"'),
    "no Id": (' Id="V1"', ""),
    "an empty text": ("Narration>Hotel<", "Narration><"),
    "a text of 1001 characters": ("Narration>Hotel<", f"Narration>{'x' * 1001}<"),
}


@pytest.mark.parametrize("case", sorted(REFUSED))
def test_a_voucher_that_breaks_a_facet_is_refused(
    contract: Contract, voucher: str, case: str
) -> None:
    """Each rule of the schema is one that the gate really holds."""
    assert contract.check(voucher.encode()) == ()
    old, new = REFUSED[case]
    assert old in voucher
    assert contract.check(voucher.replace(old, new, 1).encode()) != ()


def test_a_reference_stands_once_in_a_batch(contract: Contract, voucher: str) -> None:
    """Two vouchers with one reference, or with one Id, make no batch."""
    one = voucher.partition(">")[2].rpartition("</")[0]
    other = one.replace('"V1"', '"V2"').replace("Reference>EXP", "Reference>TRV")

    def batch(*vouchers: str) -> bytes:
        content = "".join(vouchers).replace("n1:", "v:")
        content = content.replace(f' xmlns:n1="{TYPES}"', "")
        return message("SubmitVouchersRequest", content).encode()

    assert contract.check(batch(one, other)) == ()
    assert contract.check(batch(one, other.replace("TRV", "EXP"))) != ()
    assert contract.check(batch(one, other.replace('"V2"', '"V1"'))) != ()


def test_a_batch_holds_a_hundred(contract: Contract) -> None:
    """The limit is in the schema, not in a document beside it."""
    references = [f"<Reference>R{n}</Reference>" for n in range(101)]
    full = message("QueryVouchersRequest", "".join(references[:100]))
    assert contract.check(full.encode()) == ()
    assert contract.check(message("QueryVouchersRequest", "".join(references)).encode()) != ()


SIGNATURE = (
    '<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo>'
    '<ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>'
    '<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#{method}"/>'
    '<ds:Reference URI="{uri}"><ds:Transforms>'
    '<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/>'
    '<ds:Transform Algorithm="{transform}"/></ds:Transforms>'
    '<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>'
    "<ds:DigestValue>qg==</ds:DigestValue></ds:Reference></ds:SignedInfo>"
    "<ds:SignatureValue>qg==</ds:SignatureValue></ds:Signature>"
)
C14N = "http://www.w3.org/2001/10/xml-exc-c14n#"


@pytest.mark.parametrize(
    ("method", "uri", "transform", "valid"),
    [
        ("rsa-sha256", "#V1", C14N, True),
        ("ecdsa-sha256", "#V1", C14N, True),
        ("rsa-sha1", "#V1", C14N, False),
        ("hmac-sha256", "#V1", C14N, False),
        ("rsa-sha256", "", C14N, False),
        ("rsa-sha256", "http://example.invalid/", C14N, False),
        ("rsa-sha256", "#V1", "http://www.w3.org/TR/1999/REC-xslt-19991116", False),
    ],
)
def test_a_voucher_may_end_with_one_enveloped_signature(
    contract: Contract, voucher: str, *, method: str, uri: str, transform: str, valid: bool
) -> None:
    """Weak algorithms, foreign references and programs as transforms fail the schema already."""
    signature = SIGNATURE.format(method=method, uri=uri, transform=transform)
    signed = voucher.replace("</n1:Voucher>", f"{signature}</n1:Voucher>")
    assert (contract.check(signed.encode()) == ()) is valid
    twice = voucher.replace("</n1:Voucher>", f"{signature * 2}</n1:Voucher>")
    assert contract.check(twice.encode()) != ()


def test_the_replies_of_these_tests_are_valid(contract: Contract) -> None:
    """What other tests hand to the profile is what a server of this contract sends."""
    for status in ("entered", "posted", "paid", "reversed", "rejected"):
        body = message("SubmitVoucherResponse", document(status=status))
        assert contract.check(body.encode()) == ()
    assert SERVICE in body
