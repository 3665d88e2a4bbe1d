"""The same from asyncio: submit claims at once, wait until one is posted, read what changed.

python examples/async_client.py examples/claimbridge.toml examples/claims/*.json
"""

import asyncio
import sys
from pathlib import Path

from claimbridge import AsyncClient, Claim, ClaimBridgeError


async def main(config: str, claims: list[Claim]) -> int:
    async with AsyncClient.from_config(config) as ledger:
        ends = await asyncio.gather(
            *(ledger.submit(claim, timeout=30) for claim in claims), return_exceptions=True
        )
        for claim, end in zip(claims, ends, strict=True):
            if isinstance(end, ClaimBridgeError):
                print(end)
            elif isinstance(end, BaseException):
                raise end
            else:
                status = await ledger.wait(claim.id, timeout=10)
                print(f"{claim.id}  {status.state}  {status.journal_entry}")
        async for change in ledger.changes():
            print(f"changed: {change.reference} is {change.outcome}")
    return 0


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit("usage: python examples/async_client.py CLAIMBRIDGE.toml CLAIM.json …")
    found = [Claim.from_json(Path(file).read_bytes()) for file in sys.argv[2:]]
    sys.exit(asyncio.run(main(sys.argv[1], found)))
