"""Files as commands are given them; ``-`` is stdin, for what is opened by its path too."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from claimbridge.cli.output import read_file


def is_stdin(path: Path | None) -> bool:
    """Return whether a path means stdin."""
    return str(path) == "-"


@contextmanager
def at_hand(path: Path, *, suffix: str) -> Iterator[Path]:
    """Give the path of a file, or of a folder; ``-`` is copied to where its owner alone reads it.

    ``suffix`` is what such a file is called by, where it is no workbook. What stands beside a file
    does not stand beside stdin. Raises ConfigurationError.
    """
    if not is_stdin(path):
        yield path
        return
    data = read_file(path)
    with tempfile.TemporaryDirectory(prefix="claimbridge-stdin-") as folder:
        place = Path(folder, f"stdin{'.xlsx' if data.startswith(b'PK') else suffix}")
        place.write_bytes(data)
        yield place


__all__ = ["at_hand", "is_stdin"]
