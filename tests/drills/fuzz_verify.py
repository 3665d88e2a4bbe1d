"""Throw mutants of signed documents at the verifier: nothing forged may come out of it.

    python -m tests.drills.fuzz_verify --mutants 1000000 [--seed N] [--jobs N] [--keep FOLDER]

Every mutant begins as a voucher or a SOAP envelope that verifies, and is changed one to four times
(see ``fuzzed.mutations``). What is accepted must be, to the byte, what was signed. The command
exits 1 when forged content was delivered, an exception that is not ours escaped, or a verdict took
longer than a second of CPU time. ``--keep`` writes such mutants into a folder.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import msgspec
from tests.drills.fuzzed.corpus import Original, corpus
from tests.drills.fuzzed.mutations import mutate

from claimbridge.errors import ClaimBridgeError
from claimbridge.signing import Verifier

SLOW = 1.0
"""Seconds of CPU time that no verdict may take."""
_CHUNK = 2000


class Tally(msgspec.Struct):
    """What became of some mutants; ``bad`` holds those that are defects, with their kind."""

    verdicts: Counter[str] = msgspec.field(default_factory=Counter)
    kinds: Counter[str] = msgspec.field(default_factory=Counter)
    bad: list[tuple[str, bytes]] = msgspec.field(default_factory=list)
    slowest: float = 0.0

    def add(self, other: Tally) -> None:
        """Take in what another process counted."""
        self.verdicts += other.verdicts
        self.kinds += other.kinds
        self.bad += other.bad
        self.slowest = max(self.slowest, other.slowest)

    def count(self, kind: str) -> int:
        """Return the number of defects of a kind."""
        return sum(found == kind for found, _ in self.bad)


def attack(originals: tuple[Original, ...], *, seed: int, start: int, number: int) -> Tally:
    """Judge mutants ``start`` to ``start + number`` of a run."""
    tally = Tally()
    verifiers = [Verifier(original.policy) for original in originals]
    for index in range(start, start + number):
        chance = random.Random(f"{seed}:{index}")
        at = chance.randrange(len(originals))
        other = chance.choice(originals).document
        mutant, names = mutate(originals[at].document, other, chance)
        tally.kinds.update(names)
        _judge(tally, verifiers[at], originals, mutant)
    return tally


def _judge(
    tally: Tally, verifier: Verifier, originals: tuple[Original, ...], mutant: bytes
) -> None:
    begun = time.thread_time()
    try:
        content = verifier.verify(mutant).content
    except ClaimBridgeError as error:
        verdict = error.code
    except Exception as error:  # noqa: BLE001 - any other exception is what is looked for
        verdict = "foreign"
        tally.bad.append((f"foreign {type(error).__name__}", mutant))
    else:
        genuine = any(content == original.content for original in originals)
        verdict = "accepted" if genuine else "forged"
        if not genuine:
            tally.bad.append(("forged", mutant))
    took = time.thread_time() - begun
    tally.slowest = max(tally.slowest, took)
    tally.verdicts[verdict] += 1
    if took > SLOW:
        tally.bad.append(("slow", mutant))


def run(*, mutants: int, seed: int, jobs: int) -> Tally:
    """Judge so many mutants in ``jobs`` processes; 1: in this one."""
    originals = corpus()
    chunks = [(start, min(_CHUNK, mutants - start)) for start in range(0, mutants, _CHUNK)]
    tally = Tally()
    if jobs == 1:
        for start, number in chunks:
            tally.add(attack(originals, seed=seed, start=start, number=number))
        return tally
    with ProcessPoolExecutor(jobs) as pool:
        futures = [
            pool.submit(attack, originals, seed=seed, start=start, number=number)
            for start, number in chunks
        ]
        for done, future in enumerate(futures, 1):
            tally.add(future.result())
            if done % 25 == 0:
                print(f"{done * _CHUNK} of {mutants}", file=sys.stderr, flush=True)
    return tally


def table(tally: Tally) -> str:
    """Return the counts as lines of text."""
    number = sum(tally.verdicts.values())
    lines = [f"{'verdict':<10} {'mutants':>9}"]
    lines += [f"{verdict:<10} {count:>9}" for verdict, count in sorted(tally.verdicts.items())]
    lines += ["", f"{'mutation':<24} {'applied':>9}"]
    lines += [f"{kind:<24} {count:>9}" for kind, count in sorted(tally.kinds.items())]
    foreign = sum(kind.startswith("foreign") for kind, _ in tally.bad)
    lines += [
        "",
        f"{number} mutants: forged content delivered {tally.count('forged')}, foreign exceptions "
        f"{foreign}, slower than {SLOW:g} s {tally.count('slow')} (slowest "
        f"{tally.slowest * 1000:.1f} ms)",
    ]
    return "\n".join(lines)


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--mutants", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    begun = time.perf_counter()
    tally = run(mutants=options.mutants, seed=options.seed, jobs=options.jobs)
    took = time.perf_counter() - begun
    print(table(tally))
    print(f"seed {options.seed}, {took:.0f} s, {options.mutants / took:.0f} mutants/s")
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
        for number, (kind, mutant) in enumerate(tally.bad[:1000]):
            (options.keep / f"{number:04}-{kind.replace(' ', '-')}.xml").write_bytes(mutant)
    return 1 if tally.bad else 0


if __name__ == "__main__":
    sys.exit(main())
