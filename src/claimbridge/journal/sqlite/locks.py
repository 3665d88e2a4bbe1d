"""Lock files beside a journal, and the one turn to write among all processes."""

from __future__ import annotations

import contextlib
import fcntl
import io
import os
import time
from collections.abc import Iterator
from pathlib import Path

from claimbridge.errors import JournalError
from claimbridge.journal.sqlite.failures import LOCKED, explain


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
                if is_same(self._path, self._file.fileno()):
                    break
                self.give_back()  # it was removed while we waited for it: others take another
            with contextlib.suppress(OSError):  # jobs that delete what is old shall find it young
                os.utime(self._file.fileno())
        except OSError as error:
            raise explain(error, self._journal) from error

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
        return open_lock(self._journal, Path(path))


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


def open_lock(journal: Path, lock: Path) -> int:
    """Open a lock file for whoever may read the journal: asking who lives takes reading only."""
    with contextlib.suppress(FileNotFoundError):
        return os.open(lock, os.O_RDONLY | os.O_CLOEXEC)
    mode = journal.stat().st_mode & 0o666
    return os.open(lock, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, mode)


def let_go(descriptor: int) -> None:
    """Let go of a lock and its file."""
    # Unlocked by name: closing alone would leave the lock with a copy that a fork has made.
    with contextlib.suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_UN)
    os.close(descriptor)


def is_same(path: Path, descriptor: int) -> bool:
    """Whether the file under this name is the opened one. Raises OSError."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


__all__ = ["is_same", "let_go", "open_lock", "turn_to_write"]
