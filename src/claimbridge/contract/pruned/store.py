"""Where parts of contracts are stored: beside the lock, else in the user's cache, else nowhere.

This is only a cache. A damaged, half written or unwritable cache costs time and nothing else; so,
unlike a lock, nothing is synced to the disk.

A stored part is opened without the checks of the whole contract. So each file begins with a code
over its name and its contents, keyed with a secret of this user on this machine. A file that came
with a commit, or from somebody else who may write beside the lock, is not ours and is made anew.
Without a place for the secret nothing is stored.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

FOLDER: Final = ".pruned"
_MAX_BYTES: Final = 50_000_000
_KEY_FILE: Final = "pruned.key"
_SIZE: Final = 32
"""Bytes of the secret, and of a code."""


def read(key: str, beside: Path) -> bytes | None:
    """Return what this user stored under ``key``; None where there is nothing whole."""
    secret = _secret(make=False)
    if secret is None:
        return None
    for folder in _folders(beside):
        with suppress(OSError):
            path = folder / _name(secret, key)
            if path.stat().st_size > _MAX_BYTES:
                continue
            content = path.read_bytes()
            if hmac.compare_digest(content[:_SIZE], _seal(secret, key, content[_SIZE:])):
                return content[_SIZE:]
    return None


def write(key: str, content: bytes, beside: Path) -> None:
    """Store ``content`` under ``key`` in the first folder that can be written to."""
    secret = _secret(make=True)
    if secret is None:
        return
    for folder in _folders(beside):
        with suppress(OSError):
            folder.mkdir(mode=0o700, parents=folder.parent != beside, exist_ok=True)
            _write(folder / _name(secret, key), _seal(secret, key, content) + content)
            return


def _folders(beside: Path) -> Iterator[Path]:
    yield beside / FOLDER
    own = _own()
    if own is not None:
        yield own / "pruned"


def _own() -> Path | None:
    """Return our folder in the user's cache; None where there is no home."""
    home = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if home.is_absolute():
        return home / "claimbridge"
    with suppress(RuntimeError):  # there is no home folder
        return Path.home() / ".cache" / "claimbridge"
    return None


def _secret(*, make: bool) -> bytes | None:
    """Return this user's secret on this machine, made where it is missing and ``make`` says so."""
    own = _own()
    if own is None:
        return None
    path = own / _KEY_FILE
    secret = _read_secret(path)
    if secret is None and make:
        with suppress(OSError):
            own.mkdir(mode=0o700, parents=True, exist_ok=True)
            _make_secret(path)
        secret = _read_secret(path)
    return secret


def _read_secret(path: Path) -> bytes | None:
    """Return the secret in a file that is this user's alone; None where there is no such file."""
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            private = stat.S_ISREG(status.st_mode) and not status.st_mode & 0o077
            content = file.read(_SIZE + 1) if private and status.st_uid == os.geteuid() else b""
        return content if len(content) == _SIZE else None
    return None


def _make_secret(path: Path) -> None:
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        with os.fdopen(os.open(draft, flags, 0o600), "wb") as file:
            file.write(secrets.token_bytes(_SIZE))
        os.link(draft, path)  # whoever comes first; the others take that one
    finally:
        draft.unlink(missing_ok=True)


def _write(path: Path, content: bytes) -> None:
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    try:
        draft.write_bytes(content)
        draft.replace(path)  # at once: nobody reads half of it
    finally:
        draft.unlink(missing_ok=True)


def _name(secret: bytes, key: str) -> str:
    return hmac.new(secret, key.encode(), hashlib.sha256).hexdigest()


def _seal(secret: bytes, key: str, content: bytes) -> bytes:
    return hmac.new(secret, key.encode() + b"\0" + content, hashlib.sha256).digest()


__all__ = ["FOLDER", "read", "write"]
