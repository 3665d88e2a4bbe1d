"""What the command prints: JSON lines for scripts, tables for people, the rest on stderr."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from claimbridge.errors import ClaimError, ConfigurationError
from claimbridge.model import Claim, Finding, JournalEntry, Reason

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

T = TypeVar("T")


def emit(record: dict[str, Any]) -> None:
    """Print one JSON object on its own line of stdout."""
    sys.stdout.write(msgspec.json.encode(record).decode() + "\n")
    sys.stdout.flush()


def complain(text: str) -> None:
    """Print a sentence for a person on stderr."""
    sys.stderr.write(text + "\n")


def console(*, stderr: bool = False) -> Console:
    """Return a console for people; plain when its stream is no terminal."""
    from rich.console import Console

    return Console(stderr=stderr, highlight=False, soft_wrap=not sys.stdout.isatty())


def table(*columns: str, title: str = "", numbers: Sequence[str] = ()) -> Table:
    """Return a table; the columns named in ``numbers`` are aligned right."""
    from rich import box
    from rich.table import Table

    made = Table(title=title or None, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        right = column in numbers
        made.add_column(column, justify="right" if right else "left", no_wrap=right)
    return made


def amount(value: Decimal) -> str:
    """Return an amount as people read it: grouped by thousands."""
    return f"{value:,}"


def progress(items: Iterable[T], *, total: int | None, what: str) -> Iterator[T]:
    """Yield the items, showing how far it is on stderr while that is a terminal."""
    if not sys.stderr.isatty() or (total is not None and total < 10):
        yield from items
        return
    from rich.progress import track

    yield from track(items, description=what, total=total, console=console(stderr=True))


def plain_entry(entry: JournalEntry | None) -> dict[str, str] | None:
    """Return a journal entry for JSON; None stays null."""
    return msgspec.to_builtins(entry) if entry is not None else None


def plain_reasons(reasons: Iterable[Reason]) -> list[dict[str, str]]:
    """Return the ERP's reasons for JSON."""
    return [msgspec.to_builtins(reason) for reason in reasons]


def plain_findings(findings: Iterable[Finding]) -> list[dict[str, str]]:
    """Return the gate's findings for JSON."""
    return [msgspec.to_builtins(finding) for finding in findings]


def read_file(path: Path) -> bytes:
    """Return a file's content; ``-`` is stdin. Raises ConfigurationError."""
    if str(path) == "-":
        return sys.stdin.buffer.read()
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"cannot read {path}: {error.strerror}", code="CB-250") from error


def read_claim(path: Path) -> Claim:
    """Return the claim in a file; a ClaimError names the file where the claim has no id."""
    try:
        return Claim.from_json(read_file(path))
    except ClaimError as error:
        error.claim_id = error.claim_id or path.name
        raise
