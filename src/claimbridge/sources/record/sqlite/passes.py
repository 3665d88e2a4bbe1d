"""Whose turn it is to make the pass of a source: a lock file beside the journal for each source."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import io
import os
from collections.abc import Iterator
from pathlib import Path

from claimbridge.errors import NotDelivered
from claimbridge.journal import forks
from claimbridge.journal.forks import Forkable
from claimbridge.journal.sqlite.failures import explain


class FilePasses(Forkable):
    """The passes of sources whose record is in the file at ``path``."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._files: set[io.FileIO] = set()
        forks.watch(self)

    @contextlib.contextmanager
    def turn(self, source: str) -> Iterator[None]:
        """Hold the one pass of a source, among all processes on this file."""
        mark = hashlib.sha256(source.encode("utf-8", "backslashreplace")).hexdigest()[:16]
        lock = self._path.with_name(f"{self._path.name}-intake-{mark}")
        try:
            file = io.FileIO(lock, opener=_opener)
        except OSError as error:
            raise explain(error, self._path) from error
        self._files.add(file)
        try:
            try:
                _lock(file, source)
                yield
            finally:
                self._give_back(file)
        finally:
            self._give_back(file)  # where the first was interrupted

    def renew(self) -> None:
        """After a fork, in the child: have no pass."""
        for file in list(self._files):
            file.close()  # not unlocked: the pass is the parent's, and ends with it
        self._files.clear()

    def _give_back(self, file: io.FileIO) -> None:
        """End a pass; again: nothing."""
        if not file.closed:
            # Unlocked by name: closing alone would leave the lock with a copy in a forked child.
            with contextlib.suppress(OSError):
                fcntl.flock(file, fcntl.LOCK_UN)
            file.close()
        self._files.discard(file)


def _opener(path: str, _: int) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _lock(file: io.FileIO, source: str) -> None:
    try:
        # The kernel drops it with the process, however that ends.
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise NotDelivered(
            f"another pass of source {source} is under way; wait for its end", code="CB-539"
        ) from None


__all__ = ["FilePasses"]
