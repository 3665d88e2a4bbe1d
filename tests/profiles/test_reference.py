from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from tests.profiles.samples import (
    REASON,
    TRIP,
    TYPES,
    document,
    message,
    reply,
    reversal,
    submission,
)

from claimbridge.contract import Bundle, Contract, Reply
from claimbridge.contract.calls.fault import Fault
from claimbridge.errors import OutcomeUnknown
from claimbridge.model import JournalEntry, Outcome, OutcomeKind, Posting, Reason, Voucher
from claimbridge.profiles.reference.profile import Reference
from claimbridge.profiles.request import Request

CONTRACT = Contract.load(Bundle.from_package("voucher-service.wsdl"))
PROFILE = Reference()
ENTRY = JournalEntry("0100000008", "1410", "2026")
TOTALS = {"CNY": Decimal("1000.00")}
K = OutcomeKind
# In a Rejection the Reason itself stands in the service's namespace, in a Document in the types'.
CLOSED = REASON.replace("<v:Reason>", "<Reason>").replace("</v:Reason>", "</Reason>")


SECOND_TOTAL = "<v:DebitTotal><v:Currency>CNY</v:Currency><v:Amount>1.00</v:Amount></v:DebitTotal>"


def valid(xml: str) -> Reply:
    """A reply that our own contract allows, read with that contract."""
    assert CONTRACT.check(xml.encode()) == ()
    return CONTRACT.reply(reply(xml).element)


def read(xml: str) -> tuple[Outcome, ...]:
    return PROFILE.read(valid(xml))


def fault(name: str, content: str) -> Outcome:
    detail = valid(message(name, content))
    return PROFILE.read_fault(Fault(code="Server", reason=name, detail=detail))


# ---------------------------------------------------------------- requests


@pytest.mark.parametrize(
    ("request_", "operation"),
    [
        (PROFILE.submit([submission()]), "SubmitVoucher"),
        (PROFILE.submit([submission(), submission(reference="B")]), "SubmitVouchers"),
        (PROFILE.reverse(reversal()), "ReverseVoucher"),
        (PROFILE.query(["EXP-2026-0042", "B"]), "QueryVouchers"),
        (PROFILE.changes("", 100), "ListChanges"),
        (PROFILE.changes("c-17", 1), "ListChanges"),
    ],
)
def test_each_request_is_valid_by_the_contract(request_: Request, operation: str) -> None:
    """What the profile asks for, the contract allows."""
    assert request_.operation == operation
    assert CONTRACT.check(CONTRACT.render(operation, request_.body)) == ()


def with_first(**changes: object) -> Voucher:
    first = msgspec.structs.replace(TRIP.postings[0], **changes)
    return msgspec.structs.replace(TRIP, postings=(first, *TRIP.postings[1:]))


@pytest.mark.parametrize(
    ("voucher", "path", "claim_field"),
    [
        (with_first(narration="x" * 1001), "Voucher/Posting[1]/Narration", "lines[0].text"),
        (with_first(account="6602 "), "Voucher/Posting[1]/Account", "lines[0].type"),
        (with_first(cost_centre=" 7"), "Voucher/Posting[1]/CostCentre", "lines[0].cost_centre"),
        (
            with_first(dimensions={"a  b": "1"}),
            "Voucher/Posting[1]/Dimension/Name",
            "lines[0].dimensions.a  b",
        ),
        (msgspec.structs.replace(TRIP, company="1" * 33), "Voucher/Company", "company"),
        (msgspec.structs.replace(TRIP, text="x" * 1001), "Voucher/Text", "title"),
        (msgspec.structs.replace(TRIP, claim_id="A\nB"), "Voucher/ClaimId", "id"),
    ],
)
def test_what_the_contract_forbids_is_traced_to_the_claim(
    voucher: Voucher, path: str, claim_field: str
) -> None:
    """A finding names the field of the claim that a person can mend."""
    request = PROFILE.submit([submission(voucher)])
    findings = CONTRACT.check(
        CONTRACT.render(request.operation, request.body), sources=request.sources
    )
    assert [(f.path, f.claim_field) for f in findings] == [(path, claim_field)]


