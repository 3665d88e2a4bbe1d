"""What a mapped claim is, and why each of its postings is there."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from claimbridge.model import Posting, Voucher


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """Why one posting is there, or why something made none.

    ``posting`` is the index in ``voucher.postings``; None where nothing was posted (a zero line)
    or the sentence concerns the voucher (its dates). ``source`` is the claim field, empty for
    totals. ``row`` names the part of the chart that decided (``expense row 3 (taxi)``,
    ``accounts.employee_payable``), empty when the claim alone did. ``rule`` is one sentence.
    ``tax_rate`` is the rate that the tax in the line was taken at, None when unknown or no matter;
    ``rate`` the exchange rate, None when nothing was converted. ``rounding`` is what rounding
    added to the exact amount, in the voucher's currency, to six decimals; None when nothing had
    to be rounded. ``remainder`` is what the division of an allocated amount added to this part,
    in the line's currency, to six decimals; None when nothing was divided, or it came out even.
    """

    rule: str
    posting: int | None = None
    source: str = ""
    row: str = ""
    tax_rate: Decimal | None = None
    rate: Decimal | None = None
    rounding: Decimal | None = None
    remainder: Decimal | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON: decimals as strings; ``remainder`` only where there is."""
        plain = {
            "posting": self.posting,
            "source": self.source,
            "row": self.row,
            "rule": self.rule,
            "tax_rate": _text(self.tax_rate),
            "rate": _text(self.rate),
            "rounding": _text(self.rounding),
        }
        return plain if self.remainder is None else {**plain, "remainder": _text(self.remainder)}


class Mapped(msgspec.Struct, frozen=True):
    """A claim's voucher and the reasons for it: an explanation or more for every posting.

    ``period`` names the fiscal period of its posting date; None where the chart has no periods.
    """

    voucher: Voucher
    explain: tuple[Explanation, ...]
    period: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return what ``claimbridge map --json`` prints: plain values, amounts as strings."""
        return {
            "claim": self.voucher.claim_id,
            "postings": [
                _plain(posting, self.voucher.employee) for posting in self.voucher.postings
            ],
            "explain": [explanation.to_dict() for explanation in self.explain],
            **({} if self.period is None else {"period": self.period}),
        }


def _text(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:f}"


def _plain(posting: Posting, employee: str) -> dict[str, str]:
    plain = {
        "role": posting.role.value,
        "account": posting.account,
        "side": posting.side.value,
        "currency": posting.currency,
        "amount": str(posting.amount),
        "cost_centre": posting.cost_centre,
        "narration": posting.narration,
    }
    # Only where they are not the voucher's own.
    if posting.partner not in ("", employee):
        plain["partner"] = posting.partner
    if posting.company:
        plain["company"] = posting.company
    return plain
