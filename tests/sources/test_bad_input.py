"""Bad input: each is parked with its reason, the others go on, nothing is lost."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.sources.conftest import Inbox, plain

from claimbridge import Client
from claimbridge.cli import main
from claimbridge.sandbox import Sandbox

INVOICE = {"kind": "vat_ordinary", "number": "26312000000000777777"}

BAD: dict[str, tuple[dict[str, Any], str, str]] = {
    "does not add up": (plain("BAD", total="99.00"), "CB-108", "100.00"),
    "unknown currency": (plain("BAD", currency="RMB"), "CB-103", "RMB"),
    "a line without a type": (
        plain("BAD", lines=[{"date": "2026-03-09", "amount": "100.00"}]),
        "CB-100",
        "`type`",
    ),
    "another type than declared": (plain("BAD", line={"date": 20260309}), "CB-100", "date"),
    "an amount that is none": (plain("BAD", line={"amount": "abc"}), "CB-1", "amount"),
    "ten million characters": (plain("BAD", line={"text": "字" * 10_000_000}), "CB-140", "4000"),
    "an employee unknown to the ERP": (plain("BAD", employee="E9999"), "CB-430", "E9999"),
    "an invoice of another claim": (
        plain("BAD", line={"documents": [INVOICE]}),
        "CB-530",
        "claim FIRST",
    ),
    "an invoice twice": (
        plain(
            "BAD",
            total="200.00",
            lines=[
                {
                    "type": "taxi",
                    "date": "2026-03-09",
                    "amount": "100.00",
                    "documents": [{**INVOICE, "number": "26312000000000888888"}],
                }
            ]
            * 2,
        ),
        "CB-530",
        "line 1",
    ),
    "an expense type that the chart has not": (
        plain("BAD", line={"type": "yacht"}),
        "CB-1",
        "yacht",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_claim_is_parked_and_the_others_go_on(
    inbox: Inbox, sandbox: Sandbox, case: str
) -> None:
    """The reason names the fault and stands beside the file, which is kept whole."""
    bad, code, words = BAD[case]
    inbox.put("1.json", plain("FIRST", line={"documents": [INVOICE]}))
    assert inbox.intake()["1.json"]["state"] == "accepted"
    inbox.put("2.json", bad)
    inbox.put("3.json", plain("LAST"))
    found = inbox.intake()
    assert inbox.code == 1
    assert found["3.json"]["state"] == "accepted"
    assert found["2.json"]["state"] == "parked"
    assert found["2.json"]["claim"] == "BAD"
    assert found["2.json"]["code"].startswith(code)
    assert words in found["2.json"]["reason"]
    assert inbox.files() == []
    assert inbox.files("done") == ["1.json", "3.json"]
    assert inbox.files("refused") == ["2.json", "2.json.reason.txt"]
    assert words in inbox.reason("2.json")
    assert json.loads((inbox.path / "refused/2.json").read_bytes()) == bad
    assert len(sandbox.ledger()) == 2
    assert inbox.intake() == {}


def test_a_mended_file_is_put_back(inbox: Inbox, sandbox: Sandbox) -> None:
    """Of several claims in a file the good ones are posted; after mending, the rest; none twice."""
    claims = [plain("A"), plain("B", total="1.00"), plain("C")]
    inbox.put("claims.json", claims)
    found = inbox.intake()
    assert {key: one["state"] for key, one in found.items()} == {
        "claims.json#A": "accepted",
        "claims.json#B": "parked",
        "claims.json#C": "accepted",
    }
    reason = inbox.reason("claims.json")
    assert "claims.json#B: CB-108" in reason
    assert "#A" not in reason
    claims[1] = plain("B")
    inbox.put("claims.json", claims)
    assert {one["state"] for one in inbox.intake().values()} == {"accepted"}
    assert inbox.code == 0
    assert len(sandbox.ledger()) == 3
    assert inbox.files("done") == ["claims.json"]
    assert inbox.command("intake", "list", "--state", "parked") == []


def test_a_claim_mended_in_another_file_is_closed(inbox: Inbox, sandbox: Sandbox) -> None:
    """The parked one is not left for a person who has nothing to do; the refused file says so."""
    inbox.put("old.json", plain("A", line={"type": "yacht"}))
    assert inbox.intake()["old.json"]["state"] == "parked"
    inbox.put("new.json", plain("A"))
    found = inbox.intake()
    assert (found["new.json"]["state"], found["old.json"]["state"]) == ("accepted", "superseded")
    assert inbox.code == 0
    assert "CB-533 claim A: the claim was accepted as new.json" in inbox.reason("old.json")
    assert len(sandbox.ledger()) == 1


def test_what_was_mended_meanwhile_is_retried(inbox: Inbox, sandbox: Sandbox) -> None:
    """Once its invoice is free, the file moves on from refused to done, and its reason goes."""
    inbox.put("a.json", plain("A", line={"documents": [INVOICE]}))
    sandbox.stop()
    waiting = inbox.intake()["a.json"]
    assert (inbox.code, waiting["state"], waiting["code"]) == (4, "read", "CB-413")
    inbox.put("b.json", [plain("B", line={"documents": [INVOICE]}), plain("C")])
    assert inbox.intake()["b.json#B"]["state"] == "parked"
    assert inbox.files() == ["a.json", "b.json"]
    sandbox.start()
    (inbox.path / "a.json").unlink()
    assert inbox.intake()["a.json"]["state"] == "accepted"
    assert inbox.files("refused") == ["b.json", "b.json.reason.txt"]
    inbox.command("intake", "retry", "B")
    assert inbox.intake()["b.json#B"]["state"] == "parked"
    assert inbox.reason("b.json").count("CB-530") == 1
    with Client.from_config(inbox.config, overrides={"journal": inbox.journal}) as client:
        client.reverse("A")
    inbox.command("intake", "retry", "B")
    assert inbox.intake()["b.json#B"]["state"] == "accepted"
    assert inbox.files("refused") == []
    assert inbox.files("done") == ["b.json"]


def test_parked_is_listed_retried_and_refused(inbox: Inbox) -> None:
    """A person sees why, lets it be tried again, or closes it."""
    inbox.put("a.json", plain("A", employee="E9999"))
    inbox.put("b.json", b"{")
    inbox.intake()
    listed = inbox.command("intake", "list", "--state", "parked")
    assert [one["document"] for one in listed] == ["a.json", "b.json"]
    (retried,) = inbox.command("intake", "retry", "A")
    assert retried["state"] == "read"
    assert inbox.intake()["a.json"]["state"] == "parked"
    inbox.command("intake", "retry", "b.json")
    assert inbox.code == 1
    inbox.command("intake", "retry", "nothing")
    assert inbox.code == 1
    closed = inbox.command("intake", "refuse", "A", "b.json", "--reason", "paid by hand")
    assert [one["state"] for one in closed] == ["refused", "refused"]
    assert inbox.command("intake", "list", "--state", "parked") == []
    assert closed[0]["reason"] == "paid by hand"
    assert inbox.intake()["a.json"]["state"] == "refused"
    assert inbox.code == 0


def test_a_reason_is_read_whole_and_no_name_rules_the_terminal(
    inbox: Inbox, capfd: pytest.CaptureFixture[str]
) -> None:
    """What a person must fix stands there in full; escapes are spelt."""
    inbox.put("a\x1b[31m.json", plain("A", total="77.00"))
    inbox.intake()
    capfd.readouterr()
    assert main(["intake", "list", "--config", str(inbox.config)]) == 0
    printed = capfd.readouterr().out
    assert "\x1b" not in printed
    assert "a<U+001B>[31m.json" in printed
    assert "…" not in printed
    (parked,) = inbox.command("intake", "list")
    assert all(word in printed for word in parked["reason"].split())
