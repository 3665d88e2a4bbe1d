"""A folder as a source: claims in JSON, CSV and XML files that others put there.

A file that has been dealt with goes to ``done/``, or to ``refused/`` with the reason beside it
(``NAME.reason.txt``): the whole file, where one claim of it was refused. Putting a fixed file back
into the folder is safe: what is in a ledger already is not posted again.

A file is taken once nothing has changed it for ``settle`` seconds. Whoever may need longer to write
one writes it under a name that is not looked at (``.NAME``, ``NAME.tmp``, ``NAME.part``) and
renames it.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from claimbridge.bounds import check_numbers
from claimbridge.clock import SYSTEM, Clock
from claimbridge.errors import ClaimBridgeError, ClaimError, ConfigurationError, spelt
from claimbridge.model import Claim, Standing
from claimbridge.private import write_private
from claimbridge.sources.base import Arrival
from claimbridge.sources.csv.layouts import SUFFIXES, ClaimOrError, claims_in
from claimbridge.sources.record import SourceRecord
from claimbridge.sources.settings import SourceConfig

_UNFINISHED: Final = (".tmp", ".part", ".partial", ".filepart", ".crdownload", "~")
_REASON: Final = ".reason.txt"
_LONGEST: Final = 255 - len(_REASON)
"""Bytes of a file's name that leave room for the reason's."""
_GONE: Final = frozenset({errno.ENOENT, errno.ESTALE})


class FolderSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One folder as configured.

    ``path`` is the folder; ``done`` and ``refused`` are where its files go, inside it unless they
    are absolute, and on the same file system. ``settle`` is how many seconds a file must have been
    left alone before it is read. A file of more than ``max_bytes`` is refused unread.
    """

    path: str
    done: str = "done"
    refused: str = "refused"
    settle: float = 5.0
    max_bytes: int = 50_000_000

    def __post_init__(self) -> None:
        if "\0" in self.path + self.done + self.refused:
            raise ConfigurationError("path, done or refused holds a NUL character", code="CB-531")
        check_numbers("folder", self, where="", code="CB-531")


class _File(msgspec.Struct):
    """A file that was read, and how its claims have ended so far: "" is well."""

    name: str
    version: str
    open: set[str]
    reasons: dict[str, str]


