"""Where cut-down contracts are kept: beside the lock, else in the user's cache, else nowhere.

It is only a cache. Whatever is wrong with it - damaged, half written, not writable - costs time
and nothing else; so, unlike a lock, nothing is synced to the disk. Each entry begins with a hash
over its name and its contents.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

FOLDER: Final = ".pruned"
_MAX_BYTES: Final = 50_000_000


def stored(key: str, beside: Path) -> bytes | None:
    """Return what was kept under ``key``; None where nothing whole was."""
    for folder in _folders(beside):
        with suppress(OSError):
            path = folder / key
            if path.stat().st_size > _MAX_BYTES:
                continue
            content = path.read_bytes()
            if content[:32] == _seal(key, content[32:]):
                return content[32:]
    return None


def store(key: str, content: bytes, beside: Path) -> None:
    """Keep ``content`` under ``key`` in the first folder that lets itself be written to."""
    for folder in _folders(beside):
        with suppress(OSError):
            folder.mkdir(mode=0o700, parents=folder.parent != beside, exist_ok=True)
            _write(folder / key, _seal(key, content) + content)
            return


def _folders(beside: Path) -> Iterator[Path]:
    yield beside / FOLDER
    home = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if home.is_absolute():
        yield home / "claimbridge" / "pruned"
    else:
        with suppress(RuntimeError):  # there is no home folder
            yield Path.home() / ".cache" / "claimbridge" / "pruned"


def _write(path: Path, content: bytes) -> None:
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    try:
        draft.write_bytes(content)
        draft.replace(path)  # at once: nobody reads half of it
    finally:
        draft.unlink(missing_ok=True)


def _seal(key: str, content: bytes) -> bytes:
    return hashlib.sha256(key.encode() + b"\0" + content).digest()


__all__ = ["FOLDER", "store", "stored"]
