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
CREDENTIALS = (
    "UnsupportedSecurityToken", "UnsupportedAlgorithm", "InvalidSecurityToken",
    "FailedAuthentication", "SecurityTokenUnavailable",
)  # fmt: skip
OF_ONE_COPY = ("InvalidSecurity", "FailedCheck", "MessageExpired")
"""What a node also says of a second copy, or of the answer that it passes on."""


def message(code: str, *, soap: str = SOAP11, space: str = WSSE, outer: str = "Sender") -> bytes:
    """A message with this code; ``space`` is what its prefix ``s`` stands for.

    In SOAP 1.2, ``code`` is each subcode within ``outer``, from the outermost.
    """
    inner = ""
    for one in reversed(code.split()):
        inner = f"<e:Subcode><e:Value>{one}</e:Value>{inner}</e:Subcode>"
    written = {
        SOAP11: f"<faultcode>{code}</faultcode><faultstring>who?</faultstring>",
        SOAP12: f"<e:Code><e:Value>e:{outer}</e:Value>{inner}</e:Code>"
        "<e:Reason><e:Text xml:lang='en'>who?</e:Text></e:Reason>",
    }[soap]
    return (
        f'<e:Envelope xmlns:e="{NAMESPACES[soap]}" xmlns:s="{space}"><e:Body><e:Fault>{written}'
        "</e:Fault></e:Body></e:Envelope>"
    ).encode()


def fault(code: str, *, soap: str = SOAP11, space: str = WSSE, outer: str = "Sender") -> Fault:
    """The fault of such a message."""
    envelope = open_envelope(message(code, soap=soap, space=space, outer=outer))
    found = SoapReply(envelope).content(CONTRACT)
    assert isinstance(found, Fault)
    return found


@pytest.mark.parametrize("typed", [True, False])
@pytest.mark.parametrize("space", [WSSE, WSS11, DRAFT])
@pytest.mark.parametrize("soap", [SOAP11, SOAP12])
@pytest.mark.parametrize("name", CREDENTIALS)
def test_refused_credentials_are_not_delivered(
    name: str, soap: str, space: str, typed: bool
) -> None:
    """For any profile: nothing was read of the request, and it is useless to repeat it."""
    outcome = read_untyped(fault(f"s:{name}", soap=soap, space=space), typed=typed)
    assert (outcome.kind, outcome.retry_is_useless) == (OutcomeKind.NOT_DELIVERED, True)
    assert "who?" in outcome.text


@pytest.mark.parametrize("typed", [True, False])
@pytest.mark.parametrize("space", [WSSE, WSS11, DRAFT])
@pytest.mark.parametrize("soap", [SOAP11, SOAP12])
@pytest.mark.parametrize("name", OF_ONE_COPY)
def test_what_is_also_said_of_a_second_copy_proves_nothing(
    name: str, soap: str, space: str, typed: bool
) -> None:
    """A proxy sent the request twice: the ERP took the first, and refuses the second as a replay.

    Or a bus could not verify the ERP's answer, and says so in the words for a request.
    """
    outcome = read_untyped(fault(f"s:{name}", soap=soap, space=space), typed=typed)
    assert (outcome.kind, outcome.retry_is_useless) == (OutcomeKind.UNKNOWN, False)
    assert "who?" in outcome.text


@pytest.mark.parametrize("code", [f"s:{name}" for name in (*CREDENTIALS, *OF_ONE_COPY)])
def test_a_receiver_that_failed_proves_nothing(code: str) -> None:
    """What failed is the other side, perhaps on its way back from the ERP."""
    found = fault(code, soap=SOAP12, outer="Receiver")
    assert not found.at_door
    assert read_untyped(found).kind is OutcomeKind.UNKNOWN


def test_of_two_security_codes_the_doubtful_one_counts() -> None:
    """The inner one says what the outer one means."""
    for code in ("s:InvalidSecurityToken s:MessageExpired", "s:FailedCheck s:FailedAuthentication"):
        assert read_untyped(fault(code, soap=SOAP12)).kind is OutcomeKind.UNKNOWN


def test_who_sends_no_security_header_is_not_refused_for_it() -> None:
    """Then the code is about another message: what a bus sends to the ERP, or gets from it."""
    asked = HttpMessage("", {}, b"", asked=SYSTEM.now())
    for soap in (SOAP11, SOAP12):
        text = message("s:FailedAuthentication", soap=soap)
        answer = HttpAnswer(500, {"content-type": "text/xml"}, text)
        for token, kind in ((None, OutcomeKind.UNKNOWN), (bytes, OutcomeKind.NOT_DELIVERED)):
            found = SoapWire(version=soap, token=token, clock=SYSTEM).open(answer, asked)
            content = found.content(CONTRACT)
            assert isinstance(content, Fault)
            assert read_untyped(content).kind is kind


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
    profile = load_profile(name, SITE.get(name, {}))
    outcome = profile.read_fault(fault("wsse:FailedAuthentication"))
    assert (outcome.kind, outcome.retry_is_useless) == (OutcomeKind.NOT_DELIVERED, True)
    for code in OF_ONE_COPY:
        for soap in (SOAP11, SOAP12):
            assert profile.read_fault(fault(f"s:{code}", soap=soap)).kind is OutcomeKind.UNKNOWN