class FolderSource:
    """Reads the files of one folder; one pass at a time, as ``SourceRecord.turn`` sees to it."""

    def __init__(
        self, name: str, path: Path, settings: FolderSettings, *, clock: Clock = SYSTEM
    ) -> None:
        self.name = name
        self._path = path
        self._settings = settings
        self._done = path / settings.done
        self._refused = path / settings.refused
        self._clock = clock
        self._of: dict[str, _File] = {}
        _refuse_one_place(name, path, self._done, self._refused)
        for folder in (self._done, self._refused):
            try:
                folder.mkdir(mode=0o700, exist_ok=True)
            except OSError as error:
                raise _unusable(folder, error) from error

    def arrivals(self, *, since: str = "") -> Iterator[Arrival]:
        """Yield the claims of every file that lies there, the oldest file first.

        Moving files is what says how far reading got: ``since`` means nothing.
        """
        self._of = {}
        yield from self._all()

    def reread(self, key: str) -> Arrival | None:
        """Return one claim as its file has it now; None when the file is gone."""
        return next((arrival for arrival in self._all() if arrival.key == key), None)

    def ended(
        self, arrival: Arrival, *, standing: Standing | None, error: ClaimBridgeError | None
    ) -> None:
        """Note how a claim ended; when all of its file have, move the file.

        Raises ConfigurationError CB-535 when it cannot be moved.
        """
        reason = "" if standing is not None else str(error or "its source took it back")
        file = self._of.get(arrival.key)
        if file is None or file.version != arrival.version:
            self._note_later_end(arrival, reason)
            return
        if reason:
            file.reasons[arrival.key] = reason
        file.open.discard(arrival.key)
        if not file.open:
            self._move(file)

    def close(self) -> None:
        """Nothing is held open."""

    # --- reading --------------------------------------------------------------------------------

    def _all(self) -> Iterator[Arrival]:
        for name in self._names():
            with contextlib.suppress(FileNotFoundError):  # somebody took it away: it is theirs
                yield from self._read(name)

    def _names(self) -> list[str]:
        """Return the names of files to read, by age."""
        ages = []
        now = self._clock.now().timestamp()
        try:
            with os.scandir(self._path) as entries:
                for entry in entries:
                    lowered = entry.name.casefold()
                    if lowered.startswith(".") or lowered.endswith((*_UNFINISHED, _REASON)):
                        continue
                    with contextlib.suppress(FileNotFoundError):
                        state = entry.stat(follow_symlinks=False)
                        # ctime: set by this machine for every change, whatever mtime is made to
                        # say. A clock that was set back must not hide a file.
                        rests = abs(now - state.st_ctime) >= self._settings.settle
                        if not stat.S_ISDIR(state.st_mode) and rests:
                            ages.append((state.st_mtime_ns, entry.name))
        except OSError as error:
            raise _unusable(self._path, error) from error
        return [name for _, name in sorted(ages)]

    def _read(self, name: str) -> Iterator[Arrival]:
        version = _version((self._path / name).lstat())
        claims: list[ClaimOrError] = []
        try:
            data, version = self._bytes(name)
            suffix = Path(name).suffix.casefold()
            claims += claims_in(data, suffix=suffix, what=_printable(name))
            if not claims:
                raise _refusal(name, "holds no claims")
        except ClaimBridgeError as error:
            claims = [error]
        keys = _keys(name, claims)
        file = _File(name, version, set(keys), {})
        for key, claim in zip(keys, claims, strict=True):
            self._of[key] = file
            if isinstance(claim, Claim):
                yield Arrival(key=key, version=version, claim=claim)
            else:
                yield Arrival(key=key, version=version, error=claim, label=claim.claim_id or "")

    def _bytes(self, name: str) -> tuple[bytes, str]:
        """Return a file's content, and the version that it is."""
        if Path(name).suffix.casefold() not in SUFFIXES:
            raise _refusal(name, f"is none of {', '.join(SUFFIXES)}")
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            descriptor = os.open(self._path / name, flags)
        except FileNotFoundError:
            raise
        except OSError as error:
            if error.errno == errno.ELOOP:
                why = "is a symbolic link; put the file itself there"
                raise _refusal(name, why) from error
            why = f"cannot be read: {error.strerror}"
            raise _refusal(name, why) from error
        with os.fdopen(descriptor, "rb") as file:
            state = os.fstat(descriptor)
            if not stat.S_ISREG(state.st_mode):
                raise _refusal(name, "is not a regular file")
            if state.st_size > self._settings.max_bytes:
                raise _refusal(
                    name,
                    f"has {state.st_size} bytes, where {self._settings.max_bytes} are allowed; "
                    "divide it",
                )
            try:
                data, version = file.read(self._settings.max_bytes + 1), _version(state)
            except OSError as error:
                why = f"cannot be read: {error.strerror}"
                raise _refusal(name, why) from error
            if _version(os.fstat(descriptor)) != version:
                raise FileNotFoundError(name)  # being written after all: not there yet
            return data, version

    # --- moving ---------------------------------------------------------------------------------

    def _move(self, file: _File) -> None:
        source = self._path / file.name
        try:
            if _version(source.lstat()) != file.version:
                return  # another file has its name by now, and is read by the next pass
            if not file.reasons:
                source.rename(_free(self._done / file.name))
                return
            target = _free(self._refused / file.name)
            # The reason first: a file without one would be a riddle.
            _write(_reason_of(target), _reason_text(file.name, file.reasons))
            source.rename(target)
        except OSError as error:
            if error.errno not in _GONE:  # gone: somebody else moved it, or a pass before
                raise _unusable(source, error) from error

    def _note_later_end(self, arrival: Arrival, reason: str) -> None:
        """Note the end of a claim whose file lies in ``refused`` already: it was tried again."""
        path = self._in_refused(arrival.version)
        if path is None:
            return
        note = _reason_of(path)
        start = spelt(f"{_printable(arrival.key)}: ", breaks=True)
        try:
            lines = note.read_text(encoding="utf-8").splitlines()
            others = [line for line in lines if not line.startswith(start)]
            notes = [*others, start + " ".join(reason.split())] if reason else others
            if len(notes) > 1:
                _write(note, "\n".join([*notes, ""]))
                return
            path.rename(_free(self._done / path.name))
            note.unlink()
        except OSError as error:
            if error.errno not in _GONE:
                raise _unusable(path, error) from error

    def _in_refused(self, version: str) -> Path | None:
        # Moving a file changes its ctime, which is the version's last part, and nothing else.
        lasting = version.rpartition("-")[0]
        with contextlib.suppress(OSError), os.scandir(self._refused) as entries:
            for entry in entries:
                if _version(entry.stat(follow_symlinks=False)).rpartition("-")[0] == lasting:
                    return Path(entry.path)
        return None


