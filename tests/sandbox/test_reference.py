"""The voucher service in the sandbox keeps the rules that its contract states."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import msgspec
import pytest
from tests.sandbox.caller import Caller, body_of, reversal, submission

from claimbridge.model import JournalEntry, Outcome, OutcomeKind, Submission
from claimbridge.sandbox import ErpRules, Sandbox
from claimbridge.signing import Identity, Signer
from claimbridge.signing.keys.throwaway import make
from claimbridge.soap.envelope import SOAP12

K = OutcomeKind


@pytest.fixture
def erp() -> Iterator[Sandbox]:
    with Sandbox(profiles=["reference"], rules=ErpRules(companies=frozenset({"CN01"}))) as erp:
        yield erp


@pytest.fixture
def caller(erp: Sandbox) -> Caller:
    return Caller(erp)


def codes(outcome: Outcome) -> list[str]:
    return [reason.code for reason in outcome.reasons]


def altered(caller: Caller, sent: Submission, *changes: tuple[bytes, bytes]) -> Outcome:
    """Submit what no claimbridge model could hold: the valid body, bytes replaced."""
    body = body_of("reference", caller.profile.submit([sent]))
    for old, new in changes:
        assert old in body
        body = body.replace(old, new)
    fault = caller.call(body).fault
    assert fault is not None
    return caller.profile.read_fault(fault)


def test_a_voucher_becomes_a_journal_entry(erp: Sandbox, caller: Caller) -> None:
    """The reply names our reference, the number and the totals; the ledger lists the postings."""
    (outcome,) = caller.submit()
    entry = JournalEntry("000001", "CN01", "2026")
    assert outcome == Outcome(
        kind=K.POSTED,
        reference="EXP-1",
        journal_entry=entry,
        totals={"CNY": Decimal("100.00")},
    )
    (listed,) = erp.ledger()
    assert (listed.reference, listed.journal_entry, listed.state) == (
        "EXP-1",
        "000001 / CN01 / 2026",
        "posted",
    )
    assert listed.postings[0] == {
        "account": "660201",
        "side": "debit",
        "currency": "CNY",
        "amount": "100.00",
        "cost_centre": "CC-1",
    }


def test_soap_12_is_answered_in_soap_12(erp: Sandbox) -> None:
    """Reply and Fault come in the version of the request; a refusal is a Sender's, status 400."""
    caller = Caller(erp, version=SOAP12)
    assert caller.submit()[0].kind is K.POSTED
    assert caller.submit()[0].kind is K.DUPLICATE
    assert caller.post(caller.envelope())[0] == 400


def test_a_repeat_is_answered_with_what_is_there(erp: Sandbox, caller: Caller) -> None:
    """The duplicate shows the document that is there, whatever else differs in the repeat."""
    first = caller.submit()[0]
    other = submission(account="999999", company="XX99")
    assert caller.submit(other)[0] == msgspec.structs.replace(first, kind=K.DUPLICATE)
    assert len(erp.ledger()) == 1


def test_fifty_at_once_are_one(erp: Sandbox) -> None:
    """Fifty calls with one reference at the same moment make one journal entry."""
    with ThreadPoolExecutor(50) as threads:
        outcomes = list(threads.map(lambda _: Caller(erp).submit()[0], range(50)))
    kinds = [outcome.kind for outcome in outcomes]
    assert (kinds.count(K.POSTED), kinds.count(K.DUPLICATE)) == (1, 49)
    assert {str(outcome.journal_entry) for outcome in outcomes} == {"000001 / CN01 / 2026"}
    assert len(erp.ledger()) == 1


def test_the_store_itself_refuses_a_second_document(erp: Sandbox, caller: Caller) -> None:
    """A unique index, not the look before the write, is the proof of one document (rule 1)."""
    caller.submit()
    with erp._books.transaction() as books:
        held = books.document_of("reference", "EXP-1")
        assert held is not None
        with pytest.raises(sqlite3.IntegrityError):
            books.enter("reference", held.entry, b"", series=held.series, unique=True)
    assert len(erp.ledger()) == 1


def test_numbers_have_no_gaps(erp: Sandbox, caller: Caller) -> None:
    """Refused and repeated vouchers take no number."""
    for n in range(6):
        caller.submit(submission(f"EXP-{n}", account="999999" if n % 2 else "660201"))
        caller.submit(submission("EXP-0"))
    assert [found.journal_entry for found in erp.ledger()] == [
        f"{number} / CN01 / 2026" for number in ("000001", "000002", "000003")
    ]


@pytest.mark.parametrize(
    ("sent", "code", "field"),
    [
        (submission(account="999901"), "unknown-account", "Posting[1]/Account"),
        (submission(company="XX99"), "unknown-company", "Company"),
        (submission(posting_date=dt.date(2025, 12, 31)), "period-closed", "PostingDate"),
    ],
)
def test_what_an_erp_refuses(
    erp: Sandbox, caller: Caller, sent: Submission, code: str, field: str
) -> None:
    """A refusal names its reason and the part at fault, and books nothing."""
    (outcome,) = caller.submit(sent)
    assert outcome.kind is K.REJECTED
    assert [(reason.code, reason.field) for reason in outcome.reasons] == [(code, field)]
    assert erp.ledger() == []


