"""A voucher's amounts in another currency, as ERPs that want local amounts beside them need it."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from claimbridge.errors import ClaimError
from claimbridge.model import Posting, Role, Side
from claimbridge.model.cash_flow import SETTLING, CashFlow
from claimbridge.model.money import EXACT, quantum, rounded, summed
from claimbridge.profiles.kit.options import wrong_option

_ONE: Final = Decimal(1)
_ZERO: Final = Decimal(0)
_WITHOUT_END: Final = Decimal("Infinity")
_TAXES: Final = frozenset({Role.INPUT_TAX, Role.NON_DEDUCTIBLE_TAX})


class LocalCurrency:
    """A currency that amounts are converted into, by rates that the configuration states.

    ``rates`` say how much of ``currency`` one unit of another is worth, by ISO code. ``profile``
    and ``option`` name them in errors. ``currency`` "" converts nothing: amounts stay as entered.
    Raises ConfigurationError CB-243 for a rate that is not positive.
    """

    def __init__(
        self, currency: str, rates: Mapping[str, Decimal], *, profile: str, option: str = "rates"
    ) -> None:
        self.currency: Final = currency
        self._rates: Final = dict(rates)
        self._option: Final = option
        for foreign, rate in rates.items():
            if not (rate.is_finite() and rate > _ZERO):
                raise wrong_option(
                    profile,
                    f"{option}: the rate of {foreign} is {rate}; a rate is more than 0: what one "
                    f"{foreign} is worth in {currency}",
                )

    def rate(self, currency: str) -> Decimal:
        """Return what one unit of ``currency`` is worth; raises ClaimError CB-185 for no rate."""
        if self.currency in {"", currency}:
            return _ONE
        rate = self._rates.get(currency)
        if rate is None:
            raise ClaimError(
                f"there is no rate from {currency} to {self.currency}; add the rate to "
                f"[ledger.X.options] {self._option}, or convert in the chart",
                code="CB-185",
            )
        return rate

    def amounts(self, postings: Sequence[Posting]) -> list[Decimal]:
        """Return each posting's amount; debits and credits agree in this currency too.

        Rounding may leave a difference between the sides of a foreign currency. It is spread in
        the smallest units over postings of that currency: each unit goes to the posting that it
        changes least in proportion. Taxes change only if no expense can take a unit; what settles
        the claim (a payable, a bank) changes only if no tax can either. No amount is negative.
        """
        found = [self.convert(posting.amount, posting.currency) for posting in postings]
        books: dict[tuple[str, str], list[int]] = {}
        for at, posting in enumerate(postings):
            books.setdefault((posting.company, posting.currency), []).append(at)
        for (_, currency), places in books.items():
            # What is entered in this currency was not rounded, and stays as it is.
            if self.currency not in {"", currency}:
                _balance(found, postings, places, quantum(self.currency))
        return found

    def convert(self, amount: Decimal, currency: str) -> Decimal:
        """Return one amount of ``currency``, rounded as this currency is."""
        if not self.currency:
            return amount
        return rounded(EXACT.multiply(amount, self.rate(currency)), self.currency)

    def of_flows(
        self, flows: Sequence[CashFlow], postings: Sequence[Posting], amounts: Sequence[Decimal]
    ) -> list[Decimal]:
        """Return each flow's amount; the flows of a cash posting add up to ``amounts`` of it.

        A flow that pays for a whole posting has that posting's amount. None is negative.
        """
        found: list[Decimal] = []
        left = list(amounts)
        for flow in flows:
            opposite = postings[flow.opposite]
            part = (
                amounts[flow.opposite]
                if flow.amount == opposite.amount
                else self.convert(flow.amount, opposite.currency)
            )
            part = left[flow.cash] if flow.last else min(part, left[flow.cash])
            left[flow.cash] = EXACT.subtract(left[flow.cash], part)
            found.append(part)
        return found


def _balance(
    amounts: list[Decimal], postings: Sequence[Posting], places: Sequence[int], unit: Decimal
) -> None:
    """Spread the difference between the two sides of ``places`` over ``amounts``."""
    debits, credits = (
        summed(amounts[at] for at in places if postings[at].side is side) for side in Side
    )
    short = Side.DEBIT if debits < credits else Side.CREDIT
    missing = EXACT.subtract(debits, credits).copy_abs()
    before = list(amounts)
    queue = [_next(at, before[at], _ZERO, postings[at], unit) for at in places]
    heapq.heapify(queue)
    while missing:
        _, _, at = heapq.heappop(queue)
        raised = postings[at].side is short
        if not raised and not amounts[at]:
            continue
        change = EXACT.add if raised else EXACT.subtract
        amounts[at] = change(amounts[at], unit)
        missing = EXACT.subtract(missing, unit)
        moved = EXACT.subtract(amounts[at], before[at]).copy_abs()
        heapq.heappush(queue, _next(at, before[at], moved, postings[at], unit))


def _next(
    at: int, before: Decimal, moved: Decimal, posting: Posting, unit: Decimal
) -> tuple[int, Decimal, int]:
    """Return how late a posting takes one unit more: its kind, its change in proportion, place."""
    kind = 2 if posting.role in SETTLING else int(posting.role in _TAXES)
    share = EXACT.divide(EXACT.add(moved, unit), before) if before else _WITHOUT_END
    return kind, share, at


__all__ = ["LocalCurrency"]
