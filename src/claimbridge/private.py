"""Files and folders that their owner alone may read: there are names and amounts in them."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def write_private(path: Path, content: bytes) -> None:
    """Write a file with mode 0600, whatever the umask and what was there; raises OSError."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(content)


def make_private(path: Path) -> None:
    """Make an empty file with mode 0600 where there is none yet; raises OSError."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    with suppress(FileExistsError):
        os.close(os.open(path, flags, 0o600))


def private_folder(path: Path) -> None:
    """Make a folder with mode 0700, and those above it that are missing.

    An existing folder stays as it is: its maker decided who may read it. Raises OSError.
    """
    if path.is_dir():
        return
    if path.parent != path:
        private_folder(path.parent)
    path.mkdir(mode=0o700, exist_ok=True)


__all__ = ["make_private", "private_folder", "write_private"]
