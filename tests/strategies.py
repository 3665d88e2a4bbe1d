"""Hypothesis strategies for claims and vouchers that can exist, and that the contracts can carry.

Amounts, dates, zones and texts are drawn from all that is legal, white space at the edges, line
breaks and characters beyond the basic plane included. Codes are what master data holds: words
parted by single spaces.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from functools import cache
from typing import TypeVar

import msgspec
from hypothesis import strategies as st

from claimbridge.model import (
    Claim,
    ClaimLine,
    JournalEntry,
    Posting,
    Purpose,
    Role,
    Side,
    SupportingDocument,
    Voucher,
    converted,
    exponent,
)
from claimbridge.profiles.reference.voucher_xml import OMISSIONS

T = TypeVar("T")

# Strategies are made once: making them anew for every draw takes most of the time of a long run.

CURRENCIES = ("CNY", "USD", "EUR", "JPY", "KWD", "HKD")

_LEGAL = st.characters(
    codec="utf-8",
    # XML 1.0 §2.2, and DEL, which the model refuses too; and of a claim, what reorders or tags.
    exclude_characters="".join(
        map(
            chr,
            [
                *(*range(9), 11, 12, *range(14, 32), 127, 0xFFFE, 0xFFFF),
                *(*range(0x202A, 0x202F), *range(0x2066, 0x206A), *range(0xE0000, 0xE0080)),
            ],
        )
    ),
)
_AWKWARD = st.sampled_from(
    [
        " ",
        "  x  ",
        "\t",
        "\n",
        "a\r\nb",
        "\r",
        "]]>",
        "<&>\"'",
        "&#13;",
        "\u00a0",
        "\u2028",
        "😀",
        "差旅",
    ]
)


@cache
def texts(limit: int = 60) -> st.SearchStrategy[str]:
    """Texts for people, "" included."""
    return st.one_of(st.text(_LEGAL, max_size=limit), _AWKWARD)


@cache
def codes(limit: int = 12) -> st.SearchStrategy[str]:
    """Non-empty codes of master data."""
    return st.one_of(
        st.text("ABCXYZ0189-_./", min_size=1, max_size=limit),
        st.sampled_from([code[:limit] for code in ("000123", "管理部", "R 7", "Ä-1")]),
    )


@cache
def maybe(strategy: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Texts of ``strategy``, or ""."""
    return st.one_of(st.just(""), strategy)


@cache
def optional(strategy: st.SearchStrategy[T]) -> st.SearchStrategy[T | None]:
    """Values of ``strategy``, or None."""
    return st.none() | strategy


@cache
def among(*values: T) -> st.SearchStrategy[T]:
    """One of these values."""
    return st.sampled_from(values)


@cache
def several(strategy: st.SearchStrategy[T], least: int, most: int) -> st.SearchStrategy[list[T]]:
    """Lists of values of ``strategy``."""
    return st.lists(strategy, min_size=least, max_size=most)


@cache
def moments() -> st.SearchStrategy[dt.datetime]:
    """Moments with a whole-minute offset, as far as XML Schema's ±14:00."""
    zones = st.integers(-14 * 60, 14 * 60).map(lambda m: dt.timezone(dt.timedelta(minutes=m)))
    first, last = dt.datetime(1970, 1, 2), dt.datetime(2200, 1, 1)  # noqa: DTZ001  # zones are drawn
    return st.datetimes(first, last, timezones=zones)


@cache
@st.composite
def amounts(draw: st.DrawFn, currency: str, *, most: int = 10**11) -> Decimal:
    """Positive amounts with the currency's own decimals, up to ``most`` whole units."""
    decimals = exponent(currency)
    units = draw(st.integers(1, most * 10**decimals))
    return Decimal(units).scaleb(-decimals)


_rates = st.integers(1, 10**9)
_tax_rates = st.integers(0, 10**6).map(lambda parts: Decimal(parts).scaleb(-6))
_revisions = st.integers(1, 2**31 - 1)
dimensions = st.dictionaries(codes(), maybe(texts(20)), max_size=3)
coded = st.dictionaries(codes(), maybe(codes(20)), max_size=3)
"""Dimensions of a claim, whose values are codes too."""
dates = st.dates(dt.date(1990, 1, 1), dt.date(2199, 12, 31))


@cache
@st.composite
def documents(draw: st.DrawFn, currency: str) -> SupportingDocument:
    """Invoices and slips."""
    return SupportingDocument(
        kind=draw(codes()),
        number=draw(maybe(codes(20))),
        code=draw(maybe(codes())),
        date=draw(optional(dates)),
        amount=draw(optional(amounts(currency))),
        seller=draw(texts(30)),
    )


