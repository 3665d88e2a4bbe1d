"""The command ``codes``: an ERP's accounts, departments, employees, with the ERP's own ids."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Final

import msgspec
from cyclopts import Parameter

from claimbridge.cli.exit_codes import DONE, exit_code, worst
from claimbridge.cli.options import Config, Json
from claimbridge.cli.output import YES, complain, emit, row, say, show, table
from claimbridge.client import Client
from claimbridge.config import LedgerConfig, load_config
from claimbridge.errors import ClaimBridgeError
from claimbridge.journal import MemoryJournal
from claimbridge.ledger import book_config_of
from claimbridge.ledger.listing import lister
from claimbridge.ledger.records_file import read_records, write_records
from claimbridge.profiles import load_profile
from claimbridge.profiles.master_records import MasterRecord, MasterRecords, RecordList

_CODES: Final = ("number", "symbol", "entity-id", "full-name")
"""Kinds of names that stand first, where a record has them; then comes its plain name."""


def list_codes(
    ledger: str,
    /,
    *kinds: str,
    config: Config = Path("claimbridge.toml"),
    refresh: Annotated[bool, Parameter(negative=())] = False,
    json: Json = False,
) -> int:
    """List the records of an ERP with its own ids, and keep them for the ledger's profile.

    Without kinds it says how many records of each there are; with kinds it prints the records.

    Parameters
    ----------
    ledger
        The ledger of the configuration.
    kinds
        Kinds of records, such as account or department; those that the ledger's options need when
        left out, or all.
    refresh
        Ask the ERP again for what the file has already. Nothing is changed in the ERP.

    """
    settings = load_config(config, ledger=ledger)
    profile = lister(load_profile(settings.profile, settings.options))
    for kind in kinds:
        lister(load_profile(settings.profile, settings.options), kind)
    wanted = kinds or tuple(profile.needed_kinds) or tuple(profile.record_kinds)
    place = book_config_of(settings).place
    held = read_records(settings, place)
    missing = [kind for kind in dict.fromkeys(wanted) if refresh or kind not in held.lists]
    codes = []
    for kind, end in _fetched(settings, missing):
        if isinstance(end, ClaimBridgeError):
            complain(str(end))
            codes.append(exit_code(end))
            continue
        listed = end.after(held.lists.get(kind))
        held = msgspec.structs.replace(held, lists={**held.lists, kind: listed})
        path = write_records(settings, place, held)
        if not json:
            say(YES, f" {kind}: {len(end.records)} records, kept in {path}")
    if kinds:
        _print(held, wanted, json=json)
    else:
        _print_counts(held, wanted, json=json)
    return worst(codes) if codes else DONE


def _fetched(
    settings: LedgerConfig, kinds: Sequence[str]
) -> Iterator[tuple[str, RecordList | ClaimBridgeError]]:
    """Yield each kind with its list, or with why there is none."""
    if not kinds:
        return
    unsigned = msgspec.structs.replace(settings, identity=None, next_identity=None)
    with Client(unsigned, journal=MemoryJournal()) as client:
        for kind in kinds:
            try:
                yield kind, client.list_records(kind)
            except ClaimBridgeError as error:
                yield kind, error


def _print(held: MasterRecords, kinds: Sequence[str], *, json: bool) -> None:
    if not any(kind in held.lists for kind in kinds):
        return  # none was fetched, and why has been said
    grid = table("kind", "code", "internal id", "name", "", "companies", wrapped=("companies",))
    for kind in dict.fromkeys(kinds):
        for record in sorted(held.records(kind), key=_code):
            if json:
                listed = held.lists[kind].fetched_at
                emit({"kind": kind, **msgspec.to_builtins(record), "fetched_at": listed})
                continue
            state = ("inactive", "yellow") if record.inactive else ""
            name = record.names.get("name", record.names.get("email", ""))
            companies = ", ".join(record.companies)
            row(grid, kind, _code(record), record.id, name, state, companies)
    if not json:
        show(grid)


def _print_counts(held: MasterRecords, kinds: Sequence[str], *, json: bool) -> None:
    """Print how many records of each kind are kept, and since when."""
    lists = {kind: held.lists[kind] for kind in dict.fromkeys(kinds) if kind in held.lists}
    grid = table("kind", "records", "inactive", "fetched")
    for kind, found in lists.items():
        inactive = sum(1 for record in found.records if record.inactive)
        if json:
            counts = {"records": len(found.records), "inactive": inactive}
            emit({"kind": kind, **counts, "fetched_at": found.fetched_at})
        else:
            fetched = f"{found.fetched_at:%Y-%m-%d %H:%M}Z"
            row(grid, kind, str(len(found.records)), str(inactive), fetched)
    if lists and not json:
        show(grid)


def _code(record: MasterRecord) -> str:
    names = (record.names.get(name) for name in (*_CODES, "name", "external-id"))
    return next(filter(None, names), "")


__all__ = ["list_codes"]
