"""The command ``intake write-backs``: what goes back to sources, and what waits for a person."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter

from claimbridge.cli.exit_codes import DONE, exit_code, worst
from claimbridge.cli.options import Config, Json, SourceName
from claimbridge.cli.output import complain, emit, row, show, table
from claimbridge.cli.sources import record_of, source_configs
from claimbridge.errors import ClaimError
from claimbridge.sources.base.writeback import FOR_A_PERSON, WriteBack, WriteBackState
from claimbridge.sources.record import SourceRecord


def write_backs(
    *,
    config: Config = Path("claimbridge.toml"),
    source: SourceName = None,
    state: Annotated[list[WriteBackState], Parameter(negative=(), name_transform=str.lower)] = [],  # noqa: B006 - never changed
    retry: Annotated[list[str], Parameter(negative=())] = [],  # noqa: B006 - never changed
    json: Json = False,
) -> int:
    """List what goes back to sources, and let what waits for a person be tried again.

    Parameters
    ----------
    state
        Only these states; may be repeated; all when left out.
    retry
        The key of a document: the next pass goes on with what is refused or parked about it; may
        be repeated.

    """
    grid = table(
        "source", "document", "what", "content", "state", "tries", "why",
        numbers=("tries",), texts=("content",), wrapped=("why",),
    )  # fmt: skip
    missing = set(retry)
    for configured in source_configs(config, source):
        with record_of(config, configured) as record:
            missing -= {key for key in retry if _again(record, configured.name, key)}
            for entry in record.select_write_backs(
                configured.name, tuple(state) or tuple(WriteBackState)
            ):
                if json:
                    emit(_plain(entry))
                    continue
                content = ", ".join(
                    value for name, value in entry.content.items() if value and name != "created"
                )
                row(
                    grid,
                    entry.source,
                    entry.key,
                    entry.kind,
                    content,
                    entry.state,
                    str(entry.attempt),
                    entry.reason,
                )
    if not json:
        show(grid)
    return worst([DONE, *(_unknown(key) for key in sorted(missing))])


def _again(record: SourceRecord, source: str, key: str) -> bool:
    """Let the next pass go on with what is refused or parked about a document; say whether any."""
    waiting = [entry for entry in record.write_backs_of(source, key) if entry.state in FOR_A_PERSON]
    moved = [
        record.record_write_back(
            msgspec.structs.replace(
                entry, state=WriteBackState.PENDING, reason=f"let go on; before: {entry.reason}"
            )
        )
        for entry in waiting
    ]
    return True in moved


def _unknown(key: str) -> int:
    error = ClaimError(
        f"nothing that goes back about document {key} waits for a person; see "
        "claimbridge intake write-backs",
        code="CB-558",
    )
    complain(str(error))
    return exit_code(error)


def _plain(entry: WriteBack) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(entry)
    return plain
