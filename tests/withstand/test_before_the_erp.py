"""What stands before an ERP, and what an ERP says of itself: locks, licences, login pages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.site import SITE
from tests.withstand.scene import Threaded, attempted, claim, configured, lifelike

from claimbridge.config import AuthConfig
from claimbridge.errors import DeliveryRefused, LedgerRejection
from claimbridge.model import Acknowledgement
from claimbridge.sandbox import PROFILES, Sandbox

pytestmark = pytest.mark.filterwarnings("ignore::claimbridge.errors.ContractDriftWarning")
LOGIN = AuthConfig(kind="eas-login", user="svc", password="env:EAS_PASSWORD")
SAID = re.compile("licence|locked|limit|another user")


def sender(erp: Sandbox, profile: str, folder: Path) -> Threaded:
    """A client of one profile, told what its site is."""
    kingdee = profile == "kingdee-eas"
    config = configured(
        profile,
        port=erp.port,
        journal=folder / "claims.db",
        options=SITE.get(profile, {}),
        auth=LOGIN if kingdee else None,
        endpoints={"login": f"{erp.url(profile)}/EASLogin"} if kingdee else {},
        first_send="send",
    )
    return Threaded(config)


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EAS_PASSWORD", "right")


@pytest.mark.parametrize("spec", ["lock", "licence"])
@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_the_erp_refuses_for_now(profile: str, spec: str, tmp_path: Path) -> None:
    """Its text reaches the caller, nothing is booked, and later the claim goes through."""
    with lifelike(profiles=[profile], faults=f"{spec}@1") as erp:
        with sender(erp, profile, tmp_path) as client:
            refused = attempted(client, claim("L1"))
            assert isinstance(refused, LedgerRejection), refused
            assert SAID.search(str(refused))
            assert erp.ledger() == []
            assert isinstance(attempted(client, claim("L1")), Acknowledgement)
        assert len(erp.ledger()) == 1


@pytest.mark.parametrize("spec", ["lock", "licence", "redirect=login"])
def test_a_login_that_is_refused_sends_nothing(spec: str, tmp_path: Path) -> None:
    """Too many users at the login, or another's login page: not delivered, and said so."""
    with lifelike(profiles=["kingdee-eas"], faults=f"login:{spec}") as erp:
        with sender(erp, "kingdee-eas", tmp_path) as client:
            refused = attempted(client, claim("L1"))
        assert isinstance(refused, DeliveryRefused), refused
        assert erp.requests().get("importVoucher", 0) == 0
        assert erp.ledger() == []
