"""Both clients against a ledger that PHP's own SoapServer serves from the reference contract."""

from __future__ import annotations

import datetime as dt
import subprocess
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.peers.conftest import configured, renamed
from tests.peers.php_ledger import PhpLedger
from tests.peers.requests import contract
from tests.peers.senders import CLIENTS, opened

from claimbridge import Claim, ConflictingSubmission, JournalEntry, LedgerRejection, State
from claimbridge.signing.keys.throwaway import Throwaway
from claimbridge.soap.envelope import open_envelope
from claimbridge.xmlio import canonical

APRIL = dt.date(2026, 4, 30)


def test_every_example_is_posted_once(
    to_php: Any, php_ledger: PhpLedger, examples: tuple[Claim, ...]
) -> None:
    """Submitted twice each: one entry, the same acknowledgement, and PHP's own sums are ours."""
    first = [to_php.submit(claim) for claim in examples]
    again = [to_php.submit(claim) for claim in examples]
    assert again == first
    held = php_ledger.documents()
    assert list(held) == [ack.reference for ack in first]
    for number, (claim, ack) in enumerate(zip(examples, first, strict=True), start=1):
        voucher = to_php.preview(claim).voucher
        year = f"{voucher.posting_date.year}"
        assert ack.journal_entry == JournalEntry(f"{number:06}", claim.company, year)
        added_up = {
            total["Currency"]: Decimal(total["Amount"])
            for total in held[ack.reference]["DebitTotal"]
        }
        assert added_up == voucher.totals
    # Before a later revision, PHP is asked for the earlier one, which this journal does not know.
    asked, sent = "QueryVouchersRequest", "SubmitVoucherRequest"
    expected = [[asked, sent] if claim.revision > 1 else [sent] for claim in examples]
    assert php_ledger.operations() == [name for names in expected for name in names]


def test_a_batch_has_a_result_for_each(to_php: Any, php_ledger: PhpLedger, trip: Claim) -> None:
    """In order: posted, refused with PHP's reason, posted; sent again, only the refused is."""
    claims = [renamed(trip, f"B-{n}") for n in range(7)]
    claims[3] = renamed(trip, "B-3", company="CN02")
    results = list(to_php.submit_many(claims, batch=4))
    assert [result.claim_id for result in results] == [claim.id for claim in claims]
    refused = [result for result in results if result.error]
    assert [result.claim_id for result in refused] == ["B-3"]
    assert isinstance(refused[0].error, LedgerRejection)
    assert [reason.code for reason in refused[0].error.reasons] == ["unknown-company"]
    assert sorted(php_ledger.documents()) == ["B-0", "B-1", "B-2", "B-4", "B-5", "B-6"]
    assert sorted(php_ledger.operations()) == ["SubmitVouchersRequest"] * 2

    again = list(to_php.submit_many(claims, batch=4))
    assert [result.acknowledgement for result in again] == [r.acknowledgement for r in results]
    assert len(php_ledger.documents()) == 6


def test_what_php_refuses_is_told_in_its_words(
    to_php: Any, php_ledger: PhpLedger, trip: Claim
) -> None:
    """A typed RejectedFault is a LedgerRejection with its reasons, and nothing is left behind."""
    with pytest.raises(LedgerRejection) as refused:
        to_php.submit(msgspec.structs.replace(trip, company="CN02"))
    (reason,) = refused.value.reasons
    assert (reason.code, reason.field) == ("unknown-company", "Company")
    assert reason.text == "company CN02 is unknown 未知公司"
    assert to_php.status(trip.id).state is State.REJECTED
    assert php_ledger.documents() == {}


def test_a_cost_of_another_company_is_refused_where_one_company_s_books_are_kept(
    to_php: Any, php_ledger: PhpLedger, trip: Claim
) -> None:
    """PHP reads the company of a posting by our contract, and says which postings are not its."""
    first, *others = trip.lines
    shared = (msgspec.structs.replace(first, company="CN02"), *others)
    with pytest.raises(LedgerRejection) as refused:
        to_php.submit(msgspec.structs.replace(trip, lines=shared))
    found = [(reason.code, reason.field) for reason in refused.value.reasons]
    assert ("other-company", "Posting[1]/Company") in found
    assert php_ledger.documents() == {}


