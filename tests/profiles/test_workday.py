"""Workday's profile, without a wire: what it asks for, and what it reads from answers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.profiles.samples import TRIP, reversal, submission

from claimbridge.contract import Bundle, Contract
from claimbridge.errors import ClaimError, ConfigurationError
from claimbridge.model import OutcomeKind, Role
from claimbridge.profiles import load_profile
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


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        (journal("Posted"), OutcomeKind.POSTED),
        (journal("Posted", number=""), OutcomeKind.UNKNOWN),
        (journal("POSTED", number="LE111 JRNL 2024 000002"), OutcomeKind.POSTED),
        (journal("In_Progress"), OutcomeKind.ACKNOWLEDGED),
        (journal("IN_PROGRESS"), OutcomeKind.ACKNOWLEDGED),
        (journal("CANCELED"), OutcomeKind.REJECTED),
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


ROLES = {
    "expense": {"Spend_Category_ID": "Travel", "Project_ID": "P-0"},
    "employee_payable": {"Fund_ID": "F1"},
}


def rendered(**options: Any) -> str:
    profile = load_profile("workday", options)
    plain = tuple(replace(one, dimensions={}) for one in TRIP.postings)
    request = profile.submit([submission(replace(TRIP, postings=plain))])
    body = OURS.render(request.operation, request.body)
    assert OURS.check(body) == ()
    return body.decode()


def test_worktags_by_role_fill_up_what_a_line_does_not_have() -> None:
    """A default spend category goes to each expense; the project of a posting goes first."""
    own, body = rendered(), rendered(worktags_by_role=ROLES)
    expenses = sum(one.role is Role.EXPENSE for one in TRIP.postings)
    without = sum(one.role is Role.EXPENSE and not one.project for one in TRIP.postings)
    payables = sum(one.role is Role.EMPLOYEE_PAYABLE for one in TRIP.postings)
    assert body.count('type="Spend_Category_ID">Travel<') == expenses > 0
    assert body.count('type="Project_ID">P-0<') == without
    assert body.count('type="Project_ID">P-7<') == own.count('type="Project_ID">P-7<') > 0
    assert body.count('type="Fund_ID">F1<') == payables > 0


@pytest.mark.parametrize("in_lines", [True, False])
def test_a_reversal_names_the_journal_that_it_takes_back(in_lines: bool) -> None:
    """In its lines, or in its memo at tenants that refuse it there."""
    taken = reversal()
    plain = tuple(replace(one, dimensions={}) for one in taken.voucher.postings)
    whole = replace(taken, voucher=replace(taken.voucher, postings=plain))
    request = Workday(line_references=in_lines).reverse(whole)
    body = OURS.render(request.operation, request.body)
    assert OURS.check(body) == ()
    text = body.decode()
    assert text.count("External_Reference_ID>0100000008<") == (len(plain) if in_lines else 0)
    assert ("(reverses 0100000008)<" in text) is not in_lines


def test_requests_name_the_version_of_the_endpoint() -> None:
    """In both calls."""
    assert 'version="v30.0"' in rendered()
    assert 'version="v42.1"' in rendered(version="v42.1")
    question = Workday(version="v42.1").query(["R-1"])
    assert question.body["@version"] == "v42.1"


def test_auto_complete_is_asked_for_only_where_it_is_set() -> None:
    """Without the option nothing is said of the business process."""
    assert "Business_Process_Parameters" not in rendered(auto_complete=False)
    assert "Auto_Complete>true<" in rendered(auto_complete=True)


@pytest.mark.parametrize(
    "options",
    [
        {"worktags_by_role": {"expenses": {"Spend_Category_ID": "T"}}},
        {"worktags_by_role": {"expense": {"Spend_Category_ID": " "}}},
        {"worktags_by_role": {"expense": {"": "T"}}},
        {"worktags_by_role": {"expense": "T"}},
        {"worktags": {"region": ""}},
        {"auto_complete": "perhaps"},
        {"version": "30"},
    ],
)
def test_wrong_options_are_refused_when_loaded(options: dict[str, Any]) -> None:
    """A role that does not exist, and a worktag without type or value."""
    with pytest.raises(ConfigurationError, match="CB-243"):
        load_profile("workday", options)


def test_all_that_options_send_is_valid_by_the_real_contract(
    shared: Callable[[str], Path],
) -> None:
    """Auto-completion and the worktags of roles stand where the contract has them."""
    folder = shared("contracts/workday-financial-management-v30")
    real = Contract.load(folder / "Financial_Management.wsdl")
    for voucher in (TRIP, reversal().voucher):
        plain = tuple(replace(one, dimensions={}) for one in voucher.postings)
        profile = Workday(worktags_by_role=by_role(), auto_complete=True)
        request = profile.submit([submission(replace(voucher, postings=plain))])
        assert real.check(real.render(request.operation, request.body)) == ()


def by_role() -> dict[Role, dict[str, str]]:
    return {Role(name): tags for name, tags in ROLES.items()}


def test_an_xpath_leads_to_its_claim_field() -> None:
    """Whatever the prefixes, the root, and whether a first element is counted."""
    sources = {"Data/Line[2]/Account/ID": "lines[1].type", "Data/Date": "posting_date"}
    assert field_at(sources, "/p:Request/p:Data/p:Line[2]/p:Account") == "lines[1].type"
    assert field_at(sources, "wd:Request/wd:Data[1]/wd:Date") == "posting_date"
    assert field_at(sources, "/Request[1]/Data[1]/Line[2]/Account[1]/ID[1]") == "lines[1].type"
    assert field_at(sources, "/Request[1]/Data[1]/Line[1]/Account[1]") == ""
    assert field_at(sources, "/Request/Data/Nothing") == ""
    assert field_at(sources, "") == ""
