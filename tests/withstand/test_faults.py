"""Every fault of the sandbox, against both clients and both profiles: one effect, or parked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.withstand.scene import (
    PARKED,
    PROFILES,
    SENDERS,
    attempted,
    book_of,
    claim,
    configured,
    every_fault,
    faults,
    held,
    one_effect,
    settle_by_hand,
    settled,
)

from claimbridge.config import Timeouts
from claimbridge.errors import ClaimBridgeError, DeliveryRefused, LedgerRejection
from claimbridge.model import Acknowledgement, State
from claimbridge.sandbox import DISTURBANCES, Sandbox

STRIKES = {"once": "{}@1", "always": "{}", "everything": "any:{}"}
"""The first submission; every submission; every call, so that asking is struck too."""

UNANSWERED = frozenset(
    {
        "timeout=after-commit",
        "timeout=before-commit",
        "commit-then-drop",
        "drop-before-commit",
        "half-reply=cut",
        "half-reply=malformed",
        "slow=3",
        "unsigned-fault=after-commit",
        "unsigned-fault=before-commit",
        "duplicate-reply=previous",
        "html-200=before-commit",
        "html-200=after-commit",
        "html-200=as-xml",
        "wrong-reference",
    }
)
"""Faults that leave a sender in doubt: an ERP that cannot be asked then needs a person."""

NOT_BOOKED = frozenset(
    {
        "refuse-connection",
        "timeout=before-commit",
        "drop-before-commit",
        "fault",
        "lock",
        "licence",
        "unsigned-fault=before-commit",
        "throttle=503",
        "throttle=429",
        "html-200=before-commit",
        "html-200=as-xml",
        "redirect=moved",
        "redirect=login",
    }
)
"""Faults that keep a voucher out of the ledger, whatever the profile."""


def test_the_table_knows_every_fault() -> None:
    """A fault that is renamed, or a new one, does not escape the tables above."""
    assert set(every_fault()) >= UNANSWERED | NOT_BOOKED
    assert {one.partition("=")[0] for one in every_fault()} == set(DISTURBANCES)


def cases() -> Iterator[tuple[str, str, str, str]]:
    for profile in PROFILES:
        for strikes in STRIKES:
            if strikes == "everything" and profile != "reference":
                continue  # where nothing can be asked, every call is a submission
            for sender in SENDERS:
                for fault in every_fault():
                    yield sender, profile, strikes, fault


def leaves_doubt(fault: str, strikes: str) -> bool:
    """Whether the sender of a struck submission cannot know what became of it."""
    # For every call nobody listens; for one the connection is reset once the request is there.
    return fault in UNANSWERED or (fault == "refuse-connection" and strikes == "once")


@pytest.mark.parametrize(("kind", "profile", "strikes", "fault"), list(cases()))
def test_one_effect(
    erp: Sandbox,
    new_id: Callable[[], str],
    tmp_path: Path,
    kind: str,
    profile: str,
    strikes: str,
    fault: str,
) -> None:
    """Submitted again after the fault, a claim is in the ledger once, or parked with its reason."""
    config = configured(profile, port=erp.port, journal=tmp_path / "claims.db")
    with SENDERS[kind](config) as sender:
        spec = STRIKES[strikes].format(fault)
        struck = one_effect(sender, erp, spec, profile=profile, new_id=new_id)
    assert len(struck.held_first.posts) == expected_posts(struck.first, profile, fault)
    check_first(struck.first, profile, strikes, fault)
    if profile != "reference" and leaves_doubt(fault, strikes):
        assert isinstance(struck.end, ClaimBridgeError)
        assert len(struck.held.live) == (fault not in NOT_BOOKED)
    else:
        entry = struck.acknowledged().journal_entry
        assert [one.journal_entry for one in struck.held.live] == [str(entry)]
        assert (struck.status.state, struck.status.journal_entry) == (State.POSTED, entry)


def expected_posts(first: Acknowledgement | ClaimBridgeError, profile: str, fault: str) -> int:
    """How many documents the ERP holds after the first call, which may have tried again."""
    if isinstance(first, Acknowledgement):
        return 1
    if fault == "throttle=typed":
        return 0
    return int(fault not in NOT_BOOKED)


def check_first(
    first: Acknowledgement | ClaimBridgeError, profile: str, strikes: str, fault: str
) -> None:
    """The first call says at once what it can know."""
    if fault in {"fault", "lock", "licence"}:
        assert isinstance(first, LedgerRejection)
        assert fault != "fault" or "sandbox" in {reason.code for reason in first.reasons}
    elif fault.startswith("redirect"):
        assert isinstance(first, DeliveryRefused)
    elif profile != "reference" and leaves_doubt(fault, strikes):
        assert isinstance(first, ClaimBridgeError)
        assert first.code == PARKED
    elif strikes == "once":
        assert isinstance(first, Acknowledgement), first


@pytest.mark.parametrize("fault", list(faults()))
@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("kind", SENDERS)
def test_one_effect_in_a_batch(
    erp: Sandbox,
    new_id: Callable[[], str],
    tmp_path: Path,
    kind: str,
    profile: str,
    fault: str,
) -> None:
    """Of several vouchers in one request each is in the ledger once, or parked."""
    config = configured(
        profile,
        port=erp.port,
        journal=tmp_path / "claims.db",
        timeouts=Timeouts(connect=0.5, total=0.5),
        quiet_period=0.6,
    )
    with SENDERS[kind](config) as sender:
        sender.submit_many([claim(new_id()), claim(new_id())], batch=2)
        claims = [claim(new_id()) for _ in range(3)]
        erp.set_faults(f"{fault}@1")
        struck = sender.submit_many(claims, batch=3)
        erp.set_faults("")
        assert [result.claim_id for result in struck] == [mine.id for mine in claims]
        for mine in claims:
            end = settled(sender, mine)
            found = held(erp.ledger(), profile, mine.id)
            if isinstance(end, Acknowledgement):
                assert [one.journal_entry for one in found.posts] == [str(end.journal_entry)]
            else:
                assert profile != "reference"
                assert len(found.posts) == (fault not in NOT_BOOKED)
    assert erp.requests().get("decoy", 0) == 0


@pytest.mark.parametrize("fault", ["commit-then-drop", "drop-before-commit"])
@pytest.mark.parametrize("kind", SENDERS)
def test_a_person_settles_what_is_parked(
    erp: Sandbox, new_id: Callable[[], str], tmp_path: Path, kind: str, fault: str
) -> None:
    """What was parked is settled by what a person finds, and then the claim is there once.

    Where the person found nothing, that is believed only after the quiet period.
    """
    profile = "sap-journal-entry"
    config = configured(profile, port=erp.port, journal=tmp_path / "claims.db")
    with SENDERS[kind](config) as sender:
        mine = claim(new_id())
        erp.set_faults(fault)
        assert isinstance(attempted(sender, mine), ClaimBridgeError)
        erp.set_faults("")
        (parked,) = sender.journal.select(book_of(sender.journal), [State.PARKED])
        assert settle_by_hand(sender, parked, erp.ledger).state is (
            State.POSTED if fault == "commit-then-drop" else State.PENDING
        )
        end = sender.submit(mine)
        assert [one.journal_entry for one in held(erp.ledger(), profile, mine.id).live] == [
            str(end.journal_entry)
        ]
