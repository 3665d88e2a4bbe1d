"""The commands ``contract diff``, ``contract check`` and ``contract types``, as they are called."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.conftest import Run

OURS = Path(__file__).resolve().parents[2] / "wsdl" / "sap-journal-entry.wsdl"


@pytest.fixture
def changed(tmp_path: Path) -> Path:
    """Our SAP contract with one name that we send changed, and one more in the reply."""
    text = OURS.read_text("utf-8")
    assert 'name="DebitCreditCode"' in text
    assert 'name="AccountingDocument"' in text
    text = text.replace('name="DebitCreditCode"', 'name="DebitCreditKey"')
    path = tmp_path / "changed.wsdl"
    path.write_text(text, "utf-8")
    return path


def test_diff_exits_with_one_where_something_breaks(run: Run, changed: Path) -> None:
    """A script that watches an ERP's contract needs no more than the exit code."""
    assert run("contract", "diff", OURS, OURS).code == 0
    shown = run("contract", "diff", OURS, changed)
    assert shown.code == 1
    assert "✗ sap-journal-entry: Item/DebitCreditCode is gone" in shown.out
    assert run("contract", "diff", "--profile", "reference", OURS, changed).code == 0
    assert run("contract", "diff", "--any-sender", OURS, changed).code == 1


def test_diff_says_whose_reading_of_replies_is_affected(run: Run, tmp_path: Path) -> None:
    """What is new in a reply is told to the profile that reads past it."""
    place = '<xsd:element name="Log"'
    text = OURS.read_text("utf-8")
    assert place in text
    added = f'<xsd:element name="Origin" type="xsd:string" minOccurs="0"/>{place}'
    (tmp_path / "added.wsdl").write_text(text.replace(place, added, 1), "utf-8")
    shown = run("contract", "diff", OURS, tmp_path / "added.wsdl")
    assert shown.code == 0
    assert "sap-journal-entry: its reading of" in shown.out
    assert "in replies meets Origin, and reads past it" in shown.out


def test_diff_prints_one_object_per_change(run: Run, changed: Path) -> None:
    """Each change says what it is, where, and whom it breaks."""
    records = run("contract", "diff", "--json", OURS, changed).records
    gone = [each for each in records if each["kind"] == "vanished"]
    sent = [each for each in gone if each["breaks"]]
    assert {each["type"] for each in sent} == {"Item", "CreditorItem", "ProductTaxItem"}
    assert all(each["verdict"] == "breaks" for each in sent)
    assert all(each["breaks"] == ["sap-journal-entry"] for each in sent)
    # Customer items are sent only where an option names roles for them.
    assert [each["type"] for each in gone if each not in sent] == ["DebtorItem"]


def test_check_says_what_is_missing(run: Run, changed: Path) -> None:
    """The exit code is 1 where the profile would be refused."""
    assert run("contract", "check", "--profile", "sap-journal-entry", OURS).code == 0
    shown = run("contract", "check", "--profile", "sap-journal-entry", changed)
    assert shown.code == 1
    assert "JournalEntryCreateRequest/JournalEntry/Item/DebitCreditCode is not in" in shown.out
    records = run("contract", "check", "--profile", "sap-journal-entry", "--json", OURS).records
    assert {each["about"] for each in records} == {"name", "limit"}
    (limit,) = [
        each for each in records if each["about"] == "limit" and each["path"].endswith("Creditor")
    ]
    assert (limit["rule"], limit["claim_field"]) == ("maxLength", "employee")


def test_types_prints_a_module(run: Run) -> None:
    """What is printed is the module and nothing else."""
    operation = "JournalEntryCreateRequestConfirmation_In"
    shown = run("contract", "types", operation, "--contract", OURS)
    assert shown.code == 0
    compile(shown.out, "types", "exec")
    assert run("contract", "types", operation, "--contract", OURS, "--json").record == {
        "operations": [operation],
        "module": shown.out,
    }
    assert run("contract", "types", "Nothing", "--contract", OURS).code == 2
