"""The sheets of an Excel workbook (.xlsx), read with openpyxl from parts that were parsed here.

Nothing is computed: a formula is refused where it matters. Nothing hidden is left out: a hidden
sheet, row or column counts like any other, since a filter must not change what is posted.
"""

from __future__ import annotations

import datetime as dt
import io
import warnings
from typing import TYPE_CHECKING, Any

from claimbridge.errors import ConfigurationError, requires_extra
from claimbridge.mapping.chart.files.cells import unescape
from claimbridge.mapping.chart.files.grids import (
    MAX_BYTES,
    MAX_COLUMNS,
    MAX_LINES,
    MAX_TEXT,
    Cell,
    Formula,
    Grid,
    refusal,
)
from claimbridge.mapping.chart.files.package import MAX_AREA, clean

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet


def workbook_grids(data: bytes, *, file: str) -> list[Grid]:
    """Return the sheets of a workbook, except those whose name begins with ``#``.

    Raises ConfigurationError: CB-260 where it is no .xlsx, holds macros or is too large, CB-261 for
    merged cells. Raises MissingExtra where openpyxl is not installed.
    """
    with requires_extra("excel", need=f"{file}: a chart in Excel needs openpyxl"):
        import openpyxl
    package = clean(data, file=file)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they concern writing, which is not done here
            book = openpyxl.load_workbook(io.BytesIO(package), keep_links=False)
    except Exception as error:  # openpyxl lets those of zipfile, XML and its own through
        raise refusal(
            file,
            f"the workbook cannot be read: {type(error).__name__}: {str(error)[:200]}; "
            "save it anew as .xlsx",
        ) from error
    return [
        _grid(sheet, f'{file}: sheet "{sheet.title}"')
        for sheet in book.worksheets
        if not sheet.title.startswith("#")
    ]


def _grid(sheet: Worksheet, where: str) -> Grid:
    lines, columns = sheet.max_row, sheet.max_column
    if lines > MAX_LINES or columns > MAX_COLUMNS or lines * columns > MAX_AREA:
        raise refusal(
            where,
            f"it has cells down to row {lines:,} and column {columns:,}; the limits are "
            f"{MAX_LINES:,} and {MAX_COLUMNS}: delete the empty rows and columns behind the last",
        )
    if sheet.merged_cells.ranges:
        first = min(str(merged) for merged in sheet.merged_cells.ranges)
        raise ConfigurationError(
            f"{where}: cells {first} are merged, and only the first of them has the value; "
            "undo the merge and fill each cell",
            code="CB-261",
        )
    _check_texts(sheet, where)
    rows = tuple(
        (number, tuple(_value(cell) for cell in cells))
        for number, cells in enumerate(sheet.iter_rows(), start=1)
    )
    return Grid(where, sheet.title.strip(), rows)


def _check_texts(sheet: Worksheet, where: str) -> None:
    """Refuse texts longer than Excel's, and too many of them: cells may share a text."""
    total = 0
    for cells in sheet.iter_rows():
        for cell in cells:
            length = len(cell.value) if isinstance(cell.value, str) else 0
            if length > MAX_TEXT:
                raise refusal(
                    where,
                    f"its cell {cell.coordinate} holds {length:,} characters, where {MAX_TEXT:,} "
                    "are allowed, as in Excel; shorten it",
                )
            total += length
    if total > MAX_BYTES:
        raise refusal(where, f"its cells hold more than {MAX_BYTES:,} characters; shorten them")


def _value(cell: Any) -> Cell:
    value = cell.value
    if cell.data_type == "f":
        return Formula(value if isinstance(value, str) else "an array formula")
    if cell.data_type == "e":
        return Formula(str(value))
    if isinstance(value, str):
        return unescape(value).strip() or None
    if value is None or isinstance(value, (bool, int, float, dt.date)):
        return value
    return Formula(str(value))  # a time of day or a span of time: no key takes one
