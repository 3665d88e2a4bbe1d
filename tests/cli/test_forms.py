"""The forms of ``--json`` that scripts depend on."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.request
from decimal import Decimal
from pathlib import Path

import pytest
from tests.cli.conftest import EXAMPLES, Folder, Run

from claimbridge.sandbox import Sandbox
from claimbridge.signing.keys import throwaway

CLAIMS = sorted(EXAMPLES.glob("claims/*.json"))
CARD = EXAMPLES / "claims" / "company-card.json"


def test_submit(run: Run, folder: Folder, sandbox: Sandbox) -> None:
    """One object per claim; what was posted is named by the ERP's number."""
    ended = run("submit", "--config", folder.config, "--json", *CLAIMS)
    assert ended.err == ""
    assert len(ended.records) == len(CLAIMS) == len(sandbox.ledger())
    for record in ended.records:
        assert list(record) == [
            "claim", "state", "reference", "journal_entry", "code", "reasons",
        ]  # fmt: skip
        assert (record["state"], record["code"], record["reasons"]) == ("posted", None, [])
        assert record["journal_entry"].split(" / ")[1] in {"CN01", "SG01"}
    again = run("submit", "--config", folder.config, "--json", *CLAIMS)
    assert again.records == ended.records
    assert len(sandbox.ledger()) == len(CLAIMS)


def test_map(run: Run, folder: Folder) -> None:
    """Amounts are strings, balanced per currency; every posting is explained."""
    ended = run("map", "--chart", folder.chart, "--json", *CLAIMS)
    assert (ended.code, ended.err) == (0, "")
    for record in ended.records:
        assert list(record) == ["claim", "postings", "explain"]
        sums = {"debit": Decimal(0), "credit": Decimal(0)}
        for posting in record["postings"]:
            assert list(posting) == [
                "role", "account", "side", "currency", "amount", "cost_centre", "narration",
            ]  # fmt: skip
            sums[posting["side"]] += Decimal(posting["amount"])
        assert sums["debit"] == sums["credit"] > 0
        explained = {line["posting"] for line in record["explain"]}
        assert explained >= set(range(len(record["postings"])))


@pytest.mark.parametrize("profile", ["reference", "sap-journal-entry"])
def test_preview_touches_neither_network_nor_journal(
    run: Run, folder: Folder, monkeypatch: pytest.MonkeyPatch, profile: str
) -> None:
    """The body is what would be sent, and valid; no socket is opened and no file made."""
    before = sorted(folder.path.rglob("*"))
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("a connection"))
    ended = run("preview", "--profile", profile, "--chart", folder.chart, "--json", *CLAIMS)
    assert (ended.code, ended.err) == (0, "")
    for record in ended.records:
        assert list(record) == [
            "claim", "reference", "operation", "body", "valid", "findings", "fields",
        ]  # fmt: skip
        assert record["valid"] is True
        assert record["body"].startswith("<")
    assert sorted(folder.path.rglob("*")) == before


def test_preview_takes_the_profiles_options(run: Run, folder: Folder) -> None:
    """As in a ledger's configuration: text, or TOML; what is wrong with one is told."""
    asked = ("preview", "--profile", "netsuite", "--chart", folder.chart, "--json")
    report = run(*asked, "--option", "record=expense-report", CARD)
    assert "ExpenseReport" in report.record["body"]
    accounts = ('internal_ids.account."6602.12"="41"', 'internal_ids.account."6602.02"="42"')
    entry = run(*asked, *(part for one in accounts for part in ("--option", one)), CARD)
    assert {"41", "42"} <= set(re.findall(r'internalId="(\d+)"', entry.record["body"]))
    for wrong, words in (
        ("record", "is not KEY=VALUE"),
        ("recrd=x", "there is no option 'recrd'"),
        ("approved=perhaps", "approved"),
    ):
        ended = run(*asked, "--option", wrong, CARD)
        assert ended.code == 2
        assert words in ended.err
    twice = run(*asked, "--option", "record=journal-entry", "--option", "record=x", CARD)
    assert (twice.code, "a second time" in twice.err) == (2, True)


def test_preview_takes_a_contract_by_path(run: Run, folder: Folder) -> None:
    """PATH is a WSDL file; the request is judged by that one."""
    wsdl = EXAMPLES.parent / "wsdl" / "voucher-service.wsdl"
    ended = run("preview", "--chart", folder.chart, "--contract", wsdl, "--json", CLAIMS[0])
    assert ended.record["valid"] is True


def test_reply(run: Run, folder: Folder, sandbox: Sandbox) -> None:
    """A saved reply is read as the profile reads it; several documents are numbered."""
    recorded = EXAMPLES.parent / "tests/fixtures/soap"
    posted = recorded / "reference/SubmitVoucher/accepted/reply.xml"
    batch = recorded / "sap-journal-entry/JournalEntryCreateRequestConfirmation_In/mixed/reply.xml"
    record = run("reply", "--json", posted).record
    assert list(record) == [
        "file", "outcome", "journal_entry", "reference", "reasons", "drift", "retry_is_useless",
    ]  # fmt: skip
    assert record["outcome"] == "posted"
    assert record["drift"] == []
    ended = run("reply", "--profile", "sap-journal-entry", "--json", batch)
    assert ended.code == 1
    assert [(one["item"], one["outcome"]) for one in ended.records] == [
        (1, "posted"),
        (2, "rejected"),
    ]


