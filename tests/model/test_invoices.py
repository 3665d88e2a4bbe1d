"""Which invoices are the same one, whoever typed them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.sources.claims import claim

from claimbridge.errors import ClaimError
from claimbridge.model import Claim, SupportingDocument, identity_of, invoices_of


def document(number: str, code: str = "", seller: str = "", kind: str = "a") -> SupportingDocument:
    return SupportingDocument(kind=kind, number=number, code=code, seller=seller)


DIGITAL = document("25312000000012345678")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (DIGITAL, document("25312000000012345678", kind="b")),
        (DIGITAL, document(" 2531 2000-0000 1234 5678 ", code="", seller="whoever")),
        (DIGITAL, document("２５３１２００００００0１２３４５６７８")),
        (DIGITAL, document("25312000000012345678", code="031001900104")),
        (document("00123456", "044001900111"), document("123456", "44001900111")),
        (document("00123456", "4400191130"), document("123456", "4400191130", kind="b")),
        (document("INV-7", seller="ACME  Ltd."), document("inv 7", seller="acme ltd.")),
    ],
)
def test_one_invoice(one: SupportingDocument, other: SupportingDocument) -> None:
    """Kind, spaces, widths, letters' case and lost zeros make no other invoice of it."""
    assert identity_of(one) == identity_of(other) != ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (DIGITAL, document("25312000000012345679")),
        (document("00123456", "044001900111"), document("00123456", "044001900112")),
        (document("00123456", "4400191130"), document("00123456", "04400191130")),
        (document("7", seller="ACME"), document("7", seller="Other")),
        (document("7", code="X", seller="ACME"), document("7", seller="ACME")),
    ],
)
def test_two_invoices(one: SupportingDocument, other: SupportingDocument) -> None:
    """What differs in what is printed is another."""
    assert identity_of(one) != identity_of(other)


@pytest.mark.parametrize(
    "one", [document(""), document(" - "), document("7"), document("", "044001900111", "ACME")]
)
def test_what_is_not_judged(one: SupportingDocument) -> None:
    """Without a number, or with one that means nothing by itself, nobody is accused."""
    assert identity_of(one) == ""


def test_a_refund_gives_back_what_an_invoice_took() -> None:
    """A line with a negative amount may name the invoice of the claim that it corrects."""
    invoice = {"kind": "vat_special", "number": DIGITAL.number}
    (use,) = invoices_of(claim("EXP-1", invoice))
    assert (use.invoice, use.line) == (DIGITAL.number, 1)
    given = claim("EXP-1", invoice)
    line = {"type": "travel", "date": "2026-10-08", "amount": "-100.00", "documents": [invoice]}
    refund = Claim.from_dict(
        {
            "id": "EXP-2",
            "revision": 1,
            "company": given.company,
            "employee": given.employee,
            "currency": "CNY",
            "total": "-100.00",
            "lines": [line],
        }
    )
    assert refund.total == Decimal("-100.00")
    assert invoices_of(refund) == ()


def test_twice_on_one_claim_is_told_by_its_lines() -> None:
    """Both lines are named, as people count them."""
    invoice = {"kind": "vat_special", "number": DIGITAL.number}
    with pytest.raises(ClaimError) as refused:
        invoices_of(claim("EXP-1", invoice, {**invoice, "kind": "other"}))
    assert refused.value.code == "CB-530"
    assert str(refused.value).startswith(
        "CB-530 claim EXP-1: line 1: invoice 25312000000012345678 stands on line 1 of this claim"
    )
