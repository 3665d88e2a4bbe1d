"""Submit a folder of claims with bounded concurrency; one bad claim stops no other.

python examples/submit_batch.py examples/claimbridge.toml examples/claims
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from claimbridge import Claim, ClaimError, Client


def readable(folder: Path) -> Iterator[Claim]:
    """Yield the claims one by one, so that memory does not grow with their number."""
    for path in sorted(folder.glob("*.json")):
        try:
            yield Claim.from_json(path.read_bytes())
        except ClaimError as error:
            print(f"{path.name}: {error}")


def main(config: str, folder: str) -> int:
    refused = 0
    with Client.from_config(config) as ledger:
        for result in ledger.submit_many(readable(Path(folder)), batch=10, concurrency=4):
            if result.acknowledgement is not None:
                print(f"{result.claim_id}  {result.acknowledgement.journal_entry}")
            else:
                refused += 1
                print(result.error)
    return 1 if refused else 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python examples/submit_batch.py CLAIMBRIDGE.toml FOLDER")
    sys.exit(main(*sys.argv[1:]))
