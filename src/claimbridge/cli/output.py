"""What the command prints: JSON lines for scripts, tables for people, the rest on stderr."""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from claimbridge.cli.outlet import Outlet, escape_unseen, holds_everything, in_ascii
from claimbridge.errors import ConfigurationError, spelt

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

T = TypeVar("T")

YES: Final = ("✓", "green")
NO: Final = ("✗", "red")
WARN: Final = ("!", "yellow")
"""The marks before a line, as ``say`` and ``row`` take them: a text and its style."""

_ENDLESS: Final = 10_000
"""Columns of a console that is no terminal: a file or another program wraps nothing."""


def emit(record: dict[str, Any]) -> None:
    """Print one JSON object on its own line of stdout.

    What a terminal obeys and what no reader sees is escaped, as JSON may have it: the value stays.
    """
    text = msgspec.json.encode(record).decode()
    whole = holds_everything(sys.stdout.encoding)
    sys.stdout.write((escape_unseen(text) if whole else in_ascii(text)) + "\n")
    sys.stdout.flush()


def complain(text: str) -> None:
    """Print a sentence for a person on stderr."""
    sys.stderr.write(harmless(text) + "\n")


def harmless(text: str) -> str:
    """Return a text for one line, with what no reader sees spelt; it may end in empty lines.

    Neither a terminal obeys a file's name, nor does an ERP's text look like a line of ours.
    """
    line = text.rstrip("\n")
    return spelt(line, breaks=True) + text[len(line) :]


def console(*, stderr: bool = False) -> Console:
    """Return a console for people; plain and as wide as needed when its stream is no terminal."""
    from rich.console import Console

    terminal = (sys.stderr if stderr else sys.stdout).isatty()
    return Console(stderr=stderr, highlight=False, width=None if terminal else _ENDLESS)


def say(*parts: str | tuple[str, str], whole: bool = False) -> None:
    """Print texts as they are, or with a style; then end the line.

    A terminal's lines are broken between words, unless they are to stay ``whole`` for copying.
    """
    from rich.text import Text

    texts = [
        harmless(part) if isinstance(part, str) else (harmless(part[0]), part[1]) for part in parts
    ]
    console().print(Text.assemble(*texts), soft_wrap=whole)


def paragraph(text: str, *, indent: int) -> None:
    """Print a sentence as it is, every line of it so many columns to the right."""
    from rich.padding import Padding
    from rich.text import Text

    console().print(Padding(Text(harmless(text)), (0, 0, 0, indent), expand=False))


def table(
    *columns: str,
    numbers: Sequence[str] = (),
    texts: Sequence[str] = (),
    wrapped: Sequence[str] = (),
) -> Table:
    """Return a table; ``numbers`` are aligned right.

    ``texts`` are the columns that give way, with "…", where the terminal is too narrow, and
    ``wrapped`` those that go on below: codes, amounts and numbers are always whole. A row is one
    line, unless a column is wrapped.
    """
    from rich import box
    from rich.table import Table

    grid = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 0, 0, 1))
    for column in columns:
        grid.add_column(
            column,
            justify="right" if column in numbers else "left",
            no_wrap=column not in texts and column not in wrapped,
            overflow="fold" if column in wrapped else "ellipsis",
        )
    return grid


def row(grid: Table, *cells: str | tuple[str, str] | list[str]) -> None:
    """Add a row; cells are texts as they are, texts with a style, or several lines of text."""
    wraps = any(column.overflow == "fold" for column in grid.columns)
    grid.add_row(*(_cell(cell, wraps=wraps) for cell in cells))


def _cell(cell: str | tuple[str, str] | list[str], *, wraps: bool) -> Text:
    from rich.text import Text

    if isinstance(cell, list):
        return Text("\n".join(map(harmless, cell)))
    text, style = (cell, "") if isinstance(cell, str) else cell
    if wraps:
        return Text(harmless(text), style=style)
    # One line, whatever the column does: a row is an item.
    return Text(harmless(text), style=style, no_wrap=True, overflow="ellipsis")


def show(grid: Table, *, title: str = "") -> None:
    """Print a table with an empty line after it, under its title if it has one."""
    if title:
        say((title, "italic"))
    console().print(grid)
    say()


def amount(value: Decimal) -> str:
    """Return an amount as people read it: grouped by thousands."""
    return f"{value:,}"


def progress(items: Iterable[T], *, total: int | None, what: str) -> Iterator[T]:
    """Yield the items, showing how far it is on stderr while that is a terminal."""
    if not sys.stderr.isatty() or (total is not None and total < 10):
        yield from items
        return
    from rich.progress import track

    yield from track(
        items, description=what, total=total, console=console(stderr=True), transient=True
    )


def write_document(data: bytes) -> None:
    """Write a document that is the command's whole work to stdout; a terminal gets it as text.

    Raises ConfigurationError CB-295 where it could not be written whole. A reader that went away
    has what it wanted.
    """
    out = sys.stdout if isinstance(sys.stdout, Outlet) else Outlet(sys.stdout)
    if out.isatty():
        out.write(data.decode("utf-8", "replace"))
    else:
        out.write_bytes(data)
    out.flush()
    out.silent = True
    if out.failed is not None and out.failed.errno != errno.EPIPE:
        raise ConfigurationError(
            f"the document could not be written whole to stdout: {out.failed.strerror}; make "
            "place, and run the command again",
            code="CB-295",
        )
