"""Requests that reach the ERP long after their sender has given them up."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.withstand.relay import Fate, Order, Relay, Stage
from tests.withstand.scene import (
    PARKED,
    QUIET,
    SENDERS,
    attempted,
    claim,
    configured,
    held,
    insist,
    settled,
)

from claimbridge.errors import ClaimBridgeError, OutcomeUnknown
from claimbridge.model import Acknowledgement, State
from claimbridge.sandbox import Sandbox

LATE = QUIET / 2


def late(*, nth: int = 1) -> Order:
    return Order(nth, Stage.SENT, fate=Fate.LATE, delay=LATE)


def lost(*, nth: int) -> Order:
    return Order(nth, Stage.SENT, fate=Fate.LOSE)


@pytest.mark.parametrize("kind", SENDERS)
def test_sent_again_before_the_first_arrives(
    erp: Sandbox, relay: Relay, new_id: Callable[[], str], tmp_path: Path, kind: str
) -> None:
    """An ERP that refuses duplicates is sent it again at once; the late first posts nothing."""
    config = configured("reference", port=relay.port, journal=tmp_path / "claims.db")
    with SENDERS[kind](config) as sender:
        mine = claim(new_id())
        relay.order(late())
        end = sender.submit(mine)
        relay.wait_for_the_late()
        (document,) = held(erp.ledger(), "reference", mine.id).posts
        assert document.journal_entry == str(end.journal_entry)
        assert sender.submit(mine) == end


@pytest.mark.parametrize("kind", SENDERS)
@pytest.mark.parametrize("arrives", [True, False])
def test_a_correction_waits_until_the_first_can_no_longer_arrive(
    erp: Sandbox, relay: Relay, new_id: Callable[[], str], tmp_path: Path, kind: str, arrives: bool
) -> None:
    """While the first revision may yet arrive, the correction is not sent; afterwards it is.

    It must not be: the ERP would hold two revisions, or the late one could never be posted.
    """
    config = configured("reference", port=relay.port, journal=tmp_path / "claims.db")
    with SENDERS[kind](config) as sender:
        name = new_id()
        relay.order(late() if arrives else lost(nth=1), lost(nth=2))
        first = attempted(sender, claim(name))
        assert isinstance(first, ClaimBridgeError)
        assert first.code == "CB-422"  # sent and lost; asked and lost

        early = attempted(sender, claim(name, revision=2, taxi="31.00"))
        assert isinstance(early, OutcomeUnknown)
        assert early.code == "CB-423"
        assert early.retry_after is not None
        assert 0 < early.retry_after <= QUIET
        relay.wait_for_the_late()

        end = settled(sender, claim(name, revision=2, taxi="31.00"))
        found = held(erp.ledger(), "reference", name)
        assert isinstance(end, Acknowledgement)
        assert [one.reference for one in found.live] == [f"{name}.r2"]
        assert len(found.taken_back) == len(found.reversals) == arrives


@pytest.mark.parametrize("kind", SENDERS)
def test_a_reversal_that_arrives_late_reverses_once(
    erp: Sandbox, relay: Relay, new_id: Callable[[], str], tmp_path: Path, kind: str
) -> None:
    """A reversal that is sent again before the first arrives takes back once."""
    config = configured("reference", port=relay.port, journal=tmp_path / "claims.db")
    with SENDERS[kind](config) as sender:
        mine = claim(new_id())
        sender.submit(mine)
        relay.order(late())
        end = sender.reverse(mine.id)
        relay.wait_for_the_late()
        found = held(erp.ledger(), "reference", mine.id)
        assert [one.journal_entry for one in found.reversals] == [str(end.journal_entry)]
        assert found.live == []
        assert sender.reverse(mine.id) == end


@pytest.mark.parametrize("kind", SENDERS)
def test_a_person_who_looks_too_early_is_told_to_wait(
    erp: Sandbox, relay: Relay, new_id: Callable[[], str], tmp_path: Path, kind: str
) -> None:
    """Where only a person can look, "it is not there" counts once nothing can arrive any more."""
    profile = "sap-journal-entry"
    config = configured(profile, port=relay.port, journal=tmp_path / "claims.db")
    with SENDERS[kind](config) as sender:
        mine = claim(new_id())
        relay.order(late())
        parked = attempted(sender, mine)
        assert isinstance(parked, ClaimBridgeError)
        assert parked.code == PARKED
        assert held(erp.ledger(), profile, mine.id).posts == []

        # ``insist`` looks at once, finds nothing, is told to wait, and looks again.
        end = insist(sender, lambda: sender.submit(mine), look=erp.ledger)
        (document,) = held(erp.ledger(), profile, mine.id).posts
        assert document.journal_entry == str(end.journal_entry)
        assert sender.status(mine.id).state is State.POSTED
        assert sender.status(mine.id).attempt == 1
