from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from lxml import etree
from tests.profiles.samples import TRIP, reply, reversal, submission
from tests.strategies import codes, vouchers

from claimbridge import xmlio
from claimbridge.clock import Uptime
from claimbridge.contract import Bundle, Contract
from claimbridge.contract.calls.fault import Fault
from claimbridge.errors import ClaimError, ConfigurationError, SchemaViolation
from claimbridge.model import (
    JournalEntry,
    OutcomeKind,
    Posting,
    Reason,
    Role,
    Side,
    Submission,
    Voucher,
)
from claimbridge.profiles.abilities import ListsChanges, LooksUp, Queries
from claimbridge.profiles.sap.journal_entry import OPERATION, SapJournalEntry
from claimbridge.soap.envelope import open_envelope

Shared = Callable[[str], Path]
K = OutcomeKind
OURS = Contract.load(Bundle.from_package("sap-journal-entry.wsdl"))
ROOT = "http://sap.com/xi/SAPSCORE/SFIN"


class Noon:
    """A clock that stands at noon in Shanghai."""

    def now(self) -> dt.datetime:
        zone = dt.timezone(dt.timedelta(hours=8))
        return dt.datetime(2026, 4, 1, 12, 0, 0, 123456, tzinfo=zone).astimezone(dt.UTC)

    def monotonic(self) -> float:
        return 0.0

    def uptime(self) -> Uptime:
        return Uptime("test", self.monotonic())


PROFILE = SapJournalEntry(clock=Noon())


@pytest.fixture(scope="module", params=["ours", "2020", "2024"])
def contract(request: pytest.FixtureRequest, shared: Shared) -> Contract:
    """Our reduced contract, and both real generations."""
    if request.param == "ours":
        return OURS
    return Contract.load(shared(f"contracts/sap-journal-entry/{request.param}.wsdl"))


def body_of(voucher: Voucher = TRIP) -> etree._Element:
    request = PROFILE.submit([submission(voucher)])
    return xmlio.parse(OURS.render(request.operation, request.body))


def texts(body: etree._Element, path: str) -> list[str]:
    return [str(found) for found in body.xpath(path)]


# ---------------------------------------------------------------- requests


def test_a_claim_is_valid_by_every_generation(contract: Contract) -> None:
    """One request serves the contract of 2020, that of 2024, and ours."""
    request = PROFILE.submit([submission(), submission(reference="EXP-2026-0043")])
    body = contract.render(request.operation, request.body, sources=request.sources)
    assert contract.check(body, sources=request.sources) == ()


@settings(max_examples=60, deadline=None)
@given(vouchers(currencies=("CNY",)))
def test_whatever_is_drawn_is_valid_or_refused_with_its_field(voucher: Voucher) -> None:
    """No voucher leaves with a value that SAP's limits would cut or refuse."""
    legs = tuple(msgspec.structs.replace(leg, dimensions={}) for leg in voucher.postings)
    post = msgspec.structs.replace(voucher, postings=legs, purpose="post", reverses=None)
    try:
        request = PROFILE.submit([submission(post)])
    except ClaimError as refusal:
        if refusal.code not in {"CB-180", "CB-181"}:  # a tax that fits no expense
            raise
        return
    body = OURS.render(request.operation, request.body, sources=request.sources)
    for finding in OURS.check(body, sources=request.sources):
        assert finding.claim_field, finding


def test_the_reference_stands_where_people_search() -> None:
    """Message id and DocumentReferenceID hold the same, whole reference."""
    body = body_of()
    assert texts(body, "*/MessageHeader/ID/text()") == ["EXP-2026-0042"]
    assert texts(body, "//DocumentReferenceID/text()") == ["EXP-2026-0042"]
    assert SapJournalEntry.capabilities.reference_length == 16