def test_all_reasons_at_once(caller: Caller) -> None:
    """The refusal names all that is wrong."""
    sent = submission(account="999901", company="XX99", posting_date=dt.date(2025, 1, 1))
    assert codes(caller.submit(sent)[0]) == ["unknown-company", "period-closed", "unknown-account"]


def test_the_balance_is_computed_from_the_postings(erp: Sandbox, caller: Caller) -> None:
    """Stated totals and postings that differ are refused, by the sums of the XML itself."""
    unbalanced = altered(
        caller,
        submission(),
        (b">debit<", b">DEBIT<"),
        (b">credit<", b">debit<"),
        (b">DEBIT<", b">debit<"),
    )
    assert codes(unbalanced) == ["unbalanced", "total-mismatch"]
    assert unbalanced.reasons[0].text == "debits and credits differ by 200.00 CNY"
    precise = altered(caller, submission(), (b">100.00<", b">100.001<"))
    assert set(codes(precise)) == {"too-many-decimals"}
    foreign = altered(caller, submission(), (b">CNY<", b">XQX<"))
    assert set(codes(foreign)) == {"unknown-currency"}
    assert erp.ledger() == []


def test_a_body_that_breaks_the_schema_is_refused(erp: Sandbox, caller: Caller) -> None:
    """The sandbox checks the schema itself, whatever the client did."""
    refused = altered(caller, submission(), (b">debit<", b">left<"))
    assert refused.kind is K.REJECTED
    assert set(codes(refused)) == {"schema"}
    assert "Side" in refused.reasons[0].text
    assert erp.ledger() == []


def test_one_live_journal_entry_for_a_claim(erp: Sandbox, caller: Caller) -> None:
    """An earlier revision that lives keeps a later out; a later one keeps an earlier out."""
    second = submission("EXP-1.r2", claim_id="EXP-1", revision=2)
    third = submission("EXP-1.r3", claim_id="EXP-1", revision=3)
    first_entry = caller.submit(submission())[0].journal_entry
    assert first_entry is not None
    assert codes(caller.submit(second)[0]) == ["live-revision"]
    caller.reverse(reversal(submission(), first_entry))
    assert caller.submit(third)[0].kind is K.POSTED
    assert codes(caller.submit(second)[0]) == ["superseded"]
    states = [(found.reference, found.state) for found in erp.ledger()]
    assert states == [("EXP-1", "reversed"), ("EXP-1.x1", "posted"), ("EXP-1.r3", "posted")]


def test_a_reversal_takes_back_once(erp: Sandbox, caller: Caller) -> None:
    """A reversal is posted under its own reference; again it is a duplicate, another is refused."""
    entry = caller.submit()[0].journal_entry
    assert entry is not None
    back = reversal(submission(), entry)
    assert caller.reverse(back)[0].kind is K.POSTED
    assert caller.reverse(back)[0].kind is K.DUPLICATE
    again = msgspec.structs.replace(back, reference="EXP-1.x2")
    assert codes(caller.reverse(again)[0]) == ["not-reversible"]
    assert caller.query("EXP-1")[0].kind is K.REVERSED
    assert len(erp.ledger()) == 2


def test_what_cannot_be_reversed(caller: Caller) -> None:
    """An unknown entry is not found; other postings than those mirrored are refused."""
    unknown = reversal(submission(), JournalEntry("000077", "CN01", "2026"))
    assert codes(caller.reverse(unknown)[0]) == ["not-found"]
    entry = caller.submit()[0].journal_entry
    assert entry is not None
    strange = reversal(submission(account="640101"), entry)
    assert codes(caller.reverse(strange)[0]) == ["not-reversible"]


def test_each_purpose_has_its_operation(caller: Caller) -> None:
    """A reversal sent as a submission is refused."""
    back = reversal(submission(), JournalEntry("000001"))
    body = body_of("reference", caller.profile.reverse(back))
    fault = caller.call(body.replace(b"ReverseVoucherRequest", b"SubmitVoucherRequest")).fault
    assert fault is not None
    assert codes(caller.profile.read_fault(fault)) == ["wrong-purpose"]


def test_a_batch_has_an_outcome_per_voucher(erp: Sandbox, caller: Caller) -> None:
    """One refusal and one duplicate touch no other voucher of the batch."""
    caller.submit(submission("EXP-1"))
    outcomes = caller.submit(
        submission("EXP-1"), submission("EXP-2", account="999901"), submission("EXP-3")
    )
    assert [(outcome.reference, outcome.kind) for outcome in outcomes] == [
        ("EXP-1", K.DUPLICATE),
        ("EXP-2", K.REJECTED),
        ("EXP-3", K.POSTED),
    ]
    assert [found.reference for found in erp.ledger()] == ["EXP-1", "EXP-3"]


