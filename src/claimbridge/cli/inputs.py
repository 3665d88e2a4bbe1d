"""What commands are given: files, moments; ``-`` is stdin, for what is opened by its path too."""

from __future__ import annotations

import datetime as dt
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from claimbridge.errors import ClaimError, ConfigurationError
from claimbridge.model import Claim


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


def read_file(path: Path) -> bytes:
    """Return a file's content; ``-`` is stdin. Raises ConfigurationError."""
    try:
        if str(path) == "-":
            return _stdin()
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"cannot read {path}: {error.strerror}", code="CB-250") from error


def _stdin() -> bytes:
    if sys.stdin is None:  # it was closed before we began
        return b""
    return sys.stdin.buffer.read()


def read_claim(path: Path) -> Claim:
    """Return the claim in a file; a ClaimError names the file where the claim has no id."""
    try:
        return Claim.from_json(read_file(path))
    except ClaimError as error:
        error.claim_id = error.claim_id or path.name
        raise


def moment(text: str | None, *, what: str) -> dt.datetime | None:
    """Return the moment that an option ``what`` gives in RFC 3339; None when it was left out."""
    if text is None:
        return None
    try:
        parsed = dt.datetime.fromisoformat(text)
    except ValueError:
        raise ConfigurationError(f"{what} {text!r} is not RFC 3339", code="CB-251") from None
    if parsed.tzinfo is None:
        raise ConfigurationError(f"{what} {text} has no time zone; add Z or +08:00", code="CB-251")
    return parsed


__all__ = ["at_hand", "is_stdin", "moment", "read_claim", "read_file"]
