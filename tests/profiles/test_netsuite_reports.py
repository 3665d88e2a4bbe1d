"""NetSuite's expense reports, without a wire: which vouchers become one, and how one reads."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.profiles.samples import TRIP, submission

from claimbridge.contract import Bundle, Contract
from claimbridge.contract.study.check import check
from claimbridge.contract.study.generation import Generation
from claimbridge.errors import ClaimError, ConfigurationError
from claimbridge.mapping import Chart
from claimbridge.model import (
    Claim,
    JournalEntry,
    Outcome,
    OutcomeKind,
    Posting,
    Role,
    Voucher,
)
from claimbridge.profiles import load_profile
from claimbridge.profiles.netsuite.journal_entries import NetSuite
from claimbridge.profiles.usage import uses_of
from claimbridge.xmlio import parse

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
OURS = Contract.load(Bundle.from_package("netsuite.wsdl"))
EMP = "{urn:employees_2023_2.transactions.webservices.netsuite.com}"
K = OutcomeKind
HOTEL, VAT, PAID = (replace(one, dimensions={}) for one in TRIP.postings)
TAXI = replace(HOTEL, account="6602.03", amount=Decimal("23.00"), source="lines[1].amount")
CARD = replace(
    PAID,
    role=Role.CARD_PAYABLE,
    account="2241.02",
    amount=Decimal("23.00"),
    partner="",
    source="lines[1].amount",
)
"""A hotel with tax that the employee paid, a taxi, and the card that paid the taxi."""


def of(*postings: Posting, **changes: Any) -> Voucher:
    return replace(TRIP, postings=postings, **changes)


def reports(**options: Any) -> NetSuite:
    return NetSuite(record="expense-report", **options)


def refund(posting: Posting) -> Posting:
    return replace(posting, side=posting.side.other)


def owing(amount: str, **changes: Any) -> Posting:
    return replace(PAID, amount=Decimal(amount), **changes)


def written(voucher: Voucher, **options: Any) -> Any:
    """The record as it is sent, valid by our contract."""
    request = reports(**options).submit([submission(voucher, reference="R-1")])
    body = OURS.render(request.operation, request.body, sources=request.sources)
    assert OURS.check(body, sources=request.sources) == ()
    (record,) = parse(body)
    return record


def texts(record: Any, path: str) -> list[str]:
    """What stands at a path: texts, and the ids of references."""
    steps = "/".join(f"{EMP}{step}" for step in path.split("/"))
    found = record.findall(steps)
    return [
        one.text or one.get("internalId", "#") or "#"
        if one.get("externalId") is None
        else one.get("externalId")
        for one in found
    ]


LINE = "expenseList/expense/"


def test_a_report_says_what_was_spent_and_by_whom() -> None:
    """Amounts without tax, the tax by its code, the gross; who is owed is NetSuite's to book."""
    record = written(of(HOTEL, VAT, TAXI, PAID, CARD))
    assert record.get("externalId") == "R-1"
    for path, expected in {
        "account": ["2241000000"],
        "entity": ["E0815"],
        "expenseReportCurrency": ["CNY"],
        "subsidiary": ["1410"],
        "acctCorpCardExp": ["2241.02"],
        "tranDate": ["2026-03-31T12:00:00Z"],
        "advance": [],
        "memo": ["Customer visit in Shanghai, three days 上海拜访客户"],
        "complete": ["true"],
        "supervisorApproval": ["true"],
        "accountingApproval": ["true"],
        f"{LINE}expenseDate": ["2026-03-20T12:00:00Z"] * 2,
        f"{LINE}category": ["6602010000", "6602.03"],
        f"{LINE}currency": ["CNY"] * 2,
        f"{LINE}exchangeRate": ["1"] * 2,
        f"{LINE}amount": ["943.40", "23.00"],
        f"{LINE}taxCode": ["J1"],
        f"{LINE}tax1Amt": ["56.60"],
        f"{LINE}grossAmt": ["1000.00", "23.00"],
        f"{LINE}department": ["CC-1001"] * 2,
        f"{LINE}class": ["P-7"] * 2,
        f"{LINE}customer": [],
        f"{LINE}isBillable": [],
        f"{LINE}corporateCreditCard": ["false", "true"],
    }.items():
        assert texts(record, path) == expected, path


