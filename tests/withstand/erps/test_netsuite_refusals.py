"""NetSuite refuses who calls, or what it cannot read: nothing is doubled, and nothing loops."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.withstand.scene import SENDERS, attempted, claim, configured, held, settled

from claimbridge.errors import LedgerRejection, NotDelivered, OutcomeUnknown
from claimbridge.model import Acknowledgement, State
from claimbridge.sandbox import Desk, ErpAnswer, ErpCall, Sandbox
from claimbridge.sandbox.erps.netsuite import NetSuiteResponder

PROFILE = "netsuite"


class Account(NetSuiteResponder):
    """An account whose role, and whose reader of XML, change while we look."""

    unreadable = ""

    def allow(self, *, forbidden: frozenset[str]) -> None:
        self._forbidden = forbidden

    def answer(self, call: ErpCall, desk: Desk) -> ErpAnswer:
        if call.operation != self.unreadable:
            return super().answer(call, desk)
        host = b'<h:hostname xmlns:h="http://xml.apache.org/axis/">java051</h:hostname>'
        text = "org.xml.sax.SAXException: memo is not a legal element"
        return ErpAnswer(content=host, fault="receiver", reason=text, subcode="userException")


@pytest.mark.parametrize("kind", SENDERS)
@pytest.mark.parametrize("lifelike", [False, True])
def test_a_role_that_may_not_posts_nothing_until_it_may(
    new_id: Callable[[], str], tmp_path: Path, kind: str, *, lifelike: bool
) -> None:
    """Alone it is not delivered, and sent once; as soon as the role may, it is one entry."""
    account = Account(forbidden={"approved"})
    with Sandbox(profiles=[account], lifelike=lifelike, seed=3) as erp:
        config = configured(PROFILE, port=erp.port, journal=tmp_path / "claims.db")
        with SENDERS[kind](config) as sender:
            end = attempted(sender, mine := claim(new_id()))
            assert isinstance(end, NotDelivered)
            assert not end.retryable
            assert erp.requests()["upsert"] == 1
            assert sender.status(mine.id).state is State.PENDING
            account.allow(forbidden=frozenset())
            assert isinstance(settled(sender, mine), Acknowledgement)
        assert len(held(erp.ledger(), PROFILE, mine.id).live) == 1


@pytest.mark.parametrize("kind", SENDERS)
def test_of_a_job_no_record_is_told_as_never_sent(
    new_id: Callable[[], str], tmp_path: Path, kind: str
) -> None:
    """A job was taken in: its records are asked for, and only then sent again one by one."""
    account = Account(forbidden={"approved"})
    with Sandbox(profiles=[account]) as erp:
        config = configured(PROFILE, port=erp.port, journal=tmp_path / "claims.db")
        claims = [claim(new_id()) for _ in range(3)]
        with SENDERS[kind](config) as sender:
            results = sender.submit_many(claims, batch=3)
            assert all(isinstance(one.error, OutcomeUnknown) for one in results)
            assert isinstance(attempted(sender, claims[0]), NotDelivered | OutcomeUnknown)
            account.allow(forbidden=frozenset())
            for mine in claims:
                assert isinstance(settled(sender, mine), Acknowledgement)
                assert len(held(erp.ledger(), PROFILE, mine.id).live) == 1


@pytest.mark.parametrize("kind", SENDERS)
def test_what_netsuite_cannot_read_is_refused_once(
    new_id: Callable[[], str], tmp_path: Path, kind: str
) -> None:
    """It was in doubt, asked for, absent, and sent again for ever; now it waits for a person."""
    account = Account()
    account.unreadable = "upsert"
    with Sandbox(profiles=[account]) as erp:
        config = configured(PROFILE, port=erp.port, journal=tmp_path / "claims.db")
        with SENDERS[kind](config) as sender:
            end = attempted(sender, mine := claim(new_id()))
            assert isinstance(end, LedgerRejection)
            assert "the claim is not the reason" in str(end.reasons[0])
            assert sender.status(mine.id).state is State.REJECTED
            assert list(sender.reconcile()) == []
            assert erp.requests() == {"upsert": 1}
            account.unreadable = ""
            assert isinstance(settled(sender, mine), Acknowledgement)


@pytest.mark.parametrize("kind", SENDERS)
def test_a_question_that_cannot_be_read_leaves_the_doubt(
    new_id: Callable[[], str], tmp_path: Path, kind: str
) -> None:
    """The question is refused, and not the document that it is about."""
    account = Account()
    account.unreadable = "getList"
    with Sandbox(profiles=[account]) as erp:
        config = configured(PROFILE, port=erp.port, journal=tmp_path / "claims.db")
        erp.set_faults("commit-then-drop@1")
        with SENDERS[kind](config) as sender:
            assert isinstance(attempted(sender, mine := claim(new_id())), OutcomeUnknown)
            assert sender.status(mine.id).state is State.IN_DOUBT
            account.unreadable = ""
            assert isinstance(settled(sender, mine), Acknowledgement)
        assert erp.requests()["upsert"] == 1
        assert len(held(erp.ledger(), PROFILE, mine.id).live) == 1
