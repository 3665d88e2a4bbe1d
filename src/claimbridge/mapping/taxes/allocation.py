"""The parts of a line, or of an item, that other cost centres and companies bear."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from claimbridge.mapping.proportion import Remainder, divide
from claimbridge.mapping.taxes.levies import Levy, per_cent
from claimbridge.mapping.taxes.split import Split
from claimbridge.model import Allocation, ClaimLine
from claimbridge.model.money import EXACT


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


def divided(
    whole: Split, gross: Sequence[Decimal], currency: str, remainder: Remainder, *, kept: bool
) -> list[Split]:
    """Return a split in parts whose gross amounts are given.

    Every tax, what is deductible of it, and what is beyond a legal rate add up to the whole's, and
    no part has more of them than it has room for: nothing changes its sign.
    """
    room = list(gross)
    taxes: list[list[Levy]] = [[] for _ in gross]
    for levy in whole.levies:
        parts = divide(levy.tax, room, currency, remainder)
        deducted = divide(levy.deducted, parts, currency, remainder)
        bases = divide(levy.base or Decimal(0), gross, currency, remainder)
        for place, tax in enumerate(parts):
            room[place] = EXACT.subtract(room[place], tax)
            base = None if levy.base is None else bases[place]
            taxes[place].append(
                msgspec.structs.replace(levy, tax=tax, deducted=deducted[place], base=base)
            )
    splits = [
        Split(amount, room[place], tuple(taxes[place]), whole.note)
        for place, amount in enumerate(gross)
    ]
    if not whole.beyond:
        return splits
    beyond = divide(whole.beyond, [one.expense(kept=kept) for one in splits], currency, remainder)
    return [msgspec.structs.replace(one, beyond=beyond[place]) for place, one in enumerate(splits)]
