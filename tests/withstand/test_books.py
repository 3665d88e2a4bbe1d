"""A ledger's name is a label: whatever it is called, a claim is posted once."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable, Iterator
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.site import SITE
from tests.withstand.scene import (
    SENDERS,
    Sender,
    attempted,
    claim,
    configured,
    late,
    ledger_of,
    lifelike,
)

from claimbridge.client import Client
from claimbridge.config import LedgerConfig
from claimbridge.errors import ClaimBridgeError, ConfigurationError, ConflictingSubmission
from claimbridge.journal import Journal, MemoryJournal, SqliteJournal
from claimbridge.journal.sqlite import schema
from claimbridge.ledger import Ledger
from claimbridge.model import Key, State
from claimbridge.profiles import load_profile
from claimbridge.sandbox import Sandbox
from claimbridge.submission import reference_for

Open = Callable[[LedgerConfig], Sender]
PROFILE = "sap-journal-entry"
"""SAP does not refuse a second document with the same reference."""


@pytest.fixture
def other_erp() -> Iterator[Sandbox]:
    """Another ERP on this machine."""
    with lifelike() as running:
        yield running


@pytest.fixture(params=["sqlite", "memory"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Journal]:
    """A journal of either kind."""
    sqlite = request.param == "sqlite"
    made: Journal = SqliteJournal(tmp_path / "claims.db") if sqlite else MemoryJournal()
    yield made
    made.close()


@pytest.fixture(params=sorted(SENDERS))
def opened(request: pytest.FixtureRequest, journal: Journal) -> Open:
    """Opens a client of either kind on the journal."""
    return lambda config: SENDERS[request.param](config, journal=journal)


def at(erp: Sandbox, name: str = "CN01", *, profile: str = PROFILE, **changes: Any) -> LedgerConfig:
    """A ledger of this name in an ERP; the journal is what tests hand over."""
    return configured(profile, port=erp.port, journal=Path("unused.db"), name=name, **changes)


def references(erp: Sandbox) -> list[str]:
    """What the ERP holds, by reference."""
    return sorted(one.reference for one in erp.ledger())


def refused(call: Callable[[], object]) -> str:
    """The code that a call is refused with."""
    with pytest.raises(ClaimBridgeError) as error:
        call()
    return error.value.code


@pytest.mark.parametrize("second", ["renamed", "CN01-again"])
def test_a_renamed_ledger_posts_once(
    erp: Sandbox,
    opened: Open,
    journal: Journal,
    new_id: Callable[[], str],
    second: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Another name for the same place is the same book; the journal says so once."""
    mine = claim(new_id())
    with opened(at(erp)) as sender:
        first = sender.submit(mine)
    caplog.set_level(logging.WARNING, "claimbridge.ledger")
    for _ in range(2):
        with opened(at(erp, second)) as sender:
            assert sender.submit(mine) == first
            assert sender.status(mine.id).state is State.POSTED
    (book,) = journal.books()
    assert book.names == ("CN01", second)
    assert references(erp).count(mine.id) == 1
    told = [record.getMessage() for record in caplog.records if book.id in record.getMessage()]
    assert len(told) == 1
    assert second in told[0]


def test_a_batch_under_another_name_posts_once(
    erp: Sandbox, opened: Open, new_id: Callable[[], str]
) -> None:
    """``submit_many`` begins with the book as ``submit`` does."""
    some = [claim(new_id()) for _ in range(3)]
    with opened(at(erp)) as sender:
        sender.submit(some[0])
    with opened(at(erp, "renamed", batch=3)) as sender:
        assert [one.error for one in sender.submit_many(some, batch=3)] == [None] * 3
    assert [references(erp).count(one.id) for one in some] == [1, 1, 1]


