"""What every journal promises, on whatever store: see ``tests.journal.stores``."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Collection
from itertools import islice
from pathlib import Path

import msgspec
import pytest
from tests.journal.samples import LEDGER, START, changed, complete, submission
from tests.journal.stores import Leased, Setting

from claimbridge.clock import Uptime
from claimbridge.errors import JournalError
from claimbridge.journal import Journal
from claimbridge.model import MOVES, History, JournalEntry, Key, Purpose, State, Submission


@pytest.fixture
def begin(journal: Journal) -> Callable[..., History]:
    def begun(claim_id: str, **fields: object) -> History:
        first = submission(claim_id, **fields)  # type: ignore[arg-type]  # passed on as they are
        history = journal.begin(journal.history(first.key.book, claim_id), [first])
        assert history is not None
        return history

    return begun


def test_nothing_is_known_of_an_unknown_claim(journal: Journal) -> None:
    """An unknown claim has an empty history of version 0, no moves, and no reference."""
    assert journal.history(LEDGER, "C1") == History(LEDGER, "C1")
    assert list(journal.moves(LEDGER, "C1")) == []
    assert journal.find(LEDGER, "C1-1") is None
    assert journal.cursor(LEDGER) == ""
    assert list(journal.select(LEDGER)) == []


def test_begin_returns_what_is_then_read(setting: Setting) -> None:
    """What begin returns is what this journal, and every other on the same record, reads."""
    first = submission("C1")
    begun = setting.journal.begin(History(LEDGER, "C1"), [first])
    assert begun is not None
    assert begun.version == 1
    assert setting.journal.history(LEDGER, "C1") == begun
    assert setting.neighbour.history(LEDGER, "C1") == begun
    stamped = msgspec.structs.replace(first, updated_at=begun.submissions[0].updated_at)
    assert begun.submissions == (stamped,)
    assert stamped.updated_at is not None
    assert stamped.updated_at > START


def test_every_field_survives(setting: Setting) -> None:
    """A submission is read as it was written: no field is lost, money and microseconds exact."""
    written = complete("C1")
    for name, default in zip(
        Submission.__struct_fields__[-len(Submission.__struct_defaults__) :],
        Submission.__struct_defaults__,
        strict=True,
    ):
        assert getattr(written, name) != default, f"the sample must set {name}"
    begun = setting.journal.begin(setting.journal.history(LEDGER, "C1"), [written])
    assert begun is not None
    read = setting.neighbour.history(LEDGER, "C1").submissions[0]
    assert msgspec.structs.replace(read, updated_at=written.updated_at) == written
    assert setting.neighbour.find(LEDGER, "ref/3") == read
    assert list(setting.neighbour.select(LEDGER)) == [read]


def test_the_slower_writer_is_told(setting: Setting) -> None:
    """Of two who have seen the same, one writes; the other gets None and has changed nothing."""
    seen = setting.journal.history(LEDGER, "C1")
    first = setting.journal.begin(seen, [submission("C1")])
    assert first is not None
    assert setting.neighbour.begin(seen, [submission("C1", revision=2)]) is None
    assert setting.neighbour.record(seen, [submission("C1", State.PENDING, revision=2)]) is None
    assert setting.neighbour.history(LEDGER, "C1") == first
    assert len(list(setting.journal.moves(LEDGER, "C1"))) == 1


def test_a_life_leaves_its_moves(journal: Journal, begin: Callable[..., History]) -> None:
    """Versions grow by one with each write, and every change of state is kept, oldest first."""
    history = begin("C1")
    entry = JournalEntry("100", "1410", "2026")
    for number, state in enumerate(
        (State.ACKNOWLEDGED, State.ACKNOWLEDGED, State.POSTED, State.PAID), 2
    ):
        after = changed(history, state, journal_entry=entry, detail=f"{state} now")
        written = journal.record(history, [after])
        assert written is not None
        assert written.version == number
        history = written
    assert journal.history(LEDGER, "C1") == history
    assert history.submissions[0].journal_entry == entry
    moves = list(journal.moves(LEDGER, "C1"))
    assert [(move.before, move.after, move.detail) for move in moves] == [
        (None, State.SENDING, ""),
        (State.SENDING, State.ACKNOWLEDGED, "acknowledged now"),
        (State.ACKNOWLEDGED, State.POSTED, "posted now"),
        (State.POSTED, State.PAID, "paid now"),
    ]
    assert [move.at for move in moves] == sorted(move.at for move in moves)
    assert {(move.key, move.attempt) for move in moves} == {(Key(LEDGER, "C1", 1), 1)}


def test_submissions_are_ordered(journal: Journal) -> None:
    """A history lists revisions in order, and of one revision ``post`` before ``reverse``."""
    reverse = msgspec.structs.replace(
        complete("C1"), key=Key(LEDGER, "C1", 1, Purpose.REVERSE), reference="r"
    )
    history = journal.history(LEDGER, "C1")
    for one in (
        submission("C1", revision=10),
        reverse,
        submission("C1", revision=2),
        submission("C1", revision=1),
    ):
        begun = journal.begin(history, [one])
        assert begun is not None
        history = begun
    keys = [one.key for one in history.submissions]
    assert keys == [one.key for one in journal.history(LEDGER, "C1").submissions]
    assert [(key.revision, key.purpose.value) for key in keys] == [
        (1, "post"),
        (1, "reverse"),
        (2, "post"),
        (10, "post"),
    ]


PATHS: dict[State, tuple[State, ...]] = {
    State.PENDING: (State.PENDING,),
    State.SENDING: (),
    State.ACKNOWLEDGED: (State.ACKNOWLEDGED,),
    State.POSTED: (State.POSTED,),
    State.PAID: (State.PAID,),
    State.REJECTED: (State.REJECTED,),
    State.IN_DOUBT: (State.IN_DOUBT,),
    State.REVERSING: (State.POSTED, State.REVERSING),
    State.REVERSED: (State.REVERSED,),
    State.PARKED: (State.PARKED,),
}


@pytest.mark.parametrize("before", list(State))
def test_only_lawful_moves_are_written(
    journal: Journal, begin: Callable[..., History], before: State
) -> None:
    """From each state exactly the moves of MOVES can be written, and the state kept as it is."""
    for after in State:
        claim_id = f"{before}-{after}"
        history = begin(claim_id)
        for state in PATHS[before]:
            written = journal.record(history, [changed(history, state)])
            assert written is not None
            history = written
        write = journal.begin if after is State.SENDING else journal.record
        lawful = after in MOVES[before] or (after is before and after is not State.SENDING)
        if lawful:
            assert write(history, [changed(history, after)]) is not None
            continue
        with pytest.raises(JournalError) as refused:
            write(history, [changed(history, after)])
        assert refused.value.code == "CB-228"
        assert "programming error" in str(refused.value)
        if before is not State.SENDING:
            assert journal.history(LEDGER, claim_id) == history


@pytest.mark.parametrize("first", [*State])
def test_where_a_submission_may_begin(journal: Journal, first: State) -> None:
    """A new submission is pending, sending or parked; nothing else can come from nowhere."""
    write = journal.begin if first is State.SENDING else journal.record
    seen = journal.history(LEDGER, "C1")
    if first in {State.PENDING, State.SENDING, State.PARKED}:
        assert write(seen, [submission("C1", first)]) is not None
    else:
        with pytest.raises(JournalError, match="cannot begin in"):
            write(seen, [submission("C1", first)])


def test_misuse_is_refused(journal: Journal, begin: Callable[..., History]) -> None:
    """Calls that no state of the journal makes right say so, and write nothing."""
    empty = journal.history(LEDGER, "C1")
    for call in (
        lambda: journal.begin(empty, []),
        lambda: journal.record(empty, []),
        lambda: journal.begin(empty, [submission("C1", State.PENDING)]),
        lambda: journal.record(empty, [submission("C1")]),
        lambda: journal.begin(empty, [submission("C2")]),
        lambda: journal.begin(empty, [submission("C1", ledger="CN02")]),
        lambda: journal.begin(empty, [submission("C1"), submission("C1")]),
    ):
        with pytest.raises(JournalError) as refused:
            call()
        assert refused.value.code == "CB-228"
    assert journal.history(LEDGER, "C1") == empty
    history = begin("C9")
    forged = msgspec.structs.replace(history, submissions=(changed(history, State.POSTED),))
    with pytest.raises(JournalError, match="not as the given history shows it"):
        journal.record(forged, [changed(history, State.PAID)])


def test_a_reference_the_erp_may_know_stays(
    journal: Journal, begin: Callable[..., History]
) -> None:
    """The reference may change only where nothing in the ERP can bear it."""
    history = begin("C1")
    doubtful = journal.record(history, [changed(history, State.IN_DOUBT)])
    assert doubtful is not None
    with pytest.raises(JournalError, match="cannot change its reference"):
        journal.begin(doubtful, [changed(doubtful, State.SENDING, reference="other")])
    pending = journal.record(doubtful, [changed(doubtful, State.PENDING)])
    assert pending is not None
    renamed = journal.begin(pending, [changed(pending, State.SENDING, reference="other")])
    assert renamed is not None
    assert journal.find(LEDGER, "other") == renamed.submissions[0]
    assert journal.find(LEDGER, "C1-1") is None


def test_two_submissions_never_share_a_reference(
    journal: Journal, begin: Callable[..., History]
) -> None:
    """A reference that is taken in the ledger is refused with its holder; others are free."""
    begin("C1", reference="R")
    seen = journal.history(LEDGER, "C2")
    with pytest.raises(JournalError, match=r"R of .* is already that of claim C1") as refused:
        journal.begin(seen, [submission("C2", reference="R")])
    assert refused.value.code == "CB-229"
    assert journal.history(LEDGER, "C2") == seen
    begin("C9", ledger="CN02", reference="R")
    begin("C2", reference="S")
    seen = journal.history(LEDGER, "C3")
    twice = [
        submission("C3", reference="T"),
        submission("C3", State.PENDING, revision=2, reference="T"),
    ]
    with pytest.raises(JournalError, match="CB-229"):
        journal.begin(seen, twice)
    assert journal.history(LEDGER, "C3") == seen
    assert journal.find(LEDGER, "T") is None


def test_a_dead_owners_flight_is_in_doubt(setting: Setting) -> None:
    """What a dead process had in sending is put in doubt once, durably, for all readers."""
    setting.begin_by_a_dead_owner("C1")
    history = setting.journal.history(LEDGER, "C1")
    found = history.submissions[0]
    assert (history.version, found.state, found.attempt) == (2, State.IN_DOUBT, 1)
    assert "process that was sending it ended" in found.detail
    assert found.doubt_since == found.updated_at
    assert setting.neighbour.history(LEDGER, "C1") == history
    assert [move.after for move in setting.journal.moves(LEDGER, "C1")] == [
        State.SENDING,
        State.IN_DOUBT,
    ]
    resumed = msgspec.structs.replace(found, state=State.SENDING, attempt=2)
    assert setting.journal.begin(history, [resumed]) is not None


@pytest.mark.parametrize("state", [State.IN_DOUBT, State.PARKED])
@pytest.mark.parametrize("earlier", [None, Uptime("an earlier boot", 5.0), Uptime("test", 9e9)])
def test_quiet_is_measured_anew_in_another_boot(
    setting: Setting, state: State, earlier: Uptime | None
) -> None:
    """What was sent in another boot is quiet from when this one first sees it, durably."""
    journal = setting.journal
    begun = journal.begin(journal.history(LEDGER, "C1"), [submission("C1")])
    assert begun is not None
    doubtful = changed(begun, state, doubt_since=START, doubt_uptime=earlier)
    assert journal.record(begun, [doubtful]) is not None
    seen = journal.history(LEDGER, "C1")
    found = seen.submissions[0]
    assert found.doubt_uptime is not None
    assert found.doubt_uptime.boot == "test"
    assert (found.state, found.doubt_since) == (state, START)
    assert setting.neighbour.history(LEDGER, "C1") == seen == journal.history(LEDGER, "C1")


def test_a_flight_is_owned_until_it_ends(setting: Setting) -> None:
    """Only the journal that began an attempt owns it, and only while it is in the air."""
    journal, neighbour = setting.journal, setting.neighbour
    begun = journal.begin(journal.history(LEDGER, "C1"), [submission("C1")])
    assert begun is not None
    assert journal.owns(begun.submissions)
    assert not neighbour.owns(begun.submissions)
    doubtful = journal.record(begun, [changed(begun, State.IN_DOUBT, doubt_since=START)])
    assert doubtful is not None
    assert not journal.owns(begun.submissions)
    seen = journal.history(LEDGER, "C1")
    again = journal.begin(seen, [changed(seen, State.SENDING, attempt=2)])
    assert again is not None
    assert not journal.owns(begun.submissions)  # the first attempt is another
    assert journal.owns(again.submissions)


def test_a_living_owners_flight_is_left_alone(setting: Setting) -> None:
    """Another process sees a living flight as sending, and can neither begin nor end it."""
    begun = setting.journal.begin(setting.journal.history(LEDGER, "C1"), [submission("C1")])
    assert begun is not None
    assert setting.neighbour.history(LEDGER, "C1") == begun
    assert [one.state for one in setting.neighbour.select(LEDGER)] == [State.SENDING]
    with pytest.raises(JournalError, match="a flight is never taken over"):
        setting.neighbour.begin(begun, [changed(begun, State.SENDING, attempt=2)])
    for state in (State.PENDING, State.IN_DOUBT, State.PARKED):
        with pytest.raises(JournalError, match="in another owner's flight"):
            setting.neighbour.record(begun, [changed(begun, state)])
    assert setting.journal.history(LEDGER, "C1") == begun


def test_what_the_erp_says_may_come_from_anyone(setting: Setting) -> None:
    """News of the ERP ends a flight whoever records it; the flight's owner reads it."""
    begun = setting.journal.begin(setting.journal.history(LEDGER, "C1"), [submission("C1")])
    assert begun is not None
    entry = JournalEntry("1")
    posted = setting.neighbour.record(begun, [changed(begun, State.POSTED, journal_entry=entry)])
    assert posted is not None
    assert setting.journal.record(begun, [changed(begun, State.IN_DOUBT)]) is None
    assert setting.journal.history(LEDGER, "C1") == posted


