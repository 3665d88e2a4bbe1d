"""Claims in CSV: a row for each line of a claim; the claim's own columns are repeated.

What people's hands and spreadsheets do to such a file is read where it means one thing, else
refused by row and column. One claim that is wrong does not spoil the others of its file.
"""

from __future__ import annotations

import contextlib
import csv
import io
import re
import threading
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from claimbridge.errors import ClaimBridgeError, ClaimError
from claimbridge.mapping.chart.files.cells import UnreadableCell, table_text
from claimbridge.model import Claim
from claimbridge.model.text import plain
from claimbridge.sources.csv.cells import clean, value_of
from claimbridge.sources.csv.header import KNOWN, Column, check_header, columns_of

_LIMIT: Final = threading.Lock()
"""Held by whoever has changed the csv module's limit."""
_TOTALS: Final = frozenset(
    {
        "合计",
        "总计",
        "小计",
        "共计",
        "合计金额",
        "total",
        "totals",
        "grand total",
        "subtotal",
        "sum",
    }
)
_CLAIM: Final = ("company", "employee", "currency", "total")
_LINE: Final = ("line.type", "line.date", "line.amount")
"""Fields that no claim, and no line, is without."""
_ABOVE: Final = 10
"""How many rows a title may take before the header is looked for no more."""
_PLACE: Final = re.compile(r"(?:lines\[(\d+)\]\.(documents\[0\]\.)?)?([a-z_]+(?:\.[^ ]+)?)")


class _Row(NamedTuple):
    """A row's number, as spreadsheets count, and its cells by column; empty ones left out."""

    number: int
    cells: dict[Column, str]

    def get(self, field: str) -> str:
        """Return the cell of a field; "" where there is none."""
        return next((cell for column, cell in self.cells.items() if column.field == field), "")


def claims_in_rows(text: str, *, what: str) -> Iterator[Claim | ClaimBridgeError]:
    """Yield the claims of a file's text, in their order; for each that is none, why.

    Raises ClaimError: CB-562 for its header, CB-564 for UTF-16 without a mark, CB-536
    where it is no CSV or has no rows.
    """
    if "\0" in text:
        raise ClaimError(f"{what}: UTF-16 without its mark; save it as CSV UTF-8", code="CB-564")
    with _long_cells(len(text)):
        rows = _rows(text, what)
    if not rows:
        raise ClaimError(f"{what} has no rows under its header", code="CB-536")
    groups: dict[tuple[str, str], list[_Row]] = {}
    for row in rows:
        key = (row.get("id"), row.get("revision")) if not _is_of_totals(row) else ("", "totals")
        groups.setdefault(key, []).append(row)
    for (claim_id, kind), group in groups.items():
        if claim_id:
            yield _claim(group)
        elif kind == "totals":
            yield from map(_totals, group)
        else:
            numbers = ", ".join(str(row.number) for row in group[:5])
            yield _refusal(f"row {numbers}: there is no id; give the line its claim's id")


def _rows(text: str, what: str) -> list[_Row]:
    body, separator, skipped = table_text(text)
    reader = csv.reader(io.StringIO(body, newline=""), delimiter=separator, strict=True)
    texts: dict[str, str] = {}  # the same text once, however many rows repeat it
    rows: list[_Row] = []
    try:
        filled = ((reader.line_num, cells) for cells in reader if any(map(str.strip, cells)))
        head = next(filled, (0, []))
        columns = columns_of(head[1])
        first = [next(filled, None) for _ in range(_ABOVE)]
        next_rows = [row for row in first if row is not None]
        check_header(columns, next_rows, what=what)
        for number, cells in (*next_rows, *filled):
            row_cells = _cells_by_column(columns, cells, number, what)
            row_texts = {column: texts.setdefault(cell, cell) for column, cell in row_cells.items()}
            if row_texts:
                rows.append(_Row(number, row_texts))
    except csv.Error as error:
        raise ClaimError(
            f"{what}, row {reader.line_num + skipped} is not CSV: {error}", code="CB-536"
        ) from error
    return rows


def _cells_by_column(
    columns: Sequence[Column], cells: Sequence[str], number: int, what: str
) -> dict[Column, str]:
    """Return the cells that hold something, by column; those behind the last must be empty."""
    if len(cells) < len(columns) or any(map(str.strip, cells[len(columns) :])):
        raise ClaimError(
            f"{what}, row {number} has {len(cells)} cells, the header {len(columns)}; look for a "
            "separator inside a text without quotes",
            code="CB-536",
        )
    row_cells: dict[Column, str] = {}
    for place, (column, cell) in enumerate(zip(columns, cells, strict=False), start=1):
        text = clean(cell, column.field)
        if text and not column.field:
            raise ClaimError(
                f"{what}, row {number}: column {place} has a cell, but no name in the header",
                code="CB-562",
            )
        if text:
            row_cells[column] = text
    return row_cells


