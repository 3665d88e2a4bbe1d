"""The file of an ERP's records: written whole or not at all, and the list of one book."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import pytest

from claimbridge.config import LedgerConfig
from claimbridge.errors import ConfigurationError
from claimbridge.ledger.records_file import read_records, records_path, write_records
from claimbridge.model import Place
from claimbridge.profiles.master_records import MasterRecord, MasterRecords, RecordList
from claimbridge.submission import place_of

HERE = place_of("netsuite", "https://erp.example/services", "account 1")
LISTS = MasterRecords(
    ledger="US01",
    lists={
        "account": RecordList(
            fetched_at=dt.datetime(2026, 4, 1, tzinfo=dt.UTC),
            records=(MasterRecord(id="213", names={"number": "6602.03", "name": "差旅费"}),),
        )
    },
)


def config(folder: Path, name: str = "US01") -> LedgerConfig:
    return LedgerConfig(
        name=name, profile="netsuite", endpoint="http://127.0.0.1:1/x", folder=str(folder)
    )


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    """Names in any script; no file is no lists."""
    assert read_records(config(tmp_path), HERE).lists == {}
    write_records(config(tmp_path), HERE, LISTS)
    assert read_records(config(tmp_path), HERE) == LISTS


def test_a_write_that_fails_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing half written, and nothing left beside it."""
    path = write_records(config(tmp_path), HERE, LISTS)
    before = path.read_bytes()

    def full(_: object, __: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(ConfigurationError, match="CB-489"):
        write_records(config(tmp_path), HERE, MasterRecords(ledger="US01"))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "place",
    [
        place_of("netsuite", "https://erp.example/services", "account 1_SB1"),
        place_of("netsuite", "https://sandbox.erp.example/services", "account 1"),
    ],
)
def test_the_lists_of_another_book_are_none_of_ours(tmp_path: Path, place: Place) -> None:
    """The account behind the endpoint counts as well as the endpoint."""
    write_records(config(tmp_path), HERE, LISTS)
    with pytest.raises(ConfigurationError, match="CB-489"):
        read_records(config(tmp_path), place)


def test_on_this_machine_the_port_does_not_count(tmp_path: Path) -> None:
    """A sandbox that was started again is the same place."""
    write_records(config(tmp_path), place_of("netsuite", "http://127.0.0.1:1/x"), LISTS)
    assert read_records(config(tmp_path), place_of("netsuite", "http://127.0.0.1:2/x")) == LISTS


def test_a_ledgers_name_makes_one_file_name(tmp_path: Path) -> None:
    """Whatever is in it."""
    assert records_path(config(tmp_path, "../US 01")).parent == tmp_path
