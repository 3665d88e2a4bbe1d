"""Replies as other versions of an ERP would send them, and a verdict on a profile's reading.

reply = DriftingReply(data, read=ledger.read_bytes)
drifted = reply.drift(random.Random(seed))
assert drifted.verdict in {ReadingVerdict.RIGHT, ReadingVerdict.UNKNOWN}, drifted.how
"""

from claimbridge.testing.drift.judging import ReadingVerdict, judge
from claimbridge.testing.drift.mutations import MUTATIONS, MutationNote
from claimbridge.testing.drift.replies import DriftedReply, DriftingReply

__all__ = ["MUTATIONS", "DriftedReply", "DriftingReply", "MutationNote", "ReadingVerdict", "judge"]
