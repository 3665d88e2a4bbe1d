"""``doctor``: what it finds without sending anything, and what ``--ask`` finds beyond."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import Any

import pytest
from rich.cells import cell_len
from tests.cli.conftest import EXAMPLES, Folder, Run
from tests.cli.test_terminal import on_terminal
from tests.signing.issuing import AT, issue
from tests.signing.trust.test_revocation import revoke
from tests.soap.authority import Authority
from tests.soap.server import Server, Wire, http

from claimbridge import AsyncClient, Client
from claimbridge.sandbox import Hesi, Sandbox
from claimbridge.submission import Reachability


def looked(run: Run, *arguments: str) -> dict[str, dict[str, Any]]:
    """Run the doctor; return what it says by what it looked at."""
    return {one["what"]: one for one in run("doctor", "--json", *arguments).records}


def test_without_ask_nothing_is_sent(run: Run, folder: Folder, sandbox: Sandbox) -> None:
    """It connects and hangs up."""
    found = looked(run)
    assert "asked" not in found
    assert sandbox.requests() == {}


@pytest.mark.parametrize("profile", ["reference", "sap-bapi", "netsuite", "workday"])
def test_ask_goes_the_whole_way_and_posts_nothing(
    run: Run, folder: Folder, sandbox: Sandbox, profile: str
) -> None:
    """One question about a document that nobody sent; journal and ledger stay as they were."""
    folder.configure(endpoint=sandbox.url(profile), profile=profile)
    ended = run("doctor", "--ask", "--json")
    found = {one["what"]: one for one in ended.records}
    assert (ended.code, found["asked"]["verdict"]) == (0, "ok")
    assert "asked for DOCTOR-" in found["asked"]["text"]
    assert sum(sandbox.requests().values()) == 1
    assert sandbox.ledger() == []
    assert run("journal", "list", "--json").records == []


def test_both_clients_ask_alike(folder: Folder, sandbox: Sandbox) -> None:
    """It is what ``--ask`` does, and raises for nothing that goes wrong on the way."""

    async def asked() -> Reachability:
        async with AsyncClient.from_config(folder.config) as client:
            return await client.ask_for_nothing()

    with Client.from_config(folder.config) as client:
        assert (client.ask_for_nothing().works, asyncio.run(asked()).works) == (True, True)
        sandbox.set_faults("query:refuse-connection")
        assert (client.ask_for_nothing().works, asyncio.run(asked()).works) == (False, False)
    assert sandbox.ledger() == []


def test_who_cannot_be_asked_is_told_so(run: Run, folder: Folder, sandbox: Sandbox) -> None:
    """In words; nothing is sent."""
    folder.configure(endpoint=sandbox.url("in-string"), profile="in-string")
    found = looked(run, "--ask")
    assert found["asked"]["verdict"] == "warning"
    assert "cannot be asked by reference" in found["asked"]["text"]
    assert sandbox.requests() == {}


def test_a_wrong_path_is_found(run: Run, folder: Folder, sandbox: Sandbox) -> None:
    """The host answers, and knows no such path."""
    folder.configure(endpoint=sandbox.url("nowhere"))
    ended = run("doctor", "--ask", "--json")
    found = {one["what"]: one for one in ended.records}
    assert (ended.code, found["endpoint"]["verdict"]) == (2, "ok")
    assert found["asked"]["verdict"] == "failure"
    assert "CB-409" in found["asked"]["text"]


LOGIN = b"<!DOCTYPE html><html><body><form>Password</form></body></html>"


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (http(401, b"", WWW_Authenticate='Basic realm="erp"'), "CB-418"),
        (http(200, LOGIN, kind="text/html"), "HTML"),
        (http(302, b"", Location="https://login.example/"), "CB-417"),
        (http(403, LOGIN, kind="text/html"), "HTTP 403"),
        (http(503, b"", Retry_After="60"), "takes no question now"),
    ],
)
def test_what_is_no_answer_is_found(run: Run, folder: Folder, reply: bytes, told: str) -> None:
    """Wrong credentials, a login page, a redirect, a firewall, an ERP at rest."""

    def act(wire: Wire) -> None:
        wire.send(reply)

    server = Server(act, tls=None, raw=False)
    try:
        folder.configure("[ledger.CN01.timeouts]", "total = 2.0", endpoint=server.url())
        found = looked(run, "--ask")
    finally:
        server.stop()
    assert found["asked"]["verdict"] == ("warning" if "now" in told else "failure")
    assert told in found["asked"]["text"]


def test_a_certificate_that_is_not_trusted_is_found(run: Run, folder: Folder) -> None:
    """By the handshake alone where the ERP cannot be asked, by the question elsewhere."""
    ours, other = Authority("ours"), Authority("other")
    server = Server(lambda wire: None, tls=other.server(folder.path), raw=False)
    folder.write("ca.pem", ours.pem)
    try:
        for profile in ("reference", "in-string"):
            folder.configure(endpoint=server.url(), profile=profile, ca="ca.pem")
            assert "CB-415" in looked(run, "--ask")["asked"]["text"]
        folder.write("ca.pem", other.pem)
        found = looked(run, "--ask")["asked"]
        assert "its certificate is good" in found["text"]
    finally:
        server.stop()


def test_a_contract_that_drifted_is_found(run: Run, folder: Folder, sandbox: Sandbox) -> None:
    """What can be read is read, and told; a reply to something else is no answer."""
    sandbox.set_faults("query:drift")
    ended = run("doctor", "--ask", "--json")
    told = [one["text"] for one in ended.records if one["what"] == "asked"]
    assert any("differs from the contract" in one or "does not answer" in one for one in told)


def test_a_certificate_that_is_not_valid_yet_is_found(run: Run, folder: Folder) -> None:
    """Its ERP would refuse every voucher."""
    later = issue("signer", start=AT + dt.timedelta(days=2))
    folder.write("signer.pem", later.identity_pem())
    folder.configure(endpoint="http://127.0.0.1:9/", identity="file:signer.pem")
    found = looked(run)["identity"]
    assert found["verdict"] == "failure"
    assert "not valid before" in found["text"]


def test_accounts_that_the_erp_does_not_have_are_found(
    run: Run, folder: Folder, sandbox: Sandbox
) -> None:
    """By the chart's own list."""
    text = folder.chart.read_text()
    assert text.count("[chart]\n") == 1
    folder.chart.write_text(text.replace("[chart]\n", '[chart]\naccount_list = "accounts.txt"\n'))
    folder.write("accounts.txt", b"6602.02\n")
    found = looked(run)["chart"]
    assert found["verdict"] == "failure"
    assert "is not in the list of accounts" in found["text"]


