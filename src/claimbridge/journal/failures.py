"""What SQLite and the file system say, told as our errors: which file, and what to do."""

from __future__ import annotations

import errno
import sqlite3
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

_ADVICE: Final = {
    FULL: "cannot grow: the disk, the quota or the file size limit is reached; make room, then "
    "submit again. Nothing was changed",
    READ_ONLY: "may not be written: give this user write permission on the file and its folder. "
    "Nothing was changed",
    LOCKED: "is locked by another program; end it (a backup, an open sqlite3 shell) or wait, then "
    "try again. Nothing was changed",
    DAMAGED: "is damaged; stop all writers, keep a copy, and restore a backup or run "
    "`sqlite3 FILE .recover`",
    FOREIGN: "is not a journal of claimbridge; name another file. It was left as it is",
}

# https://sqlite.org/rescode.html: extended codes first, then the primary code (the low byte).
_CODES: Final = {
    sqlite3.SQLITE_IOERR_WRITE: FULL,  # EFBIG and EDQUOT; ENOSPC is SQLITE_FULL
    sqlite3.SQLITE_IOERR_SHMSIZE: FULL,
    sqlite3.SQLITE_IOERR_CORRUPTFS: DAMAGED,
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
}


def explained(error: sqlite3.Error | OSError, path: Path) -> JournalError:
    """Return our error for what SQLite or the system said about the journal at ``path``."""
    code = _code_of(error)
    advice = _ADVICE.get(code, "could not be read or written; nothing was changed")
    return JournalError(f"journal {path} {advice} ({error})", code=code)


def damaged(path: Path, what: str) -> JournalError:
    """Return our error for content that nobody could have written so."""
    return JournalError(f"journal {path} {_ADVICE[DAMAGED]} ({what})", code=DAMAGED)


def repeated(error: JournalError) -> JournalError:
    """Return a copy, for another thread that the same failure struck."""
    copy = JournalError(error.message, code=error.code, claim_id=error.claim_id)
    copy.__cause__ = error.__cause__
    return copy


def _code_of(error: sqlite3.Error | OSError) -> str:
    if isinstance(error, OSError):
        return _ERRNOS.get(error.errno or 0, JournalError.default_code)
    reported: int | None = getattr(error, "sqlite_errorcode", None)
    if reported is None:
        # The sqlite3 module's own errors carry no code; of them, text that is no UTF-8 is damage.
        undecodable = "decode" in str(error)
        return DAMAGED if undecodable else JournalError.default_code
    return _CODES.get(reported) or _CODES.get(reported & 0xFF) or JournalError.default_code


__all__ = [
    "DAMAGED",
    "FOREIGN",
    "FULL",
    "LOCKED",
    "NEWER",
    "PLACE",
    "READ_ONLY",
    "damaged",
    "explained",
    "repeated",
]
