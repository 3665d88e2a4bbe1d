"""Which invoices are the same one, whoever typed them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.sources.claims import claim

from claimbridge.errors import ClaimError
from claimbridge.model import Claim, SupportingDocument, identity_of, invoices_of


def document(
    number: str, code: str = "", seller: str = "", kind: str = "a", id: str = ""
) -> SupportingDocument:
    return SupportingDocument(kind=kind, number=number, code=code, seller=seller, id=id)


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
        (document("INV-7", seller="ACME Ltd."), document("INV\u200b7", seller="ACME\u200b Ltd.")),
        (document("00123456", "044001900111"), document("123456.0", "44001900111.00")),
        (document("00123456", "044001900111"), document("\u2018123456", "'044001900111")),
        (document("", seller="a", id="ID_1"), document("", seller="b", id=" ID_1\u200b")),
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
        (document("", id="ID_1"), document("", id="ID_2")),
        (document("", id="ID_1"), document("", id="id_1")),
        (document("NO123", seller="ACME"), document("123", seller="ACME")),
        (document("12E34", seller="ACME"), document("12E35", seller="ACME")),
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


@pytest.mark.parametrize(
    "spelling",
    [
        '="{}"',
        "={}",
        "'{}",
        "\u2019{}",
        "{}.0",
        "{}.00",
        "\t{}\r\n",
        "{}_x000D_",
        "{}_x000d__x000A_",
        "\u200b{}",
        "\u202d{}\u202c",
        "\ufeff{}",
        "{}\u00ad",
        "{}\u2060",
        "{}\U000e0041",
        "{}\ufe0f",
        "\u3000{}\u00a0",
        "No.{}",
        "NO: {}",
        "no {}",
        "\u2116{}",
        "#{}",
        "Invoice No. {}",
        "发票号码：{}",
        "发票：{}",
        "数电发票 号码 {}",
        "{}号",
        "\u201c{}\u201d",
        '"{}"',
        "「{}」",
        "{};",
        "{}。",
    ],
)
def test_what_is_wrapped_around_a_number(spelling: str) -> None:
    """Formulas, apostrophes, labels, quotes and what nobody sees make no other invoice of it."""
    assert identity_of(document(spelling.format(DIGITAL.number))) == DIGITAL.number
    assert identity_of(document(spelling.format("00123456"), "044001900111")) == (
        "044001900111:00123456"
    )


@pytest.mark.parametrize(
    "spelling",
    [
        "2531 2000 0000 1234 5678",
        "2531-2000-0000-1234-5678",
        "25,312,000,000,012,345,678",
        "2531\u20132000\u20140000\u22121234 5678",
        "\u0662531200000001234567\u0668",
    ],
)
def test_groups_and_digits_of_other_scripts(spelling: str) -> None:
    """However digits are grouped, and in whatever script: the number is the digits."""
    assert identity_of(document(spelling)) == DIGITAL.number


@pytest.mark.parametrize(
    ("number", "code", "what", "words", "error"),
    [
        ("2.6312E+19", "", "number", "has lost digits in a spreadsheet", "CB-566"),
        ("2.63121e19", "", "number", "has lost digits in a spreadsheet", "CB-566"),
        ("2,6312E+19", "", "number", "has lost digits in a spreadsheet", "CB-566"),
        ("'2E+19", "", "number", "has lost digits in a spreadsheet", "CB-566"),
        ("########", "", "number", "has lost digits in a spreadsheet", "CB-566"),
        ("#N/A", "", "number", "has lost digits in a spreadsheet", "CB-566"),
        ("00123458", "4.40019E+10", "code", "has lost digits in a spreadsheet", "CB-566"),
        ("26312000000000100000", "", "number", "may have lost digits", "CB-567"),
        ("26312000000000100000.0", "", "number", "may have lost digits", "CB-567"),
        ("2631200000000012341O", "", "number", "the letter O among its digits", "CB-567"),
        ("2631200000000012341o", "", "number", "the letter O among its digits", "CB-567"),
        ("l631200000000012341I", "", "number", "the letter I and L among", "CB-567"),
        ("0012345O", "044001900111", "number", "the letter O among its digits", "CB-567"),
        ("00123456", "O44001900111", "code", "the letter O among its digits", "CB-567"),
    ],
)
def test_a_number_that_lost_digits(
    number: str, code: str, what: str, words: str, error: str
) -> None:
    """It is refused by the column that it stands in: two different ones may look alike."""
    garbled = {"kind": "vat_ordinary", "number": number, "code": code, "seller": "ACME"}
    with pytest.raises(ClaimError) as refused:
        invoices_of(claim("EXP-1", garbled))
    assert (refused.value.code, refused.value.claim_id) == (error, "EXP-1")
    assert refused.value.message.startswith(f"line 1, document.{what}: ")
    assert words in refused.value.message
    with pytest.raises(ClaimError) as second:
        invoices_of(claim("EXP-1", {"kind": "a"}, garbled))
    assert second.value.message.startswith(f"line 1, documents[1].{what}: ")


@pytest.mark.parametrize(
    "sure",
    [{"number": "2631 2000 0000 0010 0000"}, {"number": "26312000000000100000", "id": "ID_1"}],
)
def test_a_number_that_does_end_in_zeros(sure: dict[str, str]) -> None:
    """Written in groups, or known by its source's id, its zeros are its own."""
    (use,) = invoices_of(claim("EXP-1", {"kind": "vat_ordinary", **sure}))
    assert use.invoice == "26312000000000100000"


@pytest.mark.parametrize("number", ["INV-2026-OIL", "LOI7", "OL-20260309", "12E34", "RE-0815/2"])
def test_letters_of_sellers_of_their_own(number: str) -> None:
    """A seller may number as he likes: letters alone make no number wrong."""
    (use,) = invoices_of(claim("EXP-1", {"kind": "receipt", "number": number, "seller": "ACME"}))
    assert use.invoice.startswith("acme|")


def parts(*amounts: str, total: str = "1000.00") -> Claim:
    """Return a claim that claims parts of one invoice, one on each line."""
    lines = [
        {
            "type": "travel",
            "date": "2026-10-08",
            "amount": amount,
            "documents": [
                {"kind": "a", "number": DIGITAL.number, "amount": amount, "total": total}
            ],
        }
        for amount in amounts
    ]
    plain = {"id": "EXP-1", "revision": 1, "company": "CN01", "employee": "E1", "currency": "CNY"}
    return Claim.from_dict({**plain, "total": str(sum(map(Decimal, amounts))), "lines": lines})


def test_parts_of_an_invoice_on_several_lines() -> None:
    """They are one use of it, by the sum of the parts, up to its total."""
    (use,) = invoices_of(parts("400.00", "600.00"))
    assert (use.amount, use.total, use.currency, use.line) == (1000, 1000, "CNY", 1)
    with pytest.raises(ClaimError) as refused:
        invoices_of(parts("400.00", "600.01"))
    assert refused.value.code == "CB-568"
    assert "1000.01 CNY of invoice 25312000000012345678 would be claimed" in refused.value.message


@pytest.mark.parametrize("amount", [None, "1000.01", "0", "-1.00"])
def test_a_part_fits_its_whole(amount: str | None) -> None:
    """A document with a total says which part of it is claimed, and not more than there is."""
    paper = {"kind": "a", "number": "1", "total": "1000.00"}
    with pytest.raises(ClaimError) as refused:
        claim("EXP-1", paper if amount is None else {**paper, "amount": amount})
    assert refused.value.code == "CB-569"
    assert "lines[0].documents[0].amount" in refused.value.message


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
