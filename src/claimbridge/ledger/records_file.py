"""The file of an ERP's master records beside the configuration: read, and written at once or not.

It holds names of people, so only its owner may read it. It is the list of one book: internal ids
of a test account mean other records in production.
"""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

import msgspec

from claimbridge.config import LedgerConfig
from claimbridge.errors import ConfigurationError
from claimbridge.model import Place
from claimbridge.private import write_private
from claimbridge.profiles.master_records import MasterRecords, RecordList
from claimbridge.submission.decisions.books import is_same_place


class _File(msgspec.Struct, frozen=True, kw_only=True):
    ledger: str
    place: Place
    lists: dict[str, RecordList]
    version: int = 1


def records_path(config: LedgerConfig) -> Path:
    """Return where the lists of a ledger are: ``codes``, or a file beside the configuration."""
    name = re.sub(r"[^\w.-]", "_", config.name)
    return config.path(config.codes or f"claimbridge-codes-{name}.json")


def read_records(config: LedgerConfig, place: Place) -> MasterRecords:
    """Return the lists of a ledger; none where there is no file yet.

    ``place`` is that of its book. Raises ConfigurationError CB-489 for a file that cannot be read,
    or that has the lists of another book.
    """
    path = records_path(config)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return MasterRecords(ledger=config.name)
    except OSError as error:
        raise _unusable(path, config, f"cannot be read: {error.strerror}") from error
    try:
        file = msgspec.json.decode(data, type=_File)
    except (msgspec.DecodeError, RecursionError) as error:
        raise _unusable(path, config, f"is no list of records: {error}") from error
    if not is_same_place(file.place, place):
        why = f"has the records of {file.place}, and the ledger is {place}"
        raise _unusable(path, config, why)
    return MasterRecords(ledger=config.name, lists=file.lists)


def write_records(config: LedgerConfig, place: Place, records: MasterRecords) -> Path:
    """Write the lists of a ledger, whole or not at all; raises ConfigurationError CB-489."""
    path = records_path(config)
    file = _File(ledger=config.name, place=place, lists=dict(records.lists))
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        write_private(beside, msgspec.json.format(msgspec.json.encode(file), indent=1))
        beside.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise ConfigurationError(
            f"ledger {config.name}: {path} cannot be written: {error.strerror}", code="CB-489"
        ) from error
    return path


def _unusable(path: Path, config: LedgerConfig, why: str) -> ConfigurationError:
    return ConfigurationError(
        f"ledger {config.name}: {path} {why}; delete it, or name another file in codes, and run "
        f"claimbridge codes {config.name}",
        code="CB-489",
    )


__all__ = ["read_records", "records_path", "write_records"]
