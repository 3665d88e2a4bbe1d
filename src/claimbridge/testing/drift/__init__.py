"""Replies as other versions of an ERP would send them, and what a profile's reading is worth.

reply = Drifting(data, read=ledger.read_bytes)
drifted = reply.drifted(random.Random(seed))
assert drifted.verdict in {Verdict.RIGHT, Verdict.UNKNOWN}, drifted.how
"""

from claimbridge.testing.drift.judging import Verdict, judge
from claimbridge.testing.drift.mutations import MUTATIONS, Mutated
from claimbridge.testing.drift.replies import Drifted, Drifting

__all__ = ["MUTATIONS", "Drifted", "Drifting", "Mutated", "Verdict", "judge"]
