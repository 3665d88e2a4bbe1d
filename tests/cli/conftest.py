"""The command run as a user runs it, in a folder with a configuration of its own."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from claimbridge.cli import main
from claimbridge.sandbox import Sandbox

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


class Ran(msgspec.Struct, frozen=True):
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def records(self) -> list[dict[str, Any]]:
        """What ``--json`` printed; fails when a line of stdout is anything but an object."""
        found = [json.loads(line) for line in self.out.splitlines()]
        assert all(isinstance(record, dict) for record in found), self.out
        return found

    @property
    def record(self) -> dict[str, Any]:
        """The only object that it printed."""
        (only,) = self.records
        return only


Run = Callable[..., Ran]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    """Run the command in this process: ``run("map", "--chart", path, …)``."""

    def running(*arguments: str | Path) -> Ran:
        capfd.readouterr()
        code = main([str(argument) for argument in arguments])
        printed = capfd.readouterr()
        assert "Traceback" not in printed.err
        return Ran(code, printed.out, printed.err)

    return running


class Folder:
    """A folder with a chart, the example claims, and a configuration for the sandbox."""

    def __init__(self, path: Path, endpoint: str) -> None:
        self.path = path
        self.chart = path / "chart.toml"
        self.config = path / "claimbridge.toml"
        shutil.copy(EXAMPLES / "chart.toml", self.chart)
        shutil.copytree(EXAMPLES / "claims", path / "claims")
        self.configure(endpoint=endpoint)

    def configure(self, *further: str, **values: object) -> None:
        """Write the configuration; ``values`` are keys of the ledger CN01."""
        table = {"chart": "chart.toml", "journal": "sqlite:///claims.db", "backoff": 0.0, **values}
        lines = [f"{key} = {json.dumps(value)}" for key, value in table.items()]
        self.config.write_text("\n".join(["[ledger.CN01]", *lines, *further, ""]))

    def claim(self, name: str = "travel-cn", **changes: Any) -> Path:
        """Write a claim like the example ``name`` with ``changes``; return its file.

        ``line`` are changes to its first line.
        """
        claim = json.loads((EXAMPLES / "claims" / f"{name}.json").read_text(encoding="utf-8"))
        claim["lines"][0].update(changes.pop("line", {}))
        return self.write("claim.json", json.dumps({**claim, **changes}).encode())

    def write(self, name: str, content: bytes) -> Path:
        """Write a file; return its path."""
        path = self.path / name
        path.write_bytes(content)
        return path


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """An ERP that answers as its contract says: what is printed is compared to the letter."""
    with Sandbox() as erp:
        yield erp


@pytest.fixture
def folder(tmp_path: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """A folder to work in, which is the current one."""
    monkeypatch.chdir(tmp_path)
    return Folder(tmp_path, sandbox.url("reference"))
