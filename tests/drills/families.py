"""Chaos over claims of several documents, judged from the ERP's ledger alone.

    python -m tests.drills.families --rounds 200 [--seed 1] [--profile sap-bapi]

Each round is one claim of three documents, and two other claims whose ids look like its parts.
One to three processes submit revisions of it (of three documents, two, and one), reverse it,
withdraw it, or reconcile, one after the other or at once. They are killed by ``kill -9`` before or
after a journal write or at any time, or stopped and let go on; the ERP loses answers, breaks
connections off, turns calls away. Then everything is calm, and one process calls ``reconcile``
alone, which knows no claim. In the ledger there is then one whole revision or nothing of the claim,
each reference once, and the others as they were.

``lost``: what was acknowledged, and nobody took back, is not there. ``doubled``: more than one
revision or division, or a reference twice. ``half``: some documents of a revision, and nobody was
told. ``left unfinished``: told by ``reconcile`` as not to be brought to an end (an ERP that refused
a document; a person is asked). ``others``: a claim that only looks like a part was touched.

Exits 1 unless nothing is lost, doubled, half or touched.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from decimal import Decimal
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path

from tests.drills.divided import child
from tests.drills.divided.child import LINES, PROFILES, Death, Wish
from tests.withstand.division.test_division import long_claim
from tests.withstand.scene import QUIET, book_of

from claimbridge.client import Client
from claimbridge.errors import ClaimBridgeError, ConflictingSubmission, OutcomeUnknown
from claimbridge.journal import SqliteJournal
from claimbridge.sandbox import LedgerRow, Sandbox

HARMS = (
    "",
    "any:commit-then-drop%15,any:drop-before-commit%10",
    "any:timeout=after-commit%8,throttle%15",
    "any:half-reply=cut%10,refuse-connection%15",
    "fault%20,any:commit-then-drop%10",
)
COUNTS = (
    "rounds", "kills", "stops", "posted", "empty",
    "lost", "doubled", "half", "left unfinished", "others",
)  # fmt: skip
FLAWS = ("lost", "doubled", "half", "others")
STOPPED = "CB-453", "CB-456", "CB-459", "CB-452"
"""Why a claim may not be submitted again: it was reversed, divided otherwise, withdrawn."""


class Drill:
    """One ERP, one journal, and the processes that come and go."""

    def __init__(self, folder: Path, erp: Sandbox, *, profile: str, seed: int) -> None:
        self.seen: Counter[str] = Counter()
        self.flaws: list[str] = []
        self.told: Counter[str] = Counter()
        self._chance = random.Random(seed)
        self._erp = erp
        self._profile = profile
        self._folder = folder
        self._config = child.config_of(profile, erp.port, folder / "claims.db")
        self._context: ForkServerContext = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["tests.drills.divided.child"])

    def round(self, number: int) -> None:
        """Run one round, and judge it."""
        chance, name = self._chance, f"F{number:04}"
        self.seen["rounds"] += 1
        theirs = self._others(name)
        self._erp.set_faults(chance.choice(HARMS))
        notes = self._folder / f"{name}.txt"
        for _ in range(chance.randint(1, 2)):
            self._together(name, notes)
        self._erp.set_faults("")
        with child.client(self._config) as sender:
            told = self._reconciled(sender, name)
            self._judge(name, notes, theirs, told)
            self._again(sender, name)

    def _others(self, name: str) -> dict[str, str]:
        """Post claims whose ids look like parts of this one; return their journal entries."""
        found: dict[str, str] = {}
        with child.client(self._config) as sender:
            for other in (f"{name}/1", f"{name}.p2"):
                ack = sender.submit(long_claim(other, lines=2))
                found[ack.reference] = str(ack.journal_entry)
        return found

    def _together(self, name: str, notes: Path) -> None:
        """Let one to three processes do what they want, at once, and strike them."""
        chance = self._chance
        going: list[tuple[ForkServerProcess, Death | None]] = []
        for _ in range(chance.choice((1, 1, 2, 3))):
            death = self._death()
            arguments = (self._config, name, self._wishes(), death, notes)
            process = self._context.Process(target=child.run, args=arguments)
            process.start()
            going.append((process, death))
        if chance.random() < 0.3:  # at any time
            time.sleep(chance.uniform(0.0, 0.6))
            going[0][0].kill()
        end = time.monotonic() + chance.choice((0.6, QUIET + 0.4))
        for process, death in going:
            process.join(max(0.0, end - time.monotonic()) if death and death.stops else 60)
            self.seen["stops"] += process.is_alive()
            self._go_on(process, name)
            self.seen["kills"] += process.exitcode == -signal.SIGKILL

    def _go_on(self, process: ForkServerProcess, name: str) -> None:
        """Let a stopped process go on to its end; it may stop later than it was waited for."""
        end = time.monotonic() + 60
        while process.is_alive():
            with suppress(ProcessLookupError):  # it ended just now
                os.kill(process.pid or 0, signal.SIGCONT)
            process.join(0.2)
            if time.monotonic() > end:
                process.kill()
                raise RuntimeError(f"{name}: a process hangs")

    def _death(self) -> Death | None:
        chance = self._chance
        if chance.random() < 0.3:
            return None
        return Death(chance.randint(1, 9), chance.random() < 0.5, chance.random() < 0.25)

    def _wishes(self) -> list[Wish]:
        chance = self._chance
        wishes = [Wish("submit", chance.choice((1, 1, 1, 2)))]
        while chance.random() < 0.6:
            revision = chance.choice(tuple(LINES))
            wishes.append(
                chance.choice(
                    (Wish("submit", revision), Wish("submit", 2), Wish("reverse"),
                     Wish("withdraw"), Wish("reconcile"))
                )
            )  # fmt: skip
        return wishes

    def _reconciled(self, sender: Client, name: str) -> str:
        """Call ``reconcile`` until it brings nothing further; return what it tells of the claim."""
        told = ""
        for _ in range(8):
            ends = list(sender.reconcile())
            errors = [one.error for one in ends if one.error and one.claim_id == name]
            told = "; ".join(map(str, errors))
            if not any(error.retryable or _waits(error) for error in errors):
                break
            time.sleep(QUIET / 2)
        if told:
            self.told[told.split()[0]] += 1
        return told

    def _judge(self, name: str, notes: Path, theirs: dict[str, str], told: str) -> None:
        ledger = [one for one in self._erp.ledger() if one.profile == self._profile]
        self._judge_others(name, theirs, ledger)
        live = self._live(name, theirs, ledger)
        what = self._what(live)
        self.seen["left unfinished"] += bool(told)
        if what == "half" and told:
            what = "told"
        if what in FLAWS:
            self._flaw(name, what, sorted(one.reference for one in live))
        else:
            self.seen[what] += 1
        wanted = _wanted(notes)
        if wanted and what not in FLAWS and not told and _revision(live) != wanted:
            self._flaw(name, "lost", f"{wanted} was acknowledged, there is {_revision(live)}")

    def _judge_others(self, name: str, theirs: dict[str, str], ledger: Sequence[LedgerRow]) -> None:
        for reference, entry in theirs.items():
            found = [one for one in ledger if one.reference == reference and one.purpose == "post"]
            if [(one.state, one.journal_entry) for one in found] != [("posted", entry)]:
                self._flaw(name, "others", f"{reference}: {found}")

    def _live(
        self, name: str, theirs: dict[str, str], ledger: Sequence[LedgerRow]
    ) -> list[LedgerRow]:
        return [
            one
            for one in ledger
            if one.purpose == "post"
            and one.state in {"entered", "posted", "paid"}
            and one.reference not in theirs
            and one.reference.split(".")[0] == name
            and not _is_reversal(one)
            # Some ERPs list what was taken back as it was, beside its reversal.
            and _reversal(one) not in {other.reference.lower() for other in ledger}
        ]

    def _what(self, live: Sequence[LedgerRow]) -> str:
        if not live:
            return "empty"
        references = [one.reference for one in live]
        if len(set(references)) < len(references) or len({_mark(one) for one in live}) > 1:
            return "doubled"
        if _debits(live) != long_claim("X", lines=LINES[_revision(live)]).total:
            return "half" if _debits(live) < 200 and len(live) < 4 else "doubled"
        return "posted"

    def _flaw(self, name: str, what: str, about: object) -> None:
        self.seen[what] += 1
        notes = self._folder / f"{name}.txt"
        said = notes.read_text().splitlines() if notes.exists() else []
        self.flaws += [f"{name} {what}: {about}", *said, *self._story(name)]

    def _story(self, name: str) -> list[str]:
        journal = SqliteJournal(self._folder / "claims.db")
        moves = list(journal.moves(book_of(journal), name))
        journal.close()
        return [
            f"{move.at:%H:%M:%S.%f} {move.key} {move.before} → {move.after} "
            f"(attempt {move.attempt}) {move.detail}"
            for move in moves
        ]

    def _again(self, sender: Client, name: str) -> None:
        """A caller comes again with the newest revision: then that alone is there, all of it."""
        revision = max(LINES)
        for _ in range(6):
            try:
                sender.submit(long_claim(name, lines=LINES[revision], revision=revision))
            except ConflictingSubmission as error:
                if error.code not in STOPPED:
                    raise
                return
            except ClaimBridgeError:
                time.sleep(QUIET / 2)
                continue
            live = self._live(name, {}, self._erp.ledger())
            live = [one for one in live if one.profile == self._profile]
            mine = [one for one in live if not one.reference.startswith(f"{name}/")]
            if (_revision(mine), self._what(mine)) != (revision, "posted"):
                self._flaw(name, "doubled", f"submitted again: {[m.reference for m in mine]}")
            return
        self._flaw(name, "lost", "it cannot be submitted any more")


def _waits(error: ClaimBridgeError) -> bool:
    """Whether time brings it further: the quiet period is not over."""
    return isinstance(error, OutcomeUnknown) and error.retry_after is not None


def _wanted(notes: Path) -> int:
    """Return the revision that must be there, by what was acknowledged; 0 where nobody knows.

    Nobody knows after something else was begun and did not end well, or beside a second process.
    """
    lines = notes.read_text().splitlines() if notes.exists() else []
    revision = 0
    for before, line in zip(["", *lines], lines, strict=False):
        kind, what, *more = line.split()
        if kind == "begun" and before.startswith("begun"):
            return 0
        if kind == "begun" and what in ("reverse", "withdraw"):
            return 0
        if kind == "ended" and what == "submit":
            number, end = int(more[0]), more[1]
            if end == "done":
                revision = number
            elif end not in STOPPED:
                return 0
    return revision if lines and lines[-1].startswith("ended") else 0


def _mark(one: LedgerRow) -> str:
    """Return what of a reference says the revision: ``.r2``; "" for the first."""
    return "".join(f".{part}" for part in one.reference.lower().split(".")[1:] if part[0] == "r")


def _is_reversal(one: LedgerRow) -> bool:
    return one.reference.lower().rpartition(".")[2].startswith("x")


def _reversal(one: LedgerRow) -> str:
    """Return the reference of what takes a document back."""
    name, *marks = one.reference.lower().split(".")
    part = [mark for mark in marks if mark.startswith("p")]
    return ".".join((name, *part, f"x{_revision([one])}"))


def _revision(live: Sequence[LedgerRow]) -> int:
    if not live:
        return 0
    mark = _mark(live[0])
    return int(mark[2:]) if mark else 1


def _debits(live: Sequence[LedgerRow]) -> Decimal:
    return sum(
        (
            Decimal(posting["amount"])
            for one in live
            for posting in one.postings
            if posting["side"] == "debit"
        ),
        Decimal(0),
    )


def drill(folder: Path, *, rounds: int, seed: int, profile: str) -> bool:
    """Run the drill and print what came of it; return whether all is well."""
    began = time.monotonic()
    with Sandbox() as erp:
        running = Drill(folder, erp, profile=profile, seed=seed)
        for number in range(1, rounds + 1):
            running.round(number)
            if number % 20 == 0:
                print(f"{number} rounds", file=sys.stderr, flush=True)
    for column in COUNTS:
        print(f"{column:16} {running.seen[column]:6}")
    print(f"told by reconcile: {dict(running.told)}")
    for flaw in running.flaws:
        print(flaw)
    print(f"profile {profile}, seed {seed}, in {time.monotonic() - began:.0f} s")
    return not running.flaws


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the drill; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--profile", choices=PROFILES, default="reference")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="claimbridge-families-") as folder:
        well = drill(Path(folder), rounds=chosen.rounds, seed=chosen.seed, profile=chosen.profile)
    return 0 if well else 1


if __name__ == "__main__":
    raise SystemExit(main())
