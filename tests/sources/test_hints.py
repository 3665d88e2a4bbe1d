"""Hints are followed by reading again, and forgotten when what was read is kept, not sooner."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from tests.sources.claims import claim

from claimbridge.errors import ClaimBridgeError, NotDelivered
from claimbridge.model import Standing
from claimbridge.sources.base import Arrival
from claimbridge.sources.base.writeback import WriteBack
from claimbridge.sources.hints import MOST, SourceWithHints
from claimbridge.sources.record import SourceRecord, SqliteRecord


class NothingBack:
    """A source that nothing goes back to."""

    def plan(
        self, arrival: Arrival, *, standing: Standing | None, error: ClaimBridgeError | None = None
    ) -> tuple[WriteBack, ...]:
        return ()

    def send(self, write_back: WriteBack, *, earlier: object) -> WriteBack:
        raise AssertionError

    look = send


class Shelf:
    """A source of documents by key; ``broken`` ones cannot be read now."""

    name = "shelf"

    def __init__(self) -> None:
        self.versions: dict[str, int] = {}
        self.broken: set[str] = set()
        self.reread_keys: list[str] = []
        self.polled: list[str] = []
        self.marks: list[str] = []

    def arrival(self, key: str, mark: str = "") -> Arrival:
        version = str(self.versions[key])
        return Arrival(key=key, version=version, claim=claim(key), mark=mark)

    def arrivals(self, *, since: str = "") -> Iterator[Arrival]:
        self.marks.append(since)
        for key in self.polled:
            yield self.arrival(key, mark=f"t|{key}")

    def reread(self, key: str) -> Arrival | None:
        self.reread_keys.append(key)
        if key in self.broken:
            raise NotDelivered("the shelf is locked")
        return self.arrival(key) if key in self.versions else None

    def ended(
        self, arrival: Arrival, *, standing: Standing | None, error: ClaimBridgeError | None
    ) -> None:
        pass

    def close(self) -> None:
        pass


@pytest.fixture
def record(tmp_path: Path) -> Iterator[SourceRecord]:
    opened = SqliteRecord(tmp_path / "claims.db")
    yield opened
    opened.close()


@pytest.fixture
def shelf() -> Shelf:
    made = Shelf()
    made.versions = {"A": 1, "B": 1, "C": 1}
    return made


def read(shelf: Shelf, record: SourceRecord, found: list[Arrival] | None = None) -> list[Arrival]:
    """Make the reading half of a pass."""
    source = SourceWithHints(shelf, record, port=NothingBack())
    found = [] if found is None else found
    for arrival in source.arrivals(since=record.mark("shelf")):
        record.take_in("shelf", [arrival], mark=arrival.mark)
        found.append(arrival)
    return found


def hinted(record: SourceRecord) -> list[str]:
    return [hint.key for hint in record.hints("shelf")]


def test_hints_are_followed_first_and_then_forgotten(shelf: Shelf, record: SourceRecord) -> None:
    """A hint leads to one reading; the source's own mark goes on beside it."""
    record.hint("shelf", ["B", "A", "B"])
    record.hint("other", ["C"])
    shelf.polled = ["C"]
    assert [arrival.key for arrival in read(shelf, record)] == ["A", "B", "C"]
    shelf.polled = []
    assert read(shelf, record) == []
    assert shelf.reread_keys == ["A", "B"]
    assert shelf.marks == ["", "t|C"]
    assert hinted(record) == []
    assert [hint.key for hint in record.hints("other")] == ["C"]


def test_a_hint_lives_until_what_was_read_is_kept(shelf: Shelf, record: SourceRecord) -> None:
    """A pass that dies between reading and keeping leaves the hint for the next."""
    record.hint("shelf", ["A"])
    source = SourceWithHints(shelf, record, port=NothingBack())
    assert next(source.arrivals(since="")).key == "A"
    assert hinted(record) == ["A"]
    assert [arrival.key for arrival in read(shelf, record)] == ["A"]
    assert [arrival.key for arrival in read(shelf, record)] == []


def test_a_hint_that_comes_while_its_document_is_read(shelf: Shelf, record: SourceRecord) -> None:
    """What was read before the hint came does not answer it."""
    record.hint("shelf", ["A"])
    source = SourceWithHints(shelf, record, port=NothingBack())
    for arrival in source.arrivals(since=record.mark("shelf")):
        record.hint("shelf", ["A"])
        record.take_in("shelf", [arrival], mark=arrival.mark)
    assert [arrival.key for arrival in read(shelf, record)] == ["A"]
    assert [arrival.key for arrival in read(shelf, record)] == []


def test_what_cannot_be_read_holds_up_nothing(shelf: Shelf, record: SourceRecord) -> None:
    """A document that fails keeps its hint; those behind it and the source itself go on."""
    record.hint("shelf", ["A", "B"])
    shelf.broken, shelf.polled = {"A"}, ["C"]
    found: list[Arrival] = []
    with pytest.raises(NotDelivered):
        read(shelf, record, found)
    assert [arrival.key for arrival in found] == ["B", "C"]
    shelf.broken, shelf.polled = set(), []
    assert [arrival.key for arrival in read(shelf, record)] == ["A"]


def test_a_source_that_is_down_is_not_asked_for_every_hint(
    shelf: Shelf, record: SourceRecord
) -> None:
    """After three failures the rest waits, in its order."""
    keys = [f"K{number}" for number in range(50)]
    shelf.versions = dict.fromkeys(keys, 1)
    shelf.broken = set(keys)
    record.hint("shelf", keys)
    with pytest.raises(NotDelivered):
        read(shelf, record)
    assert len(shelf.reread_keys) == 3
    assert sorted(hinted(record)) == sorted(keys)
    shelf.broken = set()
    assert len(read(shelf, record)) == 50


def test_a_flood_of_hints_holds_up_nothing(shelf: Shelf, record: SourceRecord) -> None:
    """10,000 documents at once: each pass follows a bounded number, and reads on besides."""
    keys = [f"K{number}" for number in range(10_000)]
    shelf.versions |= dict.fromkeys(keys, 1)
    record.hint("shelf", keys)
    shelf.polled = ["C"]
    assert len(read(shelf, record)) == MOST + 1
    assert len(shelf.reread_keys) == MOST
    assert len(read(shelf, record)) == MOST + 1
    assert shelf.reread_keys[MOST:] == keys[MOST : 2 * MOST], "the next ones, none again"


def test_hints_about_nothing_are_forgotten(shelf: Shelf, record: SourceRecord) -> None:
    """Hesi sends samples, and documents of other kinds: what is not there is asked for once."""
    record.hint("shelf", ["nothing"])
    assert read(shelf, record) == []
    assert hinted(record) == []


def test_missed_hints_that_cannot_be_found_now(shelf: Shelf, record: SourceRecord) -> None:
    """A log of failures that cannot be read is told, and holds up nothing."""

    def catch_up() -> None:
        raise NotDelivered("the log is closed")

    shelf.polled = ["C"]
    source = SourceWithHints(shelf, record, port=NothingBack(), catch_up=catch_up)
    found: list[str] = []
    with pytest.raises(NotDelivered, match="the log is closed"):
        found.extend(arrival.key for arrival in source.arrivals())
    assert found == ["C"]


def test_it_is_a_source_itself(shelf: Shelf, record: SourceRecord) -> None:
    """Everything but reading on is the source's own."""
    source = SourceWithHints(shelf, record, port=NothingBack())
    again = source.reread("A")
    assert again is not None
    source.ended(again, standing=None, error=None)
    source.close()
    assert (source.name, msgspec.structs.asdict(again)["key"]) == ("shelf", "A")
