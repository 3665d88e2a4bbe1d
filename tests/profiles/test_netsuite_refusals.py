"""What NetSuite refuses before it does anything, what proves nothing, and who has approved."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.profiles.samples import TRIP, submission

from claimbridge.contract import Bundle, Contract
from claimbridge.contract.calls.fault import Fault
from claimbridge.contract.calls.replies import Reply
from claimbridge.ledger.drifts import Drifts
from claimbridge.model import Outcome, OutcomeKind
from claimbridge.profiles.netsuite.journal_entries import NetSuite
from claimbridge.profiles.netsuite.replies import NOT_ADMITTED
from claimbridge.xmlio import parse

OURS = Contract.load(Bundle.from_package("netsuite.wsdl"))
MSG = 'xmlns="urn:messages_2023_2.platform.webservices.netsuite.com"'
CORE = 'xmlns:c="urn:core_2023_2.platform.webservices.netsuite.com"'
K = OutcomeKind
PLAIN = replace(TRIP, postings=tuple(replace(one, dimensions={}) for one in TRIP.postings))
REF = '<baseRef internalId="973" externalId="R-1" type="journalEntry"/>'


def detail(code: str, more: str = "") -> str:
    told = f"<c:code>{code}</c:code><c:message>no</c:message>{more}"
    return f'<c:statusDetail type="ERROR">{told}</c:statusDetail>'


def refused(*details: str) -> str:
    status = f'<c:status isSuccess="false">{"".join(details)}</c:status>'
    return f"<writeResponse {MSG} {CORE}>{status}</writeResponse>"


def written(*parts: str) -> Reply:
    return OURS.reply(parse(f"<upsertResponse {MSG}>{''.join(parts)}</upsertResponse>".encode()))


def of_job(*parts: str) -> Reply:
    inner = f"<asyncResult><writeResponseList>{''.join(parts)}</writeResponseList></asyncResult>"
    document = f"<getAsyncResultResponse {MSG}>{inner}</getAsyncResultResponse>"
    return OURS.reply(parse(document.encode()))


@pytest.mark.parametrize("code", sorted(NOT_ADMITTED))
def test_who_may_not_is_not_delivered(code: str) -> None:
    """The claim is in order; the same request fails again until somebody changes the role."""
    (outcome,) = NetSuite().read(written(refused(detail(code))))
    assert (outcome.kind, outcome.retry_is_useless) == (K.NOT_DELIVERED, True)
    assert code in outcome.text


def test_every_code_of_the_door_is_one_of_the_contract(shared: Callable[[str], Path]) -> None:
    """Nothing is made up: NetSuite lists its codes in the contract."""
    text = shared("contracts/netsuite-2023.2/xsd/platform.faultTypes.xsd").read_text()
    assert [code for code in sorted(NOT_ADMITTED) if f'value="{code}"' not in text] == []


@pytest.mark.parametrize("code", ["INSUFFICIENT_PERMISSION", "INVALID_LOGIN_ATTEMPT"])
def test_within_a_job_or_after_saving_it_proves_nothing(code: str) -> None:
    """The job was let in; a script that ran after saving leaves the record where it is."""
    assert [one.kind for one in NetSuite().read(of_job(refused(detail(code))))] == [K.UNKNOWN]
    late = detail(code, "<c:afterSubmitFailed>true</c:afterSubmitFailed>")
    assert [one.kind for one in NetSuite().read(written(refused(late)))] == [K.UNKNOWN]


@pytest.mark.parametrize(
    "codes",
    [
        ["USER_ERROR"],
        ["INVALID_KEY_OR_REF"],
        ["INSUFFICIENT_PERMISSION", "USER_ERROR"],
    ],
)
def test_what_is_about_the_claim_stays_a_refusal(codes: list[str]) -> None:
    """USER_ERROR is about what was sent; so is a refusal that gives both kinds of reasons."""
    (outcome,) = NetSuite().read(written(refused(*map(detail, codes))))
    assert outcome.kind is K.REJECTED
    assert [reason.code for reason in outcome.reasons] == codes


def axis(name: str = "hostname") -> Reply:
    return Reply(parse(f'<x:{name} xmlns:x="http://xml.apache.org/axis/">h</x:{name}>'.encode()))


def typed(name: str) -> Reply:
    uri = "urn:faults_2023_2.platform.webservices.netsuite.com"
    return Reply(
        parse(f'<{name} xmlns="{uri}"><code>C</code><message>m</message></{name}>'.encode())
    )


SAX = "org.xml.sax.SAXException: memo is not a legal element"


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault("Server.userException", SAX, axis()), K.REJECTED),
        (Fault("Server.userException", SAX), K.REJECTED),
        (Fault("Receiver", SAX, axis("stackTrace")), K.REJECTED),
        # A gateway says the same of NetSuite's answer: it was a page, or cut off.
        *(
            (Fault("Server.userException", f"org.xml.sax.{words}", axis()), K.UNKNOWN)
            for words in (
                "SAXParseException; lineNumber: 1",
                "SAXParseException: Content is not allowed in prolog.",
                "SAXParseException: Premature end of file.",
                "SAXException: Fatal Error: URI=null Line=1: memo is not a legal element",
                "SAXException: Deserializing parameter 'x': could not find deserializer",
                "SAXException: Bad envelope tag: html",
            )
        ),
        (Fault("Server.userException", f"java.io.IOException: {SAX}"), K.REJECTED),
        # A typed detail says more than the words; it may come after the commit.
        (Fault("Server", SAX, typed("unexpectedErrorFault")), K.UNKNOWN),
        (Fault("Server", SAX, typed("anotherFault")), K.UNKNOWN),
        # Words elsewhere in the text are a script's, or a person's.
        (Fault("Server.userException", f"script failed: {SAX}", axis()), K.UNKNOWN),
        (Fault("Server.userException", "java.lang.NullPointerException", axis()), K.UNKNOWN),
    ],
)
def test_a_request_that_cannot_be_read_is_our_fault(fault: Fault, kind: OutcomeKind) -> None:
    """The reader of XML comes before everything else; nothing else is concluded from words."""
    outcome = NetSuite().read_fault(fault)
    assert outcome.kind is kind
    if kind is K.REJECTED:
        assert "the claim is not the reason" in str(outcome.reasons[0])


# --- approval -------------------------------------------------------------------------------

DONE = f'<writeResponse {MSG} {CORE}><c:status isSuccess="true"/>{REF}</writeResponse>'


def after_sending(profile: NetSuite, *, without: str = "") -> Outcome:
    """What a written record is taken for; ``without``: the ledger has left a field out."""
    request = profile.submit([submission(PLAIN, reference="R-1")])
    record = {name: value for name, value in request.body["record"].items() if name != without}
    talk = profile.converse(replace(request, body={"record": record}))
    talk.send(None)
    try:
        talk.send(written(DONE))
    except StopIteration as end:
        (outcome,) = end.value
        assert isinstance(outcome, Outcome)
        return outcome
    raise AssertionError("it goes on")


def test_nothing_is_posted_that_was_not_approved() -> None:
    """Without ``approved`` in what was sent, a written entry waits, whoever left it out."""
    assert after_sending(NetSuite()).kind is K.POSTED
    assert after_sending(NetSuite(), without="approved").kind is K.ACKNOWLEDGED
    assert after_sending(NetSuite(approved=False)).kind is K.ACKNOWLEDGED
    assert after_sending(NetSuite(approved="site")).kind is K.ACKNOWLEDGED


@pytest.mark.parametrize(("record", "field"), [("journal-entry", "approved")])
def test_the_site_decides_about_approval(record: Any, field: str) -> None:
    """``approved = "site"`` sends nothing of it."""
    request = NetSuite(record=record, approved="site").submit([submission(PLAIN)])
    assert field not in request.body["record"]


@pytest.mark.parametrize("approved", [True, False, "site"])
def test_only_an_approval_that_is_shown_makes_an_entry_posted(approved: Any) -> None:
    """Where ``omit`` took ``approved`` out, the write was acknowledged; asking does not post it."""
    profile = NetSuite(approved=approved)
    for shown, kind in (("true", K.POSTED), ("false", K.ACKNOWLEDGED), ("", K.ACKNOWLEDGED)):
        general = "urn:general_2023_2.transactions.webservices.netsuite.com"
        told = f'<approved xmlns="{general}">{shown}</approved>' if shown else ""
        document = (
            f"<getListResponse {MSG} {CORE}><readResponseList><readResponse><c:status "
            f'isSuccess="true"/><record internalId="973" externalId="R-1">{told}</record>'
            "</readResponse></readResponseList></getListResponse>"
        )
        (outcome,) = profile.read(OURS.reply(parse(document.encode())))
        assert outcome.kind is kind, shown


def test_a_report_whose_approval_is_the_sites() -> None:
    """Neither the approval nor the payable's account, which only an approval may name."""
    paid = replace(PLAIN, postings=tuple(replace(one, dimensions={}) for one in PLAIN.postings))
    profile = NetSuite(record="expense-report", approved="site")
    record = profile.submit([submission(paid, reference="R-1")]).body["record"]
    assert not {"accountingApproval", "account"} & record.keys()


# --- drift ----------------------------------------------------------------------------------


def test_a_namespace_that_is_left_out_is_told_once() -> None:
    """At whatever element, in whatever reply of the ledger's life; each place is still counted."""
    drifts = Drifts("US01")
    bare = parse(b"<upsertResponse><writeResponse/></upsertResponse>")
    other = parse(b"<getListResponse><readResponseList/></getListResponse>")
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        for element in (bare, other, bare):
            drifts.note(one for one in OURS.drift(element) if "namespace" in one)
    assert len(told) == 1
    assert sorted(drifts.counts().values()) == [1, 2]
