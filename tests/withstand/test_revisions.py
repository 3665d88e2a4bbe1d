"""A correction submitted before, during and after its first revision, with every fault between."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from tests.withstand.relay import Order, Relay, Stage
from tests.withstand.scene import (
    PROFILES,
    Sender,
    Threaded,
    attempted,
    claim,
    configured,
    faults,
    held,
    insist,
    marked,
    settled,
)

from claimbridge.config import Timeouts
from claimbridge.errors import ClaimBridgeError, ConflictingSubmission
from claimbridge.model import Acknowledgement
from claimbridge.sandbox import LedgerRow, Sandbox

FIRST, CORRECTION = 1, 2
AFTER: dict[str, tuple[tuple[int, str], ...]] = {
    "the first is struck": ((FIRST, "{}@1"), (CORRECTION, "")),
    "the reversal is struck": ((FIRST, ""), (CORRECTION, "{}@1")),
    "the correction is struck": ((FIRST, ""), (CORRECTION, "{}@2")),
    "everything is struck": ((FIRST, "any:{}"), (CORRECTION, "any:{}"), (CORRECTION, "any:{}")),
}
"""What is submitted in which order, and what the ERP does to it meanwhile."""

BRIEF = {"timeouts": Timeouts(connect=0.5, total=0.4), "quiet_period": 0.6, "longest_wait": 0.5}
"""How a ledger is configured here: what times out too early ends right as well."""


def bring_to_its_end(sender: Sender, erp: Sandbox, profile: str, name: str) -> None:
    """Submit the correction as a caller should; a person settles what is parked, if anything is.

    Before a person comes, at most one document lives.
    """
    correction = claim(name, revision=CORRECTION, taxi="31.00")
    end = settled(sender, correction)
    assert len(held(erp.ledger(), profile, name).live) <= 1
    if isinstance(end, ClaimBridgeError):
        assert profile != "reference"
        insist(sender, lambda: sender.submit(correction), look=erp.ledger)


def check_end(ledger: Sequence[LedgerRow], profile: str, name: str) -> None:
    """The correction lives, alone; what was posted of the first is taken back, once."""
    found = held(ledger, profile, name)
    assert [one.reference for one in found.live] == [marked(profile, name, "r2")]
    first = [one for one in found.posts if one.reference == name]
    assert len(first) <= 1
    assert found.taken_back == first
    assert [one.reference for one in found.reversals] == [marked(profile, name, "x1")] * len(first)


@pytest.mark.parametrize("fault", list(faults()))
@pytest.mark.parametrize("order", AFTER)
@pytest.mark.parametrize("profile", PROFILES)
def test_after(
    erp: Sandbox, new_id: Callable[[], str], tmp_path: Path, profile: str, order: str, fault: str
) -> None:
    """Whatever happens to the first revision, its reversal or the correction: the correction."""
    config = configured(profile, port=erp.port, journal=tmp_path / "claims.db", **BRIEF)
    with Threaded(config) as sender:
        sender.submit(claim(new_id()))
        name = new_id()
        for number, faults_then in AFTER[order]:
            erp.set_faults(faults_then.format(fault))
            attempted(sender, claim(name, revision=number, taxi=f"{29 + number}.00"))
            assert len(held(erp.ledger(), profile, name).live) <= 1
        erp.set_faults("")
        bring_to_its_end(sender, erp, profile, name)
        check_end(erp.ledger(), profile, name)


@pytest.mark.parametrize("fault", list(faults()))
@pytest.mark.parametrize("profile", PROFILES)
def test_before(
    erp: Sandbox, new_id: Callable[[], str], tmp_path: Path, profile: str, fault: str
) -> None:
    """Once a correction was submitted, its first revision is never posted, however it fared."""
    config = configured(profile, port=erp.port, journal=tmp_path / "claims.db", **BRIEF)
    with Threaded(config) as sender:
        sender.submit(claim(new_id()))
        name = new_id()
        erp.set_faults(f"{fault}@1")
        attempted(sender, claim(name, revision=CORRECTION, taxi="31.00"))
        erp.set_faults("")
        assert isinstance(attempted(sender, claim(name)), ConflictingSubmission)
        bring_to_its_end(sender, erp, profile, name)
        assert isinstance(attempted(sender, claim(name)), ConflictingSubmission)
        check_end(erp.ledger(), profile, name)
        assert held(erp.ledger(), profile, name).taken_back == []


@pytest.mark.parametrize("fault", list(faults()))
@pytest.mark.parametrize("profile", PROFILES)
def test_during(
    erp: Sandbox,
    relay: Relay,
    new_id: Callable[[], str],
    tmp_path: Path,
    profile: str,
    fault: str,
) -> None:
    """A correction that comes while the first is under way waits for its end, and replaces it."""
    config = configured(profile, port=relay.port, journal=tmp_path / "claims.db", **BRIEF)
    name = new_id()
    under_way, ends = threading.Event(), []
    with Threaded(config) as one, Threaded(config) as other:
        one.submit(claim(new_id()))

        def meet() -> None:
            """While the first is on its way to the ERP, let the other client come."""
            under_way.set()
            threading.Event().wait(0.1)

        relay.order(Order(1, Stage.SENT, meet))
        erp.set_faults(f"{fault}@1")
        first = threading.Thread(target=lambda: ends.append(attempted(one, claim(name))))
        first.start()
        assert under_way.wait(30)
        ends.append(attempted(other, claim(name, revision=CORRECTION, taxi="31.00")))
        first.join()
        erp.set_faults("")
        assert len(held(erp.ledger(), profile, name).live) <= 1
        bring_to_its_end(other, erp, profile, name)
        check_end(erp.ledger(), profile, name)


@pytest.mark.parametrize("profile", PROFILES)
def test_without_faults_nobody_is_needed(
    erp: Sandbox, new_id: Callable[[], str], tmp_path: Path, profile: str
) -> None:
    """Three revisions one after the other: two reversals, and the last lives."""
    config = configured(profile, port=erp.port, journal=tmp_path / "claims.db", **BRIEF)
    with Threaded(config) as sender:
        name = new_id()
        for number in (1, 2, 3):
            end = sender.submit(claim(name, revision=number, taxi=f"{29 + number}.00"))
            assert isinstance(end, Acknowledgement)
        found = held(erp.ledger(), profile, name)
        assert [one.reference for one in found.live] == [marked(profile, name, "r3")]
        assert {one.reference for one in found.reversals} == {
            marked(profile, name, mark) for mark in ("x1", "x2")
        }
        assert len(found.posts) == 3
