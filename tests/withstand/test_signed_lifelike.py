"""Signed replies stay valid, however untidily a server writes and sends them."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.withstand.scene import claim, configured, ledger_of

from claimbridge.client import Client
from claimbridge.config import Replies
from claimbridge.model import State
from claimbridge.sandbox import Sandbox
from claimbridge.signing import Identity
from claimbridge.signing.keys.throwaway import make

pytestmark = pytest.mark.filterwarnings("ignore::claimbridge.errors.ContractDriftWarning")


@pytest.mark.parametrize("addressing", [False, True])
def test_signed_replies_are_trusted_in_any_hand(tmp_path: Path, addressing: bool) -> None:
    """Twenty replies, each in another hand, encoding and packing: every signature verifies."""
    erp = make("erp")
    (tmp_path / "ca.pem").write_bytes(erp.trust)
    identity = Identity.from_pem(erp.pem())
    with Sandbox(profiles=["reference"], identity=identity, lifelike=True, seed=5) as sandbox:
        config = configured(
            "reference",
            port=sandbox.port,
            journal=tmp_path / "claims.db",
            folder=str(tmp_path),
            replies=Replies(trust="ca.pem", subjects=("erp",), addressing=addressing),
            retries=0,
        )
        opened = ledger_of(config)
        with Client(opened.setup.config, ledger=opened) as client:
            states = [client.submit(claim(f"EXP-{number}")).state for number in range(20)]
        assert states == [State.POSTED] * 20
        assert sandbox.requests() == {"SubmitVoucher": 20}
