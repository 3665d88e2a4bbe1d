"""How many durable writes a second the SQLite journal takes, and what group commit makes of it.

    python -m tests.benchmarks.journal [--seconds 3] [--folder FOLDER]

Prints writes per second for 1, 4 and 16 threads, each write in a transaction of its own beside
writes that share transactions, both on the same disk in one run, in turns; then claims without an
invoice beside claims with three, and without the mark beside the file beside with it. A write is
one ``begin`` or one ``record``, synced. The disk decides: FOLDER (default: the working folder's
disk) should be the one that matters.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import sqlite3
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
from tests.journal.samples import LEDGER, changed, submission

from claimbridge.journal import (
    Evidence,
    Journal,
    Keeper,
    Lineage,
    MemoryJournal,
    SqliteJournal,
)
from claimbridge.journal.sqlite.marking import Marking
from claimbridge.journal.sqlite.owners import FileOwners
from claimbridge.journal.sqlite.store import SqliteStore
from claimbridge.model import InvoiceUse, JournalEntry, State

THREADS = (1, 4, 16)
TURNS = 3


def writes_per_second(
    journal: Journal, threads: int, seconds: float, *, invoices: int = 0
) -> float:
    """Have threads begin and post claims for so long; return the writes per second.

    Each claim uses so many ``invoices``, which no other claim has.
    """
    counts = [0] * threads
    end = time.perf_counter() + seconds

    def work(index: int) -> None:
        while time.perf_counter() < end:
            claim_id = f"C-{index}-{counts[index]}-{threads}-{end}"
            numbers = [f"{claim_id}-{number}" for number in range(invoices)]
            uses = tuple(InvoiceUse(invoice=one, line=1, number=one) for one in numbers)
            flight = msgspec.structs.replace(submission(claim_id), invoices=uses)
            begun = journal.begin(journal.history(LEDGER, claim_id), [flight])
            assert begun is not None
            posted = changed(begun, State.POSTED, journal_entry=JournalEntry("0100000008"))
            assert journal.record(begun, [posted])
            counts[index] += 2

    workers = [threading.Thread(target=work, args=(index,)) for index in range(threads)]
    begun_at = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sum(counts) / (time.perf_counter() - begun_at)


def median_of(measure: list[float]) -> float:
    """Return the middle one: a shared disk has bad moments."""
    return statistics.median(measure)


def on_disk(folder: Path, threads: int, seconds: float) -> tuple[float, float]:
    """Return writes per second alone and grouped, measured in turns."""
    measured: dict[int, list[float]] = {1: [], 256: []}
    for turn in range(TURNS):
        for group, rates in measured.items():
            journal = SqliteJournal(folder / f"{threads}-{group}-{turn}.db", group=group)
            rates.append(writes_per_second(journal, threads, seconds / TURNS))
            journal.close()
    return median_of(measured[1]), median_of(measured[256])


def with_invoices(folder: Path, threads: int, seconds: float) -> tuple[float, float]:
    """Return writes per second of claims without an invoice and with three, measured in turns."""
    measured: dict[int, list[float]] = {0: [], 3: []}
    for turn in range(TURNS):
        for invoices, rates in measured.items():
            journal = SqliteJournal(folder / f"invoices-{threads}-{invoices}-{turn}.db")
            rate = writes_per_second(journal, threads, seconds / TURNS, invoices=invoices)
            rates.append(rate)
            journal.close()
    return median_of(measured[0]), median_of(measured[3])


class Unmarked(Marking):
    """What the mark costs is what this saves: it reads nothing, counts nothing, writes nothing."""

    def present(self, connection: sqlite3.Connection) -> Evidence:
        """Return what nobody reads."""
        return Evidence(where="", lineage=Lineage("unmarked"))

    def count(self, connection: sqlite3.Connection, now: dt.datetime) -> int:
        """Count nothing."""
        return 0


def with_mark(folder: Path, threads: int, seconds: float) -> tuple[float, float]:
    """Return writes per second without the mark beside the file and with it, in turns."""
    measured: dict[bool, list[float]] = {False: [], True: []}
    for turn in range(TURNS):
        for marked, rates in measured.items():
            path = (folder / f"mark-{threads}-{marked}-{turn}.db").resolve()
            journal: Journal = SqliteJournal(path)
            if not marked:
                journal.close()
                store = SqliteStore(path, timeout=10, group=256, marking=Unmarked(path))
                journal = Keeper(store, FileOwners(path))
            rates.append(writes_per_second(journal, threads, seconds / TURNS))
            journal.close()
    return median_of(measured[False]), median_of(measured[True])


def sync_milliseconds(folder: Path) -> float:
    """Return what one write and sync of 4 KiB costs on this disk."""
    descriptor = os.open(folder / "sync", os.O_CREAT | os.O_WRONLY)
    try:
        return 1000 * seconds_per(lambda: (os.write(descriptor, bytes(4096)), os.fsync(descriptor)))
    finally:
        os.close(descriptor)


def seconds_per(call: Callable[[], object], times: int = 200) -> float:
    """Return the mean seconds of one call."""
    begun_at = time.perf_counter()
    for _ in range(times):
        call()
    return (time.perf_counter() - begun_at) / times


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--seconds", type=float, default=3.0, help="per measurement (default: 3)")
    parser.add_argument("--folder", type=Path, default=Path(), help="where to write")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder, prefix="journal-benchmark-") as made:
        folder = Path(made)
        print(f"one sync of this disk: {sync_milliseconds(folder):.2f} ms")
        print(f"{'threads':>7}  {'alone/s':>9}  {'grouped/s':>9}  {'ratio':>6}")
        for threads in THREADS:
            alone, grouped = on_disk(folder, threads, arguments.seconds)
            print(f"{threads:>7}  {alone:>9,.0f}  {grouped:>9,.0f}  {grouped / alone:>6.2f}")
        print(f"{'threads':>7}  {'without/s':>9}  {'3 inv./s':>9}  {'ratio':>6}")
        for threads in THREADS:
            without, using = with_invoices(folder, threads, arguments.seconds)
            print(f"{threads:>7}  {without:>9,.0f}  {using:>9,.0f}  {using / without:>6.2f}")
        print(f"{'threads':>7}  {'no mark/s':>9}  {'marked/s':>9}  {'ratio':>6}")
        for threads in THREADS:
            without, using = with_mark(folder, threads, arguments.seconds)
            print(f"{threads:>7}  {without:>9,.0f}  {using:>9,.0f}  {using / without:>6.2f}")
    memory = writes_per_second(MemoryJournal(), 1, arguments.seconds)
    print(f"in memory, 1 thread: {memory:,.0f}/s")


if __name__ == "__main__":
    main()
