"""Asking an ERP about a document that nobody sent, to see whether the way there works.

Nothing is posted, and nothing recorded. The question goes the whole way: connection, TLS,
authentication, path, contract, and reading what comes back.
"""

from __future__ import annotations

import msgspec

from claimbridge.model import Outcome, OutcomeKind, Submission
from claimbridge.submission.port import Exchanger
from claimbridge.submission.steps import Plan


class Probed(msgspec.Struct, frozen=True):
    """What a harmless question found; ``works`` None: the ERP cannot be asked, or not now."""

    works: bool | None
    text: str


def probe(nobodys: Submission, ledger: Exchanger) -> Plan[Probed]:
    """Ask about a submission that was never sent, where the ERP can be asked."""
    if not ledger.rules.capabilities.can_query:
        text = (
            "an ERP of this profile cannot be asked by reference; credentials, path and contract "
            "are tried by the first submission"
        )
        return Probed(None, text)
    (outcome,) = yield from ledger.exchange("query", (nobodys,))
    return _judged(outcome, nobodys.reference)


def _judged(outcome: Outcome, reference: str) -> Probed:
    told = outcome.text or "; ".join(map(str, outcome.reasons)) or f"it is {outcome.kind}"
    told = told.removesuffix("; reconcile before sending again")
    if outcome.kind is OutcomeKind.ABSENT:
        return Probed(True, f"asked for {reference}: it answers that it has none")
    if outcome.kind is OutcomeKind.UNAVAILABLE:
        return Probed(None, f"it takes no question now: {told}")
    if outcome.kind in {OutcomeKind.NOT_DELIVERED, OutcomeKind.UNKNOWN}:
        return Probed(False, f"{outcome.code} {told}".strip())
    return Probed(False, f"it says that it has {reference}, which nobody sent: {told}")


__all__ = ["Probed", "probe"]
