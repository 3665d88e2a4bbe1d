"""A folder as a source, an ERP on loopback as its ledger, and the command between them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from claimbridge.cli import main
from claimbridge.sandbox import Sandbox

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
CLAIM: dict[str, Any] = json.loads((EXAMPLES / "claims/travel-cn.json").read_text(encoding="utf-8"))


def plain(claim_id: str, **changes: Any) -> dict[str, Any]:
    """Return a claim of one line, 100 CNY, as JSON would hold it; ``line`` changes its line."""
    line = {"type": "taxi", "date": "2026-03-09", "amount": "100.00", **changes.pop("line", {})}
    made = {
        "id": claim_id,
        "revision": 1,
        "company": "CN01",
        "employee": "E1024",
        "currency": "CNY",
        "total": "100.00",
        "lines": [line],
    }
    return {**made, **changes}


class Inbox:
    """The folder of a source in a configuration of its own."""

    def __init__(self, path: Path, endpoint: str, run: Callable[..., list[dict[str, Any]]]) -> None:
        self.path = path / "inbox"
        self.path.mkdir()
        self.config = path / "claimbridge.toml"
        self.config.write_text(
            f'[ledger.CN01]\nendpoint = "{endpoint}"\nchart = "{EXAMPLES / "chart.toml"}"\n'
            'journal = "sqlite:///claims.db"\nbackoff = 0.0\n'
            '[source.inbox]\nkind = "folder"\npath = "inbox"\nledger = "CN01"\nsettle = 0\n'
        )
        self.journal = f"sqlite:///{path / 'claims.db'}"
        self._run = run
        self.code = 0

    def put(self, name: str, content: object) -> Path:
        """Put a file there: bytes as they are, anything else as JSON."""
        data = (
            content
            if isinstance(content, bytes)
            else json.dumps(content, ensure_ascii=False).encode()
        )
        path = self.path / name
        path.write_bytes(data)
        return path

    def files(self, folder: str = "") -> list[str]:
        """Return the names of the files in the folder, or in ``done`` or ``refused``."""
        return sorted(one.name for one in (self.path / folder).iterdir() if not one.is_dir())

    def reason(self, name: str) -> str:
        """Return what stands beside a refused file."""
        return (self.path / "refused" / f"{name}.reason.txt").read_text(encoding="utf-8")

    def intake(self) -> dict[str, dict[str, Any]]:
        """Run the command once; return what it printed, by document."""
        return {one["document"]: one for one in self.command("intake")}

    def command(self, *words: str) -> list[dict[str, Any]]:
        """Run a command of the intake; return what it printed."""
        self.code, printed = self._run([*words, "--config", str(self.config), "--json"])
        return printed


@pytest.fixture
def inbox(tmp_path: Path, sandbox: Sandbox, capfd: pytest.CaptureFixture[str]) -> Inbox:
    """A folder whose claims go to the sandbox."""

    def run(words: list[str]) -> tuple[int, list[dict[str, Any]]]:
        capfd.readouterr()
        code = main(words)
        printed = capfd.readouterr()
        assert "Traceback" not in printed.err
        return code, [json.loads(line) for line in printed.out.splitlines()]

    return Inbox(tmp_path, sandbox.url("reference"), run)
