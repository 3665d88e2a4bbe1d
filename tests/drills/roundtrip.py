"""Many generated values through their written forms and back, unchanged to the last digit.

    python -m tests.drills.roundtrip --examples 100000 [--seed 1] [--jobs 2]

Exits 1 at the first value that comes back changed, and prints it at its smallest. The examples are
drawn in portions, each from a seed of its own, by as many processes as there are jobs.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from typing import Any

import msgspec
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy
from tests.profiles.samples import submission
from tests.strategies import as_told, claims, vouchers

from claimbridge import xmlio
from claimbridge.contract import Bundle, Contract
from claimbridge.model import Claim, Purpose, Voucher
from claimbridge.profiles.reference.profile import Reference, voucher_from


def claim_to_json_and_back(claim: Claim) -> None:
    """Claim → JSON → claim → JSON."""
    written = claim.to_json()
    read = Claim.from_json(written)
    assert read == claim, f"{claim}\nbecame\n{read}"
    assert read.to_json() == written
    assert read.digest == claim.digest


@cache
def contract() -> Contract:
    """Return the reference contract, once per process."""
    return Contract.load(Bundle.from_package("voucher-service.wsdl"))


def voucher_to_xml_and_back(voucher: Voucher) -> None:
    """Voucher → XML, valid by the reference contract → voucher."""
    known = submission(voucher)
    post = voucher.purpose is Purpose.POST
    request = Reference().submit([known]) if post else Reference().reverse(known)
    body = contract().render(request.operation, request.body)
    assert contract().check(body) == (), f"{voucher}\nis not valid"
    read = voucher_from(xmlio.parse(body)[0])
    told = as_told(voucher)
    assert read == told, f"{voucher}\nbecame\n{read}"
    # Equal moments may differ in zone, and equal decimals in digits.
    assert msgspec.json.encode(read) == msgspec.json.encode(told)


PORTION = 2_000

DRILLS: dict[str, tuple[SearchStrategy[Any], Callable[[Any], None]]] = {
    "claim JSON": (claims(), claim_to_json_and_back),
    "voucher XML": (vouchers(), voucher_to_xml_and_back),
}


def run(name: str, examples: int, number: int) -> int:
    """Run one drill over ``examples`` generated values; return how many came back unchanged.

    Raises AssertionError, from hypothesis's smallest example, when one did not.
    """
    strategy, check = DRILLS[name]
    done = 0

    def counted(value: Any) -> None:
        nonlocal done
        check(value)
        done += 1

    bounds = settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    seed(number)(bounds(given(strategy)(counted)))()
    return done


def run_in_parallel(name: str, examples: int, number: int, jobs: int) -> int:
    """Run one drill in ``jobs`` processes; return how many values came back unchanged."""
    # A portion keeps every value it drew in memory, so as not to draw it again.
    portions = [min(PORTION, examples - start) for start in range(0, examples, PORTION)]
    seeds = [number * 1_000_000 + place for place in range(len(portions))]
    survived = 0
    with ProcessPoolExecutor(jobs) as pool:
        for done in pool.map(run, [name] * len(portions), portions, seeds):
            survived += done
            print(f"{name}: {survived:,}", file=sys.stderr, flush=True)
    return survived


def main(arguments: Sequence[str] | None = None) -> int:
    """Run every drill; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    chosen = parser.parse_args(arguments)
    for name in DRILLS:
        started = time.perf_counter()
        try:
            survived = run_in_parallel(name, chosen.examples, chosen.seed, chosen.jobs)
        except AssertionError as error:
            print(f"{name}: changed: {error}")
            return 1
        took = time.perf_counter() - started
        print(f"{name}: {survived:,} survived, 0 changed, in {took:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
