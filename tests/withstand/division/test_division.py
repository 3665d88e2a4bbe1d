"""A claim too long for one document: several, each posted once, in the place of any others."""

from __future__ import annotations

import datetime as dt
import itertools
from collections import Counter
from collections.abc import Callable, Iterable
from decimal import Decimal
from multiprocessing.context import ForkServerContext
from pathlib import Path

import msgspec
import pytest
from tests.withstand.breaks.interrupted import ENDED, divided_until, submit_divided_until
from tests.withstand.division.short_documents import LongerDocuments, ShortDocuments
from tests.withstand.scene import chart, configured, contract, faults, patiently

from claimbridge.client import Client
from claimbridge.errors import (
    ClaimBridgeError,
    ClaimError,
    ConflictingSubmission,
    LedgerRejection,
    LedgerUnavailable,
    NotDelivered,
)
from claimbridge.ledger import Ledger, Preview
from claimbridge.model import (
    Acknowledgement,
    Advance,
    Claim,
    ClaimLine,
    Payee,
    Posting,
    Side,
    State,
    SupportingDocument,
)
from claimbridge.profiles import load_profile
from claimbridge.profiles.reference.profile import Reference
from claimbridge.sandbox import LedgerRow, Sandbox

NewId = Callable[[], str]
DAY = dt.date(2026, 3, 11)
LATER_REFUSED = ",".join(f"throttle@{number}" for number in range(2, 12))
"""The first call is taken, and none after it."""
ADVANCES = "1221.01"


def long_claim(id_: str, *, lines: int = 10, revision: int = 1, **more: object) -> Claim:
    """A claim of so many taxi rides, no two of which cost the same."""
    rides = tuple(
        ClaimLine(type="taxi", date=DAY, amount=Decimal(10 + number)) for number in range(lines)
    )
    return Claim(
        id=id_,
        revision=revision,
        company="CN01",
        employee="E1024",
        currency="CNY",
        total=sum((ride.amount for ride in rides), Decimal(0)),
        lines=rides,
        posting_date=dt.date(2026, 3, 31),
        **more,
    )


def client(erp: Sandbox, folder: Path, profile: Reference | None = None) -> Client:
    """A client of the sandbox as an ERP of short documents, or as ``profile`` says."""
    config = configured("reference", port=erp.port, journal=folder / "claims.db", longest_wait=0.5)
    made = profile or ShortDocuments()
    ledger = Ledger(config, profile=made, contract=contract("reference"), chart=chart())
    return Client(config, ledger=ledger)


def live(erp: Sandbox, claim_id: str) -> dict[str, LedgerRow]:
    """What counts in the ERP's ledger of a claim, by reference; no reference comes twice."""
    found = [
        one
        for one in erp.ledger()
        if one.purpose == "post"
        and one.state in {"entered", "posted", "paid"}
        and one.reference.split(".")[0].split("/")[0] == claim_id
    ]
    assert max(Counter(one.reference for one in found).values(), default=1) == 1
    return {one.reference: one for one in found}


def debits(documents: dict[str, LedgerRow]) -> Decimal:
    """The sum of all debits."""
    return sum(
        (
            Decimal(posting["amount"])
            for one in documents.values()
            for posting in one.postings
            if posting["side"] == "debit"
        ),
        Decimal(0),
    )


def test_a_long_claim_is_several_documents(erp: Sandbox, new_id: NewId, tmp_path: Path) -> None:
    """Ten lines and five postings in a document: three documents, which add up to the claim."""
    mine = long_claim(new_id())
    with client(erp, tmp_path) as sender:
        ack = sender.submit(mine)
        assert [(one.claim_id, one.document_number) for one in ack.documents] == [
            (mine.id, n) for n in (1, 2, 3)
        ]
        assert (ack.claim_id, ack.document_number) == (mine.id, 0)
        assert ack.journal_entry == ack.documents[0].journal_entry
        found = live(erp, mine.id)
        assert sorted(found) == [f"{mine.id}.p1", f"{mine.id}.p2", f"{mine.id}.p3"]
        assert debits(found) == mine.total
        before = erp.requests()
        assert sender.submit(mine) == ack
        assert erp.requests() == before, "what is done is not sent again"
        status = sender.status(mine.id)
        assert (status.claim_id, len(status.documents)) == (mine.id, 3)
        assert status.documents[1].journal_entry == ack.documents[1].journal_entry
        with pytest.raises(ClaimError, match="CB-132"):
            sender.status(f"{mine.id}/2")


