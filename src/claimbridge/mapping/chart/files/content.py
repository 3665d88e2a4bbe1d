"""The content of one chart file, before it is typed; TOML is read here, and groups are joined."""

from __future__ import annotations

import datetime as dt
import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple, TypeVar

import msgspec

from claimbridge.errors import ConfigurationError
from claimbridge.mapping.chart.files.layout import (
    COMPUTING,
    KEYED,
    LISTED,
    NOUNS,
    SINGLE,
    AccountsTable,
    AllocationTable,
    BetweenTable,
    CashFlowTable,
    ChartTable,
    ChartTables,
    CompanyTable,
    ExpenseTable,
    InvoiceTable,
    NarrationTable,
    PeriodsTable,
    PeriodTable,
    PlacedTable,
    Table,
)

MAX_ROWS: Final = 20_000
"""Expense rows of a chart, those of its group included."""


class TableEntry(NamedTuple):
    """One entry of a list: the file that it stands in, its number there, and its keys."""

    file: str
    number: int
    values: Mapping[str, object]

    def where(self, list_: str) -> str:
        """Return the entry's name in messages: its file and number, and its type if it has one."""
        type_ = self.values.get("type")
        suffix = f' (type "{type_[:64]}")' if isinstance(type_, str) else ""
        return f"{self.file}: {NOUNS[list_]} {self.number}{suffix}"


class ChartContent(msgspec.Struct, frozen=True, kw_only=True):
    """The tables of a chart: single ones, those under codes, and the lists."""

    file: str
    single: Mapping[str, Mapping[str, object]]
    keyed: Mapping[str, Mapping[str, Mapping[str, object]]]
    listed: Mapping[str, tuple[TableEntry, ...]]

    def text(self, key: str) -> str | None:
        """Return a text of ``[chart]``; None where it is not given."""
        value = self.single.get("chart", {}).get(key)
        return value if isinstance(value, str) else None


def parse_toml(data: bytes, *, file: str) -> ChartContent:
    """Return the content of TOML ``data``; ``file`` names it in messages.

    Raises ConfigurationError: CB-205 where it is no TOML, CB-206 naming an unknown table or key, or
    a wrong type.
    """
    if data.count(b"[[expense]]") > MAX_ROWS:  # before minutes are spent on them
        raise _too_many(file, data.count(b"[[expense]]"))
    try:
        # TOML floats are read as decimals, with the digits that were written.
        raw = tomllib.loads(data.decode("utf-8-sig"), parse_float=Decimal)
    except (ValueError, ArithmeticError, RecursionError) as error:
        # ValueError: bytes that are no UTF-8, TOML's errors, and integers of too many digits.
        raise ConfigurationError(f"{file}: not a TOML file: {error}", code="CB-205") from error
    names = (*SINGLE, *KEYED, *LISTED)
    single: dict[str, Mapping[str, object]] = {}
    keyed: dict[str, Mapping[str, Mapping[str, object]]] = {}
    listed: dict[str, tuple[TableEntry, ...]] = {}
    for name, value in raw.items():
        if name in SINGLE:
            single[name] = _table(value, f"{file}: [{name}]")
        elif name in KEYED:
            keyed[name] = {
                key: _table(entry, f"{file}: [{name}.{key}]")
                for key, entry in _table(value, f"{file}: {name}").items()
            }
        elif name in LISTED:
            listed[name] = tuple(
                TableEntry(file, number, _table(entry, f"{file}: {NOUNS[name]} {number}"))
                for number, entry in enumerate(_list(value, f"{file}: {name}"), start=1)
            )
        else:
            raise ConfigurationError(f"{file}: {unknown(name, names)}", code="CB-206")
    return check_content(ChartContent(file=file, single=single, keyed=keyed, listed=listed))


