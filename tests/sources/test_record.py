"""The record of sources: nothing read is forgotten."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.sources.claims import INVOICE, claim

from claimbridge.errors import ClaimError, JournalError, NotDelivered
from claimbridge.journal.sqlite import schema
from claimbridge.sources.base import Arrival
from claimbridge.sources.base.writeback import WriteBack, WriteBackKind, WriteBackState
from claimbridge.sources.record import (
    ArrivalState,
    SourceRecord,
    SqliteRecord,
    StoredArrival,
    open_record,
)

ROOT = Path(__file__).resolve().parents[2]


STORES: dict[str, Callable[[Path], str]] = {
    "memory": lambda _: "memory:",
    "sqlite": lambda folder: f"sqlite:///{folder / 'claims.db'}",
}
"""The URL of a record in a folder, on each store that the record's promises are held to."""


@pytest.fixture(params=STORES)
def record(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SourceRecord]:
    """A record on each store."""
    made = open_record(STORES[request.param](tmp_path))
    yield made
    made.close()


def kept(
    record: SourceRecord, name: str, *invoices: dict[str, str], **changes: object
) -> StoredArrival:
    """Take in one claim under its id, and return it as kept."""
    made = claim(name, *invoices, **changes)
    arrival = Arrival(key=name, version=made.digest, claim=made)
    (found,) = record.take_in("inbox", [arrival])
    return found


def states(record: SourceRecord) -> dict[str, str]:
    """Return the state of the newest version of each document."""
    return {one.key: one.state.value for one in record.select()}


def test_the_mark_moves_with_what_was_kept(record: SourceRecord) -> None:
    """Reading goes on after what is kept, never after what is not."""
    assert record.mark("inbox") == ""
    record.take_in("inbox", [Arrival(key="a", version="1", claim=claim("A"))], mark="7")
    assert record.mark("inbox") == "7"
    assert record.mark("other") == ""
    broken = Arrival(key="b", version="1", claim=None, error=object())  # type: ignore[arg-type]
    with pytest.raises(AttributeError):
        record.take_in("inbox", [Arrival(key="c", version="1", claim=claim("C")), broken], mark="9")
    assert record.mark("inbox") == "7"
    assert [one.key for one in record.select()] == ["a"]


def test_a_version_that_comes_again_changes_nothing(record: SourceRecord) -> None:
    """What a source gives twice is kept once, with the end that it has."""
    first = kept(record, "EXP-1")
    record.accept(first)
    again = kept(record, "EXP-1")
    assert again.number == first.number
    assert again.state is ArrivalState.ACCEPTED
    assert again.claim() == claim("EXP-1")


def test_a_later_version_takes_the_place_of_one_not_in_a_ledger(record: SourceRecord) -> None:
    """What is out of date is not submitted; what is in the ledger stays as it is."""
    first = kept(record, "EXP-1", INVOICE)
    record.begin([first])
    record.accept(first)
    second = kept(record, "EXP-1", revision=2)
    third = kept(record, "EXP-1", revision=3)
    found = {one.number: one.state for one in record.find("inbox", "EXP-1")}
    assert found == {
        first.number: ArrivalState.ACCEPTED,
        second.number: ArrivalState.SUPERSEDED,
        third.number: ArrivalState.READ,
    }
    assert record.begin([second]) == [None]
    late = claim("EXP-1", revision=2, title="late")
    (late_one,) = record.take_in("inbox", [Arrival(key="x", version="1", claim=late)])
    assert late_one.state is ArrivalState.SUPERSEDED


def test_what_is_no_claim_is_parked_with_the_reason(record: SourceRecord) -> None:
    """The reason is kept as it was given, whatever bytes are in it."""
    error = ClaimError("field 报销金额 holds abc\udcff", code="CB-146", claim_id="B-1")
    (found,) = record.take_in("inbox", [Arrival(key="b\udcff", version="1", error=error)])
    assert (found.state, found.code, found.claim_id) == (ArrivalState.PARKED, "CB-146", "B-1")
    assert found.reason == "field 报销金额 holds abc\\udcff"
    assert record.find("inbox", "b\udcff") == (found,)
    assert not record.retry(found)


def test_accepted_outweighs_an_end_that_another_process_recorded(record: SourceRecord) -> None:
    """The ledger's word is final: nothing turns an accepted claim into a parked one."""
    one = kept(record, "EXP-1")
    record.end(one, ArrivalState.PARKED, code="CB-111", reason="no row")
    record.accept(one)
    assert not record.end(one, ArrivalState.PARKED, code="CB-111", reason="no row")
    assert states(record) == {"EXP-1": "accepted"}


