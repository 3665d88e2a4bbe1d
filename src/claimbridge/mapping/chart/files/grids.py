"""Sheets of cells, from CSV text or an Excel workbook; each cell as it was written."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterator
from typing import Final, NamedTuple, TypeAlias

from claimbridge.errors import ConfigurationError
from claimbridge.mapping.chart.files.cells import UnreadableCell, decode_text, table_text, unescape

MAX_BYTES: Final = 32 * 1024 * 1024
"""Of a chart's file, and of what a workbook unpacks to."""
MAX_COLUMNS: Final = 256
MAX_TEXT: Final = 32_767
"""Characters of one cell: Excel takes no more."""
MAX_LINES: Final = 60_000
"""Down to which row a sheet of a chart may have cells."""


class Formula(NamedTuple):
    """A computed cell: its value depends on the program that opened the file last."""

    text: str


Cell: TypeAlias = str | int | float | bool | dt.date | Formula | None
"""None: empty. A ``datetime`` is a date with a time; floats come from Excel, which has no others"""


class Grid(NamedTuple):
    """The cells of one sheet, row by row, with each row's number as a spreadsheet shows it.

    ``where`` names the sheet in messages.
    """

    where: str
    name: str
    rows: tuple[tuple[int, tuple[Cell, ...]], ...]


def refusal(where: str, problem: str) -> ConfigurationError:
    """Return the error CB-260: a file is too large, or no chart can be read from it."""
    return ConfigurationError(f"{where}: {problem}", code="CB-260")


def csv_grid(data: bytes, *, where: str, name: str, most: int = MAX_LINES) -> Grid:
    """Return the cells of a CSV file: UTF-8, UTF-16 with its mark, or GB18030.

    Commas, semicolons or tabs separate the cells: the one that is most frequent in the first line.
    Raises ConfigurationError CB-260, also for more than ``most`` rows.
    """
    try:
        text = decode_text(data)
    except UnreadableCell as error:
        raise refusal(where, str(error)) from error
    if "\0" in text:
        raise refusal(where, "neither UTF-8 nor UTF-16 nor GB18030 text; save it as CSV UTF-8")
    try:
        rows = tuple(_csv_rows(text, where, most))
    except csv.Error as error:
        raise refusal(where, f"not a CSV file: {error}") from error
    return Grid(where, name, rows)


def _csv_rows(text: str, where: str, most: int) -> Iterator[tuple[int, tuple[Cell, ...]]]:
    body, separator, _ = table_text(text)
    reader = csv.reader(io.StringIO(body, newline=""), delimiter=separator, strict=True)
    for number, cells in enumerate(reader, start=1):
        if len(cells) > MAX_COLUMNS:
            raise refusal(where, f"row {number} has {len(cells)} cells; the limit is {MAX_COLUMNS}")
        if number > most:
            raise refusal(where, f"more than {most:,} rows")
        yield number, tuple(_csv_cell(cell) for cell in cells)


def _csv_cell(text: str) -> Cell:
    stripped = unescape(text).strip()
    return Formula(stripped) if stripped.startswith("=") else stripped or None
