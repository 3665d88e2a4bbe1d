"""Every fault once per profile, over real sockets: what the client sees, what the ledger holds."""

from __future__ import annotations

import http.client
import json
import re
import threading
import time
from pathlib import Path

import pytest
from lxml import etree
from tests.sandbox.caller import BOTH, Caller, document, fetch, refused, submission
from tests.withstand.scene import lifelike

from claimbridge.model import OutcomeKind
from claimbridge.sandbox import DISTURBANCES, Sandbox
from claimbridge.soap.envelope import open_envelope
from claimbridge.xmlio import local_name, namespace, parse

both = pytest.mark.parametrize("profile", BOTH)


def held(erp: Sandbox) -> list[str]:
    return [document.reference for document in erp.ledger()]


@both
def test_refuse_connection_resets_before_anything_is_done(profile: str) -> None:
    """The struck call ends in a reset and books nothing; the next one goes well."""
    with lifelike(faults="refuse-connection@1") as erp:
        caller = Caller(erp, profile)
        with pytest.raises(ConnectionResetError) as broken:
            caller.post(caller.envelope())
        # RST, not an orderly end, which http.client calls RemoteDisconnected.
        assert broken.type is ConnectionResetError
        assert held(erp) == []
        assert caller.submit()[0].kind is OutcomeKind.POSTED


def test_refuse_connection_for_every_call_closes_the_door() -> None:
    """Nobody listens while every call is refused, and the port comes back where it was."""
    with lifelike(faults="refuse-connection") as erp:
        assert refused(erp.port)
        erp.set_faults("")
        assert Caller(erp).submit()[0].kind is OutcomeKind.POSTED
        idle = http.client.HTTPConnection("127.0.0.1", erp.port, timeout=5)
        idle.request("GET", "/sandbox/requests")
        assert json.loads(idle.getresponse().read()) == {"SubmitVoucher": 1}
        fetch(erp, "/sandbox/faults", '{"faults": "refuse-connection"}')
        assert refused(erp.port)
        assert idle.sock.recv(1) == b""
        idle.close()
        assert held(erp) == ["EXP-1"]


@both
@pytest.mark.parametrize(("spec", "booked"), [("timeout", 1), ("timeout=before-commit", 0)])
def test_timeout_never_answers(profile: str, spec: str, booked: int) -> None:
    """No answer comes, and the exchange ends when the client hangs up."""
    with lifelike(faults=f"{spec}@1") as erp:
        caller = Caller(erp, profile)
        with pytest.raises(TimeoutError):
            caller.post(caller.envelope(), timeout=0.3)
        assert len(held(erp)) == booked
        assert erp.requests() == {next(iter(caller.contract.operations)): 1}


@both
@pytest.mark.parametrize(("fault", "booked"), [("commit-then-drop", 1), ("drop-before-commit", 0)])
def test_drops_close_without_a_byte(profile: str, fault: str, booked: int) -> None:
    """The connection ends without an answer, after or before the commit."""
    with lifelike(faults=f"{fault}@1") as erp:
        caller = Caller(erp, profile)
        with pytest.raises(http.client.RemoteDisconnected):
            caller.post(caller.envelope())
        assert len(held(erp)) == booked


@both
def test_half_reply(profile: str) -> None:
    """Less arrives than Content-Length promised, or XML that ends in the middle."""
    with lifelike(faults="half-reply@1,half-reply=malformed@2") as erp:
        caller = Caller(erp, profile)
        with pytest.raises(http.client.IncompleteRead) as cut:
            caller.post(caller.envelope())
        assert len(cut.value.partial) > 0
        _, headers, content = caller.post(caller.envelope(submission("EXP-2")))
        content = document(headers, content)
        assert not content.endswith(b"Envelope>")
        assert held(erp) == ["EXP-1", "EXP-2"]


@both
def test_slow(profile: str) -> None:
    """The whole answer comes, late and in pieces."""
    with lifelike(faults="slow=0.4@1") as erp:
        began = time.monotonic()
        assert Caller(erp, profile).submit()[0].kind is OutcomeKind.POSTED
        assert time.monotonic() - began >= 0.4


def test_stopping_cuts_a_slow_answer_short(caplog: pytest.LogCaptureFixture) -> None:
    """A sandbox stops at once, without an error in its log, though an answer is under way."""
    with lifelike(faults="slow=30") as erp:
        caller = Caller(erp)
        with pytest.raises(TimeoutError):
            caller.post(caller.envelope(), timeout=0.2)
        began = time.monotonic()
    assert time.monotonic() - began < 1.5
    assert caplog.records == []


