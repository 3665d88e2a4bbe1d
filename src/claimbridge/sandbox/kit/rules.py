"""An ERP's business rules, judged from the XML alone."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Final

import msgspec

from claimbridge.errors import ClaimBridgeError
from claimbridge.model import exponent
from claimbridge.sandbox.kit.documents import ErpDocument, ErpPosting, ErpVoucher, Objection

MAX_POSTINGS: Final = 999


class ErpRules(msgspec.Struct, frozen=True, kw_only=True):
    """The master data and calendar of the company that the sandbox plays.

    ``companies`` None: every company code is known. ``unknown_accounts`` and ``unknown_partners``
    are regular expressions; an account, an employee or a vendor that matches in full does not
    exist. Periods before ``open_from`` are closed.
    """

    companies: frozenset[str] | None = None
    unknown_accounts: str = r"9999.*"
    unknown_partners: str = r"[A-Z]?9999.*"
    open_from: dt.date = dt.date(2026, 1, 1)

    def objections(self, entry: ErpVoucher) -> tuple[Objection, ...]:
        """Return all objections to a voucher by itself, not only the first."""
        return (
            *self._about_head(entry),
            *(
                objection
                for posting in entry.postings
                for objection in self._about_posting(posting)
            ),
            *_about_sums(entry),
        )

    def _about_head(self, entry: ErpVoucher) -> list[Objection]:
        found = []
        if self.companies is not None and entry.company not in self.companies:
            text = f"company {entry.company} is not known here"
            found.append(Objection("unknown-company", text, "Company"))
        if entry.posting_date < self.open_from:
            text = f"period {entry.posting_date:%Y-%m} is closed; open from {self.open_from:%Y-%m}"
            found.append(Objection("period-closed", text, "PostingDate"))
        if len(entry.postings) > MAX_POSTINGS:
            text = f"{len(entry.postings)} postings; one document holds {MAX_POSTINGS}"
            found.append(Objection("too-many-postings", text, "Posting"))
        return found

    def _about_posting(self, posting: ErpPosting) -> list[Objection]:
        found = []
        if posting.company and self.companies is not None and posting.company not in self.companies:
            text = f"company {posting.company} is not known here"
            found.append(Objection("unknown-company", text, f"{posting.path}/Company"))
        if re.fullmatch(self.unknown_accounts, posting.account):
            text = f"account {posting.account} does not exist in the chart of accounts"
            found.append(Objection("unknown-account", text, f"{posting.path}/Account"))
        if posting.partner and re.fullmatch(self.unknown_partners, posting.partner):
            text = f"{posting.partner} is no employee or vendor here"
            found.append(Objection("unknown-partner", text, f"{posting.path}/Partner"))
        try:
            decimals = exponent(posting.currency)
        except ClaimBridgeError:
            text = f"currency {posting.currency} is not kept here"
            return [*found, Objection("unknown-currency", text, f"{posting.path}/Currency")]
        if posting.amount != posting.amount.quantize(Decimal(1).scaleb(-decimals)):
            text = f"{posting.amount} {posting.currency} has more than {decimals} decimals"
            found.append(Objection("too-many-decimals", text, f"{posting.path}/Amount"))
        return found


def _about_sums(entry: ErpVoucher) -> list[Objection]:
    balance: dict[tuple[str, str], Decimal] = {}
    for posting in entry.postings:
        book = posting.company, posting.currency
        balance[book] = balance.get(book, Decimal(0)) + posting.amount_with_sign
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
        stated, added = _totals_text(claimed), _totals_text(entry.debit_totals)
        text = f"the voucher states {stated}, its debit postings add up to {added}"
        found.append(Objection("total-mismatch", text, "DebitTotal"))
    return found


def _totals_text(totals: dict[str, Decimal]) -> str:
    return ", ".join(f"{amount} {currency}" for currency, amount in sorted(totals.items())) or "0"


def overtaken(entry: ErpVoucher, of_claim: list[ErpDocument]) -> Objection | None:
    """Return the objection of the rule "one live journal entry for a claim", None for none.

    The voucher service's rule 4: no revision may be posted beside an earlier one that is live, or
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


def irreversible(entry: ErpVoucher, target: ErpDocument) -> Objection | None:
    """Return why ``entry`` cannot reverse ``target``; None when it can."""
    about = f"journal entry {target.number}"
    if target.status not in ("posted", "paid") or target.entry.purpose != "post":
        what = "a reversal itself" if target.entry.purpose != "post" else target.status
        return Objection("not-reversible", f"{about} is {what}", "Reverses")
    if _mirror(entry.postings, flipped=True) != _mirror(target.entry.postings, flipped=False):
        text = f"the postings are not those of {about} on the other side"
        return Objection("not-reversible", text, "Posting")
    return None


def _mirror(
    postings: tuple[ErpPosting, ...], *, flipped: bool
) -> dict[tuple[str, str, str], Decimal]:
    # By account and currency: an ERP may have merged or split postings when it booked them.
    sums: dict[tuple[str, str, str], Decimal] = {}
    for posting in postings:
        key = (posting.company, posting.account, posting.currency)
        amount = -posting.amount_with_sign if flipped else posting.amount_with_sign
        sums[key] = sums.get(key, Decimal(0)) + amount
    return sums
