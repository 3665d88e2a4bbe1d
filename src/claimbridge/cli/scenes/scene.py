"""What the demonstrations share: a stage, and how their scenes are shown."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from claimbridge.cli.output import emit, say, show
from claimbridge.client import Client
from claimbridge.config import LedgerConfig, Timeouts
from claimbridge.ledger import Ledger
from claimbridge.model import Claim
from claimbridge.sandbox import Hesi, Sandbox
from claimbridge.signing import Identity, Signer
from claimbridge.signing.keys import throwaway


@contextmanager
def stage(*, hesi: Hesi | None = None) -> Iterator[tuple[list[Claim], Sandbox, Client]]:
    """Build the stage: claims, an ERP that insists on signatures, and a client that signs.

    ``hesi`` stands beside the ERP.
    """
    signer = throwaway.make()
    with (
        tempfile.TemporaryDirectory(prefix="claimbridge-demo-") as folder,
        as_file(files("claimbridge.examples")) as examples,
        Sandbox(profiles=["reference"], trust=signer.trust, hesi=hesi) as sandbox,
    ):
        claims = [Claim.from_json(p.read_bytes()) for p in sorted(examples.glob("claims/*.json"))]
        config = LedgerConfig(
            name="DEMO",
            endpoint=sandbox.url("reference"),
            chart=str(examples / "chart.toml"),
            journal=f"sqlite:///{Path(folder, 'claims.db')}",
            timeouts=Timeouts(connect=2, total=5),
        )
        ledger = Ledger(config, signer=Signer(Identity.from_pem(signer.pem())))
        with Client(config, ledger=ledger) as client:
            yield claims, sandbox, client


class Scenes:
    """Scenes that are shown to a person, or printed as one JSON object each."""

    def __init__(self, *, json: bool) -> None:
        self._json = json

    def emit(self, **record: Any) -> None:
        """Print a record, where JSON is wanted."""
        if self._json:
            emit(record)

    def say(self, *parts: str | tuple[str, str]) -> None:
        """Print texts, where a person reads."""
        if not self._json:
            say(*parts)

    def show(self, grid: Any, *, title: str) -> None:
        """Print a table under its title, where a person reads."""
        if not self._json:
            show(grid, title=title)