def _taxes(amount: Decimal) -> st.SearchStrategy[Decimal]:
    """Taxes that an amount can contain: of its sign and decimals, and no larger."""
    decimals = int(amount.as_tuple().exponent)
    units = int(amount.scaleb(-decimals))
    return st.integers(min(units, 0), max(units, 0)).map(lambda u: Decimal(u).scaleb(decimals))


@cache
@st.composite
def lines(draw: st.DrawFn, claim_currency: str) -> ClaimLine:
    """Claim lines: expenses and refunds, in the claim's currency or another."""
    currency = draw(among(claim_currency, *CURRENCIES))
    amount = draw(amounts(currency, most=10**8)) * draw(among(1, 1, 1, -1))
    rate = None
    if currency != claim_currency:
        rate = Decimal(draw(_rates)).scaleb(-6)
    return ClaimLine(
        type=draw(codes()),
        date=draw(dates),
        amount=amount,
        currency=currency,
        rate=rate,
        tax=draw(st.none() | _taxes(amount)),
        tax_rate=draw(optional(_tax_rates)),
        deductible=draw(optional(among(Decimal("0"), Decimal("0.5"), Decimal("1")))),
        payment=draw(among("employee", "company_card")),
        cost_centre=draw(maybe(codes())),
        department=draw(maybe(codes())),
        project=draw(maybe(codes())),
        text=draw(texts(200)),
        dimensions=draw(coded),
        documents=tuple(draw(several(documents(currency), 0, 2))),
    )


@st.composite
def claims(draw: st.DrawFn, *, max_lines: int = 5) -> Claim:
    """Claims that can exist; whether a chart has an answer for them is another matter."""
    currency = draw(among(*CURRENCIES))
    drawn = tuple(draw(several(lines(currency), 1, max_lines)))
    return Claim(
        id=draw(codes(30)),
        revision=draw(_revisions),
        company=draw(codes(4)),
        employee=draw(codes()),
        currency=currency,
        total=sum((converted(line, currency) for line in drawn), Decimal(0)),
        lines=drawn,
        title=draw(texts()),
        employee_name=draw(texts(30)),
        department=draw(maybe(codes())),
        cost_centre=draw(maybe(codes())),
        country=draw(among("", "CN", "DE")),
        approved_at=draw(optional(moments())),
        approver=draw(texts(30)),
        posting_date=draw(optional(dates)),
        dimensions=draw(coded),
    )


@cache
@st.composite
def postings(
    draw: st.DrawFn, side: Side, amount: Decimal, currency: str, place: int, company: str
) -> Posting:
    """Postings of a given side and amount."""
    base = draw(optional(amounts(currency)))
    return Posting(
        role=draw(among(*Role)),
        account=draw(codes(10)),
        side=side,
        amount=amount,
        currency=currency,
        cost_centre=draw(maybe(codes())),
        project=draw(maybe(codes())),
        partner=draw(maybe(codes())),
        tax_code=draw(maybe(codes(4))),
        tax_base=draw(st.sampled_from([base, None if base is None else -base])),
        narration=draw(texts(200)),
        dimensions=draw(dimensions),
        source=draw(st.sampled_from(["", f"lines[{place}].amount"])),
        company=company,
    )


@st.composite
def vouchers(
    draw: st.DrawFn, *, currencies: tuple[str, ...] = CURRENCIES, max_pairs: int = 4
) -> Voucher:
    """Balanced vouchers of both purposes, in one currency or several."""
    chosen = draw(several(among(*currencies), 1, max_pairs))
    legs: list[Posting] = []
    for place, currency in enumerate(chosen):
        amount = draw(amounts(currency))
        company = draw(maybe(codes(4)))  # each company's books balance by themselves
        for side in draw(st.permutations([Side.DEBIT, Side.CREDIT])):
            legs.append(draw(postings(side, amount, currency, place, company)))
    entry = JournalEntry(draw(codes(10)), draw(maybe(codes(4))), draw(among("", "2026", "1999")))
    reverses = draw(st.none() | st.just(entry))
    parts = draw(among(0, 0, 1, 3))
    return Voucher(
        claim_id=draw(codes(30)),
        revision=draw(_revisions),
        company=draw(codes(4)),
        employee=draw(codes()),
        currency=chosen[0],
        document_date=draw(dates),
        posting_date=draw(dates),
        postings=tuple(legs),
        purpose=Purpose.POST if reverses is None else Purpose.REVERSE,
        text=draw(texts()),
        employee_name=draw(texts(30)),
        approver=draw(texts(30)),
        approved_at=draw(optional(moments())),
        reverses=reverses,
        document_number=draw(st.integers(min(parts, 1), parts)),
        documents=parts,
    )


def as_told(voucher: Voucher) -> Voucher:
    """Return what the reference contract tells of a voucher: without what it declares untold."""
    return msgspec.structs.replace(voucher, **dict.fromkeys(OMISSIONS, 0))