def test_advances_and_payees_are_divided(erp: Sandbox, new_id: NewId, tmp_path: Path) -> None:
    """No part settles more than it owes, and all of them together what the claim does."""
    rides = long_claim(new_id()).total
    mine = long_claim(
        new_id(),
        advances=(Advance(reference="A-1", settled=Decimal(60), returned=Decimal(5)),),
        payees=(
            Payee(partner="E1024", amount=Decimal(20)),
            Payee(partner="V9", amount=rides - 80),
        ),
    )
    with client(erp, tmp_path) as sender:
        parts = sender.previews(mine)
    assert len(parts) == 4
    assert max(len(part.voucher.postings) for part in parts) <= 5
    config = configured("reference", port=1, journal=tmp_path / "unused.db")
    undivided = Ledger(config, contract=contract("reference"), chart=chart())
    assert _sums(parts) == _sums([undivided.preview(mine)])
    settled = [p.amount for p in _postings(parts) if p.account == ADVANCES]
    assert sum(settled) == Decimal(65)


@pytest.mark.parametrize("place", ["@1", "@2", "@3", "any"])
@pytest.mark.parametrize("fault", list(faults()))
def test_every_fault_at_every_part(
    erp: Sandbox, new_id: NewId, tmp_path: Path, fault: str, place: str
) -> None:
    """Whatever happens on the way, each part is posted once."""
    with client(erp, tmp_path) as sender:
        sender.submit(long_claim(new_id(), lines=2))
        mine = long_claim(new_id())
        erp.set_faults(f"any:{fault}" if place == "any" else fault + place)
        _attempted(sender, mine)
        assert debits(live(erp, mine.id)) <= mine.total
        erp.set_faults("")
        ack = patiently(lambda: sender.submit(mine))
        assert len(ack.documents) == 3
        assert len(live(erp, mine.id)) == 3
        assert debits(live(erp, mine.id)) == mine.total


@pytest.mark.parametrize(
    "fault", ["", "commit-then-drop", "drop-before-commit", "fault", "timeout"]
)
@pytest.mark.parametrize(("first", "second"), [(10, 3), (3, 10), (10, 7), (7, 10), (10, 10)])
def test_revisions_that_divide_otherwise(
    erp: Sandbox, new_id: NewId, tmp_path: Path, first: int, second: int, fault: str
) -> None:
    """What the new revision's documents do not replace is taken back before they are posted."""
    name = new_id()
    with client(erp, tmp_path) as sender:
        patiently(lambda: sender.submit(long_claim(name, lines=first)))
        correction = long_claim(name, lines=second, revision=2)
        if fault:
            erp.set_faults(f"any:{fault}")
            _attempted(sender, correction)
            assert debits(live(erp, name)) <= max(correction.total, long_claim(name).total)
            erp.set_faults("")
        ack = patiently(lambda: sender.submit(correction))
        found = live(erp, name)
        assert len(found) == max(1, len(ack.documents))
        assert all(reference.endswith(".r2") for reference in found)
        assert debits(found) == correction.total
        with pytest.raises(ConflictingSubmission, match="CB-45"):
            sender.submit(long_claim(name, lines=first))
        assert live(erp, name) == found


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(("first", "second"), [(10, 3), (3, 10)])
def test_a_process_that_ends_at_any_write(
    erp: Sandbox,
    new_id: NewId,
    tmp_path: Path,
    processes: ForkServerContext,
    first: int,
    second: int,
    when: str,
) -> None:
    """The next process finishes what it left: the correction alone is in the ledger."""
    config = configured("reference", port=erp.port, journal=tmp_path / "claims.db")
    ended = 0
    for write in itertools.count(1):
        name = new_id()
        correction = long_claim(name, lines=second, revision=2)
        with client(erp, tmp_path) as sender:
            sender.submit(long_claim(name, lines=first))
        process = processes.Process(
            target=submit_divided_until, args=(config, correction, write, when)
        )
        process.start()
        process.join(60)
        assert debits(live(erp, name)) <= max(correction.total, long_claim(name).total)
        with client(erp, tmp_path) as sender:
            list(sender.reconcile())
            patiently(lambda wanted=correction, to=sender: to.submit(wanted))
        found = live(erp, name)
        assert all(reference.endswith(".r2") for reference in found)
        assert debits(found) == correction.total
        if process.exitcode == 0:
            break
        assert process.exitcode == ENDED
        ended += 1
    assert ended >= 8


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("what", ["submit", "correct", "shorten", "reverse"])
def test_reconcile_alone_finishes_what_was_intended(
    erp: Sandbox,
    new_id: NewId,
    tmp_path: Path,
    processes: ForkServerContext,
    what: str,
    when: str,
) -> None:
    """Cut off at any write, a claim is whole once another process reconciles, or was not begun."""
    config = configured("reference", port=erp.port, journal=tmp_path / "claims.db")
    first_lines, lines = 10, {"correct": 7, "shorten": 3}.get(what, 10)
    finished = 0
    for write in itertools.count(1):
        name = new_id()
        mine = long_claim(name, lines=lines, revision=2 if lines != first_lines else 1)
        before = Decimal(0)
        with client(erp, tmp_path) as sender:
            if what != "submit":
                before = long_claim(name, lines=first_lines).total
                sender.submit(long_claim(name, lines=first_lines))
        wish = "reverse" if what == "reverse" else "submit"
        process = processes.Process(target=divided_until, args=(config, mine, wish, write, when))
        process.start()
        process.join(60)
        with client(erp, tmp_path) as sender:
            patiently(lambda to=sender: _reconciled(to))
            assert list(sender.reconcile()) == [], "nothing is unfinished"
        after = Decimal(0) if what == "reverse" else mine.total
        found = debits(live(erp, name))
        begun = write > 1 or when == "after" or process.exitcode == 0
        assert found == (after if begun else before)
        finished += begun
        if process.exitcode == 0:
            break
        assert process.exitcode == ENDED
    assert finished >= 6


