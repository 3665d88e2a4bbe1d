"""The control pages, the published contract, recordings, and a Responder of one's own."""

from __future__ import annotations

import http.client
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from tests.sandbox.caller import BOTH, Caller, body_of, fetch, submission

from claimbridge.clock import SYSTEM
from claimbridge.model import OutcomeKind
from claimbridge.sandbox import Desk, ErpAnswer, ErpCall, OperationKind, Sandbox
from claimbridge.sandbox.erps.reference import ReferenceResponder
from claimbridge.soap.envelope import build
from claimbridge.soap.security import username_token


def page(erp: Sandbox, path: str) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", erp.port, timeout=10)
    connection.request("GET", path)
    reply = connection.getresponse()
    content = reply.read()
    connection.close()
    assert reply.status == 200, content
    return content


def test_the_control_pages() -> None:
    """Ledger, counts, faults and advance over HTTP, as scripts use them."""
    with Sandbox(holds=True) as erp:
        Caller(erp).submit()
        (listed,) = fetch(erp, "/sandbox/ledger")
        assert {"reference", "journal_entry", "postings", "state"} <= listed.keys()
        assert (listed["reference"], listed["journal_entry"]) == ("EXP-1", None)
        assert fetch(erp, "/sandbox/requests") == {"SubmitVoucher": 1}
        assert [d["state"] for d in fetch(erp, "/sandbox/advance", "")] == ["posted"]
        moved = fetch(erp, "/sandbox/advance", '{"reference": "EXP-1", "to": "paid"}')
        assert [d["state"] for d in moved] == ["paid"]
        assert fetch(erp, "/sandbox/faults", '{"faults": "fault@1"}') == {"faults": "fault@1"}
        assert Caller(erp).submit(submission("EXP-2"))[0].kind is OutcomeKind.REJECTED
        assert "CB-270" in fetch(erp, "/sandbox/faults", '{"faults": "nonsense"}')["error"]
        assert "CB-274" in fetch(erp, "/sandbox/advance", '{"to": "heaven"}')["error"]
        assert "CB-274" in fetch(erp, "/sandbox/advance", "[")["error"]


@pytest.mark.parametrize("profile", BOTH)
def test_the_contract_can_be_loaded_from_it(profile: str) -> None:
    """The WSDL names the sandbox as its address, and every schema it needs can be fetched."""
    with Sandbox() as erp:
        files, wanted = {}, [f"/{profile}?wsdl"]
        while wanted:
            path = wanted.pop()
            files[path] = page(erp, path)
            for location in re.findall(rb'schemaLocation="([^"]+)"', files[path]):
                absolute = location.decode().removeprefix(f"http://127.0.0.1:{erp.port}")
                folder = path.partition("?")[0].rpartition("/")[0]
                found = absolute if absolute.startswith("/") else f"{folder}/{absolute}"
                if found not in files:
                    wanted.append(found)
        assert erp.url(profile).encode() in files[f"/{profile}?wsdl"]
        assert b".invalid" not in files[f"/{profile}?wsdl"]


