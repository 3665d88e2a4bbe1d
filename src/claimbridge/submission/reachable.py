"""Asking an ERP about a document that nobody sent, to see whether the way there works.

Nothing is posted, and nothing recorded. The question goes the whole way: connection, TLS,
authentication, path, contract, and reading what comes back.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import msgspec

from claimbridge.model import (
    Key,
    Outcome,
    OutcomeKind,
    Posting,
    Role,
    Side,
    State,
    Submission,
    Voucher,
)
from claimbridge.submission.decisions.books import id_of
from claimbridge.submission.decisions.port import LedgerPort, Rules
from claimbridge.submission.decisions.references import reference_for
from claimbridge.submission.steps.steps import Plan

_CENT: Final = Decimal("0.01")


class Reachability(msgspec.Struct, frozen=True):
    """What a harmless question found; ``works`` None: the ERP cannot be asked, or not now."""

    works: bool | None
    text: str


def ask_for_nothing(ledger: LedgerPort) -> Plan[Reachability]:
    """Ask about a document that was never sent, where the ERP can be asked."""
    if not ledger.rules.capabilities.can_query:
        text = (
            "an ERP of this profile cannot be asked by reference; credentials, path and contract "
            "are tried by the first submission"
        )
        return Reachability(None, text)
    nobodys = _nobodys(id_of(ledger.book_config.place), ledger.companies, ledger.rules)
    (outcome,) = yield from ledger.exchange("query", (nobodys,))
    return _result_of(outcome, nobodys.reference)


def _nobodys(book: str, companies: Mapping[str, str], rules: Rules) -> Submission:
    """Return a document that nobody sends, with a reference of its own each time.

    It is one of the first company.
    """
    company, currency = next(iter(companies.items()), ("1000", "CNY"))
    key = Key(book, f"DOCTOR-{uuid.uuid4().hex[:8].upper()}", 1)
    return Submission(
        key=key,
        reference=reference_for(key, rules.capabilities, apart=rules.apart),
        state=State.PENDING,
        voucher=_voucher(key, company, currency, rules.clock.now().date()),
        digest="",
    )


def _voucher(key: Key, company: str, currency: str, day: dt.date) -> Voucher:
    return Voucher(
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


def _posting(role: Role, side: Side, currency: str) -> Posting:
    return Posting(role=role, account="0", side=side, amount=_CENT, currency=currency)


def _result_of(outcome: Outcome, reference: str) -> Reachability:
    text = outcome.text or "; ".join(map(str, outcome.reasons)) or f"it is {outcome.kind}"
    text = text.removesuffix("; reconcile before sending again")
    if outcome.kind is OutcomeKind.ABSENT:
        return Reachability(True, f"asked for {reference}: it answers that it has none")
    if outcome.kind is OutcomeKind.UNAVAILABLE:
        return Reachability(None, f"it takes no question now: {text}")
    if outcome.kind in {OutcomeKind.NOT_DELIVERED, OutcomeKind.UNKNOWN}:
        return Reachability(False, f"{outcome.code} {text}".strip())
    return Reachability(False, f"it says that it has {reference}, which nobody sent: {text}")