def _reconciled(sender: Client) -> None:
    """Reconcile; raise the error that remains."""
    for one in sender.reconcile():
        if one.error is not None:
            raise one.error


def test_a_changed_limit_posts_nothing_again(erp: Sandbox, new_id: NewId, tmp_path: Path) -> None:
    """Not the whole beside its parts, nor the parts beside the whole."""
    divided, whole = long_claim(new_id()), long_claim(new_id())
    with client(erp, tmp_path) as sender:
        ack = sender.submit(divided)
    with client(erp, tmp_path, LongerDocuments()) as sender:
        assert sender.submit(divided) == ack
        entire = sender.submit(whole)
        assert not entire.documents
    with client(erp, tmp_path) as sender:
        assert sender.submit(whole) == entire
    assert (len(live(erp, divided.id)), len(live(erp, whole.id))) == (3, 1)


def test_a_half_posted_claim_under_another_limit_is_refused(
    erp: Sandbox, new_id: NewId, tmp_path: Path
) -> None:
    """A person decides: a higher revision takes the first half back."""
    mine = long_claim(new_id())
    with client(erp, tmp_path) as sender:
        erp.set_faults(LATER_REFUSED)
        with pytest.raises(
            LedgerUnavailable, match=r"part 2 of 3 \(1 accepted before it\)"
        ) as told:
            sender.submit(mine)
        assert told.value.claim_id == mine.id
        erp.set_faults("")
        status = sender.status(mine.id)
        assert status.state is State.PENDING
        assert status.detail.endswith("2 of 3 parts were not sent yet")
    with client(erp, tmp_path, LongerDocuments()) as sender:
        with pytest.raises(ConflictingSubmission, match="CB-456"):
            sender.submit(mine)
        assert list(live(erp, mine.id)) == [f"{mine.id}.p1"]
        sender.submit(long_claim(mine.id, revision=2))
        assert list(live(erp, mine.id)) == [f"{mine.id}.r2"]
        assert [one.error for one in sender.reconcile()] == []
        assert list(live(erp, mine.id)) == [f"{mine.id}.r2"], "the second part is never sent"


def test_what_was_never_sent_gives_way(erp: Sandbox, new_id: NewId, tmp_path: Path) -> None:
    """Parts that never left are not sent beside the whole that took their place."""
    mine = long_claim(new_id())
    erp.set_faults("refuse-connection%100")
    with client(erp, tmp_path) as sender, pytest.raises(NotDelivered):
        sender.submit(mine)
    erp.set_faults("")
    with client(erp, tmp_path, LongerDocuments()) as sender:
        assert not sender.submit(mine).documents
        list(sender.reconcile())
    assert list(live(erp, mine.id)) == [mine.id]


