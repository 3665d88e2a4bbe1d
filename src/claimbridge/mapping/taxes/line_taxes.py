"""The taxes of one claim line: what was bought, and how each purchase splits into net and taxes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Final

import msgspec

from claimbridge.errors import MappingError
from claimbridge.mapping.chart.rows import ExpenseRow
from claimbridge.mapping.taxes.documents import (
    DocumentedLine,
    DocumentRules,
    are_alike,
    cannot_divide,
    check_verified,
    sum_of_taxes,
)
from claimbridge.mapping.taxes.levies import Split, contained_levy, share_of, stated_levy
from claimbridge.model import Claim, ClaimLine, Item
from claimbridge.model.claim_path import ClaimPath
from claimbridge.model.money import EXACT, summed

_NO_RATE: Final = Decimal(0)


class Purchase(msgspec.Struct, frozen=True):
    """One thing bought: a line that is not itemised, or an item, as a line of its own.

    ``source`` is the claim field of its amount. ``by_kind`` is the deductible share that the kind
    of an item's document allows; None: any.
    """

    path: ClaimPath
    line: ClaimLine
    source: str
    by_kind: Decimal | None = None


class LineTaxes:
    """What was bought on one line of a claim, and the taxes in each purchase."""

    def __init__(self, claim: Claim, index: int, documents: DocumentRules) -> None:
        self._line = claim.lines[index]
        self.currency = self._line.currency or claim.currency
        self._path = ClaimPath(index)
        self._documents = documents

    def purchases(self) -> Iterable[Purchase]:
        """Return the line, or each item of an itemised bill, with what the bill's documents decide.

        Raises MappingError CB-124 where documents of several kinds leave open how to treat an item.
        """
        if self._line.items:
            return self._items()
        return (Purchase(self._path, self._line, f"lines[{self._path.line}].amount"),)

    def _items(self) -> Iterator[Purchase]:
        line, index = self._line, self._path.line
        documents = self._documents.on_line(line, self._path)
        for number, item in enumerate(line.items):
            path = ClaimPath(index, number)
            untaxed, by_kind = False, None
            if documents and not item.personal and item.deductible is None:
                if not are_alike(documents):
                    raise cannot_divide(path, documents)
                untaxed, by_kind = documents[0].treatment
            source = f"lines[{index}].items[{number}].amount"
            yield Purchase(path, _as_line(line, item, untaxed=untaxed), source, by_kind)

    def split(self, purchase: Purchase, row: ExpenseRow) -> Split:
        """Return a purchase's amount and its taxes; what the claim states goes before the row.

        The taxes are those of its documents that bear on tax, otherwise those that the claim
        states. Otherwise the amount contains one at the claim's rate, or at the row's. How much
        is deductible: see ``share_of``. Tax and deductible tax are rounded half up.
        """
        line, currency = purchase.line, self.currency
        documents = self._documents.on_line(line, purchase.path) if line.documents else ()
        if documents:
            documented = DocumentedLine(line, row, currency, purchase.path, documents)
            return documented.split()
        if line.taxes:
            levies = [
                stated_levy(
                    tax.amount,
                    share_of(tax.deductible, None, row.deductible),
                    currency,
                    rate=tax.rate,
                    kind=tax.kind,
                )
                for tax in line.taxes
            ]
            return Split.by(line.amount, tuple(levies))
        rate = row.tax_rate if line.tax_rate is None else line.tax_rate
        if line.tax is None and not rate:
            return Split(line.amount, line.amount)
        share = share_of(line.deductible, purchase.by_kind, row.deductible)
        if line.tax is not None:
            levy = stated_levy(line.tax, share, currency, rate=rate)
        else:
            assert rate is not None  # it is not zero
            levy = contained_levy(line.amount, share, currency, rate=rate)
        return Split(line.amount, EXACT.subtract(line.amount, levy.tax), (levy,))

    def check_items(self, splits: Iterable[Split]) -> None:
        """Refuse items whose taxes are not those that the bill's documents state (CB-123).

        ``splits`` are those of the items that are not personal. A personal item counts with the
        tax that it states; where it states none, nothing can be compared.
        """
        documents = self._documents.on_line(self._line, self._path)
        personal = [item for item in self._line.items if item.personal]
        if not documents or any(taxed.untaxed for taxed in documents):
            return
        beside = [item.tax for item in personal if item.tax is not None]
        if len(beside) < len(personal):
            return
        levies = [levy for split in splits for levy in split.levies]
        own = summed([*(levy.tax for levy in levies), *beside])
        stated, complete = sum_of_taxes(documents)
        if complete and stated != own:
            raise MappingError(
                f"{self._path}: its items have tax {own}, its documents {stated}; state on each "
                "item the tax in it",
                code="CB-123",
            )
        if not personal:
            check_verified(self._path, documents, levies)


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


__all__ = ["LineTaxes", "Purchase"]
