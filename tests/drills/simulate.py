"""A million deliveries without I/O: the very plans of ``claimbridge.submission`` in a bad world.

    python -m tests.drills.simulate --deliveries 1000000 --seed 1
    python -m tests.drills.simulate --seed 1 --claim E123-4      # tell that claim's story

Each episode has a few claims, three processes that crash, an ERP of one of the four recipes and a
network that loses, delays, reorders and repeats. In the end everything is healed, callers repeat
the highest revision of each claim, people settle what is parked, and the ERP is compared with what
must be. One delivery is one claim revision that a caller wants posted, or one that it wants
reversed; how often it is sent for that is counted as requests.

Exit code 1 when anything was lost or duplicated, posted with wrong amounts, left stuck, or when
our journal disagrees with the ERP or was asked for an unlawful write. The rate counts claimbridge's
own time and the simulation's, on one core.
"""

from __future__ import annotations

import argparse
import datetime as dt
import sys
import time
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal

import msgspec
from tests.drills.simulated.scene import KINDS, RECIPES
from tests.drills.simulated.verdict import Flaw, judge
from tests.drills.simulated.world import Episode, Tally

from claimbridge.model import Posting, Role, Side, Voucher

BAD = ("lost", "duplicated", "wrong amounts", "stuck", "disagrees", "unlawful")


class Totals(msgspec.Struct):
    """What many episodes of one recipe came to."""

    tally: Tally = msgspec.field(default_factory=Tally)
    flaws: Counter[str] = msgspec.field(default_factory=Counter)
    kinds: Counter[tuple[str, str]] = msgspec.field(default_factory=Counter)
    """Flaws in episodes of each kind."""
    examples: list[tuple[int, Flaw]] = msgspec.field(default_factory=list)

    def add(self, episode: Episode, flaws: Sequence[Flaw]) -> None:
        """Count one episode."""
        self.tally.add(episode.tally)
        for flaw in flaws:
            self.flaws[flaw.kind] += 1
            self.kinds.update((kind, flaw.kind) for kind in episode.kinds)
            if len(self.examples) < 20:
                self.examples.append((episode.number, flaw))


def vouchers() -> tuple[Voucher, ...]:
    """Return vouchers to share: ``[n::3]`` are for revision n + 1, and differ in amounts."""
    return tuple(_voucher(n) for n in range(60))


def _voucher(n: int) -> Voucher:
    amount = Decimal(100 + n) + Decimal(n % 7) / 100
    day = dt.date(2026, 1, 15)

    def leg(account: str, side: Side, role: Role) -> Posting:
        return Posting(account=account, side=side, amount=amount, currency="CNY", role=role)

    return Voucher(
        claim_id="shared",
        revision=1,
        company="1000",
        employee="E1",
        currency="CNY",
        document_date=day,
        posting_date=day,
        postings=(
            leg("6602", Side.DEBIT, Role.EXPENSE),
            leg("2241", Side.CREDIT, Role.EMPLOYEE_PAYABLE),
        ),
    )


def simulate(deliveries: int, seed: int, *, careless: bool = False) -> tuple[list[Totals], float]:
    """Run episodes until so many deliveries were made; totals by recipe, and CPU seconds."""
    shared = vouchers()
    totals = [Totals() for _ in RECIPES]
    began = time.process_time()
    number = made = 0
    while made < deliveries:
        episode = Episode(seed, number, shared, careless=careless)
        episode.run()
        made += episode.tally.deliveries
        totals[episode.recipe].add(episode, judge(episode))
        number += 1
    return totals, time.process_time() - began


