"""Peers that nobody here wrote, and claims to send to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.peers.php_ledger import PhpLedger
from tests.peers.senders import CLIENTS, opened

from claimbridge import Claim, LedgerConfig, Timeouts
from claimbridge.mapping import Chart
from claimbridge.sandbox import Sandbox
from claimbridge.signing.throwaway import Throwaway, make

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture(scope="session")
def examples() -> tuple[Claim, ...]:
    """Every example claim, in the order of their ids."""
    claims = (Claim.from_json(file.read_bytes()) for file in EXAMPLES.glob("claims/*.json"))
    return tuple(sorted(claims, key=lambda claim: claim.id))


@pytest.fixture(scope="session")
def trip(examples: tuple[Claim, ...]) -> Claim:
    """The first example: a business trip, in Chinese."""
    return examples[0]


@pytest.fixture(scope="session")
def chart() -> Chart:
    """The examples' chart of accounts."""
    return Chart.load(EXAMPLES / "chart.toml")


@pytest.fixture(scope="session")
def throwaways() -> Mapping[str, Throwaway]:
    """One throw-away signer per kind of key: rsa, p256."""
    return {kind: make(kind=kind) for kind in ("rsa", "p256")}


@pytest.fixture
def erp() -> Iterator[Sandbox]:
    """The sandbox, with both contracts."""
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def php_ledger(peer: Callable[..., str], tmp_path: Path) -> Iterator[PhpLedger]:
    """A ledger in PHP."""
    folder = tmp_path / "php"
    folder.mkdir()
    with PhpLedger.serving(peer("php", "--ri", "soap"), folder) as ledger:
        yield ledger


def configured(endpoint: str, journal: Path, **changes: Any) -> LedgerConfig:
    """A ledger behind ``endpoint``, with the examples' chart."""
    given: dict[str, Any] = {
        "endpoint": endpoint,
        "name": "CN01",
        "chart": str(EXAMPLES / "chart.toml"),
        "journal": f"sqlite:///{journal}",
        "timeouts": Timeouts(connect=5, total=20),
        "backoff": 0.05,
    }
    return LedgerConfig(**given | changes)


@pytest.fixture(params=[(kind, soap) for kind in CLIENTS for soap in ("1.1", "1.2")], ids="-".join)
def to_php(request: pytest.FixtureRequest, php_ledger: PhpLedger, tmp_path: Path) -> Iterator[Any]:
    """A client of the ledger in PHP: each client, by each version of SOAP."""
    kind, soap = request.param
    config = configured(php_ledger.endpoint, tmp_path / "claims.db", soap=soap)
    with opened(kind, config) as client:
        yield client


def renamed(claim: Claim, id_: str, **changes: Any) -> Claim:
    """The same claim under another id, with ``changes``."""
    return msgspec.structs.replace(claim, id=id_, **changes)
