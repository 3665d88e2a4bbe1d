"""The mark beside a journal's file: ``claims.db-mark``, one line of always the same length.

The mark is made and synced before the journal says that it has one. Then it is written over in
place, without a sync. After a power cut it is as it was, or as it became; an older mark says
nothing.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import re
from functools import cached_property
from pathlib import Path
from typing import Final

from claimbridge.journal.newest import Mark
from claimbridge.journal.sqlite.journal_file import filesystem_of

_LINE: Final = re.compile(rb"claimbridge journal ([0-9a-f]{32}) begun (\d{20}) at (\d{20})\n")
_STABLE: Final = frozenset({"ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "bcachefs"})
"""File systems where a file keeps its number for life, and a copy has another."""


_BEYOND: Final = 2**62
"""No journal counts so far: a mark that says so is damaged."""


class MarkFile:
    """The mark of the journal at ``journal``. Written only while the turn to write is held."""

    def __init__(self, journal: Path) -> None:
        self._journal = journal
        self.path: Final = journal.with_name(f"{journal.name}-mark")
        self._numbered = filesystem_of(journal.parent) in _STABLE

    @cached_property
    def place(self) -> int:
        """What tells this copy of the journal from another; 0 where nothing does.

        It stays: whoever has the journal open does not write where its file was replaced.
        """
        return self._journal.stat().st_ino if self._numbered else 0

    def read(self) -> Mark | None:
        """Return the mark; None when there is none. One that is damaged names no journal.

        Raises OSError.
        """
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            match = _LINE.fullmatch(os.pread(descriptor, 200, 0))
            written = dt.datetime.fromtimestamp(os.fstat(descriptor).st_mtime, dt.UTC)
        finally:
            os.close(descriptor)
        if match is None or int(match[2]) >= _BEYOND:
            return Mark("", 0)
        return Mark(match[1].decode(), int(match[2]), int(match[3]), written)

    def write(self, mark: Mark) -> None:
        """Write over the mark that is there. Raises OSError."""
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.pwrite(descriptor, _line(mark), 0)
        finally:
            os.close(descriptor)

    def make(self, mark: Mark) -> None:
        """Make the mark, or make it anew, synced with its folder. Raises OSError."""
        mode = self._journal.stat().st_mode & 0o666
        # Whole, or not there: who reads meanwhile must not take half a line for a damaged mark.
        draft = self.path.with_name(f"{self.path.name}.new")
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
        descriptor = os.open(draft, flags, mode)
        try:
            os.pwrite(descriptor, _line(mark), 0)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        draft.replace(self.path)
        folder = os.open(self.path.parent, os.O_RDONLY | os.O_CLOEXEC)
        try:
            with contextlib.suppress(OSError):  # not every file system syncs folders
                os.fsync(folder)
        finally:
            os.close(folder)


def _line(mark: Mark) -> bytes:
    line = f"claimbridge journal {mark.journal} begun {mark.begun:020} at {mark.place:020}\n"
    return line.encode()


__all__ = ["MarkFile"]