@both
def test_fault_is_the_contracts_own_refusal(profile: str) -> None:
    """The profile reads a refusal with its reason; nothing is booked."""
    with lifelike(faults="fault@1") as erp:
        (outcome,) = Caller(erp, profile).submit()
        assert outcome.kind is OutcomeKind.REJECTED
        assert any("told to refuse" in reason.text for reason in outcome.reasons)
        assert held(erp) == []


@both
@pytest.mark.parametrize("spec", ["lock", "licence"])
def test_the_erp_itself_refuses_for_now(profile: str, spec: str) -> None:
    """A lock and a full licence are refusals of the ERP, with its text; nothing is booked."""
    with lifelike(faults=f"{spec}@1") as erp:
        caller = Caller(erp, profile)
        (outcome,) = caller.submit()
        assert outcome.kind is OutcomeKind.REJECTED
        assert any(re.search("locked|licence", reason.text) for reason in outcome.reasons)
        assert held(erp) == []
        assert caller.submit()[0].kind is OutcomeKind.POSTED


@both
@pytest.mark.parametrize(("variant", "booked"), [("", 1), ("=before-commit", 0)])
def test_unsigned_fault_proves_nothing(profile: str, variant: str, booked: int) -> None:
    """A plain Server Fault comes, whether the document was booked or not."""
    with lifelike(faults=f"unsigned-fault{variant}@1") as erp:
        (outcome,) = Caller(erp, profile).submit()
        assert outcome.kind is OutcomeKind.UNKNOWN
        assert len(held(erp)) == booked


@both
@pytest.mark.parametrize(("variant", "status"), [("", 503), ("=429", 429)])
def test_throttle_by_status(profile: str, variant: str, status: int) -> None:
    """The HTTP status says come back later, and when; nothing is booked."""
    with lifelike(faults=f"throttle{variant}@1") as erp:
        caller = Caller(erp, profile)
        got, headers, _ = caller.post(caller.envelope())
        assert (got, headers["retry-after"]) == (status, "1")
        assert held(erp) == []


def test_throttle_typed() -> None:
    """The contract's own fault says so; where it has none, the status 503 does."""
    with lifelike(faults="throttle=typed") as erp:
        (outcome,) = Caller(erp).submit()
        assert (outcome.kind, outcome.retry_after) == (OutcomeKind.UNAVAILABLE, 1.0)
        sap = Caller(erp, "sap-journal-entry")
        assert sap.post(sap.envelope())[0] == 503
        assert held(erp) == []


@both
def test_duplicate_reply_is_that_of_the_call_before(profile: str) -> None:
    """The second call is booked, and answered with the first one's reply."""
    with lifelike(faults="duplicate-reply@2") as erp:
        caller = Caller(erp, profile)
        first = caller.submit(submission("EXP-1"))
        assert caller.submit(submission("EXP-2")) == first
        assert held(erp) == ["EXP-1", "EXP-2"]


def test_duplicate_reply_is_never_a_fault() -> None:
    """What is sent again is the latest reply, not a Fault that came after it."""
    with lifelike(faults="duplicate-reply@3") as erp:
        caller = Caller(erp)
        first = caller.submit(submission("EXP-1"))
        assert caller.submit(submission("EXP-2", account="999901")) != first
        assert caller.submit(submission("EXP-3")) == first


@both
def test_duplicate_reply_of_two_items(profile: str) -> None:
    """The reply holds the document before beside this one; the contract does not allow that."""
    with lifelike(faults="duplicate-reply=two-items@2") as erp:
        caller = Caller(erp, profile)
        caller.submit(submission("EXP-1"))
        content = document(*caller.post(caller.envelope(submission("EXP-2")))[1:])
        body = open_envelope(content).body
        assert body is not None
        outcomes = caller.profile.read(caller.contract.reply(body))
        assert [outcome.reference for outcome in outcomes] == ["EXP-1", "EXP-2"]


@both
@pytest.mark.parametrize(("variant", "booked"), [("", 0), ("=after-commit", 1)])
def test_html_200(profile: str, variant: str, booked: int) -> None:
    """A login page comes with the status 200."""
    with lifelike(faults=f"html-200{variant}@1") as erp:
        caller = Caller(erp, profile)
        status, headers, content = caller.post(caller.envelope())
        assert status == 200
        assert headers["content-type"].startswith("text/html")
        assert b"<html>" in content
        assert len(held(erp)) == booked


