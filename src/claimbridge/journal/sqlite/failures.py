"""What SQLite and the file system say, told as our errors: which file, and what to do."""

from __future__ import annotations

import errno
import os
import resource
import sqlite3
import tempfile
from pathlib import Path
from typing import Final

from claimbridge.errors import JournalError

FULL: Final = "CB-221"
READ_ONLY: Final = "CB-222"
LOCKED: Final = "CB-223"
DAMAGED: Final = "CB-224"
FOREIGN: Final = "CB-225"
NEWER: Final = "CB-226"
PLACE: Final = "CB-227"
NO_DESCRIPTOR: Final = "CB-238"
DISK: Final = "CB-239"

_ADVICE: Final = {
    FULL: "cannot grow: the disk, the quota or the file size limit is reached; make room, then "
    "submit again. Nothing was changed",
    READ_ONLY: "may not be written: give this user write permission on the file and its folder. "
    "Nothing was changed",
    LOCKED: "is locked by another program; end it (a backup, an open sqlite3 shell) or wait, then "
    "try again. Nothing was changed",
    DAMAGED: "is damaged; stop all writers, keep a copy, and restore a backup (then claimbridge "
    "journal restored --until WHEN) or run `sqlite3 FILE .recover`",
    FOREIGN: "is not a journal of claimbridge; name another file. It was left as it is",
    NO_DESCRIPTOR: "could not be opened: this process, or the machine, has no file descriptor "
    "left; close files or connections, or raise the limit (`ulimit -n`), then try again. Nothing "
    "was changed",
    DISK: "could not be read or written: the disk reported an error, which may have been one of a "
    "moment; look into the system's log and at the disk, then try again: what was written before "
    "is read anew",
}

# https://sqlite.org/rescode.html: extended codes first, then the primary code (the low byte).
_CODES: Final = {
    sqlite3.SQLITE_IOERR: DISK,
    sqlite3.SQLITE_IOERR_SHORT_READ: DAMAGED,
    sqlite3.SQLITE_FULL: FULL,
    sqlite3.SQLITE_READONLY: READ_ONLY,
    sqlite3.SQLITE_CANTOPEN: READ_ONLY,
    sqlite3.SQLITE_PERM: READ_ONLY,
    sqlite3.SQLITE_BUSY: LOCKED,
    sqlite3.SQLITE_LOCKED: LOCKED,
    sqlite3.SQLITE_PROTOCOL: LOCKED,
    sqlite3.SQLITE_CORRUPT: DAMAGED,
    sqlite3.SQLITE_NOTADB: FOREIGN,
}
_ERRNOS: Final = {
    errno.ENOSPC: FULL,
    errno.EDQUOT: FULL,
    errno.EFBIG: FULL,
    errno.EACCES: READ_ONLY,
    errno.EPERM: READ_ONLY,
    errno.EROFS: READ_ONLY,
    errno.EMFILE: NO_DESCRIPTOR,
    errno.ENFILE: NO_DESCRIPTOR,
    errno.EIO: DISK,
}


_NO_ROOM: Final = frozenset({sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE})
"""What SQLite says of EFBIG and EDQUOT, but of EIO as well; ENOSPC is SQLITE_FULL."""


def explain(error: sqlite3.Error | OSError, path: Path) -> JournalError:
    """Return our error for what SQLite or the system said about the journal at ``path``."""
    code = _code_of(error)
    if isinstance(error, sqlite3.Error):
        # SQLite keeps the system's own word for itself: ask the system again.
        error_code = _error_code(error)
        if error_code in _NO_ROOM and _has_no_room(path):
            code = FULL
        elif error_code is not None and error_code & 0xFF == sqlite3.SQLITE_CANTOPEN:
            code = _why_not_opened() or code
    advice = _ADVICE.get(code, "could not be read or written; nothing was changed")
    return JournalError(f"journal {path} {advice} ({error})", code=code)


def damage(path: Path, what: str) -> JournalError:
    """Return our error for content that nobody could have written so."""
    return JournalError(f"journal {path} {_ADVICE[DAMAGED]} ({what})", code=DAMAGED)


def repeat(error: JournalError) -> JournalError:
    """Return a copy, for another thread that the same failure struck."""
    copy = JournalError(error.message, code=error.code, claim_id=error.claim_id)
    copy.__cause__ = error.__cause__
    return copy


def _has_no_room(path: Path) -> bool:
    """Whether a file beside the journal cannot grow, by its size, the quota or the disk."""
    most, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    beside = (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm"))
    try:
        if most != resource.RLIM_INFINITY and any(
            one.stat().st_size + _STEP > most for one in beside if one.exists()
        ):
            return True
        with tempfile.TemporaryFile(dir=path.parent) as probe:
            probe.write(bytes(_STEP))
            probe.flush()
    except OSError as error:
        return _ERRNOS.get(error.errno or 0) == FULL
    return False


_STEP: Final = 65_536
"""Bytes by which a file of SQLite's grows at the most at once: a page, or some shared memory."""


def _why_not_opened() -> str | None:
    """Return NO_DESCRIPTOR where nothing can be opened; else None: it was this very file."""
    try:
        os.close(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))
    except OSError as error:
        return _ERRNOS.get(error.errno or 0)
    return None


def _error_code(error: sqlite3.Error) -> int | None:
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return code


def _code_of(error: sqlite3.Error | OSError) -> str:
    if isinstance(error, OSError):
        return _ERRNOS.get(error.errno or 0, JournalError.default_code)
    error_code = _error_code(error)
    if error_code is None:
        # The sqlite3 module's own errors carry no code; of them, text that is no UTF-8 is damage.
        undecodable = "decode" in str(error)
        return DAMAGED if undecodable else JournalError.default_code
    return _CODES.get(error_code) or _CODES.get(error_code & 0xFF) or JournalError.default_code


__all__ = [
    "DAMAGED",
    "DISK",
    "FOREIGN",
    "FULL",
    "LOCKED",
    "NEWER",
    "NO_DESCRIPTOR",
    "PLACE",
    "READ_ONLY",
    "damage",
    "explain",
    "repeat",
]