def tell(seed: int, claim: str) -> list[str]:
    """Return the story of one claim: every line of its episode that concerns it."""
    number = int(claim[1:].partition("-")[0])
    lines: list[str] = []
    episode = Episode(seed, number, vouchers(), story=lines)
    episode.run()
    lines += [f"{flaw.claim_id:>10} {'':14}  {flaw.kind}: {flaw.text}" for flaw in judge(episode)]
    head = [
        f"seed {seed}, claim {claim}, recipe: {RECIPES[episode.recipe]}",
        ", ".join(sorted(episode.kinds)),
        f"{episode.traits}",
    ]
    return head + [line for line in lines if line.split()[0] in (claim, "*")]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--deliveries", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--claim", help="tell this claim's story instead")
    options = parser.parse_args(arguments)
    if options.claim:
        print("\n".join(tell(options.seed, options.claim)))
        return 0
    ours, seconds = simulate(options.deliveries, options.seed)
    naive, _ = simulate(options.deliveries, options.seed, careless=True)
    _report("claimbridge", ours, seconds)
    _report_causes(ours)
    _report("a naive retrying client, the same odds", naive, None)
    _report_kinds(ours, naive)
    print(
        "\nNot simulated, because no client can help: a network that delivers a request twice to an"
        "\nERP without unique references, or that delivers a copy of a request which was refused."
    )
    return _failures(ours, options.seed)


def _report(title: str, totals: Sequence[Totals], seconds: float | None) -> None:
    print(f"\n{title}")
    names = ("deliveries", "requests", "reversals", *BAD[:3], "parked")
    print(f"  {'recipe':32}" + "".join(f"{name:>15}" for name in names))
    everything = [*zip(RECIPES, totals, strict=True), ("all", _sum(totals))]
    for name, one in everything:
        counts = (one.tally.deliveries, one.tally.requests, one.tally.reversals)
        bad = tuple(one.flaws[kind] for kind in BAD[:3])
        row = (*counts, *bad, one.tally.parked.total())
        print(f"  {name:32}" + "".join(f"{count:>15,}" for count in row))
    if seconds is not None:
        every = everything[-1][1]
        rate = every.tally.deliveries / seconds * 60
        print(
            f"  stuck {every.flaws['stuck']}, journal disagrees {every.flaws['disagrees']}, "
            f"unlawful writes {every.flaws['unlawful']}\n"
            f"  {seconds:.1f} s on one core, {rate:,.0f} deliveries a minute, "
            f"{every.tally.requests / seconds * 60:,.0f} requests a minute"
        )


def _report_kinds(ours: Sequence[Totals], naive: Sequence[Totals]) -> None:
    """Print what came of the episodes of each kind; one may be of several."""
    every, other = _sum(ours), _sum(naive)
    print("\nby what happened in the episode; the last columns are the naive client's")
    print(f"  {'kind':32}" + "".join(f"{name:>15}" for name in ("deliveries", *BAD)), end="")
    print("".join(f"{name:>12}" for name in BAD[:3]))
    for kind in KINDS:
        bad = "".join(f"{every.kinds[kind, name]:>15,}" for name in BAD)
        print(f"  {kind:32}{every.tally.kinds[kind]:>15,}{bad}", end="")
        print("".join(f"{other.kinds[kind, name]:>12,}" for name in BAD[:3]))


def _report_causes(totals: Sequence[Totals]) -> None:
    every = _sum(totals).tally
    for title, counts in (
        ("faults", every.faults),
        ("parked for", every.parked),
        ("errors that callers saw", every.errors),
    ):
        print(f"  {title}: " + ", ".join(f"{name} {n:,}" for name, n in counts.most_common()))


def _sum(totals: Sequence[Totals]) -> Totals:
    every = Totals()
    for one in totals:
        every.tally.add(one.tally)
        every.flaws.update(one.flaws)
        every.kinds.update(one.kinds)
        every.examples += one.examples
    return every


def _failures(totals: Sequence[Totals], seed: int) -> int:
    examples = _sum(totals).examples
    for number, flaw in examples[:5]:
        claim = flaw.claim_id if flaw.claim_id != "*" else f"E{number}-0"
        print(f"\n{flaw.kind}: claim {claim}, seed {seed}: {flaw.text}")
        print("\n".join(tell(seed, claim)))
    if len(examples) > 5:
        print("\nmore: " + ", ".join(f"{f.kind} {f.claim_id}" for _, f in examples[5:]))
    return 1 if examples else 0


if __name__ == "__main__":
    sys.exit(main())
