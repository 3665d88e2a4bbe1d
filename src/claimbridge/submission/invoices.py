"""Looking whether a claim may use its invoices before anything is done for it."""

from __future__ import annotations

from claimbridge.journal.base import Journal
from claimbridge.journal.invoices import claim_of, refusal
from claimbridge.model import InvoiceHolder, Submission
from claimbridge.submission.steps import Access, Plan


class Holders(Access[tuple[InvoiceHolder, ...]], frozen=True):
    """Read who has these invoices: ``Journal.invoices``."""

    names: tuple[str, ...]

    def perform(self, journal: Journal) -> tuple[InvoiceHolder, ...]:
        """Do it."""
        return journal.invoices(self.names)


def refuse_used(wanted: Submission) -> Plan[None]:
    """Raise ClaimError where another claim has an invoice of ``wanted``.

    ``Journal.begin`` judges again, and for certain; but by then an earlier revision would have been
    reversed for one that cannot take its place.
    """
    if wanted.invoices:
        holders = yield from Holders(tuple(use.invoice for use in wanted.invoices))
        error = refusal(wanted.invoices, holders, claim_id=claim_of(wanted))
        if error is not None:
            raise error


__all__ = ["Holders", "refuse_used"]
