"""Every fault of the sandbox at every call of sap-bapi's exchange: one document in the end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from multiprocessing.context import ForkServerContext
from pathlib import Path

import msgspec
import pytest
from tests.withstand.breaks.interrupted import submit_until_interrupted
from tests.withstand.relay import Order, Relay, Stage
from tests.withstand.scene import (
    SENDERS,
    Threaded,
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

from claimbridge.errors import LedgerRejection, OutcomeUnknown
from claimbridge.model import Acknowledgement, State
from claimbridge.sandbox import Desk, ErpAnswer, ErpCall, Sandbox
from claimbridge.sandbox.erps.sap_bapi import SapBapiResponder

pytestmark = pytest.mark.filterwarnings("ignore::claimbridge.errors.ContractDriftWarning")
PROFILE = "sap-bapi"
STRIKES = {
    "post": "AccDocumentPost:{}@1",
    "commit": "TransactionCommit:{}@1",
    "look": "RfcReadTable:{}@1",
    "everything": "any:{}",
}
COMMITTING = frozenset(
    {
        "timeout=after-commit",
        "commit-then-drop",
        "half-reply=cut",
        "half-reply=malformed",
        "slow=0.3",
        "slow=3",
        "unsigned-fault=after-commit",
        "duplicate-reply=previous",
        "duplicate-reply=two-items",
        "html-200=after-commit",
        "wrong-reference",
        "drift",
    }
)
"""Faults at the commit that leave the document in the ledger."""


def cases() -> Iterator[tuple[str, str, str]]:
    for strikes in STRIKES:
        for kind in SENDERS if strikes == "commit" else ("Client",):
            for fault in faults():
                yield kind, strikes, fault


@pytest.mark.parametrize(("kind", "strikes", "fault"), list(cases()))
def test_one_document(
    erp: Sandbox,
    new_id: Callable[[], str],
    tmp_path: Path,
    kind: str,
    strikes: str,
    fault: str,
) -> None:
    """Whichever call is struck, submitting again ends with the one document that is there."""
    config = configured(PROFILE, port=erp.port, journal=tmp_path / "claims.db", retries=0)
    with SENDERS[kind](config) as sender:
        spec = STRIKES[strikes].format(fault)
        struck = one_effect(sender, erp, spec, profile=PROFILE, new_id=new_id)
    entry = struck.acknowledged().journal_entry
    assert [one.journal_entry for one in struck.held.posts] == [str(entry)]
    assert struck.status.state is State.POSTED


@pytest.mark.parametrize("fault", list(faults()))
def test_what_is_not_committed_is_not_there(
    erp: Sandbox, new_id: Callable[[], str], tmp_path: Path, fault: str
) -> None:
    """Straight after the fault the ledger holds what was committed, and nothing that was not."""
    config = configured(PROFILE, port=erp.port, journal=tmp_path / "claims.db", retries=0)
    with Threaded(config) as sender:
        sender.submit(claim(new_id()))
        mine = claim(new_id())
        erp.set_faults(f"TransactionCommit:{fault}@1")
        attempted(sender, mine)
        assert len(held(erp.ledger(), PROFILE, mine.id).posts) == (fault in COMMITTING)


def test_a_refusal_is_told_and_leaves_nothing(
    erp: Sandbox, new_id: Callable[[], str], tmp_path: Path
) -> None:
    """In SAP's words, with the place; what was posted in the session is rolled back."""
    config = configured(PROFILE, port=erp.port, journal=tmp_path / "claims.db")
    with Threaded(config) as sender:
        mine = claim(new_id())
        refused = attempted(sender, late(mine))
        assert isinstance(refused, LedgerRejection)
        assert [reason.code for reason in refused.reasons] == ["609(RW)", "201(F5)"]
        assert held(erp.ledger(), PROFILE, mine.id).posts == []


class Forgetful(SapBapiResponder):
    """A stateless service: every call is a session of its own."""

    def answer(self, call: ErpCall, desk: Desk) -> ErpAnswer:
        """Answer as if no cookie had come with the call."""
        return super().answer(msgspec.structs.replace(call, cookies={}), desk)


def test_without_a_session_nothing_is_said_to_be_posted(tmp_path: Path) -> None:
    """Post and commit both say yes, and the ledger holds nothing: in doubt, with the likely cause.

    A client that believes OBJ_KEY would have paid this claim.
    """
    with lifelike(profiles=[Forgetful()]) as erp:
        config = configured(PROFILE, port=erp.port, journal=tmp_path / "claims.db")
        with Threaded(config) as sender:
            end = attempted(sender, claim("T-1"))
            assert isinstance(end, OutcomeUnknown)
            assert sender.status("T-1").state is State.IN_DOUBT
        assert erp.ledger() == []
        assert erp.requests()["TransactionCommit"] >= 1


def test_a_reversal_takes_back_what_was_posted(
    erp: Sandbox, new_id: Callable[[], str], tmp_path: Path
) -> None:
    """A second document with the sides exchanged, found by its own reference when in doubt."""
    config = configured(PROFILE, port=erp.port, journal=tmp_path / "claims.db")
    with Threaded(config) as sender:
        mine = claim(new_id())
        sender.submit(mine)
        erp.set_faults("TransactionCommit:commit-then-drop@1")
        sender.reverse(mine.id)
        first, second = held(erp.ledger(), PROFILE, mine.id).posts
        assert second.reference == f"{mine.id}.X1"
        sides = [[leg["side"] for leg in one.postings] for one in (first, second)]
        assert sides[0] == ["credit" if side == "debit" else "debit" for side in sides[1]]
        assert sender.status(mine.id).state is State.REVERSED


@pytest.mark.parametrize("exchange", [1, 2, 3], ids=["post", "commit", "look"])
@pytest.mark.parametrize("stage", [Stage.SENT, Stage.DELIVERED, Stage.ANSWERED])
def test_a_process_killed_in_mid_conversation(
    erp: Sandbox,
    relay: Relay,
    new_id: Callable[[], str],
    tmp_path: Path,
    processes: ForkServerContext,
    exchange: int,
    stage: Stage,
) -> None:
    """Kill -9 at any of the three calls: the next process finds its doubt, and ends it right."""
    config = configured(PROFILE, port=relay.port, journal=tmp_path / "claims.db")
    mine = claim(new_id())
    process = processes.Process(target=submit_until_interrupted, args=("Client", config, mine))
    dead = threading.Event()

    def kill() -> None:
        process.kill()
        process.join(30)
        dead.set()

    relay.order(Order(exchange, stage, kill))
    process.start()
    assert dead.wait(60)
    with Threaded(config) as sender:
        end = settled(sender, mine)
    assert isinstance(end, Acknowledgement)
    (document,) = held(erp.ledger(), PROFILE, mine.id).posts
    assert document.journal_entry == str(end.journal_entry)


def test_two_at_once_have_sessions_of_their_own(
    erp: Sandbox, new_id: Callable[[], str], tmp_path: Path
) -> None:
    """Many threads on one client: each commit is of its own posting."""
    config = configured(PROFILE, port=erp.port, journal=tmp_path / "claims.db")
    with Threaded(config) as sender:
        claims = [claim(new_id()) for _ in range(12)]
        results = sender.submit_many(claims, batch=1)
        assert all(result.acknowledgement is not None for result in results)
        for mine, result in zip(claims, results, strict=True):
            (document,) = held(erp.ledger(), PROFILE, mine.id).posts
            assert result.acknowledgement is not None
            assert document.journal_entry == str(result.acknowledgement.journal_entry)
