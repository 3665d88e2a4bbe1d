"""npm's ``soap``, made from the WSDL that the sandbox publishes, posts and reads by itself."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.peers.conftest import renamed
from tests.peers.requests import posting, reversing, reworded
from tests.site import SITE

from claimbridge import Claim, JournalEntry
from claimbridge.mapping import Chart
from claimbridge.profiles import load_profile
from claimbridge.profiles.base import Profile
from claimbridge.profiles.request import Request
from claimbridge.sandbox import Sandbox

NODE = Path(__file__).parent / "node"
Ask = Callable[[Profile, list[Request]], list[dict[str, Any]]]


@pytest.fixture(params=["1.1", "1.2"])
def ask(
    request: pytest.FixtureRequest, peer: Callable[..., str], packages: Path, erp: Sandbox
) -> Ask:
    """Makes one client of node's, by one version of SOAP, and returns what each call brought."""
    node = peer("node")

    def call(profile: Profile, requests: list[Request]) -> list[dict[str, Any]]:
        run = subprocess.run(
            [node, str(NODE / "client.mjs"), f"{erp.url(profile.name)}?wsdl", request.param],
            input=json.dumps([reworded(profile, one, _for_node) for one in requests]),
            env={**os.environ, "NODE_PACKAGES": f"{packages}/"},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert run.returncode == 0, run.stderr
        answers: list[dict[str, Any]] = json.loads(run.stdout)
        return answers

    return call


def _for_node(attributes: dict[str, str], text: str | None, children: dict[str, Any]) -> Any:
    return (
        ({"attributes": attributes} if attributes else {})
        | ({"$value": text} if text is not None else {})
        | children
    )


@pytest.mark.parametrize("name", ["reference", "sap-journal-entry"])
def test_node_posts_every_example(
    name: str, ask: Ask, erp: Sandbox, examples: tuple[Claim, ...], chart: Chart
) -> None:
    """What node makes of the contract is taken in; every number comes back with its zeros."""
    profile = load_profile(name, SITE.get(name, {}))
    posted = [posting(claim, chart) for claim in examples if claim.company == "CN01"]
    answers = ask(profile, [profile.submit([one]) for one in posted])
    held = erp.ledger()
    assert [one.reference for one in held] == [one.reference for one in posted]
    numbers = [(one.journal_entry or "").split(" / ")[0] for one in held]
    assert [_number(answer["reply"]) for answer in answers] == numbers
    for one, submission in zip(held, posted, strict=True):
        # SAP's taxes of one code are one item.
        debits = [Decimal(leg["amount"]) for leg in one.postings if leg["side"] == "debit"]
        assert {submission.voucher.currency: sum(debits)} == submission.voucher.totals


def _number(reply: dict[str, Any]) -> str:
    if "Document" in reply:
        return str(reply["Document"]["JournalEntry"]["Number"])
    (confirmed,) = reply["JournalEntryCreateConfirmation"]
    return str(confirmed["JournalEntryCreateConfirmation"]["AccountingDocument"])


def test_node_reads_what_the_contract_answers(
    ask: Ask, erp: Sandbox, trip: Claim, chart: Chart
) -> None:
    """A repeat, a batch, a query, changes: replies and typed faults as the WSDL promises them."""
    profile = load_profile("reference")
    first, second = posting(trip, chart), posting(renamed(trip, "N-2"), chart)
    answers = ask(
        profile,
        [
            profile.submit([first]),
            profile.submit([first]),
            profile.submit([first, second]),
            profile.query([first.reference, "N-3"]),
            profile.changes("", 10),
            profile.changes("nonsense", 10),
        ],
    )
    shown = answers[0]["reply"]["Document"]
    assert (shown["Reference"], shown["Status"]) == (trip.id, "posted")
    repeated = answers[1]["fault"]["DuplicateReferenceFault"]["Document"]
    assert repeated["JournalEntry"] == shown["JournalEntry"]
    batch = answers[2]["reply"]["Item"]
    assert [next(k for k in item if k != "Reference") for item in batch] == [
        "Duplicate",
        "Document",
    ]
    asked = answers[3]["reply"]["Item"]
    assert asked[0]["Document"] == shown
    assert asked[1] == {"Reference": "N-3", "Absent": None}
    page = answers[4]["reply"]
    assert [document["Reference"] for document in page["Document"]] == [trip.id, "N-2"]
    assert page["More"] is False
    assert answers[5]["fault"] == {"InvalidCursorFault": {"Cursor": "nonsense"}}
    assert len(erp.ledger()) == 2


def test_node_reverses(ask: Ask, erp: Sandbox, trip: Claim, chart: Chart) -> None:
    """An entry is taken back once; one that is not there is a NotFoundFault."""
    profile, posted = load_profile("reference"), posting(trip, chart)
    entry = JournalEntry("000001", "CN01", "2026")
    again = msgspec.structs.replace(reversing(posted, entry), reference="again")
    answers = ask(
        profile,
        [
            profile.reverse(reversing(posted, entry)),
            profile.submit([posted]),
            profile.reverse(reversing(posted, entry)),
            profile.reverse(again),
        ],
    )
    assert answers[0]["fault"]["NotFoundFault"]["JournalEntry"]["Number"] == "000001"
    assert answers[2]["reply"]["Document"]["JournalEntry"]["Number"] == "000002"
    assert answers[3]["fault"]["RejectedFault"]["Reason"]["Code"] == "not-reversible"
    assert [one.state for one in erp.ledger()] == ["reversed", "posted"]


@pytest.mark.parametrize("name", ["reference", "sap-journal-entry"])
def test_node_reads_a_refusal(name: str, ask: Ask, erp: Sandbox, trip: Claim, chart: Chart) -> None:
    """A closed period: the contract's typed fault, and SAP's reply without a number."""
    profile = load_profile(name, SITE.get(name, {}))
    early = posting(msgspec.structs.replace(trip, posting_date=dt.date(2025, 12, 31)), chart)
    (answer,) = ask(profile, [profile.submit([early])])
    if name == "reference":
        assert answer["fault"]["RejectedFault"]["Reason"]["Code"] == "period-closed"
    else:
        (confirmed,) = answer["reply"]["JournalEntryCreateConfirmation"]
        assert confirmed["Log"]["MaximumLogItemSeverityCode"] == "3"
        assert "201(F5)" in [item["TypeID"] for item in confirmed["Log"]["Item"]]
    assert erp.ledger() == []
