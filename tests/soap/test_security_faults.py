"""WS-Security's faults: by their own namespace, in both versions of SOAP."""

from __future__ import annotations

import pytest
from tests.site import SITE

from claimbridge.clock import SYSTEM
from claimbridge.contract import Bundle, Contract
from claimbridge.contract.calls.fault import Fault
from claimbridge.model import Outcome, OutcomeKind
from claimbridge.profiles import PROFILES, load_profile
from claimbridge.profiles.kit.reading import read_untyped
from claimbridge.soap.envelope import NAMESPACES, SOAP11, SOAP12, SoapReply, open_envelope
from claimbridge.soap.transport import HttpAnswer, HttpMessage
from claimbridge.soap.wire import SoapWire

CONTRACT = Contract.load(Bundle.from_package("workday.wsdl"))
WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
WSS11 = "http://docs.oasis-open.org/wss/oasis-wss-wssecurity-secext-1.1.xsd"
DRAFT = "http://schemas.xmlsoap.org/ws/2002/12/secext"
NAMES = (
    "UnsupportedSecurityToken", "UnsupportedAlgorithm", "InvalidSecurity", "InvalidSecurityToken",
    "FailedAuthentication", "FailedCheck", "SecurityTokenUnavailable", "MessageExpired",
)  # fmt: skip


def fault(code: str, *, soap: str = SOAP11, space: str = WSSE) -> Fault:
    """The fault of a message with this code; ``space`` is what its prefix ``s`` stands for."""
    written = {
        SOAP11: f"<faultcode>{code}</faultcode><faultstring>who?</faultstring>",
        SOAP12: f"<e:Code><e:Value>e:Sender</e:Value><e:Subcode><e:Value>{code}</e:Value>"
        "</e:Subcode></e:Code><e:Reason><e:Text xml:lang='en'>who?</e:Text></e:Reason>",
    }[soap]
    message = (
        f'<e:Envelope xmlns:e="{NAMESPACES[soap]}" xmlns:s="{space}"><e:Body><e:Fault>{written}'
        "</e:Fault></e:Body></e:Envelope>"
    )
    found = SoapReply(open_envelope(message.encode())).content(CONTRACT)
    assert isinstance(found, Fault)
    return found


@pytest.mark.parametrize("typed", [True, False])
@pytest.mark.parametrize("space", [WSSE, WSS11, DRAFT])
@pytest.mark.parametrize("soap", [SOAP11, SOAP12])
@pytest.mark.parametrize("name", NAMES)
def test_a_refused_security_header_is_not_delivered(
    name: str, soap: str, space: str, typed: bool
) -> None:
    """For any profile: nothing was read of the request, and it is useless to repeat it."""
    outcome = read_untyped(fault(f"s:{name}", soap=soap, space=space), typed=typed)
    assert (outcome.kind, outcome.retry_is_useless) == (OutcomeKind.NOT_DELIVERED, True)
    assert "who?" in outcome.text


def test_a_prefix_that_was_forgotten_is_the_standards_own() -> None:
    """Servers write ``wsse:FailedAuthentication`` without declaring the prefix."""
    assert fault("wsse:FailedAuthentication").at_door
    assert not fault("x:FailedAuthentication").at_door


@pytest.mark.parametrize("soap", [SOAP11, SOAP12])
@pytest.mark.parametrize(
    ("code", "space"),
    [
        ("s:FailedCheck", "urn:example:checks"),
        ("s:SomethingElse", WSSE),
        ("FailedCheck", WSSE),
        ("e:FailedCheck", WSSE),
    ],
)
def test_another_code_of_that_name_says_nothing(code: str, space: str, soap: str) -> None:
    """A check that failed in an ERP of that word may come after the posting."""
    found = fault(code, soap=soap, space=space)
    assert not found.at_door
    assert read_untyped(found, typed=True).kind is OutcomeKind.UNKNOWN


def test_all_names_of_a_failure_are_known() -> None:
    """The code's parts between dots in SOAP 1.1, and the subcodes of 1.2."""
    assert fault("e:Client.authenticationError").kinds == {"Client", "authenticationError"}
    assert fault("s:badLogin", soap=SOAP12).kinds == {"Sender", "badLogin"}


def answered(status: int) -> Outcome:
    """What an untyped Server fault means that came under an HTTP status."""
    text = (
        f'<e:Envelope xmlns:e="{NAMESPACES[SOAP11]}"><e:Body><e:Fault><faultcode>e:Server'
        "</faultcode><faultstring>Logon failed</faultstring></e:Fault></e:Body></e:Envelope>"
    )
    wire = SoapWire(version=SOAP11, clock=SYSTEM)
    answer = HttpAnswer(status, {"content-type": "text/xml"}, text.encode())
    asked = HttpMessage("", {}, b"", asked=SYSTEM.now())
    found = wire.open(answer, asked).content(CONTRACT)
    assert isinstance(found, Fault)
    return read_untyped(found)


@pytest.mark.parametrize("status", [401, 407])
def test_a_fault_under_401_was_made_at_the_door(status: int) -> None:
    """RFC 9110 §15.5.2: the request has not been applied, whatever the fault's class."""
    outcome = answered(status)
    assert (outcome.kind, outcome.retry_is_useless) == (OutcomeKind.NOT_DELIVERED, True)
    assert "Logon failed" in outcome.text


@pytest.mark.parametrize("status", [400, 403, 500])
def test_under_any_other_status_it_is_not(status: int) -> None:
    """A firewall that inspects answers sends 403, after the ERP has committed."""
    assert answered(status).kind is OutcomeKind.UNKNOWN


@pytest.mark.parametrize("name", sorted(PROFILES))
def test_every_profile_of_ours_reads_it_so(name: str) -> None:
    """Whatever else an ERP's faults say."""
    outcome = load_profile(name, SITE.get(name, {})).read_fault(fault("wsse:InvalidSecurity"))
    assert (outcome.kind, outcome.retry_is_useless) == (OutcomeKind.NOT_DELIVERED, True)
