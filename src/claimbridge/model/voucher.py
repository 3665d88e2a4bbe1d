"""The voucher 记账凭证: the balanced accounting document that we build, sign and send.

Amounts of postings are positive; the side says debit or credit; a refund flips the side. A
voucher whose debits and credits differ in any currency cannot exist.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections import defaultdict
from decimal import Decimal

import msgspec

from claimbridge.errors import ClaimError, UnbalancedVoucher
from claimbridge.model.money import as_amount, exponent
from claimbridge.model.outcome import JournalEntry


class Side(enum.StrEnum):
    """Debit 借 or credit 贷."""

    DEBIT = "debit"
    CREDIT = "credit"

    @property
    def other(self) -> Side:
        """The opposite side, as a reversal or a refund takes."""
        return Side.CREDIT if self is Side.DEBIT else Side.DEBIT


class Role(enum.StrEnum):
    """Why a posting is there; fixed names, shown by ``claimbridge map``."""

    EXPENSE = "expense"
    INPUT_TAX = "input_tax"
    NON_DEDUCTIBLE_TAX = "non_deductible_tax"
    EMPLOYEE_PAYABLE = "employee_payable"
    CARD_PAYABLE = "card_payable"
    CARD_CLEARING = "card_clearing"
    ADVANCE_CLEARING = "advance_clearing"
    FX_DIFFERENCE = "fx_difference"
    ROUNDING = "rounding"


class Purpose(enum.StrEnum):
    """What a voucher is submitted for."""

    POST = "post"
    REVERSE = "reverse"


class Posting(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One leg 分录 of a voucher.

    ``amount`` is positive, in ``currency``. ``partner`` is the employee or vendor that a payable
    is owed to, empty elsewhere. ``tax_code`` and ``tax_base`` (the net amount that an input tax
    was computed from, in ``currency``) stand on tax postings. ``source`` is the claim field it
    came from (``lines[0].amount``), empty for totals.
    """

    role: Role
    account: str
    side: Side
    amount: Decimal
    currency: str
    cost_centre: str = ""
    project: str = ""
    partner: str = ""
    tax_code: str = ""
    tax_base: Decimal | None = None
    narration: str = ""
    dimensions: dict[str, str] = {}
    source: str = ""

    def __post_init__(self) -> None:
        # A plain "debit" equals Side.DEBIT but is not it, and would count as a credit.
        msgspec.structs.force_setattr(self, "side", Side(self.side))
        msgspec.structs.force_setattr(self, "role", Role(self.role))
        what = f"posting on account {self.account or '?'}"
        if not self.account:
            raise ClaimError(f"{what} has no account")
        amount = as_amount(self.amount, self.currency, what=f"{what}: amount")
        if amount <= 0:
            raise ClaimError(f"{what}: amount {amount} must be positive; flip the side instead")
        msgspec.structs.force_setattr(self, "amount", amount)
        if self.tax_base is not None:
            base = as_amount(self.tax_base, self.currency, what=f"{what}: tax base")
            msgspec.structs.force_setattr(self, "tax_base", base)


class Voucher(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A balanced document for one ledger, from one claim revision.

    ``currency`` is the document's main currency. ``reverses`` names the journal entry that a
    reversal takes back (None on purpose ``post``). Raises UnbalancedVoucher or ClaimError when it
    cannot exist.
    """

    claim_id: str
    revision: int
    company: str
    employee: str
    currency: str
    document_date: dt.date
    posting_date: dt.date
    postings: tuple[Posting, ...]
    purpose: Purpose = Purpose.POST
    text: str = ""
    employee_name: str = ""
    approver: str = ""
    approved_at: dt.datetime | None = None
    reverses: JournalEntry | None = None

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "postings", tuple(self.postings))
        exponent(self.currency)
        if len(self.postings) < 2:
            raise ClaimError("a voucher needs two postings or more", claim_id=self.claim_id)
        if self.approved_at is not None and self.approved_at.tzinfo is None:
            raise ClaimError("approved_at has no time zone", code="CB-107", claim_id=self.claim_id)
        if (self.reverses is None) == (self.purpose is Purpose.REVERSE):
            raise ClaimError(
                "a reversal, and nothing else, names the journal entry it reverses",
                claim_id=self.claim_id,
            )
        for currency, difference in self._differences().items():
            if difference:
                larger, smaller = ("debits", "credits") if difference > 0 else ("credits", "debits")
                raise UnbalancedVoucher(
                    f"{larger} exceed {smaller} by {abs(difference)} {currency}",
                    claim_id=self.claim_id,
                )

    def _differences(self) -> dict[str, Decimal]:
        balance: dict[str, Decimal] = defaultdict(Decimal)
        for posting in self.postings:
            sign = 1 if posting.side is Side.DEBIT else -1
            balance[posting.currency] += sign * posting.amount
        return balance

    @property
    def totals(self) -> dict[str, Decimal]:
        """The sum of the debits per currency: what is compared before a journal entry is adopted."""
        sums: dict[str, Decimal] = defaultdict(Decimal)
        for posting in self.postings:
            if posting.side is Side.DEBIT:
                sums[posting.currency] += posting.amount
        return dict(sums)

    def reversal(self, entry: JournalEntry, *, posting_date: dt.date, text: str = "") -> Voucher:
        """Return the voucher that takes ``entry`` back: the same postings on the other side."""
        flipped = tuple(
            msgspec.structs.replace(posting, side=posting.side.other) for posting in self.postings
        )
        return msgspec.structs.replace(
            self,
            postings=flipped,
            purpose=Purpose.REVERSE,
            reverses=entry,
            posting_date=posting_date,
            text=text or self.text,
        )