def test_sign_then_verify(run: Run, folder: Folder) -> None:
    """What is signed is accepted, and printed; what is altered or another's is refused."""
    signer, other = throwaway.make(), throwaway.make()
    folder.write("signer.pem", signer.pem())
    folder.write("ca.pem", signer.trust)
    folder.write("other.pem", other.trust)
    folder.write("pin.pem", signer.pin)
    signed = run("sign", "--identity", "signer.pem", folder.write("v.xml", b'<V Id="V1">1</V>'))
    assert (signed.code, signed.err) == (0, "")
    good = folder.write("signed.xml", signed.out.encode())
    bad = folder.write("altered.xml", signed.out.replace(">1<", ">2<").encode())
    ended = run("verify", "--trust", "ca.pem", "--json", good, bad)
    assert ended.code == 1
    accepted, refused = ended.records
    assert list(accepted) == ["file", "verdict", "code", "signed"]
    assert accepted["verdict"] == "accepted"
    assert accepted["signed"] == '<V Id="V1">1</V>'
    assert (refused["verdict"], refused["code"]) == ("refused", "CB-328")
    assert refused["signed"] is None
    assert run("verify", "--pin", "pin.pem", "--json", good).record["verdict"] == "accepted"
    assert run("verify", "--trust", "other.pem", good).code == 1
    late = run("verify", "--trust", "ca.pem", "--at", "2040-01-01T00:00:00Z", "--json", good)
    assert late.record["verdict"] == "refused"
    named = run("verify", "--trust", "ca.pem", "--subject", "nobody", "--json", good)
    assert named.record["code"] == "CB-339"


def test_sign_and_verify_an_envelope(run: Run, folder: Folder) -> None:
    """``--as soap`` signs the Body in place; its age is judged only when asked for."""
    signer = throwaway.make()
    folder.write("signer.pem", signer.pem())
    folder.write("ca.pem", signer.trust)
    soap = "http://schemas.xmlsoap.org/soap/envelope/"
    plain = f'<s:Envelope xmlns:s="{soap}"><s:Body><V xmlns="urn:v">1</V></s:Body></s:Envelope>'
    signed = run("sign", "--as", "soap", "--identity", "signer.pem",
                 folder.write("plain.xml", plain.encode()))  # fmt: skip
    envelope = folder.write("signed.xml", signed.out.encode())
    ended = run(
        "verify", "--as", "soap", "--trust", "ca.pem", "--max-age", "60", "--json", envelope
    )
    assert ended.code == 0, ended.err
    assert '<V xmlns="urn:v">1</V>' in ended.record["signed"]


def test_validate(run: Run, folder: Folder) -> None:
    """Claims are checked by the model, XML by a contract."""
    body = run("preview", "--chart", folder.chart, "--json", CLAIMS[0]).record["body"]
    good = folder.write("request.xml", body.encode())
    bad = folder.write("bad.xml", body.replace("<n1:Side>debit", "<n1:Side>left", 1).encode())
    ended = run("validate", "--json", CLAIMS[0], good, bad)
    assert ended.code == 1
    assert [record["valid"] for record in ended.records] == [True, True, False]
    assert ended.records[2]["findings"][0]["rule"] == "enumeration"


@pytest.mark.parametrize("what", ["claim", "voucher"])
def test_schema(run: Run, what: str) -> None:
    """A JSON Schema, the only thing on stdout."""
    assert json.loads(run("schema", what).out)["$schema"].startswith("https://json-schema.org/")


def test_doctor(run: Run, folder: Folder, sandbox: Sandbox) -> None:
    """All is in place; when the ERP is away, that is the one thing it complains of."""
    found = {record["what"]: record["verdict"] for record in run("doctor", "--json").records}
    assert found == {
        "contract": "ok",
        "chart": "ok",
        "identity": "warning",
        "journal": "ok",
        "book": "ok",
        "secrets": "ok",
        "endpoint": "ok",
    }
    sandbox.stop()
    ended = run("doctor", "--json")
    assert ended.code == 2
    assert [r["what"] for r in ended.records if r["verdict"] == "failure"] == ["endpoint"]


def test_journal_reverse_reconcile_status(run: Run, folder: Folder, sandbox: Sandbox) -> None:
    """The life of one claim, as scripts follow it."""
    run("submit", folder.path / "claims/travel-cn.json")
    assert run("status", "--json", "EXP-2026-0042").record["state"] == "posted"
    taken = run("reverse", "--json", "EXP-2026-0042", "--reason", "paid twice", "--date",
                "2026-04-01")  # fmt: skip
    assert taken.code == 0
    listed = run("journal", "list", "--json").records
    assert {(one["purpose"], one["state"]) for one in listed} == {
        ("post", "reversed"),
        ("reverse", "posted"),
    }
    moves = run("journal", "show", "EXP-2026-0042", "--json").records
    assert [one["to"] for one in moves if one["purpose"] == "post"] == [
        "sending", "posted", "reversing", "reversed",
    ]  # fmt: skip
    assert run("journal", "list", "--state", "parked", "--json").records == []
    assert run("reconcile", "--json").records == []
    assert run("status", "--json", "EXP-2026-0042").record["state"] == "reversed"