def test_a_repeat_has_the_same_ids() -> None:
    """Whenever it is built, by whichever process: who compares messages recognises the repeat."""
    later = SapJournalEntry()
    both = [submission(), submission(msgspec.structs.replace(TRIP, revision=2))]
    one, two = (
        xmlio.parse(OURS.render(OPERATION, profile.submit(both).body))
        for profile in (PROFILE, later)
    )
    for name in ("ID", "UUID"):
        assert texts(one, f"//MessageHeader/{name}/text()") == texts(
            two, f"//MessageHeader/{name}/text()"
        )
    # The bulk message, and each entry's own.
    assert len(set(texts(one, "//MessageHeader/UUID/text()"))) == 3


def test_another_submission_has_another_uuid() -> None:
    """Another claim, revision or purpose, and a batch of others."""
    known = [
        PROFILE.submit([submission()]),
        PROFILE.submit([submission(msgspec.structs.replace(TRIP, revision=2))]),
        PROFILE.submit([submission(msgspec.structs.replace(TRIP, claim_id="EXP-2026-0043"))]),
        PROFILE.reverse(reversal()),
        PROFILE.submit([submission(), submission(reference="EXP-2026-0042.r2")]),
    ]
    assert len({request.body["MessageHeader"]["UUID"] for request in known}) == len(known)


def test_the_time_is_utc_with_a_z() -> None:
    """SAP refuses an offset."""
    assert set(texts(body_of(), "//CreationDateTime/text()")) == {"2026-04-01T04:00:00Z"}


def test_debits_are_positive_and_credits_negative() -> None:
    """The code says the side, and the amount says it again; together they are zero."""
    body = body_of()
    sides = texts(body, "//DebitCreditCode/text()")
    amounts = texts(body, "//AmountInTransactionCurrency/text()")
    assert list(zip(sides, amounts, strict=True)) == [
        ("S", "943.40"), ("H", "-1000.00"), ("S", "56.60")
    ]  # fmt: skip  # a table
    assert sum(map(Decimal, amounts)) == 0
    assert set(texts(body, "//@currencyCode")) == {"CNY"}


def test_each_posting_becomes_the_item_that_sap_has_for_it() -> None:
    """Expense, payable and tax are a G/L, a creditor and a tax item, numbered as the postings."""
    body = body_of()
    assert texts(body, "//Item/GLAccount/text()") == ["6602010000"]
    assert texts(body, "//Item/AccountAssignment/*/text()") == ["PC-3", "CC-1001", "P-7"]
    assert texts(body, "//CreditorItem/Creditor/text()") == ["E0815"]
    assert texts(body, "//ProductTaxItem/TaxCode/text()") == ["J1"]
    assert texts(body, "//ProductTaxItem/TaxBaseAmountInTransCrcy/text()") == ["943.40"]
    assert texts(body, "//Item/Tax/TaxCode/text()") == ["J1"]
    assert texts(body, "//ProductTaxItem/IsDirectTaxPosting/text()") == []
    assert texts(body, "//ReferenceDocumentItem/text()") == ["1", "3", "2"]


def with_posting(index: int, **changes: object) -> Voucher:
    legs = list(TRIP.postings)
    legs[index] = msgspec.structs.replace(legs[index], **changes)
    return msgspec.structs.replace(TRIP, postings=tuple(legs))


@pytest.mark.parametrize("base", ["943.40", "-943.40"])
def test_a_refunded_tax_has_a_negative_base(base: str) -> None:
    """The base goes with its tax, in whichever sign the voucher keeps it."""
    entry = JournalEntry("1", "1410", "2026")
    taken = with_posting(1, tax_base=Decimal(base))
    flipped = taken.reversal(entry, posting_date=TRIP.posting_date)
    refund = msgspec.structs.replace(flipped, purpose="post", reverses=None)
    assert texts(body_of(refund), "//TaxBaseAmountInTransCrcy/text()") == ["-943.40"]


@pytest.mark.parametrize("missing", [{"tax_code": ""}, {"tax_base": None}])
def test_a_tax_without_code_or_base_is_a_gl_item(missing: dict[str, object]) -> None:
    """Nothing is invented to fill a tax item."""
    body = body_of(with_posting(1, **missing))
    assert texts(body, "//Item/GLAccount/text()") == ["6602010000", "2221010100"]
    assert texts(body, "//ProductTaxItem") == []


