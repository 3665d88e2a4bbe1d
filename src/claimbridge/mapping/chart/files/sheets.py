"""Sheets of cells into a chart's tables, by the keys and types of ``layout``.

A sheet is a table: its first row that is not empty names the keys. ``chart``, ``accounts`` and the
like have a row for each key, in the columns ``key`` and ``value``; ``company`` a row for each
company; ``expense`` and the like a row for each entry. ``rates.EUR`` is the key ``EUR`` of the
table ``rates``. A column, row or sheet whose name begins with ``#`` is a remark. ``names`` has the
Chinese names of sheets and keys.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from functools import cache
from typing import Any, Final, Literal, NamedTuple, NoReturn, TypeAlias

import msgspec
from msgspec import inspect

from claimbridge.errors import ClaimError, ConfigurationError
from claimbridge.mapping.chart.files.content import ChartContent, TableEntry, check_content, unknown
from claimbridge.mapping.chart.files.grids import Cell, Formula, Grid
from claimbridge.mapping.chart.files.layout import KEYED, LISTED, SINGLE, Table
from claimbridge.mapping.chart.names import Header, chinese_keys, chinese_sheets, sheet_of
from claimbridge.model.money import EXACT, MAX_FRACTION_DECIMALS
from claimbridge.model.text import check_code, check_free_text

Kind: TypeAlias = Literal["text", "number", "date", "truth", "texts"]


class Keys(NamedTuple):
    """The keys that a sheet may have, each with its kind, and the tables of keys."""

    plain: Mapping[str, Kind]
    tables: Mapping[str, Kind | Mapping[str, Kind]]

    def place(self, header: str) -> tuple[tuple[str, ...], Kind] | None:
        """Return the path to a key, and its kind; None for an unknown key."""
        if header in self.plain:
            return (header,), self.plain[header]
        table, _, rest = header.partition(".")
        inner = self.tables.get(table)
        if not rest or inner is None:
            return None
        if isinstance(inner, str):
            return (table, rest), inner
        code, _, key = rest.rpartition(".")
        return ((table, code, key), inner[key]) if code and key in inner else None

    def unknown(self, header: Header, what: str = "key") -> str:
        """Return the sentence about a header that names no key of the sheet."""
        keys = [*self.plain, *(f"{table}.…" for table in self.tables)]
        also = chinese_keys({**self.plain, **self.tables})
        return unknown(header.written, keys, what, also=also)


def content_of(grids: Iterable[Grid], *, file: str) -> ChartContent:
    """Return the content of a chart's sheets; ``file`` names the chart in messages.

    An empty sheet is ignored. Raises ConfigurationError: CB-206 for a sheet or key that is unknown
    or there twice, CB-261 naming a cell that cannot be read exactly.
    """
    single: dict[str, Mapping[str, object]] = {}
    keyed: dict[str, Mapping[str, Mapping[str, object]]] = {}
    listed: dict[str, tuple[TableEntry, ...]] = {}
    titles: dict[str, str] = {}
    for grid in grids:
        name = sheet_of(grid.name)
        if name in titles:
            raise ConfigurationError(
                f'{file}: "{titles[name]}" and "{grid.name}" are both the sheet "{name}"; '
                "keep one of the two",
                code="CB-206",
            )
        if name in {*SINGLE, *KEYED, *LISTED}:
            titles[name] = grid.name
        if name in SINGLE:
            single[name] = _pairs(grid, _keys(SINGLE[name]))
        elif name in KEYED:
            keyed[name] = _by_code(grid, name, _keys(KEYED[name]))
        elif name in LISTED:
            listed[name] = tuple(
                TableEntry(file, number, values)
                for number, values in _records(grid, _keys(LISTED[name]))
            )
        elif any(cell is not None for _, cells in grid.rows for cell in cells):
            names = (*SINGLE, *KEYED, *LISTED)
            raise ConfigurationError(
                f"{file}: {unknown(grid.name, names, 'sheet', also=chinese_sheets())}; there are "
                f"{', '.join(names)}, docs/chart.md has their Chinese names, and a sheet with "
                "remarks has a name that begins with #",
                code="CB-206",
            )
    return check_content(ChartContent(file=file, single=single, keyed=keyed, listed=listed))


@cache
def _keys(kind: type[Table]) -> Keys:
    plain: dict[str, Kind] = {}
    tables: dict[str, Kind | Mapping[str, Kind]] = {}
    for field in msgspec.structs.fields(kind):
        for type_ in _alternatives(inspect.type_info(field.type)):
            if isinstance(type_, inspect.DictType):
                inner = type_.value_type
                tables[field.name] = (
                    _keys(inner.cls).plain
                    if isinstance(inner, inspect.StructType)
                    else _kind(inner)
                )
            elif not isinstance(type_, inspect.NoneType):
                plain[field.name] = _kind(type_)
    return Keys(plain, tables)


def _alternatives(type_: inspect.Type) -> tuple[inspect.Type, ...]:
    return type_.types if isinstance(type_, inspect.UnionType) else (type_,)


_KINDS: Final[Mapping[type[inspect.Type], Kind]] = {
    inspect.StrType: "text",
    inspect.LiteralType: "text",
    inspect.DecimalType: "number",
    inspect.CustomType: "number",  # object: booking rates, which rules_from_tables checks
    inspect.DateType: "date",
    inspect.BoolType: "truth",
    inspect.VarTupleType: "texts",
}


def _kind(type_: inspect.Type) -> Kind:
    return _KINDS[type(type_)]


def _pairs(grid: Grid, keys: Keys) -> dict[str, object]:
    """Return the table that a sheet of keys and values holds."""
    columns = _columns(grid, {"key", "value"})
    if {header.key for header in columns.values()} != {"key", "value"}:
        _refuse(grid.where, 'it must have the columns "key" and "value"', code="CB-206")
    table: dict[str, Any] = {}
    for number, by_header in _cells_by_header(grid, columns):
        where = f"{grid.where}, row {number}"
        cells = {column.key: cell for column, cell in by_header.items()}
        if cells["key"] is None:
            _refuse(where, "there is a value without a key", code="CB-206")
        header = Header.of(text_of(cells["key"], where))
        place = keys.place(header.key)
        if place is None:
            _refuse(where, keys.unknown(header), code="CB-206")
        path, kind = place
        value = _read(cells["value"], kind, f"{where}, {header}", header.key)
        _put(table, path, value, where)
    return table


def _by_code(grid: Grid, code: str, keys: Keys) -> dict[str, dict[str, object]]:
    """Return the tables under codes, one a row; the code's column has the name of the sheet."""
    records: dict[str, dict[str, object]] = {}
    with_code = Keys({code: "text", **keys.plain}, keys.tables)
    for number, values in _records(grid, with_code):
        where = f"{grid.where}, row {number}"
        name = values.pop(code, None)
        if not isinstance(name, str):
            _refuse(where, f'"{code}" is missing', code="CB-206")
        if name in records:
            _refuse(where, f'"{name}" has a row already', code="CB-206")
        records[name] = values
    return records


