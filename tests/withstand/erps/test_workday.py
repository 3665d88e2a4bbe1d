"""Workday: numbers that come later, corrections, and refusals of claims and of questions."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.withstand.scene import (
    PARKED,
    QUIET,
    SENDERS,
    attempted,
    claim,
    configured,
    held,
    late,
    settled,
)

from claimbridge.contract.calls.fault import Fault
from claimbridge.errors import LedgerRejection, OutcomeUnknown
from claimbridge.model import Acknowledgement, State
from claimbridge.sandbox import Sandbox
from claimbridge.soap.transport import HttpAnswer, Transport

PROFILE = "workday"


@pytest.mark.parametrize("kind", SENDERS)
def test_the_number_comes_when_it_is_asked_for(
    erp: Sandbox, new_id: Callable[[], str], tmp_path: Path, kind: str
) -> None:
    """The answer to a submission names no number; ``wait`` brings it."""
    config = configured(PROFILE, port=erp.port, journal=tmp_path / "claims.db")
    with SENDERS[kind](config) as sender:
        mine = claim(new_id())
        ack = sender.submit(mine)
        assert (ack.state, ack.journal_entry) == (State.ACKNOWLEDGED, None)
        status = sender.wait(mine.id)
        assert status.state is State.POSTED
        (live,) = held(erp.ledger(), PROFILE, mine.id).live
        assert status.journal_entry is not None
        assert live.journal_entry.split(" / ")[0] == status.journal_entry.number


def test_a_refusal_names_the_claim_fields(
    erp: Sandbox, new_id: Callable[[], str], tmp_path: Path
) -> None:
    """The XPath of each error leads back to the field that a person can mend."""
    config = configured(PROFILE, port=erp.port, journal=tmp_path / "claims.db")
    with SENDERS["Client"](config) as sender, pytest.raises(LedgerRejection) as caught:
        sender.submit(late(claim(new_id())))
    (reason,) = caught.value.reasons
    assert reason.field == "posting_date"
    assert "2025-03 is closed" in reason.text


@pytest.mark.parametrize("kind", SENDERS)
def test_a_correction_takes_the_first_back(
    erp: Sandbox, new_id: Callable[[], str], tmp_path: Path, kind: str
) -> None:
    """Revision 2 after a posted revision 1: one reversal, one live journal."""
    config = configured(PROFILE, port=erp.port, journal=tmp_path / "claims.db")
    name = new_id()
    with SENDERS[kind](config) as sender:
        sender.submit(claim(name))
        sender.wait(name)
        sender.submit(claim(name, revision=2, taxi="40.00"))
        sender.wait(name)
    found = held(erp.ledger(), PROFILE, name)
    assert len(found.live) == len(found.taken_back) == len(found.reversals) == 1


def test_a_refused_question_refuses_no_journal(
    erp: Sandbox, new_id: Callable[[], str], tmp_path: Path
) -> None:
    """Asked after a lost answer, a tenant that refuses the question leaves the doubt as it is."""
    config = configured(PROFILE, port=erp.port, journal=tmp_path / "claims.db")
    mine = claim(new_id())
    with SENDERS["Client"](config) as sender:
        erp.set_faults("commit-then-drop@1")
        refusing = Fault(code="MustUnderstand", reason="a header is not understood")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("claimbridge.ledger.reading.Reader.answer", lambda *_, **__: refusing)
            first = attempted(sender, mine)
        erp.set_faults("")
        assert isinstance(first, OutcomeUnknown)
        assert isinstance(settled(sender, mine), Acknowledgement)
    assert len(held(erp.ledger(), PROFILE, mine.id).live) == 1


SUBMIT = b"Submit_Accounting_Journal_Request"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
AT_ROOT = "/bsvc:Submit_Accounting_Journal_Request[1]"
AT_ID = (
    "/bsvc:Get_Journals_Request[1]/bsvc:Request_References[1]/bsvc:JournalEntryReference[1]"
    "/bsvc:ID[1]"
)


def failed(code: str, reason: str, place: str = "") -> HttpAnswer:
    """A fault in the place of an answer; with a place, the Validation_Fault of one error there."""
    error = (
        f"<detail><wd:Validation_Fault><wd:Validation_Error><wd:Message>{reason}</wd:Message>"
        f"<wd:Xpath>{place}</wd:Xpath></wd:Validation_Error></wd:Validation_Fault></detail>"
    )
    text = (
        f'<s:Envelope xmlns:s="{SOAP}" xmlns:wsse="{WSSE}" xmlns:wd="urn:com.workday/bsvc"><s:Body>'
        f"<s:Fault><faultcode>{code}</faultcode><faultstring>{reason}</faultstring>"
        f"{error if place else ''}</s:Fault></s:Body></s:Envelope>"
    )
    return HttpAnswer(500, {"content-type": "text/xml"}, text.encode())


Way = Callable[[bytes, Callable[[], HttpAnswer]], HttpAnswer]
"""What stands between us and the tenant: given a request, and what brings its true answer."""


def between(patch: pytest.MonkeyPatch, way: Way) -> None:
    """Put ``way`` between us and the tenant."""
    post = Transport.post

    def posted(self: Transport, *args: Any, **named: Any) -> HttpAnswer:
        return way(args[0], lambda: post(self, *args, **named))

    patch.setattr(Transport, "post", posted)


@pytest.mark.parametrize("code", ["InvalidSecurity", "MessageExpired", "FailedCheck"])
def test_a_fault_of_security_after_the_commit_books_once(
    erp: Sandbox, new_id: Callable[[], str], tmp_path: Path, code: str
) -> None:
    """A proxy sent the request twice, and brings back how the second copy was refused."""
    config = configured(PROFILE, port=erp.port, journal=tmp_path / "claims.db")
    mine = claim(new_id())

    def twice(body: bytes, go: Callable[[], HttpAnswer]) -> HttpAnswer:
        answer = go()
        return failed(f"wsse:{code}", "a replay") if SUBMIT in body else answer

    with SENDERS["Client"](config) as sender:
        with pytest.MonkeyPatch.context() as patch:
            between(patch, twice)
            attempted(sender, mine)
        # No later revision stands beside it, either.
        settled(sender, claim(mine.id, revision=2, taxi="31.00"))
    assert len(held(erp.ledger(), PROFILE, mine.id).live) == 1


def test_a_refusal_while_a_twin_is_under_way_books_once(
    erp: Sandbox, new_id: Callable[[], str], tmp_path: Path
) -> None:
    """That there is none is said after the refusal of the second copy, before the first is in."""
    config = configured(PROFILE, port=erp.port, journal=tmp_path / "claims.db")
    mine = claim(new_id())
    twins: list[Callable[[], HttpAnswer]] = []

    def overtaken(body: bytes, go: Callable[[], HttpAnswer]) -> HttpAnswer:
        if SUBMIT in body:
            twins.append(go)
            words = "Une autre demande traite ce journal."
            return failed("s:Client.validationError", words, AT_ROOT)
        answer = go()
        if twins:
            twins.pop()()
        return answer

    with SENDERS["Client"](config) as sender:
        with pytest.MonkeyPatch.context() as patch:
            between(patch, overtaken)
            assert isinstance(attempted(sender, mine), Acknowledgement)  # asked again: it is there
        settled(sender, claim(mine.id, revision=2, taxi="31.00"))
    found = held(erp.ledger(), PROFILE, mine.id)
    assert (len(found.live), len(found.taken_back)) == (1, 1)


def test_a_refusal_of_the_whole_counts_after_the_quiet_period(
    erp: Sandbox, new_id: Callable[[], str], tmp_path: Path
) -> None:
    """Until then it is a doubt; its reasons reach the person both times."""
    config = configured(PROFILE, port=erp.port, journal=tmp_path / "claims.db")
    mine = claim(new_id())
    words = "Journal line must also have a value: Line of Business"

    def refusing(body: bytes, go: Callable[[], HttpAnswer]) -> HttpAnswer:
        if SUBMIT in body:
            return failed("s:Client.validationError", words, AT_ROOT)
        return go()

    with SENDERS["Client"](config) as sender, pytest.MonkeyPatch.context() as patch:
        between(patch, refusing)
        first = attempted(sender, mine)
        assert isinstance(first, OutcomeUnknown)
        assert words in str(first)
        time.sleep(QUIET)
        final = attempted(sender, mine)
        assert isinstance(final, LedgerRejection)
        assert [str(reason) for reason in final.reasons] == [words]


@pytest.mark.parametrize(
    "words",
    [
        "You do not have security access to this object (type = 'Accounting_Journal_ID')",
        "The object for type = 'Accounting_Journal_ID' is locked by another process.",
    ],
)
def test_a_question_that_is_refused_says_of_no_journal_that_it_is_absent(
    erp: Sandbox, new_id: Callable[[], str], tmp_path: Path, words: str
) -> None:
    """The answer was lost, and the question is refused: the doubt stays, and nothing is sent."""
    config = configured(PROFILE, port=erp.port, journal=tmp_path / "claims.db")
    mine = claim(new_id())
    sent: list[bytes] = []

    def hidden(body: bytes, go: Callable[[], HttpAnswer]) -> HttpAnswer:
        if SUBMIT not in body:
            return failed("s:Client.validationError", words, AT_ID)
        sent.append(body)
        go()
        return HttpAnswer(200, {"content-type": "text/html"}, b"<html>gateway")

    with SENDERS["Client"](config) as sender, pytest.MonkeyPatch.context() as patch:
        between(patch, hidden)
        for revision in (1, 2):
            end = attempted(sender, claim(mine.id, revision=revision, taxi=f"3{revision}.00"))
            assert isinstance(end, OutcomeUnknown)
            time.sleep(QUIET)
    assert len(sent) == 1


@pytest.fixture(scope="module")
def tenant() -> Iterator[Sandbox]:
    """A tenant whose replies are as untidy as real ones."""
    with Sandbox(profiles=[PROFILE], lifelike=True) as erp:
        yield erp


SEEDS = range(1, 13)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("fault", ["commit-then-drop", "half-reply"])
def test_a_lost_answer_and_a_second_sending_are_one_journal(
    tenant: Sandbox, new_id: Callable[[], str], tmp_path: Path, fault: str, seed: int
) -> None:
    """Sent again by a journal that knows nothing, it is refused, wherever and in whichever words.

    The refusal is no refusal of the claim: the journal is found, compared and adopted.
    """
    mine = claim(new_id())
    for name in ("lost.db", "new.db"):
        config = configured(PROFILE, port=tenant.port, journal=tmp_path / name)
        with SENDERS["Client"](config) as sender:
            if name == "lost.db":
                tenant.set_faults(f"{fault}@1", seed=seed)
                attempted(sender, mine)
                tenant.set_faults("")
            assert isinstance(settled(sender, mine), Acknowledgement)
            assert sender.wait(mine.id).state is State.POSTED
    assert len(held(tenant.ledger(), PROFILE, mine.id).live) == 1


@pytest.mark.parametrize("seed", SEEDS)
def test_another_claim_under_the_same_id_is_never_taken_for_ours(
    tenant: Sandbox, new_id: Callable[[], str], tmp_path: Path, seed: int
) -> None:
    """With other amounts it is parked for a person: not adopted, not refused, not sent again."""
    name = new_id()
    tenant.set_faults("", seed=seed)
    for taxi in ("30.00", "31.00"):
        config = configured(PROFILE, port=tenant.port, journal=tmp_path / f"{taxi}.db")
        with SENDERS["Client"](config) as sender:
            end = settled(sender, claim(name, taxi=taxi))
    assert isinstance(end, OutcomeUnknown)
    assert end.code == PARKED
    assert len(held(tenant.ledger(), PROFILE, name).live) == 1


@pytest.mark.parametrize("seed", SEEDS)
def test_a_refusal_of_an_untidy_tenant_names_the_claim_field(
    tenant: Sandbox, new_id: Callable[[], str], tmp_path: Path, seed: int
) -> None:
    """However it writes the place."""
    tenant.set_faults("", seed=seed)
    config = configured(PROFILE, port=tenant.port, journal=tmp_path / "claims.db")
    with SENDERS["Client"](config) as sender, pytest.raises(LedgerRejection) as caught:
        sender.submit(late(claim(new_id())))
    (reason,) = caught.value.reasons
    assert reason.field == "posting_date"