def test_replies_without_an_age_are_told(run: Run, folder: Folder, sandbox: Sandbox) -> None:
    """An old answer, or the same twice, would count."""
    anchor = issue("authority", ca=True)
    folder.write("ca.pem", anchor.pem)
    endpoint = sandbox.url("reference")
    folder.configure("[ledger.CN01.replies]", 'trust = "ca.pem"', endpoint=endpoint)
    found = looked(run)["replies"]
    assert (found["verdict"], "max_age" in found["text"]) == ("warning", True)
    replies = ["[ledger.CN01.replies]", 'trust = "ca.pem"', "max_age = 300"]
    folder.configure(*replies, endpoint=endpoint)
    assert looked(run)["replies"]["verdict"] == "ok"


def test_revocation_lists_that_match_nobody_are_found(
    run: Run, folder: Folder, sandbox: Sandbox
) -> None:
    """No anchor issued them, so they revoke nobody whom the anchors admit."""
    anchor, stranger = issue("authority", ca=True), issue("stranger", ca=True)
    folder.write("ca.pem", anchor.pem)
    replies = ["[ledger.CN01.replies]", 'trust = "ca.pem"', "max_age = 300", 'crls = ["list.crl"]']
    folder.configure(*replies, endpoint=sandbox.url("reference"))
    for issuer, verdict in ((stranger, "warning"), (anchor, "ok")):
        folder.write("list.crl", revoke(issuer))
        found = looked(run)["replies"]
        assert found["verdict"] == verdict, found["text"]
    folder.write("list.crl", b"nothing")
    assert looked(run)["replies"]["verdict"] == "failure"


@pytest.mark.parametrize("right", [True, False])
def test_credentials_of_hesi_are_tried_by_ask(run: Run, folder: Folder, right: bool) -> None:
    """Wrong ones are found before the first pass; without --ask nothing is sent to it."""
    folder.write("key", b"sandbox-app-key")
    folder.write("secret", b"sandbox-secret" if right else b"nonsense")
    with Sandbox(hesi=Hesi()) as erp:
        folder.configure(
            "[source.hesi]", 'kind = "hesi"', 'ledger = "CN01"', f'address = "{erp.url("hesi")}"',
            f'map = "{EXAMPLES / "hesi-map.toml"}"', 'app_key = "file:key"',
            'app_secret = "file:secret"', endpoint=erp.url("reference"),
        )  # fmt: skip
        assert not [one for one in run("doctor", "--json").records if one["what"] == "asked"]
        assert erp.requests() == {}
        records = run("doctor", "--ask", "--json").records
    (found,) = [one for one in records if (one["ledger"], one["what"]) == ("hesi", "asked")]
    assert found["verdict"] == ("ok" if right else "failure")
    assert right or "CB-511" in found["text"]


def test_sentences_are_whole_on_80_columns(folder: Folder, sandbox: Sandbox, run: Run) -> None:
    """``doctor`` wraps them beside what it looked at; the journal has them under their items."""
    sandbox.set_faults("submit:commit-then-drop,query:drop-before-commit")
    assert run("submit", folder.claim()).code == 3
    for arguments in (["doctor"], ["journal", "list"], ["journal", "show", "EXP-2026-0042"],
                      ["status", "EXP-2026-0042", "--no-ask"]):  # fmt: skip
        shown = on_terminal(80, *arguments)
        assert max(map(cell_len, shown)) <= 80
        assert "…" not in "".join(shown)
        if arguments != ["doctor"]:
            words = " ".join(" ".join(shown).split())
            assert "reconcile before sending again" in words
    piped = run("journal", "list").out.splitlines()
    assert "reconcile before sending again" in piped[2]
