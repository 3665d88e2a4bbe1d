"""Claims that the tests of sources send on their way."""

from __future__ import annotations

from typing import Any

from claimbridge.model import Claim

INVOICE = {"kind": "vat_special", "number": "25312000000012345678"}


def claim(claim_id: str = "EXP-1", *invoices: dict[str, str], **changes: Any) -> Claim:
    """Return a claim of one line, 100 CNY, with ``invoices`` on it."""
    line = {"type": "travel", "date": "2026-10-08", "amount": "100.00", "documents": list(invoices)}
    plain = {
        "id": claim_id,
        "revision": 1,
        "company": "CN01",
        "employee": "E1001",
        "currency": "CNY",
        "total": "100.00",
        "lines": [line],
    }
    return Claim.from_dict({**plain, **changes})