def test_a_document_is_followed_until_it_is_paid(
    to_php: Any, php_ledger: PhpLedger, trip: Claim
) -> None:
    """Entered without a number, then posted, then paid: status and wait ask PHP."""
    php_ledger.hold()
    ack = to_php.submit(trip)
    assert (ack.state, ack.journal_entry) == (State.ACKNOWLEDGED, None)
    assert to_php.status(trip.id).state is State.ACKNOWLEDGED
    php_ledger.move("posted")
    posted = to_php.wait(trip.id, timeout=10)
    assert (posted.state, posted.journal_entry.number) == (State.POSTED, "000001")
    php_ledger.move("paid")
    assert to_php.wait(trip.id, until=State.PAID, timeout=10).state is State.PAID


def test_changes_are_followed_page_by_page(to_php: Any, php_ledger: PhpLedger, trip: Claim) -> None:
    """Every document once, then nothing, then again what moved; the journal learns of it."""
    ids = [f"C-{n}" for n in range(5)]
    for id_ in ids:
        to_php.submit(renamed(trip, id_))
    assert [change.reference for change in to_php.changes(limit=2)] == ids
    assert list(to_php.changes(limit=2)) == []
    php_ledger.move("paid")
    assert [(c.reference, c.outcome) for c in to_php.changes()] == [(id_, "paid") for id_ in ids]
    assert to_php.status("C-4", ask=False).state is State.PAID
    everything = [change.reference for change in to_php.changes(since="", limit=3)]
    assert sorted(everything) == ids


def test_a_journal_entry_is_reversed_once(to_php: Any, php_ledger: PhpLedger, trip: Claim) -> None:
    """The reversal is a document of its own; asked for again, it is the same one."""
    to_php.submit(trip)
    taken_back = to_php.reverse(trip.id, posting_date=APRIL)
    assert (taken_back.reference, taken_back.journal_entry.number) == (f"{trip.id}.x1", "000002")
    assert to_php.reverse(trip.id, posting_date=APRIL) == taken_back
    assert php_ledger.statuses() == {trip.id: "reversed", f"{trip.id}.x1": "posted"}
    assert to_php.status(trip.id).state is State.REVERSED


def test_a_correction_takes_the_first_entry_back(
    to_php: Any, php_ledger: PhpLedger, trip: Claim
) -> None:
    """PHP refuses a second live revision and a late one; a correction is neither."""
    to_php.submit(trip)
    corrected = msgspec.structs.replace(trip, revision=2, title="更正")
    assert to_php.submit(corrected).reference == f"{trip.id}.r2"
    assert php_ledger.statuses() == {
        trip.id: "reversed",
        f"{trip.id}.x1": "posted",
        f"{trip.id}.r2": "posted",
    }
    with pytest.raises(ConflictingSubmission):
        to_php.submit(trip)


@pytest.mark.parametrize("how", ["mute", "killed"])
def test_a_lost_answer_is_asked_for(
    to_php: Any, php_ledger: PhpLedger, trip: Claim, how: str
) -> None:
    """PHP commits and then ends: the entry is found by its reference, and not sent again."""
    php_ledger.lose_an_answer(how)
    ack = to_php.submit(trip)
    assert (ack.state, ack.journal_entry.number) == (State.POSTED, "000001")
    assert php_ledger.operations() == ["SubmitVoucherRequest", "QueryVouchersRequest"]
    assert php_ledger.statuses() == {trip.id: "posted"}


@pytest.mark.parametrize("how", ["mute", "killed"])
def test_a_lost_answer_to_a_batch_is_asked_for(
    to_php: Any, php_ledger: PhpLedger, trip: Claim, how: str
) -> None:
    """PHP ends in the middle of a batch: what it took in is found, the rest is sent again."""
    php_ledger.lose_an_answer(how)
    claims = [renamed(trip, f"L-{n}") for n in range(3)]
    results = list(to_php.submit_many(claims, batch=3))
    numbers = [result.acknowledgement.journal_entry.number for result in results]
    assert numbers == ["000001", "000002", "000003"]
    assert php_ledger.statuses() == {claim.id: "posted" for claim in claims}


def test_a_lost_reversal_is_asked_for(to_php: Any, php_ledger: PhpLedger, trip: Claim) -> None:
    """The reversal that PHP committed is found; there is no second one."""
    to_php.submit(trip)
    php_ledger.lose_an_answer("killed")
    assert to_php.reverse(trip.id, posting_date=APRIL).journal_entry.number == "000002"
    assert php_ledger.statuses() == {trip.id: "reversed", f"{trip.id}.x1": "posted"}