def test_a_flight_whose_record_failed_is_in_doubt(
    journal: Journal, begin: Callable[..., History]
) -> None:
    """When the end of a flight cannot be written the flight is given up, not stuck in sending."""
    history = begin("C1")
    with pytest.raises(JournalError):
        journal.record(history, [changed(history, State.REVERSING)])
    found = journal.history(LEDGER, "C1").submissions[0]
    assert found.state is State.IN_DOUBT
    assert "given up" in found.detail


def test_a_flight_overtaken_by_another_write_has_ended(
    setting: Setting, begin: Callable[..., History]
) -> None:
    """A sender whose record lost to another write reads its own flight in doubt, and ends it."""
    history = begin("C1")
    later = submission("C1", State.PENDING, revision=2)
    assert setting.neighbour.record(history, [later]) is not None
    assert setting.journal.record(history, [changed(history, State.POSTED)]) is None
    again = setting.journal.history(LEDGER, "C1")
    assert again.submissions[0].state is State.IN_DOUBT
    assert setting.journal.record(again, [changed(again, State.POSTED)]) is not None


def test_an_onlooker_who_loses_does_not_end_the_flight(
    setting: Setting, begin: Callable[..., History]
) -> None:
    """A reader in the sender's own process whose write loses leaves the flight in the air."""
    history = begin("C1")
    seen = msgspec.structs.replace(history)
    later = submission("C1", State.PENDING, revision=2)
    assert setting.neighbour.record(history, [later]) is not None
    assert setting.journal.record(seen, [changed(seen, State.POSTED)]) is None
    assert setting.journal.history(LEDGER, "C1").submissions[0].state is State.SENDING