@contextlib.contextmanager
def _long_cells(most: int) -> Iterator[None]:
    """Let cells be as long as the whole text, so that one too long is its own claim's trouble.

    The csv module has one limit for the whole process: it is given back as it was.
    """
    with _LIMIT:
        before = csv.field_size_limit(max(most, csv.field_size_limit()))
        try:
            yield
        finally:
            csv.field_size_limit(before)


def _is_of_totals(row: _Row) -> bool:
    """Return whether a row adds up those above it: it says so, and claims nothing by itself."""
    if row.get("line.type") or row.get("employee"):
        return False
    return any(plain(cell).casefold().rstrip(":") in _TOTALS for cell in row.cells.values())


def _totals(row: _Row) -> ClaimError:
    text = next(iter(row.cells.values()))
    return ClaimError(
        f'row {row.number} ("{text[:40]}") is one of totals, and no claim: it was left out; '
        "delete it",
        code="CB-563",
    )


def _claim(rows: Sequence[_Row]) -> Claim | ClaimBridgeError:
    """Return the claim of rows that share id and revision; why it is none."""
    claim_id = rows[0].get("id")
    try:
        _check_same(rows)
        fields = _fields(rows[0], rows[0].get("currency"), prefix="")
        _check_filled(rows[0], _CLAIM)
        content = {"revision": 1, **fields, "lines": [_line(row, rows[0]) for row in rows]}
        try:
            return Claim.from_dict(content)
        except ClaimError as error:
            error.message = _with_place(error.message, rows)
            error.args = (error.message,)
            return error
    except ClaimBridgeError as error:
        error.claim_id = error.claim_id or claim_id[:64]
        return error


def _check_same(rows: Sequence[_Row]) -> None:
    """Refuse rows of one claim that contradict each other."""
    first = rows[0]
    own = {column: None for row in rows for column in row.cells if not _is_of_line(column.field)}
    for row in rows[1:]:
        for column in own:
            if row.cells.get(column, "") != first.cells.get(column, ""):
                raise ClaimError(
                    f"{column}: row {row.number} says {_short(row.cells.get(column))}, row "
                    f"{first.number} of the same claim {_short(first.cells.get(column))}; let both "
                    "say the same",
                    code="CB-536",
                )


def _line(row: _Row, first: _Row) -> dict[str, Any]:
    _check_filled(row, _LINE)
    currency = row.get("line.currency") or first.get("currency")
    line = _fields(row, currency, prefix="line.")
    document = _fields(row, currency, prefix="document.")
    if document:
        line["documents"] = [document]
    return line


def _check_filled(row: _Row, fields: Sequence[str]) -> None:
    for field in fields:
        if not row.get(field):
            raise _refusal(f"row {row.number}: {field} is missing")


def _fields(row: _Row, currency: str, *, prefix: str) -> dict[str, Any]:
    """Return the cells whose columns begin with ``prefix`` as fields."""
    fields: dict[str, Any] = {}
    for column, cell in row.cells.items():
        field = column.field
        if not (field.startswith(prefix) if prefix else not _is_of_line(field)):
            continue
        name = field.removeprefix(prefix)
        outer, dot, inner = name.partition(".")
        if dot and outer == "dimensions" and prefix != "document.":
            fields.setdefault("dimensions", {})[inner] = _value(cell, column, row, currency)
        elif field in KNOWN:
            fields[name] = _value(cell, column, row, currency)
        else:
            raise _refusal(
                f"row {row.number}: nobody knows the column {column.written}; name it as "
                "docs/sources.md does, or delete it"
            )
    return fields


def _value(cell: str, column: Column, row: _Row, currency: str) -> object:
    try:
        return value_of(cell, column.field, plain(currency))
    except UnreadableCell as error:
        raise _refusal(f'row {row.number}, {column}: "{cell[:40]}": {error}') from error


def _with_place(message: str, rows: Sequence[_Row]) -> str:
    """Return a claim's refusal with the row and the column that it is about."""
    place = _PLACE.match(message)
    if place is None:
        return message
    line, document, name = place.groups()
    prefix = "" if line is None else "document." if document else "line."
    row = rows[int(line or 0)]
    column = next((each for each in row.cells if each.field == prefix + name), None)
    return message if column is None else f"row {row.number}, {column}: {message}"


def _is_of_line(field: str) -> bool:
    return field.startswith(("line.", "document."))


def _short(text: str | None) -> str:
    return repr(text[:40]) if text else "nothing"


def _refusal(why: str) -> ClaimError:
    return ClaimError(why, code="CB-561")


__all__ = ["claims_in_rows"]
