"""Processes killed by ``kill -9`` in the middle of their work, until each point was a last one.

    python -m tests.drills.kill --rounds 200 [--seed 1] [--profile sap-journal-entry]

Each round a process submits six claims to a sandbox in another process: one by itself, one and
its correction, three in one request, one that is then taken back. It is killed before or after a
journal write, at a stage of an exchange, or at any time; a quarter of the processes that clear up
after it are killed as well. In other rounds the ERP is killed, and comes back with its file. Then
a process reconciles, and submits the same claims again. Where the ERP cannot be asked, a person
looks into it and settles what is parked.

Exits 1 unless the ledger holds each claim exactly once in the end.

The table: ``in doubt`` counts the submissions that the next process finds in doubt or parked. Of
those, ``adopted`` were found in the ERP (or left for a colleague), ``resent`` were sent again,
``by hand`` were settled by a person. ``other flaws``: our journal disagrees, or is stuck.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from itertools import islice
from multiprocessing.context import ForkServerContext
from pathlib import Path

import msgspec
from tests.drills.killed import child
from tests.drills.killed.child import Work, Write, work_of
from tests.drills.killed.erp import Erp
from tests.drills.killed.judge import Flaw, flaws
from tests.drills.killed.points import ERP, Point, at_random, points
from tests.withstand.relay import Order, Relay
from tests.withstand.scene import PROFILES, SENDERS, Sender, book_of, configured, insist

from claimbridge.config import LedgerConfig
from claimbridge.journal import SqliteJournal
from claimbridge.model import State, Submission

AGAIN = 0.25
"""How often the process that clears up is killed too."""


class Row(msgspec.Struct):
    """What happened in all rounds with one kind of point."""

    rounds: int = 0
    killed: int = 0
    in_doubt: int = 0
    adopted: int = 0
    resent: int = 0
    by_hand: int = 0
    lost: int = 0
    duplicated: int = 0
    other: int = 0


COLUMNS = {
    "rounds": "rounds",
    "killed": "killed",
    "in_doubt": "in doubt",
    "adopted": "adopted",
    "resent": "resent",
    "by_hand": "by hand",
    "lost": "lost",
    "duplicated": "duplicated",
    "other": "other flaws",
}


class Round(msgspec.Struct, frozen=True):
    """One round as it was: which point, and which kind of client."""

    number: int
    point: Point
    kind: str
    work: Work


class Drill:
    """The ERP, the relay before it, the journal, and the processes that come and go."""

    def __init__(self, folder: Path, *, profile: str, seed: int) -> None:
        self.profile = profile
        self.rows: dict[str, Row] = {}
        self.rounds: list[Round] = []
        self._chance = random.Random(seed)
        self._folder = folder
        self._journal = folder / "claims.db"
        self._context: ForkServerContext = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["tests.drills.killed.warm"])
        self._open = ExitStack()
        self._lasts = 0.0

    def __enter__(self) -> Drill:
        erp = Erp(self._context, self._folder / "ledger.db", profile=self.profile)
        self.erp = self._open.enter_context(erp)
        self._relay = self._open.enter_context(Relay(self.erp.port))
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def run(self, rounds: int) -> Iterator[Round]:
        """Run the rounds; yield each when it is over."""
        writes, exchanges = self._rehearse()
        chosen = points(writes=writes, exchanges=exchanges, chance=self._chance)
        for number, point in enumerate(islice(chosen, rounds), start=1):
            kind = list(SENDERS)[number % len(SENDERS)]
            this = Round(number, point, kind, work_of(number))
            self._round(this)
            self.rounds.append(this)
            yield this

    def judge(self) -> list[tuple[Round, Flaw]]:
        """Return what is wrong in the end; the ERP is killed once more before it is asked."""
        self._relay.wait_for_the_late()
        self.erp.kill()
        self.erp.start()
        ledger = self.erp.ledger()
        journal = SqliteJournal(self._journal)
        found = [
            (one, flaw)
            for one in self.rounds
            for flaw in flaws(one.work, ledger, self.profile, journal)
        ]
        journal.close()
        for one, flaw in found:
            row, column = self.rows[one.point.kind], flaw.what
            column = column if column in {"lost", "duplicated"} else "other"
            setattr(row, column, getattr(row, column) + 1)
        return found

    def story(self, claim_id: str) -> list[str]:
        """Return every move of a claim's submissions."""
        journal = SqliteJournal(self._journal)
        moves = list(journal.moves(book_of(journal), claim_id))
        journal.close()
        return [
            f"{move.at:%H:%M:%S.%f} {move.key} {move.before} → {move.after} "
            f"(attempt {move.attempt}) {move.detail}"
            for move in moves
        ]

    def _rehearse(self) -> tuple[int, int]:
        """Do the work unharmed, to count its writes and exchanges and to take its time."""
        for kind in SENDERS:  # the first one waits until the fork server is warm
            work = work_of(0) if kind == "Client" else work_of(-1)
            self._relay.order()
            began = time.monotonic()
            process = self._context.Process(
                target=child.run, args=(kind, self._config(), work, None)
            )
            process.start()
            process.join()
            self._lasts = time.monotonic() - began
            if process.exitcode != 0:
                raise RuntimeError("the work does not even succeed unharmed")
        journal = SqliteJournal(self._journal)
        book = book_of(journal)
        writes = sum(journal.history(book, claim_id).version for claim_id in work.claims)
        journal.close()
        return writes, self._relay.exchanges

    def _round(self, this: Round) -> None:
        row = self.rows.setdefault(this.point.kind, Row())
        row.rounds += 1
        row.killed += self._live_and_die(this, this.point)
        if this.point.who != ERP and self._chance.random() < AGAIN:
            self._live_and_die(this, self._again())
        if not self.erp.runs:
            self.erp.start()
        self._relay.order()
        self._clear_up(this, row)

    def _again(self) -> Point:
        """Return where in its clearing up the next process is killed."""
        write = Write(self._chance.randint(1, 6), self._chance.random() < 0.5)
        return self._chance.choice([at_random(self._chance), Point("write", write=write)])

    def _live_and_die(self, this: Round, point: Point) -> bool:
        """Let a process live until ``point``; say whether anybody was killed there."""
        arguments = (this.kind, self._config(), this.work, point.write)
        process = self._context.Process(target=child.run, args=arguments)
        killed = False

        def kill() -> None:
            nonlocal killed
            killed = True
            if point.who == ERP:
                time.sleep(self._chance.uniform(0, 0.03))  # before its commit, or after it
                self.erp.kill()
            else:
                process.kill()

        self._relay.order()
        if point.stage is not None:
            self._relay.order(Order(point.nth, point.stage, kill, point.fate))
        process.start()
        if point.fraction:
            began = time.monotonic()
            process.join(point.fraction * self._lasts)
            if process.is_alive():
                kill()
            else:
                self._lasts = time.monotonic() - began
        process.join(60)
        if process.is_alive():
            process.kill()
            raise RuntimeError(f"round {this.number}: the process hangs ({point})")
        return killed or process.exitcode == -9

    def _clear_up(self, this: Round, row: Row) -> None:
        """Be the caller who comes after: reconcile, then submit the same again."""
        with SENDERS[this.kind](self._config()) as sender:
            book = book_of(sender.journal)
            doubtful = list(sender.journal.select(book, [State.IN_DOUBT, State.PARKED]))
            sender.reconcile()
            child.do(this.work, sender, partial(insist, sender, look=self.erp.ledger))
            row.in_doubt += len(doubtful)
            for one in doubtful:
                column = _ended(one, sender)
                setattr(row, column, getattr(row, column) + 1)

    def _config(self) -> LedgerConfig:
        return configured(self.profile, port=self._relay.port, journal=self._journal)


