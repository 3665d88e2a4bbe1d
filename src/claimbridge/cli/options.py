"""The options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

Config = Annotated[Path, Parameter(name="--config", help="The configuration.")]
LedgerName = Annotated[
    str | None,
    Parameter(
        name="--ledger",
        help="Which ledger of the configuration; may be left out when it has one only.",
    ),
]
ChartFile = Annotated[Path, Parameter(name="--chart", help="The chart of accounts.")]
NewJournal = Annotated[
    bool,
    Parameter(
        name="--new-journal",
        negative=(),
        help="The journal is empty because nothing was sent before; asked for once.",
    ),
]
Json = Annotated[
    bool,
    Parameter(name="--json", negative=(), help="One JSON object per item, a line each, on stdout."),
]
SourceName = Annotated[
    str | None,
    Parameter(name="--source", help="Which source of the configuration; all when left out."),
]
ProfileName = Annotated[
    str, Parameter(name="--profile", help="The ERP's profile: a name, or module:attribute.")
]
ProfileOptions = Annotated[
    tuple[str, ...],
    Parameter(
        name="--option",
        negative=(),
        help="An option of the profile as in [ledger.X.options], KEY=VALUE; may be repeated.",
    ),
]
ContractPlace = Annotated[
    Path | None,
    Parameter(
        name="--contract",
        help="A locked bundle or a WSDL file; the profile's own when left out.",
    ),
]

__all__ = [
    "ChartFile",
    "Config",
    "ContractPlace",
    "Json",
    "LedgerName",
    "NewJournal",
    "ProfileName",
    "ProfileOptions",
    "SourceName",
]