def test_what_is_unfinished_is_reconciled_under_the_new_name(
    erp: Sandbox, opened: Open, new_id: Callable[[], str]
) -> None:
    """A doubt is ended under whatever name its book is opened."""
    mine = claim(new_id())
    with opened(at(erp, profile="reference", retries=0)) as sender:
        erp.set_faults("commit-then-drop@1,query:half-reply@1")
        assert refused(lambda: sender.submit(mine)) == "CB-422"
        erp.set_faults("")
    with opened(at(erp, "renamed", profile="reference")) as sender:
        (done,) = sender.reconcile()
        assert done.standing is not None
        assert done.standing.state is State.POSTED
    assert references(erp).count(mine.id) == 1


def test_a_name_that_stands_for_another_place_is_refused(
    erp: Sandbox, opened: Open, journal: Journal, new_id: Callable[[], str]
) -> None:
    """Never silently a new book, and never silently the old one; nothing is sent."""
    mine = claim(new_id())
    with opened(at(erp)) as sender:
        sender.submit(mine)
    before, known = references(erp), journal.books()
    for change in ({"endpoint": "https://erp.example/ledger"}, {"book": "IFRS"}):
        with opened(at(erp, **change)) as sender:
            other = claim(new_id())
            with pytest.raises(ConfigurationError) as error:
                sender.submit(other)
            assert error.value.code == "CB-232"
            assert "claimbridge journal moved CN01" in str(error.value)
            assert next(iter(change.values())).strip("/") in str(error.value)
            results = sender.submit_many([other, claim(new_id())], batch=2)
            assert [one.error.code for one in results if one.error] == ["CB-232", "CB-232"]
            assert refused(sender.reconcile) == "CB-232"
            assert refused(lambda: sender.reverse(mine.id)) == "CB-232"
    assert references(erp) == before
    assert journal.books() == known


def test_two_names_that_change_places_are_refused(
    erp: Sandbox, other_erp: Sandbox, opened: Open, new_id: Callable[[], str]
) -> None:
    """Also on loopback, where a port alone may change: another ledger is known to be there."""
    with opened(at(erp, "A")) as sender:
        sender.submit(claim(new_id()))
    with opened(at(other_erp, "B")) as sender:
        sender.submit(claim(new_id()))
    with opened(at(other_erp, "A")) as sender:
        assert refused(lambda: sender.submit(claim(new_id()))) == "CB-232"


def test_a_sandbox_that_was_started_again_is_the_same_place(
    erp: Sandbox, other_erp: Sandbox, opened: Open, journal: Journal, new_id: Callable[[], str]
) -> None:
    """On loopback another port says nothing: the book stays, and knows its place."""
    mine = claim(new_id())
    with opened(at(erp)) as sender:
        first = sender.submit(mine)
    with opened(at(other_erp)) as sender:
        assert sender.submit(mine) == first
    (book,) = journal.books()
    assert book.place is not None
    assert str(other_erp.port) in book.place.endpoint
    assert other_erp.ledger() == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://ERP.example:443/a/", "https://erp.example/a"),
        ("http://localhost:81/a", "http://localhost:82/a"),
        ("http://127.0.0.1:81/a", "http://[::1]:82/a"),
        ("http://127.0.0.1:81/a", "http://127.9.9.9/a"),
    ],
)
def test_one_place_is_written_in_many_ways(one: str, other: str) -> None:
    """Case of the host, the port that goes without saying, the ways to name this machine."""
    journal = MemoryJournal()
    books = {
        Client(LedgerConfig(name="N", endpoint=endpoint), journal=journal).book().id
        for endpoint in (one, other)
    }
    assert len(books) == len(journal.books()) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://erp.example/a", "https://erp.example/b"),
        ("https://erp.example/a", "https://erp.example/a?sap-client=200"),
        ("https://erp.example/a", "https://erp.example:8443/a"),
        ("http://127.0.0.1:81/a", "http://127.0.0.1:81/b"),
        ("http://127.0.0.1:81/a", "https://erp.example/a"),
    ],
)
def test_another_place_is_another_book(one: str, other: str) -> None:
    """Under another name it is opened as such; under the same it is refused."""
    journal = MemoryJournal()
    first = Client(LedgerConfig(name="N", endpoint=one), journal=journal).book()
    second = Client(LedgerConfig(name="M", endpoint=other), journal=journal).book()
    assert first.id != second.id
    again = Client(LedgerConfig(name="N", endpoint=other), journal=journal)
    assert refused(again.book) == "CB-232"


