"""One claim into the postings of its voucher, each with its reason.

The voucher is in the claim's currency, which is the document currency where the company keeps
its books in another: the ERP converts, by its own rates.

The steps, each in a file of its own: a line is expanded into what was bought (``expansion``) and
who bears it (``allocation``); every part is decided (``costs``, ``tax``, ``papers``,
``allowances``) before any is posted (``cost_postings``); then comes who is owed (``settlement``).
"""

from __future__ import annotations

from claimbridge.errors import ClaimError
from claimbridge.mapping.chart.rules import Rules
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
from claimbridge.mapping.postings.voucher_builder import Draft
from claimbridge.model import Claim


def map_claim(rules: Rules, claim: Claim, *, part_of: Claim | None = None) -> Mapped:
    """Return the claim's voucher and its explanation; see ``Chart.map``."""
    try:
        return _mapped(Draft(rules, claim, claim if part_of is None else part_of))
    except ClaimError as error:
        if error.claim_id is None:  # raised by a value that does not know its claim
            error.claim_id = claim.id
        raise


def _mapped(draft: Draft) -> Mapped:
    """Return the voucher: costs line by line, then differences, then who is owed."""
    draft.skip(f"posting date {draft.dates.posting}: {draft.dates.reason}")
    lines = [decide_line(draft, line, index) for index, line in enumerate(draft.claim.lines)]
    for decided in lines:
        post_line(draft, decided)
        if decided.personal:
            post_personal(draft, decided)
    post_differences(draft)
    post_intercompany(draft)
    for decided in lines:
        if decided.line.payment == "company_card":
            post_card(draft, decided)
    post_employee(draft, personal=post_cleared(draft, lines))
    return draft.mapped()