def test_queries_tell_the_truth(caller: Caller) -> None:
    """What is held is shown, what is not is absent, in the order of the question."""
    posted = caller.submit(submission("EXP-1"))[0]
    absent, found = caller.query("EXP-0", "EXP-1")
    assert (absent.reference, absent.kind) == ("EXP-0", K.ABSENT)
    assert found == msgspec.structs.replace(posted, item=2)


def test_changes_lose_nothing(erp: Sandbox, caller: Caller) -> None:
    """Following the cursors shows every document at its latest state, and then nothing more."""
    for n in range(5):
        caller.submit(submission(f"EXP-{n}"))
    seen, cursor, more = [], "", True
    while more:
        envelope = caller.call(body_of("reference", caller.profile.changes(cursor, 2)))
        assert envelope.body is not None
        page = caller.profile.read_changes(caller.contract.reply(envelope.body))
        seen += [outcome.reference for outcome in page.outcomes]
        cursor, more = page.cursor, page.more
    assert seen == [f"EXP-{n}" for n in range(5)]
    erp.advance(reference="EXP-1")
    envelope = caller.call(body_of("reference", caller.profile.changes(cursor, 2)))
    assert envelope.body is not None
    page = caller.profile.read_changes(caller.contract.reply(envelope.body))
    assert [(one.reference, one.kind) for one in page.outcomes] == [("EXP-1", K.PAID)]
    fault = caller.call(body_of("reference", caller.profile.changes("another.1", 2))).fault
    assert fault is not None
    assert fault.detail_name.endswith("InvalidCursorFault")


def test_documents_can_wait_to_be_posted() -> None:
    """Documents are entered, then posted and paid by ``advance``; posting gives the number."""
    with Sandbox(profiles=["reference"], holds=True) as erp:
        caller = Caller(erp)
        entered = caller.submit(submission("EXP-1"))[0]
        assert (entered.kind, entered.journal_entry) == (K.ACKNOWLEDGED, None)
        caller.submit(submission("EXP-2"))
        erp.advance(reference="EXP-2", to="rejected")
        assert caller.query("EXP-2")[0].kind is K.REJECTED
        assert caller.submit(submission("EXP-2"))[0].kind is K.ACKNOWLEDGED  # free again
        assert [moved.state for moved in erp.advance()] == ["posted", "posted"]
        assert [moved.state for moved in erp.advance(reference="EXP-1")] == ["paid"]
        assert erp.advance(reference="EXP-1") == []
        assert caller.query("EXP-1")[0].kind is K.PAID
        numbers = [(found.journal_entry, found.state) for found in erp.ledger()]
        assert numbers == [
            ("000001 / CN01 / 2026", "paid"),
            (None, "rejected"),
            ("000002 / CN01 / 2026", "posted"),
        ]


def signed(caller: Caller, signer: Signer, *of: Submission) -> bytes:
    """The body of a request whose vouchers are signed."""
    body = body_of("reference", caller.profile.submit(of or (submission(),)))
    return signer.sign(body, element=caller.profile.capabilities.document_signature)


def refusal(caller: Caller, body: bytes) -> list[str]:
    fault = caller.call(body).fault
    assert fault is not None
    return codes(caller.profile.read_fault(fault))


def test_with_trust_every_voucher_must_be_signed() -> None:
    """Unsigned, altered and foreign signatures are refused, each by its code; a good one posts."""
    ours, theirs = make("ours"), make("theirs")
    with Sandbox(profiles=["reference"], trust=ours.trust) as erp:
        caller = Caller(erp)
        good = signed(caller, Signer(Identity.from_pem(ours.pem(), None)))
        foreign = signed(caller, Signer(Identity.from_pem(theirs.pem(), None)))
        unsigned = body_of("reference", caller.profile.submit([submission()]))
        assert refusal(caller, unsigned) == ["signature-missing"]
        assert refusal(caller, foreign) == ["signer-untrusted"]
        assert refusal(caller, good.replace(b">100.00<", b">900.00<")) == ["signature-invalid"]
        assert erp.ledger() == []
        assert caller.call(good).fault is None
        assert [found.reference for found in erp.ledger()] == ["EXP-1"]


def test_without_trust_a_signature_must_still_fit() -> None:
    """Anybody's good signature is taken, a voucher changed after it was signed is not."""
    with Sandbox(profiles=["reference"]) as erp:
        caller = Caller(erp)
        signer = Signer(Identity.from_pem(make().pem(), None))
        batch = signed(caller, signer, submission("EXP-1"), submission("EXP-2"))
        altered_second = batch[::-1].replace(b"2-PXE", b"3-PXE", 1)[::-1]
        assert altered_second != batch
        envelope = caller.call(altered_second)
        assert envelope.body is not None
        kinds = [one.kind for one in caller.profile.read(caller.contract.reply(envelope.body))]
        assert kinds == [K.POSTED, K.REJECTED]
        assert caller.call(signed(caller, signer, submission("EXP-4"))).fault is None
        assert [found.reference for found in erp.ledger()] == ["EXP-1", "EXP-4"]
