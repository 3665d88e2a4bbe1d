"""Whether a claim may use an invoice: the one rule of all journals, decided without I/O.

A submission has its invoices as long as its voucher is, may be, or is still to come into a ledger.
Nothing is ever given back by a step of its own: rejected, reversed, withdrawn or superseded before
it was sent, a submission has them no more.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final

from claimbridge.errors import ClaimError
from claimbridge.journal.writes import Write
from claimbridge.model import InvoiceHolder, InvoiceUse, Purpose, State
from claimbridge.model.invoices import contradiction
from claimbridge.model.money import summed

_FREED: Final = frozenset({State.REJECTED, State.REVERSED})
"""Where nothing of a submission counts in the ledger, for certain."""
_ABOUT_TO: Final = frozenset({State.PENDING, State.SENDING})
"""Where we mean to post it; all other states follow from what the ERP did."""


def has_it(state: State, *, superseded: bool) -> bool:
    """Whether a submission in this state has its invoices, so that no other claim may use them.

    ``superseded``: a later revision was begun, so that what still waited will never be sent.
    """
    if state is State.PENDING:
        return not superseded
    return state not in _FREED


def new_uses(write: Write) -> tuple[InvoiceUse, ...]:
    """Return the invoices that a write begins to use: those that no other claim may have.

    What waits is looked at again when it is sent: where it came from (a refusal that a restored
    journal doubted, a person's word), another claim may have had them meanwhile.
    """
    before, after = write.before, write.after
    if not after.invoices or after.key.purpose is not Purpose.POST or after.state not in _ABOUT_TO:
        return ()
    waited = before is not None and before.state is State.PENDING and write.takes_off
    if before is None or waited or not has_it(before.state, superseded=False):
        return after.invoices
    return tuple(use for use in after.invoices if use not in before.invoices)


def refusal(
    uses: Iterable[InvoiceUse], holders: Sequence[InvoiceHolder], *, claim_id: str
) -> ClaimError | None:
    """Return why a claim may not use its invoices as the others have them; None where it may.

    ``holders`` are all submissions that have, or had, one of them.
    """
    for use in uses:
        rivals = [
            holder
            for holder in holders
            if holder.use.invoice == use.invoice
            and holder.claim_id != claim_id
            and has_it(holder.state, superseded=holder.superseded)
        ]
        error = _against(use, rivals, claim_id) if rivals else None
        if error is not None:
            return error
    return None


def _against(use: InvoiceUse, rivals: Sequence[InvoiceHolder], claim_id: str) -> ClaimError | None:
    parts: dict[str, Decimal] = {}
    for rival in rivals:
        if use.total is None or use.amount is None or rival.use.amount is None:
            return _used_already(use, rival, claim_id)
        if (use.total, use.currency) != (rival.use.total, rival.use.currency):
            error = contradiction(
                use, rival.use, f"line {rival.use.line} of claim {rival.claim_id}"
            )
            error.claim_id = claim_id
            return error
        # Parts of one claim, its revisions, and its books that are parallel, share what it claims.
        parts[rival.claim_id] = max(rival.use.amount, parts.get(rival.claim_id, rival.use.amount))
    assert use.total is not None  # a use that says no part was refused above
    assert use.amount is not None
    left = use.total - summed(parts.values())
    return None if use.amount <= left else _too_much(use, left, sorted(parts), claim_id)


def _used_already(use: InvoiceUse, rival: InvoiceHolder, claim_id: str) -> ClaimError:
    return ClaimError(
        f"line {use.line}: invoice {use.number} is used by claim {rival.claim_id} already, "
        f"on its line {rival.use.line}; take it off this claim, or withdraw or reverse that one if "
        "it is the wrong one",
        code="CB-530",
        claim_id=claim_id,
    )


def _too_much(use: InvoiceUse, left: Decimal, others: Sequence[str], claim_id: str) -> ClaimError:
    return ClaimError(
        f"line {use.line}: {use.amount} {use.currency} of invoice {use.number} would be claimed, "
        f"and {left} of its total {use.total} is left by claim {', '.join(others[:3])}; claim less "
        "of it, or correct the other",
        code="CB-568",
        claim_id=claim_id,
    )


__all__ = ["has_it", "new_uses", "refusal"]
