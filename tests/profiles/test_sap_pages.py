"""The examples on SAP's pages: the four claims of a first day, and two worked tax examples."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from lxml import etree
from tests.profiles.four_claims import CHART, previewed
from tests.profiles.samples import TRIP, reversal, submission

from claimbridge import xmlio
from claimbridge.config import LedgerConfig, config_from
from claimbridge.contract import Bundle, Contract
from claimbridge.errors import ClaimError, SchemaViolation
from claimbridge.ledger import Ledger
from claimbridge.mapping import Chart
from claimbridge.model import Posting, Role, Side
from claimbridge.profiles import load_profile

ROOT = Path(__file__).resolve().parents[2]
JOURNAL_ENTRY = "sap-journal-entry"
BAPI = "sap-bapi"
Item = tuple[str, str, str, str, str]


def items(body: etree._Element) -> list[Item]:
    """Kind, account or partner, amount, tax code and base of each item, by its number."""
    found: dict[int, Item] = {}
    for kind in ("Item", "CreditorItem", "ProductTaxItem"):
        for one in body.iterfind(f".//JournalEntry/{kind}"):
            code = one.findtext("Tax/TaxCode") or one.findtext("TaxCode") or ""
            found[int(one.findtext("ReferenceDocumentItem", ""))] = (
                kind,
                one.findtext("GLAccount") or one.findtext("Creditor") or "",
                one.findtext("AmountInTransactionCurrency", ""),
                code,
                one.findtext("TaxBaseAmountInTransCrcy", ""),
            )
    return [found[number] for number in sorted(found)]


@pytest.mark.parametrize(
    ("claim", "becomes"),
    [
        ("plain", [("Item", "6602.03", "23.00", "", ""),
                   ("CreditorItem", "E1024", "-23.00", "", "")]),
        ("taxed", [("Item", "6602.02", "1000.00", "J6", ""),
                   ("ProductTaxItem", "", "60.00", "J6", "1000.00"),
                   ("CreditorItem", "E1024", "-1060.00", "", "")]),
        ("foreign", [("Item", "6602.03", "100.00", "", ""),
                     ("CreditorItem", "E1024", "-100.00", "", "")]),
    ],
)  # fmt: skip  # a table
def test_a_claim_becomes_a_journal_entry(claim: str, becomes: list[Item]) -> None:
    """As docs/sap-journal-entry.md says."""
    body = xmlio.parse(previewed(JOURNAL_ENTRY, claim).body)
    assert items(body) == becomes
    assert body.findtext(".//CostCenter") == "0000001200"
    currencies = {str(found) for found in body.xpath("//@currencyCode")}
    assert currencies == ({"USD"} if claim == "foreign" else {"CNY"})


@pytest.mark.parametrize(
    ("claim", "amounts"),
    [
        ("plain", [("23.00", ""), ("-23.00", "")]),
        ("taxed", [("1000.00", ""), ("60.00", "1000.00"), ("-1060.00", "")]),
        ("foreign", [("100.00", ""), ("-100.00", "")]),
    ],
)
def test_a_claim_becomes_a_document(claim: str, amounts: list[tuple[str, str]]) -> None:
    """As docs/sap-bapi.md says."""
    body = xmlio.parse(previewed(BAPI, claim).body)
    rows = list(body.iterfind("Currencyamount/item"))
    assert [(row.findtext("AmtDoccur"), row.findtext("AmtBase", "")) for row in rows] == amounts
    assert {row.findtext("Currency") for row in rows} == {"USD" if claim == "foreign" else "CNY"}
    assert body.findtext("Accountgl/item/Costcenter") == "0000001200"
    assert body.findtext("Accountpayable/item/VendorNo") == "E1024"
    if claim == "taxed":
        tax = body.find("Accounttax/item")
        assert tax is not None
        assert [tax.findtext(name) for name in ("CondKey", "AcctKey")] == ["MWVS", "VST"]
        assert body.findtext("Accountgl/item/TaxCode") == "J6"


@pytest.mark.parametrize("profile", [JOURNAL_ENTRY, BAPI])
def test_another_company_s_books_are_refused(profile: str) -> None:
    """A document stands in one company."""
    with pytest.raises(ClaimError, match="CB-189"):
        previewed(profile, "intercompany")


def leg(
    line: int, role: Role, account: str, amount: str, code: str = "", base: str = ""
) -> Posting:
    return Posting(
        role=role,
        account=account,
        side=Side.CREDIT if role is Role.EMPLOYEE_PAYABLE else Side.DEBIT,
        amount=Decimal(amount),
        currency="CNY",
        tax_code=code,
        tax_base=Decimal(base) if base else None,
        partner="100815" if role is Role.EMPLOYEE_PAYABLE else "",
        source=f"lines[{line}].amount",
    )


def worked(options: dict[str, Any], *postings: Posting) -> etree._Element:
    profile = load_profile(JOURNAL_ENTRY, options)
    voucher = msgspec.structs.replace(TRIP, postings=postings)
    request = profile.submit([submission(voucher)])
    contract = Contract.load(Bundle.from_package("sap-journal-entry.wsdl"))
    raw = contract.render(request.operation, request.body)
    assert contract.check(raw) == ()
    return xmlio.parse(raw)


KEYS = {"condition_type": "MWVS", "classification": "VST"}


def test_a_chinese_special_invoice_of_two_rates() -> None:
    """6 % and 13 %, each a tax code of its own."""
    body = worked(
        {"taxes": {"J6": KEYS, "J3": KEYS}},
        leg(0, Role.EXPENSE, "66020200", "1000.00"),
        leg(0, Role.INPUT_TAX, "2221010100", "60.00", "J6", "1000.00"),
        leg(1, Role.EXPENSE, "66020500", "1000.00"),
        leg(1, Role.INPUT_TAX, "2221010100", "130.00", "J3", "1000.00"),
        leg(2, Role.EMPLOYEE_PAYABLE, "2241", "2190.00"),
    )
    assert items(body) == [
        ("Item", "0066020200", "1000.00", "J6", ""),
        ("ProductTaxItem", "", "60.00", "J6", "1000.00"),
        ("Item", "0066020500", "1000.00", "J3", ""),
        ("ProductTaxItem", "", "130.00", "J3", "1000.00"),
        ("CreditorItem", "0000100815", "-2190.00", "", ""),
    ]
    assert {one.text for one in body.iterfind(".//ConditionType")} == {"MWVS"}


def test_german_vorsteuer_beside_an_expense_without_tax() -> None:
    """Every account demands a code, and taxes depend on time."""
    dated = {**KEYS, "determination_date": "posting"}
    body = worked(
        {"untaxed": "V0", "taxes": {"V2": dated, "V0": dated}},
        leg(0, Role.EXPENSE, "466000", "100.00"),
        leg(0, Role.INPUT_TAX, "157100", "7.00", "V2", "100.00"),
        leg(1, Role.EXPENSE, "467000", "20.00"),
        leg(2, Role.EMPLOYEE_PAYABLE, "174000", "127.00"),
    )
    assert items(body) == [
        ("Item", "0000466000", "100.00", "V2", ""),
        ("ProductTaxItem", "", "7.00", "V2", "100.00"),
        ("Item", "0000467000", "20.00", "V0", ""),
        ("CreditorItem", "0000100815", "-127.00", "", ""),
        ("ProductTaxItem", "", "0", "V0", "20.00"),
    ]
    assert [one.text for one in body.iterfind(".//TaxDeterminationDate")] == ["2026-03-31"] * 3


@pytest.mark.parametrize(
    ("verb", "words"),
    [
        ("submit", r"lines\[0\]\.dimensions\.order: .*OrderID.*WSDLs of 2020.*leave the dimension"),
        ("reverse", "Reversal.*WSDLs of 2020.*or reverse the entry in SAP"),
    ],
)
def test_what_came_after_2020_is_refused_by_its_generation(
    verb: str, words: str, shared: Callable[[str], Path]
) -> None:
    """The sentence names the generation, and what to do."""
    older = shared("contracts/sap-journal-entry/2020.wsdl")
    config = LedgerConfig(
        name="OLD", profile=JOURNAL_ENTRY, endpoint="http://127.0.0.1:1/x", contract=str(older)
    )
    ledger = Ledger(config, chart=Chart.from_toml(CHART))
    ordered = msgspec.structs.replace(TRIP.postings[0], dimensions={"order": "77"})
    one = msgspec.structs.replace(TRIP, postings=(ordered, *TRIP.postings[1:]))
    sent = submission(one) if verb == "submit" else reversal()
    with pytest.raises(SchemaViolation, match=words):
        ledger.writer.build(verb, (sent,))


def test_extension_fields_go_as_the_page_says(tmp_path: Path) -> None:
    """The page's entries, with a contract that a site has extended."""
    page = (ROOT / "docs/sap-journal-entry.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"```toml\n(\[\[ledger\.CN01\.extra\]\].*?)```", page, re.DOTALL)
    entries = tomllib.loads(text)["ledger"]["CN01"]["extra"]
    wsdl = (ROOT / "wsdl/sap-journal-entry.wsdl").read_text(encoding="utf-8")
    own = '<xsd:element name="YY1_Claim_JEH" type="Id20" minOccurs="0"/>'
    partner = '<xsd:element name="TradingPartner" type="Id10" minOccurs="0"/>'
    taxes = '<xsd:element name="ProductTaxItem" type="ProductTaxItem" minOccurs="0" maxOccurs="unb'
    assigned = '<xsd:element name="AccountAssignment" type="AccountAssignment" minOccurs="0"/>'
    assert taxes in wsdl
    assert assigned in wsdl
    place = wsdl.index("/>", wsdl.index(taxes)) + len("/>")
    wsdl = (wsdl[:place] + own + wsdl[place:]).replace(assigned, partner + assigned)
    (tmp_path / "site.wsdl").write_text(wsdl, encoding="utf-8")
    table = {
        "name": "CN01",
        "profile": JOURNAL_ENTRY,
        "endpoint": "http://127.0.0.1:1/x",
        "contract": str(tmp_path / "site.wsdl"),
        "extra": entries,
    }
    ledger = Ledger(config_from(table, where="page"), chart=Chart.from_toml(CHART))
    advance = msgspec.structs.replace(
        TRIP.postings[2], role=Role.ADVANCE_CLEARING, account="1221000000"
    )
    whole = msgspec.structs.replace(TRIP, postings=(*TRIP.postings[:2], advance))
    body = xmlio.parse(ledger.writer.build("submit", (submission(whole),)).body)
    assert body.findtext(".//YY1_Claim_JEH") == TRIP.claim_id
    partners = [(one.findtext("GLAccount"), one.findtext("TradingPartner"))
                for one in body.iterfind(".//Item")]  # fmt: skip  # one thought
    assert partners == [("6602010000", None), ("1221000000", "001000")]
