"""A voucher's amounts in another currency, as ERPs that want local amounts beside them need it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from claimbridge.errors import ClaimError
from claimbridge.model import Posting, Side
from claimbridge.model.cash_flow import CashFlow
from claimbridge.model.money import EXACT, rounded, summed

_ONE: Final = Decimal(1)


class LocalCurrency:
    """A currency that amounts are converted into, by rates that the configuration states.

    ``rates`` say how much of ``currency`` one unit of another is worth, by ISO code. ``option``
    names them in errors. ``currency`` "" converts nothing: amounts stay as entered.
    """

    def __init__(
        self, currency: str, rates: Mapping[str, Decimal], *, option: str = "rates"
    ) -> None:
        self.currency: Final = currency
        self._rates: Final = dict(rates)
        self._option: Final = option

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

        A difference from rounding goes to the largest posting of the smaller side.
        """
        if not self.currency:
            return [posting.amount for posting in postings]
        converted = [self.convert(posting.amount, posting.currency) for posting in postings]
        debits, credits = (
            summed(
                one
                for one, posting in zip(converted, postings, strict=True)
                if posting.side is side
            )
            for side in (Side.DEBIT, Side.CREDIT)
        )
        if debits != credits:
            short = Side.DEBIT if debits < credits else Side.CREDIT
            on_it = [at for at, posting in enumerate(postings) if posting.side is short]
            largest = max(on_it, key=lambda at: converted[at])
            missing = EXACT.subtract(debits, credits).copy_abs()
            converted[largest] = EXACT.add(converted[largest], missing)
        return converted

    def convert(self, amount: Decimal, currency: str) -> Decimal:
        """Return one amount of ``currency``, rounded as this currency is."""
        if not self.currency:
            return amount
        return rounded(EXACT.multiply(amount, self.rate(currency)), self.currency)

    def of_flows(
        self, flows: Sequence[CashFlow], postings: Sequence[Posting], amounts: Sequence[Decimal]
    ) -> list[Decimal]:
        """Return each flow's amount; the flows of a cash posting add up to ``amounts`` of it."""
        found: list[Decimal] = []
        spent: dict[int, Decimal] = {}
        for flow in flows:
            so_far = spent.get(flow.cash, Decimal(0))
            part = (
                EXACT.subtract(amounts[flow.cash], so_far)
                if flow.last
                else self.convert(flow.amount, postings[flow.cash].currency)
            )
            spent[flow.cash] = EXACT.add(so_far, part)
            found.append(part)
        return found


__all__ = ["LocalCurrency"]