def check_content(content: ChartContent) -> ChartContent:
    """Return ``content``; refuse an unknown key, or a value of a wrong type.

    A missing key is no error here: the chart that this one extends may have it. Raises
    ConfigurationError CB-206.
    """
    for name, values in content.single.items():
        _decode(values, _partial(SINGLE[name]), f"{content.file}: [{name}]")
    for name, entries in content.keyed.items():
        for key, values in entries.items():
            _decode(values, _partial(KEYED[name]), f"{content.file}: [{name}.{key}]")
    return content


def unknown(name: str, known: Iterable[str], what: str = "key", *, also: Iterable[str] = ()) -> str:
    """Return the sentence about an unknown key, with the nearest of the ``known``, or all of them.

    ``also`` are further names of the same keys: the nearest may be one of them, but they are not
    listed.
    """
    names = list(known)
    near = difflib.get_close_matches(name, [*names, *also], n=1)
    hint = f'did you mean "{near[0]}"?' if near else f"there are {', '.join(names)}"
    return f'unknown {what} "{name[:64]}"; {hint}'


def join(own: ChartContent, group: ChartContent) -> ChartContent:
    """Return a chart joined with its group's content.

    Tables are joined key by key, and the chart's own keys win. In the lists the chart's own
    entries come first. Its periods, listed or computed, replace the group's.
    Raises ConfigurationError CB-262 where the two are never valid on the same day.
    """
    group = _without_periods(own, group)
    single = {
        name: _merge(own.single.get(name, {}), group.single.get(name, {}))
        for name in SINGLE
        if name in own.single or name in group.single
    }
    single["chart"] = {**single.get("chart", {}), **_validity(own, group)}
    listed = {
        name: own.listed.get(name, ()) + group.listed.get(name, ())
        for name in LISTED
        if name != "period"
    }
    listed["period"] = own.listed.get("period") or group.listed.get("period", ())
    keyed = {name: _merge(own.keyed.get(name, {}), group.keyed.get(name, {})) for name in KEYED}
    return ChartContent(file=own.file, single=single, keyed=keyed, listed=listed)


def _without_periods(own: ChartContent, group: ChartContent) -> ChartContent:
    """Return the group's content without its periods, if the chart has periods of its own."""
    periods = group.single.get("periods", {})
    if own.listed.get("period"):
        rest = {key: value for key, value in periods.items() if key not in COMPUTING}
        return msgspec.structs.replace(group, single={**group.single, "periods": rest})
    if any(key in own.single.get("periods", {}) for key in COMPUTING):
        return msgspec.structs.replace(group, listed={**group.listed, "period": ()})
    return group


def _merge(own: Mapping[str, Any], group: Mapping[str, Any]) -> dict[str, Any]:
    merged = {**group, **own}
    for key in own.keys() & group.keys():
        if isinstance(own[key], Mapping) and isinstance(group[key], Mapping):
            merged[key] = _merge(own[key], group[key])
    return merged


def _validity(own: ChartContent, group: ChartContent) -> dict[str, dt.date]:
    bounds: dict[str, dt.date] = {}
    for key, pick in (("valid_from", max), ("valid_to", min)):
        values = [content.single.get("chart", {}).get(key) for content in (own, group)]
        dates = [value for value in values if isinstance(value, dt.date)]
        if dates:
            bounds[key] = pick(dates)
    if len(bounds) == 2 and bounds["valid_from"] > bounds["valid_to"]:
        raise ConfigurationError(
            f"{own.file}: it and {group.file}, which it extends, are never valid on the same day: "
            f"from {bounds['valid_from']} to {bounds['valid_to']}",
            code="CB-262",
        )
    return bounds


