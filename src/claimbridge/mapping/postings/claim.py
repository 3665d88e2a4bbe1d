"""One claim into the postings of its voucher, each with its reason.

The voucher is in the claim's currency, which is the document currency where the company keeps
its books in another: the ERP converts, by its own rates.

The steps, each in a file of its own: a line is expanded into what was bought (``expansion``) and
who bears it (``allocation``); every part is decided (``costs``, ``tax``, ``papers``,
``allowances``) before any is posted (``cost_postings``); then comes who is owed (``settlement``).
"""

from __future__ import annotations

from claimbridge.errors import ClaimError
from claimbridge.mapping.chart.rules import ChartRules
from claimbridge.mapping.postings.costs import post_line
from claimbridge.mapping.postings.decided import decide_line
from claimbridge.mapping.postings.explanation import Mapped
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
        return _mapped(VoucherBuilder(rules, claim, claim if part_of is None else part_of))
    except ClaimError as error:
        if error.claim_id is None:  # raised by a value that does not know its claim
            error.claim_id = claim.id
        raise


def _mapped(builder: VoucherBuilder) -> Mapped:
    """Return the voucher: costs line by line, then differences, then who is owed."""
    builder.skip(f"posting date {builder.dates.posting}: {builder.dates.reason}")
    lines = [decide_line(builder, line, index) for index, line in enumerate(builder.claim.lines)]
    for decided in lines:
        post_line(builder, decided)
        if decided.personal:
            post_personal(builder, decided)
    post_differences(builder)
    post_intercompany(builder)
    for decided in lines:
        if decided.line.payment == "company_card":
            post_card(builder, decided)
    post_employee(builder, personal=post_cleared(builder, lines))
    return builder.mapped()
