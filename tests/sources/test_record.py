"""The record of sources: nothing read is forgotten, no invoice is used by two claims."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.sources.claims import INVOICE, claim

from claimbridge.errors import ClaimError, JournalError, NotDelivered
from claimbridge.journal import SqliteJournal
from claimbridge.sources.base import Arrival
from claimbridge.sources.record import ArrivalState, Kept, Record, open_record
from claimbridge.sources.writeback import WriteBack, WriteBackKind, WriteBackState

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(params=["memory", "file"])
def record(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Record]:
    """A record in memory, and one in a file."""
    url = "memory:" if request.param == "memory" else f"sqlite:///{tmp_path / 'claims.db'}"
    made = open_record(url)
    yield made
    made.close()


def kept(record: Record, name: str, *invoices: dict[str, str], **changes: object) -> Kept:
    """Take in one claim under its id, and return it as kept."""
    made = claim(name, *invoices, **changes)
    arrival = Arrival(key=name, version=made.digest, claim=made)
    (found,) = record.take_in("inbox", [arrival])
    return found


def states(record: Record) -> dict[str, str]:
    """Return the state of the newest version of each document."""
    return {one.key: one.state.value for one in record.select()}


def test_the_mark_moves_with_what_was_kept(record: Record) -> None:
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


def test_a_version_that_comes_again_changes_nothing(record: Record) -> None:
    """What a source gives twice is kept once, with the end that it has."""
    first = kept(record, "EXP-1")
    record.accept(first)
    again = kept(record, "EXP-1")
    assert again.number == first.number
    assert again.state is ArrivalState.ACCEPTED
    assert again.claim() == claim("EXP-1")


def test_a_later_version_takes_the_place_of_one_not_in_a_ledger(record: Record) -> None:
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


def test_what_is_no_claim_is_parked_with_the_reason(record: Record) -> None:
    """The reason is kept as it was given, whatever bytes are in it."""
    error = ClaimError("field 报销金额 holds abc\udcff", code="CB-146", claim_id="B-1")
    (found,) = record.take_in("inbox", [Arrival(key="b\udcff", version="1", error=error)])
    assert (found.state, found.code, found.claim_id) == (ArrivalState.PARKED, "CB-146", "B-1")
    assert found.reason == "field 报销金额 holds abc\\udcff"
    assert record.find("inbox", "b\udcff") == (found,)
    assert not record.retry(found)


def test_one_invoice_for_one_claim(record: Record) -> None:
    """The second claim is refused, and told which claim and which line has it."""
    first, second = kept(record, "EXP-1", INVOICE), kept(record, "EXP-2", INVOICE)
    begun, refused = record.begin([first, second])
    assert isinstance(begun, Kept)
    assert begun.attempt == 1
    assert isinstance(refused, ClaimError)
    assert refused.code == "CB-530"
    assert refused.claim_id == "EXP-2"
    assert "claim EXP-1" in refused.message
    assert "line 1" in refused.message


def test_a_claim_that_is_parked_frees_its_invoices(record: Record) -> None:
    """A claim made anew in place of one that failed may use its invoices."""
    first, second = kept(record, "EXP-1", INVOICE), kept(record, "EXP-2", INVOICE)
    record.begin([first])
    record.end(first, ArrivalState.PARKED, code="CB-430", reason="no such employee")
    assert isinstance(record.begin([second])[0], Kept)
    assert record.retry(record.find("inbox", "EXP-1")[0])
    assert isinstance(record.begin([first])[0], ClaimError)


def test_a_claim_that_may_be_posted_keeps_its_invoices(record: Record) -> None:
    """Nobody knows whether it is in the ledger: then its invoice is used."""
    first, second = kept(record, "EXP-1", INVOICE), kept(record, "EXP-2", INVOICE)
    record.begin([first])
    record.end(first, ArrivalState.PARKED, code="CB-421", reason="parked", may_be_posted=True)
    assert isinstance(record.begin([second])[0], ClaimError)


@pytest.mark.parametrize(
    ("document", "revision", "state", "used"),
    [
        ("EXP-1/1", 1, "posted", True),
        ("EXP-1", 1, "in_doubt", True),
        ("EXP-1/1", 1, "rejected", False),
        ("EXP-1", 2, "pending", False),
    ],
)
def test_a_parked_claim_keeps_the_invoices_of_what_is_in_a_ledger(
    tmp_path: Path, document: str, revision: int, state: str, used: bool
) -> None:
    """A part of it was accepted before another was refused: its invoices are used."""
    record = Record(tmp_path / "claims.db")
    first = kept(record, "EXP-1", INVOICE, revision=revision)
    second = kept(record, "EXP-2", INVOICE)
    record.begin([first])
    raw = sqlite3.connect(tmp_path / "claims.db")
    raw.execute("INSERT INTO claims VALUES ('CN01', ?, 1)", (document,))
    raw.execute(
        "INSERT INTO submissions (ledger, claim_id, revision, purpose, reference, digest, state, "
        "attempt, updated_at, content) VALUES ('CN01', ?, ?, 'post', ?, '', ?, 1, '', '{}')",
        (document, revision, document, state),
    )
    raw.commit()
    raw.close()
    record.end(first, ArrivalState.PARKED, code="CB-430", reason="part 2 of 2: no such employee")
    assert isinstance(record.begin([second])[0], ClaimError if used else Kept)
    record.close()


def test_a_later_revision_uses_its_own_invoices_again(record: Record) -> None:
    """What the later revision no longer uses is free once the later one is accepted."""
    other = {**INVOICE, "number": "25312000000099999999"}
    first = kept(record, "EXP-1", INVOICE, other)
    record.begin([first])
    record.accept(first)
    second = kept(record, "EXP-1", INVOICE, revision=2)
    assert isinstance(record.begin([second])[0], Kept)
    rival, rival_of_other = kept(record, "EXP-2", INVOICE), kept(record, "EXP-3", other)
    assert [type(one) for one in record.begin([rival, rival_of_other])] == [ClaimError, ClaimError]
    record.accept(second)
    assert [type(one) for one in record.begin([rival, rival_of_other])] == [ClaimError, Kept]


def test_a_version_that_was_attempted_keeps_its_invoices(record: Record) -> None:
    """It may be in a ledger, although a later version has come; parked, it holds none."""
    other = {**INVOICE, "number": "25312000000099999999"}
    parked, attempted = kept(record, "EXP-1", INVOICE), kept(record, "EXP-2", other)
    record.begin([parked, attempted])
    record.end(parked, ArrivalState.PARKED, code="CB-111", reason="no row")
    kept(record, "EXP-1", revision=2)
    later = kept(record, "EXP-2", revision=2)
    rivals = [kept(record, "EXP-3", INVOICE), kept(record, "EXP-4", other)]
    assert [type(one) for one in record.begin(rivals)] == [Kept, ClaimError]
    # Given up, and nothing of it was ever sent: somebody else may use it.
    record.end(later, ArrivalState.REFUSED, code="CB-544", reason="given up")
    assert isinstance(record.begin([rivals[1]])[0], Kept)


def test_an_invoice_is_not_taken_while_its_claim_is_on_its_way(tmp_path: Path) -> None:
    """Reversed, and a later revision about to be posted: the invoice is still that claim's."""
    record = Record(tmp_path / "claims.db")
    first = kept(record, "EXP-1", INVOICE)
    record.begin([first])
    record.accept(first)
    raw = sqlite3.connect(tmp_path / "claims.db")
    raw.execute("INSERT INTO claims VALUES ('CN01', 'EXP-1', 1)")
    raw.execute(
        "INSERT INTO submissions (ledger, claim_id, revision, purpose, reference, digest, state, "
        "attempt, updated_at, content) VALUES ('CN01', 'EXP-1', 1, 'post', 'EXP-1', '', "
        "'reversed', 1, '', '{}')"
    )
    raw.commit()
    raw.close()
    second, rival = kept(record, "EXP-1", INVOICE, revision=2), kept(record, "EXP-2", INVOICE)
    assert isinstance(record.begin([rival])[0], ClaimError)
    record.end(second, ArrivalState.REFUSED, code="CB-544", reason="given up")
    assert isinstance(record.begin([rival])[0], Kept)
    record.close()