def test_a_total_is_traced_to_the_claim_itself() -> None:
    """A posting that sums up the claim has no line to point at."""
    payable: Posting = msgspec.structs.replace(TRIP.postings[2], partner="E 0815 ")
    voucher = msgspec.structs.replace(TRIP, postings=(*TRIP.postings[:2], payable))
    request = PROFILE.submit([submission(voucher), submission(reference="B")])
    findings = CONTRACT.check(
        CONTRACT.render(request.operation, request.body), sources=request.sources
    )
    assert [(f.path, f.claim_field) for f in findings] == [
        ("Voucher[1]/Posting[3]/Partner", "employee")
    ]


# ---------------------------------------------------------------- replies


@pytest.mark.parametrize("operation", ["SubmitVoucher", "ReverseVoucher"])
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("entered", K.ACKNOWLEDGED),
        ("posted", K.POSTED),
        ("paid", K.PAID),
        ("reversed", K.REVERSED),
    ],
)
def test_a_document_is_what_its_status_says(operation: str, status: str, kind: K) -> None:
    """Number, company, year and totals come back with it."""
    assert read(message(f"{operation}Response", document(status=status))) == (
        Outcome(kind=kind, reference="EXP-2026-0042", journal_entry=ENTRY, totals=TOTALS),
    )


def test_a_rejected_document_gives_its_reasons() -> None:
    """Taken in first and refused later is a refusal; no number of it counts."""
    body = message("SubmitVoucherResponse", document(status="rejected", more=REASON))
    (outcome,) = read(body)
    assert (outcome.kind, outcome.journal_entry) == (K.REJECTED, None)
    assert outcome.reasons == (Reason("Period 3 is closed", "period-closed", "PostingDate"),)


def test_entered_needs_no_number_yet() -> None:
    """An ERP that posts later acknowledges first."""
    (outcome,) = read(message("SubmitVoucherResponse", document(status="entered", number="")))
    assert (outcome.kind, outcome.journal_entry) == (K.ACKNOWLEDGED, None)


@pytest.mark.parametrize(
    "body",
    [
        message("SubmitVoucherResponse", document(number="")),
        message("SubmitVoucherResponse", document(number="  ")),
        message("SubmitVoucherResponse", document(status="paid", number="")),
        message("SubmitVoucherResponse", document(status="booked")),
        message("SubmitVoucherResponse", document(status="")),
        message("SubmitVoucherResponse", document(total="1.000,00")),
        message("SubmitVoucherResponse", document().replace("CNY", "RMB")),
        message("SubmitVoucherResponse", document(more=SECOND_TOTAL)),
        message("SubmitVoucherResponse", ""),
        message("SubmitVouchersResponse", ""),
        message("QueryVouchersResponse", "<Item><Reference>A</Reference></Item>"),
        message("SubmitVoucherRequest", document()),
        "<html/>",
        message(
            "SubmitVoucherResponse",
            document().replace("</v:Number>", "</v:Number><v:Number>0100000009</v:Number>"),
        ),
        message(
            "SubmitVoucherResponse",
            document().replace("</v:Status>", "</v:Status><v:Status>rejected</v:Status>"),
        ),
    ],
)
def test_without_evidence_the_outcome_is_unknown(body: str) -> None:
    """Nothing is posted because nothing said that it was not; the sentence says what lacks."""
    outcomes = PROFILE.read(reply(body))
    assert [outcome.kind for outcome in outcomes] == [K.UNKNOWN]
    assert outcomes[0].text