def test_write_backs_take_lawful_steps_only(record: SourceRecord) -> None:
    """What is done is done; somebody slower moves nothing back."""
    planned = WriteBack(source="inbox", key="EXP-1", kind=WriteBackKind.VOUCHER, content={"a": "1"})
    assert record.begin_write_back(planned) == planned
    assert record.open_write_backs("inbox") == (planned,)

    def moved(state: WriteBackState, attempt: int) -> WriteBack:
        return WriteBack(
            source="inbox",
            key="EXP-1",
            kind=WriteBackKind.VOUCHER,
            content={"a": "1"},
            state=state,
            attempt=attempt,
        )

    assert not record.record_write_back(moved(WriteBackState.DONE, 0))
    assert not record.record_write_back(moved(WriteBackState.SENDING, 2))
    assert record.record_write_back(moved(WriteBackState.SENDING, 1))
    assert not record.record_write_back(moved(WriteBackState.SENDING, 2))
    assert record.record_write_back(moved(WriteBackState.DONE, 1))
    assert not record.record_write_back(moved(WriteBackState.PENDING, 1))
    assert record.begin_write_back(planned).state is WriteBackState.DONE
    assert record.open_write_backs("inbox") == ()
    assert [one.state for one in record.write_backs_of("inbox", "EXP-1")] == [WriteBackState.DONE]


def test_it_lives_in_the_journals_file(tmp_path: Path) -> None:
    """One file has both, whoever made it; a journal of an earlier version is brought up."""
    path = tmp_path / "claims.db"
    raw = sqlite3.connect(path, isolation_level=None)
    schema.bring_up(raw, path, schema.MIGRATIONS[:2])
    raw.close()
    record = open_record(f"sqlite:///{path}")
    assert kept(record, "EXP-1").state is ArrivalState.READ
    record.close()


def test_one_pass_of_a_source_at_a_time(tmp_path: Path) -> None:
    """Two passes at once would do each other's work; other sources are not held up."""
    first, second = SqliteRecord(tmp_path / "claims.db"), SqliteRecord(tmp_path / "claims.db")
    with first.turn("inbox"):
        with pytest.raises(NotDelivered) as refused, second.turn("inbox"):
            pass
        assert refused.value.code == "CB-539"
        with second.turn("other"):
            pass
    with second.turn("inbox"):
        pass
    first.close()
    second.close()


@pytest.mark.parametrize("how", ["ended", "killed"])
def test_a_child_does_not_keep_the_pass(tmp_path: Path, how: str) -> None:
    """A child forked during a pass neither holds it on nor ends it for its parent."""
    heard, says = os.pipe()
    waits, lets_go = os.pipe()
    parent = os.fork()
    if parent == 0:
        record = SqliteRecord(tmp_path / "claims.db")
        with record.turn("inbox"):
            if os.fork() == 0:
                os.close(lets_go)
                os.write(says, b".")
                os.read(waits, 1)  # the child lives on
                os._exit(0)
            os.read(heard, 1)
            other = SqliteRecord(tmp_path / "claims.db")
            try:
                with other.turn("inbox"):
                    os._exit(1)  # the child has ended its parent's pass
            except NotDelivered:
                pass
            if how == "killed":
                os.kill(os.getpid(), signal.SIGKILL)
        os._exit(0)
    _, status = os.waitpid(parent, 0)
    try:
        assert os.waitstatus_to_exitcode(status) == (0 if how == "ended" else -signal.SIGKILL)
        record = SqliteRecord(tmp_path / "claims.db")
        with record.turn("inbox"):
            pass
        record.close()
    finally:
        for end in (heard, says, waits, lets_go):
            os.close(end)


def test_a_file_that_may_not_be_written_is_told(tmp_path: Path) -> None:
    """What SQLite says leaves as our error, and nothing was changed."""
    record = SqliteRecord(tmp_path / "claims.db", timeout=0.1)
    blocker = sqlite3.connect(tmp_path / "claims.db", isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    with pytest.raises(JournalError) as locked:
        kept(record, "EXP-1")
    assert locked.value.code == "CB-223"
    blocker.execute("ROLLBACK")
    blocker.close()
    assert kept(record, "EXP-1").number == 1
    record.close()


_FILL = """
import resource, signal, sys
from pathlib import Path
from claimbridge.errors import JournalError
from claimbridge.sources.base import Arrival
from claimbridge.sources.record import SourceRecord, SqliteRecord
from tests.sources.claims import claim
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
record = SqliteRecord(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))
for number in range(10_000):
    big = claim(f"F{number}", title="x" * 1000)
    try:
        record.take_in("inbox", [Arrival(key=big.id, version="1", claim=big)], mark=str(number))
    except JournalError as error:
        print(number, error.code, record.mark("inbox"))
        break
"""


def test_a_full_disk_takes_nothing_half(tmp_path: Path) -> None:
    """What was kept is kept, with its mark; what was not is read again once there is room."""
    path = tmp_path / "claims.db"
    done = subprocess.run(
        [sys.executable, "-c", _FILL, str(path)], capture_output=True, text=True, cwd=ROOT
    )
    refused, code, mark = done.stdout.split()
    assert (code, mark) == ("CB-221", str(int(refused) - 1)), done.stderr
    record = SqliteRecord(path)
    assert [one.key for one in record.select()] == [f"F{number}" for number in range(int(refused))]
    assert record.mark("inbox") == mark
    assert kept(record, "LATER").state is ArrivalState.READ
    record.close()
