"""What a configuration opens: options, secrets, other ports, and limits, each told when wrong."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

from claimbridge.client import Client
from claimbridge.config import AuthConfig, LedgerConfig, load_config
from claimbridge.errors import ClaimError, ConfigurationError, KeyUnavailable
from claimbridge.ledger import Ledger, transport_settings
from claimbridge.ledger.sessions import Session
from claimbridge.model import Claim, ClaimLine
from claimbridge.profiles.kingdee.eas import KingdeeEas
from claimbridge.profiles.request import Request
from claimbridge.submission import Built
from claimbridge.testing.fake import PlainChart

FILE = """
[ledger.NS]
profile = "netsuite"
endpoint = "https://erp.example/services/NetSuitePort"
[ledger.NS.auth]
kind = "token-passport"
user = "ACCT"
secrets = { token = "env:TOKEN" }
[ledger.NS.options]
approved = true
"""


def test_the_environment_reaches_options_secrets_and_ports(tmp_path: Path) -> None:
    """One key of each table is overridden, and the others stay."""
    (tmp_path / "c.toml").write_text(FILE)
    config = load_config(
        tmp_path / "c.toml",
        environ={
            "CLAIMBRIDGE_NS_OPTIONS_APPROVED": "false",
            "CLAIMBRIDGE_NS_AUTH_SECRETS_CONSUMER_KEY": "env:KEY",
            "CLAIMBRIDGE_NS_AUTH_USER": "OTHER",
            "CLAIMBRIDGE_NS_ENDPOINTS_LOGIN": "https://erp.example/login",
        },
    )
    assert config.options == {"approved": "false"}
    assert config.auth is not None
    assert config.auth.secrets == {"token": "env:TOKEN", "consumer_key": "env:KEY"}
    assert config.auth.user == "OTHER"
    assert config.endpoints == {"login": "https://erp.example/login"}


def test_a_missing_secret_is_told_when_the_client_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And not when the first claim is on its way; no message holds the others."""
    monkeypatch.setenv("TOKEN", "t0ken-value")
    monkeypatch.delenv("CONSUMER", raising=False)
    secrets = {"token": "env:TOKEN", "consumer_key": "env:CONSUMER"}
    config = LedgerConfig(
        endpoint="https://erp.example/",
        profile="netsuite",
        journal="memory:",
        auth=AuthConfig(kind="token-passport", user="ACCT", secrets=secrets),
    )
    with pytest.raises(KeyUnavailable, match=r"auth\.secrets\.consumer_key.*CONSUMER") as caught:
        Client(config)
    assert "t0ken-value" not in str(caught.value)


def test_a_kind_of_authentication_that_nobody_knows_is_refused() -> None:
    """Another profile's kind does not count for this one."""
    config = LedgerConfig(endpoint="https://erp.example/", auth=AuthConfig(kind="eas-login"))
    with pytest.raises(ConfigurationError, match="CB-258"):
        Ledger(config)


def test_other_ports_lie_beside_the_endpoint_or_where_they_are_named() -> None:
    """The profile says where; the configuration says otherwise; an unknown one is refused."""
    beside = "https://erp.example/ormrpc/services/WSGLWebServiceFacade"

    def address(port: str, **endpoints: str) -> str:
        config = LedgerConfig(endpoint=beside, profile="kingdee-eas", endpoints=endpoints)
        ledger = Ledger(config, profile=KingdeeEas(credit=-1))
        request = Request(operation="login", body={}, port=port)
        return ledger.writer.message(Built("login", b"<a/>", request), Session()).address

    assert address("") == ""
    assert address("login") == "https://erp.example/ormrpc/services/EASLogin"
    assert address("login", login="https://sso.example/in") == "https://sso.example/in"
    with pytest.raises(ConfigurationError, match="CB-259"):
        address("elsewhere")


def test_more_postings_than_a_document_takes_make_several_documents() -> None:
    """Each is previewed by itself."""
    config = LedgerConfig(endpoint="https://erp.example/", profile="workday")
    ledger = Ledger(config, chart=PlainChart())
    day = dt.date(2026, 3, 11)
    lines = tuple(ClaimLine(type="taxi", date=day, amount=Decimal(1)) for _ in range(1000))
    claim = Claim(
        id="C-1", revision=1, company="CN01", employee="E1", currency="CNY",
        total=Decimal(1000), lines=lines,
    )  # fmt: skip
    with pytest.raises(ClaimError, match=r"CB-164 claim C-1: this claim needs 2 documents"):
        ledger.preview(claim)
    first, second = ledger.previews(claim)
    assert [(one.claim_id, one.reference) for one in (first, second)] == [
        ("C-1", "C-1.P1"),
        ("C-1", "C-1.P2"),
    ]
    assert len(first.voucher.postings) == len(second.voucher.postings) == 501
    assert (first.valid, second.valid) == (True, True)


def test_a_proxy_with_a_password_is_a_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    """The configuration shows no password, in its repr as little as in an error."""
    about = {"endpoint": "https://erp.example/", "profile": "reference"}
    with pytest.raises(ConfigurationError, match="CB-255 ledger ledger: proxy") as told:
        LedgerConfig(proxy="http://me:hunter2@proxy.example:3128", **about)
    assert "hunter2" not in str(told.value)
    monkeypatch.setenv("PROXY_URL", "http://me:hunter2@proxy.example:3128")
    config = LedgerConfig(proxy="env:PROXY_URL", **about)
    reached = transport_settings(config)
    assert reached.proxy == "http://me:hunter2@proxy.example:3128"
    assert "hunter2" not in f"{config!r} {reached!r}"
