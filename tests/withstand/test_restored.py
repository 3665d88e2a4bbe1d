"""A journal that is not the newest sends nothing, and what it does not know is posted once."""

from __future__ import annotations

import datetime as dt
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.withstand.breaks.interrupted import submit_until_interrupted
from tests.withstand.scene import (
    CHART,
    NAME,
    QUIET,
    SENDERS,
    Sender,
    attempted,
    book_of,
    claim,
    configured,
    held,
    ledger_of,
    lifelike,
    patiently,
    settle_by_hand,
)
from tests.withstand.test_invoices import using

from claimbridge.cli.app import main
from claimbridge.client import Client
from claimbridge.clock import SYSTEM
from claimbridge.config import LedgerConfig
from claimbridge.errors import (
    ClaimBridgeError,
    ConfigurationError,
    JournalError,
    JournalWarning,
    LedgerUnavailable,
    OutcomeUnknown,
)
from claimbridge.journal import SqliteJournal
from claimbridge.ledger import writing
from claimbridge.model import Acknowledgement, Claim, Key, State
from claimbridge.profiles import load_profile
from claimbridge.sandbox import Sandbox
from claimbridge.submission.decisions import unseen
from claimbridge.submission.decisions.references import earlier_references
from claimbridge.submission.document import adoption

NewId = Callable[[], str]
OPTIONS: dict[str, dict[str, Any]] = {
    "in-string": {},
    "reference": {},
    "sap-bapi": {},
    "sap-journal-entry": {},
}
ASKED = ("reference", "sap-bapi")
"""The profiles whose ERP can be asked by reference."""


class Stage:
    """One ledger, its journal in a folder of its own, and a configuration for commands."""

    def __init__(self, erp: Sandbox, folder: Path, profile: str, kind: str = "Client") -> None:
        self.erp = erp
        self.folder = folder / "journal"
        self.folder.mkdir()
        self.profile = profile
        self.kind = kind
        self.path = self.folder / "claims.db"
        self.config: LedgerConfig = configured(
            profile, port=erp.port, journal=self.path, options=OPTIONS[profile]
        )
        (folder / "chart.toml").write_bytes(CHART)
        self.toml = folder / "claimbridge.toml"
        self.toml.write_text(
            f'[ledger.{NAME}]\nprofile = "{profile}"\nchart = "chart.toml"\n'
            f'endpoint = "{self.config.endpoint}"\njournal = "{self.config.journal}"\n'
            f"quiet_period = {QUIET}\ntimeouts = {{ connect = 0.5, total = 1.0 }}\nbackoff = 0.05\n"
        )

    def sender(self, *, new_journal: bool = False) -> Sender:
        """Open a client of the stage's kind."""
        return SENDERS[self.kind](self.config, new_journal=new_journal)

    def submit(self, *claims: Claim) -> list[Acknowledgement | ClaimBridgeError]:
        """Submit claims with a client of their own."""
        with self.sender() as sender:
            return [attempted(sender, one) for one in claims]

    def begin(self, *claims: Claim) -> None:
        """Open a new journal, and submit claims."""
        with self.sender(new_journal=True) as sender:
            for one in claims:
                sender.submit(one)

    def command(self, *arguments: str) -> int:
        """Run a command with the stage's configuration."""
        return main([*arguments, "--config", str(self.toml)])

    def restored(self, until: dt.datetime | None = None) -> int:
        """Run ``journal restored``, until now where nothing else is said."""
        moment = until or SYSTEM.now()
        return self.command("journal", "restored", "--until", moment.isoformat())

    def backup(self) -> Path:
        """Return a backup of the journal's file, as SQLite makes it."""
        copy = self.folder.parent / "backup.db"
        with sqlite3.connect(self.path) as source, sqlite3.connect(copy) as target:
            source.backup(target)
        source.close()
        target.close()
        return copy

    def bring_back(self, copy: Path) -> None:
        """Put a backup in the place of the journal, and nothing of what lay beside it."""
        for name in ("claims.db", "claims.db-wal", "claims.db-shm"):
            (self.folder / name).unlink(missing_ok=True)
        shutil.copyfile(copy, self.path)

    def documents(self, claim_id: str) -> list[str]:
        """Return the references of all that the ERP holds of a claim, in order."""
        found = held(self.erp.ledger(), self.profile, claim_id)
        return sorted(one.reference for one in (*found.posts, *found.reversals))

    def posted(self, claim_id: str) -> int:
        """How many documents of a claim count in the ERP."""
        return len(held(self.erp.ledger(), self.profile, claim_id).live)


