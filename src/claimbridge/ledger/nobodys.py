"""A document that nobody sends: what a ledger is asked about to see whether it answers."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from claimbridge.model import Key, Posting, Role, Side, State, Submission, Voucher
from claimbridge.submission import Rules, reference_for

_CENT: Final = Decimal("0.01")


def nobodys(book: str, companies: Mapping[str, str], rules: Rules, *, day: dt.date) -> Submission:
    """Return a submission with a reference of its own each time.

    ``companies`` are those of the chart with their currencies: it is asked for in the first.
    """
    company, currency = next(iter(companies.items()), ("1000", "CNY"))
    key = Key(book, f"DOCTOR-{uuid.uuid4().hex[:8].upper()}", 1)
    voucher = Voucher(
        claim_id=key.claim_id,
        revision=key.revision,
        company=company,
        employee="DOCTOR",
        currency=currency,
        document_date=day,
        posting_date=day,
        postings=(
            _posting(Role.EXPENSE, Side.DEBIT, currency),
            _posting(Role.ROUNDING, Side.CREDIT, currency),
        ),
    )
    return Submission(
        key=key,
        reference=reference_for(key, rules.capabilities, apart=rules.apart),
        state=State.PENDING,
        voucher=voucher,
        digest="",
    )


def _posting(role: Role, side: Side, currency: str) -> Posting:
    return Posting(role=role, account="0", side=side, amount=_CENT, currency=currency)


__all__ = ["nobodys"]
