"""What it costs to ask an ERP for a document before it is sent for the first time.

    python -m tests.benchmarks.first_send [--claims 60] [--rounds 3]

Prints requests and claims per second with ``first_send = "ask"`` and ``"send"``, and their ratio:
the same claims of the sandbox's SAP by BAPI, in turns, in one run. On loopback a request costs what
the sandbox needs for it; over a network each costs a way there and back more.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Final, Literal

from tests.withstand.scene import claim, configured, ledger_of

from claimbridge.client import Client
from claimbridge.sandbox import Sandbox

PROFILE: Final = "sap-bapi"
WAYS: Final[tuple[Literal["ask", "send"], ...]] = ("ask", "send")


def measured(
    erp: Sandbox, journal: Path, first_send: Literal["ask", "send"], prefix: str, count: int
) -> tuple[float, float]:
    """Submit so many claims one by one; return requests a claim, and claims a second."""
    config = configured(PROFILE, port=erp.port, journal=journal, first_send=first_send)
    with Client(config, ledger=ledger_of(config), new_journal=True) as client:
        client.submit(claim(f"{prefix}-W"))  # connections, and what is made once
        before = sum(erp.requests().values())
        began = time.perf_counter()
        for number in range(count):
            client.submit(claim(f"{prefix}-{number}"))
        rate = count / (time.perf_counter() - began)
    return (sum(erp.requests().values()) - before) / count, rate


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--claims", type=int, default=60, help="per round")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    requests: dict[str, list[float]] = {way: [] for way in WAYS}
    rates: dict[str, list[float]] = {way: [] for way in WAYS}
    with Sandbox() as erp, tempfile.TemporaryDirectory() as folder:
        for turn in range(given.rounds):
            for way in WAYS:
                name = f"{way}{turn}".upper()
                asked, rate = measured(erp, Path(folder, f"{name}.db"), way, name, given.claims)
                requests[way].append(asked)
                rates[way].append(rate)
    ask, send = (statistics.median(rates[way]) for way in WAYS)
    print(f"{'first_send':>10}  {'requests a claim':>16}  {'claims/s':>8}")
    for way, rate in zip(WAYS, (ask, send), strict=True):
        print(f"{way:>10}  {statistics.median(requests[way]):>16.2f}  {rate:>8.1f}")
    print(f"{'ratio':>10}  {'':>16}  {ask / send:>8.2f}")


if __name__ == "__main__":
    main()
