"""The gate's findings name the place, the rule and the claim field, in words for people."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from claimbridge.contract import Contract
from claimbridge.contract.calls import explain
from claimbridge.errors import DocumentError

SAMPLE = Path(__file__).parent / "data" / "sample" / "service.wsdl"
HEADER = {"When": datetime(2026, 11, 24, tzinfo=UTC), "Day": date(2026, 11, 24)}


def body(**changes: Any) -> dict[str, Any]:
    whole = {
        "Header": HEADER,
        "Employee": "E1",
        "Amount": {"#text": Decimal("10.50"), "@currency": "CNY"},
        "Origin": "O",
    }
    return whole | changes


def money(amount: object, currency: str | None = "CNY") -> dict[str, Any]:
    return {"Amount": {"#text": amount, "@currency": currency}}


@pytest.mark.parametrize(
    ("changes", "path", "rule", "text"),
    [
        ({"Employee": "E123456"}, "Employee", "maxLength", "has 7 characters; at most 6 are"),
        ({"Employee": ""}, "Employee", "minLength", "has 0 characters; at least 1 are"),
        (money(Decimal("1.005")), "Amount", "fractionDigits", "more than 2 decimals"),
        (money(1234567890), "Amount", "totalDigits", "more than 9 digits"),
        (money(-1), "Amount", "minInclusive", "must be at least 0"),
        (money("NaN"), "Amount", "type", "'NaN' is not a value of the type Money"),
        (money("张三的账号"), "Amount", "type", "Amount is not"),
        (money(1, "cny"), "Amount/@currency", "pattern", "form [A-Z]{3}"),
        (money(1, None), "Amount/@currency", "missing", "currency is missing"),
        ({"Account": ["1", "2"], "Side": ["S", "X"]}, "Side[2]", "enumeration", "allowed are S, H"),
        ({"Header": {**HEADER, "Day": "2026-13-01"}}, "Header/Day", "type", "is not a date"),
        ({"Header": {**HEADER, "When": ""}}, "Header/When", "type", "empty; it must be a date"),
        ({"Header": {"Day": date(2026, 1, 1)}}, "Header/When", "missing", "Header lacks When"),
        ({"Header": None}, "Header", "missing", "PostRequest lacks Header"),
        ({"Employee": None}, "Employee", "missing", "lacks one of Employee, Vendor"),
        ({"Origin": None}, "Origin", "missing", "lacks Origin"),
        ({"Vendor": "V"}, "Vendor", "unexpected", "not allowed at this place"),
        ({"Header": [HEADER, HEADER]}, "Header[2]", "maxOccurs", "more Header than"),
        ({"Party": {"Name": "x"}}, "Party", "abstract", "needs a concrete type"),
        ({"Tag": ["a", "a"]}, "Tag[2]", "unique", "must be unique"),
        ({"@Id": "1 2"}, "@Id", "type", "an identifier"),
        ({"Employee": {"@xsi:nil": True}}, "Employee", "nillable", "cannot be empty"),
    ],
)
def test_each_rule_is_told_in_words(
    sample: Contract, changes: dict[str, Any], path: str, rule: str, text: str
) -> None:
    """Path, rule and sentence of every kind of fault."""
    found = sample.check(sample.render("Post", body(**changes)))
    assert (path, rule) in [(finding.path, finding.rule) for finding in found]
    sentence = next(finding.text for finding in found if finding.path == path)
    assert text in sentence


def test_values_that_may_be_personal_are_not_repeated(sample: Contract) -> None:
    """A finding does not quote a long text or an account number."""
    account = "6222021234567890123"
    found = sample.check(sample.render("Post", body(Employee=account, **money("x" + account))))
    assert {finding.path for finding in found} == {"Employee", "Amount"}
    assert not any(account in finding.text for finding in found)


def test_the_claim_field_is_found_by_path(sample: Contract) -> None:
    """A finding says which field of the claim it came from; parts inherit it."""
    written = sample.render("Post", body(Account=["1", "2"], Side=["S", "X"], **money(1, "cny")))
    sources = {"Amount": "lines[0].amount", "Side[2]": "lines[1].side", "Side[1]": "wrong"}
    found = {finding.path: finding for finding in sample.check(written, sources=sources)}
    assert found["Amount/@currency"].claim_field == "lines[0].amount"
    assert found["Side[2]"].claim_field == "lines[1].side"


def test_a_first_of_one_needs_no_count(sample: Contract) -> None:
    """Sources may count an element that does not repeat."""
    written = sample.render("Post", body(Employee="E123456"))
    found = sample.check(written, sources={"Employee[1]": "employee"})
    assert found[0].claim_field == "employee"


def test_paths_fit_documents_with_a_default_namespace(sample: Contract) -> None:
    """Bodies written by others are judged and explained the same way."""
    text = (
        '<PostRequest xmlns="urn:sample:messages"><Header><When xmlns="">x</When>'
        '<Day xmlns="">2026-11-24</Day></Header><Employee>E</Employee>'
        '<Amount currency="CNY">1</Amount><Strange/></PostRequest>'
    )
    found = {finding.path: finding for finding in sample.check(text.encode())}
    assert found["Header/When"].rule == "type"
    assert "knows no Strange" in found["Strange"].text


def test_an_unknown_root_is_one_finding(sample: Contract) -> None:
    """A body of another contract is refused as a whole."""
    found = sample.check(b"<Other/>")
    assert [(finding.path, finding.rule) for finding in found] == [("", "unexpected")]


def test_a_body_that_is_not_xml_is_a_document_error(sample: Contract) -> None:
    """The gate's own input passes the one parser."""
    for hostile in (b"", b"<a", b"<!DOCTYPE a><a/>"):
        with pytest.raises(DocumentError):
            sample.check(hostile)


def test_later_faults_are_told_with_the_first(sample: Contract) -> None:
    """libxml2 stops at the first element out of place; the explanation goes on."""
    written = sample.render("Post", body(Employee=None, Account="1", Side="X"))
    paths = {finding.path for finding in sample.check(written)}
    assert {"Employee", "Side"} <= paths


@pytest.mark.parametrize("mishap", [RuntimeError("broken"), RecursionError(), KeyError("x")])
def test_a_broken_explanation_changes_no_verdict(
    monkeypatch: pytest.MonkeyPatch, mishap: Exception
) -> None:
    """Whatever xmlschema does, libxml2's verdict and findings stand."""

    def fail(*_: object) -> object:
        raise mishap

    monkeypatch.setattr(explain, "build", fail)
    contract = Contract.load(SAMPLE)
    assert contract.check(contract.render("Post", body())) == ()
    found = contract.check(contract.render("Post", body(Employee="E123456")))
    assert [finding.path for finding in found] == ["Employee"]


def test_a_valid_request_never_asks_for_an_explanation(monkeypatch: pytest.MonkeyPatch) -> None:
    """xmlschema, 64 times slower than libxml2, is not on the way of a valid request."""
    asked: list[object] = []
    monkeypatch.setattr(explain, "build", asked.append)
    contract = Contract.load(SAMPLE)
    contract.check(contract.render("Post", body()))
    assert asked == []


def test_saps_limits_are_found(sap: Contract) -> None:
    """Company code 4, header text 25: told before sending, with SAP's own limits."""
    entry = {"CompanyCode": "14100", "DocumentHeaderText": "x" * 26}
    request = {"JournalEntryCreateRequest": {"JournalEntry": entry}}
    written = sap.render("JournalEntryCreateRequestConfirmation_In", request)
    told = " ".join(finding.text for finding in sap.check(written))
    assert "lacks" in told
    assert "CompanyCode" in told
