"""Taxed postings, and the documents that SAP's profiles make of them, for several tests."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
from lxml import etree
from tests.profiles.samples import TRIP, submission

from claimbridge import xmlio
from claimbridge.contract import Bundle, Contract
from claimbridge.model import Posting, Role, Side, Voucher
from claimbridge.profiles import load_profile

Options = dict[str, Any]
JOURNAL_ENTRY = "sap-journal-entry"
BAPI = "sap-bapi"
HOTEL, TAX, PAID = TRIP.postings


def of_line(line: int, posting: Posting, **changes: object) -> Posting:
    place = f"lines[{line}].{posting.source.rpartition('.')[2]}"
    return msgspec.structs.replace(posting, source=place, **changes)


def voucher(*postings: Posting) -> Voucher:
    """The postings with what they add up to, owed to the employee."""
    owed = sum(
        (one.amount if one.side is Side.DEBIT else -one.amount for one in postings), Decimal(0)
    )
    return msgspec.structs.replace(
        TRIP, postings=(*postings, msgspec.structs.replace(PAID, amount=owed))
    )


def document(postings: tuple[Posting, ...], options: Options | None = None) -> etree._Element:
    """The BAPI's document of these postings, valid by our contract."""
    contract = Contract.load(Bundle.from_package(f"{BAPI}.wsdl"))
    request = load_profile(BAPI, options or {}).submit([submission(voucher(*postings))])
    raw = contract.render(request.operation, request.body, sources=request.sources)
    assert contract.check(raw) == ()
    return xmlio.parse(raw)


def rows(body: etree._Element, path: str, *names: str) -> list[tuple[str, ...]]:
    return [tuple(one.findtext(name, "") for name in names) for one in body.iterfind(path)]


RAIL = of_line(1, HOTEL, amount=Decimal("100.00"))
RAIL_TAX = of_line(
    1, TAX, amount=Decimal("9.00"), tax_code="J3", tax_base=Decimal("100.00"), narration="Rail"
)
MORE = of_line(2, HOTEL, amount=Decimal("200.00"))
MORE_TAX = of_line(
    2, TAX, amount=Decimal("12.00"), tax_base=Decimal("200.00"), narration="Two more nights"
)
TAX_PARTS = ("TaxCode", "AmountInTransactionCurrency", "TaxBaseAmountInTransCrcy")
KEPT = of_line(0, HOTEL, amount=Decimal("56.60"), role=Role.NON_DEDUCTIBLE_TAX, tax_code="J1",
               tax_base=Decimal("943.40"))  # fmt: skip  # one thought
