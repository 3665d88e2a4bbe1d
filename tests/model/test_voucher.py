"""Vouchers: balanced in every currency, or not at all."""

from __future__ import annotations

import datetime as dt
import decimal
import pickle
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from tests.strategies import vouchers

from claimbridge.errors import ClaimError, UnbalancedVoucher
from claimbridge.model import JournalEntry, Posting, Purpose, Role, Side, Voucher

DAY = dt.date(2026, 3, 2)


def posting(side: object, amount: str, currency: str = "CNY", **fields: Any) -> Posting:
    """Return a posting."""
    given = {"role": Role.EXPENSE, "account": "6602.01", **fields}
    return Posting(side=side, amount=Decimal(amount), currency=currency, **given)  # type: ignore[arg-type]  # wrong sides are a point of these tests


def voucher(*postings: Posting, **fields: Any) -> Voucher:
    """Return a voucher with these postings."""
    given = {
        "claim_id": "EXP-1",
        "revision": 1,
        "company": "CN01",
        "employee": "E1",
        "currency": "CNY",
        "document_date": DAY,
        "posting_date": DAY,
        **fields,
    }
    return Voucher(postings=postings, **given)


DEBIT = posting(Side.DEBIT, "10.00")
CREDIT = posting(Side.CREDIT, "10.00")


@pytest.mark.parametrize(
    ("postings", "said"),
    [
        ((DEBIT, posting(Side.CREDIT, "9.99")), "debits exceed credits by 0.01 CNY"),
        ((posting(Side.DEBIT, "9.99"), CREDIT), "credits exceed debits by 0.01 CNY"),
        (
            (DEBIT, CREDIT, posting(Side.DEBIT, "5", "USD"), posting(Side.CREDIT, "4.99", "USD")),
            "debits exceed credits by 0.01 USD",
        ),
        ((DEBIT, posting(Side.CREDIT, "10.00", "USD")), "debits exceed credits by 10.00 CNY"),
    ],
)
def test_an_unbalanced_voucher_cannot_exist(postings: tuple[Posting, ...], said: str) -> None:
    """A cent in any currency is enough, and the message says which way and how much."""
    with pytest.raises(UnbalancedVoucher) as caught:
        voucher(*postings)
    assert said in str(caught.value)
    assert (caught.value.code, caught.value.claim_id) == ("CB-102", "EXP-1")


def test_a_side_given_as_text_counts_as_what_it_says() -> None:
    """A plain "debit" is a debit: it is not silently counted as a credit."""
    made = voucher(posting("debit", "10"), posting("credit", "10"))
    assert [leg.side for leg in made.postings] == [Side.DEBIT, Side.CREDIT]
    assert all(isinstance(leg.side, Side) for leg in made.postings)


@pytest.mark.parametrize(
    ("amount", "fields", "code"),
    [
        ("0", {}, "CB-147"),
        ("-1", {}, "CB-147"),
        ("0.001", {}, "CB-104"),
        ("1e15", {}, "CB-105"),
        ("NaN", {}, "CB-101"),
        ("1", {"currency": "XXX"}, "CB-103"),
        ("1", {"account": ""}, "CB-140"),
        ("1", {"account": " "}, "CB-140"),
        ("1", {"account": 6602}, "CB-146"),
        ("1", {"narration": "a\x01"}, "CB-109"),
        ("1", {"narration": None}, "CB-146"),
        ("1", {"role": "bonus"}, "CB-146"),
        ("1", {"side": "left"}, "CB-146"),
        ("1", {"tax_base": Decimal("0.005")}, "CB-104"),
        ("1", {"dimensions": {"x": "\x02"}}, "CB-109"),
    ],
)
def test_a_posting_that_cannot_exist_says_why(
    amount: str, fields: dict[str, Any], code: str
) -> None:
    """Amounts are positive and exact, accounts are named, text is printable."""
    side = fields.pop("side", Side.DEBIT)
    with pytest.raises(ClaimError, match="posting on account") as caught:
        posting(side, amount, **fields)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("postings", "fields", "code"),
    [
        ((), {}, "CB-148"),
        ((DEBIT,), {}, "CB-148"),
        ((DEBIT, CREDIT), {"approved_at": dt.datetime(2026, 3, 1)}, "CB-107"),  # noqa: DTZ001  # a naive time is the point
        ((DEBIT, CREDIT), {"purpose": Purpose.REVERSE}, "CB-149"),
        ((DEBIT, CREDIT), {"reverses": JournalEntry("1")}, "CB-149"),
        ((DEBIT, CREDIT), {"purpose": "undo"}, "CB-146"),
        ((DEBIT, CREDIT), {"currency": "XXX"}, "CB-103"),
        ((DEBIT, CREDIT), {"text": "\x0b"}, "CB-109"),
    ],
)
def test_a_voucher_that_cannot_exist_says_why(
    postings: tuple[Posting, ...], fields: dict[str, Any], code: str
) -> None:
    """Too few legs, naive times, half-named reversals: each has its code and the claim."""
    with pytest.raises(ClaimError) as caught:
        voucher(*postings, **fields)
    assert (caught.value.code, caught.value.claim_id) == (code, "EXP-1")


def test_totals_are_the_debits_per_currency() -> None:
    """What is compared before a journal entry is adopted."""
    made = voucher(
        DEBIT, posting(Side.DEBIT, "2.50"), posting(Side.CREDIT, "12.50"),
        posting(Side.CREDIT, "700", "JPY"), posting(Side.DEBIT, "700", "JPY"),
    )  # fmt: skip  # legs that belong together share a line
    assert made.totals == {"CNY": Decimal("12.50"), "JPY": Decimal(700)}


def test_a_reversal_is_the_same_voucher_on_the_other_side() -> None:
    """It balances, it names what it takes back, and reversing keeps every amount."""
    made = voucher(DEBIT, CREDIT)
    entry = JournalEntry("0100000008", "1410", "2026")
    taken_back = made.reversal(entry, posting_date=dt.date(2026, 4, 1), text="wrong month")
    assert [leg.side for leg in taken_back.postings] == [Side.CREDIT, Side.DEBIT]
    assert taken_back.totals == made.totals
    assert (taken_back.purpose, taken_back.reverses) == (Purpose.REVERSE, entry)
    assert (taken_back.posting_date, taken_back.text) == (dt.date(2026, 4, 1), "wrong month")


def test_large_sums_balance_to_the_cent_in_any_decimal_context() -> None:
    """Sums beyond the caller's precision are exact: a cent in a quadrillion is seen."""
    large = [posting(Side.DEBIT, "999999999999999.99") for _ in range(3)]
    other = [posting(Side.CREDIT, "999999999999999.99") for _ in range(2)]
    with decimal.localcontext(decimal.Context(prec=4)):
        voucher(*large, *other, posting(Side.CREDIT, "999999999999999.99"))
        with pytest.raises(UnbalancedVoucher, match=r"by 0\.01 CNY"):
            voucher(*large, *other, posting(Side.CREDIT, "999999999999999.98"))


@given(vouchers())
def test_vouchers_survive_json_and_pickling(made: Voucher) -> None:
    """The journal and other processes read back the very voucher that was written."""
    assert msgspec.json.decode(msgspec.json.encode(made), type=Voucher) == made
    assert pickle.loads(pickle.dumps(made)) == made