def test_a_second_attempt_is_another_flight(
    journal: Journal, begin: Callable[..., History]
) -> None:
    """A late word about the first attempt does not end the second, nor does a wrong one."""
    first = begin("C1")
    pending = journal.record(first, [changed(first, State.PENDING)])
    assert pending is not None
    second = journal.begin(pending, [changed(pending, State.SENDING, attempt=2)])
    assert second is not None
    assert journal.record(first, [changed(first, State.IN_DOUBT)]) is None
    with pytest.raises(JournalError):
        journal.record(first, [changed(first, State.REVERSING)])
    assert journal.history(LEDGER, "C1") == second


def test_a_beginner_who_loses_does_not_end_the_winners_flight(
    journal: Journal,
) -> None:
    """Of two threads of one process that begin the same, the loser leaves the winner's flight."""
    seen = journal.history(LEDGER, "C1")
    winner = journal.begin(seen, [submission("C1")])
    assert journal.begin(seen, [submission("C1")]) is None
    assert journal.history(LEDGER, "C1") == winner


def test_select_reads_by_state_oldest_first(
    journal: Journal, begin: Callable[..., History]
) -> None:
    """Submissions come in the order of their first writing, of the asked states and ledger."""
    for number in range(6):
        history = begin(f"C{number}", revision=9 - number)
        state = State.POSTED if number % 2 else State.IN_DOUBT
        assert journal.record(history, [changed(history, state)]) is not None
    begin("C9", ledger="CN02")
    begin("C6")

    def found(*states: State) -> list[str]:
        return [one.key.claim_id for one in journal.select(LEDGER, states)]

    assert found() == ["C0", "C1", "C2", "C3", "C4", "C5", "C6"]
    assert found(State.POSTED) == ["C1", "C3", "C5"]
    assert found(State.IN_DOUBT, State.SENDING, State.IN_DOUBT) == ["C0", "C2", "C4", "C6"]
    assert found(State.PAID) == []
    assert list(islice(journal.select(LEDGER), 2)) == [
        journal.history(LEDGER, "C0").submissions[0],
        journal.history(LEDGER, "C1").submissions[0],
    ]


