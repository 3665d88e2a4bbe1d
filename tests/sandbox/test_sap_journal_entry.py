"""SAP in the sandbox posts as SAP does: by number range, each entry alone, and again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
from tests.sandbox.caller import Caller, body_of, reversal, submission

from claimbridge.model import JournalEntry, OutcomeKind
from claimbridge.sandbox import Sandbox

K = OutcomeKind


@pytest.fixture
def erp() -> Iterator[Sandbox]:
    with Sandbox(profiles=["sap-journal-entry"]) as erp:
        yield erp


@pytest.fixture
def caller(erp: Sandbox) -> Caller:
    return Caller(erp, "sap-journal-entry")


def test_a_voucher_is_posted_and_posted_again(erp: Sandbox, caller: Caller) -> None:
    """SAP documents no check for duplicates: a blind resend is a second journal entry."""
    first, second = caller.submit()[0], caller.submit()[0]
    assert first.journal_entry == JournalEntry("0100000000", "CN01", "2026")
    assert second.journal_entry == JournalEntry("0100000001", "CN01", "2026")
    assert [found.reference for found in erp.ledger()] == ["EXP-1", "EXP-1"]


def test_numbers_run_by_company_and_year(caller: Caller) -> None:
    """Each company code and fiscal year has its own range."""
    kinds = {"company": "DE01"}, {"posting_date": dt.date(2027, 1, 31)}, {}
    entries = [caller.submit(submission(f"E-{n}", **k))[0] for n, k in enumerate(kinds)]
    assert [str(entry.journal_entry) for entry in entries] == [
        "0100000000 / DE01 / 2026",
        "0100000000 / CN01 / 2027",
        "0100000000 / CN01 / 2026",
    ]


def test_one_bulk_request_mixes_success_and_refusal(erp: Sandbox, caller: Caller) -> None:
    """Each entry stands or falls alone; the refusal gives SAP's reasons."""
    good, bad = caller.submit(submission("EXP-1"), submission("EXP-2", account="999901"))
    assert (good.kind, good.reference) == (K.POSTED, "EXP-1")
    assert (bad.kind, bad.reference) == (K.REJECTED, "EXP-2")
    assert [reason.code for reason in bad.reasons] == ["609(RW)", "004(FH)"]
    assert [found.reference for found in erp.ledger()] == ["EXP-1"]


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b">-100.00<", b">-90.00<", "debits and credits differ by 10.00 CNY"),
        (b">H<", b">S<", "Amount -100.00 contradicts the debit/credit code S"),
    ],
)
def test_amounts_are_added_up_with_their_signs(
    erp: Sandbox, caller: Caller, old: bytes, new: bytes, reason: str
) -> None:
    """The balance is computed from the XML, and a sign must agree with its code."""
    body = body_of("sap-journal-entry", caller.profile.submit([submission()]))
    assert old in body
    envelope = caller.call(body.replace(old, new))
    assert envelope.body is not None
    (outcome,) = caller.profile.read(caller.contract.reply(envelope.body))
    assert reason in [said.text for said in outcome.reasons]
    assert erp.ledger() == []


def test_a_reversal_names_the_entry_by_its_key(erp: Sandbox, caller: Caller) -> None:
    """The reversal books the other side; a second one and an unknown entry are refused."""
    entry = caller.submit()[0].journal_entry
    assert entry is not None
    assert caller.reverse(reversal(submission(), entry))[0].kind is K.POSTED
    assert caller.reverse(reversal(submission(), entry))[0].kind is K.REJECTED
    nowhere = JournalEntry("0100000099", "CN01", "2026")
    assert caller.reverse(reversal(submission(), nowhere))[0].kind is K.REJECTED
    original, back = erp.ledger()
    assert (original.state, back.state, back.purpose) == ("reversed", "posted", "reverse")
    sides = [posting["side"] for posting in back.postings]
    assert sides == [{"debit": "credit", "credit": "debit"}[p["side"]] for p in original.postings]


def test_an_invalid_request_gets_a_plain_fault(erp: Sandbox, caller: Caller) -> None:
    """SAP's contract has no words for it."""
    body = body_of("sap-journal-entry", caller.profile.submit([submission()]))
    fault = caller.call(body.replace(b">RFBU<", b">TOOLONG<")).fault
    assert fault is not None
    assert (fault.code, fault.detail) == ("Client", None)
    assert erp.ledger() == []
