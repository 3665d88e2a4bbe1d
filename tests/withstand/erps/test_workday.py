"""Workday: numbers that come later, corrections, and refusals of claims and of questions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.withstand.scene import (
    PARKED,
    SENDERS,
    attempted,
    claim,
    configured,
    held,
    late,
    settled,
)

from claimbridge.contract.calls.fault import Fault
from claimbridge.errors import LedgerRejection, OutcomeUnknown
from claimbridge.model import Acknowledgement, State
from claimbridge.sandbox import Sandbox

PROFILE = "workday"


@pytest.mark.parametrize("kind", SENDERS)
def test_the_number_comes_when_it_is_asked_for(
    erp: Sandbox, new_id: Callable[[], str], tmp_path: Path, kind: str
) -> None:
    """The answer to a submission names no number; ``wait`` brings it."""
    config = configured(PROFILE, port=erp.port, journal=tmp_path / "claims.db")
    with SENDERS[kind](config) as sender:
        mine = claim(new_id())
        ack = sender.submit(mine)
        assert (ack.state, ack.journal_entry) == (State.ACKNOWLEDGED, None)
        status = sender.wait(mine.id)
        assert status.state is State.POSTED
        (live,) = held(erp.ledger(), PROFILE, mine.id).live
        assert status.journal_entry is not None
        assert live.journal_entry.split(" / ")[0] == status.journal_entry.number


def test_a_refusal_names_the_claim_fields(
    erp: Sandbox, new_id: Callable[[], str], tmp_path: Path
) -> None:
    """The XPath of each error leads back to the field that a person can mend."""
    config = configured(PROFILE, port=erp.port, journal=tmp_path / "claims.db")
    with SENDERS["Client"](config) as sender, pytest.raises(LedgerRejection) as caught:
        sender.submit(late(claim(new_id())))
    (reason,) = caught.value.reasons
    assert reason.field == "posting_date"
    assert "2025-03 is closed" in reason.text


@pytest.mark.parametrize("kind", SENDERS)
def test_a_correction_takes_the_first_back(
    erp: Sandbox, new_id: Callable[[], str], tmp_path: Path, kind: str
) -> None:
    """Revision 2 after a posted revision 1: one reversal, one live journal."""
    config = configured(PROFILE, port=erp.port, journal=tmp_path / "claims.db")
    name = new_id()
    with SENDERS[kind](config) as sender:
        sender.submit(claim(name))
        sender.wait(name)
        sender.submit(claim(name, revision=2, taxi="40.00"))
        sender.wait(name)
    found = held(erp.ledger(), PROFILE, name)
    assert len(found.live) == len(found.taken_back) == len(found.reversals) == 1


def test_a_refused_question_refuses_no_journal(
    erp: Sandbox, new_id: Callable[[], str], tmp_path: Path
) -> None:
    """Asked after a lost answer, a tenant that refuses the question leaves the doubt as it is."""
    config = configured(PROFILE, port=erp.port, journal=tmp_path / "claims.db")
    mine = claim(new_id())
    with SENDERS["Client"](config) as sender:
        erp.set_faults("commit-then-drop@1")
        refusing = Fault(code="MustUnderstand", reason="a header is not understood")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("claimbridge.ledger.reading.Reader.answer", lambda *_, **__: refusing)
            first = attempted(sender, mine)
        erp.set_faults("")
        assert isinstance(first, OutcomeUnknown)
        assert isinstance(settled(sender, mine), Acknowledgement)
    assert len(held(erp.ledger(), PROFILE, mine.id).live) == 1


@pytest.fixture(scope="module")
def tenant() -> Iterator[Sandbox]:
    """A tenant whose replies are as untidy as real ones."""
    with Sandbox(profiles=[PROFILE], lifelike=True) as erp:
        yield erp


SEEDS = range(1, 13)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("fault", ["commit-then-drop", "half-reply"])
def test_a_lost_answer_and_a_second_sending_are_one_journal(
    tenant: Sandbox, new_id: Callable[[], str], tmp_path: Path, fault: str, seed: int
) -> None:
    """Sent again by a journal that knows nothing, it is refused, wherever and in whichever words.

    The refusal is no refusal of the claim: the journal is found, compared and adopted.
    """
    mine = claim(new_id())
    for name in ("lost.db", "new.db"):
        config = configured(PROFILE, port=tenant.port, journal=tmp_path / name)
        with SENDERS["Client"](config) as sender:
            if name == "lost.db":
                tenant.set_faults(f"{fault}@1", seed=seed)
                attempted(sender, mine)
                tenant.set_faults("")
            assert isinstance(settled(sender, mine), Acknowledgement)
            assert sender.wait(mine.id).state is State.POSTED
    assert len(held(tenant.ledger(), PROFILE, mine.id).live) == 1


@pytest.mark.parametrize("seed", SEEDS)
def test_another_claim_under_the_same_id_is_never_taken_for_ours(
    tenant: Sandbox, new_id: Callable[[], str], tmp_path: Path, seed: int
) -> None:
    """With other amounts it is parked for a person: not adopted, not refused, not sent again."""
    name = new_id()
    tenant.set_faults("", seed=seed)
    for taxi in ("30.00", "31.00"):
        config = configured(PROFILE, port=tenant.port, journal=tmp_path / f"{taxi}.db")
        with SENDERS["Client"](config) as sender:
            end = settled(sender, claim(name, taxi=taxi))
    assert isinstance(end, OutcomeUnknown)
    assert end.code == PARKED
    assert len(held(tenant.ledger(), PROFILE, name).live) == 1


@pytest.mark.parametrize("seed", SEEDS)
def test_a_refusal_of_an_untidy_tenant_names_the_claim_field(
    tenant: Sandbox, new_id: Callable[[], str], tmp_path: Path, seed: int
) -> None:
    """However it writes the place."""
    tenant.set_faults("", seed=seed)
    config = configured(PROFILE, port=tenant.port, journal=tmp_path / "claims.db")
    with SENDERS["Client"](config) as sender, pytest.raises(LedgerRejection) as caught:
        sender.submit(late(claim(new_id())))
    (reason,) = caught.value.reasons
    assert reason.field == "posting_date"
