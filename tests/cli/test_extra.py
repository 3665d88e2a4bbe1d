"""Fields of a configuration's own, as commands show them."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.conftest import Folder, Run

OURS = Path(__file__).resolve().parents[2] / "wsdl" / "sap-journal-entry.wsdl"
HEAD = "JournalEntryCreateRequest/JournalEntry"
EXTRA = f"""
[[ledger.CN01.extra]]
at = "{HEAD}/Reference1InDocumentHeader"
value = "{{claim.id}}"
[[ledger.CN01.extra]]
at = "{HEAD}/Item/AccountAssignment/Segment"
value = "{{posting.dimensions.region}}"
account = "6602*"
"""


@pytest.fixture
def sap(folder: Folder) -> Folder:
    folder.configure(
        EXTRA,
        profile="sap-journal-entry",
        endpoint="http://127.0.0.1:9/",
        omit=[f"{HEAD}/DocumentHeaderText"],
    )
    return folder


def test_preview_by_a_configuration_shows_them(run: Run, sap: Folder) -> None:
    """The request as it would be sent, and what the configuration has changed in it."""
    shown = run("preview", "--config", sap.config, sap.claim())
    assert shown.code == 0
    assert "Reference1InDocumentHeader>EXP-2026-0042<" in shown.out
    assert "DocumentHeaderText>" not in shown.out
    assert f"left out: {HEAD}/DocumentHeaderText" in shown.out
    record = run("preview", "--ledger", "CN01", "--json", sap.claim()).record
    assert record["fields"] == [
        f"left out: {HEAD}/DocumentHeaderText",
        f"added: {HEAD}/Reference1InDocumentHeader",
        f"added: {HEAD}/Item/AccountAssignment/Segment (account 6602*)",
    ]


def test_preview_takes_a_configuration_or_a_chart(run: Run, sap: Folder) -> None:
    """Both would leave open which one counts; neither takes the folder's own."""
    both = run("preview", "--config", sap.config, "--chart", sap.chart, sap.claim())
    assert (both.code, "CB-251" in both.err) == (2, True)
    assert run("preview", sap.claim()).code == 0
    claim = sap.claim()
    sap.config.unlink()
    neither = run("preview", claim)
    assert (neither.code, "--chart" in neither.err) == (2, True)


def test_doctor_lists_them_and_refuses_wrong_ones(run: Run, sap: Folder) -> None:
    """By the contract, before anything is sent."""
    found = {one["what"]: one for one in run("doctor", "--json").records}
    assert found["fields"]["verdict"] == "ok"
    assert "Reference1InDocumentHeader" in found["fields"]["text"]
    sap.configure(
        profile="sap-journal-entry",
        endpoint="http://127.0.0.1:9/",
        omit=[f"{HEAD}/DocumentHeadText"],
    )
    found = {one["what"]: one for one in run("doctor", "--json").records}
    assert found["fields"]["verdict"] == "failure"
    assert "DocumentHeaderText" in found["fields"]["text"]


def test_a_later_contract_is_judged_with_them(run: Run, sap: Folder, tmp_path: Path) -> None:
    """What only the configuration sends breaks, too, and what it leaves out does not."""
    text = OURS.read_text("utf-8")
    gone = text.replace('name="Reference1InDocumentHeader"', 'name="ReferenceOne"')
    (tmp_path / "later.wsdl").write_text(gone, "utf-8")
    judged = ("--ledger", "CN01", OURS, tmp_path / "later.wsdl")
    assert run("contract", "diff", *judged).code == 1
    assert run("contract", "diff", "--profile", "sap-journal-entry", *judged[2:]).code == 0
    assert run("contract", "check", "--ledger", "CN01", OURS).code == 0
    shown = run("contract", "check", "--ledger", "CN01", tmp_path / "later.wsdl")
    assert shown.code == 1
    assert "Reference1InDocumentHeader is not in the contract" in shown.out
    names = run("contract", "check", "--ledger", "CN01", "--json", OURS).records
    sent = [each["path"] for each in names if each["about"] == "name" and each["sends"]]
    assert f"{HEAD}/Item/AccountAssignment/Segment" in sent
    left_out = text.replace('name="DocumentHeaderText"', 'name="HeaderText"')
    (tmp_path / "other.wsdl").write_text(left_out, "utf-8")
    assert run("contract", "diff", "--ledger", "CN01", OURS, tmp_path / "other.wsdl").code == 0
    assert run("contract", "check", OURS).code == 2
