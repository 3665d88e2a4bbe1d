"""The accounts that an ERP has, and the departments that claims name, as lists from elsewhere."""

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

    In a sheet they stand in the column ``account``, else in the first one; a line that begins with
    ``#`` is a remark. Raises ConfigurationError: CB-265 for a list of nothing, and the codes of
    unreadable files and cells.
    """
    return _codes_in(path, _ACCOUNT, "account")


def read_departments(path: Path) -> frozenset[str]:
    """Return the departments in a file, likewise: they stand in the column ``department``."""
    return _codes_in(path, _DEPARTMENT, "department")


def _codes_in(path: Path, headers: frozenset[str], what: str) -> frozenset[str]:
    file, data = os.fspath(path), read_bytes(path)
    if path.suffix.lower() == ".xlsx":
        grid = next(iter(workbook_grids(data, file=file)), Grid(file, "", ()))
    else:
        grid = csv_grid(data, where=file, name=path.stem, most=MAX_CODES)
    found = _codes(grid, headers)
    if not found:
        raise ConfigurationError(f"{file}: it lists no {what}", code="CB-265")
    return found


def _codes(grid: Grid, headers: frozenset[str]) -> frozenset[str]:
    column = 0
    found: set[str] = set()
    for number, cells in grid.rows:
        filled = [str(cell).lower() if cell is not None else "" for cell in cells]
        named = next((place for place, cell in enumerate(filled) if cell in headers), None)
        if named is not None and not found:
            column = named
            continue
        cell = cells[column] if column < len(cells) else None
        if cell is None or (isinstance(cell, str) and cell.startswith("#")):
            continue
        found.add(text_of(cell, f"{grid.where}, row {number}"))
    return frozenset(found)
