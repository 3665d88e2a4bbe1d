"""Exchanges of several calls: what an early call did is remembered, whatever happens after it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.withstand.scene import chart, claim, configured, contract, held, lifelike

from claimbridge.client import Client
from claimbridge.config import AuthConfig
from claimbridge.contract.calls.fault import Fault
from claimbridge.contract.calls.replies import Reply
from claimbridge.errors import NotDelivered, OutcomeUnknown
from claimbridge.ledger import Ledger
from claimbridge.ledger.reading import Reader
from claimbridge.ledger.wire import OpenReply
from claimbridge.model import Outcome, State, Submission
from claimbridge.profiles.conversation import Conversation, Credentials, LogIn, Wait
from claimbridge.profiles.kingdee.eas import KingdeeEas
from claimbridge.profiles.request import Request
from claimbridge.profiles.workday.profile import Workday
from claimbridge.sandbox import Sandbox
from claimbridge.sandbox.erps.kingdee_eas import KingdeeEasResponder

NAME = "kingdee-eas"


class Talkative(KingdeeEas):
    """Imports, and then goes on to something that cannot be finished."""

    def __init__(self, then: Request | Wait | LogIn) -> None:
        super().__init__(credit=-1)
        self.then = then

    def converse(self, request: Request) -> Conversation:
        answer = yield request
        # A harmless call, whose session shall be dead: only what *it* did is undone by logging in.
        yield self.log_in(Credentials(user="svc", password="right"))
        yield self.then
        assert answer is not None
        return (Outcome(kind="unknown"),)


def client_of(profile: KingdeeEas, erp: Sandbox, folder: Path) -> Client:
    config = configured(
        NAME,
        port=erp.port,
        journal=folder / "claims.db",
        endpoint=f"{erp.url(NAME)}/WSGLWebServiceFacade",
        auth=AuthConfig(kind="eas-login", user="svc", password="env:EAS_PASSWORD"),
    )
    ledger = Ledger(config, profile=profile, contract=contract(NAME), chart=chart())
    return Client(config, ledger=ledger, new_journal=True)


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EAS_PASSWORD", "right")


def test_a_login_that_fails_after_an_import_leaves_the_outcome_unknown(tmp_path: Path) -> None:
    """A fresh session forgets the call before it, not the import before that."""
    with (
        lifelike(profiles=[KingdeeEasResponder()]) as erp,
        client_of(Talkative(LogIn()), erp, tmp_path) as client,
    ):
        erp.set_faults("session:drop-before-commit@3")
        with pytest.raises(OutcomeUnknown):
            client.submit(claim("C-1"))
        assert len(held(erp.ledger(), NAME, "C-1").posts) == 1


def test_a_wait_that_is_too_long_after_an_import_leaves_the_outcome_unknown(
    tmp_path: Path,
) -> None:
    """The caller's time is over, and the voucher is there."""
    with (
        lifelike(profiles=[KingdeeEasResponder()]) as erp,
        client_of(Talkative(Wait(30)), erp, tmp_path) as client,
    ):
        with pytest.raises(OutcomeUnknown):
            client.submit(claim("C-2"), timeout=1.0)
        assert len(held(erp.ledger(), NAME, "C-2").posts) == 1


class Careless(KingdeeEas):
    """Says of its import that it changes nothing."""

    def submit(self, submissions: Sequence[Submission]) -> Request:
        return replace(super().submit(submissions), harmless=True)


def test_an_import_is_not_harmless_because_its_profile_says_so(tmp_path: Path) -> None:
    """A lost answer leaves the outcome unknown, and one voucher."""
    with (
        lifelike(profiles=[KingdeeEasResponder()]) as erp,
        client_of(Careless(credit=-1), erp, tmp_path) as client,
    ):
        erp.set_faults("submit:commit-then-drop@1")
        with pytest.raises(OutcomeUnknown):
            client.submit(claim("C-4"))
        assert len(held(erp.ledger(), NAME, "C-4").posts) == 1


def test_a_login_that_fails_before_anything_is_not_delivered(tmp_path: Path) -> None:
    """Nothing has left: it may be tried again."""
    with (
        lifelike(profiles=[KingdeeEasResponder()]) as erp,
        client_of(KingdeeEas(credit=-1), erp, tmp_path) as client,
    ):
        erp.set_faults("session:drop-before-commit%1.0")
        with pytest.raises(NotDelivered):
            client.submit(claim("C-3"))
        assert erp.ledger() == []


class Gossip(Workday):
    """Posts a journal, asks about it, and takes the answer to the question for one to both."""

    def converse(self, request: Request) -> Conversation:
        yield request
        answer = yield replace(self.query(["R-1"]), harmless=True)
        assert isinstance(answer, Fault)
        return (self.read_fault(answer),)


def test_not_let_in_after_a_posting_leaves_the_outcome_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a profile says: what was refused is the second call, not the first."""
    refused = Fault("FailedAuthentication", "no", at_door=True)
    told = Reader.answer
    calls = []

    def answer(self: Reader, reply: OpenReply, *, asked: str) -> Reply | Fault:
        calls.append(asked)
        return refused if len(calls) == 2 else told(self, reply, asked=asked)

    monkeypatch.setattr(Reader, "answer", answer)
    with Sandbox() as erp:
        config = configured("workday", port=erp.port, journal=tmp_path / "claims.db", retries=0)
        ledger = Ledger(config, profile=Gossip(), contract=contract("workday"), chart=chart())
        with Client(config, ledger=ledger, new_journal=True) as client:
            with pytest.raises(OutcomeUnknown):
                client.submit(claim("C-9"))
            assert client.status("C-9", ask=False).state is State.IN_DOUBT
        assert len(held(erp.ledger(), "workday", "C-9").posts) == 1
