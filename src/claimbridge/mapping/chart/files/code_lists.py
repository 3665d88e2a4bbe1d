"""Lists of an ERP's accounts, and of the departments that claims name, read from files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from claimbridge.errors import ConfigurationError
from claimbridge.mapping.chart.files.files import read_bytes
from claimbridge.mapping.chart.files.grids import Grid, csv_grid
from claimbridge.mapping.chart.files.sheets import text_of
from claimbridge.mapping.chart.files.workbook import workbook_grids

MAX_CODES: Final = 1_000_000
_ACCOUNT: Final = frozenset({"account", "account code", "科目", "科目编码", "科目代码"})
_DEPARTMENT: Final = frozenset({"department", "department code", "部门", "部门编码", "部门代码"})


def read_accounts(path: Path) -> frozenset[str]:
    """Return the accounts in a file: text with one a line, CSV, or the first sheet of an .xlsx.

    In a sheet they stand in the column ``account``, otherwise in the first one. A line that begins
    with ``#`` is a remark. Raises ConfigurationError: CB-265 for an empty list, and the codes of
    unreadable files and cells.
    """
    return _codes_in(path, _ACCOUNT, "account")


def read_departments(path: Path) -> frozenset[str]:
    """Return the departments in a file, as ``read_accounts`` does; the column is ``department``."""
    return _codes_in(path, _DEPARTMENT, "department")


def _codes_in(path: Path, headers: frozenset[str], what: str) -> frozenset[str]:
    file, data = os.fspath(path), read_bytes(path)
    if path.suffix.lower() == ".xlsx":
        grid = next(iter(workbook_grids(data, file=file)), Grid(file, "", ()))
    else:
        grid = csv_grid(data, where=file, name=path.stem, most=MAX_CODES)
    codes = _codes(grid, headers)
    if not codes:
        raise ConfigurationError(f"{file}: it lists no {what}", code="CB-265")
    return codes


def _codes(grid: Grid, headers: frozenset[str]) -> frozenset[str]:
    column = 0
    codes: set[str] = set()
    for number, cells in grid.rows:
        texts = [str(cell).lower() if cell is not None else "" for cell in cells]
        header = next((place for place, text in enumerate(texts) if text in headers), None)
        if header is not None and not codes:
            column = header
            continue
        cell = cells[column] if column < len(cells) else None
        if cell is None or (isinstance(cell, str) and cell.startswith("#")):
            continue
        codes.add(text_of(cell, f"{grid.where}, row {number}"))
    return frozenset(codes)
