"""NetSuite: batches, corrections and expense reports leave one record each; who calls proves it."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from tests.withstand.scene import (
    SENDERS,
    attempted,
    claim,
    configured,
    faults,
    held,
    late,
    lifelike,
    one_effect,
    settled,
)

from claimbridge.config import AuthConfig
from claimbridge.errors import DeliveryError, LedgerRejection, OutcomeUnknown
from claimbridge.model import Acknowledgement, State
from claimbridge.profiles.netsuite.token_passport import SECRETS
from claimbridge.sandbox import Desk, ErpAnswer, ErpCall, Sandbox
from claimbridge.sandbox.erps.netsuite import NetSuiteResponder
from claimbridge.xmlio import local_name

PROFILE = "netsuite"
REPORTS = {"record": "expense-report"}


@pytest.mark.parametrize("kind", SENDERS)
@pytest.mark.parametrize("operation", ["asyncUpsertList", "checkAsyncStatus", "getAsyncResult"])
@pytest.mark.parametrize("fault", list(faults()))
def test_one_effect_of_a_batch(
    erp: Sandbox,
    new_id: Callable[[], str],
    tmp_path: Path,
    fault: str,
    operation: str,
    kind: str,
) -> None:
    """Whichever call of a job is struck, each claim ends with one journal entry."""
    config = configured(PROFILE, port=erp.port, journal=tmp_path / "claims.db")
    claims = [claim(new_id()) for _ in range(3)]
    with SENDERS[kind](config) as sender:
        erp.set_faults(f"{operation}:{fault}@1")
        sender.submit_many(claims, batch=3)
        erp.set_faults("")
        for mine in claims:
            assert isinstance(settled(sender, mine), Acknowledgement)
            found = held(erp.ledger(), PROFILE, mine.id)
            assert [one.reference for one in found.live] == [mine.id]


def test_a_job_is_followed_to_its_end(
    erp: Sandbox, new_id: Callable[[], str], tmp_path: Path
) -> None:
    """Of a batch each claim gets its own answer: one refused, the others posted."""
    config = configured(PROFILE, port=erp.port, journal=tmp_path / "claims.db")
    claims = [claim(new_id()) for _ in range(3)]
    claims[1] = late(claims[1])
    before = erp.requests()
    with SENDERS["Client"](config) as sender:
        results = sender.submit_many(claims, batch=3)
    assert [one.error is None for one in results] == [True, False, True]
    error = results[1].error
    assert isinstance(error, LedgerRejection)
    assert [reason.code for reason in error.reasons] == ["TRAN_PERIOD_CLOSED"]
    after = erp.requests()
    counted = {name: count - before.get(name, 0) for name, count in after.items()}
    assert counted["asyncUpsertList"] == counted["getAsyncResult"] == 1
    assert counted["checkAsyncStatus"] >= 1


@pytest.mark.parametrize("kind", SENDERS)
def test_a_correction_takes_the_first_back(
    erp: Sandbox, new_id: Callable[[], str], tmp_path: Path, kind: str
) -> None:
    """Revision 2 after a posted revision 1: one reversal, one live journal entry."""
    config = configured(PROFILE, port=erp.port, journal=tmp_path / "claims.db")
    name = new_id()
    with SENDERS[kind](config) as sender:
        sender.submit(claim(name))
        sender.submit(claim(name, revision=2, taxi="40.00"))
        states = [one.state for one in erp.ledger() if one.profile == PROFILE]
        assert sender.status(name).state is State.POSTED
    assert states[-3:] == ["reversed", "posted", "posted"]


# --- expense reports --------------------------------------------------------------------------


@pytest.mark.parametrize("kind", SENDERS)
@pytest.mark.parametrize("fault", list(faults()))
def test_one_report(
    erp: Sandbox, new_id: Callable[[], str], tmp_path: Path, fault: str, kind: str
) -> None:
    """Whatever strikes, and whomever: a claim becomes one expense report, no other record."""
    config = configured(PROFILE, port=erp.port, journal=tmp_path / "claims.db", options=REPORTS)
    with SENDERS[kind](config) as sender:
        spec = f"any:{fault}@1"
        struck = one_effect(sender, erp, spec, profile=PROFILE, new_id=new_id)
        struck.acknowledged()
    accounts = {one["account"] for one in struck.held.live[0].postings}
    assert "tax J6" in accounts  # as the sandbox books a report's tax: by its code


@pytest.mark.parametrize("kind", SENDERS)
@pytest.mark.parametrize("fault", ["commit-then-drop", "drop-before-commit", "throttle=typed"])
def test_one_report_of_each_in_a_batch(
    erp: Sandbox, new_id: Callable[[], str], tmp_path: Path, fault: str, kind: str
) -> None:
    """A job of reports is followed like any other; one is refused, the others are one each."""
    config = configured(PROFILE, port=erp.port, journal=tmp_path / "claims.db", options=REPORTS)
    claims = [claim(new_id()) for _ in range(3)]
    claims[1] = late(claims[1])
    with SENDERS[kind](config) as sender:
        erp.set_faults(f"asyncUpsertList:{fault}@1")
        sender.submit_many(claims, batch=3)
        erp.set_faults("")
        # After a lost answer one refusal proves nothing of the sending before it.
        assert isinstance(attempted(sender, claims[1]), LedgerRejection | OutcomeUnknown)
        assert held(erp.ledger(), PROFILE, claims[1].id).live == []
        for mine in (claims[0], claims[2]):
            assert isinstance(settled(sender, mine), Acknowledgement)
            found = held(erp.ledger(), PROFILE, mine.id)
            assert [one.reference for one in found.live] == [mine.id]


@pytest.mark.parametrize("kind", SENDERS)
def test_a_report_that_accounting_has_to_approve_is_acknowledged(
    erp: Sandbox, new_id: Callable[[], str], tmp_path: Path, kind: str
) -> None:
    """Also where its answer was lost and NetSuite was asked."""
    options = {**REPORTS, "approved": False}
    config = configured(PROFILE, port=erp.port, journal=tmp_path / "claims.db", options=options)
    with SENDERS[kind](config) as sender:
        for spec in ("", "commit-then-drop@1"):
            erp.set_faults(spec)
            end = settled(sender, mine := claim(new_id()))
            assert isinstance(end, Acknowledgement)
            assert end.state is State.ACKNOWLEDGED
            assert [one.state for one in held(erp.ledger(), PROFILE, mine.id).live] == ["entered"]


class Mistaken(NetSuiteResponder):
    """An account in which somebody has changed what a report shows."""

    def answer(self, call: ErpCall, desk: Desk) -> ErpAnswer:
        answer = super().answer(call, desk)
        changed = answer.content.replace(b">106.0<", b">107.0<").replace(b">100.0<", b">101.0<")
        return msgspec.structs.replace(answer, content=changed.replace(b">136.0<", b">137.0<"))


@pytest.mark.parametrize("kind", SENDERS)
def test_a_report_with_other_amounts_is_not_adopted(
    new_id: Callable[[], str], tmp_path: Path, kind: str
) -> None:
    """What is found under our reference is compared; a person looks at what is not ours."""
    with lifelike(profiles=[Mistaken()]) as account:
        config = configured(
            PROFILE, port=account.port, journal=tmp_path / "claims.db", options=REPORTS
        )
        account.set_faults("commit-then-drop@1")
        with SENDERS[kind](config) as sender:
            attempted(sender, mine := claim(new_id()))
            end = settled(sender, mine)
            assert not isinstance(end, Acknowledgement)
            status = sender.status(mine.id)
        assert status.state is State.PARKED
        assert "137.00 CNY, ours 136.00 CNY" in status.detail


@pytest.mark.parametrize("kind", SENDERS)
def test_a_correction_of_a_report_is_refused(
    erp: Sandbox, new_id: Callable[[], str], tmp_path: Path, kind: str
) -> None:
    """Nothing takes a report back: the first stays as it is, and nothing is posted beside it."""
    config = configured(PROFILE, port=erp.port, journal=tmp_path / "claims.db", options=REPORTS)
    name = new_id()
    with SENDERS[kind](config) as sender:
        sender.submit(claim(name))
        end = attempted(sender, claim(name, revision=2, taxi="40.00"))
        assert isinstance(end, DeliveryError)
        assert end.code == "CB-468"
        assert sender.status(name).state is State.POSTED
    found = held(erp.ledger(), PROFILE, name)
    assert [one.reference for one in (*found.posts, *found.reversals)] == [name]


@pytest.mark.parametrize("kind", SENDERS)
def test_a_changed_option_posts_nothing_twice(
    erp: Sandbox, new_id: Callable[[], str], tmp_path: Path, kind: str
) -> None:
    """A journal entry in doubt, and reports from then on: its external id is taken."""
    entries = configured(PROFILE, port=erp.port, journal=tmp_path / "claims.db", retries=0)
    mine = claim(new_id())
    with SENDERS[kind](entries) as sender:
        erp.set_faults("commit-then-drop@1,any:refuse-connection@2")
        attempted(sender, mine)
        erp.set_faults("")
    reports = msgspec.structs.replace(entries, options=REPORTS)
    with SENDERS[kind](reports) as sender:
        assert isinstance(attempted(sender, mine), OutcomeUnknown)
    assert len(held(erp.ledger(), PROFILE, mine.id).live) == 1
    with SENDERS[kind](entries) as sender:
        assert isinstance(settled(sender, mine), Acknowledgement)
    assert len(held(erp.ledger(), PROFILE, mine.id).live) == 1


# --- who calls --------------------------------------------------------------------------------


class Doorkeeper(NetSuiteResponder):
    """An account that notes who calls."""

    def __init__(self) -> None:
        self.passports: list[dict[str, str]] = []

    def answer(self, call: ErpCall, desk: Desk) -> ErpAnswer:
        self._note(call)
        return super().answer(call, desk)

    def throttle(self, call: ErpCall, seconds: int) -> ErpAnswer | None:
        self._note(call)
        return super().throttle(call, seconds)

    def _note(self, call: ErpCall) -> None:
        (passport,) = call.headers
        assert local_name(passport) == "tokenPassport"
        self.passports.append({local_name(one): one.text or "" for one in passport})


def signature(passport: dict[str, str]) -> str:
    """The signature that NetSuite would compute of what it was told, and the two secrets."""
    told = [passport[name] for name in ("account", "consumerKey", "token", "nonce", "timestamp")]
    key = b"value-of-consumer_secret&value%20of%26token_secret"
    return base64.b64encode(hmac.digest(key, "&".join(told).encode(), "sha256")).decode()


@pytest.mark.parametrize("kind", SENDERS)
def test_each_attempt_proves_itself_anew(
    new_id: Callable[[], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """A throttled attempt, the next and a question carry passports of their own, and no secret."""
    for name in ("consumer_key", "consumer_secret", "token"):
        monkeypatch.setenv(f"NS_{name}", f"value-of-{name}")
    monkeypatch.setenv("NS_token_secret", "value of&token_secret")
    references = {name: f"env:NS_{name}" for name in SECRETS}
    auth = AuthConfig(kind="token-passport", user="1234567_SB1", secrets=references)
    door = Doorkeeper()
    with lifelike(profiles=[door]) as account:
        config = configured(PROFILE, port=account.port, journal=tmp_path / "claims.db", auth=auth)
        account.set_faults("throttle=typed@1,commit-then-drop@2")
        with SENDERS[kind](config) as sender:
            attempted(sender, mine := claim(new_id()))
            settled(sender, mine)
    assert len(door.passports) >= 3
    assert len({one["nonce"] for one in door.passports}) == len(door.passports)
    for passport in door.passports:
        assert passport["account"] == "1234567_SB1"
        assert passport["signature"] == signature(passport)
        assert not any("secret" in value for value in passport.values())


class Turnkey(NetSuiteResponder):
    """An account that answers questions with a fault."""

    def __init__(self, fault: str) -> None:
        self.fault = fault

    def answer(self, call: ErpCall, desk: Desk) -> ErpAnswer:
        if call.operation != "getList" or not self.fault:
            return super().answer(call, desk)
        uri = "urn:faults_2023_2.platform.webservices.netsuite.com"
        detail = f'<{self.fault} xmlns="{uri}"><code>C</code><message>no</message></{self.fault}>'
        return ErpAnswer(content=detail.encode(), fault="receiver", reason="no")


@pytest.mark.parametrize("kind", SENDERS)
@pytest.mark.parametrize(
    "fault",
    [
        "invalidCredentialsFault",
        "insufficientPermissionFault",
        "exceededRequestSizeFault",
        "exceededRequestLimitFault",
        "unexpectedErrorFault",
    ],
)
def test_a_question_that_is_refused_leaves_the_doubt(
    new_id: Callable[[], str], tmp_path: Path, fault: str, kind: str
) -> None:
    """A lost answer stays in doubt while NetSuite will not be asked, whatever it says to that."""
    account = Turnkey(fault)
    with lifelike(profiles=[account]) as sandbox:
        config = configured(PROFILE, port=sandbox.port, journal=tmp_path / "claims.db")
        sandbox.set_faults("commit-then-drop@1")
        with SENDERS[kind](config) as sender:
            mine = claim(new_id())
            assert isinstance(attempted(sender, mine), OutcomeUnknown)
            assert sender.status(mine.id).state is State.IN_DOUBT
            account.fault = ""
            assert isinstance(settled(sender, mine), Acknowledgement)
        assert sandbox.requests()["upsert"] == 1
        assert len(held(sandbox.ledger(), PROFILE, mine.id).live) == 1
