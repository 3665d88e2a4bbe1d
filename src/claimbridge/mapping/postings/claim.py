"""One claim into the postings of its voucher, each with its reason.

The voucher is in the claim's currency, which is the document currency where the company keeps
its books in another: the ERP converts, by its own rates.

The steps: every line is decided before any is posted (``line_decision``, which asks ``taxes``).
Then its costs are posted (``costs``), and what is owed for them (``settlement``).
"""

from __future__ import annotations

from claimbridge.errors import ClaimError
from claimbridge.mapping.chart.rules import ChartRules
from claimbridge.mapping.postings.costs import post_line
from claimbridge.mapping.postings.explanation import Mapped
from claimbridge.mapping.postings.line_decision import decide_line
from claimbridge.mapping.postings.settlement import (
    post_card,
    post_cleared,
    post_differences,
    post_employee,
    post_intercompany,
    post_personal,
)
from claimbridge.mapping.postings.voucher_builder import VoucherBuilder
from claimbridge.model import Claim


def map_claim(rules: ChartRules, claim: Claim, *, part_of: Claim | None = None) -> Mapped:
    """Return the claim's voucher and its explanation; see ``Chart.map``."""
    try:
        return _build_voucher(VoucherBuilder(rules, claim, claim if part_of is None else part_of))
    except ClaimError as error:
        if error.claim_id is None:  # raised by a value that does not know its claim
            error.claim_id = claim.id
        raise


def _build_voucher(builder: VoucherBuilder) -> Mapped:
    """Return the voucher: costs line by line, then differences, then who is owed."""
    builder.skip(f"posting date {builder.dates.posting}: {builder.dates.reason}")
    decisions = [decide_line(builder, index) for index in range(len(builder.claim.lines))]
    for decision in decisions:
        post_line(builder, decision)
        if decision.personal:
            post_personal(builder, decision)
    post_differences(builder)
    post_intercompany(builder)
    for decision in decisions:
        if decision.line.payment == "company_card":
            post_card(builder, decision)
    post_employee(builder, personal=post_cleared(builder, decisions))
    return builder.finish()