@pytest.mark.parametrize("kind", CLIENTS)
def test_senders_that_know_nothing_of_each_other_post_once(
    kind: str, php_ledger: PhpLedger, trip: Claim, tmp_path: Path
) -> None:
    """Three journals, the same claims, at once: PHP's DuplicateReferenceFault is an answer."""
    claims = [renamed(trip, f"D-{n}") for n in range(6)]

    def send(journal: str) -> list[Any]:
        config = configured(php_ledger.endpoint, tmp_path / journal)
        with opened(kind, config) as client:
            return [client.submit(claim) for claim in claims]

    with ThreadPoolExecutor(3) as pool:
        sent = list(pool.map(send, ["a.db", "b.db", "c.db"]))
    assert sent[0] == sent[1] == sent[2]
    assert sorted(php_ledger.documents()) == [claim.id for claim in claims]
    answers = [open_envelope(reply).fault for reply in php_ledger.replies()]
    duplicates = [fault for fault in answers if fault is not None and fault.detail is not None]
    assert {fault.detail_name for fault in duplicates} == {
        "{urn:claimbridge:voucher-service:1}DuplicateReferenceFault"
    }
    assert len(duplicates) == 12


@pytest.mark.parametrize("kind", CLIENTS)
@pytest.mark.parametrize(("key", "soap"), [("rsa", "1.1"), ("p256", "1.2")])
def test_signed_vouchers_arrive_intact(
    kind: str,
    key: str,
    soap: str,
    php_ledger: PhpLedger,
    trip: Claim,
    throwaways: Mapping[str, Throwaway],
    peer: Callable[..., str],
    tmp_path: Path,
) -> None:
    """xmlsec1 verifies every voucher where it lies in the requests that PHP kept."""
    xmlsec1, made = peer("xmlsec1"), throwaways[key]
    identity, trust = tmp_path / "signer.pem", tmp_path / "ca.pem"
    identity.write_bytes(made.pem())
    trust.write_bytes(made.trust)
    config = configured(
        php_ledger.endpoint, tmp_path / "claims.db", soap=soap, identity=f"file:{identity}"
    )
    with opened(kind, config) as client:
        client.submit(trip)
        list(client.submit_many([renamed(trip, f"S-{n}") for n in range(3)], batch=3))
        client.reverse(trip.id, posting_date=APRIL)
    assert len(php_ledger.documents()) == 5

    trusting = [xmlsec1, "--verify", "--enabled-key-data", "x509", "--trusted-pem", str(trust)]
    signed = ["--id-attr:Id", "urn:claimbridge:voucher:1:Voucher", "--node-xpath"]
    verified = 0
    for number, request in enumerate(php_ledger.requests()):
        kept = tmp_path / f"{number}.xml"
        kept.write_bytes(request)
        for nth in range(1, request.count(b"</ds:Signature>") + 1):
            one = f"(//*[local-name()='Signature'])[{nth}]"
            found = subprocess.run(
                [*trusting, *signed, one, str(kept)], capture_output=True, timeout=30
            )
            assert found.returncode == 0, found.stderr
            verified += 1
    assert verified == 5


def test_php_s_own_replies_keep_to_the_contract(
    to_php: Any, php_ledger: PhpLedger, trip: Claim
) -> None:
    """What PHP makes of our contract is valid by it: no reading around a difference is needed."""
    to_php.submit(trip)
    list(to_php.submit_many([renamed(trip, f"K-{n}") for n in range(2)], batch=2))
    to_php.status(trip.id)
    to_php.reverse(trip.id, posting_date=APRIL)
    list(to_php.changes())
    with pytest.raises(LedgerRejection):
        to_php.submit(renamed(trip, "K-9", company="CN02"))
    envelopes = [open_envelope(reply) for reply in php_ledger.replies()]
    assert len(envelopes) == 6
    for envelope in envelopes:
        if envelope.fault is not None and envelope.fault.detail is not None:
            told = envelope.fault.detail.element
        else:
            assert envelope.body is not None
            told = envelope.body
            assert contract("voucher-service.wsdl").drift(told) == ()
        assert contract("voucher-service.wsdl").check(canonical(told)) == ()