def test_claims_by_the_beginning_of_their_ids(
    journal: Journal, begin: Callable[..., History]
) -> None:
    """Ids of one ledger in their own order, across pages; upper and lower case differ."""
    ours = [f"P-{number:03}" for number in range(450)]
    for claim_id in (*reversed(ours), "P", "P.", "Q-1", "p-1", "P-\U0010ffff1", "A"):
        begin(claim_id)
    begin("P-9", ledger="CN02")
    first = submission("P-001", revision=2)
    assert journal.begin(journal.history(LEDGER, "P-001"), [first]) is not None
    assert list(journal.claims(LEDGER, "P-")) == [*ours, "P-\U0010ffff1"]
    assert list(islice(journal.claims(LEDGER, "P-"), 2)) == ours[:2]
    assert list(journal.claims(LEDGER, "P-4499")) == []


def test_claims_allow_writing_meanwhile(journal: Journal, begin: Callable[..., History]) -> None:
    """The reader of each id writes its claim, and adds others."""
    for number in range(250):
        begin(f"P-{number:03}")
    seen = []
    for claim_id in journal.claims(LEDGER, "P-"):
        seen.append(claim_id)
        history = journal.history(LEDGER, claim_id)
        assert journal.record(history, [changed(history, State.POSTED)]) is not None
        begin(f"new-{claim_id}")
    assert seen == [f"P-{number:03}" for number in range(250)]