@pytest.fixture(params=SENDERS)
def kind(request: pytest.FixtureRequest) -> str:
    """Either client."""
    name: str = request.param
    return name


@pytest.fixture(params=OPTIONS)
def stage(request: pytest.FixtureRequest, erp: Sandbox, tmp_path: Path, kind: str) -> Stage:
    """A stage of every profile, with either client."""
    return Stage(erp, tmp_path, request.param, kind)


def codes(ends: list[Acknowledgement | ClaimBridgeError]) -> list[str]:
    """Return the code of each error, "" for an acknowledgement."""
    return [end.code if isinstance(end, ClaimBridgeError) else "" for end in ends]


def settled_by_hand(sender: Sender, stage: Stage) -> None:
    """Let a person look into the ERP for everything that is parked."""
    for one in list(sender.journal.select(book_of(sender.journal), [State.PARKED])):
        settle_by_hand(sender, one, stage.erp.ledger)


def carried_on(stage: Stage, *claims: Claim) -> None:
    """Submit each until it is in the ledger, with a person where the ERP cannot be asked."""
    with stage.sender() as sender:
        for mine in claims:
            for _ in range(4):
                try:
                    patiently(lambda mine=mine: sender.submit(mine))  # type: ignore[misc]
                    break
                except OutcomeUnknown as error:
                    if stage.profile in ASKED or error.code not in ("CB-421", "CB-431"):
                        raise
                    settled_by_hand(sender, stage)


def lose_by_backup(stage: Stage, old: Claim, lost: Claim) -> None:
    stage.begin(old)
    copy = stage.backup()
    stage.submit(lost)
    stage.bring_back(copy)


