"""A chart's files: TOML, a folder of CSV files, an Excel workbook; and the group's chart."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from claimbridge.errors import ConfigurationError
from claimbridge.mapping.chart.files.content import ChartContent, TableEntry, join, parse_toml
from claimbridge.mapping.chart.files.grids import MAX_BYTES, Grid, csv_grid, refusal
from claimbridge.mapping.chart.files.sheets import content_of
from claimbridge.mapping.chart.files.workbook import workbook_grids

MAX_DEPTH: Final = 10
_NOWHERE: Final = (OSError, ValueError)
"""The errors of a path that names no file; ValueError: it holds a null character."""
_OTHER_SHEETS: Final = frozenset({".xlsm", ".xlsb", ".xls", ".xltx", ".xltm", ".ods", ".numbers"})


def load_content(path: Path) -> ChartContent:
    """Return the content of the chart at ``path``, joined with its group's.

    Raises ConfigurationError naming the file: CB-205 where it cannot be read, CB-260 where it is
    no chart, CB-262 where the chart that it extends is missing, and the codes of its content.
    """
    return _with_group(path, ())


def without_files(content: ChartContent) -> ChartContent:
    """Return ``content``; refuse content that came from no file and needs files beside it."""
    for key in ("extends", "rows"):
        if content.text(key) is not None:
            raise ConfigurationError(
                f'{content.file}: [chart]: "{key}" names a file, relative to the chart\'s own; '
                "load the chart from its file",
                code="CB-262",
            )
    return content


def _with_group(path: Path, below: tuple[Path, ...]) -> ChartContent:
    place = _real_path(path)
    if place in below:
        names = " extends ".join(chart.name for chart in (*below[below.index(place) :], place))
        raise ConfigurationError(f"{path}: charts extend each other: {names}", code="CB-262")
    if len(below) >= MAX_DEPTH:
        raise ConfigurationError(
            f"{path}: more than {MAX_DEPTH} charts extend each other", code="CB-262"
        )
    content = _with_rows(_read(path), path)
    group = content.text("extends")
    if group is None:
        return content
    group_path = _beside(path, group)
    try:
        group_path.stat()
    except _NOWHERE as error:
        raise ConfigurationError(
            f"{path}: [chart]: it extends {group}, and there is no {group_path}", code="CB-262"
        ) from error
    return join(content, _with_group(group_path, (*below, place)))


def _real_path(path: Path) -> Path:
    """Return a chart's path without links; refuse a path that names no file."""
    try:
        path.stat()
        return path.resolve()
    except _NOWHERE as error:
        raise _unreadable(path, error) from error


def _read(path: Path) -> ChartContent:
    file, suffix = os.fspath(path), path.suffix.lower()
    if path.is_dir():
        return content_of(_folder(path), file=file)
    if suffix in _OTHER_SHEETS:
        raise refusal(file, f"a chart in Excel is an .xlsx file, not {suffix}; save it as one")
    if suffix == ".csv":
        raise refusal(file, "a chart in CSV is a folder of chart.csv, accounts.csv, company.csv …")
    data = read_bytes(path)
    if suffix == ".xlsx":
        return content_of(workbook_grids(data, file=file), file=file)
    if data[:4] in (b"PK\x03\x04", b"\xd0\xcf\x11\xe0"):
        raise refusal(file, "it is no TOML, but looks like a workbook; name it .xlsx")
    return parse_toml(data, file=file)


def _folder(path: Path) -> list[Grid]:
    try:
        files = sorted(file for file in path.iterdir() if file.suffix.lower() == ".csv")
    except OSError as error:
        raise _unreadable(path, error) from error
    if not files:
        raise refusal(os.fspath(path), "the folder holds no chart.csv, accounts.csv, company.csv …")
    return [
        csv_grid(read_bytes(file), where=os.fspath(file), name=file.stem)
        for file in files
        if not file.name.startswith("#")
    ]


def _with_rows(content: ChartContent, path: Path) -> ChartContent:
    """Return ``content`` with the expense rows of the file that ``[chart] rows`` names."""
    chart = dict(content.single.get("chart", {}))
    for key in ("account_list", "department_list"):
        list_ = content.text(key)
        if list_ is not None:
            chart[key] = os.fspath(_beside(path, list_))
    listed = content.listed
    name = content.text("rows")
    if name is not None:
        if content.listed.get("expense"):
            raise refusal(
                content.file, f'expense rows stand here and in "{name}"; keep one of the two'
            )
        listed = {**listed, "expense": _rows(_beside(path, name))}
    single = {**content.single, "chart": chart} if chart else content.single
    return msgspec.structs.replace(content, single=single, listed=listed)


def _rows(path: Path) -> tuple[TableEntry, ...]:
    file, suffix = os.fspath(path), path.suffix.lower()
    if suffix == ".csv":
        grids = [csv_grid(read_bytes(path), where=file, name="expense")]
    elif suffix == ".xlsx":
        grids = workbook_grids(read_bytes(path), file=file)
        if len(grids) == 1:
            grids = [grids[0]._replace(name="expense")]
        grids = [grid for grid in grids if grid.name.lower() == "expense"]
    else:
        raise refusal(file, "expense rows beside a chart stand in a .csv or .xlsx file")
    listed: Mapping[str, tuple[TableEntry, ...]] = content_of(grids, file=file).listed
    if "expense" not in listed:
        raise refusal(file, 'it has no sheet "expense"')
    return listed["expense"]


def read_bytes(path: Path) -> bytes:
    """Return a file's bytes; raises ConfigurationError CB-205, or CB-260 for one too large."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except _NOWHERE as error:
        raise _unreadable(path, error) from error
    if len(data) > MAX_BYTES:
        raise refusal(os.fspath(path), f"it is larger than {MAX_BYTES:,} bytes")
    return data


def _unreadable(path: Path, error: OSError | ValueError) -> ConfigurationError:
    why = error.strerror if isinstance(error, OSError) else None
    return ConfigurationError(f"{path}: it cannot be read: {why or error}", code="CB-205")


def _beside(path: Path, name: str) -> Path:
    """Return the file called ``name``, relative to the folder of the file that names it."""
    return (path if path.is_dir() else path.parent) / name