def test_a_batch_has_an_outcome_for_each_item() -> None:
    """Success and refusal side by side, each under its own reference."""
    items = (
        f"<Item><Reference>A</Reference>{document('A')}</Item>"
        f"<Item><Reference>B</Reference><Rejected><Reference>B</Reference>{CLOSED}</Rejected></Item>"
        f"<Item><Reference>C</Reference><Duplicate>{document('C')}</Duplicate></Item>"
        "<Item><Reference>D</Reference><Throttled><RetryAfterSeconds>9</RetryAfterSeconds>"
        "</Throttled></Item>"
    )
    outcomes = read(message("SubmitVouchersResponse", items))
    assert [(o.item, o.reference, o.kind) for o in outcomes] == [
        (1, "A", K.POSTED),
        (2, "B", K.REJECTED),
        (3, "C", K.DUPLICATE),
        (4, "D", K.UNAVAILABLE),
    ]
    assert outcomes[3].retry_after == 9.0


def test_a_query_tells_what_is_there_and_what_is_not() -> None:
    """Absent is said, never concluded from silence."""
    items = (
        f"<Item><Reference>A</Reference>{document('A', 'paid')}</Item>"
        "<Item><Reference>B</Reference><Absent/></Item>"
    )
    outcomes = read(message("QueryVouchersResponse", items))
    assert [(o.reference, o.kind) for o in outcomes] == [("A", K.PAID), ("B", K.ABSENT)]


@pytest.mark.parametrize(
    "item",
    [
        f"<Reference>A</Reference>{document('B')}",
        f"<Reference>A</Reference>{document('A')}<Absent/>",
        f"<Reference>A</Reference>{document('A')}{document('A', number='0100000009')}",
    ],
)
def test_an_item_that_contradicts_itself_is_unknown(item: str) -> None:
    """Two answers in one item, or one for another document, are no answer."""
    outcomes = PROFILE.read(reply(message("QueryVouchersResponse", f"<Item>{item}</Item>")))
    assert [(o.kind, o.reference) for o in outcomes] == [(K.UNKNOWN, "A")]


@pytest.mark.parametrize("answer", [f"<Rejected>{CLOSED}</Rejected>", "<Absent/>"])
def test_an_item_without_a_reference_is_nobody_s(answer: str) -> None:
    """Alone in the answer to a batch, it would else be taken for the refusal of all."""
    outcomes = PROFILE.read(reply(message("SubmitVouchersResponse", f"<Item>{answer}</Item>")))
    assert [(o.kind, o.reference) for o in outcomes] == [(K.UNKNOWN, None)]


def test_a_page_of_changes_carries_its_cursor() -> None:
    """Reading goes on from where the page ended."""
    content = f"{document('A')}{document('B', 'paid')}<Cursor>c-2</Cursor><More>true</More>"
    page = PROFILE.read_changes(valid(message("ListChangesResponse", content)))
    assert [(o.reference, o.kind) for o in page.outcomes] == [("A", K.POSTED), ("B", K.PAID)]
    assert (page.cursor, page.more) == ("c-2", True)


def test_an_empty_page_is_a_page() -> None:
    """Nothing changed, and the cursor stands."""
    content = "<Cursor>c-2</Cursor><More>0</More>"
    page = PROFILE.read_changes(valid(message("ListChangesResponse", content)))
    assert (page.outcomes, page.more) == ((), False)


@pytest.mark.parametrize(
    "body",
    [
        message("ListChangesResponse", "<More>false</More>"),
        message("ListChangesResponse", "<Cursor>c</Cursor>"),
        message("ListChangesResponse", "<Cursor>c</Cursor><Cursor>d</Cursor><More>1</More>"),
        message("QueryVouchersResponse", "<Cursor>c</Cursor><More>false</More>"),
    ],
)
def test_what_is_no_page_moves_no_cursor(body: str) -> None:
    """A page that cannot be trusted must not lose changes."""
    with pytest.raises(OutcomeUnknown) as caught:
        PROFILE.read_changes(reply(body))
    assert caught.value.code == "CB-428"


