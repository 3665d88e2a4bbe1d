"""Master records of an ERP: accounts, departments, employees, by the ERP's ids and their names.

Some ERPs know a record by an id of their own, which nobody writes into a chart. So the records are
listed beforehand (``claimbridge codes``), and kept in a file. A profile looks the ids up there.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping

import msgspec

from claimbridge.profiles.request import Request


class MasterRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One record: ``id`` is the ERP's; ``names`` are what people call it, by the kind of name.

    ``inactive``: the ERP takes it no more. ``companies`` are those that it is limited to, as the
    ERP names them, and ``company_ids`` their ids; () where it does not say. ``with_children``:
    those below them too. ``parent`` is the id of the record above; "" for none.
    """

    id: str
    names: Mapping[str, str]
    inactive: bool = False
    companies: tuple[str, ...] = ()
    company_ids: tuple[str, ...] = ()
    with_children: bool = False
    parent: str = ""


class RecordList(msgspec.Struct, frozen=True, kw_only=True):
    """All records of one kind, as the ERP gave them at ``fetched_at``.

    ``former`` are records of earlier lists that have other names now, or are gone: a document of
    that time may name them.
    """

    fetched_at: dt.datetime
    records: tuple[MasterRecord, ...]
    former: tuple[MasterRecord, ...] = ()

    def after(self, earlier: RecordList | None) -> RecordList:
        """Return this list with what an earlier one had under other names."""
        if earlier is None:
            return self
        names = {one.id: one.names for one in self.records}
        known = (*earlier.former, *earlier.records)
        changed = {
            (one.id, tuple(sorted(one.names.items()))): one
            for one in known
            if names.get(one.id) != one.names
        }
        return msgspec.structs.replace(self, former=tuple(changed.values()))


class MasterRecords(msgspec.Struct, frozen=True, kw_only=True):
    """The lists of one ledger, by kind; ``ledger`` is its name, for advice."""

    ledger: str = "LEDGER"
    lists: Mapping[str, RecordList] = {}

    def records(self, *kinds: str) -> Iterator[MasterRecord]:
        """Yield the records of these kinds; a kind that was never listed has none."""
        for kind in kinds:
            if kind in self.lists:
                yield from self.lists[kind].records

    def former(self, *kinds: str) -> Iterator[MasterRecord]:
        """Yield the records of these kinds as earlier lists had them, where that has changed."""
        for kind in kinds:
            if kind in self.lists:
                yield from self.lists[kind].former

    def advice(self, kind: str) -> str:
        """Return the command that lists a kind anew."""
        again = " --refresh" if kind in self.lists else ""
        return f"claimbridge codes {self.ledger} {kind}{again}"


class RecordPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of a list: ``next`` asks for the page after it, None where there is none.

    ``total`` is how many records all pages have; None where the ERP does not say.
    """

    records: tuple[MasterRecord, ...]
    total: int | None = None
    next: Request | None = None


__all__ = ["MasterRecord", "MasterRecords", "RecordList", "RecordPage"]
