"""Peers that nobody here wrote, and claims to send to them."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.conftest import missing
from tests.peers.php_ledger import PhpLedger
from tests.peers.senders import CLIENTS, opened

from claimbridge import Claim, LedgerConfig, Timeouts
from claimbridge.mapping import Chart
from claimbridge.sandbox import Sandbox
from claimbridge.signing.keys.throwaway import Throwaway, make

NODE = Path(__file__).parent / "node"
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
def packages(peer: Callable[..., str]) -> Path:
    """The folder of node's packages, as the lock file has them; fetched once into the cache."""
    npm = peer("npm")
    lock = hashlib.sha256((NODE / "package-lock.json").read_bytes()).hexdigest()
    cache = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "claimbridge-tests"
    folder = cache / f"node-{lock[:16]}"
    if folder.exists():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as made:
        content = Path(made, "packages")
        shutil.copytree(NODE, content)
        # One more try, soon: without a network the tests are to be skipped, not to wait.
        patience = ["--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-timeout=30000"]
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", *patience]
        run = subprocess.run(command, cwd=content, capture_output=True, text=True, timeout=120)
        if run.returncode != 0:
            missing(f"npm cannot fetch the packages of node: {run.stderr[-500:]}")
        if not folder.exists():  # another process may have been faster
            content.rename(folder)
    return folder


@pytest.fixture(scope="session")
def throwaways() -> Mapping[str, Throwaway]:
    """One throw-away signer per kind of key: rsa, p256, p384."""
    return {kind: make(kind=kind) for kind in ("rsa", "p256", "p384")}


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
    """The same claim under another id, with invoices of its own, and with ``changes``.

    The same id has the same invoices each time.
    """
    mark = zlib.crc32(id_.encode())
    lines = tuple(
        msgspec.structs.replace(
            line,
            documents=tuple(
                msgspec.structs.replace(one, number=f"2{mark:010}{at:04}{nth:04}1")
                for nth, one in enumerate(line.documents)
            ),
        )
        for at, line in enumerate(claim.lines)
    )
    return msgspec.structs.replace(claim, **{"id": id_, "lines": lines} | changes)
