"""The journal fails while a claim is under way: nothing is lost, nothing is sent twice."""

from __future__ import annotations

import contextlib
import resource
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.withstand.relay import Order, Relay, Stage
from tests.withstand.scene import (
    PROFILES,
    SENDERS,
    attempted,
    claim,
    configured,
    held,
    insist,
)

from claimbridge.errors import JournalError, OutcomeUnknown
from claimbridge.journal import SqliteJournal
from claimbridge.model import State
from claimbridge.sandbox import Sandbox

Breakage = Callable[[Path], contextlib.AbstractContextManager[object]]


@contextlib.contextmanager
def full(path: Path) -> Iterator[None]:
    """The system writes no byte into any file of this process: a full disk, for real."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Another program holds the file's write lock."""
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.close()


@contextlib.contextmanager
def moved_away(path: Path) -> Iterator[None]:
    """Somebody moves the file, and puts it back."""
    aside = path.with_suffix(".aside")
    path.rename(aside)
    try:
        yield
    finally:
        aside.rename(path)


BREAKAGES: dict[str, Breakage] = {"CB-221": full, "CB-223": locked, "CB-227": moved_away}


def breaking(
    until: contextlib.ExitStack, breakage: contextlib.AbstractContextManager[object]
) -> Order:
    """Break the journal when the ERP has answered and its sender has not heard of it."""

    def act() -> None:
        until.enter_context(breakage)

    return Order(1, Stage.ANSWERED, act)


@pytest.mark.parametrize("kind", SENDERS)
@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("code", BREAKAGES)
def test_the_answer_cannot_be_recorded(
    erp: Sandbox,
    relay: Relay,
    new_id: Callable[[], str],
    tmp_path: Path,
    kind: str,
    profile: str,
    code: str,
) -> None:
    """The ERP has posted it and the journal cannot say so: CB-424, in doubt; then it ends right."""
    path = tmp_path / "claims.db"
    journal = SqliteJournal(path, timeout=0.2)
    config = configured(profile, port=relay.port, journal=path)
    with SENDERS[kind](config, journal=journal) as sender, contextlib.ExitStack() as broken:
        mine = claim(new_id())
        relay.order(breaking(broken, BREAKAGES[code](path)))
        end = attempted(sender, mine)
        broken.close()

        assert isinstance(end, OutcomeUnknown)
        assert end.code == "CB-424"
        assert isinstance(end.__cause__, JournalError)
        assert end.__cause__.code == code
        (document,) = held(erp.ledger(), profile, mine.id).posts
        assert document.journal_entry is not None
        assert document.journal_entry in str(end)  # the number is in the caller's log at least
        assert sender.status(mine.id).state is State.IN_DOUBT

        (reconciled,) = sender.reconcile()
        if profile == "reference":
            assert reconciled.error is None
        insist(sender, lambda: sender.submit(mine), look=erp.ledger)
        assert held(erp.ledger(), profile, mine.id).posts == [document]
        assert str(sender.status(mine.id).journal_entry) == document.journal_entry
    journal.close()


@pytest.mark.parametrize("kind", SENDERS)
@pytest.mark.parametrize("code", BREAKAGES)
def test_nothing_is_sent_that_cannot_be_begun(
    erp: Sandbox, new_id: Callable[[], str], tmp_path: Path, kind: str, code: str
) -> None:
    """A journal that cannot be written stops the submission before a byte leaves."""
    path = tmp_path / "claims.db"
    journal = SqliteJournal(path, timeout=0.2)
    config = configured("reference", port=erp.port, journal=path)
    with SENDERS[kind](config, journal=journal) as sender:
        sender.submit(claim(new_id()))
        mine, before = claim(new_id()), erp.requests()
        with BREAKAGES[code](path):
            end = attempted(sender, mine)
        assert isinstance(end, JournalError)
        assert end.code == code
        assert erp.requests() == before
        assert sender.reconcile() == []
        assert sender.submit(mine).state is State.POSTED
    journal.close()


@pytest.mark.parametrize("kind", SENDERS)
def test_the_disk_stays_full_until_the_client_is_closed(
    erp: Sandbox, relay: Relay, new_id: Callable[[], str], tmp_path: Path, kind: str
) -> None:
    """What a client could not record for the rest of its life, the next one finds and adopts."""
    path = tmp_path / "claims.db"
    config = configured("reference", port=relay.port, journal=path)
    mine = claim(new_id())
    with contextlib.ExitStack() as broken, SENDERS[kind](config) as sender:
        relay.order(breaking(broken, full(path)))
        end = attempted(sender, mine)
        assert isinstance(end, OutcomeUnknown)
        assert end.code == "CB-424"
        assert isinstance(attempted(sender, mine), JournalError)
    with SENDERS[kind](config) as sender:
        (reconciled,) = sender.reconcile()
        assert reconciled.standing is not None
        assert reconciled.standing.state is State.POSTED
    (document,) = held(erp.ledger(), "reference", mine.id).posts
    assert document.journal_entry == str(reconciled.standing.journal_entry)
