"""``examples/own_source.py``: a source in one file is all that a new system takes."""

from __future__ import annotations

import json
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from claimbridge import Client
from claimbridge.cli import main
from claimbridge.sandbox import Sandbox

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
CLAIM = json.loads((EXAMPLES / "claims/travel-cn.json").read_text(encoding="utf-8"))
TABLE = """
CREATE TABLE approved (number INTEGER PRIMARY KEY AUTOINCREMENT, claim_id TEXT NOT NULL,
    document TEXT NOT NULL, outcome TEXT)
"""


class Table:
    """The other system: its table, and a configuration that names the example."""

    def __init__(self, folder: Path, endpoint: str) -> None:
        self.config = folder / "claimbridge.toml"
        self.config.write_text(
            f'[ledger.CN01]\nendpoint = "{endpoint}"\nchart = "{EXAMPLES / "chart.toml"}"\n'
            'journal = "sqlite:///claims.db"\n[source.queue]\n'
            'kind = "own_source:table_source"\nledger = "CN01"\nfile = "approved.db"\n'
        )
        self._connection = sqlite3.connect(folder / "approved.db", isolation_level=None)
        self._connection.execute(TABLE)

    def approve(self, claim_id: str, document: object) -> None:
        """Add a row; a document that is no text is written as JSON."""
        text = document if isinstance(document, str) else json.dumps(document)
        self._connection.execute(
            "INSERT INTO approved (claim_id, document) VALUES (?, ?)", (claim_id, text)
        )

    def outcomes(self) -> list[str]:
        """Return what stands beside each row."""
        rows = self._connection.execute("SELECT outcome FROM approved ORDER BY number")
        return [row[0] for row in rows]

    def intake(self) -> int:
        """Run the command."""
        return main(["intake", "--config", str(self.config)])

    def close(self) -> None:
        self._connection.close()


@pytest.fixture
def table(tmp_path: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Table]:
    """The example copied into a folder on the Python path, as an engineer would."""
    shutil.copy(EXAMPLES / "own_source.py", tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "own_source", raising=False)
    made = Table(tmp_path, sandbox.url("reference"))
    yield made
    made.close()


def test_rows_become_journal_entries_once(table: Table, sandbox: Sandbox) -> None:
    """Read by number, posted once, and told beside the row; a bad row holds up nobody."""
    table.approve("bad", {**CLAIM, "id": "bad", "total": "1.00"})
    table.approve(CLAIM["id"], CLAIM)
    assert table.intake() == 1
    wrong, right = table.outcomes()
    assert wrong.startswith("CB-108 claim bad")
    assert right.startswith("posted 000001")
    assert table.intake() == 0
    assert len(sandbox.ledger()) == 1


def test_a_row_that_is_taken_back(table: Table, sandbox: Sandbox) -> None:
    """Before it was sent it stays out; afterwards a person decides."""
    sandbox.stop()
    table.approve("A", {**CLAIM, "id": "A"})
    assert table.intake() == 4
    table.approve("A", "")
    sandbox.start()
    assert table.intake() == 0
    assert sandbox.ledger() == []
    table.approve("B", {**CLAIM, "id": "B"})
    assert table.intake() == 0
    table.approve("B", "")
    assert table.intake() == 1
    assert "CB-537" in table.outcomes()[-1]
    with Client.from_config(table.config) as client:
        client.reverse("B")
    assert main(["intake", "retry", "B", "--config", str(table.config)]) == 0
    assert table.intake() == 0


def test_a_source_that_cannot_be_made_is_told(
    table: Table, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong key, a missing module or attribute: a sentence, and exit code 2."""
    text = table.config.read_text()
    for wrong, told in (
        ('file = "approved.db"', 'fil = "approved.db"'),
        ("own_source:table_source", "own_source:nothing"),
        ("own_source:table_source", "no_such_module:x"),
        ("own_source:table_source", "os:getcwd"),
        ("own_source:table_source", "nothing"),
    ):
        table.config.write_text(text.replace(wrong, told))
        assert table.intake() == 2
        assert "CB-53" in capsys.readouterr().err