def _records(grid: Grid, keys: Keys) -> Iterator[tuple[int, dict[str, object]]]:
    columns = _columns(grid, None)
    places = {}
    for header in columns.values():
        place = keys.place(header.key)
        if place is None:
            _refuse(grid.where, keys.unknown(header, "column"), code="CB-206")
        places[header] = place
    for number, by_header in _cells_by_header(grid, columns):
        record: dict[str, object] = {}
        for header, cell in by_header.items():
            path, kind = places[header]
            where = f"{grid.where}, row {number}, {header}"
            _put(record, path, _read(cell, kind, where, header.key), where)
        yield number, record


def _columns(grid: Grid, known: set[str] | None) -> dict[int, Header]:
    """Return the headers by column; remarks and, with ``known``, all others left out."""
    rows = list(_rows_with_cells(grid))
    if not rows:
        return {}
    number, head = rows[0]
    columns: dict[int, Header] = {}
    for place in range(max(len(cells) for _, cells in rows)):
        cell = head[place] if place < len(head) else None
        if cell is None:
            for below, cells in rows[1:]:
                if place < len(cells) and cells[place] is not None:
                    _refuse(
                        f"{grid.where}, row {below}",
                        f"column {place + 1} has a cell, but no name in row {number}",
                        code="CB-206",
                    )
            continue
        header = Header.of(text_of(cell, f"{grid.where}, row {number}"))
        if header.written.startswith("#") or (known is not None and header.key not in known):
            continue
        for other in columns.values():
            if other.key == header.key:
                twice = f'there are two columns "{header.key}"{_both(other, header)}'
                _refuse(grid.where, twice, code="CB-206")
        columns[place] = header
    return columns


def _both(header: Header, other: Header) -> str:
    """Return, for a message, the two names of one key; "" where they are the same."""
    same = header.written == other.written
    return "" if same else f": {header.written} and {other.written}; keep one"


def _rows_with_cells(grid: Grid) -> Iterator[tuple[int, tuple[Cell, ...]]]:
    """Yield the rows that are neither empty nor a remark, the row of headers first."""
    seen = False
    for number, cells in grid.rows:
        first = next((cell for cell in cells if cell is not None), None)
        if first is None or (seen and isinstance(first, str) and first.startswith("#")):
            continue
        seen = True
        yield number, cells


def _cells_by_header(
    grid: Grid, columns: Mapping[int, Header]
) -> Iterator[tuple[int, dict[Header, Cell]]]:
    """Yield the rows below the headers as cells by header."""
    rows = _rows_with_cells(grid)
    next(rows, None)
    for number, cells in rows:
        by_header = {
            header: cells[place] if place < len(cells) else None
            for place, header in columns.items()
        }
        if any(cell is not None for cell in by_header.values()):
            yield number, by_header


