"""Locking a contract: its files, and a ``contract.toml`` that says what they are.

The files are first opened as they will be opened later, so that every lock can be used. A lock
appears whole or not at all: everything is written beside the target and renamed.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec

from claimbridge.contract.contract import Contract
from claimbridge.contract.files.bundle import LOCK_NAME, read_lock
from claimbridge.contract.files.collect import ContractFiles, Fetch, collect
from claimbridge.contract.files.documents import gather
from claimbridge.contract.outline.offer import Offer, Port, read_offer
from claimbridge.contract.pruned.store import FOLDER
from claimbridge.errors import ContractError


class Lock(msgspec.Struct, frozen=True, kw_only=True):
    """A lock that was written: where, its files with their hashes, and what the WSDL offers."""

    folder: Path
    source: str
    at: dt.datetime
    entry: str
    files: dict[str, str]
    offer: Offer


def lock(
    source: Path | str,
    *,
    into: Path,
    fetch: Fetch,
    at: dt.datetime,
    hosts: Collection[str] = (),
    replace: bool = False,
) -> Lock:
    """Write the contract at ``source`` into the folder ``into``, and return what was written.

    ``fetch`` gets what lies at an address; ``collect`` says what it is asked for, and what
    ``hosts`` are. ``replace`` lets an older lock in ``into`` give way as a whole. Raises
    ContractError: what ``collect`` raises and what opening the contract raises; CB-290 when
    ``into`` holds something that may not give way, CB-291 when it cannot be written.
    """
    target = Path(os.path.realpath(into))
    with _writing(into):
        _refuse_occupied(target, replace=replace)
    files = collect(source, fetch=fetch, hosts=hosts)
    bundle = files.bundle()
    offer = read_offer(gather(bundle))
    Contract.load(bundle)
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in files.files.items()}
    result = Lock(
        folder=into, source=str(source), at=at, entry=files.entry, files=hashes, offer=offer
    )
    text = "".join(f"{line}\n" for line in _lines(result, files))
    with _writing(into):
        _place({**files.files, LOCK_NAME: text.encode()}, target)
    return result


@contextmanager
def _writing(into: Path) -> Iterator[None]:
    """Raise ContractError CB-291 for what the operating system refuses."""
    try:
        yield
    except OSError as error:
        raise ContractError(
            f"the lock cannot be written to {into}: {error.strerror}", code="CB-291"
        ) from error


def _lines(result: Lock, files: ContractFiles) -> Iterator[str]:
    """Yield the lines of ``contract.toml``."""
    yield f"# Written by claimbridge {_version()}; to change it, lock the contract again."
    yield f"wsdl = {_text(result.entry)}"
    yield ""
    yield "[locked]"
    yield f"from = {_text(result.source)}"
    yield f"at = {result.at.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}"
    yield ""
    yield "[files]"
    for name in sorted(result.files):
        yield f'{_text(name)} = "sha256:{result.files[name]}"'
    if files.locations:
        yield ""
        yield "[locations]"
        for address, name in files.locations.items():
            yield f"{_text(address)} = {_text(name)}"
    for service in result.offer.services:
        for port in service.ports:
            yield from _port_lines(service.name, port)


def _port_lines(service: str, port: Port) -> Iterator[str]:
    styles = {f"{operation.style}/{operation.use}" for operation in port.operations}
    yield ""
    yield "[[port]]"
    yield f"service = {_text(service)}"
    yield f"name = {_text(port.name)}"
    yield f"binding = {_text(f'SOAP {port.version}' if port.version else 'other')}"
    yield f"style = {_text(', '.join(sorted(styles)))}"
    yield f"address = {_text(port.address)}"
    yield "operations = ["
    for name in dict.fromkeys(operation.name for operation in port.operations):
        yield f"    {_text(name)},"
    yield "]"


def _text(value: str) -> str:
    # JSON's escapes are TOML's, save that JSON leaves DEL as it is.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _version() -> str:
    try:
        return version("claimbridge")
    except PackageNotFoundError:
        return "from its source"


def _refuse_occupied(target: Path, *, replace: bool) -> None:
    """Raise ContractError CB-290 unless ``target`` is free, or an older lock that may go."""
    if not target.exists():
        return
    if not target.is_dir():
        raise ContractError(f"{target} is a file; name a folder", code="CB-290")
    present = {
        path.relative_to(target).as_posix() for path in target.rglob("*") if not path.is_dir()
    }
    if not present:
        return
    if LOCK_NAME not in present:
        raise ContractError(f"{target} holds files but no lock; name a new folder", code="CB-290")
    if not replace:
        raise ContractError(
            f"{target} holds a lock already; compare the two, then add --force", code="CB-290"
        )
    _, hashes, _ = read_lock(target / LOCK_NAME)
    cache = {name for name in present if name.startswith(f"{FOLDER}/")}  # only a cache
    foreign = sorted(present - cache - hashes.keys() - {LOCK_NAME})
    if foreign:
        raise ContractError(
            f"{target} holds {foreign[0]}, which is not part of its lock and would be lost; "
            "move it away",
            code="CB-290",
        )


def _place(files: dict[str, bytes], target: Path) -> None:
    """Let ``target`` hold exactly these files, in one step."""
    target.parent.mkdir(parents=True, exist_ok=True)
    mark = secrets.token_hex(4)
    fresh = target.with_name(f".{target.name}.{mark}.new")
    old = target.with_name(f".{target.name}.{mark}.old")
    try:
        for name, content in files.items():
            path = fresh / name
            path.parent.mkdir(parents=True, exist_ok=True)
            _write(path, content)
        if target.exists() and any(target.iterdir()):
            target.rename(old)
        try:
            fresh.rename(target)  # takes the place of an empty folder too
        except OSError:
            if old.exists():
                old.rename(target)
            raise
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)
    _sync(target.parent)


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    with suppress(OSError):  # some file systems do not take a folder's sync
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


__all__ = ["Lock", "lock"]
