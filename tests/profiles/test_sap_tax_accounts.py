"""On which accounts SAP's documents book taxes, back and forth, and how many items they have."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from lxml import etree
from tests.profiles.samples import submission
from tests.profiles.sap_taxes import (
    BAPI,
    HOTEL,
    JOURNAL_ENTRY,
    KEPT,
    MORE,
    MORE_TAX,
    RAIL,
    TAX,
    TAX_PARTS,
    Options,
    document,
    of_line,
    rows,
    voucher,
)

from claimbridge import xmlio
from claimbridge.contract import Bundle, Contract
from claimbridge.errors import ClaimError
from claimbridge.model import JournalEntry
from claimbridge.profiles import load_profile

OTHER_ACCOUNT = msgspec.structs.replace(
    MORE_TAX, account="2221010300", amount=Decimal("6.00"), narration=TAX.narration
)


def booked(body: etree._Element) -> dict[tuple[str, str], Decimal]:
    """What a BAPI's document books on each account, by table and account."""
    amounts = dict(rows(body, "Currencyamount/item", "ItemnoAcc", "AmtDoccur"))
    found: dict[tuple[str, str], Decimal] = {}
    for table in ("Accountgl", "Accounttax"):
        for number, account in rows(body, f"{table}/item", "ItemnoAcc", "GlAccount"):
            key = (table, account)
            found[key] = found.get(key, Decimal(0)) + Decimal(amounts[number])
    return found


def test_each_tax_stays_on_its_account() -> None:
    """Taxes of one code and two accounts are two items; an account's own are one."""
    third = of_line(3, MORE)
    third_tax = of_line(3, MORE_TAX, narration=TAX.narration)
    found = document((HOTEL, TAX, MORE, OTHER_ACCOUNT, third, third_tax))
    assert rows(found, "Accounttax/item", "ItemnoAcc", "GlAccount", "TaxCode") == [
        ("0000000002", TAX.account, "J1"),
        ("0000000004", "2221010300", "J1"),
    ]
    amounts = {one[0]: one[1:] for one in rows(
        found, "Currencyamount/item", "ItemnoAcc", "AmtDoccur", "AmtBase")}  # fmt: skip
    assert amounts["0000000002"] == ("68.60", "1143.40")
    assert amounts["0000000004"] == ("6.00", "200.00")


def test_what_is_not_deductible_stays_on_its_cost_account() -> None:
    """With a condition of its own it is a tax item, and names its expense account."""
    half = msgspec.structs.replace(KEPT, amount=Decimal("28.30"))
    other = of_line(2, half, account="6602050000", tax_base=Decimal("200.00"))
    options: Options = {"taxes": {"J1": {"non_deductible": {"classification": "NAV"}}}}
    found = booked(document((HOTEL, TAX, half, MORE, MORE_TAX, other), options))
    assert found[("Accounttax", KEPT.account)] == Decimal("28.30")
    assert found[("Accounttax", "6602050000")] == Decimal("28.30")


@pytest.mark.parametrize("options", [{}, {"untaxed": "V0"}])
def test_a_reversal_takes_back_what_stands_on_each_account(options: Options) -> None:
    """Whether the document had an item for each tax, as older versions posted it, or for several.

    A reversal is a document of its own: what counts is what it books on each account.
    """
    posted = voucher(HOTEL, TAX, MORE, MORE_TAX, RAIL, of_line(3, HOTEL), of_line(3, OTHER_ACCOUNT))
    entry = JournalEntry("0100000000", "1410", "2026")
    back = posted.reversal(entry, posting_date=posted.posting_date)
    profile = load_profile(BAPI, options)
    contract = Contract.load(Bundle.from_package(f"{BAPI}.wsdl"))
    request = profile.submit([submission(back)])
    found = booked(xmlio.parse(contract.render(request.operation, request.body)))
    by_account: dict[str, Decimal] = {}
    for one in posted.postings:
        if one.partner == "":
            by_account[one.account] = by_account.get(one.account, Decimal(0)) - one.amount
    sums: dict[str, Decimal] = {}
    for (_, account), amount in found.items():
        if account:
            sums[account] = sums.get(account, Decimal(0)) + amount
    assert sums == by_account


def test_an_item_of_zero_counts_among_the_999() -> None:
    """With ``untaxed`` a document takes one posting less; items beyond BSEG-BUZEI are refused."""
    assert load_profile(BAPI, {}).capabilities.postings == 999
    profile = load_profile(BAPI, {"untaxed": "V0"})
    assert profile.capabilities.postings == 998
    expenses = [of_line(n, HOTEL, amount=Decimal("1.00")) for n in range(998)]
    with pytest.raises(ClaimError, match=r"CB-164 .*1000 items.*999"):
        profile.submit([submission(voucher(*expenses))])
    body = profile.submit([submission(voucher(*expenses[1:]))]).body
    assert len(body["Currencyamount"]["item"]) == 999


def test_items_of_zero_of_several_codes_are_counted_too() -> None:
    """A tax of which nothing is deductible brings one for each code."""
    kept = [of_line(n, KEPT, tax_code=f"N{n}", tax_base=Decimal("943.40")) for n in range(2)]
    hotels = [of_line(n, HOTEL, amount=Decimal("1.00")) for n in range(996)]
    with pytest.raises(ClaimError, match=r"CB-164 .*1001 items"):
        load_profile(BAPI, {}).submit([submission(voucher(*hotels, *kept))])


def test_a_journal_entry_merges_taxes_of_two_accounts() -> None:
    """Its tax items have no account: SAP takes it from the code."""
    profile = load_profile(JOURNAL_ENTRY, {})
    request = profile.submit([submission(voucher(HOTEL, TAX, MORE, OTHER_ACCOUNT))])
    contract = Contract.load(Bundle.from_package(f"{JOURNAL_ENTRY}.wsdl"))
    body = xmlio.parse(contract.render(request.operation, request.body))
    assert rows(body, ".//ProductTaxItem", *TAX_PARTS) == [("J1", "62.60", "1143.40")]
