"""The facts of a claim line by which a chart's rows judge it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Final, NamedTuple

from claimbridge.model import Claim, ClaimLine, converted
from claimbridge.model.money import EXACT
from claimbridge.model.text import plain

CONDITIONS: Final = (
    "company",
    "department",
    "project",
    "employee",
    "grade",
    "country",
    "payment",
)
"""The conditions that name values, in the order of ``Facts.exact``."""

PAYMENTS: Final = frozenset({"employee", "company_card"})
"""All values of ``payment``."""


class Facts(NamedTuple):
    """The facts of one line, or of a part of it, when its row is chosen.

    ``exact`` holds the values that ``CONDITIONS`` names, "" where there is none. ``amount`` is in
    the claim's currency and without a sign, so that a refund finds the row of what it refunds.
    ``posting`` is the posting date. A ``when`` may also read ``claim`` and ``line``.
    """

    type: str
    exact: tuple[str, ...]
    amount: Decimal
    posting: dt.date
    claim: Claim
    line: ClaimLine


def facts_of(claim: Claim, line: ClaimLine, posting: dt.date) -> Facts:
    """Return the facts of a line; the company is the one that bears its cost.

    Texts are in their plain form, as the chart's are: ``Ⅱ期`` is ``II期`` on either side.
    """
    return Facts(
        plain(line.type),
        tuple(
            plain(text)
            for text in (
                line.company or claim.company,
                line.department or claim.department,
                line.project,
                claim.employee,
                claim.grade,
                claim.country,
                line.payment,
            )
        ),
        EXACT.abs(converted(line, claim.currency)),
        posting,
        claim,
        line,
    )