def test_an_empty_journal_leads_to_the_same_book() -> None:
    """A journal that was lost is replaced by one with the same ids and references."""
    config = LedgerConfig(name="N", endpoint="https://erp.example/a")
    renamed = msgspec.structs.replace(config, name="M")
    made = [Client(one, journal=MemoryJournal()).book().id for one in (config, renamed)]
    assert made[0] == made[1]
    assert made[0].startswith("reference-")
    ids = ["EXP-1", "报销-1"]  # the second is no reference: a digest stands for it
    capabilities = load_profile("reference").capabilities
    for id_ in ids:
        found = {reference_for(Key(book, id_, 1), capabilities) for book in ("N", "M", made[0])}
        assert len(found) == 1


# --- a claim that is live in another book -------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "state", "profile"),
    [
        ("", State.POSTED, PROFILE),
        ("commit-then-drop@1", State.PARKED, PROFILE),
        ("commit-then-drop@1,query:half-reply@1", State.IN_DOUBT, "reference"),
    ],
)
def test_a_claim_that_another_book_has_is_refused(
    erp: Sandbox,
    other_erp: Sandbox,
    opened: Open,
    new_id: Callable[[], str],
    fault: str,
    state: State,
    profile: str,
) -> None:
    """Posted, or perhaps posted: it is not sent to a second book, and both are named."""
    mine = claim(new_id())
    with opened(at(erp, profile=profile, retries=0)) as sender:
        erp.set_faults(fault)
        attempted(sender, mine)
        erp.set_faults("")
        assert sender.status(mine.id).state is state
    with opened(at(other_erp, "HK01")) as sender:
        with pytest.raises(ConflictingSubmission) as error:
            sender.submit(mine)
        assert error.value.code == "CB-457"
        assert "ledger CN01" in str(error.value)
        assert error.value.claim_id == mine.id
        fresh = claim(new_id())
        ends = sender.submit_many([mine, fresh], batch=2)
        assert [one.error and one.error.code for one in ends] == ["CB-457", None]
    assert references(other_erp) == [fresh.id]


def test_a_claim_that_another_book_does_not_have_is_taken(
    erp: Sandbox, other_erp: Sandbox, opened: Open, new_id: Callable[[], str]
) -> None:
    """Refused there, never delivered, or reversed: nothing of it is there."""
    undelivered, reversed_there = (claim(new_id()) for _ in range(2))
    refused_there = late(claim(new_id()))
    nobody = {"endpoint": f"http://127.0.0.1:9/{PROFILE}"}
    with opened(at(erp, retries=0, **nobody)) as sender:
        assert refused(lambda: sender.submit(undelivered)) == "CB-413"
    with opened(at(erp)) as sender:
        assert refused(lambda: sender.submit(refused_there)) == "CB-430"
        sender.submit(reversed_there)
        sender.reverse(reversed_there.id)
    with opened(at(other_erp, "HK01")) as sender:
        for one in (undelivered, reversed_there):
            assert sender.submit(one).state is State.POSTED
        assert refused(lambda: sender.submit(refused_there)) == "CB-430"


def test_a_parallel_book_has_the_same_claims(
    erp: Sandbox, other_erp: Sandbox, opened: Open, new_id: Callable[[], str]
) -> None:
    """It is refused none and refuses none, and its references are its own, in one ERP too."""
    mine, first_there = claim(new_id()), claim(new_id())
    within, elsewhere = (
        at(erp, "IFRS", parallel=True, book="IFRS"),
        at(other_erp, "TAX", parallel=True),
    )
    with opened(within) as sender:
        sender.submit(first_there)
    with opened(at(erp)) as sender:
        ours = sender.submit(mine)
        sender.submit(first_there)
    with opened(within) as sender:
        theirs = sender.submit(mine)
        assert sender.submit(mine) == theirs
    with opened(elsewhere) as sender:
        sender.submit(mine)
    assert ours.reference == mine.id
    assert ours.journal_entry != theirs.journal_entry
    assert sorted(references(erp)).count(theirs.reference) == 1
    assert mine.id not in theirs.reference
    # As it would be again from an empty journal, wherever the ERP has moved meanwhile.
    preview = ledger_of(msgspec.structs.replace(within, name="N", endpoint="https://moved.example"))
    assert preview.preview(mine).reference == theirs.reference


