"""``doctor`` on a wrong option or field: told once, without false advice besides."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Folder, Run

from claimbridge.sandbox import Sandbox

WSDL = Path(__file__).resolve().parents[2] / "wsdl"
WRONG = {
    "missing": ("kingdee-eas", ["[ledger.CN01.options]", "batch = 5"], "CB-243"),
    "unknown": ("workday", ["[ledger.CN01.options]", "tenannt = 'x'"], "CB-243"),
    "template": (
        "in-string",
        ["[ledger.CN01.options]", 'head = {id = "{claim}"}'],
        "CB-",
    ),
}


def rows(run: Run, *arguments: str) -> list[dict[str, Any]]:
    return run("doctor", "--json", *arguments).records


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_option_is_told_once(run: Run, folder: Folder, sandbox: Sandbox, case: str) -> None:
    """In the row ``options``; what needs no profile is looked at all the same."""
    profile, lines, code = WRONG[case]
    folder.configure(*lines, endpoint=sandbox.url(profile), profile=profile)
    found = rows(run, "--ask")
    (failed,) = [one for one in found if one["verdict"] == "failure"]
    assert failed["what"] == "options"
    assert code in failed["text"]
    assert "not looked at: contract, chart, journal, book, asked" in failed["text"]
    others = {one["what"] for one in found} - {"options"}
    assert others == {"identity", "secrets", "endpoint"}


def test_a_profile_that_nobody_has_is_told_once(run: Run, folder: Folder) -> None:
    """In the row ``profile``."""
    folder.configure(endpoint="http://127.0.0.1:9/", profile="netsweet")
    failed = [one["what"] for one in rows(run) if "CB-240" in one["text"]]
    assert failed == ["profile"]


def test_a_wrong_field_is_told_once(run: Run, folder: Folder, sandbox: Sandbox) -> None:
    """In the row ``fields``; contract and chart are innocent, and looked at."""
    folder.configure(
        "[[ledger.CN01.extra]]", 'at = "Nonsense"', 'value = "1"',
        endpoint=sandbox.url("sap-bapi"), profile="sap-bapi",
    )  # fmt: skip
    found = rows(run, "--ask")
    assert [one["what"] for one in found if one["verdict"] == "failure"] == ["fields"]
    verdicts = {one["what"]: one["verdict"] for one in found}
    assert (verdicts["contract"], verdicts["chart"]) == ("ok", "ok")


def test_an_unknown_kind_of_authentication_is_told_once(
    run: Run, folder: Folder, sandbox: Sandbox
) -> None:
    """In the row ``ledger``: neither contract nor chart is to blame."""
    folder.configure(
        "[ledger.CN01.auth]", 'kind = "kerberos"', endpoint=sandbox.url("reference")
    )  # fmt: skip
    failed = [one["what"] for one in rows(run, "--ask") if "CB-258" in one["text"]]
    assert failed == ["ledger"]


@pytest.mark.parametrize("wrong", ["option", "key"])
def test_a_ledger_that_does_not_load_still_has_its_book(
    run: Run, folder: Folder, sandbox: Sandbox, wrong: str
) -> None:
    """Nobody is told to rename a book whose ledger is in the file."""
    assert run("submit", folder.claim(id="EXP-D1")).code == 0
    endpoint = sandbox.url("reference")
    if wrong == "option":
        folder.configure("[ledger.CN01.options]", "nonsense = 1", endpoint=endpoint)
    else:
        folder.configure(endpoint=endpoint, nonsense=1)
    more = '[ledger.HK01]\nchart = "chart.toml"\njournal = "sqlite:///claims.db"\n'
    text = folder.config.read_text() + more + f'endpoint = "{endpoint}"\nbook = "hk"\n'
    folder.config.write_text(text)
    told = rows(run)
    assert not [one for one in told if "journal rename" in one["text"]]
    sent = run("submit", folder.claim(id="EXP-D2"), "--ledger", "HK01")
    assert "journal rename" not in sent.err
    listed = run("journal", "books", "--ledger", "HK01", "--json").records
    assert all(one["configured"] for one in listed)


def test_a_book_that_is_in_no_file_is_still_told(
    run: Run, folder: Folder, sandbox: Sandbox
) -> None:
    """A wrong option of one ledger hides no other's lost book."""
    assert run("submit", folder.claim(id="EXP-D3")).code == 0
    lines = ["[ledger.HK01]", f'endpoint = "{sandbox.url("reference")}"', 'book = "hk"']
    lines += ['journal = "sqlite:///claims.db"', "[ledger.US01]", 'profile = "kingdee-eas"']
    lines += [f'endpoint = "{sandbox.url("kingdee-eas")}"', 'journal = "sqlite:///claims.db"']
    folder.config.write_text("\n".join(lines))
    (told,) = [one["text"] for one in rows(run) if one["what"] == "books"]
    assert "claimbridge journal rename CN01 NEW" in told


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize(
    ("profile", "wsdl", "at"),
    [
        ("netsuite", "netsuite.wsdl", "record/customFieldList/customField"),
        (
            "sap-journal-entry",
            "sap-journal-entry.wsdl",
            "JournalEntryCreateRequest/JournalEntry/YY1_Claim_JEH",
        ),
        ("workday", "workday.wsdl", "Balancing_Worktag_Reference"),
    ],
)
def test_a_field_that_only_the_whole_contract_has_says_to_lock_it(
    run: Run, folder: Folder, sandbox: Sandbox, own: bool, profile: str, wsdl: str, at: str
) -> None:
    """Our own contract is reduced; the customer's may well know the field."""
    values = {} if own else {"contract": str(WSDL / wsdl)}
    lines = ["[[ledger.CN01.extra]]", f'at = "{at}"', 'value = "1"']
    folder.configure(*lines, endpoint=sandbox.url(profile), profile=profile, **values)
    (text,) = [one["text"] for one in rows(run) if one["what"] == "fields"]
    assert any(f"knows no {step} in" in text for step in at.split("/")[-2:])
    assert ("claimbridge's own reduced contract" in text) is own
    assert ("claimbridge contract lock" in text) is own
