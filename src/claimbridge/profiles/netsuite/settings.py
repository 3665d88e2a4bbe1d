"""The options of the profile as one value, checked; and what follows from them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

import msgspec

from claimbridge.errors import ConfigurationError
from claimbridge.model import OutcomeKind
from claimbridge.profiles.kit import options
from claimbridge.profiles.master_records import MasterRecords
from claimbridge.profiles.netsuite.codes import (
    KINDS,
    LINE_FIELDS,
    NAMES,
    Codes,
    Field,
    LineField,
    MatchField,
    Name,
    find_all,
)
from claimbridge.profiles.netsuite.every_line import EveryLine, PlaceField, dimension_for
from claimbridge.profiles.netsuite.record_lists import EXTERNAL_ID, PERIOD

RecordKind = Literal["journal-entry", "expense-report"]


class NetSuiteSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The options of ``NetSuite``, as its constructor explains them."""

    record: RecordKind
    internal_ids: Mapping[Field, Mapping[str, str]]
    match: Mapping[MatchField, Name]
    dimensions: Mapping[str, LineField]
    on_every_line: tuple[PlaceField, ...]
    in_head: tuple[PlaceField, ...]
    defaults: Mapping[str, Mapping[PlaceField, str]]
    one_world: bool
    approved: bool | Literal["site"]
    billable: bool
    posting_period: bool
    time_of_day: str
    version: str

    def check(self) -> None:
        """Refuse options that do not fit together (ConfigurationError CB-243)."""
        if not re.fullmatch(r"\d{4}_\d", self.version):
            raise wrong_option(
                f"version {self.version!r} has another form; write it as in the namespaces: 2023_2"
            )
        if self.record == "journal-entry" and "customer" in self.dimensions.values():
            raise wrong_option(
                "dimensions: a line of a journal entry has no customer; use entity for customers"
            )
        for field, by in self.match.items():
            if by not in (EXTERNAL_ID, *NAMES[field]):
                known = ", ".join((EXTERNAL_ID, *NAMES[field]))
                raise wrong_option(f"match.{field}: {by!r} is none of its names: {known}")
        self._check_places()

    def _check_places(self) -> None:
        placed = {**LINE_FIELDS, **self.dimensions}
        for field in self.on_every_line:
            if not dimension_for(field, placed):
                raise wrong_option(f"on_every_line: no dimension is placed in {field}")
        wanted = {*self.on_every_line, *self.in_head}
        for company, codes in self.defaults.items():
            for field in codes:
                if field not in wanted:
                    raise wrong_option(
                        f"defaults.{company}.{field}: it is used only where on_every_line or "
                        f"in_head names {field}"
                    )

    @property
    def needed_kinds(self) -> tuple[str, ...]:
        """The lists that the options need, each once."""
        fields = [field for field, by in self.match.items() if by != EXTERNAL_ID]
        # Customers are many: they are listed where somebody asks for them.
        kinds = [kind for field in fields for kind in KINDS[field] if _is_needed(field, kind)]
        return tuple(dict.fromkeys([*kinds, *([PERIOD] if self.posting_period else [])]))

    @property
    def written(self) -> OutcomeKind:
        """What a record is that was written, and that does not say whether it is approved."""
        return OutcomeKind.POSTED if self.approved is True else OutcomeKind.ACKNOWLEDGED

    def codes(self, lists: MasterRecords) -> Codes:
        """Return how codes name records, by these lists."""
        match = {str(field): str(by) for field, by in self.match.items()}
        return Codes(
            internal_ids={str(field): ids for field, ids in self.internal_ids.items()},
            line_fields={**LINE_FIELDS, **self.dimensions},
            match=match,
            lists=lists,
            found=find_all(match, lists.records),
            former=find_all(match, lists.former),
        )

    def every_line(self, codes: Codes) -> EveryLine:
        """Return what every line has."""
        return EveryLine(
            codes=codes, fields=self.on_every_line, head=self.in_head, defaults=self.defaults
        )


def _is_needed(field: str, kind: str) -> bool:
    return kind != "customer" or field == "customer"


def wrong_option(why: str) -> ConfigurationError:
    """Return the error for an option that does not fit."""
    return options.wrong_option("netsuite", why)
