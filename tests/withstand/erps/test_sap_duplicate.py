"""An SAP that refuses a document because one like it is there (F5 286 as an error)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal

import msgspec
import pytest
from tests.profiles.four_claims import CHART, CLAIMS

from claimbridge.client import Client
from claimbridge.config import LedgerConfig
from claimbridge.errors import LedgerRejection, OutcomeUnknown
from claimbridge.journal import MemoryJournal
from claimbridge.ledger import Ledger
from claimbridge.mapping import Chart
from claimbridge.model import Claim, State
from claimbridge.sandbox import Desk, ErpAnswer, ErpCall, Objection, Sandbox
from claimbridge.sandbox.erps.sap_bapi import SapBapiResponder
from claimbridge.sandbox.erps.sap_journal_entry import SapJournalEntryResponder

LIKE_IT = Objection("286(F5)", "Check whether document has already been entered")


class StrictBapi(SapBapiResponder):
    """A site that made the warning an error."""

    def answer(self, call: ErpCall, desk: Desk) -> ErpAnswer:
        """Refuse a posting whose reference the ledger has."""
        (known,) = self.references(call)[:1] or ("",)
        with desk.books.transaction() as books:
            held = {one.reference for one in books.all(self.name) if one.number}
        if call.operation == "AccDocumentPost" and known in held:
            answer = self.refuse(call, [LIKE_IT])
            assert answer is not None
            content = answer.content.replace(b"286(F5)", b"F5").replace(
                b"<Id>F5</Id><Number>000</Number>", b"<Id>F5</Id><Number>286</Number>"
            )
            return msgspec.structs.replace(answer, content=content)
        return super().answer(call, desk)


class StrictJournalEntry(SapJournalEntryResponder):
    """The same, behind the journal entry service."""

    def answer(self, call: ErpCall, desk: Desk) -> ErpAnswer:
        """Refuse an entry whose reference the ledger has."""
        with desk.books.transaction() as books:
            held = {one.reference for one in books.all(self.name)}
        if held & set(self.references(call)):
            answer = self.refuse(call, [LIKE_IT])
            assert answer is not None
            return answer
        return super().answer(call, desk)


def client(erp: Sandbox, profile: str) -> Client:
    """A client with a journal of its own, that knows nothing of other clients."""
    config = LedgerConfig(name="CN01", profile=profile, endpoint=erp.url(profile), retries=0)
    ledger = Ledger(config, chart=Chart.from_toml(CHART))
    return Client(config, ledger=ledger, journal=MemoryJournal())


@pytest.fixture
def bapi() -> Iterator[Sandbox]:
    with Sandbox(profiles=[StrictBapi()]) as erp:
        yield erp


def submitted(erp: Sandbox, profile: str, claim: Claim) -> str:
    with client(erp, profile) as first:
        done = first.submit(claim)
        assert done.state is State.POSTED
        return str(done.journal_entry)


def test_our_own_document_is_found_and_adopted(bapi: Sandbox) -> None:
    """Another journal has posted it: the amounts agree, and nothing is posted twice."""
    claim = CLAIMS["taxed"]
    number = submitted(bapi, "sap-bapi", claim)
    assert submitted(bapi, "sap-bapi", claim) == number
    assert len(bapi.ledger()) == 1


def test_a_document_with_other_amounts_is_for_a_person(bapi: Sandbox) -> None:
    """It carries our reference, and is not what we would post."""
    claim = CLAIMS["plain"]
    submitted(bapi, "sap-bapi", claim)
    line = msgspec.structs.replace(claim.lines[0], amount=Decimal("24.00"))
    other = msgspec.structs.replace(claim, lines=(line,), total=Decimal("24.00"))
    with client(bapi, "sap-bapi") as second, pytest.raises(OutcomeUnknown, match="other amounts"):
        second.submit(other)
    assert len(bapi.ledger()) == 1


def test_the_journal_entry_service_cannot_look() -> None:
    """The refusal itself says to look before a new revision."""
    claim = msgspec.structs.replace(CLAIMS["plain"], posting_date=dt.date(2026, 4, 30))
    told = r"MAY BE OURS.*EXP-1 before you submit"
    with Sandbox(profiles=[StrictJournalEntry()]) as erp:
        submitted(erp, "sap-journal-entry", claim)
        with (
            client(erp, "sap-journal-entry") as second,
            pytest.raises(LedgerRejection, match=told),
        ):
            second.submit(claim)
        assert len(erp.ledger()) == 1
