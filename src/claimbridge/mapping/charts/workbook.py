"""The sheets of an Excel workbook (.xlsx), read with openpyxl within limits.

Nothing is computed and nothing hidden is left out: a formula is refused where it matters, and a
hidden sheet, row or column counts like any other, for a filter must not change what is posted.
"""

from __future__ import annotations

import datetime as dt
import io
import warnings
import zipfile
from typing import TYPE_CHECKING, Any, Final

from claimbridge.errors import ConfigurationError, MissingExtra
from claimbridge.mapping.cells import unescaped
from claimbridge.mapping.charts.grids import (
    MAX_BYTES,
    MAX_COLUMNS,
    MAX_LINES,
    Cell,
    Formula,
    Grid,
    refusal,
)

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

MAX_PARTS: Final = 1000
MAX_AREA: Final = 1_000_000

_DOCTYPES: Final = tuple("<!DOCTYPE".encode(one) for one in ("utf-8", "utf-16-le", "utf-16-be"))
"""A part in UTF-16 without a mark is read as such where its declaration says so."""


def workbook_grids(data: bytes, *, file: str) -> list[Grid]:
    """Return the sheets of a workbook, but for those whose name begins with ``#``.

    Raises ConfigurationError CB-260 for what is no .xlsx, holds macros or is too large, CB-261
    for merged cells; MissingExtra where openpyxl is not installed.
    """
    try:
        import openpyxl
    except ImportError as error:
        raise MissingExtra(
            f"{file}: a chart in Excel needs openpyxl: pip install 'claimbridge[excel]'"
        ) from error
    _check_package(data, file)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about what it does not keep when it writes
            book = openpyxl.load_workbook(io.BytesIO(data), keep_links=False)
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


def _check_package(data: bytes, file: str) -> None:
    """Refuse a package that is none, is protected, has macros, or unpacks to too much."""
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise refusal(file, "an old .xls, or protected by a password; save it as .xlsx without one")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            parts = package.infolist()
            size = sum(part.file_size for part in parts)
            if len(parts) > MAX_PARTS or size > MAX_BYTES:
                raise refusal(
                    file,
                    f"it unpacks to {len(parts)} parts of {size:,} bytes; the limits are "
                    f"{MAX_PARTS} and {MAX_BYTES:,}: delete what is no part of the chart",
                )
            names = {part.filename.lower() for part in parts}
            if any(name.endswith("vbaproject.bin") for name in names):
                raise refusal(file, "it holds macros; save it as .xlsx")
            if "[content_types].xml" not in names:
                raise refusal(file, "a ZIP file, but no Excel workbook")
            for part in parts:
                # A part declares no entities: what expands without end is refused unread.
                head = package.read(part)
                if any(one in head for one in _DOCTYPES) or head[:2] in (b"\xff\xfe", b"\xfe\xff"):
                    raise refusal(file, f"its part {part.filename[:80]} declares a document type")
    except ConfigurationError:
        raise
    except Exception as error:  # zipfile lets through what a broken package makes of seek, struct …
        raise refusal(file, f"not an .xlsx workbook: {error}") from error


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
    return Grid(
        where,
        sheet.title.strip(),
        tuple(
            (number, tuple(_value(cell) for cell in cells))
            for number, cells in enumerate(sheet.iter_rows(), start=1)
        ),
    )


def _value(cell: Any) -> Cell:
    value = cell.value
    if cell.data_type == "f":
        return Formula(value if isinstance(value, str) else "an array formula")
    if cell.data_type == "e":
        return Formula(str(value))
    if isinstance(value, str):
        return unescaped(value).strip() or None
    if value is None or isinstance(value, (bool, int, float, dt.date)):
        return value
    return Formula(str(value))  # a time of day or a span of time: no key takes one