def test_a_payable_without_a_partner_is_a_gl_item() -> None:
    """A creditor item needs a creditor."""
    body = body_of(with_posting(2, partner=""))
    assert texts(body, "//Item/GLAccount/text()") == ["6602010000", "2241000000"]


def test_partners_of_the_roles_named_are_customers(contract: Contract) -> None:
    """An advance of an employee whom SAP keeps as a customer, in either generation's contract."""
    profile = SapJournalEntry(clock=Noon(), debtors=("advance_clearing",))
    advance = with_posting(2, role=Role.ADVANCE_CLEARING, account="1221000000")
    request = profile.submit([submission(advance)])
    body = xmlio.parse(contract.render(OPERATION, request.body))
    assert contract.check(xmlio.canonical(body)) == ()
    assert texts(body, "//DebtorItem/Debtor/text()") == ["E0815"]
    assert texts(body, "//DebtorItem/DebitCreditCode/text()") == ["H"]
    assert texts(body, "//CreditorItem") == []
    nameless = with_posting(2, role=Role.ADVANCE_CLEARING, account="1221000000", partner="")
    body = xmlio.parse(contract.render(OPERATION, profile.submit([submission(nameless)]).body))
    assert "1221000000" in texts(body, "//Item/GLAccount/text()")


def test_the_partner_of_a_gl_item_is_its_assignment(contract: Contract) -> None:
    """By which SAP matches the open items of an employee on a clearing account."""
    advance = with_posting(2, role=Role.ADVANCE_CLEARING, account="1221000000")
    request = PROFILE.submit([submission(advance)])
    body = xmlio.parse(contract.render(OPERATION, request.body))
    assert contract.check(xmlio.canonical(body)) == ()
    place = "//Item[GLAccount='1221000000']/AssignmentReference/text()"
    assert texts(body, place) == ["E0815"]
    assert texts(body, "//AssignmentReference/text()") == ["E0815"]


def test_a_role_that_there_is_not_is_told() -> None:
    """When the ledger is opened, with those that there are."""
    with pytest.raises(ConfigurationError, match=r"CB-243 .*'advances'.*advance_clearing"):
        SapJournalEntry(debtors=("advances",))


def test_texts_for_people_are_shortened_where_it_shows() -> None:
    """The cut ends with an ellipsis, and line breaks become spaces."""
    body = body_of(with_posting(0, narration="Hotel,\n three nights " * 5))
    (header,) = texts(body, "//DocumentHeaderText/text()")
    item = texts(body, "//Item/DocumentItemText/text()")[0]
    assert (header, len(header)) == ("Customer visit in Shangh…", 25)
    assert item.startswith("Hotel, three nights Hotel")
    assert item.endswith("…")
    assert len(item) <= 50


@pytest.mark.parametrize(
    ("voucher", "path", "claim_field"),
    [
        (msgspec.structs.replace(TRIP, company="14100"), "CompanyCode", "company"),
        (with_posting(0, account="66020100001"), "Item/GLAccount", "lines[0].type"),
        (
            with_posting(0, cost_centre="CC-10010000"),
            "Item/AccountAssignment/CostCenter",
            "lines[0].cost_centre",
        ),
        (with_posting(0, project="P" * 25), "Item/AccountAssignment/WBSElement",
         "lines[0].project"),
        (with_posting(0, dimensions={"segment": "S" * 11}), "Item/AccountAssignment/Segment",
         "lines[0].dimensions.segment"),
        (with_posting(2, partner="E0815000001"), "CreditorItem/Creditor", "employee"),
    ],
)  # fmt: skip  # a table
def test_codes_are_refused_and_never_cut(
    contract: Contract, voucher: Voucher, path: str, claim_field: str
) -> None:
    """A code that is too long stops before anything is sent, with the claim's field."""
    request = PROFILE.submit([submission(voucher)])
    body = contract.render(request.operation, request.body)
    findings = contract.check(body, sources=request.sources)
    assert [(f.path, f.rule, f.claim_field) for f in findings] == [
        (f"JournalEntryCreateRequest/JournalEntry/{path}", "maxLength", claim_field)
    ]


