"""``codes``: an ERP's records with its own ids, fetched page by page and kept for the profile."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.cli.conftest import Folder, Run

from claimbridge.client import Client
from claimbridge.model import Claim
from claimbridge.sandbox import Desk, ErpAnswer, ErpCall, Sandbox
from claimbridge.sandbox.erps.netsuite import NetSuiteResponder

OPTIONS: dict[str, Any] = {
    "match": {
        "account": "number",
        "subsidiary": "name",
        "currency": "symbol",
        "department": "name",
        "entity": "entity-id",
    },
    "posting_period": True,
    "on_every_line": ["department"],
}
NEEDED = ["account", "subsidiary", "currency", "department", "employee", "vendor", "posting-period"]


@pytest.fixture
def erp() -> Iterator[Sandbox]:
    with Sandbox(profiles=["netsuite"]) as sandbox:
        yield sandbox


def write(folder: Folder, erp: Sandbox, *, more: str = "", matches: bool = True) -> Path:
    """Write a configuration of one ledger of NetSuite; return where its lists will be."""
    match = "\n".join(f'{key} = "{by}"' for key, by in OPTIONS["match"].items())
    options = (
        "[ledger.US01.options]\nposting_period = true\non_every_line = ['department']\n"
        f"[ledger.US01.options.match]\n{match}\n"
    )
    folder.config.write_text(
        f'[ledger.US01]\nprofile = "netsuite"\nendpoint = "{erp.url("netsuite")}"\n'
        f'chart = "chart.toml"\nbackoff = 0.01\n{more}\n' + (options if matches else "")
    )
    return folder.config.parent / "claimbridge-codes-US01.json"


def test_records_are_fetched_page_by_page_and_kept(run: Run, folder: Folder, erp: Sandbox) -> None:
    """All that the options need; only the owner may read the file; asked for once."""
    path = write(folder, erp)
    ended = run("codes", "US01")
    assert ended.code == 0
    assert "account: 139 records" in ended.out
    assert list(json.loads(path.read_text())["lists"]) == NEEDED
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = erp.requests()
    # 139 accounts and 60 employees are more than one page of 50 each.
    assert (before["search"], before["searchMoreWithId"], before["getAll"]) == (6, 3, 1)
    shown = run("codes", "US01", "account", "--json").records
    (taxi,) = (one for one in shown if one["names"]["number"] == "6602.03")
    assert (taxi["kind"], taxi["id"], taxi["names"]["name"]) == (
        "account",
        "211",
        "Account 6602.03",
    )
    assert [one["names"]["number"] for one in shown if one.get("inactive")] == ["6602.98"]
    assert erp.requests() == before
    run("codes", "US01", "currency", "--refresh")
    assert erp.requests()["getAll"] == 2
    assert erp.ledger() == []


def test_a_number_that_has_moved_is_remembered(run: Run, folder: Folder, erp: Sandbox) -> None:
    """Reversals need to know what a code meant before the lists were fetched anew."""
    path = write(folder, erp)
    run("codes", "US01", "account")
    kept = json.loads(path.read_text())
    (taxi,) = (
        one for one in kept["lists"]["account"]["records"] if one["names"]["number"] == "6602.03"
    )
    taxi["id"] = "9999"
    path.write_text(json.dumps(kept))
    path.chmod(0o600)
    for _ in range(2):
        assert run("codes", "US01", "account", "--refresh").code == 0
        former = json.loads(path.read_text())["lists"]["account"]["former"]
        assert [(one["id"], one["names"]["number"]) for one in former] == [("9999", "6602.03")]


def test_the_profile_posts_by_the_kept_ids(run: Run, folder: Folder, erp: Sandbox) -> None:
    """Refused before anything is sent while there are no lists; posted by NetSuite's ids then."""
    write(folder, erp)
    claim = str(folder.config.parent / "claims" / "hotel-itemised-en.json")
    refused = run("submit", claim)
    assert refused.code == 1
    assert "CB-488" in refused.out
    assert "run claimbridge codes US01 posting-period" in refused.out
    assert erp.requests() == {}
    run("codes", "US01")
    with Client.from_config(folder.config) as client:
        body = client.preview(Claim.from_json(Path(claim).read_bytes())).body
    # The entry's own, and the project's, which no list is named for.
    assert body.count(b"externalId=") == 1 + body.count(b"<ns0:class ")
    sent = run("submit", claim)
    assert sent.code == 0, sent.out
    (entry,) = erp.ledger()
    assert {one["account"] for one in entry.postings} >= {"2241.01"}
    assert all(one["cost_centre"] for one in entry.postings)