def test_accepted_outweighs_an_end_that_another_process_recorded(record: Record) -> None:
    """The ledger's word is final: nothing turns an accepted claim into a parked one."""
    one = kept(record, "EXP-1")
    record.end(one, ArrivalState.PARKED, code="CB-111", reason="no row")
    record.accept(one)
    assert not record.end(one, ArrivalState.PARKED, code="CB-111", reason="no row")
    assert states(record) == {"EXP-1": "accepted"}


def test_write_backs_take_lawful_steps_only(record: Record) -> None:
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
    SqliteJournal(path).close()
    raw = sqlite3.connect(path)
    for table in ("hints", "write_backs", "deliveries", "invoices", "arrivals", "marks"):
        raw.execute(f"DROP TABLE {table}")
    raw.execute("PRAGMA user_version = 2")
    raw.close()
    record = open_record(f"sqlite:///{path}")
    assert kept(record, "EXP-1").state is ArrivalState.READ
    record.close()


def test_one_pass_of_a_source_at_a_time(tmp_path: Path) -> None:
    """Two passes at once would do each other's work; other sources are not held up."""
    first, second = Record(tmp_path / "claims.db"), Record(tmp_path / "claims.db")
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
        record = Record(tmp_path / "claims.db")
        with record.turn("inbox"):
            if os.fork() == 0:
                os.close(lets_go)
                os.write(says, b".")
                os.read(waits, 1)  # the child lives on
                os._exit(0)
            os.read(heard, 1)
            other = Record(tmp_path / "claims.db")
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
        record = Record(tmp_path / "claims.db")
        with record.turn("inbox"):
            pass
        record.close()
    finally:
        for end in (heard, says, waits, lets_go):
            os.close(end)


