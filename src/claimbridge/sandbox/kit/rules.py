"""What an ERP refuses for business reasons, judged from the XML alone."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Final

import msgspec

from claimbridge.errors import ClaimBridgeError
from claimbridge.model import exponent
from claimbridge.sandbox.kit.books import Document, Entry, Leg, Objection

MAX_LEGS: Final = 999


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """The master data and calendar of the company that the sandbox plays.

    ``companies`` None: every company code is known. ``unknown_accounts`` and
    ``unknown_partners`` are regular expressions: an account, an employee or vendor that they match
    in full does not exist. Periods before ``open_from`` are closed.
    """

    companies: frozenset[str] | None = None
    unknown_accounts: str = r"9999.*"
    unknown_partners: str = r"[A-Z]?9999.*"
    open_from: dt.date = dt.date(2026, 1, 1)

    def objections(self, entry: Entry) -> tuple[Objection, ...]:
        """Return all that is wrong with a voucher on its own, not only the first of it."""
        return (
            *self._about_head(entry),
            *(objection for leg in entry.legs for objection in self._about_leg(leg)),
            *_about_sums(entry),
        )

    def _about_head(self, entry: Entry) -> list[Objection]:
        found = []
        if self.companies is not None and entry.company not in self.companies:
            text = f"company {entry.company} is not known here"
            found.append(Objection("unknown-company", text, "Company"))
        if entry.posting_date < self.open_from:
            text = f"period {entry.posting_date:%Y-%m} is closed; open from {self.open_from:%Y-%m}"
            found.append(Objection("period-closed", text, "PostingDate"))
        if len(entry.legs) > MAX_LEGS:
            text = f"{len(entry.legs)} postings; one document holds {MAX_LEGS}"
            found.append(Objection("too-many-postings", text, "Posting"))
        return found

    def _about_leg(self, leg: Leg) -> list[Objection]:
        found = []
        if leg.company and self.companies is not None and leg.company not in self.companies:
            text = f"company {leg.company} is not known here"
            found.append(Objection("unknown-company", text, f"{leg.path}/Company"))
        if re.fullmatch(self.unknown_accounts, leg.account):
            text = f"account {leg.account} does not exist in the chart of accounts"
            found.append(Objection("unknown-account", text, f"{leg.path}/Account"))
        if leg.partner and re.fullmatch(self.unknown_partners, leg.partner):
            text = f"{leg.partner} is no employee or vendor here"
            found.append(Objection("unknown-partner", text, f"{leg.path}/Partner"))
        try:
            decimals = exponent(leg.currency)
        except ClaimBridgeError:
            text = f"currency {leg.currency} is not kept here"
            return [*found, Objection("unknown-currency", text, f"{leg.path}/Currency")]
        if leg.amount != leg.amount.quantize(Decimal(1).scaleb(-decimals)):
            text = f"{leg.amount} {leg.currency} has more than {decimals} decimals"
            found.append(Objection("too-many-decimals", text, f"{leg.path}/Amount"))
        return found


def _about_sums(entry: Entry) -> list[Objection]:
    balance: dict[tuple[str, str], Decimal] = {}
    for leg in entry.legs:
        book = leg.company, leg.currency
        balance[book] = balance.get(book, Decimal(0)) + leg.signed
    found = [
        Objection(
            "unbalanced",
            f"debits and credits differ by {abs(rest)} {currency}"
            + (f" in the books of {company}" if company else ""),
        )
        for (company, currency), rest in sorted(balance.items())
        if rest
    ]
    claimed = entry.claimed_totals
    if claimed is not None and claimed != entry.debit_totals:
        stated, added = _listed(claimed), _listed(entry.debit_totals)
        text = f"the voucher states {stated}, its debit postings add up to {added}"
        found.append(Objection("total-mismatch", text, "DebitTotal"))
    return found


def _listed(totals: dict[str, Decimal]) -> str:
    return ", ".join(f"{amount} {currency}" for currency, amount in sorted(totals.items())) or "0"


def overtaken(entry: Entry, of_claim: list[Document]) -> Objection | None:
    """Return the objection of the rule "one live journal entry for a claim", None for none.

    The voucher service's rule 4: nothing may be posted beside an earlier revision that lives, or
    after a later one, reversed or not.
    """
    for document in of_claim:
        other = document.entry
        if other.purpose != "post":
            continue
        held = f"the ledger holds revision {other.revision} of {entry.claim_id}"
        if other.revision > entry.revision:
            return Objection("superseded", f"{held}, a later one", "Revision")
        if other.revision < entry.revision and document.status in ("entered", "posted", "paid"):
            return Objection("live-revision", f"{held}; reverse it first", "Revision")
    return None


def irreversible(entry: Entry, target: Document) -> Objection | None:
    """Return why ``target`` cannot be taken back by ``entry``; None when it can."""
    about = f"journal entry {target.number}"
    if target.status not in ("posted", "paid") or target.entry.purpose != "post":
        what = "a reversal itself" if target.entry.purpose != "post" else target.status
        return Objection("not-reversible", f"{about} is {what}", "Reverses")
    if _mirror(entry.legs, flipped=True) != _mirror(target.entry.legs, flipped=False):
        text = f"the postings are not those of {about} on the other side"
        return Objection("not-reversible", text, "Posting")
    return None


def _mirror(legs: tuple[Leg, ...], *, flipped: bool) -> dict[tuple[str, str, str], Decimal]:
    # By account and currency: an ERP may have merged or split legs when it booked them.
    sums: dict[tuple[str, str, str], Decimal] = {}
    for leg in legs:
        key = (leg.company, leg.account, leg.currency)
        sums[key] = sums.get(key, Decimal(0)) + (-leg.signed if flipped else leg.signed)
    return sums