def _ended(doubtful: Submission, sender: Sender) -> str:
    """Return what ended a doubt: ``adopted``, ``resent`` or ``by_hand``."""
    moves = list(sender.journal.moves(doubtful.key.book, doubtful.key.claim_id))
    mine = [move for move in moves if move.key == doubtful.key]
    if any(move.before is State.PARKED for move in mine):
        return "by_hand"
    return "resent" if mine[-1].attempt > doubtful.attempt else "adopted"


def table(rows: dict[str, Row]) -> str:
    """Return the rows and their sum as a table."""
    total = Row()
    for row in rows.values():
        for column in COLUMNS:
            setattr(total, column, getattr(total, column) + getattr(row, column))
    lines = [" " * 32 + "  ".join(COLUMNS.values())]
    for kind, row in (*rows.items(), ("all", total)):
        cells = [f"{getattr(row, name):>{len(head)}}" for name, head in COLUMNS.items()]
        lines.append(f"{kind:32}" + "  ".join(cells))
    return "\n".join(lines)


def drill(folder: Path, *, rounds: int, seed: int, profile: str) -> bool:
    """Run the drill and print what came of it; return whether every claim is there once."""
    began = time.monotonic()
    with Drill(folder, profile=profile, seed=seed) as running:
        for one in running.run(rounds):
            if one.number % 20 == 0:
                print(f"{one.number} rounds", file=sys.stderr, flush=True)
        found = running.judge()
        print(table(running.rows))
        for one, flaw in found:
            print(f"\nround {one.number} ({one.point}, {one.kind}): {flaw}")
            print("\n".join(running.story(flaw.claim_id)))
        kills = sum(row.killed for row in running.rows.values())
        distinct = len({str(one.point) for one in running.rounds})
    took = time.monotonic() - began
    print(f"{kills} kills in {rounds} rounds at {distinct} points, in {took:.0f} s")
    print(f"profile {profile}, seed {seed}")
    return not found


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the drill; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--profile", choices=PROFILES, default="reference")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="claimbridge-kill-") as folder:
        well = drill(Path(folder), rounds=chosen.rounds, seed=chosen.seed, profile=chosen.profile)
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