def test_a_tax_code_is_refused_and_never_cut(contract: Contract) -> None:
    """On the tax item and on its base."""
    request = PROFILE.submit([submission(with_posting(1, tax_code="J1-CN"))])
    findings = contract.check(contract.render(request.operation, request.body),
                              sources=request.sources)  # fmt: skip  # one thought
    assert [(f.path.rpartition("JournalEntry/")[2], f.rule, f.claim_field) for f in findings] == [
        ("Item/Tax/TaxCode", "maxLength", "lines[0].tax"),
        ("ProductTaxItem/TaxCode", "maxLength", "lines[0].tax"),
    ]


def test_a_reference_that_does_not_fit_is_refused_by_the_gate() -> None:
    """The last line of defence where somebody hands over a reference of their own."""
    request = PROFILE.submit([submission(reference="A" * 17)])
    findings = OURS.check(OURS.render(OPERATION, request.body), sources=request.sources)
    assert [(f.rule, f.claim_field) for f in findings] == [("maxLength", "id")]


def test_a_dimension_without_a_place_is_refused() -> None:
    """Dropping it would book the expense on the wrong object, silently."""
    with pytest.raises(ClaimError, match=r"lines\[0\]\.dimensions\.colour") as caught:
        PROFILE.submit([submission(with_posting(0, dimensions={"colour": "red"}))])
    assert (caught.value.code, caught.value.claim_id) == ("CB-162", TRIP.claim_id)


def test_every_dimension_has_its_place(shared: Shared) -> None:
    """Each under its own name; what came after 2020 is refused by that generation's contract."""
    named = {name: f"D{n}" for n, name in enumerate(SapJournalEntry.dimensions)}
    request = PROFILE.submit([submission(with_posting(0, dimensions=named))])
    newer = Contract.load(shared("contracts/sap-journal-entry/2024.wsdl"))
    for contract in (OURS, newer):
        raw = contract.render(request.operation, request.body)
        assert contract.check(raw) == ()
        found = {
            str(part.tag): part.text for part in xmlio.parse(raw).iterfind(".//AccountAssignment/*")
        }
        assert found == {
            "OrderID": named["order"],
            "ProfitCenter": named["profit_centre"],
            "PartnerProfitCenter": named["partner_profit_centre"],
            "Segment": named["segment"],
            "PartnerSegment": named["partner_segment"],
            "CostCenter": "CC-1001",
            "WBSElement": "P-7",
            "FunctionalArea": named["functional_area"],
            "Fund": named["fund"],
            "Grant": named["grant"],
        }
    older = Contract.load(shared("contracts/sap-journal-entry/2020.wsdl"))
    with pytest.raises(SchemaViolation, match=r"OrderID|Fund|Grant"):
        older.render(request.operation, request.body)


def test_postings_in_two_currencies_are_refused() -> None:
    """An entry has one transaction currency; converting is the chart's business."""
    dollars = tuple(
        Posting(role=Role.FX_DIFFERENCE, account="6603", side=side, amount=Decimal(1),
                currency="USD")
        for side in Side
    )  # fmt: skip  # one thought
    voucher = msgspec.structs.replace(TRIP, postings=TRIP.postings + dollars)
    with pytest.raises(ClaimError, match="CNY and USD") as caught:
        PROFILE.submit([submission(voucher)])
    assert caught.value.code == "CB-161"


def test_the_settings_of_a_system_reach_its_requests() -> None:
    """Document type, user, sender: what differs from one SAP to the next."""
    own = SapJournalEntry(document_type="ZE", created_by="HESI", sender="CB1", clock=Noon())
    request = own.submit([submission()])
    body = xmlio.parse(OURS.render(OPERATION, request.body))
    assert texts(body, "//AccountingDocumentType/text()") == ["ZE"]
    assert texts(body, "//CreatedByUser/text()") == ["HESI"]
    assert texts(body, "//SenderBusinessSystemID/text()") == ["CB1", "CB1"]