def tables_of(content: ChartContent) -> ChartTables:
    """Return the tables of a whole chart, typed.

    Raises ConfigurationError: CB-206 naming a table or entry that is missing or of a wrong type,
    CB-260 for more rows than a chart may have.
    """
    file = content.file
    for name in ("chart", "accounts", "company", "expense"):
        if not any(name in part for part in (content.single, content.keyed, content.listed)):
            raise ConfigurationError(f'{file}: "{name}" is missing', code="CB-206")
    for part, what in (
        (content.keyed.get("company"), "[company.…] table"),
        (content.listed.get("expense"), "[[expense]] row"),
    ):
        if not part:
            raise ConfigurationError(f"{file}: there is no {what}", code="CB-206")
    if len(content.listed["expense"]) > MAX_ROWS:
        raise _too_many(file, len(content.listed["expense"]))
    return ChartTables(
        chart=_single(content, "chart", ChartTable),
        accounts=_single(content, "accounts", AccountsTable),
        company={
            code: _decode(values, CompanyTable, f"{file}: [company.{code}]")
            for code, values in content.keyed["company"].items()
        },
        narration=_single(content, "narration", NarrationTable),
        allocation=_single(content, "allocation", AllocationTable),
        intercompany=_single(content, "intercompany", BetweenTable),
        periods=(
            _single(content, "periods", PeriodsTable)
            if "periods" in content.single or content.listed.get("period")
            else None
        ),
        expense=_place_tables(content, "expense", ExpenseTable),
        invoice=_place_tables(content, "invoice", InvoiceTable),
        cash_flow=_place_tables(content, "cash_flow", CashFlowTable),
        period=_place_tables(content, "period", PeriodTable),
    )


def _too_many(file: str, rows: int) -> ConfigurationError:
    return ConfigurationError(
        f"{file}: {rows} expense rows; the limit is {MAX_ROWS}", code="CB-260"
    )


_K = TypeVar("_K", bound=Table)


def _single(content: ChartContent, name: str, kind: type[_K]) -> _K:
    return _decode(content.single.get(name, {}), kind, f"{content.file}: [{name}]")


def _place_tables(content: ChartContent, name: str, kind: type[_K]) -> tuple[PlacedTable[_K], ...]:
    return tuple(
        PlacedTable(where, entry.file, entry.number, _decode(entry.values, kind, where))
        for entry in content.listed.get(name, ())
        for where in (entry.where(name),)
    )


def _table(value: object, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ConfigurationError(f"{where}: expected a table", code="CB-206")
    return value


def _list(value: object, where: str) -> list[object]:
    if not isinstance(value, list):
        raise ConfigurationError(f"{where}: expected a list of tables", code="CB-206")
    return value


def _partial(kind: type[Table]) -> type[Table]:
    """Return ``kind`` with no key required."""
    fields = [(field.name, field.type, None) for field in msgspec.structs.fields(kind)]
    partial = msgspec.defstruct(kind.__name__, fields, bases=(Table,), frozen=True)
    assert issubclass(partial, Table)  # by its bases
    return partial


def _decode(raw: object, kind: type[_K], where: str) -> _K:
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"{where}: {_reword(str(error), kind)}", code="CB-206") from error


_AT: Final = re.compile(r"^(?P<problem>.*?)(?: - at `\$(?P<path>.*)`)?$", re.DOTALL)
_UNKNOWN: Final = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)
_MISSING: Final = re.compile(r"Object missing required field `(.*)`", re.DOTALL)


def _reword(message: str, kind: type[Table]) -> str:
    """Return msgspec's sentence about an object's field as one about a table's key."""
    match = _AT.match(message)
    assert match is not None  # the pattern fits every text
    problem, path = match["problem"], (match["path"] or "").removeprefix(".")
    if stray := _UNKNOWN.fullmatch(problem):
        return unknown(stray[1], kind.__struct_fields__)
    if missing := _MISSING.fullmatch(problem):
        return f'"{missing[1]}" is missing'
    sentence = problem[:1].lower() + problem[1:]
    for term, toml in (("`object`", "a table"), ("`array`", "a list"), ("`str`", "text in quotes")):
        sentence = sentence.replace(term, toml)
    return f"{path}: {sentence}" if path else sentence