def test_php_submits_and_is_answered(peer, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]  # a fixture
    """PHP's SoapClient loads the contract from the sandbox and posts a voucher with it."""
    php = peer("php", "--ri", "soap")
    script = tmp_path / "client.php"
    script.write_text(PHP)
    with Sandbox(profiles=["reference"]) as erp:
        run = subprocess.run(
            [php, "-d", "soap.wsdl_cache_enabled=0", str(script), f"{erp.url()}?wsdl"],
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert run.stdout == "posted 000001 DuplicateReferenceFault", run.stdout + run.stderr


PHP = r"""<?php
$client = new SoapClient($argv[1]);
$amount = ['Currency' => 'CNY', 'Amount' => '100.00'];
$posting = fn($n, $side) => $amount + ['Number' => $n, 'Role' => 'expense', 'Account' => '6602',
                                       'Side' => $side];
$voucher = ['Id' => 'V1', 'Reference' => 'PHP-1', 'Purpose' => 'post', 'ClaimId' => 'PHP-1',
            'Revision' => 1, 'Company' => 'CN01', 'Employee' => 'E1',
            'DocumentDate' => '2026-03-20', 'PostingDate' => '2026-03-31', 'Currency' => 'CNY',
            'DebitTotal' => [$amount], 'Posting' => [$posting(1, 'debit'), $posting(2, 'credit')]];
$reply = $client->SubmitVoucher(['Voucher' => $voucher]);
echo $reply->Document->Status, ' ', $reply->Document->JournalEntry->Number, ' ';
try {
    $client->SubmitVoucher(['Voucher' => $voucher]);
} catch (SoapFault $fault) {
    echo array_key_first((array) $fault->detail);
}
"""


@pytest.mark.parametrize("profile", BOTH)
def test_recordings(profile: str, tmp_path: Path) -> None:
    """Each exchange is a folder; secrets are scrubbed; what was not answered has no reply."""
    with Sandbox(record=tmp_path, faults="commit-then-drop@2,html-200@3") as erp:
        caller = Caller(erp, profile)
        token = username_token("svc", "hunter2", digest=False, clock=SYSTEM)
        body = body_of(profile, caller.profile.submit([submission("EXP/1")]))
        secret = {"Authorization": "Basic c3ZjOmh1bnRlcjI="}
        caller.post(build(body, version="1.1", headers=[token]), headers=secret)
        with pytest.raises(http.client.RemoteDisconnected):
            caller.post(caller.envelope(submission("EXP/2")))
        caller.post(caller.envelope(submission("EXP/2")))
    (operation,) = (tmp_path / profile).iterdir()
    names = {
        case.name: sorted(file.name for file in case.iterdir()) for case in operation.iterdir()
    }
    assert names == {
        "EXP-1": ["case.toml", "reply.xml", "request.xml"],
        "EXP-2-commit-then-drop": ["case.toml", "request.xml"],
        "EXP-2-html-200": ["case.toml", "reply.txt", "request.xml"],
    }
    kept = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert b"hunter2" not in kept
    assert b"c3Zj" not in kept
    assert b"Nonce" in kept
    assert b">***<" in kept
    about = tomllib.loads((operation / "EXP-1" / "case.toml").read_text())
    assert (about["soap"], about["status"]) == ("1.1", 200)
    assert "fault" not in about


@pytest.mark.parametrize(
    ("headers", "envelope", "status"),
    [
        ({"Content-Type": "application/json"}, b"{}", 415),
        ({}, b"<voucher/>", 500),
        ({}, b"<!DOCTYPE a><a/>", 500),
        ({}, build(b"<unheard-of/>", version="1.1"), 500),
        ({}, build(b"<voucher/>", version="1.2"), 400),
        ({"SOAPAction": '"urn:something-else"'}, None, 500),
    ],
)
def test_what_is_no_call_of_the_contract(
    headers: dict[str, str], envelope: bytes | None, status: int
) -> None:
    """A request that is no call is answered as SOAP says, counted apart, and books nothing."""
    with Sandbox(profiles=["reference"]) as erp:
        caller = Caller(erp)
        assert caller.post(envelope or caller.envelope(), headers=headers)[0] == status
        assert erp.requests() == {"unreadable": 1}
        assert erp.ledger() == []


class Brief(ReferenceResponder):
    """An ERP of one's own, which only ever says that it is full."""

    name = "brief"

    def answer(self, call: ErpCall, desk: Desk) -> ErpAnswer:
        """Refuse."""
        throttled = self.throttle(call, 9)
        assert throttled is not None
        return throttled


@pytest.mark.parametrize("profile", [Brief(), "tests.sandbox.test_control:Brief"])
def test_a_responder_of_ones_own(profile: str | Brief) -> None:
    """A Responder, or the name of one, is served under its name with all the faults."""
    with Sandbox(profiles=[profile], faults="slow=0.01") as erp:
        caller = Caller(erp)
        envelope = caller.envelope()
        caller.name = "brief"
        status, _, content = caller.post(envelope)
        assert status == 500
        assert b"<s:RetryAfterSeconds>9<" in content


def test_kinds_must_be_in_the_contract() -> None:
    """A Responder for operations that its contract does not have is refused at once."""

    class Mistaken(Brief):
        kinds = {"SubmitVuocher": OperationKind.SUBMIT}  # noqa: RUF012 - as users write it

    with pytest.raises(Exception, match="SubmitVuocher"):
        Sandbox(profiles=[Mistaken()])
