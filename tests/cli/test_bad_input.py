"""What users get wrong: each a sentence that names the claim and the field, and no traceback."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Folder, Run
from tests.signing.issuing import issue

from claimbridge.clock import SYSTEM
from claimbridge.sandbox import Sandbox
from claimbridge.signing.keys import throwaway

EXACT = b'{"id": "EXP-7", "revision": 1, "company": "CN01", "employee": "E1", "currency": "CNY", '
BAD_CLAIMS: dict[str, tuple[dict[str, Any], str, str]] = {
    "a float amount": (
        {"line": {"amount": 0.30000000000000004}},
        "CB-104",
        "lines[0].amount 0.30000000000000004",
    ),
    "30 digits": ({"line": {"amount": "1" * 30}}, "CB-105", "lines[0].amount 1111"),
    "negative tax": ({"line": {"tax": "-60.00"}}, "CB-143", "lines[0].tax -60.00"),
    "not a number": ({"line": {"amount": "abc"}}, "CB-100", "lines[0].amount"),
    "control characters": ({"title": "a\x07b"}, "CB-109", "title holds the control character"),
    "an unknown currency": ({"currency": "RMB"}, "CB-103", "RMB"),
    "a wrong total": ({"total": "1.00"}, "CB-108", "not to the total 1.00"),
    "an unknown field": ({"colour": "red"}, "CB-100", "colour"),
    "no lines": ({"lines": []}, "CB-141", "no lines"),
    "a moment without time zone": (
        {"approved_at": "2026-03-16T10:20:00"},
        "CB-107",
        "approved_at has no time zone",
    ),
    "an unknown expense type": ({"line": {"type": "submarine"}}, "CB-111", 'type "submarine"'),
}


@pytest.mark.parametrize("name", BAD_CLAIMS)
def test_a_bad_claim_is_refused_by_name_and_field(
    run: Run, folder: Folder, sandbox: Sandbox, name: str
) -> None:
    """Nothing is sent; one line says which claim, which field, and what is wrong with it."""
    changes, code, said = BAD_CLAIMS[name]
    claim = folder.claim(**changes)
    ended = run("submit", claim)
    assert ended.code == 1
    line = ended.out.strip()
    assert "\n" not in line
    assert line.startswith(f"✗ EXP-2026-0042  {code} claim EXP-2026-0042: ")
    assert said in line
    assert sandbox.requests() == {}
    record = run("submit", "--json", claim).record
    assert (record["claim"], record["code"]) == ("EXP-2026-0042", code)
    assert said in record["reasons"][0]


@pytest.mark.parametrize("content", [b"", b'{"id": "EX', b"\xff\xfe\x00", b"[]", b"null"])
def test_what_is_no_claim_at_all_is_named_by_its_file(
    run: Run, folder: Folder, content: bytes
) -> None:
    """Where no claim id can be read the file's name stands for it."""
    ended = run("submit", folder.write("broken.json", content))
    assert ended.code == 1
    assert "CB-100 claim broken.json: not a claim" in ended.out


def test_truncated_json_still_names_the_claim(run: Run, folder: Folder) -> None:
    """Half a claim is refused; its id, where it came through, is named."""
    ended = run("map", "--chart", folder.chart, folder.write("half.json", EXACT))
    assert ended.code == 1
    assert ended.err.startswith("CB-100 claim EXP-7: not a claim: ")


def test_one_bad_claim_stops_no_other(run: Run, folder: Folder, sandbox: Sandbox) -> None:
    """The rest of the batch is submitted; the exit code tells that one was refused."""
    bad = folder.write("broken.json", b"{")
    ended = run("submit", "--json", bad, folder.path / "claims/travel-cn.json", "missing.json")
    assert ended.code == 2
    states = {record["claim"]: record["state"] for record in ended.records}
    assert states == {"broken.json": None, "missing.json": None, "EXP-2026-0042": "posted"}
    assert len(sandbox.ledger()) == 1


def test_text_too_long_for_the_erp_names_the_claim_field(run: Run, folder: Folder) -> None:
    """SAP's cost centre has 10 characters: nothing is cut, the field to mend is named."""
    claim = folder.claim(line={"cost_centre": "C" * 11})
    told = run("preview", "--profile", "sap-journal-entry", "--chart", folder.chart, claim)
    assert told.code == 1
    assert "✗ lines[0].cost_centre: CostCenter has 11 characters; at most 10 are allowed" in (
        told.out
    )
    folder.configure(endpoint="http://127.0.0.1:9/sap", profile="sap-journal-entry")
    ended = run("submit", "--json", claim)
    assert ended.code == 1
    assert ended.record["code"] == "CB-120"
    assert ended.record["reasons"][0].startswith("lines[0].cost_centre: ")


def test_emoji_are_text_like_any_other(run: Run, folder: Folder, sandbox: Sandbox) -> None:
    """What Unicode can write travels to the ledger unchanged."""
    claim = folder.claim(title="出差 🚄🎉")
    assert run("submit", claim).code == 0
    body = run("preview", "--chart", folder.chart, "--json", claim).record["body"]
    assert "出差 🚄🎉" in body


def test_texts_of_claims_are_never_read_as_markup(run: Run, folder: Folder) -> None:
    """Square brackets in a claim are printed as they are."""
    claim = folder.claim(id="EXP-[bold]", line={"text": "room [/red] [12]"})
    shown = run("map", "--chart", folder.chart, "--explain", claim)
    assert shown.code == 0
    assert "room [/red] [12]" in shown.out
    assert run("submit", claim).out.startswith("✓ EXP-[bold]  posted")


