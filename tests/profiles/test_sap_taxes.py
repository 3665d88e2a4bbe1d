"""Taxes in SAP's documents: which item carries which code, over both interfaces."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from lxml import etree
from tests.profiles.samples import TRIP, submission
from tests.profiles.sap_taxes import (
    BAPI,
    HOTEL,
    JOURNAL_ENTRY,
    KEPT,
    MORE,
    MORE_TAX,
    PAID,
    RAIL,
    RAIL_TAX,
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
from claimbridge.errors import ClaimError, ConfigurationError
from claimbridge.model import Posting, Role, Side
from claimbridge.profiles import load_profile

Shared = Callable[[str], Path]


@pytest.fixture(scope="module", params=["ours", "2020", "2024"])
def contract(request: pytest.FixtureRequest, shared: Shared) -> Contract:
    """The contract of the journal entry service: ours, and both real generations."""
    if request.param == "ours":
        return Contract.load(Bundle.from_package(f"{JOURNAL_ENTRY}.wsdl"))
    return Contract.load(shared(f"contracts/sap-journal-entry/{request.param}.wsdl"))


def entry(
    contract: Contract, postings: tuple[Posting, ...], options: Options | None = None
) -> etree._Element:
    """The journal entry of these postings, valid by the contract."""
    profile = load_profile(JOURNAL_ENTRY, options or {})
    request = profile.submit([submission(voucher(*postings))])
    raw = contract.render(request.operation, request.body, sources=request.sources)
    assert contract.check(raw) == ()
    found = xmlio.parse(raw).find(".//JournalEntry")
    assert found is not None
    return found


def test_the_expense_of_a_tax_carries_its_code(contract: Contract) -> None:
    """SAP refuses a tax without items of its code, and items without a tax of theirs."""
    found = entry(contract, (HOTEL, TAX, RAIL, RAIL_TAX))
    assert rows(found, "Item", "GLAccount", "Tax/TaxCode") == [
        ("6602010000", "J1"),
        ("6602010000", "J3"),
    ]
    assert rows(found, "ProductTaxItem", *TAX_PARTS, "IsDirectTaxPosting") == [
        ("J1", "56.60", "943.40", ""),
        ("J3", "9.00", "100.00", ""),
    ]
    assert found.findtext("ProductTaxItem/ReferenceDocumentItem") == "2"
    same = document((HOTEL, TAX, RAIL, RAIL_TAX))
    assert rows(same, "Accountgl/item", "TaxCode") == [("J1",), ("J3",)]
    assert rows(same, "Accounttax/item", "TaxCode", "DirectTax") == [("J1", ""), ("J3", "")]


def test_taxes_of_one_code_are_one_item(contract: Contract) -> None:
    """SAP computes the tax of a whole document, and compares it with the sum of its bases."""
    found = entry(contract, (HOTEL, TAX, MORE, MORE_TAX))
    assert rows(found, "ProductTaxItem", *TAX_PARTS) == [("J1", "68.60", "1143.40")]
    assert found.findtext("ProductTaxItem/ProductiveTaxText") == "Hotel, VAT; Two more nights"
    same = document((HOTEL, TAX, MORE, MORE_TAX))
    assert len(same.findall("Accounttax/item")) == 1
    assert rows(same, "Currencyamount/item", "ItemnoAcc", "AmtDoccur", "AmtBase") == [
        ("0000000001", "943.40", ""),
        ("0000000002", "68.60", "1143.40"),
        ("0000000003", "200.00", ""),
        ("0000000004", "-1212.00", ""),
    ]


def test_a_refund_of_one_code_stays_an_item_of_its_own(contract: Contract) -> None:
    """Debits and credits add up as in the voucher: its totals are compared later."""
    back = of_line(1, HOTEL, amount=Decimal("94.34"), side=Side.CREDIT)
    tax_back = of_line(1, TAX, amount=Decimal("5.66"), tax_base=Decimal("94.34"), side=Side.CREDIT)
    found = entry(contract, (HOTEL, TAX, back, tax_back))
    assert rows(found, "ProductTaxItem", *TAX_PARTS, "DebitCreditCode") == [
        ("J1", "56.60", "943.40", "S"),
        ("J1", "-5.66", "-94.34", "H"),
    ]


def test_what_a_site_states_of_a_code_reaches_its_tax_item(contract: Contract) -> None:
    """Condition type, classification, determination date and business place, in any generation."""
    stated: Options = {
        "taxes": {
            "J1": {
                "condition_type": "MWVS",
                "classification": "VST",
                "determination_date": "document",
                "business_place": "0000",
            }
        }
    }
    found = entry(contract, (HOTEL, TAX), stated)
    parts = ("TaxItemClassification", "ConditionType", "TaxDeterminationDate", "TaxItemGroup")
    assert rows(found, "ProductTaxItem", *parts) == [("VST", "MWVS", "2026-03-20", "")]
    assert found.findtext("TaxDeterminationDate") == "2026-03-20"
    assert found.findtext("CreditorItem/BusinessPlace") == "0000"
    same = document((HOTEL, TAX), stated)
    assert rows(same, "Accounttax/item", "CondKey", "AcctKey", "TaxDate", "ItemnoTax") == [
        ("MWVS", "VST", "2026-03-20", "")
    ]
    assert same.findtext("Accountpayable/item/Businessplace") == "0000"


def test_nothing_is_stated_that_the_site_does_not_state(contract: Contract) -> None:
    """No key of one country is guessed for another."""
    found = entry(contract, (HOTEL, TAX))
    for name in ("TaxItemClassification", "ConditionType", "TaxDeterminationDate", "TaxItemGroup"):
        assert found.find(f"ProductTaxItem/{name}") is None
    assert found.find("TaxDeterminationDate") is None
    assert found.find("CreditorItem/BusinessPlace") is None


def test_the_document_has_a_tax_date_where_its_codes_agree(contract: Contract) -> None:
    """Two dates stand on their tax items alone."""
    both = {"J1": {"determination_date": "posting"}, "J3": {"determination_date": "document"}}
    found = entry(contract, (HOTEL, TAX, RAIL, RAIL_TAX), {"taxes": both})
    assert found.find("TaxDeterminationDate") is None
    assert rows(found, "ProductTaxItem", "TaxDeterminationDate") == [
        ("2026-03-31",),
        ("2026-03-20",),
    ]


def test_taxes_by_item_are_grouped_with_their_bases(contract: Contract) -> None:
    """FF 818 demands the group where taxes are computed by item; FF 817 forbids it elsewhere."""
    by_item: Options = {"taxes": {"J1": {"by_item": True}}}
    postings = (HOTEL, TAX, MORE, MORE_TAX, RAIL, RAIL_TAX)
    found = entry(contract, postings, by_item)
    assert rows(found, "Item", "Tax/TaxItemGroup") == [("2",), ("4",), ("",)]
    assert rows(found, "ProductTaxItem", "TaxCode", "TaxItemGroup") == [
        ("J1", "2"),
        ("J1", "4"),
        ("J3", ""),
    ]
    same = document(postings, by_item)
    assert rows(same, "Accountgl/item", "ItemnoTax") == [("000002",), ("000004",), ("",)]
    assert rows(same, "Accounttax/item", "ItemnoTax") == [("000002",), ("000004",), ("",)]


def test_a_direct_posting_is_one_where_the_site_says_so(contract: Contract) -> None:
    """Its expense then carries no code."""
    direct: Options = {"taxes": {"J1": {"direct": True}}}
    found = entry(contract, (HOTEL, TAX), direct)
    assert rows(found, "ProductTaxItem", "TaxCode", "IsDirectTaxPosting") == [("J1", "true")]
    assert found.find("Item/Tax") is None
    same = document((HOTEL, TAX), direct)
    assert rows(same, "Accounttax/item", "TaxCode", "DirectTax") == [("J1", "X")]
    assert same.find("Accountgl/item/TaxCode") is None


@pytest.mark.parametrize("name", [JOURNAL_ENTRY, BAPI])
def test_a_tax_without_its_base_is_refused(name: str) -> None:
    """No longer a direct posting by guess; a base of the same code elsewhere serves too."""
    lonely = voucher(of_line(0, HOTEL), of_line(7, TAX))
    with pytest.raises(ClaimError, match=r"CB-180 .*lines\[7\]\.tax.*direct = true"):
        load_profile(name, {}).submit([submission(lonely)])
    load_profile(name, {}).submit([submission(voucher(HOTEL, TAX, of_line(7, TAX)))])


@pytest.mark.parametrize("name", [JOURNAL_ENTRY, BAPI])
def test_an_expense_of_two_codes_is_refused(name: str) -> None:
    """An item has one tax code."""
    other = msgspec.structs.replace(TAX, tax_code="J3")
    with pytest.raises(ClaimError, match=r"CB-181 .*J1 and J3"):
        load_profile(name, {}).submit([submission(voucher(HOTEL, TAX, other))])


@pytest.mark.parametrize("name", [JOURNAL_ENTRY, BAPI])
def test_two_business_places_are_refused(name: str) -> None:
    """What is owed has one."""
    places = {"J1": {"business_place": "0001"}, "J3": {"business_place": "0002"}}
    profile = load_profile(name, {"taxes": places})
    with pytest.raises(ClaimError, match=r"CB-182 .*J1 0001, J3 0002"):
        profile.submit([submission(voucher(HOTEL, TAX, RAIL, RAIL_TAX))])
    profile.submit([submission(voucher(HOTEL, TAX))])


def test_what_is_partly_not_deductible_is_no_base(contract: Contract) -> None:
    """SAP would compute the tax from it too; a code with a condition for it makes it a tax item."""
    half = msgspec.structs.replace(TAX, amount=Decimal("28.30"))
    kept = msgspec.structs.replace(KEPT, amount=Decimal("28.30"))
    found = entry(contract, (HOTEL, half, kept))
    assert rows(found, "Item", "AmountInTransactionCurrency", "Tax/TaxCode") == [
        ("943.40", "J1"),
        ("28.30", ""),
    ]
    condition = {"condition_type": "MWVZ", "classification": "NVV"}
    own: Options = {
        "taxes": {
            "J1": {
                "condition_type": "MWVS",
                "classification": "VST",
                "non_deductible": condition,
            }
        }
    }
    found = entry(contract, (HOTEL, half, kept), own)
    assert rows(found, "Item", "Tax/TaxCode") == [("J1",)]
    assert rows(found, "ProductTaxItem", *TAX_PARTS, "TaxItemClassification", "ConditionType") == [
        ("J1", "28.30", "943.40", "VST", "MWVS"),
        ("J1", "28.30", "943.40", "NVV", "MWVZ"),
    ]


def test_a_tax_of_which_nothing_is_deductible_is_a_cost(contract: Contract) -> None:
    """Expense and tax are the base of a tax of zero, which SAP wants as an item too."""
    kept = msgspec.structs.replace(KEPT, tax_code="J0")
    found = entry(contract, (HOTEL, kept))
    assert rows(found, "Item", "Tax/TaxCode") == [("J0",), ("J0",)]
    assert rows(found, "ProductTaxItem", *TAX_PARTS, "DebitCreditCode") == [
        ("J0", "0", "1000.00", "S")
    ]
    same = document((HOTEL, kept))
    assert rows(same, "Accounttax/item", "ItemnoAcc", "TaxCode", "GlAccount") == [
        ("0000000004", "J0", "")
    ]
    assert rows(same, "Currencyamount/item", "AmtDoccur", "AmtBase")[-1] == ("0", "1000.00")


def test_expenses_without_tax_have_the_code_that_a_site_states(contract: Contract) -> None:
    """For accounts that demand one; the taxed expense keeps its own."""
    found = entry(contract, (HOTEL, TAX, RAIL), {"untaxed": "V0"})
    assert rows(found, "Item", "Tax/TaxCode") == [("J1",), ("V0",)]
    assert rows(found, "ProductTaxItem", *TAX_PARTS) == [
        ("J1", "56.60", "943.40"),
        ("V0", "0", "100.00"),
    ]
    assert rows(entry(contract, (HOTEL, TAX, RAIL)), "Item", "Tax/TaxCode") == [("J1",), ("",)]
    grouped: Options = {"untaxed": "V0", "taxes": {"V0": {"by_item": True}}}
    found = entry(contract, (HOTEL, TAX, RAIL), grouped)
    assert rows(found, "Item", "Tax/TaxItemGroup") == [("",), ("5",)]
    assert rows(found, "ProductTaxItem", "TaxItemGroup") == [("",), ("5",)]


def test_a_code_that_an_expense_has_already_is_kept(contract: Contract) -> None:
    """A voucher of one's own may say itself what the base is."""
    own = msgspec.structs.replace(HOTEL, tax_code="J1", source="")
    found = entry(contract, (own, msgspec.structs.replace(TAX, source="")))
    assert rows(found, "Item", "Tax/TaxCode") == [("J1",)]