def folder_source(config: SourceConfig, record: SourceRecord) -> FolderSource:
    """Return the source of kind ``folder`` that ``config`` describes. Raises ConfigurationError."""
    settings = config.settings(FolderSettings)
    path = config.path(settings.path)
    if not path.is_dir():
        raise ConfigurationError(
            f"source {config.name}: the folder {path} does not exist; create it first",
            code="CB-535",
        )
    return FolderSource(config.name, path, settings)


def _refuse_one_place(name: str, *folders: Path) -> None:
    """A file moved to where it lies would be read again, under another name, by every pass."""
    if len({os.path.realpath(folder) for folder in folders}) < len(folders):
        raise ConfigurationError(
            f"source {name}: path, done and refused are three folders, and two of them are one "
            "here",
            code="CB-531",
        )


def _keys(name: str, claims: list[ClaimOrError]) -> list[str]:
    """Return a key for each claim of a file: the file's name, and the claim's id if it has more."""
    file = _printable(name)
    if len(claims) == 1:
        return [file]
    keys: list[str] = []
    for position, claim in enumerate(claims, start=1):
        claim_id = claim.id if isinstance(claim, Claim) else claim.claim_id
        key = f"{file}#{claim_id or position}"
        keys.append(key if key not in keys else f"{file}#{position}")
    return keys


def _version(state: os.stat_result) -> str:
    """Return what changes whenever a file does; its last part changes also when it is moved."""
    return f"{state.st_ino:x}-{state.st_size:x}-{state.st_mtime_ns:x}-{state.st_ctime_ns:x}"


def _free(path: Path) -> Path:
    """Return the path, or one like it that nothing has: what lies there is kept."""
    number, free = 0, path
    while os.path.lexists(free):
        number += 1
        free = path.with_name(f"{path.stem}.{number}{path.suffix}")
    return free


def _reason_of(path: Path) -> Path:
    name = path.name
    if len(os.fsencode(name)) > _LONGEST:
        name = hashlib.sha256(os.fsencode(name)).hexdigest()
    return path.with_name(name + _REASON)


def _reason_text(name: str, reasons: dict[str, str]) -> str:
    lines = [f"{_printable(name)} was refused; what it holds besides was dealt with."]
    lines += [f"{key}: {' '.join(reason.split())}" for key, reason in reasons.items()]
    return "\n".join([*lines, ""])


def _write(path: Path, text: str) -> None:
    beside = path.with_name(f".{hashlib.sha256(os.fsencode(path.name)).hexdigest()[:16]}.tmp")
    lines = (spelt(line, breaks=True) for line in text.split("\n"))
    write_private(beside, "\n".join(lines).encode("utf-8", "backslashreplace"))
    beside.rename(path)


def _printable(name: str) -> str:
    """Return a file's name as text, whatever bytes it is made of."""
    return name.encode("utf-8", "backslashreplace").decode()


def _refusal(name: str, why: str) -> ClaimError:
    return ClaimError(f"{_printable(name)} {why}", code="CB-536")


def _unusable(path: Path, error: OSError) -> ConfigurationError:
    return ConfigurationError(
        f"{_printable(str(path))} cannot be used: {error.strerror}; the folder, done and refused "
        "need to be writable, and on one file system",
        code="CB-535",
    )


__all__ = ["FolderSettings", "FolderSource", "folder_source"]