def lose_the_wal(stage: Stage, old: Claim, lost: Claim) -> None:
    stage.begin(old)
    with stage.sender():
        pass
    with sqlite3.connect(stage.path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    main_file = stage.path.read_bytes()
    stage.submit(lost)
    copy = stage.folder.parent / "main.db"
    copy.write_bytes(main_file)
    stage.bring_back(copy)


def move_without_the_mark(stage: Stage, old: Claim, lost: Claim) -> None:
    stage.begin(old)
    copy = stage.backup()
    stage.submit(lost)
    stage.bring_back(copy)
    (stage.folder / "claims.db-mark").unlink()


def copy_the_folder(stage: Stage, old: Claim, lost: Claim) -> None:
    stage.begin(old)
    second = stage.folder.with_name("second")
    shutil.copytree(stage.folder, second)
    stage.submit(lost)
    shutil.rmtree(stage.folder)
    second.rename(stage.folder)


LOSSES = (lose_by_backup, lose_the_wal, move_without_the_mark, copy_the_folder)


@pytest.mark.parametrize("lose", LOSSES)
def test_nothing_is_sent_before_a_person_has_spoken(
    stage: Stage, new_id: NewId, lose: Callable[[Stage, Claim, Claim], None]
) -> None:
    """However it came to be old; reading goes on; then each claim is in the ledger once."""
    old, lost, new = (claim(new_id()) for _ in range(3))
    lose(stage, old, lost)
    before = stage.erp.requests()
    ends = stage.submit(old, lost, new)
    assert codes(ends) == ["", "CB-235", "CB-235"]
    with stage.sender() as sender:
        assert sender.status(old.id).state in (State.POSTED, State.ACKNOWLEDGED)
        results = sender.submit_many([lost, new], batch=2)
        assert [one.error and one.error.code for one in results] == ["CB-235", "CB-235"]
    assert stage.erp.requests() == before
    assert stage.command("doctor") == 2
    assert stage.restored() == 0
    carried_on(stage, old, lost, new)
    assert [stage.posted(one.id) for one in (old, lost, new)] == [1, 1, 1]


@pytest.mark.parametrize("profile", OPTIONS)
def test_a_deleted_journal_is_asked_about(
    erp: Sandbox, tmp_path: Path, new_id: NewId, profile: str
) -> None:
    """Whatever the profile: its mark says that there was one."""
    stage = Stage(erp, tmp_path, profile)
    old, new = claim(new_id()), claim(new_id())
    stage.begin(old)
    for name in ("claims.db", "claims.db-wal", "claims.db-shm"):
        (stage.folder / name).unlink(missing_ok=True)
    assert codes(stage.submit(old, new)) == ["CB-236", "CB-236"]
    assert stage.restored() == 0
    carried_on(stage, old, new)
    assert [stage.posted(one.id) for one in (old, new)] == [1, 1]


def test_a_new_journal_is_asked_about_once(erp: Sandbox, tmp_path: Path, new_id: NewId) -> None:
    """Where nothing else keeps a claim from being posted twice; the answer is kept."""
    stage = Stage(erp, tmp_path, "sap-journal-entry")
    (tmp_path / "claim.json").write_bytes(claim(new_id()).to_json())
    submit = ("submit", str(tmp_path / "claim.json"))
    assert codes(stage.submit(claim(new_id()))) == ["CB-236"]
    assert stage.command(*submit) == 2
    assert stage.command(*submit, "--new-journal") == 0
    assert stage.command("doctor") == 0
    assert codes(stage.submit(claim(new_id()))) == [""]


def test_reconcile_says_that_a_journal_is_not_the_newest(
    erp: Sandbox, tmp_path: Path, kind: str, new_id: NewId, capsys: pytest.CaptureFixture[str]
) -> None:
    """A job that runs at night does not end well where nothing can be sent; nor does a program."""
    stage = Stage(erp, tmp_path, "reference", kind)
    stage.begin(claim(new_id()))
    copy = stage.backup()
    stage.begin(claim(new_id()))
    assert stage.command("reconcile") == 0
    stage.bring_back(copy)
    assert stage.command("reconcile") == 2
    assert "CB-235" in capsys.readouterr().err
    with stage.sender() as sender, pytest.raises(JournalError, match="CB-235") as refused:
        sender.reconcile()
    assert refused.value.claim_id is None


def test_reconcile_first_ends_what_an_older_journal_knows(
    erp: Sandbox, tmp_path: Path, new_id: NewId
) -> None:
    """What it knows to be in doubt is asked for and adopted; then the error comes."""
    stage = Stage(erp, tmp_path, "reference")
    stage.begin(claim(new_id()))
    doubtful = claim(new_id())
    erp.set_faults("submit:commit-then-drop,query:drop-before-commit")
    assert codes(stage.submit(doubtful)) == ["CB-422"]
    erp.set_faults("")
    copy = stage.backup()
    stage.submit(claim(new_id()))
    stage.bring_back(copy)
    with Client(stage.config, ledger=ledger_of(stage.config)) as client:
        ends = client.reconcile()
        end = next(ends)
        assert (end.claim_id, end.error) == (doubtful.id, None)
        with pytest.raises(JournalError, match="CB-235"):
            next(ends)
    assert stage.posted(doubtful.id) == 1


def test_a_ledger_that_moves_into_anothers_journal_is_new_there(
    erp: Sandbox, tmp_path: Path, new_id: NewId
) -> None:
    """A journal that knows other books knows nothing of this one: it is asked about, once."""
    mine = claim(new_id())
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    first = Stage(erp, tmp_path / "a", "sap-journal-entry")
    second = Stage(erp, tmp_path / "b", "sap-journal-entry")
    second.config = msgspec.structs.replace(second.config, name="other", book="other")
    first.begin(claim(new_id()))
    second.begin(mine)
    second.config = msgspec.structs.replace(second.config, journal=first.config.journal)
    assert codes(second.submit(mine)) == ["CB-236"]
    assert second.posted(mine.id) == 1
    with second.sender(new_journal=True) as sender:
        assert codes([attempted(sender, claim(new_id()))]) == [""]
    assert codes(second.submit(claim(new_id()))) == [""]


def test_a_new_journal_is_not_taken_for_a_lost_one(
    erp: Sandbox, tmp_path: Path, new_id: NewId, kind: str
) -> None:
    """A program that says ``new_journal`` each time posts nothing again when the file vanishes."""
    stage = Stage(erp, tmp_path, "sap-journal-entry", kind)
    mine = claim(new_id())
    stage.begin(mine)
    for name in ("claims.db", "claims.db-wal", "claims.db-shm"):
        (stage.folder / name).unlink(missing_ok=True)
    for _ in range(2):
        with stage.sender(new_journal=True) as sender:
            assert codes([attempted(sender, mine)]) == ["CB-236"]
    assert stage.posted(mine.id) == 1


def test_a_second_restore_needs_a_moment_of_its_own(
    erp: Sandbox, tmp_path: Path, new_id: NewId, kind: str
) -> None:
    """That of the first, or of this journal's last sending, would forget what was sent since."""
    stage = Stage(erp, tmp_path, "sap-journal-entry", kind)
    stage.begin(claim(new_id()))
    copy = stage.backup()
    stage.submit(claim(new_id()))
    stage.bring_back(copy)
    first = SYSTEM.now()
    assert stage.restored(first) == 0
    lost = msgspec.structs.replace(claim(new_id()), approved_at=SYSTEM.now())
    for rounds in range(2):  # the second: with a sending of its own since the first restore
        copy = stage.backup()
        with closing(SqliteJournal(stage.path)) as journal:
            last = journal.continuity().last_begun
        stage.submit(msgspec.structs.replace(lost, id=f"{lost.id}-{rounds}"))
        stage.bring_back(copy)
        assert last is not None
        for moment in (first, last):
            assert stage.restored(moment) == 2
        assert codes(stage.submit(msgspec.structs.replace(lost, id=f"{lost.id}-{rounds}"))) == [
            "CB-235"
        ]
        assert stage.restored() == 0
        assert stage.posted(f"{lost.id}-{rounds}") == 1
        lost = msgspec.structs.replace(lost, approved_at=SYSTEM.now())


@pytest.mark.parametrize("refused_first", [True, False])
def test_an_invoice_is_used_once_beside_what_was_parked(
    erp: Sandbox, tmp_path: Path, new_id: NewId, kind: str, refused_first: bool
) -> None:
    """A claim that was parked beside another with its invoice is not sent once it waits again."""
    stage = Stage(erp, tmp_path, "sap-journal-entry", kind)
    first, second = new_id(), new_id()
    number = f"263120000{int(first[1:]):010}1"
    stage.begin(claim(new_id()))
    if refused_first:
        erp.set_faults("fault@1")
        assert codes(stage.submit(using(first, number))) == ["CB-430"]
        erp.set_faults("")
        assert codes(stage.submit(using(second, number))) == [""]
    copy = stage.backup()
    stage.submit(claim(new_id()))
    stage.bring_back(copy)
    assert stage.restored() == 0
    if not refused_first:
        later = SYSTEM.now() + dt.timedelta(seconds=1)
        mine = msgspec.structs.replace(using(second, number), approved_at=later)
        assert codes(stage.submit(mine, using(first, number))) == ["", "CB-431"]
    with stage.sender() as sender:
        settled_by_hand(sender, stage)
    assert stage.command("reconcile") == 1
    assert codes(stage.submit(using(first, number))) == ["CB-530"]
    assert [stage.posted(one) for one in (first, second)] == [0, 1]
    with stage.sender() as sender:
        assert sender.status(first).state is State.PENDING


@pytest.mark.parametrize("id_", ["exp-{}", "EXP-{}.r7"])
def test_what_an_earlier_version_sent_is_found_by_its_name(
    tmp_path: Path, new_id: NewId, id_: str
) -> None:
    """A backup from before an upgrade: the lost journal called some documents otherwise."""
    mine = claim(id_.format(new_id()))
    with lifelike(folds=True) as erp:
        stage = Stage(erp, tmp_path, "sap-bapi")
        stage.begin(claim(new_id()))
        copy = stage.backup()
        with stage.sender() as sender:
            book = book_of(sender.journal)
        (earlier,) = earlier_references(
            Key(book, mine.id, 1), load_profile("sap-bapi").capabilities
        )
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(writing, "reference_for", lambda *_, **__: earlier)
            patched.setattr(adoption, "reference_for", lambda *_, **__: earlier)
            patched.setattr(unseen, "reference_for", lambda *_, **__: earlier)
            stage.submit(mine)
        assert [one.reference for one in erp.ledger()][1:] == [earlier.upper()]
        stage.bring_back(copy)
        assert stage.restored() == 0
        assert codes(stage.submit(mine)) == ["CB-431"]
        assert len(erp.ledger()) == 2


def test_what_was_taken_back_may_be_in_the_ledger(
    erp: Sandbox, tmp_path: Path, new_id: NewId
) -> None:
    """A journal that does not know a claim does not say that nothing of it is there."""
    stage = Stage(erp, tmp_path, "sap-bapi")
    lost, never = claim(new_id()), claim(new_id())
    stage.begin(claim(new_id()))
    copy = stage.backup()
    stage.submit(lost)
    stage.bring_back(copy)

    def withdraw(id_: str, approved_at: dt.datetime | None = None) -> object:
        with Client(stage.config, ledger=ledger_of(stage.config)) as sender:
            return sender.withdraw(id_, reason="not wanted", approved_at=approved_at)

    with pytest.raises(JournalError, match="CB-235"):
        withdraw(lost.id)
    assert stage.restored() == 0
    with pytest.raises(OutcomeUnknown, match="CB-470"):
        withdraw(lost.id)
    assert withdraw(lost.id) is None, "it has been said"
    assert codes(stage.submit(lost)) == ["CB-459"]
    assert withdraw(never.id, SYSTEM.now()) is None


def test_a_correction_finds_what_the_lost_journal_posted(
    erp: Sandbox, tmp_path: Path, new_id: NewId, kind: str
) -> None:
    """A revision is no duplicate to an ERP: the earlier one is asked for, and must be known."""
    for profile in ASKED:
        (tmp_path / profile).mkdir()
        stage = Stage(erp, tmp_path / profile, profile, kind)
        first = claim(new_id())
        second = claim(first.id, revision=2, taxi="40.00")
        stage.begin(first)
        shutil.rmtree(stage.folder)
        stage.folder.mkdir()
        assert codes(stage.submit(second)) == ["CB-432"]
        assert stage.documents(first.id) == [first.id]
        assert codes(stage.submit(first, second)) == ["", ""]
        references = [first.id, f"{first.id}.r2", f"{first.id}.x1"]
        assert [one.lower() for one in stage.documents(first.id)] == [
            one.lower() for one in references
        ]


@pytest.mark.parametrize("profile", OPTIONS)
def test_a_reversal_of_the_lost_time(
    erp: Sandbox, tmp_path: Path, new_id: NewId, profile: str
) -> None:
    """What was reversed meanwhile is not reversed again; what was corrected is not posted again."""
    if profile == "in-string":
        pytest.skip("it cannot reverse")
    stage = Stage(erp, tmp_path, profile)
    taken, corrected = claim(new_id()), claim(new_id())
    newer = claim(corrected.id, revision=2, taxi="40.00")
    stage.begin(taken, corrected)
    copy = stage.backup()
    with stage.sender() as sender:
        sender.reverse(taken.id)
        sender.submit(newer)
    before = stage.documents(taken.id), stage.documents(corrected.id)
    stage.bring_back(copy)
    with stage.sender() as sender, pytest.raises(JournalError, match="CB-235"):
        sender.reverse(taken.id)
    assert stage.restored() == 0
    with stage.sender() as sender:
        for _ in range(2):
            try:
                patiently(lambda: sender.reverse(taken.id))
                break
            except OutcomeUnknown as error:
                if error.code != "CB-431":
                    raise
                settled_by_hand(sender, stage)
    carried_on(stage, newer)
    assert (stage.documents(taken.id), stage.documents(corrected.id)) == before


@pytest.mark.parametrize("profile", OPTIONS)
def test_what_was_open_is_in_doubt(
    erp: Sandbox, tmp_path: Path, new_id: NewId, profile: str
) -> None:
    """A refused and a waiting claim may have been posted meanwhile; each is in the ledger once."""
    stage = Stage(erp, tmp_path, profile)
    stage.begin(claim(new_id()))
    waiting, refused = claim(new_id()), claim(new_id())
    operation = "AccDocumentPost:" if profile == "sap-bapi" else ""
    erp.set_faults(f"{operation}throttle=503")
    assert isinstance(stage.submit(waiting)[0], LedgerUnavailable)
    erp.set_faults(f"{operation}fault@1")
    stage.submit(refused)
    erp.set_faults("")
    copy = stage.backup()
    assert all(isinstance(one, Acknowledgement) for one in stage.submit(waiting, refused))
    stage.bring_back(copy)
    assert stage.restored() == 0
    with stage.sender() as sender:
        states = {sender.status(one.id).state for one in (waiting, refused)}
    assert states <= ({State.IN_DOUBT} if profile in ASKED else {State.PARKED})
    carried_on(stage, waiting, refused)
    assert [stage.posted(one.id) for one in (waiting, refused)] == [1, 1]


def test_a_person_who_looks_too_early_settles_nothing(
    erp: Sandbox, tmp_path: Path, new_id: NewId
) -> None:
    """What another journal sent last may still be on its way: nothing is sent before that ends."""
    stage = Stage(erp, tmp_path, "sap-journal-entry")
    stage.begin(claim(new_id()))
    copy = stage.backup()
    stage.submit(claim(new_id()))
    stage.bring_back(copy)
    assert stage.restored() == 0
    mine = claim(new_id())
    assert codes(stage.submit(mine)) == ["CB-431"]
    with stage.sender() as sender:
        with pytest.raises(OutcomeUnknown) as caught:
            sender.settle(mine.id, revision=1, posted=None)
        assert caught.value.retry_after
        assert sender.status(mine.id).state is State.PARKED


def test_what_was_approved_later_is_not_of_the_gap(
    erp: Sandbox, tmp_path: Path, new_id: NewId
) -> None:
    """Where the ERP cannot be asked, only what may have been sent waits for a person."""
    stage = Stage(erp, tmp_path, "sap-journal-entry")
    stage.begin(claim(new_id()))
    copy = stage.backup()
    stage.submit(claim(new_id()))
    stage.bring_back(copy)
    assert stage.restored() == 0
    after = SYSTEM.now() + dt.timedelta(seconds=1)
    later = msgspec.structs.replace(claim(new_id()), approved_at=after)
    assert codes(stage.submit(claim(new_id()), later)) == ["CB-431", ""]
    correction = msgspec.structs.replace(claim(new_id(), revision=2), approved_at=after)
    assert codes(stage.submit(correction)) == ["CB-431"]


def test_how_long_must_be_possible(erp: Sandbox, tmp_path: Path, new_id: NewId) -> None:
    """Not later than now, nor before this journal's own last sending; saying it again is fine."""
    stage = Stage(erp, tmp_path, "sap-journal-entry")
    stage.begin(claim(new_id()))
    now = SYSTEM.now()
    hour = dt.timedelta(hours=1)
    with closing(SqliteJournal(stage.path)) as journal:
        last = journal.continuity().last_begun
    assert last is not None
    assert stage.restored(now + hour) == 2
    assert stage.restored(last - hour) == 2
    assert stage.restored(last) == 0
    assert codes(stage.submit(claim(new_id()))) == [""]
    assert stage.restored() == 0
    assert stage.restored(now) == 0
    assert stage.command("journal", "restored", "--until", "2026-03-01T10:00:00") == 2


@pytest.mark.parametrize("profile", ["sap-bapi", "sap-journal-entry"])
def test_the_intake_posts_nothing_twice(
    erp: Sandbox, tmp_path: Path, new_id: NewId, profile: str
) -> None:
    """Unattended, with a record that was restored too, and files that are given again."""
    stage = Stage(erp, tmp_path, profile)
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    with stage.toml.open("a") as file:
        file.write(
            f'[source.inbox]\nkind = "folder"\npath = "inbox"\nledger = "{NAME}"\nsettle = 0\n'
        )

    def give(*claims: Claim) -> None:
        for one in claims:
            (inbox / f"{one.id}.json").write_bytes(one.to_json())

    old, lost, new = (claim(new_id()) for _ in range(3))
    give(old)
    assert stage.command("intake", "--new-journal") == 0
    copy = stage.backup()
    give(lost)
    assert stage.command("intake") == 0
    stage.bring_back(copy)
    give(old, lost, new)
    assert stage.command("intake") == 2
    assert [stage.posted(one.id) for one in (old, lost, new)] == [1, 1, 0]
    assert stage.restored() == 0
    time.sleep(QUIET)
    asked = profile in ASKED
    assert stage.command("intake") == (0 if asked else 3)
    assert [stage.posted(one.id) for one in (old, lost, new)] == [1, 1, int(asked)]


def test_two_processes_send_a_claim_once(
    erp: Sandbox, tmp_path: Path, new_id: NewId, processes: ForkServerContext
) -> None:
    """Both may have asked before either sent: the journal lets one begin."""
    stage = Stage(erp, tmp_path, "sap-bapi")
    mine = claim(new_id())
    workers = [
        processes.Process(target=submit_until_interrupted, args=("Client", stage.config, mine))
        for _ in range(4)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0] * 4
    assert stage.documents(mine.id) == [mine.id]


def test_a_question_that_cannot_be_asked(erp: Sandbox, tmp_path: Path) -> None:
    """It is refused when it is configured; of a journal that forgets, people are warned."""
    stage = Stage(erp, tmp_path, "sap-journal-entry")
    with pytest.raises(ConfigurationError, match="CB-251"):
        ledger_of(msgspec.structs.replace(stage.config, first_send="ask"))
    forgetful = msgspec.structs.replace(stage.config, journal="memory:")
    with pytest.warns(JournalWarning, match="memory:"):
        Client(forgetful, ledger=ledger_of(forgetful)).close()
