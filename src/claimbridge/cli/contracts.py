"""Commands about contracts: lock, show."""

from __future__ import annotations

from pathlib import Path

from claimbridge.cli.app import DONE
from claimbridge.cli.claims import Json
from claimbridge.cli.output import emit, row, show, table
from claimbridge.contract import Contract


def show_contract(source: Path = Path(), /, *, json: Json = False) -> int:
    """Show what a contract offers: services, ports, operations, and messages as a tree."""
    contract = Contract.load(source)
    made = table("operation", "input", "output", texts=("input", "output"))
    for name, operation in contract.operations.items():
        if json:
            emit({"operation": name, "input": operation.input, "output": operation.output})
        else:
            row(made, name, operation.input, operation.output)
    if not json:
        show(made)
    return DONE