def test_select_allows_writing_meanwhile(journal: Journal, begin: Callable[..., History]) -> None:
    """Each submission is yielded once, though the reader moves it on and adds others."""
    for number in range(450):
        history = begin(f"C{number}")
        assert journal.record(history, [changed(history, State.IN_DOUBT)]) is not None
    seen = []
    for one in journal.select(LEDGER, (State.IN_DOUBT, State.POSTED)):
        seen.append(one.key.claim_id)
        if one.state is State.IN_DOUBT and len(seen) < 450:
            history = journal.history(LEDGER, one.key.claim_id)
            assert journal.record(history, [changed(history, State.POSTED)]) is not None
            begin(f"new-{len(seen)}")
    assert seen == [f"C{number}" for number in range(450)]


def test_select_yields_once_what_moves_ahead_of_it(
    journal: Journal, begin: Callable[..., History]
) -> None:
    """What changes between two asked states while it waits its turn is not yielded twice."""
    for number in range(300):
        history = begin(f"C{number}")
        state = State.POSTED if number < 200 else State.IN_DOUBT
        assert journal.record(history, [changed(history, state)]) is not None
    found = journal.select(LEDGER, (State.POSTED, State.IN_DOUBT))
    seen = [next(found).key.claim_id]
    for number in range(200, 300):
        history = journal.history(LEDGER, f"C{number}")
        assert journal.record(history, [changed(history, State.POSTED)]) is not None
    seen += [one.key.claim_id for one in found]
    assert seen == [f"C{number}" for number in range(300)]


def test_select_puts_dead_flights_in_doubt(setting: Setting) -> None:
    """Whoever looks for doubtful submissions after a crash finds those of the dead."""
    setting.begin_by_a_dead_owner("C1")
    found = list(setting.journal.select(LEDGER, (State.IN_DOUBT,)))
    assert [one.key.claim_id for one in found] == ["C1"]


def test_cursors_are_kept_by_ledger(setting: Setting) -> None:
    """A cursor is what was set last, for its own ledger."""
    setting.journal.set_cursor(LEDGER, "17")
    setting.journal.set_cursor(LEDGER, "18;第二页")
    setting.journal.set_cursor("CN02", "1")
    assert setting.neighbour.cursor(LEDGER) == "18;第二页"
    assert setting.neighbour.cursor("CN02") == "1"


