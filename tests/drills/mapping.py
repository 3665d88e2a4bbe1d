"""Map random claims by random charts, and hold every voucher against an independent oracle.

    python -m tests.drills.mapping --claims 100000 [--seed N]

The claims have everything that a claim can hold: items, allocations, several taxes, documents,
quantities, personal expenses, advances, payees, costs of other companies, currencies, refunds. The
oracle computes from the claim alone. Each voucher is made twice, the second time of the claim
written and read again, and must be the same to the byte; the same claim the other way round must
flip every side. A refusal is counted by its code. The command exits 1 when anything is wrong.
"""

from __future__ import annotations

import argparse
import copy
import random
import sys
from collections import Counter
from decimal import Decimal

import msgspec
from tests.drills.mapped.charts import random_chart
from tests.drills.mapped.claims import Plain, random_claim
from tests.drills.mapped.oracle import violations

from claimbridge.errors import ClaimError, MappingError
from claimbridge.mapping import Chart, Mapped
from claimbridge.model import Claim

CLAIMS_PER_CHART = 50


class Tally(msgspec.Struct):
    """What became of the claims."""

    mapped: int = 0
    postings: int = 0
    refused: Counter[str] = msgspec.field(default_factory=Counter)
    bad: list[tuple[str, str]] = msgspec.field(default_factory=list)
    """What is wrong, and the claim in JSON."""


def drill(claims: int, seed: int) -> Tally:
    """Map ``claims`` random claims and judge each."""
    tally = Tally()
    for number in range(claims):
        draw = random.Random(f"{seed}:{number}")
        if number % CLAIMS_PER_CHART == 0:
            chart, recharges = random_chart(draw)
        judge(tally, chart, random_claim(draw, number), recharges=recharges)
    return tally


def judge(tally: Tally, chart: Chart, plain: Plain, *, recharges: bool) -> None:
    """Map one claim and count what became of it."""
    claim = Claim.from_dict(copy.deepcopy(plain))
    try:
        mapped = chart.map(claim)
    except MappingError as error:
        tally.refused[error.code] += 1
        return
    except ClaimError as error:  # a voucher that cannot exist, from a claim that can
        if error.code == "CB-148":
            tally.refused[error.code] += 1
        else:
            tally.bad.append((str(error), claim.to_json().decode()))
        return
    tally.mapped += 1
    tally.postings += len(mapped.voucher.postings)
    found = [*violations(plain, mapped, recharges=recharges), *_again(chart, claim, mapped)]
    found += _refund(chart, plain, mapped)
    tally.bad.extend((one, claim.to_json().decode()) for one in found)


def _again(chart: Chart, claim: Claim, mapped: Mapped) -> list[str]:
    again = chart.map(Claim.from_json(claim.to_json()))
    same = msgspec.json.encode(again) == msgspec.json.encode(mapped)
    return [] if same else ["the same claim became another voucher"]


def _refund(chart: Chart, plain: Plain, mapped: Mapped) -> list[str]:
    """The claim with every amount the other way round has every side the other way round."""
    if "advances" in plain or "payees" in plain:  # which settle what is owed, and no debt
        return []
    back = chart.map(Claim.from_dict(_negated(plain))).voucher.postings
    there = mapped.voucher.postings
    flipped = [msgspec.structs.replace(one, side=one.side.other) for one in back]
    return [] if flipped == [*there] else ["a refund is no mirror of its expense"]


_AMOUNTS = frozenset({"amount", "tax", "total", "deductible_tax", "fare"})


def _negated(plain: Plain) -> Plain:
    def other(name: str, value: object) -> object:
        if isinstance(value, dict):
            return {key: other(key, one) for key, one in value.items()}
        if isinstance(value, list):
            return [other(name, one) for one in value]
        return f"{-Decimal(str(value)):f}" if name in _AMOUNTS else value

    return {key: other(key, value) for key, value in plain.items()}


def report(tally: Tally) -> None:
    """Print the counts, and the first of what is wrong."""
    print(f"mapped      {tally.mapped:>9,}  ({tally.postings:,} postings)")
    for code, count in sorted(tally.refused.items()):
        print(f"refused     {count:>9,}  {code}")
    print(f"violations  {len(tally.bad):>9,}")
    for what, claim in tally.bad[:10]:
        print(f"{what}\n    {claim}")


def main() -> int:
    """Run the drill and print; return 1 when a voucher is wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--claims", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    tally = drill(options.claims, options.seed)
    report(tally)
    return 1 if tally.bad else 0


if __name__ == "__main__":
    sys.exit(main())
