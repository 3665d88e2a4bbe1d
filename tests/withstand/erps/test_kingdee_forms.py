"""Kingdee EAS as installations differ: logins, signs, cash flows, and the older service."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from tests.withstand.scene import CHART, attempted, claim, configured, late

from claimbridge import Client
from claimbridge.config import AuthConfig
from claimbridge.errors import DeliveryRefused, LedgerRejection
from claimbridge.ledger import Ledger
from claimbridge.mapping import Chart
from claimbridge.model import State
from claimbridge.sandbox import Sandbox
from claimbridge.sandbox.erps.kingdee_eas import LISTING, KingdeeEasResponder

NAME = "kingdee-eas"
OWED = b'employee_payable = "2241.01"'
BANK = b'employee_payable = "1002.01"'
ITEMS = b'\n[[cash_flow]]\naccount = "1002.01"\nitem = "CI04"\n'


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EAS_PASSWORD", "right")


def client(
    erp: Sandbox,
    folder: Path,
    *,
    path: str = "WSGLWebServiceFacade",
    chart: bytes = CHART,
    **own: Any,
) -> Client:
    folder.mkdir(exist_ok=True)
    config = configured(
        NAME,
        port=erp.port,
        journal=folder / "claims.db",
        endpoint=f"{erp.url(NAME)}/{path}",
        auth=AuthConfig(kind="eas-login", user="svc", password="env:EAS_PASSWORD"),
        options={"credit": -1} | own,
        first_send="send",
    )
    return Client(config, ledger=Ledger(config, chart=Chart.from_toml(chart)), new_journal=True)


@pytest.mark.parametrize(
    ("options", "arguments"),
    [
        ({}, 6),
        ({"auth_pattern": "BaseDB"}, 7),
        ({"auth_pattern": "BaseDB", "password_encoded": False}, 8),
    ],
)
def test_a_login_is_given_where_it_has_the_arguments_that_eas_takes(
    tmp_path: Path, options: dict[str, Any], arguments: int
) -> None:
    """Any other is not delivered, tells what to set, and posts nothing."""
    with (
        Sandbox(profiles=[KingdeeEasResponder(logins=[arguments])]) as erp,
        client(erp, tmp_path, **options) as sender,
    ):
        assert sender.submit(claim("L-1")).state is State.POSTED
    others = {6, 7, 8} - {arguments}
    with (
        Sandbox(profiles=[KingdeeEasResponder(logins=others)]) as erp,
        client(erp, tmp_path / "other", **options) as sender,
    ):
        with pytest.raises(DeliveryRefused, match=f"these {arguments} arguments"):
            sender.submit(claim("L-1"))
        assert sender.status("L-1").state is State.PENDING
        assert "importVoucher" not in erp.requests()


@pytest.mark.parametrize("sign", [-1, 0, 2])
def test_a_credit_of_another_sign_is_refused(tmp_path: Path, sign: int) -> None:
    """And nothing is posted under a wrong side."""
    with Sandbox(profiles=[KingdeeEasResponder(credit=sign)]) as erp:
        with client(erp, tmp_path, credit=sign) as sender:
            assert sender.submit(claim("S-1")).state is State.POSTED
        wrong = 0 if sign else -1
        with client(erp, tmp_path / "wrong", credit=wrong) as sender:
            assert isinstance(attempted(sender, claim("S-2")), LedgerRejection)
        assert [one.reference for one in erp.ledger()] == ["S-1"]


def test_a_site_that_requires_cash_flows_gets_them_from_the_chart(tmp_path: Path) -> None:
    """Without them it refuses the voucher; with them the parts add up, red vouchers too."""
    assert OWED in CHART
    responder = KingdeeEasResponder(cash_accounts=["1002.01"])
    paid = CHART.replace(OWED, BANK)
    with Sandbox(profiles=[responder]) as erp:
        with client(erp, tmp_path, chart=paid) as sender:
            end = attempted(sender, claim("C-1"))
            assert isinstance(end, LedgerRejection)
            assert "没有指定现金流量" in end.reasons[0].text
        with client(erp, tmp_path / "with", chart=paid + ITEMS) as sender:
            posted = sender.submit(claim("C-2"))
            assert posted.state is State.POSTED
            sender.reverse("C-2", posting_date=claim("C-2").posting_date, reason="twice")
            assert sender.status("C-2").state is State.REVERSED
        assert [one.reference[:3] for one in erp.ledger()][:1] == ["C-2"]


@pytest.mark.parametrize("facade", ["rows", "json"])
@pytest.mark.parametrize("listing", [[], list(LISTING)], ids=["unasked", "asked"])
def test_the_older_service_posts_refuses_and_reverses(
    tmp_path: Path, facade: str, listing: list[str]
) -> None:
    """With the same outcomes; a lost answer is one voucher where EAS can be asked."""
    options: dict[str, Any] = {"facade": facade, "listing": listing}
    with Sandbox(profiles=[KingdeeEasResponder(older=True)]) as erp:
        with client(erp, tmp_path, path="WSWSVoucher", **options) as sender:
            posted = sender.submit(claim("O-1"))
            assert posted.state is State.POSTED
            assert posted.journal_entry is not None
            assert (posted.journal_entry.number, posted.journal_entry.company) == (
                "记-3-0001",
                "CN01",
            )
            refused = attempted(sender, late(claim("O-2")))
            assert isinstance(refused, LedgerRejection)
            assert refused.reasons[0].code == "1004"
            erp.set_faults("submit:commit-then-drop@1")
            end = attempted(sender, claim("O-3"))
            found = sender.status("O-3").state
            assert found is (State.POSTED if listing else State.PARKED), end
            sender.reverse("O-1", posting_date=claim("O-1").posting_date, reason="twice")
            assert sender.status("O-1").state is State.REVERSED
        references = [one.reference for one in erp.ledger()]
        assert references[:2] == ["O-1", "O-3"]
        assert len(references) == 3


def test_a_dead_session_of_the_older_service_is_begun_anew(tmp_path: Path) -> None:
    """The voucher is posted once."""
    with Sandbox(
        profiles=[KingdeeEasResponder(older=True, lifetime=0.5, refuses_repeats=True)]
    ) as erp:
        options = {"facade": "rows", "refuses_repeats": True}
        with client(erp, tmp_path, path="WSWSVoucher", **options) as sender:
            sender.submit(claim("D-1"))
            time.sleep(0.6)
            sender.submit(claim("D-2"))
        assert [one.reference for one in erp.ledger()] == ["D-1", "D-2"]
        assert erp.requests()["login"] == 2
