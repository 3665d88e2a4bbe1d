"""The intake killed by ``kill -9``, until each of its steps was a last one.

    python -m tests.drills.intake --rounds 60 [--seed 1]

Each round puts files into a folder: claims by themselves and several in a file, in JSON, CSV and
XML, two claims with one invoice, a claim that the ERP refuses, one that does not add up, a file
that is none. A process makes a pass and is killed before or after one of its steps: a durable
write of record or journal, a request to the ERP, a file's move. Then passes are made until nothing
is open.

Exits 1 unless the ledger holds each good claim once, one of the two with the same invoice, nothing
else; and every file lies in ``done/`` or ``refused/``, whole, with its reason, and nothing besides.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import msgspec
from tests.drills.taken_in import child

from claimbridge.sandbox import Sandbox
from claimbridge.sources.record import ArrivalState, open_record

CHART = Path(__file__).resolve().parents[2] / "examples/chart.toml"
MOST_PASSES = 12


class Round(msgspec.Struct, frozen=True):
    """One round: where its process was killed, and what it put into the folder."""

    number: int
    step: int
    after: bool
    files: dict[str, bytes]
    killed: bool


class Drill:
    """The ERP, the folder, and the processes that come and go."""

    def __init__(self, folder: Path, *, seed: int) -> None:
        self._chance = random.Random(seed)
        self._context: ForkServerContext = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["tests.drills.taken_in.child"])
        self.inbox = folder / "inbox"
        self.inbox.mkdir()
        self.config = folder / "claimbridge.toml"
        self.journal = f"sqlite:///{folder / 'claims.db'}"
        self.erp = Sandbox(profiles=["reference"])
        self.rounds: list[Round] = []

    def __enter__(self) -> Drill:
        self.erp.start()
        self.config.write_text(
            f'[ledger.CN01]\nendpoint = "{self.erp.url()}"\nchart = "{CHART}"\n'
            'journal = "sqlite:///claims.db"\nbackoff = 0.05\nquiet_period = 2\n'
            "timeouts = { connect = 1, total = 2 }\n"
            '[source.inbox]\nkind = "folder"\npath = "inbox"\nledger = "CN01"\nsettle = 0\n'
        )
        return self

    def __exit__(self, *_: object) -> None:
        self.erp.close()

    def run(self, rounds: int) -> Iterator[Round]:
        """Run the rounds, and yield each; the first is not killed and counts the steps."""
        steps = 0
        for number in range(rounds + 1):
            files = files_of(number)
            for name, content in files.items():
                (self.inbox / name).write_bytes(content)
            # Every step in turn where there are rounds enough, else spread over all of them.
            step = 1 + (number - 1) * max(1, steps // max(1, rounds)) % max(1, steps)
            after = self._chance.random() < 0.5
            taken = self._pass(None if number == 0 else step, after)
            steps = steps or taken or 0
            self._go_on()
            one = Round(number, step, after, files, taken is None)
            self.rounds.append(one)
            yield one

    def _pass(self, fatal: int | None, after: bool) -> int | None:
        """Let a process make a pass; return its steps, None if it was killed."""
        reader, writer = self._context.Pipe(duplex=False)
        process = self._context.Process(target=child.run, args=(self.config, fatal, after, writer))
        process.start()
        writer.close()
        process.join()
        with reader:
            try:
                return int(reader.recv())
            except EOFError:
                return None

    def _go_on(self) -> None:
        for _ in range(MOST_PASSES):
            report = child.once(self.config).report
            if not report.later and not report.troubles and not self._left():
                return
            time.sleep(0.5)

    def _left(self) -> list[str]:
        return [one.name for one in self.inbox.iterdir() if not one.is_dir()]

    def flaws(self) -> Iterator[str]:
        """Yield everything that is not as it should be, after all rounds."""
        held = Counter(one.reference for one in self.erp.ledger())
        for one in self.rounds:
            wanted = {f"R{one.number}{name}" for name in ("a", "b", "c", "d", "e")}
            for claim_id in sorted(wanted):
                if held[claim_id] != 1:
                    yield f"{one.number}: claim {claim_id} stands {held[claim_id]} times"
            rivals = [held[f"R{one.number}{name}"] for name in ("i", "j")]
            if sum(rivals) != 1:
                yield f"{one.number}: claims with one invoice stand {rivals} times"
            for name in ("x", "y"):
                if held[f"R{one.number}{name}"]:
                    yield f"{one.number}: a bad claim is in the ledger"
            yield from self._flaws_of_files(one)
        if self._left():
            yield f"left in the folder: {self._left()}"
        record = open_record(self.journal)
        yield from (
            f"{one.key} is {one.state}, reported: {one.reported}"
            for one in record.select()
            if one.state is ArrivalState.READ or not one.reported
        )
        record.close()

    def _flaws_of_files(self, one: Round) -> Iterator[str]:
        for name, content in one.files.items():
            lies = [
                folder
                for folder in ("done", "refused")
                for path in (self.inbox / folder).glob(f"{Path(name).stem}*{Path(name).suffix}")
                if path.read_bytes() == content
            ]
            bad = name.partition(".")[0].endswith(("-bad", "-none"))
            rival = "-rival" in name
            if len(lies) != 1 or (bad and lies != ["refused"]):
                yield f"{one.number}: {name} lies in {lies or 'neither'}"
            elif not bad and not rival and lies != ["done"]:
                yield f"{one.number}: {name} is refused"
            reason = self.inbox / "refused" / f"{name}.reason.txt"
            if reason.exists() != (lies == ["refused"]):
                yield f"{one.number}: {name} has {'a' if reason.exists() else 'no'} reason"


def files_of(number: int) -> dict[str, bytes]:
    """Return the files of a round, by name."""

    def claim(name: str, **changes: Any) -> dict[str, Any]:
        line = {"type": "taxi", "date": "2026-03-09", "amount": "23.00"}
        line.update(changes.pop("line", {}))
        made = {"id": f"R{number}{name}", "revision": 1, "company": "CN01", "employee": "E1"}
        return {**made, "currency": "CNY", "total": "23.00", "lines": [line], **changes}

    invoice = {"kind": "receipt", "number": f"263120000{number:010}1"}
    rivals = [claim(name, line={"documents": [invoice]}) for name in ("i", "j")]
    row = "CN01,E1,CNY,23.00,taxi,2026-03-09,23.00"
    xml = (
        f"<claim><id>R{number}e</id><company>CN01</company><employee>E1</employee>"
        "<currency>CNY</currency><total>23.00</total><lines><line><type>taxi</type>"
        "<date>2026-03-09</date><amount>23.00</amount></line></lines></claim>"
    )
    columns = "id,company,employee,currency,total,line.type,line.date,line.amount"
    found: dict[str, object] = {
        f"{number}-one.json": claim("a"),
        f"{number}-two.json": [claim("b"), claim("c")],
        f"{number}-rows.csv": f"{columns}\nR{number}d,{row}\n".encode(),
        f"{number}-tree.xml": xml.encode(),
        f"{number}-rival.json": rivals[0],
        f"{number}-rivals.json": [rivals[1]],
        f"{number}-bad.json": [claim("x", employee="E9999"), claim("y", total="1.00")],
        f"{number}-none.json": b"{",
    }
    return {
        name: content if isinstance(content, bytes) else json.dumps(content).encode()
        for name, content in found.items()
    }


def drill(folder: Path, *, rounds: int, seed: int) -> list[str]:
    """Run the drill, print what came of it, and return the flaws."""
    began = time.monotonic()
    with Drill(folder, seed=seed) as running:
        for one in running.run(rounds):
            if one.number % 20 == 0:
                print(f"{one.number} rounds", file=sys.stderr, flush=True)
        flaws = list(running.flaws())
        entries = len(running.erp.ledger())
    for flaw in flaws:
        print(flaw)
    kills = sum(one.killed for one in running.rounds)
    points = len({(one.step, one.after) for one in running.rounds if one.killed})
    print(
        f"{kills} kills in {rounds} rounds at {points} points, {entries} journal entries, "
        f"{len(flaws)} flaws, in {time.monotonic() - began:.0f} s, seed {seed}"
    )
    return flaws


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the drill; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="claimbridge-intake-") as folder:
        return 1 if drill(Path(folder), rounds=chosen.rounds, seed=chosen.seed) else 0


if __name__ == "__main__":
    sys.exit(main())