def test_status_of_an_unknown_claim(run: Run, folder: Folder) -> None:
    """A claim that was never submitted is a business no, named."""
    ended = run("status", "EXP-0", "--json")
    assert (ended.code, ended.record["code"]) == (1, "CB-132")


def test_settle_a_parked_submission(run: Run, folder: Folder, sandbox: Sandbox) -> None:
    """SAP cannot be asked: a lost answer waits for a person, who says what SAP holds."""
    folder.configure(endpoint=sandbox.url("sap-journal-entry"), profile="sap-journal-entry")
    sandbox.set_faults("commit-then-drop")
    asked = run("submit", "--json", folder.claim())
    assert (asked.code, asked.record["code"]) == (2, "CB-236")
    ended = run("submit", "--json", folder.claim(), "--new-journal")
    assert (ended.code, ended.record["state"]) == (3, "parked")
    (held,) = sandbox.ledger()
    number, company, year = held.journal_entry.split(" / ")
    both = run("journal", "settle", "EXP-2026-0042", "--revision", "1")
    assert (both.code, both.out) == (2, "")
    settled = run("journal", "settle", "EXP-2026-0042", "--revision", "1", "--posted", number,
                  "--company", company, "--fiscal-year", year)  # fmt: skip
    assert settled.code == 0
    known = run("status", "--json", "--no-ask", "EXP-2026-0042").record
    assert (known["state"], known["journal_entry"]) == ("posted", held.journal_entry)
    taken_back = run(
        "journal", "settle", "EXP-2026-0042", "--revision", "1", "--reversed", "--json"
    )
    assert (taken_back.code, taken_back.record["state"]) == (0, "reversed")
    again = run("journal", "settle", "EXP-2026-0043", "--revision", "1", "--not-posted")
    assert (again.code, again.err[:6]) == (1, "CB-454")


def test_sandbox_serves_its_ledger_and_counts_calls(folder: Folder) -> None:
    """A process of its own: announced on stderr, asked over HTTP, its ledger kept in a file."""
    process = subprocess.Popen(
        [sys.executable, "-m", "claimbridge.cli", "sandbox", "--port", "0", "--state", "erp.db"],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        told = []
        for line in iter(process.stderr.readline, ""):
            told.append(line)
            if "Ctrl-C" in line:
                break
        endpoint = told[0].split()[1]
        folder.configure(endpoint=endpoint)
        done = subprocess.run(
            [sys.executable, "-m", "claimbridge.cli", "submit", "--json", str(CLAIMS[0])],
            capture_output=True,
            text=True,
        )
        ours = json.loads(done.stdout)
        base = endpoint.rpartition("/")[0]
        (held,) = _get(f"{base}/sandbox/ledger")
        assert {"reference", "journal_entry", "postings", "state"} <= held.keys()
        assert (held["reference"], held["journal_entry"]) == (
            ours["reference"],
            ours["journal_entry"],
        )
        assert _get(f"{base}/sandbox/requests")["SubmitVoucher"] == 1
    finally:
        process.terminate()
        process.communicate(timeout=20)
    assert Path("erp.db").stat().st_size > 0


def _get(url: str) -> dict[str, object] | list[dict[str, object]]:
    with urllib.request.urlopen(url, timeout=10) as reply:
        answer: dict[str, object] | list[dict[str, object]] = json.load(reply)
        return answer


def test_demo(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The demonstration ends by itself, leaves nothing behind, and tells the whole story."""
    monkeypatch.chdir(tmp_path)
    ended = run("demo", "--json")
    assert (ended.code, ended.err) == (0, "")
    scenes = [record["scene"] for record in ended.records]
    assert scenes == ["submit"] * 11 + ["refusal", "repeat"] + ["ledger"] * 11
    assert [r["told"] for r in ended.records if r["scene"] == "submit"].count("posted") == 10
    assert not list(tmp_path.iterdir())


def test_demo_with_hesi(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From Hesi into the ledger and back: a lost answer is found, each number stands once."""
    monkeypatch.chdir(tmp_path)
    ended = run("demo", "--with-hesi", "--json")
    assert (ended.code, ended.err) == (0, "")
    scenes = [record["scene"] for record in ended.records]
    assert scenes == ["intake"] * 4 + ["write-back"] * 3 + ["message", "repeat"] + ["hesi"] * 4
    told = [record["told"] for record in ended.records if record["scene"] == "write-back"]
    assert told.count("answer lost, looked, found there") == 1
    numbers = [record["voucherNo"] for record in ended.records if record["scene"] == "hesi"]
    assert sorted(numbers) == ["000001", "000002", "000003", "000004"]
    shown = run("demo", "--with-hesi")
    assert "exactly once." in shown.out.splitlines()[-1]
    assert not list(tmp_path.iterdir())
