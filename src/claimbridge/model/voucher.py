"""The voucher 记账凭证: the balanced accounting document that we build, sign and send.

Amounts of postings are positive; the side says debit or credit; a refund flips the side. A
voucher whose debits and credits differ in any currency cannot exist.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Sequence
from decimal import Decimal
from typing import Final, TypeVar

import msgspec

from claimbridge.errors import ClaimError, UnbalancedVoucher
from claimbridge.model.fields import check_instant
from claimbridge.model.money import EXACT, as_amount, excerpt, exponent
from claimbridge.model.outcome import JournalEntry
from claimbridge.model.text import check_dimensions, check_text

MAX_ACCOUNT: Final = 64
_ZERO: Final = Decimal(0)
_POSTING_TEXT: Final = (
    "account", "cost_centre", "project", "partner", "tax_code", "narration", "source", "company",
)  # fmt: skip
_VOUCHER_TEXT: Final = ("claim_id", "company", "employee", "text", "employee_name", "approver")


class Side(enum.StrEnum):
    """Debit 借 or credit 贷."""

    DEBIT = "debit"
    CREDIT = "credit"

    @property
    def other(self) -> Side:
        """The opposite side, as a reversal or a refund takes."""
        return Side.CREDIT if self is Side.DEBIT else Side.DEBIT


class Role(enum.StrEnum):
    """Why a posting exists; fixed names, which ``claimbridge map`` shows."""

    EXPENSE = "expense"
    INPUT_TAX = "input_tax"
    NON_DEDUCTIBLE_TAX = "non_deductible_tax"
    EMPLOYEE_PAYABLE = "employee_payable"
    CARD_PAYABLE = "card_payable"
    CARD_CLEARING = "card_clearing"
    ADVANCE_CLEARING = "advance_clearing"
    INTERCOMPANY = "intercompany"
    FX_DIFFERENCE = "fx_difference"
    ROUNDING = "rounding"


class Purpose(enum.StrEnum):
    """What a voucher is submitted for."""

    POST = "post"
    REVERSE = "reverse"


class Posting(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One leg 分录 of a voucher.

    ``amount`` is positive, in ``currency``. ``partner`` is the employee or vendor that a payable
    is owed to, empty elsewhere. Tax postings have ``tax_code`` and ``tax_base``: the net amount
    that the tax was computed from, in ``currency``. ``source`` is the claim field that the posting
    came from (``lines[0].amount``), empty for totals. ``company`` names the company whose books the
    posting stands in, where that is not the voucher's. Each company's postings balance by
    themselves.
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
    company: str = ""

    def __post_init__(self) -> None:
        try:
            _normalise(self)
        except ClaimError as error:
            about = f"posting on account {self.account or '?'}"
            raise ClaimError(f"{about}: {error.message}", code=error.code) from error


def _normalise(posting: Posting) -> None:
    if type(posting.role) is not Role:
        _set(posting, "role", _member(Role, posting.role, "role"))
    if type(posting.side) is not Side:
        _set(posting, "side", _member(Side, posting.side, "side"))
    account = posting.account
    if type(account) is not str or not account.strip() or len(account) > MAX_ACCOUNT:
        check_text(account, "account", MAX_ACCOUNT, required=True)
    amount = as_amount(posting.amount, posting.currency)
    if amount <= 0:
        raise ClaimError(f"amount {amount} must be positive; flip the side", code="CB-147")
    if amount is not posting.amount:
        _set(posting, "amount", amount)
    if posting.tax_base is not None:
        _set(posting, "tax_base", as_amount(posting.tax_base, posting.currency, what="tax_base"))
    if not _is_printable(posting):
        _check_printables(posting, _POSTING_TEXT)
    if posting.dimensions:
        check_dimensions(posting.dimensions, "dimensions")


def _is_printable(posting: Posting) -> bool:
    """Whether all texts are printable; most are, and one test of all of them is fast."""
    try:
        return "".join(
            (
                posting.account,
                posting.cost_centre,
                posting.project,
                posting.partner,
                posting.tax_code,
                posting.narration,
                posting.source,
                posting.company,
            )
        ).isprintable()
    except TypeError:
        return False  # a field holds no text: the caller finds and names it


class Voucher(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A balanced document for one ledger, from one claim revision.

    ``currency`` is the document's main currency. ``reverses`` names the journal entry that a
    reversal takes back (None on purpose ``post``). Where a claim was too long for one document of
    the ERP, the voucher is number ``document_number`` of ``documents``; 0 of 0: the whole claim.
    JSON and journals call the two ``part`` and ``parts``. Raises UnbalancedVoucher or ClaimError
    when it cannot exist.
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
    document_number: int = msgspec.field(default=0, name="part")
    documents: int = msgspec.field(default=0, name="parts")

    def __post_init__(self) -> None:
        try:
            _normalise_voucher(self)
        except ClaimError as error:
            if error.claim_id is None:
                error.claim_id = self.claim_id
            raise

    @property
    def totals(self) -> dict[str, Decimal]:
        """The debits' sum per currency: what is compared before a journal entry is adopted."""
        sums: dict[str, Decimal] = {}
        for posting in self.postings:
            if posting.side is Side.DEBIT:
                so_far = sums.get(posting.currency, _ZERO)
                sums[posting.currency] = EXACT.add(so_far, posting.amount)
        return sums

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