@both
def test_html_200_may_say_that_it_is_xml(profile: str) -> None:
    """A well-formed login page comes as XML; nothing is booked."""
    with lifelike(faults="html-200=as-xml@1") as erp:
        caller = Caller(erp, profile)
        status, headers, content = caller.post(caller.envelope())
        assert status == 200
        assert "html" not in headers["content-type"]
        assert local_name(parse(document(headers, content))) == "html"
        assert held(erp) == []


@both
def test_redirect_to_a_login_page(profile: str) -> None:
    """302 with a page in it, and an address without a host."""
    with lifelike(faults="redirect=login@1") as erp:
        caller = Caller(erp, profile)
        status, headers, content = caller.post(caller.envelope())
        assert status == 302
        assert headers["location"].startswith("/sandbox/decoy?")
        assert b"<html>" in content
        assert held(erp) == []


@both
def test_redirect_counts_who_follows(profile: str) -> None:
    """302 to the decoy, which counts its visitors."""
    with lifelike(faults="redirect@1") as erp:
        caller = Caller(erp, profile)
        status, headers, _ = caller.post(caller.envelope())
        assert status == 302
        assert "decoy" not in erp.requests()
        path = headers["location"].removeprefix(f"http://127.0.0.1:{erp.port}")
        connection = http.client.HTTPConnection("127.0.0.1", erp.port)
        connection.request("POST", path, b"<voucher/>")
        connection.getresponse().read()
        connection.close()
        assert erp.requests()["decoy"] == 1
        assert held(erp) == []


@both
def test_wrong_reference(profile: str) -> None:
    """The document is booked under its reference, and the reply names another."""
    with lifelike(faults="wrong-reference@1") as erp:
        (outcome,) = Caller(erp, profile).submit(submission("EXP-1"))
        assert outcome.reference == "EXP-0"
        assert held(erp) == ["EXP-1"]


@both
def test_drift_still_carries_the_evidence(profile: str) -> None:
    """New, moved and renamed elements: the contract notices, the number is still there."""
    with lifelike(faults="drift@1") as erp:
        caller = Caller(erp, profile)
        content = document(*caller.post(caller.envelope())[1:])
        body = open_envelope(content).body
        assert body is not None
        assert caller.contract.drift(body) != ()
        spaces = {namespace(part) for part in body.iterdescendants(etree.Element)}
        assert spaces == {"urn:claimbridge:sandbox:another-version"}
        number = erp.ledger()[0].journal_entry
        assert number is not None
        assert number.split(" / ")[0].encode() in content
        (outcome,) = caller.profile.read(caller.contract.reply(body))
        assert outcome.kind is OutcomeKind.POSTED
        assert outcome.journal_entry is not None
        assert outcome.journal_entry.number == number.split(" / ")[0]


def test_every_fault_is_tested_here() -> None:
    """A fault added to the list needs a test in this file."""
    source = Path(__file__).read_text(encoding="utf-8")
    ordered = set(re.findall(r'faults=f?"([a-z0-9-]+)', source)) | {
        *re.findall(r'(?:[(\[]|(?<=",) )"([a-z-]+)"', source)
    }
    assert DISTURBANCES.keys() - ordered == set()


def test_submissions_are_counted_not_queries() -> None:
    """``@N`` counts calls that write, a batch once; another prefix counts others."""
    with lifelike(faults="fault@2,query:throttle=typed@2") as erp:
        caller = Caller(erp)
        assert caller.query("EXP-1")[0].kind is OutcomeKind.ABSENT
        batch = caller.submit(submission("EXP-1"), submission("EXP-2"))
        assert [outcome.kind for outcome in batch] == [OutcomeKind.POSTED] * 2
        assert caller.query("EXP-1")[0].kind is OutcomeKind.UNAVAILABLE
        assert caller.submit(submission("EXP-3"))[0].kind is OutcomeKind.REJECTED
        assert caller.submit(submission("EXP-3"))[0].kind is OutcomeKind.POSTED
        assert erp.requests() == {"QueryVouchers": 2, "SubmitVouchers": 1, "SubmitVoucher": 2}


def test_stopping_releases_what_waits() -> None:
    """A call that is kept waiting for ever does not keep the sandbox from stopping."""
    with lifelike(faults="timeout") as erp:
        caller = Caller(erp)
        ends: list[type[BaseException]] = []

        def call() -> None:
            try:
                caller.post(caller.envelope(), timeout=30)
            except (OSError, http.client.HTTPException) as error:
                ends.append(type(error))

        thread = threading.Thread(target=call)
        thread.start()
        while not erp.requests():
            time.sleep(0.01)
        began = time.monotonic()
        erp.stop()
        thread.join()
        assert time.monotonic() - began < 5
        assert ends != [TimeoutError]