def test_an_expired_certificate_is_refused_before_anything_is_sent(
    run: Run, folder: Folder, sandbox: Sandbox
) -> None:
    """The message says when it expired, and to renew it."""
    past = SYSTEM.now() - timedelta(days=2)
    expired = issue("signer", start=past - timedelta(days=9), end=past)
    folder.write("signer.pem", expired.identity_pem())
    folder.configure(endpoint=sandbox.url(), identity="file:signer.pem")
    ended = run("submit", "--json", folder.claim())
    assert (ended.code, ended.record["code"]) == (2, "CB-316")
    assert "renew it" in ended.record["reasons"][0]
    assert sandbox.requests() == {}
    checked = {found["what"]: found for found in run("doctor", "--json").records}
    assert checked["identity"]["verdict"] == "failure"


def test_a_wrong_password_of_a_pkcs12_file(
    run: Run, folder: Folder, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is named a PKCS#12 file, the password is not shown."""
    folder.write("signer.p12", throwaway.make().pkcs12(b"right"))
    monkeypatch.setenv("SIGNER_PASSWORD", "wrong-secret")
    folder.configure(
        endpoint=sandbox.url(), identity="file:signer.p12", identity_password="env:SIGNER_PASSWORD"
    )
    ended = run("submit", folder.claim())
    assert ended.code == 2
    assert ended.err.startswith("CB-311 ")
    assert "PKCS#12" in ended.err
    assert "wrong-secret" not in ended.err + ended.out
    document = folder.write("voucher.xml", b'<V Id="V1"/>')
    signed = run("sign", "--identity", "signer.p12", "--identity-password", "env:SIGNER_PASSWORD",
                 document)  # fmt: skip
    assert (signed.code, signed.out) == (2, "")


def test_a_password_on_the_command_line_is_refused(run: Run, folder: Folder) -> None:
    """Only references to secrets are taken: the shell's history would keep the secret."""
    folder.write("signer.p12", throwaway.make().pkcs12(b"right"))
    document = folder.write("voucher.xml", b'<V Id="V1"/>')
    ended = run("sign", "--identity", "signer.p12", "--identity-password", "right", document)
    assert ended.code == 2
    assert ended.err.startswith("CB-255 ")


def test_a_journal_that_cannot_be_written_sends_nothing(
    run: Run, folder: Folder, sandbox: Sandbox
) -> None:
    """Without a record of the attempt there is no attempt."""
    folder.write("file", b"")
    folder.configure(endpoint=sandbox.url(), journal="sqlite:///file/claims.db")
    ended = run("submit", folder.claim())
    assert ended.code == 2
    assert ended.err.startswith("CB-227 no journal can be kept there: ")
    assert sandbox.requests() == {}


def test_a_journal_that_is_something_else_is_left_alone(
    run: Run, folder: Folder, sandbox: Sandbox
) -> None:
    """A wrong path never destroys the file that is there."""
    other = folder.write("letters.db", b"Dear all, " * 500)
    folder.configure(endpoint=sandbox.url(), journal="sqlite:///letters.db")
    ended = run("submit", folder.claim())
    assert (ended.code, ended.err[:6]) == (2, "CB-225")
    assert other.read_bytes() == b"Dear all, " * 500


def test_a_wsdl_that_is_html(run: Run, folder: Folder) -> None:
    """A login page saved as WSDL is recognised for what it is."""
    page = folder.write("erp.wsdl", b"<!DOCTYPE html><html><body>Please log in</body></html>")
    ended = run("preview", "--chart", folder.chart, "--contract", page, folder.claim())
    assert ended.code == 2
    assert ended.err.startswith("CB-212 ")
    assert "HTML" in ended.err


@pytest.mark.parametrize("page", [b"<html><body>502</body></html>", b"gateway down", b""])
def test_a_saved_reply_that_is_no_soap_is_an_unknown_outcome(
    run: Run, folder: Folder, page: bytes
) -> None:
    """An HTML page in place of a reply says nothing about the voucher."""
    ended = run("reply", "--json", folder.write("reply.xml", page))
    assert (ended.code, ended.record["outcome"]) == (3, "unknown")


def test_a_chart_with_a_mistake_is_named_with_its_row(run: Run, folder: Folder) -> None:
    """The chart's own mistakes are the set-up's, not the claim's."""
    folder.chart.write_text(folder.chart.read_text().replace('account = "6602.03"', "acount = 1"))
    ended = run("map", "--chart", folder.chart, folder.claim())
    assert ended.code == 2
    assert "acount" in ended.err


def test_a_configuration_with_a_mistake_names_the_key(run: Run, folder: Folder) -> None:
    """A misspelt key is an error, not a default."""
    folder.configure(endpoint="https://erp.example/", chrat="chart.toml")
    ended = run("submit", folder.claim())
    assert ended.code == 2
    assert "chrat" in ended.err


def test_a_missing_file_of_trust_anchors_is_named(run: Run, folder: Folder, tmp_path: Path) -> None:
    """``ca`` names a file that is not there."""
    folder.configure(endpoint="https://erp.example/", ca="company-ca.pem")
    ended = run("submit", folder.claim())
    assert ended.code == 2
    assert "company-ca.pem" in ended.err