def test_ids_and_flags_follow_the_options() -> None:
    """NetSuite's ids where they are known; a customer is billed on where that is wanted."""
    ids: Any = {
        "entity": {"E0815": "17"},
        "category": {"6602010000": "5"},
        "tax_code": {"J1": "21"},
        "customer": {"C-9": "88"},
        "account": {"2241000000": "113"},
    }
    voucher = of(replace(HOTEL, dimensions={"client": "C-9"}), VAT, PAID)
    record = written(voucher, internal_ids=ids, dimensions={"client": "customer"}, billable=True)
    for path, expected in {
        "entity": ["17"],
        "account": ["113"],
        f"{LINE}category": ["5"],
        f"{LINE}taxCode": ["21"],
        f"{LINE}customer": ["88"],
        f"{LINE}isBillable": ["true"],
    }.items():
        assert texts(record, path) == expected, path
    kept = written(voucher, dimensions={"client": "customer"}, one_world=False)
    assert texts(kept, f"{LINE}isBillable") == ["false"]
    assert texts(kept, "subsidiary") == []


def test_what_accounting_has_still_to_approve_names_no_account() -> None:
    """Only an approved report may name its payable; the other says that it waits."""
    record = written(of(HOTEL, VAT, PAID), approved=False)
    assert texts(record, "accountingApproval") == ["false"]
    assert texts(record, "supervisorApproval") == ["true"]
    assert texts(record, "account") == []


def test_an_advance_is_set_off() -> None:
    """What the employee has had already is no line, and is not paid again."""
    cleared = owing("300.00", role=Role.ADVANCE_CLEARING, account="1221.01")
    record = written(
        of(HOTEL, VAT, owing("500.00"), cleared, replace(cleared, amount=Decimal(200)))
    )
    assert texts(record, "advance") == ["500.00"]
    assert texts(record, f"{LINE}grossAmt") == ["1000.00"]


def test_a_refund_within_a_report_is_negative() -> None:
    """A night that was given back makes the report smaller, tax and all."""
    night, tax = (
        replace(refund(one), amount=one.amount / 2, source=one.source.replace("0", "1"))
        for one in (HOTEL, VAT)
    )
    record = written(of(HOTEL, VAT, night, tax, owing("500.00")))
    assert texts(record, f"{LINE}amount") == ["943.40", "-471.70"]
    assert texts(record, f"{LINE}tax1Amt") == ["56.60", "-28.30"]
    assert texts(record, f"{LINE}grossAmt") == ["1000.00", "-500.00"]


def test_tax_that_is_not_deductible_is_a_line_of_its_own() -> None:
    """On its own account, and so in its own category, without a tax code."""
    lost = replace(VAT, role=Role.NON_DEDUCTIBLE_TAX, account="6602.99")
    record = written(of(HOTEL, lost, PAID))
    assert texts(record, f"{LINE}category") == ["6602010000", "6602.99"]
    assert texts(record, f"{LINE}amount") == ["943.40", "56.60"]
    assert texts(record, f"{LINE}taxCode") == []


def test_the_codes_of_what_is_owed_stand_in_the_head() -> None:
    """NetSuite books the payable by the codes of the head."""
    paid = replace(PAID, cost_centre="CC-9", project="P-9", dimensions={"location": "L-9"})
    record = written(of(HOTEL, VAT, paid))
    heads = [texts(record, place) for place in ("department", "class", "location")]
    assert heads == [["CC-9"], ["P-9"], ["L-9"]]


