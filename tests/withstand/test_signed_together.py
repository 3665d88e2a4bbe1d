"""A batch under one signature: posted as any other, and an altered voucher is refused alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.withstand.scene import (
    SENDERS,
    claim,
    configured,
    contract,
    faults,
    held,
    lifelike,
    settled,
)

from claimbridge.errors import ConfigurationError, LedgerRejection
from claimbridge.ledger import Ledger
from claimbridge.model import Acknowledgement
from claimbridge.sandbox import Sandbox
from claimbridge.signing.keys import throwaway

SIGNER = throwaway.make()


@pytest.fixture(scope="module")
def bank() -> Iterator[Sandbox]:
    """An ERP that takes signed vouchers only."""
    with lifelike(profiles=["reference"], trust=SIGNER.trust) as opened:
        yield opened


def configuration(bank: Sandbox, folder: Path) -> dict[str, object]:
    (folder / "signer.pem").write_bytes(SIGNER.pem())
    return {
        "identity": "file:signer.pem",
        "batch_signature": "together",
        "folder": str(folder),
        "port": bank.port,
        "journal": folder / "claims.db",
    }


@pytest.mark.parametrize("kind", SENDERS)
@pytest.mark.parametrize("fault", ["", *faults()])
def test_one_effect(bank: Sandbox, tmp_path: Path, kind: str, fault: str, new_id) -> None:
    """Three vouchers under one signature, with every fault: each is in the ledger once."""
    config = configured("reference", **configuration(bank, tmp_path))
    with SENDERS[kind](config) as sender:
        claims = [claim(new_id()) for _ in range(3)]
        bank.set_faults(f"{fault}@1" if fault else "")
        sender.submit_many(claims, batch=3)
        bank.set_faults("")
        for mine in claims:
            assert isinstance(settled(sender, mine), Acknowledgement)
            assert len(held(bank.ledger(), "reference", mine.id).live) == 1


def test_an_altered_voucher_is_refused_alone(
    bank: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, new_id
) -> None:
    """Altered on the way, one of three is refused with its reason; the others are posted."""
    config = configured("reference", **configuration(bank, tmp_path))
    with SENDERS["Client"](config) as sender:
        ledger: Ledger = sender.client.ledger
        right = ledger.setup.signer.sign_together

        def altered(body: bytes, *, element: str) -> bytes:
            return right(body, element=element).replace(b">31.00<", b">13.00<")

        monkeypatch.setattr(ledger.setup.signer, "sign_together", altered)
        taxis = ("30.00", "31.00", "32.00")
        claims = [claim(new_id(), taxi=taxi) for taxi in taxis]
        first, second, third = sender.submit_many(claims, batch=3)
    assert first.error is None
    assert third.error is None
    assert isinstance(second.error, LedgerRejection)
    assert {reason.code for reason in second.error.reasons} == {"signature-invalid"}
    posted = [len(held(bank.ledger(), "reference", mine.id).live) for mine in claims]
    assert posted == [1, 0, 1]


def test_a_contract_without_a_place_for_it_is_refused(tmp_path: Path) -> None:
    """Said when the ledger is opened."""
    config = configured(
        "sap-journal-entry", port=9, journal=tmp_path / "j.db", batch_signature="together"
    )
    with pytest.raises(ConfigurationError, match="CB-256"):
        Ledger(config, contract=contract("sap-journal-entry"))
