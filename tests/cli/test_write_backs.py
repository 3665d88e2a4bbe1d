"""``intake write-backs``: what goes back to a source, and what waits for a person."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.conftest import EXAMPLES, Run

from claimbridge.sources.base.writeback import WriteBack, WriteBackKind, WriteBackState
from claimbridge.sources.record import SourceRecord, SqliteRecord

TOML = """
[ledger.CN01]
endpoint = "http://127.0.0.1:9/reference"
journal = "sqlite:///claims.db"
[source.hesi]
kind = "hesi"
ledger = "CN01"
app_key = "env:NONE"
app_secret = "env:NONE"
"""


def put(record: SourceRecord, key: str, *states: WriteBackState, reason: str = "") -> None:
    one = WriteBack(
        source="hesi", key=key, kind=WriteBackKind.VOUCHER, occasion="1",
        content={"number": "000001", "created": "1795528613348", "period": "2026-11"},
    )  # fmt: skip
    record.begin_write_back(one)
    for state in states:
        attempt = 1 if state is not WriteBackState.PENDING else 0
        (held,) = record.write_backs_of("hesi", key)
        moved = WriteBack(
            source="hesi", key=key, kind=one.kind, occasion="1", content=one.content,
            state=state, attempt=attempt, reason=reason, attempted_at=held.attempted_at,
        )  # fmt: skip
        assert record.record_write_back(moved)


@pytest.fixture
def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "claimbridge.toml").write_text(TOML, encoding="utf-8")
    record = SqliteRecord(tmp_path / "claims.db")
    put(record, "ID-1", WriteBackState.SENDING, WriteBackState.DONE)
    put(record, "ID-2", WriteBackState.SENDING, WriteBackState.PARKED, reason="CB-553 another")
    put(record, "ID-3")
    record.close()
    return tmp_path / "claimbridge.toml"


def test_they_are_listed(run: Run, configured: Path) -> None:
    """Each with its content, its state and why; by state where one is named."""
    shown = run("intake", "write-backs").out
    assert [line.split()[1] for line in shown.splitlines()[2:5]] == ["ID-1", "ID-2", "ID-3"]
    assert "000001, 2026-11" in shown
    assert "1795528613348" not in shown
    only = run("intake", "write-backs", "--state", "parked", "--json").record
    assert (only["key"], only["reason"]) == ("ID-2", "CB-553 another")


def test_what_waits_for_a_person_goes_on(run: Run, configured: Path) -> None:
    """A person lets it be tried again; what is done or unknown stays as it is."""
    ended = run("intake", "write-backs", "--retry", "ID-2", "--json")
    assert [record["state"] for record in ended.records] == ["done", "pending", "pending"]
    assert ended.code == 0
    for key in ("ID-1", "ID-2", "nothing"):
        again = run("intake", "write-backs", "--retry", key)
        assert (again.code, "CB-558" in again.err) == (1, True)


def test_its_example_is_in_the_folder_of_examples() -> None:
    """The documents that the sandbox's Hesi is given are shipped beside their field map."""
    assert (EXAMPLES / "hesi-map.toml").exists()
    assert len(list((EXAMPLES / "hesi").glob("*.json"))) == 4
