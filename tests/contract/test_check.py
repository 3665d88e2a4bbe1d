from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.contract.generations import ANSWER, CURRENCY, ENTRY, ITEM, bundle, generation, opened
from tests.contract.test_diff import BODY, USER

from claimbridge.contract import Bundle, Contract
from claimbridge.contract.study.check import Check, check
from claimbridge.contract.study.diff import diff
from claimbridge.contract.study.uses import Sent, Uses
from claimbridge.profiles import load_profile
from claimbridge.profiles.usage import uses_of


def checked(uses: Uses = USER, **parts: str) -> Check:
    contract, outline = opened(bundle(**parts))
    return check(uses, contract, outline, own=generation())


def test_a_contract_with_every_name_works() -> None:
    """What is sent and read is listed, and nothing is held against it."""
    found = checked()
    assert found.works
    assert {(need.path, need.sends) for need in found.needs if need.path} == {
        ("Number", True),
        ("Item", True),
        ("Item/Account", True),
        ("Item/Amount", True),
        ("Item/Amount/@currency", True),
        ("Item/Tax", True),
        ("Id", False),
        ("Status", False),
    }
    assert found.missing == found.refused == found.could_exceed == ()


@pytest.mark.parametrize(
    ("parts", "path", "sends"),
    [
        ({"entry": ENTRY.replace("Number", "No")}, "Number", True),
        ({"item": ITEM.replace("Tax", "Duty")}, "Item/Tax", True),
        ({"currency": CURRENCY.replace("currency", "unit")}, "Item/Amount/@currency", True),
        ({"answer": ANSWER.replace('"Id"', '"Key"')}, "Id", False),
    ],
)
def test_what_is_missing_is_named(parts: dict[str, str], path: str, sends: bool) -> None:
    """Names that are sent, and names that are read: each by its path."""
    found = checked(**parts)
    assert not found.works
    assert [(need.path, need.sends) for need in found.missing] == [(path, sends)]
    assert bool(found.refused) is sends


def test_an_operation_that_is_not_offered_is_missing() -> None:
    """All that hangs on it is not told one by one."""
    found = checked(operation="Enter")
    assert [(need.where, need.path) for need in found.missing] == [("Post", ""), ("Posted", "")]
    assert not found.refused


def test_what_a_contract_demands_besides_is_refused() -> None:
    """A name that the profile does not send, and the contract requires, is the gate's finding."""
    found = checked(entry=ENTRY.replace('type="Short" minOccurs="0"', 'type="Short"'))
    (obstacle,) = found.refused
    assert (obstacle.finding.path, obstacle.finding.rule) == ("Text", "missing")
    assert not found.works


def test_limits_that_a_claim_could_exceed_are_told_with_the_field() -> None:
    """The widest values say what the profile does not limit; a missing name does not hide it."""
    long = {**BODY, "Item": [{**BODY["Item"][0], "Account": "6" * 64}]}
    wide = Sent("Post", long, {"Item/Account": "lines[0].type"})
    uses = Uses(profile="books", sent=USER.sent, widest=(wide,), read=USER.read)
    for parts in (
        {},
        {"entry": ENTRY.replace("Number", "No").replace('int"', 'int" minOccurs="0"')},
    ):
        found = checked(uses, **parts)
        (limit,) = found.could_exceed
        assert (limit.finding.path, limit.finding.rule) == ("Item/Account", "maxLength")
        assert limit.finding.claim_field == "lines[0].type"
        assert found.works is (not parts)


@pytest.mark.parametrize("year", ["2020", "2024"])
def test_saps_generations_and_our_profile(shared: Callable[[str], Path], year: str) -> None:
    """With the contract of 2024 all works; that of 2020 lacks four names, and is told so."""
    profile = load_profile("sap-journal-entry")
    own = opened(Bundle.from_package(profile.contract))[1]
    contract, outline = opened(Bundle.from_path(shared(f"contracts/sap-journal-entry/{year}.wsdl")))
    found = check(uses_of(profile, own), contract, outline, own=own)
    lacking = {need.path.rpartition("/")[2] for need in found.missing}
    old = {
        "Fund",
        "Grant",
        "OrderID",
        "ReversalReason",
        "ReversalReferenceDocument",
        "ReversalDate",
    }
    assert lacking == (old if year == "2020" else set())
    assert found.works is (year == "2024")
    limits = {each.finding.path.rpartition("/")[2] for each in found.could_exceed}
    assert limits >= {"CompanyCode", "GLAccount", "CostCenter", "WBSElement", "Creditor", "TaxCode"}
    # The profile shortens texts for people, and never the reference, to what SAP takes.
    assert not limits & {"DocumentHeaderText", "DocumentItemText", "DocumentReferenceID", "ID"}


def test_the_reference_profile_works_with_its_own_contract() -> None:
    """Our contract takes all that a claim can hold, but for what is told here."""
    profile = load_profile("reference")
    made = Bundle.from_package(profile.contract)
    contract, own = opened(made)
    found = check(uses_of(profile, own), contract, own, own=own)
    assert found.works
    assert isinstance(contract, Contract)
    told = {each.finding.path.rpartition("/")[2]: each.finding.rule for each in found.could_exceed}
    assert told == {"Narration": "maxLength", "TaxCode": "maxLength", "Amount": "maxExclusive"}
    assert "Amount must be less than 1000000000000000" in {
        each.finding.text for each in found.could_exceed
    }


@pytest.mark.parametrize(
    ("record", "gone", "path"),
    [
        ("journal-entry", '"debit"', "lineList/line/debit"),
        ("journal-entry", '"approved"', "approved"),
        ("expense-report", '"grossAmt"', "expenseList/expense/grossAmt"),
        ("expense-report", '"accountingApproval"', "accountingApproval"),
    ],
)
def test_what_is_read_of_an_abstract_record_is_known(
    tmp_path: Path, record: str, gone: str, path: str
) -> None:
    """The reply declares any record; a profile reads the one that it sends, and no other kind."""
    made = Bundle.from_package("netsuite.wsdl")
    text = made.read(made.entry).decode()
    (tmp_path / "other.wsdl").write_text(text.replace(f"name={gone}", 'name="renamed"'))
    own = opened(made)[1]
    contract, other = opened(Bundle.from_path(tmp_path / "other.wsdl"))
    other_record = {"journal-entry": "expense-report", "expense-report": "journal-entry"}[record]
    lacking, nothing = (
        [
            need.path
            for need in check(uses_of(profile, own), contract, other, own=own).missing
            if not need.sends
        ]
        for profile in (load_profile("netsuite", {"record": one}) for one in (record, other_record))
    )
    assert lacking == [f"readResponseList/readResponse/record/{path}"]
    assert nothing == []
    told = diff(own, other, uses=[uses_of(load_profile("netsuite", {"record": record}), own)])
    broken = [one for one in told if one.side == "reply" and one.breaks == ("netsuite",)]
    assert [one.name for one in broken] == [gone.strip('"')]