@pytest.mark.parametrize("name", [JOURNAL_ENTRY, BAPI])
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"taxes": {"J1-CN": {}}}, "taxes.J1-CN: a tax code has"),
        ({"taxes": {"": {}}}, "a tax code has 1 to"),
        ({"taxes": {"J1": {"condition_type": "MWVST"}}}, "condition_type has at most 4"),
        ({"taxes": {"J1": {"classification": "VSTX"}}}, "classification has at most 3"),
        ({"taxes": {"J1": {"non_deductible": {"classification": "NAVX"}}}}, "classification has"),
        ({"taxes": {"J1": {"business_place": "00000"}}}, "business_place has at most 4"),
        ({"taxes": {"J1": {"direct": True, "by_item": True}}}, "exclude each other"),
        ({"taxes": {"J1": {"determination_date": "today"}}}, "determination_date"),
        ({"taxes": {"J1": {"colour": "red"}}}, "colour"),
        ({"untaxed": "V0000"}, "untaxed"),
    ],
)
def test_wrong_options_are_told_when_the_profile_is_loaded(
    name: str, options: Options, words: str
) -> None:
    """Before any claim is sent."""
    with pytest.raises(ConfigurationError, match=rf"CB-243 .*{words}"):
        load_profile(name, options)


def test_codes_of_digits_are_sent_as_the_database_has_them(contract: Contract) -> None:
    """No conversion happens behind SAP's interfaces: 6602 is no account where 0000006602 is one."""
    dimensions = {"profit_centre": "12", "segment": "7", "partner_segment": "S-1"}
    expense = msgspec.structs.replace(
        HOTEL, account="6602", cost_centre="1000", project="77", dimensions=dimensions
    )
    advance = msgspec.structs.replace(
        PAID, role=Role.ADVANCE_CLEARING, partner="815", account="1221", amount=Decimal(10)
    )
    owed = msgspec.structs.replace(PAID, partner="42", amount=Decimal("990.00"))
    whole = msgspec.structs.replace(TRIP, postings=(expense, TAX, advance, owed))
    profile = load_profile(JOURNAL_ENTRY, {"debtors": ["advance_clearing"]})
    request = profile.submit([submission(whole)])
    raw = contract.render(request.operation, request.body)
    assert contract.check(raw) == ()
    body = xmlio.parse(raw)
    assert rows(body, ".//Item", "GLAccount") == [("0000006602",)]
    assert rows(body, ".//AccountAssignment", "CostCenter", "ProfitCenter", "Segment") == [
        ("0000001000", "0000000012", "0000000007")
    ]
    assert rows(body, ".//AccountAssignment", "PartnerSegment", "WBSElement") == [("S-1", "77")]
    assert rows(body, ".//DebtorItem", "Debtor") == [("0000000815",)]
    assert rows(body, ".//CreditorItem", "Creditor") == [("0000000042",)]


def test_an_order_has_twelve_digits(shared: Shared) -> None:
    """A grant has twenty; contracts of 2020 know neither."""
    newer = Contract.load(shared("contracts/sap-journal-entry/2024.wsdl"))
    codes = {"order": "77", "grant": "9", "fund": "5", "functional_area": "0100"}
    found = entry(newer, (msgspec.structs.replace(HOTEL, dimensions=codes), TAX))
    assert rows(found, "Item/AccountAssignment", "OrderID", "Grant", "Fund", "FunctionalArea") == [
        ("000000000077", "0" * 19 + "9", "5", "0100")
    ]