OTHER = "another role"
REFUSED: dict[str, tuple[Voucher, str, str]] = {
    # what is wrong: (the voucher, the code, the claim's field that the message begins with)
    "rounding": (
        of(HOTEL, VAT, owing("999.99"), owing("0.01", role=Role.ROUNDING)),
        "CB-170",
        "total",
    ),
    "an exchange difference": (
        of(replace(HOTEL, role=Role.FX_DIFFERENCE), VAT, PAID),
        "CB-170",
        "",
    ),
    "a card that is cleared": (
        of(HOTEL, VAT, replace(PAID, role=Role.CARD_CLEARING)),
        "CB-170",
        "total",
    ),
    "between companies": (of(HOTEL, VAT, replace(PAID, role=Role.INTERCOMPANY)), "CB-170", ""),
    "nobody's": (of(HOTEL, VAT, replace(PAID, partner=""), employee=""), "CB-171", "employee"),
    "another payee": (of(HOTEL, VAT, replace(PAID, partner="V-1")), "CB-171", "employee"),
    "two payees": (
        of(HOTEL, VAT, owing("900.00"), owing("100.00", partner="E0816")),
        "CB-171",
        "employee",
    ),
    "another's expense": (of(replace(HOTEL, partner="E0816"), VAT, PAID), "CB-171", "employee"),
    "tax without a code": (of(HOTEL, replace(VAT, tax_code=""), PAID), "CB-172", "lines[0]"),
    "tax of another line": (
        of(HOTEL, replace(VAT, source="lines[1].tax"), PAID),
        "CB-172",
        "lines[1].tax",
    ),
    "tax of nothing": (of(replace(HOTEL, source=""), replace(VAT, source=""), PAID), "CB-172", ""),
    "tax of two expenses": (
        of(
            replace(HOTEL, amount=Decimal("900.00")),
            replace(HOTEL, amount=Decimal("43.40")),
            VAT,
            PAID,
        ),
        "CB-172",
        "lines[0].tax",
    ),
    "two taxes of one expense": (
        of(
            HOTEL, replace(VAT, amount=Decimal("50.00")), replace(VAT, amount=Decimal("6.60")), PAID
        ),
        "CB-172",
        "lines[0].tax",
    ),
    "tax with codes of its own": (
        of(HOTEL, replace(VAT, cost_centre="CC-2"), PAID),
        "CB-172",
        "lines[0].cost_centre",
    ),
    "a card for half a line": (
        of(TAXI, replace(CARD, amount=Decimal("13.00")), owing("10.00")),
        "CB-172",
        "lines[1].amount",
    ),
    "a card for no line": (of(TAXI, replace(CARD, source="")), "CB-172", ""),
    "nobody knows which": (
        of(replace(TAXI, source=""), replace(CARD, source="")),
        "CB-172",
        "total",
    ),
    "money owed back": (of(*map(refund, (HOTEL, VAT, PAID))), "CB-173", "total"),
    "a card that is credited": (of(refund(TAXI), refund(CARD), HOTEL, VAT, PAID), "CB-173", ""),
    "an advance that is given": (
        of(HOTEL, VAT, owing("1100.00"), refund(owing("100.00", role=Role.ADVANCE_CLEARING))),
        "CB-173",
        "total",
    ),
    "two payables": (
        of(HOTEL, VAT, owing("900.00"), owing("100.00", account="2241.09")),
        "CB-174",
        "employee",
    ),
    "two cards": (
        of(
            TAXI,
            CARD,
            replace(TAXI, source="lines[2].amount"),
            replace(CARD, source="lines[2].amount", account="2241.03"),
        ),
        "CB-174",
        "lines[1]",
    ),
    "two heads": (
        of(HOTEL, VAT, owing("900.00", project="P-1"), owing("100.00", project="P-2")),
        "CB-174",
        "total",
    ),
    "several currencies": (
        of(HOTEL, VAT, PAID, *(replace(one, currency="USD") for one in (HOTEL, VAT, PAID))),
        "CB-167",
        "",
    ),
    "a dimension without a place": (
        of(replace(HOTEL, dimensions={"fund": "F"}), VAT, PAID),
        "CB-168",
        "lines[0].dimensions.fund",
    ),
    "too many digits": (
        of(
            replace(HOTEL, amount=Decimal("12345678901234.56")),
            owing("12345678901234.56"),
        ),
        "CB-169",
        "lines[0].amount",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_a_report_cannot_say_is_refused(case: str) -> None:
    """Before anything is sent, by a code, the field to look at, and what to do."""
    voucher, code, field = REFUSED[case]
    with pytest.raises(ClaimError) as refused:
        reports().submit([submission(voucher)])
    error = refused.value
    assert (error.code, error.claim_id) == (code, TRIP.claim_id)
    assert error.message.startswith(field)
    assert {"CB-167": "convert", "CB-168": "option dimensions", "CB-169": "divide"}.get(
        code, 'record = "journal-entry"'
    ) in error.message
    if code not in {"CB-167", "CB-168", "CB-169"}:
        NetSuite().submit([submission(voucher)])  # what the message advises is possible


def test_a_customer_has_no_place_in_the_head() -> None:
    """A payable's code that NetSuite would not keep is refused, not dropped."""
    paid = replace(PAID, dimensions={"client": "C-9"})
    with pytest.raises(ClaimError, match=r"CB-174.*customer C-9"):
        reports(dimensions={"client": "customer"}).submit([submission(of(HOTEL, VAT, paid))])


DIVIDED = b"""{"id": "EXP-7", "revision": 1, "company": "CN01", "employee": "E1024",
 "currency": "CNY", "total": 1266.00, "cost_centre": "1200", "posting_date": "2026-03-31",
 "lines": [
  {"type": "hotel", "date": "2026-03-11", "amount": 1060.00, "tax": 60.00,
   "payment": "company_card", "allocations": [{"share": 0.5, "cost_centre": "1201"},
                                              {"share": 0.5, "cost_centre": "1202"}]},
  {"type": "hotel", "date": "2026-03-12", "amount": 206.00, "items": [
   {"type": "hotel", "amount": 106.00, "tax": 6.00}, {"type": "meals", "amount": 100.00}]}],
 "advances": [{"reference": "ADV-1", "settled": 150.00}]%s}"""


def test_a_divided_claim_is_a_report() -> None:
    """Parts of a line, their taxes, the card that paid all of it, an advance: as it is mapped."""
    chart = Chart.load(EXAMPLES / "chart.toml")
    voucher = chart.map(Claim.from_json(DIVIDED % b"")).voucher
    record = written(voucher)
    for path, expected in {
        "advance": ["150.00"],
        "account": ["2241.01"],
        f"{LINE}department": ["1201", "1202", "1200", "1200"],
        f"{LINE}amount": ["500.00", "500.00", "100.00", "100.00"],
        f"{LINE}tax1Amt": ["30.00", "30.00", "6.00"],
        f"{LINE}grossAmt": ["530.00", "530.00", "106.00", "100.00"],
        f"{LINE}corporateCreditCard": ["true", "true", "false", "false"],
    }.items():
        assert texts(record, path) == expected, path
    paid_to = b', "payees": [{"partner": "V-1", "amount": 56.00}]'
    other = chart.map(Claim.from_json(DIVIDED % paid_to)).voucher
    with pytest.raises(ClaimError, match=r"CB-171.*payees\[0\].partner: the creditor is V-1"):
        reports().submit([submission(other)])


@pytest.fixture(scope="module", params=["ours", "netsuite-2023.2"])
def contract(request: pytest.FixtureRequest, shared: Callable[[str], Path]) -> Contract:
    """Ours, and NetSuite's own."""
    if request.param == "ours":
        return OURS
    return Contract.load(shared(f"contracts/{request.param}/netsuite.wsdl"))


@pytest.mark.parametrize("path", sorted((EXAMPLES / "claims").glob("*.json")), ids=lambda p: p.stem)
def test_each_example_is_a_valid_report_or_refused(path: Path, contract: Contract) -> None:
    """By our contract and by NetSuite's own; four of the examples are no expense reports."""
    voucher = Chart.load(EXAMPLES / "chart.toml").map(Claim.from_json(path.read_bytes())).voucher
    both = [submission(voucher, reference=name) for name in ("R-1", "R-2")]
    profile = reports(internal_ids={"category": {"6602.03": "7"}})
    if path.stem in {"advance-returned", "foreign-currency", "hotel-itemised-en", "refund"}:
        with pytest.raises(ClaimError, match=r"CB-17[03]"):
            profile.submit(both)
        return
    for request in (profile.submit(both[:1]), profile.submit(both), profile.query(["R-1"])):
        body = contract.render(request.operation, request.body, sources=request.sources)
        assert contract.check(body, sources=request.sources) == ()


def test_netsuite_s_own_contract_serves_reports(shared: Callable[[str], Path]) -> None:
    """All that is sent and read of a report has its place in it."""
    wsdl = shared("contracts/netsuite-2023.2/netsuite.wsdl")
    own = Generation.load(Bundle.from_package("netsuite.wsdl"))
    uses = uses_of(reports(), own)
    checked = check(uses, Contract.load(wsdl), Generation.load(wsdl), own=own)
    assert checked.works, (checked.missing, checked.refused)
    assert any(need.sends and need.path.endswith("expense/grossAmt") for need in checked.needs)


def test_nothing_takes_a_report_back() -> None:
    """The contract has no operation that voids one, and capabilities say so."""
    profile = reports()
    assert not profile.capabilities.can_reverse
    assert NetSuite().capabilities.can_reverse
    taken_back = TRIP.reversal(JournalEntry("973"), posting_date=dt.date(2026, 4, 1))
    with pytest.raises(ConfigurationError, match=r"CB-254.*void it there"):
        profile.reverse(submission(taken_back))


def test_reports_are_asked_for_as_such() -> None:
    """An external id names a record of one type."""
    for profile, kind in ((reports(), "expenseReport"), (NetSuite(), "journalEntry")):
        body = OURS.render("getList", profile.query(["R-1"]).body)
        assert f'type="{kind}"'.encode() in body


@pytest.mark.parametrize(
    "options", [{"record": "expense report"}, {"dimensions": {"client": "customer"}}]
)
def test_a_wrong_option_is_told(options: dict[str, object]) -> None:
    """By name, when the profile is made: a journal entry's line has no customer."""
    with pytest.raises(ConfigurationError, match="CB-243"):
        load_profile("netsuite", options)


# --- what is held -----------------------------------------------------------------------------


def held(
    *lines: str, head: str = "<accountingApproval>true</accountingApproval>", kind: str = ""
) -> Outcome:
    """What is read of a report; ``lines`` are what stands in each."""
    told = "".join(f"<expense>{line}</expense>" for line in lines)
    listed = f"<expenseList>{told}</expenseList>" if lines else ""
    document = (
        '<m:getListResponse xmlns:m="urn:messages_2023_2.platform.webservices.netsuite.com" '
        f'xmlns:c="urn:core_2023_2.platform.webservices.netsuite.com" xmlns="{EMP[1:-1]}" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><m:readResponseList>'
        f'<m:readResponse><c:status isSuccess="true"/><m:record {kind} internalId="973" '
        'externalId="R-1"><expenseReportCurrency><c:name>CNY</c:name></expenseReportCurrency>'
        f"{head}{listed}</m:record></m:readResponse>"
        "</m:readResponseList></m:getListResponse>"
    )
    (outcome,) = NetSuite().read(OURS.reply(parse(document.encode())))
    return outcome


def line(net: str, tax: str = "", gross: str = "", *, card: bool = False) -> str:
    told = {"amount": net, "tax1Amt": tax, "grossAmt": gross}
    told["corporateCreditCard"] = str(card).lower()
    return "".join(f"<{name}>{text}</{name}>" for name, text in told.items() if text)


APPROVED = "<accountingApproval>true</accountingApproval>"
PLAIN_LINES = (line("943.4", "56.6", "1000.0"), line("23.0", card=True))


@pytest.mark.parametrize(
    ("lines", "head", "total"),
    [
        (PLAIN_LINES, "", "1023.00"),
        (PLAIN_LINES, "<amount>1023.0</amount>", "1023.00"),
        # Oracle does not say whether lines that a card paid count in the head's amount.
        (PLAIN_LINES, "<amount>1000.0</amount>", "1023.00"),
        (PLAIN_LINES, "<advance>300.0</advance><amount>700.0</amount>", "1023.00"),
        ((line("1.2345678E7", "0.5"), line("-100.0", "-6.0")), "", "12345678.50"),
        # What does not add up was not found whole.
        (PLAIN_LINES, "<amount>1050.0</amount>", ""),
        (PLAIN_LINES[:1], "<amount>1023.0</amount>", ""),
        ((line("943.4", "", "1000.0"),), "", ""),
        ((line("", "56.6", "1000.0"),), "", ""),
        ((), "", ""),
    ],
)
def test_what_is_held_tells_its_total(lines: Sequence[str], head: str, total: str) -> None:
    """The debits as the voucher has them, tax by itself; none where not all of it was found."""
    outcome = held(*lines, head=head + APPROVED)
    assert (outcome.kind, outcome.reference) == (K.POSTED, "R-1")
    assert outcome.totals == ({"CNY": Decimal(total)} if total else {})


def test_the_total_of_what_we_wrote_is_ours() -> None:
    """A refund within a report: the voucher's debits and the report's are the same sum."""
    night, tax = (
        replace(refund(one), amount=one.amount / 2, source=one.source.replace("0", "1"))
        for one in (HOTEL, VAT)
    )
    voucher = of(HOTEL, VAT, night, tax, owing("500.00"))
    back = held(line("943.4", "56.6"), line("-471.7", "-28.3"))
    assert back.totals == voucher.totals


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (APPROVED, K.POSTED),
        ("<accountingApproval>false</accountingApproval>", K.ACKNOWLEDGED),
        ("<accountingApproval/>", K.UNKNOWN),
        ("<supervisorApproval>true</supervisorApproval>", K.UNKNOWN),
    ],
)
@pytest.mark.parametrize("type_", ['xsi:type="ExpenseReport"', ""])
def test_a_report_is_in_the_books_once_accounting_has_approved_it(
    head: str, kind: OutcomeKind, type_: str
) -> None:
    """Not told is not known: neither posted nor waiting."""
    assert held(line("23.0"), head=head, kind=type_).kind is kind


def test_a_report_is_known_by_its_type_alone() -> None:
    """Where neither lines nor approval are told, it is still no journal entry."""
    bare = held(kind='xsi:type="ExpenseReport"', head="")
    assert bare.kind is K.UNKNOWN