def test_a_divided_claim_is_reversed_whole(erp: Sandbox, new_id: NewId, tmp_path: Path) -> None:
    """All its documents, once; and it is not posted again under the same revision."""
    mine = long_claim(new_id())
    with client(erp, tmp_path) as sender:
        sender.submit(mine)
        erp.set_faults("commit-then-drop@2")
        ack = patiently(lambda: sender.reverse(mine.id))
        erp.set_faults("")
        assert len(ack.documents) == 3
        assert live(erp, mine.id) == {}
        assert sender.status(mine.id).state is State.REVERSED
        with pytest.raises(ConflictingSubmission, match="CB-453"):
            sender.submit(mine)
    reversals = [one for one in erp.ledger() if one.purpose == "reverse"]
    assert len([one for one in reversals if one.reference.startswith(f"{mine.id}.p")]) == 3


def test_a_half_posted_claim_is_reversed_for_good(
    erp: Sandbox, new_id: NewId, tmp_path: Path
) -> None:
    """Its other half is not sent afterwards."""
    mine = long_claim(new_id())
    with client(erp, tmp_path) as sender:
        erp.set_faults(LATER_REFUSED)
        with pytest.raises(LedgerUnavailable):
            sender.submit(mine)
        erp.set_faults("")
        sender.reverse(mine.id)
        list(sender.reconcile())
        assert live(erp, mine.id) == {}


@pytest.mark.parametrize("reversed", [True, False])
def test_a_reversed_claims_invoice_is_free(
    erp: Sandbox, new_id: NewId, tmp_path: Path, reversed: bool
) -> None:
    """As that of an undivided claim; while a part of it is in the ledger it is used."""
    invoice = SupportingDocument(kind="vat_ordinary", number="26312000000000123456")

    def using(claim: Claim) -> Claim:
        first = msgspec.structs.replace(claim.lines[0], documents=(invoice,))
        return msgspec.structs.replace(claim, lines=(first, *claim.lines[1:]))

    mine, other = using(long_claim(new_id())), using(long_claim(new_id(), lines=2))
    with client(erp, tmp_path) as sender:
        sender.submit(mine)
        assert {one.claim_id for one in sender.journal.invoices([invoice.number])} == {mine.id}
        if reversed:
            sender.reverse(mine.id)
            sender.submit(other)
            return
        with pytest.raises(ClaimError) as refused:
            sender.submit(other)
    assert refused.value.code == "CB-530"
    assert f"used by claim {mine.id} already" in refused.value.message
    assert live(erp, other.id) == {}


def test_a_claim_taken_back_where_it_came_from(erp: Sandbox, new_id: NewId, tmp_path: Path) -> None:
    """What was never sent never is; what is in the ledger stays, and is told."""
    waiting, half = long_claim(new_id()), long_claim(new_id())
    with client(erp, tmp_path) as sender:
        erp.set_faults("throttle%100")
        with pytest.raises(LedgerUnavailable):
            sender.submit(waiting)
        erp.set_faults(LATER_REFUSED)
        with pytest.raises(LedgerUnavailable):
            sender.submit(half)
        erp.set_faults("")
        assert sender.withdraw(waiting.id, reason="taken back") is None
        assert sender.withdraw(waiting.id, reason="taken back") is None
        assert sender.withdraw("unheard-of", reason="taken back") is None
        assert sender.status(waiting.id).detail.startswith("taken back")
        standing = sender.withdraw(half.id, reason="taken back")
        assert standing is not None
        assert (standing.claim_id, standing.state) == (half.id, State.PENDING)
        assert [one.state for one in standing.documents] == ["posted", "pending", "pending"]
        list(sender.reconcile())
        assert live(erp, waiting.id) == {}
        assert len(live(erp, half.id)) == 3
        with pytest.raises(ConflictingSubmission, match="CB-459"):
            sender.submit(waiting)
        with pytest.raises(ConflictingSubmission, match="CB-459"):
            sender.submit(long_claim("unheard-of"))
        sender.submit(long_claim(waiting.id, revision=2))
        assert len(live(erp, waiting.id)) == 3