def test_a_file_that_may_not_be_written_is_told(tmp_path: Path) -> None:
    """What SQLite says leaves as our error, and nothing was changed."""
    record = Record(tmp_path / "claims.db", timeout=0.1)
    blocker = sqlite3.connect(tmp_path / "claims.db", isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    with pytest.raises(JournalError) as locked:
        kept(record, "EXP-1")
    assert locked.value.code == "CB-223"
    blocker.execute("ROLLBACK")
    blocker.close()
    assert kept(record, "EXP-1").number == 1
    record.close()


def _rival(path: Path, name: str, gate: object, results: object) -> None:
    record = Record(path)
    one = kept(record, name, INVOICE)
    gate.wait()  # type: ignore[attr-defined]
    (end,) = record.begin([one])
    results.put((name, isinstance(end, Kept)))  # type: ignore[attr-defined]
    record.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked here")
def test_of_processes_that_race_for_an_invoice_one_wins(tmp_path: Path) -> None:
    """Four processes submit one invoice at the same moment: one claim goes on."""
    path = tmp_path / "claims.db"
    Record(path).close()
    context = multiprocessing.get_context("fork")
    gate, results = context.Barrier(4), context.Queue()
    names = [f"EXP-{number}" for number in range(4)]
    racers = [context.Process(target=_rival, args=(path, name, gate, results)) for name in names]
    for racer in racers:
        racer.start()
    ends = [results.get(timeout=30) for _ in racers]
    for racer in racers:
        racer.join()
    assert sorted(name for name, _ in ends) == names
    assert sum(won for _, won in ends) == 1


_FILL = """
import resource, signal, sys
from pathlib import Path
from claimbridge.errors import JournalError
from claimbridge.sources.base import Arrival
from claimbridge.sources.record import Record
from tests.sources.claims import claim
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
record = Record(Path(sys.argv[1]))
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
    record = Record(path)
    assert [one.key for one in record.select()] == [f"F{number}" for number in range(int(refused))]
    assert record.mark("inbox") == mark
    assert kept(record, "LATER").state is ArrivalState.READ
    record.close()