# ---------------------------------------------------------------- faults


def test_a_rejection_is_a_business_no() -> None:
    """All its reasons come through, each with code and field."""
    assert fault("RejectedFault", f"<Reference>A</Reference>{CLOSED}") == Outcome(
        kind=K.REJECTED,
        reference="A",
        reasons=(Reason("Period 3 is closed", "period-closed", "PostingDate"),),
    )


def test_a_duplicate_shows_the_document_that_is_there() -> None:
    """After a lost answer this is the answer: entry and totals, for comparison."""
    assert fault("DuplicateReferenceFault", document("A")) == Outcome(
        kind=K.DUPLICATE, reference="A", journal_entry=ENTRY, totals=TOTALS
    )


@pytest.mark.parametrize(
    ("status", "kind"),
    [("entered", K.DUPLICATE), ("paid", K.DUPLICATE), ("reversed", K.REVERSED),
     ("rejected", K.UNKNOWN)],
)  # fmt: skip  # a table
def test_a_duplicate_that_lives_no_more_is_not_adopted(status: str, kind: K) -> None:
    """A reversed document is not ours to take for posted."""
    assert fault("DuplicateReferenceFault", document("A", status)).kind is kind


def test_a_throttled_call_says_when_to_come_back() -> None:
    """Nothing was taken in: the wait is what matters."""
    outcome = fault("ThrottledFault", "<RetryAfterSeconds>30</RetryAfterSeconds>")
    assert (outcome.kind, outcome.retry_after) == (K.UNAVAILABLE, 30.0)


def test_what_cannot_be_reversed_is_named() -> None:
    """The entry that is not there stands in the reason."""
    entry = "<JournalEntry><v:Number>0100000008</v:Number></JournalEntry>"
    outcome = fault("NotFoundFault", f"<Reference>A</Reference>{entry}")
    assert (outcome.kind, outcome.reasons[0].code) == (K.REJECTED, "not-found")
    assert "0100000008" in outcome.reasons[0].text


def test_a_cursor_that_is_not_known_is_refused() -> None:
    """The reason says how to go on."""
    outcome = fault("InvalidCursorFault", "<Cursor>c-9</Cursor>")
    assert (outcome.kind, outcome.reasons[0].code) == (K.REJECTED, "invalid-cursor")


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("Client", K.UNKNOWN),
        ("Client.Authentication", K.UNKNOWN),
        ("Sender", K.UNKNOWN),
        ("VersionMismatch", K.REJECTED),
        ("MustUnderstand", K.REJECTED),
        ("Server", K.UNKNOWN),
        ("Server.userException", K.UNKNOWN),
        ("Receiver", K.UNKNOWN),
        ("", K.UNKNOWN),
        ("Oops", K.UNKNOWN),
    ],
)
def test_an_untyped_fault_goes_by_its_class(code: str, kind: K) -> None:
    """A server that broke down may have committed first; its words prove nothing.

    Nor does a refusal without a detail that we know: it may be the one that says "duplicate".
    """
    assert PROFILE.read_fault(Fault(code=code, reason="rejected: nothing posted")).kind is kind


def test_an_unknown_detail_is_no_typed_fault() -> None:
    """A stack trace in the detail leaves the fault as untyped as it was."""
    trace = reply("<Trace>duplicate reference</Trace>")
    outcome = PROFILE.read_fault(Fault(code="Server", reason="x", detail=trace))
    assert outcome.kind is K.UNKNOWN


def test_a_contradictory_fault_is_unknown() -> None:
    """Two documents under one duplicate: neither is evidence."""
    detail = reply(message("DuplicateReferenceFault", document("A") + document("B")))
    assert PROFILE.read_fault(Fault(code="Server", reason="x", detail=detail)).kind is K.UNKNOWN
    assert TYPES in detail.element.nsmap.values()
