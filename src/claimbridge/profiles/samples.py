"""Sample submissions that together hold everything a voucher can.

The requests that a profile builds from the samples are all that it ever sends.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from claimbridge.model import JournalEntry, Key, Posting, Role, Side, State, Submission, Voucher
from claimbridge.model.claim_lines import CLAIM_TEXT, LINE_TEXT, MAX_REVISION
from claimbridge.model.money import MAX_INTEGER_DIGITS
from claimbridge.model.text import DIMENSION_TEXT
from claimbridge.model.voucher import MAX_ACCOUNT
from claimbridge.profiles.abilities import NamesDimensions
from claimbridge.profiles.base import Profile

COMMON_DIMENSIONS: Final = (
    "profit_centre",
    "segment",
    "order",
    "functional_area",
    "department",
    "location",
    "class",
    "region",
    "fund",
)
"""The dimensions to try on a profile that does not say which ones it has places for."""


SAMPLE_OPTIONS: Final[Mapping[str, Mapping[str, object]]] = {
    "kingdee-eas": {"credit": -1},
    "yonyou-nc": {
        "account": "0001",
        "groupcode": "G01",
        "business_unit": "unit1",
        "receiver": "0001A1100000000009XY",
        "book": "{company}-0001",
        "preparer": "clerk1",
        "checks": {"cost_centre": "0001", "partner": "0002", "project": "0044"},
    },
}
"""By profile, options without which it posts nothing, for tools that judge a profile only."""


def dimensions_to_try(profile: Profile) -> Sequence[str]:
    """Return the dimensions that a profile has places for; common ones where it does not say."""
    return profile.dimensions if isinstance(profile, NamesDimensions) else COMMON_DIMENSIONS


FIELDS: Final = (
    "account",
    "amount",
    "approver",
    "claim_id",
    "company",
    "cost_centre",
    "dimensions",
    "employee",
    "employee_name",
    "narration",
    "partner",
    "project",
    "revision",
    "tax_code",
    "text",
)
"""The fields that may be longer or larger than usual."""
ENTRY: Final = JournalEntry("100000008", "CN01", "2026")
_DAY: Final = dt.date(2026, 3, 31)
_AMOUNT: Final = Decimal("113.00")
_WIDEST_AMOUNT: Final = Decimal("9" * MAX_INTEGER_DIGITS + ".99")


def sample_submissions(
    dimensions: Iterable[str] = COMMON_DIMENSIONS, *, reference: str, widest: Collection[str] = ()
) -> Iterator[Submission]:
    """Yield submissions to post.

    First one for each role, with full and bare postings on both sides; then a whole trip, one in
    another company's books, and one for each of ``dimensions``. The fields of ``widest`` are as
    long, or as large, as a claim may have them.
    """
    for role in Role:
        postings = [
            make(role, side, widest) for side in (Side.DEBIT, Side.CREDIT) for make in (_full, bare)
        ]
        yield _submission(postings, reference, widest)
    trip = [_full(Role.EXPENSE, Side.DEBIT, widest), _full(Role.INPUT_TAX, Side.DEBIT, widest)]
    paid = _full(Role.EMPLOYEE_PAYABLE, Side.CREDIT, widest)
    total = sum((posting.amount for posting in trip), Decimal(0))
    if "amount" not in widest:  # it would be more than an amount can be
        whole = [*trip, msgspec.structs.replace(paid, amount=total)]
        yield _submission(whole, reference, widest)
    other = _long("CN02", LINE_TEXT["company"], "company" in widest)
    pair = [bare(Role.INTERCOMPANY, side, widest) for side in (Side.DEBIT, Side.CREDIT)]
    elsewhere = [msgspec.structs.replace(posting, company=other) for posting in pair]
    yield _submission(elsewhere, reference, widest)
    for name in dimensions:
        coded = msgspec.structs.replace(
            trip[0], dimensions={name: "D" * (DIMENSION_TEXT if "dimensions" in widest else 4)}
        )
        yield _submission([coded, paid], reference, widest)


def reversing(submission: Submission) -> Submission:
    """Return the submission that takes the journal entry of ``submission`` back."""
    voucher = submission.voucher.reversal(ENTRY, posting_date=_DAY)
    key = msgspec.structs.replace(submission.key, purpose=voucher.purpose)
    return msgspec.structs.replace(
        submission, key=key, voucher=voucher, journal_entry=ENTRY, state=State.REVERSING
    )


def bare(role: Role, side: Side, widest: Collection[str]) -> Posting:
    """Return a posting with only the fields that it must have."""
    return Posting(
        role=role,
        account=_long("2241000000", MAX_ACCOUNT, "account" in widest),
        side=side,
        amount=_WIDEST_AMOUNT if "amount" in widest else _AMOUNT,
        currency="CNY",
    )


def _full(role: Role, side: Side, widest: Collection[str]) -> Posting:
    return msgspec.structs.replace(
        bare(role, side, widest),
        cost_centre=_long("CC-1001", LINE_TEXT["cost_centre"], "cost_centre" in widest),
        project=_long("P-7", LINE_TEXT["project"], "project" in widest),
        partner=_long("E0815", CLAIM_TEXT["employee"], "partner" in widest),
        tax_code=_long("J1", LINE_TEXT["type"], "tax_code" in widest),
        tax_base=_WIDEST_AMOUNT if "amount" in widest else Decimal("100.00"),
        narration=_long("Hotel", LINE_TEXT["text"], "narration" in widest),
        source="lines[0].amount",
    )


def _submission(postings: list[Posting], reference: str, widest: Collection[str]) -> Submission:
    voucher = Voucher(
        claim_id=_long("EXP-2026-0042", CLAIM_TEXT["id"], "claim_id" in widest),
        revision=MAX_REVISION if "revision" in widest else 1,
        company=_long("CN01", CLAIM_TEXT["company"], "company" in widest),
        employee=_long("E0815", CLAIM_TEXT["employee"], "employee" in widest),
        currency="CNY",
        document_date=_DAY,
        posting_date=_DAY,
        postings=tuple(postings),
        text=_long("Customer visit", CLAIM_TEXT["title"], "text" in widest),
        employee_name=_long(
            "Wang Xiaoming", CLAIM_TEXT["employee_name"], "employee_name" in widest
        ),
        approver=_long("Li Na", CLAIM_TEXT["approver"], "approver" in widest),
        approved_at=dt.datetime(2026, 3, 25, 9, 30, tzinfo=dt.UTC),
    )
    key = Key(book="CN01", claim_id=voucher.claim_id, revision=voucher.revision)
    return Submission(
        key=key, reference=reference, digest="0" * 64, voucher=voucher, state=State.PENDING
    )


def _long(text: str, limit: int, is_wide: bool) -> str:
    return text.ljust(limit, "W") if is_wide else text


__all__ = [
    "ENTRY",
    "FIELDS",
    "SAMPLE_OPTIONS",
    "dimensions_to_try",
    "reversing",
    "sample_submissions",
]
