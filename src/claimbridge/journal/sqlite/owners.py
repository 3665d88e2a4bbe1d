"""Who lives: a lock file beside the journal for every owner of flights.

An owner holds an exclusive ``flock`` on its file for as long as it lives. The kernel drops the
lock with the process, however that ends (kill -9 included), and holds across containers that
share the folder, where process numbers would mean nothing. Whoever can take a shared lock on an
owner's file, or finds none, knows that the owner is dead, and a dead owner never comes back:
its id is random and used once.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import weakref
from collections.abc import Collection
from pathlib import Path

from claimbridge.errors import JournalError
from claimbridge.journal import forks
from claimbridge.journal.forks import Forkable
from claimbridge.journal.sqlite.failures import PLACE, explain
from claimbridge.journal.sqlite.locks import is_same, let_go, open_lock
from claimbridge.turns import Turn


class Owner:
    """One living owner: its ``id`` may be written once this exists."""

    def __init__(self, journal: Path) -> None:
        self._journal = journal
        try:
            self.id, self._path, self._descriptor = _make(journal)
        except OSError as error:
            raise explain(error, journal) from error
        # An owner that nobody refers to any more lets go of its lock; one that lives to the end
        # of its process keeps it to the very end.
        self._let_go = weakref.finalize(self, os.close, self._descriptor)
        self._let_go.atexit = False

    def check(self) -> None:
        """Raise JournalError CB-227 when the lock file is no longer the one that is held.

        Others would then take this owner for dead and its flights for lost.
        """
        with contextlib.suppress(OSError):  # jobs that delete what is old shall find it young
            os.utime(self._descriptor)
        try:
            stands = is_same(self._path, self._descriptor)
        except OSError as error:
            raise explain(error, self._journal) from error
        if not stands:
            raise JournalError(
                f"{self._path} was removed while in use; keep clean-up jobs away from the files "
                "beside the journal, and open it anew. Nothing was written",
                code=PLACE,
            )

    def stands(self) -> bool:
        """Whether others can see that this owner lives; not where that cannot be told."""
        try:
            return is_same(self._path, self._descriptor)
        except OSError:
            return False

    def release(self) -> None:
        """End this owner's life. Its file goes first, while nobody else can hold its lock."""
        with contextlib.suppress(OSError):  # the lock is what counts; another's sweep cleans up
            self._path.unlink()
        self._let_go()

    def disown(self) -> None:
        """In a forked child: let go of the inherited lock, which stays the parent's alone."""
        self._let_go()


class FileOwners(Forkable):
    """``Owners`` of the journal at ``journal``. A forked child is another owner."""

    def __init__(self, journal: Path) -> None:
        self._journal = journal
        self._turn = Turn()
        self._owner: Owner | None = None
        forks.watch(self)

    def me(self) -> str:
        """Return the id of this journal's owner; "" while it has none."""
        owner = self._owner
        return "" if owner is None else owner.id

    def appear(self, *, idle: bool) -> str:
        """Return the id of this journal's owner, whose lock is held before that."""
        with self._turn.hold():
            if self._owner is not None and idle and not self._owner.stands():
                # Its lock file is gone, but it has nothing in the air: another takes its place.
                self._owner.release()
                self._owner = None
            if self._owner is None:
                self._owner = Owner(self._journal)
            self._owner.check()
            return self._owner.id

    def stands(self, owner: str) -> bool:
        """Whether it is this journal's owner, and its lock file stands."""
        mine = self._owner
        return mine is not None and mine.id == owner and mine.stands()

    def living(self, owners: Collection[str]) -> Collection[str]:
        """Return those whose locks are held."""
        return {owner for owner in owners if lives(self._journal, owner)}

    def retire(self) -> None:
        """End the life of this journal's owner."""
        with self._turn.hold():
            if self._owner is not None:
                self._owner.release()
                self._owner = None

    def sweep(self) -> None:
        """Remove the files of dead owners."""
        sweep(self._journal)

    def pause(self) -> None:
        """Before a fork: have no lock file half made."""
        self._turn.take()

    def resume(self) -> None:
        """After a fork, in the parent: go on."""
        self._turn.give_back()

    def renew(self) -> None:
        """After a fork, in the child: be another owner, which is not there yet."""
        if self._owner is not None:
            self._owner.disown()
            self._owner = None
        self._turn = Turn()


def lives(journal: Path, owner: str) -> bool:
    """Whether the owner of this id lives. Where that cannot be asked, it is taken to live."""
    try:
        descriptor = os.open(_file(journal, owner), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    try:
        return not _is_free(descriptor)
    except OSError:
        return True
    finally:
        let_go(descriptor)


def sweep(journal: Path) -> None:
    """Remove the files of dead owners: a missing file says the same."""
    with contextlib.suppress(OSError), os.scandir(journal.parent) as entries:
        for entry in entries:
            if entry.name.startswith(_file(journal, "").name):
                _remove_if_free(entry.path)


def _make(journal: Path) -> tuple[str, Path, int]:
    while True:
        owner = secrets.token_hex(16)
        path = _file(journal, owner)
        descriptor = open_lock(journal, path)
        # Between its creation and its lock another process may sweep the file away.
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if is_same(path, descriptor):
                return owner, path, descriptor
        let_go(descriptor)


def _is_free(descriptor: int) -> bool:
    # Shared, so that those who ask at the same time do not take each other for the owner.
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _remove_if_free(path: str) -> None:
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            if _is_free(descriptor):
                Path(path).unlink()
        finally:
            let_go(descriptor)


def _file(journal: Path, owner: str) -> Path:
    return journal.with_name(f"{journal.name}-owner-{owner}")


__all__ = ["FileOwners", "Owner", "lives", "sweep"]