def _put(table: dict[str, Any], path: tuple[str, ...], value: object, where: str) -> None:
    if value is None:
        return  # an empty cell leaves its key out
    for name in path[:-1]:
        table = table.setdefault(name, {})
        if not isinstance(table, dict):
            _refuse(where, f'"{name}" has a value of its own already', code="CB-206")
    if path[-1] in table:
        _refuse(where, f'"{".".join(path)}" is given twice', code="CB-206")
    table[path[-1]] = value


def _read(cell: Cell, kind: Kind, where: str, key: str) -> object:
    """Return the value that a cell gives ``key``; None for an empty cell."""
    if cell is None:
        return None
    if isinstance(cell, Formula):
        _refuse(where, f"a formula or error, {cell.text[:40]}; put in its value")
    if kind == "text":
        return _visible_text(text_of(cell, where), where, key)
    if kind == "texts":
        parts = _COMMA.split(text_of(cell, where))
        return tuple(_visible_text(part.strip(), where, key) for part in parts if part.strip())
    if kind == "number":
        return _number(cell, where)
    return _date(cell, where) if kind == "date" else _truth(cell, where)


_FOR_PEOPLE: Final = ("name", "narration", "when", "line", "claim")
"""Keys whose texts are no codes."""


def _visible_text(text: str, where: str, key: str) -> str:
    """Return a cell's text; refuse one that looks different from what it holds."""
    check = check_free_text if key in _FOR_PEOPLE else check_code
    try:
        check(text, "the cell")
    except ClaimError as error:
        _refuse(where, error.message)
    if check is check_code and text.startswith("'"):
        _refuse(where, f"{text[:40]!r} begins with a spreadsheet's mark for text; delete it")
    return text


_PER_CENT: Final = Decimal(-2)
_COMMA: Final = re.compile("[,，、;；\n]")
_SCIENTIFIC: Final = re.compile(r"\d(\.\d+)?E\+\d+")
_NUMBER: Final = re.compile(r"([+-]?[0-9]+(?:\.[0-9]+)?)( ?[%％])?")
_DATE: Final = re.compile(r"([0-9]{4})([-/.])([0-9]{1,2})\2([0-9]{1,2})")


def text_of(cell: Cell, where: str) -> str:
    """Return the text of a cell; raises ConfigurationError CB-261 for a number or a date."""
    if isinstance(cell, str):
        if _SCIENTIFIC.fullmatch(cell):
            _refuse(where, f"{cell} has lost digits in a spreadsheet; write it anew as text")
        return cell
    what = "a date" if isinstance(cell, dt.date) else f"the number {cell!r}"
    return _refuse(
        where,
        f"the cell is {what}, not text, and zeros of a code would be lost; give the column the "
        "format Text, then type the value anew",
    )


def _number(cell: Cell, where: str) -> Decimal:
    if isinstance(cell, str):
        match = _NUMBER.fullmatch(unicodedata.normalize("NFKC", cell))
        if not match or len(cell) > 40:
            _refuse(where, f"{cell[:40]!r} is no number such as 1234.56 or 6 %")
        return EXACT.scaleb(Decimal(match[1]), _PER_CENT) if match[2] else Decimal(match[1])
    if isinstance(cell, bool) or not isinstance(cell, (int, float)):
        _refuse(where, f"{cell} is no number")
    # A workbook's numbers are binary. A typed number is the shortest decimal with the same binary
    # value; a computed one has more decimals than anyone writes.
    number = Decimal(repr(cell))
    if not number.is_finite() or -int(number.as_tuple().exponent) > MAX_FRACTION_DECIMALS:
        _refuse(
            where,
            f"{cell!r} has more than {MAX_FRACTION_DECIMALS} decimals, as computed numbers have; "
            "type the number that is meant",
        )
    return number


def _date(cell: Cell, where: str) -> dt.date:
    if isinstance(cell, dt.datetime):
        if cell.time() != dt.time():
            _refuse(where, f"{cell} has a time of day; a date is meant")
        return cell.date()
    if isinstance(cell, dt.date):
        return cell
    match = _DATE.fullmatch(cell) if isinstance(cell, str) else None
    if match is not None:
        try:
            return dt.date(int(match[1]), int(match[3]), int(match[4]))
        except ValueError:
            pass  # no such day: refused below
    return _refuse(where, f"{str(cell)[:40]!r} is no date; write it as 2026-03-31")


_TRUTHS: Final = {"true": True, "yes": True, "是": True, "false": False, "no": False, "否": False}


def _truth(cell: Cell, where: str) -> bool:
    truth = cell if isinstance(cell, bool) else _TRUTHS.get(str(cell).lower())
    if truth is None:
        _refuse(where, f"{str(cell)[:40]!r} is neither yes nor no")
    return truth


def _refuse(where: str, problem: str, *, code: str = "CB-261") -> NoReturn:
    raise ConfigurationError(f"{where}: {problem}", code=code)
