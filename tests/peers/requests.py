"""Requests in the contract's own names, reworded as other makers of SOAP clients have them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from claimbridge import Claim, JournalEntry, State
from claimbridge.mapping import Chart
from claimbridge.model import Key, Purpose, Submission, Voucher
from claimbridge.profiles.base import Request

Reword = Callable[[dict[str, str], str | None, dict[str, Any]], Any]
"""Makes one element's argument from its attributes, its text and its children."""


def posting(claim: Claim, chart: Chart) -> Submission:
    """The submission of a claim, under its own id."""
    return _submission(chart.map(claim).voucher, claim.id)


def reversing(posted: Submission, entry: JournalEntry) -> Submission:
    """The submission that takes ``entry`` back."""
    voucher = posted.voucher.reversal(entry, posting_date=dt.date(2026, 4, 30))
    return _submission(voucher, f"{posted.reference}.x1")


def _submission(voucher: Voucher, reference: str) -> Submission:
    key = Key("CN01", voucher.claim_id, voucher.revision, Purpose(voucher.purpose))
    return Submission(
        key=key, reference=reference, digest="0" * 64, voucher=voucher, state=State.PENDING
    )


def reworded(request: Request, reword: Reword) -> tuple[str, Any]:
    """Return the operation and its argument in a peer's own form."""
    return request.operation, _reworded(request.body, reword)


def _reworded(value: Any, reword: Reword) -> Any:
    if isinstance(value, list):
        return [_reworded(one, reword) for one in value]
    if not isinstance(value, Mapping):
        return value
    return reword(
        {name[1:]: text for name, text in value.items() if name[0] == "@"},
        value.get("#text"),
        {name: _reworded(inner, reword) for name, inner in value.items() if name[0] not in "@#"},
    )