def test_a_reversal_names_the_entry_by_sap_s_own_key() -> None:
    """Number, company code and year make the key, as SAP's own replies write it."""
    request = PROFILE.reverse(reversal())
    raw = OURS.render(request.operation, request.body)
    assert OURS.check(raw) == ()
    body = xmlio.parse(raw)
    assert texts(body, "//ReversalReferenceDocument/text()") == ["010000000814102026"]
    assert texts(body, "//ReversalReason/text()") == ["01"]
    assert texts(body, "//ReversalDate/text()") == ["2026-04-02"]
    assert texts(body, "//GLAccount") == []


def test_only_the_newer_generation_can_reverse(shared: Shared) -> None:
    """With the contract of 2020 a reversal stops before it is sent, and says why."""
    request = PROFILE.reverse(reversal())
    newer = Contract.load(shared("contracts/sap-journal-entry/2024.wsdl"))
    assert newer.check(newer.render(request.operation, request.body)) == ()
    older = Contract.load(shared("contracts/sap-journal-entry/2020.wsdl"))
    with pytest.raises(SchemaViolation, match="Reversal"):
        older.render(request.operation, request.body)


def test_an_entry_without_its_key_cannot_be_reversed() -> None:
    """Half a key could reverse another company's document."""
    known = reversal()
    voucher = msgspec.structs.replace(known.voucher, reverses=JournalEntry("0100000008"))
    with pytest.raises(ClaimError) as caught:
        PROFILE.reverse(msgspec.structs.replace(known, voucher=voucher))
    assert caught.value.code == "CB-163"


@settings(max_examples=20, deadline=None)
@given(codes(16))
def test_a_message_id_always_fits(reference: str) -> None:
    """A batch's own id adds its size to the first reference, within SAP's 35 characters."""
    many = [submission(reference=reference) for _ in range(20)]
    request = PROFILE.submit(many)
    assert len(request.body["MessageHeader"]["ID"]) <= 35


def test_what_sap_cannot_do_has_no_method() -> None:
    """There is nothing to ask, and no list of changes; a person looks in SAP by the reference."""
    assert not isinstance(PROFILE, Queries | LooksUp | ListsChanges)


# ---------------------------------------------------------------- replies


def confirmation(*items: str) -> str:
    return (
        f'<n0:JournalEntryBulkCreateConfirmation xmlns:n0="{ROOT}"><MessageHeader>'
        "<CreationDateTime>2026-04-01T04:00:01Z</CreationDateTime></MessageHeader>"
        f"<ConfirmationInterfaceOrignName/>{''.join(items)}<Log/>"
        "</n0:JournalEntryBulkCreateConfirmation>"
    )


def item(reference: str = "A", *, number: str = "", severity: str = "", year: str = "2026") -> str:
    log = ""
    if severity:
        log = (
            f"<Item><TypeID>609(RW)</TypeID><SeverityCode>{severity}</SeverityCode>"
            "<Note>Error in document</Note></Item>"
        )
    return (
        f"<JournalEntryCreateConfirmation><MessageHeader><ReferenceID>{reference}</ReferenceID>"
        "<CreationDateTime>2026-04-01T04:00:01Z</CreationDateTime></MessageHeader>"
        f"<JournalEntryCreateConfirmation><AccountingDocument>{number}</AccountingDocument>"
        f"<CompanyCode>1410</CompanyCode><FiscalYear>{year}</FiscalYear>"
        f"</JournalEntryCreateConfirmation><Log>{log}</Log></JournalEntryCreateConfirmation>"
    )


def test_the_real_success_is_read_with_every_generation(contract: Contract, shared: Shared) -> None:
    """Number, company and year are found, whichever year's contract the reader has."""
    data = shared("contracts/sap-journal-entry/reply-success-2024.xml").read_bytes()
    body = open_envelope(data).body
    assert body is not None
    (outcome,) = PROFILE.read(contract.reply(body))
    assert (outcome.kind, outcome.reference) == (K.POSTED, "SUB_MSG_2024-03-28")
    assert outcome.journal_entry == JournalEntry("0100000008", "1410", "2024")


