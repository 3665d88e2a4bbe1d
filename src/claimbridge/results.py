"""How each claim ended that was one of many."""

from __future__ import annotations

import msgspec

from claimbridge.errors import ClaimBridgeError
from claimbridge.model import Acknowledgement, Standing


class Result(msgspec.Struct, frozen=True):
    """How one claim of ``submit_many`` ended: an acknowledgement, or the error ``submit`` raises.

    Exactly one of the two is None.
    """

    claim_id: str
    acknowledgement: Acknowledgement | None
    error: ClaimBridgeError | None


class Reconciled(msgspec.Struct, frozen=True):
    """What ``reconcile`` made of an unfinished submission: its standing, or the error that remains.

    Exactly one of the two is None.
    """

    claim_id: str
    standing: Standing | None
    error: ClaimBridgeError | None