def _normalise_voucher(voucher: Voucher) -> None:
    if type(voucher.purpose) is not Purpose:
        _set(voucher, "purpose", _member(Purpose, voucher.purpose, "purpose"))
    _set(voucher, "postings", tuple(voucher.postings))
    exponent(voucher.currency)
    check_instant(voucher.approved_at, "approved_at")
    _check_printables(voucher, _VOUCHER_TEXT)
    if not 0 <= voucher.document_number <= voucher.documents or (
        voucher.documents and not voucher.document_number
    ):
        raise ClaimError(
            f"there is no document {voucher.document_number} of {voucher.documents}; they count "
            "from 1",
            code="CB-145",
        )
    if len(voucher.postings) < 2:
        raise ClaimError("a voucher needs two postings or more", code="CB-148")
    if (voucher.reverses is None) == (voucher.purpose is Purpose.REVERSE):
        raise ClaimError(
            "a reversal must name the journal entry that it reverses, and no other voucher may",
            code="CB-149",
        )
    _check_balance(voucher.postings)


def _check_balance(postings: Sequence[Posting]) -> None:
    excess: dict[tuple[str, str], Decimal] = {}
    add, subtract, debit = EXACT.add, EXACT.subtract, Side.DEBIT
    for posting in postings:
        book = posting.company, posting.currency
        count = add if posting.side is debit else subtract
        excess[book] = count(excess.get(book, _ZERO), posting.amount)
    for (company, currency), amount in excess.items():
        if amount:
            larger, smaller = ("debits", "credits") if amount > 0 else ("credits", "debits")
            where = f" in the books of {company}" if company else ""
            raise UnbalancedVoucher(
                f"{larger} exceed {smaller} by {amount.copy_abs()} {currency}{where}"
            )


def _check_printables(struct: msgspec.Struct, names: Sequence[str]) -> None:
    texts = [getattr(struct, name) for name in names]
    try:
        if "".join(texts).isprintable():
            return
    except TypeError:
        pass  # a field holds no text: the loop below names it
    for name, text in zip(names, texts, strict=True):
        check_text(text, name)


_E = TypeVar("_E", bound=enum.StrEnum)


def _member(kind: type[_E], value: object, what: str) -> _E:
    """Return the member of ``kind`` that ``value`` spells; raises ClaimError.

    A plain "debit" equals Side.DEBIT, but is another object, and sides are compared by identity.
    """
    try:
        return kind(str(value))
    except ValueError:
        raise ClaimError(
            f"{what} must be one of {', '.join(kind)}, not {excerpt(value)!r}", code="CB-146"
        ) from None


_set: Final = msgspec.structs.force_setattr