@pytest.mark.parametrize("profile", ["reference", "sap-bapi"])
@pytest.mark.parametrize("their", ["{0}/1", "{0}.p1", "{0}/1.p1"])
def test_another_claim_whose_id_looks_like_a_part(
    erp: Sandbox, new_id: NewId, tmp_path: Path, their: str, profile: str
) -> None:
    """Whatever is done with the divided claim, that one stands as it was posted."""
    mine = long_claim(new_id())
    other = long_claim(their.format(mine.id), lines=2)
    config = configured(profile, port=erp.port, journal=tmp_path / "claims.db")
    limited = load_profile(profile)
    limited.capabilities = msgspec.structs.replace(limited.capabilities, postings=5)
    ledger = Ledger(config, profile=limited, contract=contract(profile), chart=chart())
    with Client(config, ledger=ledger) as sender:
        ack = sender.submit(other)
        assert not ack.documents
        assert len(sender.submit(mine).documents) == 3
        assert len(sender.submit(long_claim(mine.id, revision=2)).documents) == 3
        sender.reverse(mine.id)
        assert sender.status(other.id).state is State.POSTED
    (theirs,) = [one for one in erp.ledger() if one.reference == ack.reference]
    assert (theirs.state, theirs.journal_entry) == ("posted", str(ack.journal_entry))


@pytest.mark.parametrize("strikes", [1, 2])
def test_a_refused_reversal_of_a_part(
    erp: Sandbox, new_id: NewId, tmp_path: Path, strikes: int
) -> None:
    """At the first nothing is taken back; at a later one the rest stays told as unfinished."""
    mine = long_claim(new_id())
    with client(erp, tmp_path) as sender:
        sender.submit(mine)
        erp.set_faults(f"reverse:fault@{strikes}")
        with pytest.raises(LedgerRejection):
            sender.reverse(mine.id)
        erp.set_faults("")
        assert len(live(erp, mine.id)) == (3 if strikes == 1 else 2)
        status = sender.status(mine.id)
        unfinished = list(sender.reconcile())
        if strikes == 1:
            assert (status.state, unfinished) == (State.POSTED, [])
            sender.reverse(mine.id)
        else:
            assert status.state is State.REVERSING
            assert "not reversed yet" in status.detail
            assert [one.claim_id for one in unfinished] == [mine.id]
        assert live(erp, mine.id) == {}
        assert sender.status(mine.id).state is State.REVERSED


def test_a_refused_part_is_told_until_somebody_decides(
    erp: Sandbox, new_id: NewId, tmp_path: Path
) -> None:
    """The parts before it are in the ledger: reconcile names it, and sends nothing beside it."""
    mine = long_claim(new_id())
    with client(erp, tmp_path) as sender:
        erp.set_faults("submit:fault@2")
        with pytest.raises(LedgerRejection, match=r"part 2 of 3 \(1 accepted before it\)"):
            sender.submit(mine)
        erp.set_faults("")
        for _ in range(2):
            (told,) = sender.reconcile()
            assert isinstance(told.error, LedgerRejection)
            assert "part 2 of 3" in told.error.message
        assert list(live(erp, mine.id)) == [f"{mine.id}.p1"]
        assert len(sender.submit(mine).documents) == 3
        assert list(sender.reconcile()) == []


def test_a_part_is_settled_by_its_number(erp: Sandbox, new_id: NewId, tmp_path: Path) -> None:
    """The claim alone does not say which of its documents somebody found."""
    mine = long_claim(new_id())
    with client(erp, tmp_path) as sender:
        sender.submit(mine)
        with pytest.raises(ConflictingSubmission, match="CB-469"):
            sender.settle(mine.id, revision=1, posted=None)
        with pytest.raises(ConflictingSubmission, match="CB-454"):
            sender.settle(mine.id, revision=1, part=2, posted=None)


def test_many_at_once(erp: Sandbox, new_id: NewId, tmp_path: Path) -> None:
    """Long claims among short ones, in batches."""
    claims = [long_claim(new_id(), lines=lines) for lines in (2, 10, 3, 7)]
    with client(erp, tmp_path) as sender:
        ends = [one.acknowledgement for one in sender.submit_many(claims, batch=4)]
        assert [len(ack.documents) for ack in ends if ack] == [0, 3, 0, 2]
    for claim in claims:
        assert debits(live(erp, claim.id)) == claim.total


def _postings(previews: Iterable[Preview]) -> list[Posting]:
    return [posting for preview in previews for posting in preview.voucher.postings]


def _sums(previews: Iterable[Preview]) -> dict[tuple[str, str], Decimal]:
    """What is posted per account and partner, debits positive."""
    sums: Counter[tuple[str, str]] = Counter()
    for posting in _postings(previews):
        sign = 1 if posting.side is Side.DEBIT else -1
        sums[posting.account, posting.partner] += sign * posting.amount
    return dict(sums)


def _attempted(sender: Client, claim: Claim) -> Acknowledgement | ClaimBridgeError:
    try:
        return sender.submit(claim)
    except ClaimBridgeError as error:
        return error
