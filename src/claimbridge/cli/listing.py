"""A table of items that each end in a sentence, which is always whole."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from claimbridge.cli.output import console, paragraph, row, say, show, table

_INDENT = 4
"""Columns by which a sentence stands to the right under its item."""


class Listing:
    """Rows with a sentence each: under them on a terminal, within its width; else beside them.

    A file or another program gets one line an item, as of every table.
    """

    def __init__(self, *columns: str, numbers: Sequence[str] = (), last: str = "why") -> None:
        self._columns = columns
        self._numbers = numbers
        self._last = last
        self._rows: list[tuple[tuple[str, ...], str]] = []

    def add(self, *cells: str, why: str) -> None:
        """Add an item; ``why`` is its sentence, "" for none."""
        self._rows.append((cells, why))

    def show(self) -> None:
        """Print it, with an empty line after it."""
        if sys.stdout.isatty():
            self._show_below()
            return
        grid = table(*self._columns, self._last, numbers=self._numbers)
        for cells, why in self._rows:
            row(grid, *cells, why)
        show(grid)

    def _show_below(self) -> None:
        grid = table(*self._columns, numbers=self._numbers)
        for cells, _ in self._rows:
            row(grid, *cells)
        terminal = console()
        with terminal.capture() as captured:
            terminal.print(grid)
        lines = captured.get().splitlines()
        head = len(lines) - len(self._rows)  # a row is one line
        for number, line in enumerate(lines):
            sys.stdout.write(f"{line}\n")
            why = self._rows[number - head][1] if number >= head else ""
            if why:
                paragraph(why, indent=_INDENT)
        say()


__all__ = ["Listing"]