def test_a_parallel_ledger_that_is_the_same_book_is_refused(
    erp: Sandbox, opened: Open, new_id: Callable[[], str]
) -> None:
    """It would post nothing, and say that it had."""
    mine = claim(new_id())
    with opened(at(erp)) as sender:
        sender.submit(mine)
    with opened(at(erp, "IFRS", parallel=True)) as sender:
        assert refused(lambda: sender.submit(mine)) == "CB-234"


@pytest.mark.parametrize("turn", range(5))
def test_two_threads_submit_a_claim_to_two_books(
    erp: Sandbox, other_erp: Sandbox, journal: Journal, new_id: Callable[[], str], turn: int
) -> None:
    """One of them sends it, the other is refused: it is judged where the sending is recorded."""
    mine, go, ends = claim(new_id()), threading.Barrier(2), []

    def submit(config: LedgerConfig) -> None:
        with Client(config, ledger=ledger_of(config), journal=journal, new_journal=True) as client:
            client.book()
            go.wait()
            try:
                client.submit(mine)
                ends.append("")
            except ClaimBridgeError as error:
                ends.append(error.code)

    before = len(other_erp.ledger())
    workers = [
        threading.Thread(target=submit, args=(config,))
        for config in (at(erp, "A"), at(other_erp, "B"))
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(ends) == ["", "CB-457"]
    assert references(erp).count(mine.id) + len(other_erp.ledger()) - before == 1


def _submit_in_a_process(config: LedgerConfig, id_: str, go: Any, told: Any) -> None:
    with Client(config, ledger=ledger_of(config), new_journal=True) as client:
        client.book()
        go.wait()
        try:
            client.submit(claim(id_))
            told.put("")
        except ClaimBridgeError as error:
            told.put(error.code)


def test_two_processes_submit_a_claim_to_two_books(
    erp: Sandbox, other_erp: Sandbox, processes: ForkServerContext, tmp_path: Path
) -> None:
    """As two threads do, over one file."""
    path = tmp_path / "claims.db"
    configs = [
        configured(PROFILE, port=one.port, journal=path, name=name)
        for one, name in ((erp, "A"), (other_erp, "B"))
    ]
    for id_ in ("P-1", "P-2", "P-3"):
        go, told = processes.Barrier(2), processes.Queue()
        workers = [
            processes.Process(target=_submit_in_a_process, args=(config, id_, go, told))
            for config in configs
        ]
        for worker in workers:
            worker.start()
        ends = sorted(told.get(timeout=60) for _ in workers)
        for worker in workers:
            worker.join()
        assert ends == ["", "CB-457"]
        assert references(erp).count(id_) + references(other_erp).count(id_) == 1


def test_two_open_a_book_at_once(tmp_path: Path) -> None:
    """Whoever is second sees the first's: there is one book, with both names."""
    journals = [SqliteJournal(tmp_path / "claims.db") for _ in range(8)]
    go, found = threading.Barrier(len(journals)), []

    def open_it(number: int) -> None:
        config = LedgerConfig(name=f"N{number}", endpoint="https://erp.example/a")
        go.wait()
        found.append(Client(config, journal=journals[number]).book().id)

    workers = [threading.Thread(target=open_it, args=(n,)) for n in range(len(journals))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    (book,) = journals[0].books()
    assert set(found) == {book.id}
    assert sorted(book.names) == [f"N{n}" for n in range(len(journals))]
    for one in journals:
        one.close()


# --- journals of before ---------------------------------------------------------------------------


def test_a_journal_of_names_goes_on_under_them(
    erp: Sandbox, other_erp: Sandbox, tmp_path: Path, new_id: Callable[[], str]
) -> None:
    """What was a name is that book's id; where it is is learnt when it is opened."""
    path, mine = tmp_path / "claims.db", claim(new_id())
    with Client(
        at(erp), ledger=ledger_of(at(erp)), journal=SqliteJournal(path), new_journal=True
    ) as client:
        client.submit(mine)
        client.journal.close()
    _as_before(path)
    journal = SqliteJournal(path)
    (book,) = journal.books()
    assert (book.id, book.names, book.place) == ("CN01", ("CN01",), None)
    assert journal.cursor("CN01") == "17"
    with Client(
        at(other_erp, "X"), ledger=ledger_of(at(other_erp, "X")), journal=journal, new_journal=True
    ) as other:
        with pytest.raises(ConflictingSubmission, match="journal rename CN01 X") as error:
            other.submit(mine)
        assert (error.value.code, "parallel" in error.value.message) == ("CB-457", False)
    before = erp.requests()
    with Client(at(erp), ledger=ledger_of(at(erp)), journal=journal) as client:
        assert client.submit(mine).state is State.POSTED
        assert client.book().id == "CN01"
    with Client(at(erp, "new"), ledger=ledger_of(at(erp, "new")), journal=journal) as client:
        assert client.submit(mine).state is State.POSTED
    assert erp.requests() == before
    assert journal.books()[0].names == ("CN01", "new")
    journal.close()


def _as_before(path: Path) -> None:
    """Rewrite a journal as the version before books had it: ledgers by their names."""
    number = next(
        n for n, statements in enumerate(schema.MIGRATIONS) if "CREATE TABLE books" in statements[0]
    )
    new = sqlite3.connect(path)
    old = sqlite3.connect(path.with_suffix(".old"), isolation_level=None)
    schema.bring_up(old, path, schema.MIGRATIONS[:number])
    (book,) = new.execute("SELECT id FROM books").fetchone()
    for table in ("claims", "submissions", "moves"):
        named = [row[1] for row in old.execute(f"PRAGMA table_info({table})")]
        for row in new.execute(f"SELECT {', '.join(named)} FROM {table}"):
            kept = ["CN01" if value == book else value for value in row]
            old.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(kept))})", kept)
    old.execute("INSERT INTO cursors VALUES ('CN01', '17', '2026-01-01T00:00:00.000000+00:00')")
    new.close()
    old.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    old.close()
    for beside in ("-wal", "-shm", "-mark"):
        Path(f"{path}{beside}").unlink(missing_ok=True)
    path.with_suffix(".old").rename(path)


