"""A line into what was bought: itself, or each item of an itemised bill, as if it stood alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from claimbridge.errors import MappingError
from claimbridge.mapping.claim_path import ClaimPath
from claimbridge.mapping.taxes.documents import (
    Invoices,
    are_alike,
    check_verified,
    stated_tax,
    undivided,
)
from claimbridge.mapping.taxes.levies import Levy
from claimbridge.model import ClaimLine, Item
from claimbridge.model.money import summed

_NO_RATE: Final = Decimal(0)


class Entry(msgspec.Struct, frozen=True):
    """One thing bought: a line that is not itemised, or an item, as a line of its own.

    ``by_kind`` is the deductible share that the kind of an item's document allows; None: any.
    """

    place: ClaimPath
    line: ClaimLine
    source: str
    by_kind: Decimal | None = None


def items_of(line: ClaimLine, index: int, invoices: Invoices) -> Iterator[Entry]:
    """Yield the items of an itemised line, each as a line with what the bill's documents decide.

    Raises MappingError CB-124 where documents of several kinds leave open how an item is treated.
    """
    papers = invoices.papers(line.documents, ClaimPath(index))
    for number, item in enumerate(line.items):
        place = ClaimPath(index, number)
        untaxed, by_kind = False, None
        if papers and not item.personal and item.deductible is None:
            if not are_alike(papers):
                raise undivided(place, papers)
            untaxed, by_kind = papers[0].treatment
        yield Entry(
            place,
            _as_line(line, item, untaxed=untaxed),
            f"lines[{index}].items[{number}].amount",
            by_kind,
        )


def _as_line(line: ClaimLine, item: Item, *, untaxed: bool) -> ClaimLine:
    return msgspec.structs.replace(
        line,
        type=item.type,
        amount=item.amount,
        tax=None if untaxed else item.tax,
        tax_rate=_NO_RATE if untaxed else item.tax_rate,
        deductible=item.deductible,
        quantity=item.quantity,
        unit=item.unit,
        personal=item.personal,
        text=item.text or line.text,
        items=(),
        documents=(),
    )


def check_items(line: ClaimLine, index: int, invoices: Invoices, levies: Sequence[Levy]) -> None:
    """Refuse items whose taxes are not those that the bill's documents state (CB-123).

    ``levies`` are those of the items that are not personal; a personal item counts with the tax
    that it states, and where it states none, nothing can be compared.
    """
    papers = invoices.papers(line.documents, ClaimPath(index))
    personal = [item for item in line.items if item.personal]
    if not papers or any(paper.untaxed for paper in papers):
        return
    beside = [item.tax for item in personal if item.tax is not None]
    if len(beside) < len(personal):
        return
    own = summed([*(levy.tax for levy in levies), *beside])
    stated, complete = stated_tax(papers)
    if complete and stated != own:
        raise MappingError(
            f"{ClaimPath(index)}: its items have tax {own}, its documents {stated}; state on each "
            "item the tax in it",
            code="CB-123",
        )
    if not personal:
        check_verified(ClaimPath(index), papers, levies)
