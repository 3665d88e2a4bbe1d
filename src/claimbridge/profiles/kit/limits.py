"""Limits that most ERPs' documents share: one currency, texts of one line."""

from __future__ import annotations

from claimbridge.errors import ClaimError
from claimbridge.model import Voucher


def only_currency(voucher: Voucher, *, holds: str, code: str) -> str:
    """Return the currency of all postings.

    ``holds`` says which document has one currency. Raises ClaimError ``code`` for several.
    """
    currencies = sorted({posting.currency for posting in voucher.postings})
    if len(currencies) > 1:
        raise ClaimError(
            f"postings in {' and '.join(currencies)}: {holds}; convert them in the chart or claim "
            "each currency by itself",
            code=code,
            claim_id=voucher.claim_id,
        )
    return currencies[0]


def one_line(text: str, *, limit: int | None = None) -> str:
    """Return ``text`` on one line of at most ``limit`` characters; "…" shows that it was cut."""
    line = " ".join(text.split())
    return line if limit is None or len(line) <= limit else f"{line[: limit - 1].rstrip()}…"