def test_a_reply_is_seen_for_the_first_time_once(setting: Setting) -> None:
    """A signed reply counts once, for all that share the record, until it is too old to count."""
    until = dt.datetime(2100, 1, 1, tzinfo=dt.UTC)
    past = dt.datetime(2001, 1, 1, tzinfo=dt.UTC)
    assert setting.journal.first_sight(LEDGER, "seal", until)
    assert not setting.journal.first_sight(LEDGER, "seal", until)
    assert not setting.neighbour.first_sight(LEDGER, "seal", until)
    assert setting.neighbour.first_sight("CN02", "seal", until)
    assert setting.journal.first_sight(LEDGER, "old", past)
    assert setting.journal.first_sight(LEDGER, "old", past)
    # As after a step of the clock by a day: what has just got too old is remembered.
    yesterday = START - dt.timedelta(hours=24)
    assert setting.journal.first_sight(LEDGER, "yesterday", yesterday)
    assert not setting.neighbour.first_sight(LEDGER, "yesterday", yesterday)


def test_a_closed_journal_refuses(journal: Journal) -> None:
    """Closing twice does no harm; any use afterwards is told so."""
    journal.close()
    journal.close()
    for call in (
        lambda: journal.history(LEDGER, "C1"),
        lambda: journal.begin(History(LEDGER, "C1"), [submission("C1")]),
        lambda: journal.record(History(LEDGER, "C1"), [submission("C1", State.PENDING)]),
        lambda: list(journal.select(LEDGER)),
        lambda: journal.find(LEDGER, "R"),
        lambda: journal.set_cursor(LEDGER, "1"),
    ):
        with pytest.raises(JournalError, match="closed") as refused:
            call()
        assert refused.value.code == "CB-228"


def test_threads_begin_each_claim_once(journal: Journal) -> None:
    """Sixteen threads that begin the same claims begin each once, and lose no record."""
    begun: list[str] = []

    def work() -> None:
        for number in range(40):
            claim_id = f"C{number}"
            seen = journal.history(LEDGER, claim_id)
            if seen.version == 0:
                history = journal.begin(seen, [submission(claim_id)])
                if history is not None:
                    begun.append(claim_id)
                    assert journal.record(history, [changed(history, State.POSTED)])

    threads = [threading.Thread(target=work) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(begun) == sorted(f"C{number}" for number in range(40))
    assert {one.state for one in journal.select(LEDGER)} == {State.POSTED}


def test_an_owner_that_lost_its_lease_sends_nothing(tmp_path: Path) -> None:
    """A process that stood still too long owns nothing, records nothing, and begins as another."""
    setting = Leased(tmp_path)
    journal, neighbour = setting.journal, setting.neighbour
    begun = journal.begin(journal.history(LEDGER, "C1"), [submission("C1")])
    assert begun is not None
    assert journal.owns(begun.submissions)
    setting.leases.now += 60
    assert not journal.owns(begun.submissions)
    found = neighbour.history(LEDGER, "C1")
    assert found.submissions[0].state is State.IN_DOUBT
    setting.leases.now -= 60  # no clock brings it back
    assert not journal.owns(begun.submissions)
    assert journal.record(begun, [changed(begun, State.POSTED)]) is None
    assert neighbour.history(LEDGER, "C1") == found
    again = journal.begin(journal.history(LEDGER, "C2"), [submission("C2")])
    assert again is not None
    assert journal.owns(again.submissions)


def test_a_job_noted_right_before_death_is_kept(
    setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an owner notes while another looks whether it lives stays where it is put in doubt."""
    dying, owners = setting.neighbour, setting.journal._owners
    begun = dying.begin(dying.history(LEDGER, "C1"), [submission("C1")])
    assert begun is not None
    living = owners.living

    def last_words(ids: Collection[str]) -> Collection[str]:
        if dying.owns(begun.submissions):
            dying.note_job(begun.submissions, "JOB 7")
            dying.abandon_flights()
        return living(ids)

    monkeypatch.setattr(owners, "living", last_words)
    (found,) = setting.journal.history(LEDGER, "C1").submissions
    assert (found.state, found.job) == (State.IN_DOUBT, "JOB 7")
    dying.note_job(begun.submissions, "JOB 8")
    assert setting.journal.history(LEDGER, "C1").submissions == (found,)
