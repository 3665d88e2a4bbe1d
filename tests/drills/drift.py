"""Mutate replies as other versions of an ERP would write them, and judge what is read.

    python -m tests.drills.drift --mutations 10000 [--seed N] [--without-zeep] [--tidy]

Each reply is first rewritten as another server would write it; with ``--tidy`` not.
Every recorded reply, and every real one that lies on this machine, is changed once or twice (see
``claimbridge.testing.drift``) and read by its profile. A reading is *right*, an explicit *unknown*,
a *needless* unknown (all the evidence is still there), or *wrong*: another document, another fate,
or nothing where there was something, silently. The command exits 1 when any is needless or wrong.
zeep, strict and lax, is given the same replies by the same contracts.
"""

from __future__ import annotations

import argparse
import logging
import random
import sys
import warnings
from collections import Counter
from collections.abc import Iterable
from typing import get_args

import msgspec
from tests.drills.drifted.cases import Case, cases
from tests.drills.drifted.zeep_reading import Said, zeep_reads

from claimbridge.sandbox.http.untidy import untidy
from claimbridge.sandbox.kit.manner import Manner
from claimbridge.testing.drift import DriftingReply, ReadingVerdict


class Tally(msgspec.Struct):
    """How mutated replies were read."""

    verdicts: dict[str, Counter[str]] = msgspec.field(default_factory=dict)
    zeep: dict[str, Counter[str]] = msgspec.field(default_factory=dict)
    bad: list[tuple[str, str, str, bytes]] = msgspec.field(default_factory=list)
    """Case, mutation, verdict and reply of what must not be."""


def drill(
    chosen: Iterable[Case],
    *,
    mutations: int,
    seed: int,
    with_zeep: bool = True,
    lifelike: bool = False,
) -> Tally:
    """Read ``mutations`` mutated replies of the cases, and judge each reading.

    ``lifelike``: each reply is rewritten before, as another server would write it.
    """
    tally, held = Tally(), list(chosen)
    written = [
        untidy(case.reply, Manner(lifelike=lifelike, seed=seed, turn=turn))
        for turn, case in enumerate(held)
    ]
    replies = [
        DriftingReply(reply, read=case.ledger.read_bytes)
        for reply, case in zip(written, held, strict=True)
    ]
    for number in range(mutations):
        draw = random.Random(f"{seed}:{number}")
        at = draw.randrange(len(held))
        case, drifted = held[at], replies[at].drift(draw)
        for one in drifted.mutations:
            tally.verdicts.setdefault(one.how, Counter())[drifted.verdict] += 1
        if drifted.verdict in {ReadingVerdict.NEEDLESS, ReadingVerdict.WRONG}:
            tally.bad.append((case.name, drifted.how, drifted.verdict, drifted.reply))
        if with_zeep:
            _ask_zeep(tally, case, drifted.reply)
    return tally


def _ask_zeep(tally: Tally, case: Case, reply: bytes) -> None:
    for strict in (True, False):
        said = zeep_reads(
            case.ledger.setup.profile.name,
            case.wsdl,
            case.operation,
            reply,
            case.outcomes,
            strict=strict,
        )
        tally.zeep.setdefault("strict" if strict else "lax", Counter())[said] += 1


def report(tally: Tally) -> None:
    """Print how each kind of mutation was read, and what zeep made of all of them."""
    print(f"{'mutation':<24}" + "".join(f"{one:>10}" for one in ReadingVerdict))
    for how, counted in sorted(tally.verdicts.items()):
        print(f"{how:<24}" + "".join(f"{counted[one]:>10}" for one in ReadingVerdict))
    whole = sum(tally.verdicts.values(), Counter())
    print(f"{'all':<24}" + "".join(f"{whole[one]:>10}" for one in ReadingVerdict))
    for how, said in tally.zeep.items():
        told = (f"{what} {said[what]}" for what in get_args(Said))
        print(f"zeep {how:<7} " + ", ".join(told))
    for case, how, verdict, reply in tally.bad[:20]:
        print(f"{verdict}: {case}: {how}\n    {reply.decode(errors='replace')[-700:]}")


def main() -> int:
    """Run the drill and print; return 1 when a reading was wrong, or unknown without need."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--mutations", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--without-zeep", action="store_true")
    parser.add_argument("--tidy", action="store_true", help="mutate the replies as recorded")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.getLogger("zeep").disabled = True
    logging.getLogger("zeep.xsd").setLevel(logging.CRITICAL)
    held = list(cases())
    print(
        f"{len(held)} replies of {len({case.ledger.setup.profile.name for case in held})} profiles"
    )
    tally = drill(
        held,
        mutations=options.mutations,
        seed=options.seed,
        with_zeep=not options.without_zeep,
        lifelike=not options.tidy,
    )
    report(tally)
    return 1 if tally.bad else 0


if __name__ == "__main__":
    sys.exit(main())
