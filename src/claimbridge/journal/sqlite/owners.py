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
import io
import os
import secrets
import time
import weakref
from collections.abc import Iterator
from pathlib import Path

from claimbridge.errors import JournalError
from claimbridge.journal.sqlite.failures import LOCKED, PLACE, explained


class Owner:
    """One living owner: its ``id`` may be written once this exists."""

    def __init__(self, journal: Path) -> None:
        self._journal = journal
        try:
            self.id, self._path, self._descriptor = _established(journal)
        except OSError as error:
            raise explained(error, journal) from error
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
            stands = _is_same(self._path, self._descriptor)
        except OSError as error:
            raise explained(error, self._journal) from error
        if not stands:
            raise JournalError(
                f"{self._path} was removed while in use; keep clean-up jobs away from the files "
                "beside the journal, and open it anew. Nothing was written",
                code=PLACE,
            )

    def stands(self) -> bool:
        """Whether others can see that this owner lives; not where that cannot be told."""
        try:
            return _is_same(self._path, self._descriptor)
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
        _let_go(descriptor)


def sweep(journal: Path) -> None:
    """Remove the files of dead owners: a missing file says the same."""
    with contextlib.suppress(OSError), os.scandir(journal.parent) as entries:
        for entry in entries:
            if entry.name.startswith(_file(journal, "").name):
                _remove_if_free(entry.path)


@contextlib.contextmanager
def turn_to_write(journal: Path, timeout: float) -> Iterator[None]:
    """Hold the one turn to write (and checkpoint) among all processes; wait for it, in seconds.

    SQLite's own write lock would do, but for two things. It is waited for by sleeping up to
    100 ms, so that busy processes starve each other. And SQLite before 3.51.3 can lose a commit
    that resets the WAL in the very moment in which another connection checkpoints
    (https://sqlite.org/wal.html, "The WAL-Reset Bug"); nobody does both at once under this lock.
    Raises JournalError CB-223 when the turn does not come in time.
    """
    turn = _WritersTurn(journal)
    try:
        try:
            turn.take(timeout)
            yield
        finally:
            turn.give_back()
    finally:
        turn.give_back()  # where the first was interrupted


class _WritersTurn:
    """One thread's turn; its file closes itself when nobody refers to it any more."""

    def __init__(self, journal: Path) -> None:
        self._journal = journal
        self._path = journal.with_name(f"{journal.name}-writer")
        self._file: io.FileIO | None = None

    def take(self, timeout: float) -> None:
        """Wait for the lock on the file that stands under this name now."""
        # Real time, whatever clock the journal stamps with: other processes live in it.
        deadline = time.monotonic() + timeout
        try:
            while True:
                self._file = io.FileIO(self._path, opener=self._opener)
                _take(self._file.fileno(), self._journal, deadline, timeout)
                if _is_same(self._path, self._file.fileno()):
                    break
                self.give_back()  # it was removed while we waited for it: others take another
            with contextlib.suppress(OSError):  # jobs that delete what is old shall find it young
                os.utime(self._file.fileno())
        except OSError as error:
            raise explained(error, self._journal) from error

    def give_back(self) -> None:
        """Let the next one write; again: nothing."""
        file = self._file
        if file is None or file.closed:
            return
        # Unlocked by name: closing alone would leave the lock with a copy that a fork has made.
        with contextlib.suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_UN)
        file.close()

    def _opener(self, path: str, _: int) -> int:
        return _opened(self._journal, Path(path))


def _take(descriptor: int, journal: Path, deadline: float, timeout: float) -> None:
    pause = 0.0001
    while True:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        if time.monotonic() > deadline:
            raise JournalError(
                f"journal {journal} is being written by another process for more than {timeout:g} "
                "seconds; look whether one hangs, then try again. Nothing was changed",
                code=LOCKED,
            )
        time.sleep(pause)
        pause = min(pause * 2, 0.005)


def _established(journal: Path) -> tuple[str, Path, int]:
    while True:
        owner = secrets.token_hex(16)
        path = _file(journal, owner)
        descriptor = _opened(journal, path)
        # Between its creation and its lock another process may sweep the file away.
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_same(path, descriptor):
                return owner, path, descriptor
        _let_go(descriptor)


def _opened(journal: Path, lock: Path) -> int:
    """Open a lock file for whoever may read the journal: asking who lives takes reading only."""
    with contextlib.suppress(FileNotFoundError):
        return os.open(lock, os.O_RDONLY | os.O_CLOEXEC)
    mode = journal.stat().st_mode & 0o666
    return os.open(lock, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, mode)


def _let_go(descriptor: int) -> None:
    # Unlocked by name: closing alone would leave the lock with a copy that a fork has made.
    with contextlib.suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_UN)
    os.close(descriptor)


def _is_same(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


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
            _let_go(descriptor)


def _file(journal: Path, owner: str) -> Path:
    return journal.with_name(f"{journal.name}-owner-{owner}")


__all__ = ["Owner", "lives", "sweep", "turn_to_write"]
