"""Submit one claim, twice: the ledger holds one journal entry.

Start an ERP to try it on with ``claimbridge sandbox --port 8765``, then run

    python examples/submit_claim.py examples/claimbridge.toml examples/claims/travel-cn.json
"""

import sys
from pathlib import Path

from claimbridge import Claim, Client, LedgerRejection, OutcomeUnknown, SchemaViolation


def main(config: str, claim_file: str) -> int:
    claim = Claim.from_json(Path(claim_file).read_bytes())
    with Client.from_config(config) as ledger:
        try:
            first = ledger.submit(claim)
            again = ledger.submit(claim)
        except SchemaViolation as error:  # fix the claim: nothing was sent
            for finding in error.findings:
                print(finding.claim_field, finding.text)
            return 1
        except LedgerRejection as error:  # the ERP said no, in its own words
            print(*error.reasons, sep="\n")
            return 1
        except OutcomeUnknown as error:  # it may be posted: ask again later, never resend blindly
            print(error)
            return 3
    print(f"{claim.id} is journal entry {first.journal_entry}; repeated: {again == first}")
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python examples/submit_claim.py CLAIMBRIDGE.toml CLAIM.json")
    sys.exit(main(*sys.argv[1:]))