@pytest.mark.parametrize("disturbance", ["throttle", "throttle=typed", "commit-then-drop"])
def test_a_busy_erp_is_asked_again(
    run: Run, folder: Folder, erp: Sandbox, disturbance: str
) -> None:
    """A question changes nothing, so a lost answer is asked for again too."""
    write(folder, erp)
    erp.set_faults(f"search:{disturbance}@1,searchMoreWithId:{disturbance}@1")
    ended = run("codes", "US01", "account")
    assert ended.code == 0, ended.err
    assert "account: 139 records" in ended.out


def test_a_kind_that_the_role_may_not_list_costs_no_other(run: Run, folder: Folder) -> None:
    """It is told, with what to do; the others are kept."""
    with Sandbox(profiles=[NetSuiteResponder(forbidden={"Employee"})]) as erp:
        path = write(folder, erp)
        ended = run("codes", "US01", "employee", "currency")
    assert ended.code == 4
    assert "CB-491" in ended.err
    assert "INSUFFICIENT_PERMISSION" in ended.err
    assert list(json.loads(path.read_text())["lists"]) == ["currency"]


def test_without_kinds_only_counts_are_printed(run: Run, folder: Folder, erp: Sandbox) -> None:
    """An account has thousands of records; rows are for kinds that were named."""
    write(folder, erp)
    for _ in range(2):  # fetched, and kept
        out = run("codes", "US01").out
        assert "6602.03" not in out
        assert ["account", "139", "1"] in [line.split()[:3] for line in out.splitlines()]
    shown = run("codes", "US01", "--json").records
    assert [one["kind"] for one in shown] == NEEDED
    assert (shown[0]["records"], shown[0]["inactive"]) == (139, 1)
    assert set(shown[0]) == {"kind", "records", "inactive", "fetched_at"}
    assert "6602.03" in run("codes", "US01", "account").out


def test_a_failed_fetch_prints_no_empty_table(run: Run, folder: Folder) -> None:
    """Only the reason."""
    with Sandbox(profiles=[NetSuiteResponder(forbidden={"Employee"})]) as erp:
        write(folder, erp)
        ended = run("codes", "US01", "employee")
    assert (ended.code, ended.out) == (4, "")


class Losing(NetSuiteResponder):
    """An account in which a record disappears between two pages."""

    def answer(self, call: ErpCall, desk: Desk) -> ErpAnswer:
        answer = super().answer(call, desk)
        changed = answer.content.replace(b"<ns0:totalRecords>139<", b"<ns0:totalRecords>140<")
        return msgspec.structs.replace(answer, content=changed)


def test_half_a_list_is_none(run: Run, folder: Folder) -> None:
    """What is not whole is not kept: a code would seem to be missing."""
    with Sandbox(profiles=[Losing()]) as erp:
        path = write(folder, erp)
        ended = run("codes", "US01", "account")
    assert ended.code == 4
    assert "not whole" in ended.err
    assert not path.exists()


def test_the_lists_of_another_book_are_refused(run: Run, folder: Folder, erp: Sandbox) -> None:
    """Internal ids of a test account mean other records in production."""
    path = write(folder, erp)
    run("codes", "US01", "currency")
    write(folder, erp, more='book = "production"')
    ended = run("codes", "US01", "currency")
    assert ended.code == 2
    assert "CB-489" in ended.err
    path.write_text("{}")
    assert "CB-489" in run("codes", "US01", "currency").err
    write(folder, erp, more='codes = "lists/none.json"')
    assert "CB-489" in run("codes", "US01", "currency").err


def test_only_a_profile_with_lists_has_them(run: Run, folder: Folder, sandbox: Sandbox) -> None:
    """A profile that sends codes as they are says so; a kind that nobody has is refused."""
    assert "CB-254" in run("codes", "CN01").err
    folder.configure(endpoint=sandbox.url("reference"), profile="netsuite")
    ended = run("codes", "CN01", "acount")
    assert ended.code == 2
    assert "it lists account" in ended.err


def test_the_doctor_tells_how_old_they_are(run: Run, folder: Folder, erp: Sandbox) -> None:
    """Missing lists stop every claim; old ones are a warning; who needs none hears nothing."""

    def told() -> tuple[str, str]:
        found = {one["what"]: one for one in run("doctor", "--json").records}
        row = found.get("codes", {"verdict": "", "text": ""})
        return row["verdict"], row["text"]

    path = write(folder, erp)
    verdict, text = told()
    assert verdict == "failure"
    assert "run claimbridge codes US01" in text
    run("codes", "US01")
    verdict, text = told()
    assert verdict == "ok"
    assert "account 139 (0 d)" in text
    old = json.loads(path.read_text())
    old["lists"]["account"]["fetched_at"] = "2020-01-01T00:00:00Z"
    path.write_text(json.dumps(old))
    assert told()[0] == "warning"
    path.unlink()
    write(folder, erp, matches=False)
    assert told() == ("", "")
