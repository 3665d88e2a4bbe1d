"""How long a locked contract takes to open, up to the first request that was checked.

    python -m tests.benchmarks.contracts [--rounds 5]

Each figure is the median over fresh processes, which take turns, so that a busy machine slows all
ways alike. "opening" begins after the imports and ends with the first request checked; "process"
is everything, the interpreter's start included. ``whole`` is zeep's load of the WSDL and libxml2's
(or xmlschema's) of all schemas, which is what a zeep user pays who checks requests before sending;
its opening does without our hashes of the files, and ours does not.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from tests.conftest import locate

from claimbridge.contract.pruned.store import FOLDER
from claimbridge.contract.study.lock import lock

START = "import time; began, used = time.perf_counter(), time.process_time()"
OPEN = """
from claimbridge.contract import Contract
{start}
contract = Contract.load({folder!r}, operations={operations!r}, types={types!r})
assert contract.check(contract.render({operations!r}[0], {body!r})) == ()
"""
ZEEP = """
from claimbridge.contract.files.bundle import Bundle
from claimbridge.contract.files.documents import gather
documents = gather(Bundle.from_path({folder!r}))
from zeep.wsdl import Document
from claimbridge.contract.calls import explain
from claimbridge.contract.files.documents import SCHEME_FOR_ZEEP
from claimbridge.contract.calls.gate import compiled
from claimbridge.contract.calls.zeep_reader import ClosedTransport
{library}
{start}
Document(SCHEME_FOR_ZEEP + documents.entry, ClosedTransport(documents))
"""
END = """
opening = time.perf_counter() - began, time.process_time() - used
import re
with open("/proc/self/status") as file:
    print(*opening, time.process_time(), re.search(r"VmHWM:\\s+(\\d+)", file.read())[1])
"""


AT = datetime(2026, 11, 24, tzinfo=UTC)


class Case(NamedTuple):
    """A contract, and a first request of it."""

    wsdl: str
    operation: str
    body: dict[str, object]
    types: tuple[str, ...] = ()


class Cost(NamedTuple):
    """Milliseconds on the clock and of the processor, and MB at most."""

    opening: float
    opening_cpu: float
    process_cpu: float
    memory: float


def _id(kind: str, value: str) -> dict[str, object]:
    return {"ID": [{"@type": kind, "#text": value}]}


NOON = "2026-11-24T12:00:00Z"
SUBMIT = {
    "Accounting_Journal_ID": "J1",
    "Company_Reference": _id("Company_Reference_ID", "C"),
    "Currency_Reference": _id("Currency_ID", "CNY"),
    "Ledger_Type_Reference": _id("Ledger_Type_ID", "ACTUALS"),
    "Accounting_Date": "2026-11-24",
    "Journal_Source_Reference": _id("Journal_Source_ID", "S"),
}
ENTRY = {
    "OriginalReferenceDocumentType": "BKPFF",
    "BusinessTransactionType": "RFBU",
    "AccountingDocumentType": "SA",
    "CreatedByUser": "U",
    "CompanyCode": "1410",
    "DocumentDate": "2026-11-24",
    "PostingDate": "2026-11-24",
}
CASES = {
    "NetSuite": Case(
        "contracts/netsuite-2023.2/netsuite.wsdl",
        "upsert",
        {"record": {"@xsi:type": "JournalEntry", "@externalId": "E1", "memo": "x"}},
        ("JournalEntry", "ExpenseReport"),
    ),
    "Workday": Case(
        "contracts/workday-financial-management-v30/Financial_Management.wsdl",
        "Submit_Accounting_Journal",
        {"Accounting_Journal_Data": SUBMIT},
    ),
    "SAP 2024": Case(
        "contracts/sap-journal-entry/2024.wsdl",
        "JournalEntryCreateRequestConfirmation_In",
        {
            "MessageHeader": {"ID": "M1", "CreationDateTime": NOON},
            "JournalEntryCreateRequest": [
                {"MessageHeader": {"CreationDateTime": NOON}, "JournalEntry": ENTRY}
            ],
        },
    ),
}


def cost_of(script: str) -> Cost:
    """Return what a fresh process costs that runs ``script``."""
    done = subprocess.run(
        [sys.executable, "-c", script + END], check=True, capture_output=True, text=True
    )
    opening, opening_cpu, process_cpu, memory = map(float, done.stdout.split())
    return Cost(opening * 1000, opening_cpu * 1000, process_cpu * 1000, memory / 1024)


def measure(case: Case, rounds: int, folder: Path) -> dict[str, Cost]:
    """Return the median cost of each way to open the contract that is locked in ``folder``."""
    use = {"folder": str(folder), "operations": (case.operation,), "types": case.types}
    ours = OPEN.format(**use, start=START, body=case.body)
    ways = {
        "ours, first time": ours,
        "ours, kept": ours,
        "zeep + lxml, whole": ZEEP.format(**use, start=START, library="") + "compiled(documents)\n",
        "zeep + xmlschema, whole": ZEEP.format(**use, start=START, library="import xmlschema")
        + "explain.build(documents)\n",
    }
    costs: dict[str, list[Cost]] = {name: [] for name in ways}
    for _ in range(rounds):
        shutil.rmtree(folder / FOLDER, ignore_errors=True)
        for name, script in ways.items():
            costs[name].append(cost_of(script))
    return {
        name: Cost(*(statistics.median(values) for values in zip(*found, strict=True)))
        for name, found in costs.items()
    }


def show(title: str, costs: dict[str, Cost]) -> None:
    """Print a contract's lines; in brackets, how many times the cost of ours, kept."""
    print(f"{title:24} {'opening ms':>17} {'its CPU ms':>17} {'process CPU ms':>17} {'MB':>5}")
    kept = costs["ours, kept"]
    for name, cost in costs.items():
        line = f"  {name:22}"
        for value, least in zip(cost[:3], kept[:3], strict=True):
            line += f" {value:8.0f} ({value / least:5.1f}x)"
        print(f"{line} {cost.memory:5.0f}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a table for each contract that is on this machine."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args(arguments).rounds
    for title, case in CASES.items():
        wsdl = locate(case.wsdl)
        if not wsdl.exists():
            print(f"{title}: {case.wsdl} is not on this machine")
            continue
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch) / "erp"
            lock(wsdl, into=folder, fetch=lambda _: b"", at=AT)
            show(title, measure(case, rounds, folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
