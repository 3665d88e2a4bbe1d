"""How a gross amount divides into net, deductible and non-deductible tax.

Amounts keep the sign of the line (negative on a refund) and its currency; they always add up to
the gross amount.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from claimbridge.mapping.chart.rows import ExpenseRow
from claimbridge.mapping.claim_path import ClaimPath
from claimbridge.mapping.taxes.documents import Invoices, levies_of
from claimbridge.mapping.taxes.levies import Levy, contained, levied, share_of
from claimbridge.model import ClaimLine
from claimbridge.model.money import EXACT


class Split(msgspec.Struct, frozen=True):
    """A gross amount and the taxes in it, in the line's currency.

    ``net`` is what remains of ``gross`` without them. ``note`` says why a tax that a document
    states is not among them; empty elsewhere. ``beyond`` is the part of the expense beyond a
    legal rate.
    """

    gross: Decimal
    net: Decimal
    levies: tuple[Levy, ...] = ()
    note: str = ""
    beyond: Decimal = Decimal(0)

    def expense(self, *, kept: bool) -> Decimal:
        """Return the expense: net, or with the taxes that are ``kept`` in it."""
        amount = self.net
        if kept:
            for levy in self.levies:
                amount = EXACT.add(amount, levy.kept)
        return amount

    def exact_expense(self, *, kept: bool) -> Decimal:
        """Return the expense as it was before any tax was rounded."""
        amount = self.gross
        for levy in self.levies:
            amount = EXACT.subtract(amount, levy.exact_deducted if kept else levy.exact)
        return amount


def split(
    line: ClaimLine,
    row: ExpenseRow,
    currency: str,
    place: ClaimPath,
    invoices: Invoices,
    by_kind: Decimal | None = None,
) -> Split:
    """Return the parts of ``line``; what the line states goes before what the row says.

    The tax is the line's, else that of its documents (see ``papers``), else contained in the gross
    amount at the line's rate, else at the row's, else nothing. Its deductible share is the
    line's, else the row's, within what the kind of the document allows (for an item, which has no
    documents, ``by_kind``). Tax and deductible tax are rounded half up; the rest of the tax is not
    deductible, and the rest of the gross amount is net.
    """
    if line.documents:
        papers = invoices.papers(line.documents, place)
        if papers:
            levies, note = levies_of(line, row, currency, place, papers)
            return of_levies(line.amount, levies, note)
    if line.taxes:
        return of_levies(
            line.amount,
            tuple(
                levied(
                    tax.amount,
                    share_of(tax.deductible, None, row.deductible),
                    currency,
                    rate=tax.rate,
                    kind=tax.kind,
                )
                for tax in line.taxes
            ),
        )
    rate = row.tax_rate if line.tax_rate is None else line.tax_rate
    if line.tax is None and not rate:
        return Split(line.amount, line.amount)
    share = share_of(line.deductible, by_kind, row.deductible)
    if line.tax is not None:
        levy = levied(line.tax, share, currency, rate=rate)
    else:
        assert rate is not None  # it is not zero
        levy = contained(line.amount, share, currency, rate=rate)
    return Split(line.amount, EXACT.subtract(line.amount, levy.tax), (levy,))


def of_levies(gross: Decimal, levies: tuple[Levy, ...], note: str = "") -> Split:
    """Return the split of ``gross`` by the taxes in it."""
    net = gross
    for levy in levies:
        net = EXACT.subtract(net, levy.tax)
    return Split(gross, net, levies, note)
