"""The parts of a purchase that other cost centres and companies bear."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from claimbridge.model import Allocation, ClaimLine
from claimbridge.model.proportion import per_cent


def weights_of(line: ClaimLine) -> list[Decimal]:
    """Return the shares or amounts by which a line is divided."""
    return [
        part.amount if part.share is None and part.amount is not None else part.share or Decimal(0)
        for part in line.allocations
    ]


def as_borne(line: ClaimLine, part: Allocation) -> ClaimLine:
    """Return the line as whoever bears this part of it sees it; its amounts stay whole."""
    return msgspec.structs.replace(
        line,
        company=part.company or line.company,
        cost_centre=part.cost_centre or line.cost_centre,
        department=part.department or line.department,
        project=part.project or line.project,
        dimensions={**line.dimensions, **part.dimensions} if part.dimensions else line.dimensions,
    )


def words_for(part: Allocation, number: int, of: int, currency: str) -> str:
    """Return an allocation's words for the explanation."""
    much = f"{part.amount} {currency}" if part.share is None else per_cent(part.share)
    return f"allocation {number} of {of}: {much}"


__all__ = ["as_borne", "weights_of", "words_for"]
