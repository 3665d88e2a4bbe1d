"""``claimbridge contract``: a lock to keep, and a contract to look into, for people and scripts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cli.conftest import EXAMPLES, Run

WSDL = EXAMPLES.parent / "wsdl" / "voucher-service.wsdl"


@pytest.fixture
def locked(run: Run, tmp_path: Path) -> Path:
    """Our own contract, locked."""
    assert run("contract", "lock", WSDL, "--into", tmp_path / "erp").code == 0
    return tmp_path / "erp"


def test_lock_tells_what_it_wrote(run: Run, tmp_path: Path) -> None:
    """One object: from where, when, every file with its hash, every port."""
    record = run("contract", "lock", WSDL, "--into", tmp_path / "erp", "--json").record
    assert list(record) == ["into", "from", "at", "wsdl", "files", "ports"]
    assert record["wsdl"] == "wsdl/voucher-service.wsdl"
    assert all(value.startswith("sha256:") for value in record["files"].values())
    assert [port["version"] for port in record["ports"]] == ["1.1", "1.2"]
    assert "SubmitVoucher" in record["ports"][0]["operations"]


def test_a_second_lock_needs_force(run: Run, locked: Path) -> None:
    """A lock is not overwritten by accident; the refusal says what to do."""
    refused = run("contract", "lock", WSDL, "--into", locked)
    assert (refused.code, refused.out) == (2, "")
    assert "--force" in refused.err
    assert run("contract", "lock", WSDL, "--into", locked, "--force").code == 0


def test_a_lock_serves_as_the_contract_of_other_commands(run: Run, locked: Path) -> None:
    """What is locked is what preview judges by."""
    chart, claim = EXAMPLES / "chart.toml", next((EXAMPLES / "claims").glob("*.json"))
    shown = run("preview", "--chart", chart, "--contract", locked, "--json", claim)
    assert shown.record["valid"] is True


def test_show_lists_operations_and_messages(run: Run, locked: Path) -> None:
    """Scripts get one object per operation and port, and one per row of a tree, unshortened."""
    offered = run("contract", "show", locked, "--json").records
    assert len(offered) == 10
    assert {"service", "port", "version", "address", "operation", "style", "use"} <= offered[
        0
    ].keys()
    rows = run("contract", "show", locked, "--operation", "SubmitVoucher", "--json").records
    assert {row["role"] for row in rows} == {"input", "output", "fault"}
    reference = next(row for row in rows if row["path"].endswith("Voucher/Reference"))
    assert reference["facets"]["max_length"] == 36
    assert (reference["least"], reference["most"]) == (1, 1)
    assert not reference["documentation"].endswith("…")
    people = run("contract", "show", locked, "--operation", "SubmitVoucher").out
    assert "Reference 1 Reference (string) minLength 1 maxLength 36" in people


def test_show_narrows_by_text(run: Run, locked: Path) -> None:
    """--search leaves the rows that hold the text, whatever its case."""
    rows = run(
        "contract",
        "show",
        locked,
        "--operation",
        "SubmitVoucher",
        "--search",
        "COSTCENTRE",
        "--json",
    ).records
    assert rows
    assert all(row["path"].endswith("CostCentre") for row in rows)


def test_what_is_not_there_is_told(run: Run, locked: Path, tmp_path: Path) -> None:
    """An unknown operation, type or folder is a sentence with what there is."""
    for arguments, word in (
        (("--operation", "submit"), "SubmitVoucher"),
        (("--type", "Absent"), "no type Absent"),
        (("--type", "Money", "--operation", "SubmitVoucher"), "not both"),
    ):
        ended = run("contract", "show", locked, *arguments)
        assert (ended.code, ended.out) == (2, "")
        assert word in ended.err
    assert run("contract", "show", tmp_path / "absent").code == 2


LONG = "x" * 5000
"""Longer than any system lets a name be."""
IMPORTING = """<definitions xmlns="http://schemas.xmlsoap.org/wsdl/"><types>
  <schema xmlns="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:erp">
    <include schemaLocation="types.xsd"/></schema></types></definitions>"""


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("show", LONG), "CB-213"),
        (("show", WSDL / "below"), "CB-213"),
        (("show", "circle"), "CB-213"),
        (("show", "erp"), "CB-213"),
        (("diff", WSDL, LONG), "CB-213"),
        (("check", "--profile", "reference", LONG), "CB-213"),
        (("types", "SubmitVoucher", "--contract", LONG), "CB-213"),
        (("lock", LONG, "--into", "new"), "CB-213"),
        (("lock", WSDL, "--into", LONG), "CB-291"),
        (("lock", WSDL, "--into", "circle"), "CB-291"),
    ],
)
def test_a_place_that_the_system_refuses_is_told(
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str | Path, ...],
    code: str,
) -> None:
    """A name too long, a file for a folder, links in a circle: one line, never a traceback."""
    monkeypatch.chdir(tmp_path)
    Path("circle").symlink_to("circle")
    Path("erp").mkdir()
    Path("erp/erp.wsdl").write_text(IMPORTING)
    Path("erp/types.xsd").symlink_to("types.xsd")
    ended = run("contract", *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith(f"{code} ")
    assert ended.err.count("\n") == 1


def test_validations(run: Run, locked: Path, shared: Callable[[str], Path]) -> None:
    """Workday's messages are listed, searched, and told per operation; none is exit code 1."""
    assert run("contract", "show", locked, "--validations", "--json").code == 1
    workday = shared("contracts/workday-financial-management-v30/Financial_Management.wsdl")
    assert len(run("contract", "show", workday, "--validations", "--json").records) == 1874
    found = run(
        "contract", "show", workday, "--validations", "--operation", "Submit_Accounting_Journal",
        "--search", "add only", "--json",
    ).records  # fmt: skip
    assert [one["place"] for one in found] == ["Submit_Accounting_Journal_Request"]
    assert "Add Only" in found[0]["message"]
