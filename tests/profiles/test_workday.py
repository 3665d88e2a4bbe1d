"""Workday's profile, without a wire: what it asks for, and what it reads from answers."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from tests.profiles.samples import TRIP, submission

from claimbridge.contract import Bundle, Contract
from claimbridge.contract.calls.fault import Fault
from claimbridge.contract.calls.replies import Reply
from claimbridge.errors import ClaimError
from claimbridge.model import OutcomeKind
from claimbridge.profiles.kit.sourced import field_at
from claimbridge.profiles.workday.profile import Workday
from claimbridge.xmlio import parse

OURS = Contract.load(Bundle.from_package("workday.wsdl"))
WD = 'xmlns:wd="urn:com.workday/bsvc"'


def read(document: str) -> list[tuple[OutcomeKind, str | None]]:
    outcomes = Workday().read(OURS.reply(parse(document.encode())))
    return [(one.kind, one.reference) for one in outcomes]


def journal(status: str, number: str = "J-1", more: str = "") -> str:
    return (
        f"<wd:Get_Journals_Response {WD}><wd:Response_Data><wd:Journal_Entry>"
        f"<wd:Journal_Entry_Data><wd:Journal_Number>{number}</wd:Journal_Number>"
        "<wd:Journal_Status_Reference>"
        f'<wd:ID wd:type="Journal_Entry_Status_ID">{status}</wd:ID></wd:Journal_Status_Reference>'
        f"<wd:External_Reference_ID>R-1</wd:External_Reference_ID>{more}"
        "</wd:Journal_Entry_Data></wd:Journal_Entry></wd:Response_Data></wd:Get_Journals_Response>"
    )


def fault(*xpaths: str) -> Fault:
    errors = "".join(
        f"<wd:Validation_Error><wd:Message>no</wd:Message><wd:Xpath>{one}</wd:Xpath>"
        "</wd:Validation_Error>"
        for one in xpaths
    )
    detail = parse(f"<wd:Validation_Fault {WD}>{errors}</wd:Validation_Fault>".encode())
    return Fault(code="Client", reason="Validation error occurred", detail=Reply(detail))


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        (journal("Posted"), OutcomeKind.POSTED),
        (journal("Posted", number=""), OutcomeKind.UNKNOWN),
        (journal("In_Progress"), OutcomeKind.ACKNOWLEDGED),
        (journal("Denied"), OutcomeKind.REJECTED),
        (journal("Somewhere"), OutcomeKind.UNKNOWN),
        (journal(""), OutcomeKind.UNKNOWN),
        (
            journal(
                "Posted",
                more='<wd:Cancel_Reversed_By_Journal_Entry_Reference><wd:ID wd:type="WID">9</wd:ID>'
                "</wd:Cancel_Reversed_By_Journal_Entry_Reference>",
            ),
            OutcomeKind.REVERSED,
        ),
    ],
)
def test_only_a_number_and_a_known_status_are_evidence(document: str, kind: OutcomeKind) -> None:
    """What Workday shows without either is unknown, and never posted or absent."""
    assert read(document) == [(kind, "R-1")]


def test_an_empty_answer_is_no_absence() -> None:
    """That there is no journal must be said."""
    empty = f"<wd:Get_Journals_Response {WD}/>"
    assert read(empty) == [(OutcomeKind.UNKNOWN, None)]
    assert read(f"<wd:Submit_Accounting_Journal_Response {WD}/>") == [(OutcomeKind.UNKNOWN, None)]
    assert read(f"<wd:Other {WD}/>") == [(OutcomeKind.UNKNOWN, None)]


@pytest.mark.parametrize(
    ("xpaths", "kind"),
    [
        (("/wd:Submit_Accounting_Journal_Request/wd:Accounting_Journal_Data"
          "/wd:Accounting_Journal_ID",), OutcomeKind.DUPLICATE),
        (("/wd:Get_Journals_Request/wd:Request_References/wd:JournalEntryReference[1]/wd:ID",),
         OutcomeKind.ABSENT),
        (("/wd:Submit_Accounting_Journal_Request/wd:Accounting_Journal_Data"
          "/wd:Accounting_Journal_ID", "/wd:Submit_Accounting_Journal_Request/wd:Other"),
         OutcomeKind.UNKNOWN),
        (("",), OutcomeKind.UNKNOWN),
    ],
)  # fmt: skip
def test_the_place_of_an_error_says_what_it_is(xpaths: tuple[str, ...], kind: OutcomeKind) -> None:
    """At the journal's id it is a repeat; at the reference asked for, an absence; else a no."""
    assert Workday().read_fault(fault(*xpaths)).kind is kind


def test_a_processing_fault_says_nothing() -> None:
    """It may come after the commit."""
    detail = parse(f"<wd:Processing_Fault {WD}/>".encode())
    found = Fault(code="Server", reason="busy", detail=Reply(detail))
    assert Workday().read_fault(found).kind is OutcomeKind.UNKNOWN


def test_what_a_journal_cannot_hold_is_refused() -> None:
    """Several currencies, and a dimension that no worktag is named for."""
    plain = [replace(one, dimensions={}) for one in TRIP.postings]
    dollars = [replace(one, currency="USD") for one in plain]
    several = replace(TRIP, postings=(*plain, *dollars))
    with pytest.raises(ClaimError, match="CB-165"):
        Workday().submit([submission(several)])
    local = [replace(one, dimensions={"region": "EMEA"}) for one in plain]
    regional = replace(TRIP, postings=tuple(local))
    with pytest.raises(ClaimError, match="CB-166"):
        Workday().submit([submission(regional)])
    taking = Workday(worktags={"region": "Region_Reference_ID"})
    request = taking.submit([submission(regional)])
    body = OURS.render(request.operation, request.body)
    assert b'type="Region_Reference_ID">EMEA<' in body
    assert OURS.check(body) == ()


def test_an_xpath_leads_to_its_claim_field() -> None:
    """Whatever the prefixes, the root, and whether a first element is counted."""
    sources = {"Data/Line[2]/Account/ID": "lines[1].type", "Data/Date": "posting_date"}
    assert field_at(sources, "/p:Request/p:Data/p:Line[2]/p:Account") == "lines[1].type"
    assert field_at(sources, "wd:Request/wd:Data[1]/wd:Date") == "posting_date"
    assert field_at(sources, "/Request/Data/Nothing") == ""
    assert field_at(sources, "") == ""