def test_the_real_refusal_is_read_with_every_generation(contract: Contract, shared: Shared) -> None:
    """A normal reply that says no: three reasons, in SAP's own words, and no document."""
    data = shared("contracts/sap-journal-entry/reply-error-2020.xml").read_bytes()
    body = open_envelope(data).body
    assert body is not None
    (outcome,) = PROFILE.read(contract.reply(body))
    assert (outcome.kind, outcome.reference, outcome.journal_entry) == (K.REJECTED, None, None)
    assert outcome.reasons == (
        Reason("Error in document: BKPFF $ 0M32TI1", code="609(RW)"),
        Reason("Customer 2 is not defined in company code LJJA", code="102(F5)"),
        Reason("Account 1002010100 does not exist in chart of accounts YCOA", code="004(FH)"),
    )


def test_one_confirmation_mixes_success_and_failure() -> None:
    """Each entry of a bulk request has its own end."""
    body = confirmation(
        item("A", number="0100000008", severity="1"),
        item("B", number=" ", severity="3", year="0000"),
        item("C", number=" "),
        item("D", number="0100000009", severity="2"),
    )
    outcomes = PROFILE.read(OURS.reply(reply(body).element))
    assert [(o.item, o.reference, o.kind) for o in outcomes] == [
        (1, "A", K.POSTED),
        (2, "B", K.REJECTED),
        (3, "C", K.UNKNOWN),
        (4, "D", K.POSTED),
    ]


@pytest.mark.parametrize(
    "body",
    [
        confirmation(),
        confirmation("<JournalEntryCreateConfirmation/>"),
        confirmation(item(number="")),
        confirmation(item(number="0000000000", severity="1")),
        confirmation(item(number="0100000008", severity="3")),
        confirmation(item(number="0100000008").replace(
            "</AccountingDocument>",
            "</AccountingDocument><AccountingDocument>0100000009</AccountingDocument>",
        )),
        confirmation().replace(
            "<Log/>",
            "<Log><Item><SeverityCode>3</SeverityCode><Note>No authorization</Note></Item></Log>",
        ),
        "<JournalEntry/>",
    ],
)  # fmt: skip  # a table
def test_without_evidence_the_outcome_is_unknown(body: str) -> None:
    """Neither a number nor a refusal of this very entry: nobody knows, so nobody resends."""
    (outcome,) = PROFILE.read(reply(body))
    assert outcome.kind is K.UNKNOWN
    assert outcome.text


@pytest.mark.parametrize(("entries", "kind"), [(1, K.REJECTED), (2, K.UNKNOWN)])
def test_a_refusal_without_a_name_is_nobody_s_in_a_bulk(entries: int, kind: K) -> None:
    """SAP's real refusals name no message: for one entry it is clear, of several it is not."""
    sent = [submission(reference=f"R-{number}") for number in range(entries)]
    talk = PROFILE.converse(PROFILE.submit(sent))
    next(talk)
    unnamed = item(severity="3").replace("<ReferenceID>A</ReferenceID>", "")
    with pytest.raises(StopIteration) as end:
        talk.send(reply(confirmation(unnamed)))
    assert [(one.kind, one.reference) for one in end.value.value] == [(kind, None)]


def test_an_aborted_entry_is_refused() -> None:
    """Severity 4 is worse than 3."""
    (outcome,) = PROFILE.read(reply(confirmation(item(severity="4"))))
    assert outcome.kind is K.REJECTED


def test_faults_have_no_types_here() -> None:
    """The class of the fault is all there is."""
    assert PROFILE.read_fault(Fault(code="Server", reason="dump")).kind is K.UNKNOWN
    refused = PROFILE.read_fault(Fault(code="Client", reason="XML error"))
    assert refused.reasons == (Reason("XML error", code="Client"),)


def test_a_submission_is_left_as_it_was() -> None:
    """Building a request changes nothing in the record it is built from."""
    known: Submission = submission()
    before = msgspec.json.encode(known.voucher)
    PROFILE.submit([known])
    assert msgspec.json.encode(known.voucher) == before
