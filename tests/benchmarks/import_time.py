"""How long ``import claimbridge`` takes, and what a first use adds.

    python -m tests.benchmarks.import_time [--rounds 15]

Each figure is the median over fresh processes, less that of ``python -c pass``.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence

SCRIPTS = {
    "import claimbridge": "import claimbridge",
    "from claimbridge import Claim": "from claimbridge import Claim",
    "from claimbridge import Client": "from claimbridge import Client",
    "from claimbridge.cli import main": "from claimbridge.cli import main",
}


def median_of(script: str, rounds: int) -> float:
    """Return the median seconds that a fresh process takes for ``script``."""
    took = []
    for _ in range(rounds):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", script], check=True)
        took.append(time.perf_counter() - started)
    return statistics.median(took)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a line for each import."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args(arguments).rounds
    bare = median_of("pass", rounds)
    print(f"{'python -c pass':34} {bare * 1000:6.0f} ms")
    for name, script in SCRIPTS.items():
        print(f"{name:34} {(median_of(script, rounds) - bare) * 1000:+6.0f} ms")
    return 0


if __name__ == "__main__":
    sys.exit(main())