def test_a_forgotten_book_may_hold_nothing(journal: Journal) -> None:
    """The rule is the journal's, in the transaction that forgets: a sender may be at work."""
    first = Client(LedgerConfig(name="N", endpoint="https://erp.example/a"), journal=journal).book()
    assert journal.keep_books(journal.books(), ())
    assert not journal.keep_books((first,), ())
    assert journal.books() == ()


@pytest.mark.parametrize(
    ("profile", "options", "other"),
    [
        ("yonyou-nc", SITE["yonyou-nc"] | {"book": "B1"}, SITE["yonyou-nc"] | {"book": "B2"}),
        ("kingdee-eas", {"credit": -1, "data_centre": "A"}, {"credit": -1, "data_centre": "B"}),
        ("workday", {"account_set": "A"}, {"account_set": "B"}),
    ],
)
def test_one_endpoint_serves_several_books(
    profile: str, options: dict[str, Any], other: dict[str, Any]
) -> None:
    """What a profile says of an account set tells books apart."""
    config = LedgerConfig(endpoint="https://erp.example/a", profile=profile)
    journal = MemoryJournal()
    for name, given in (("A", options), ("B", other), ("C", options)):
        named = msgspec.structs.replace(config, name=name, options=given)
        Client(named, ledger=Ledger(named), journal=journal).book()
    assert [book.names for book in journal.books()] == [("A", "C"), ("B",)]
