"""Plain zeep, made from the WSDL that the sandbox publishes, as most Python programs use it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
import zeep
import zeep.exceptions
from lxml import etree
from tests.peers.conftest import renamed
from tests.peers.requests import posting, reversing, reworded

from claimbridge import Claim, JournalEntry
from claimbridge.mapping import Chart
from claimbridge.profiles import load_profile
from claimbridge.profiles.request import Request
from claimbridge.sandbox import Sandbox

REFERENCE, SAP = "reference", "sap-journal-entry"
PORTS = {
    (REFERENCE, "1.1"): ("VoucherService", "VoucherSoap11"),
    (REFERENCE, "1.2"): ("VoucherService", "VoucherSoap12"),
    (SAP, "1.1"): ("service", "binding"),
    (SAP, "1.2"): ("service", "binding_soap12"),
}
Call = Callable[[str, Request], Any]


@pytest.fixture(params=["strict", "lax"])
def made(request: pytest.FixtureRequest, erp: Sandbox) -> Iterator[Callable[[str], zeep.Client]]:
    """Makes zeep's client of a contract, once."""
    clients: dict[str, zeep.Client] = {}

    def client(profile: str) -> zeep.Client:
        if profile not in clients:
            settings = zeep.Settings(strict=request.param == "strict")
            clients[profile] = zeep.Client(f"{erp.url(profile)}?wsdl", settings=settings)
        return clients[profile]

    yield client
    for one in clients.values():
        one.transport.session.close()


@pytest.fixture(params=["1.1", "1.2"])
def call(request: pytest.FixtureRequest, made: Callable[[str], zeep.Client]) -> Call:
    """Calls an operation by zeep, and returns zeep's own object."""

    def call(profile: str, asked: Request) -> Any:
        operation, arguments = reworded(load_profile(profile), asked, _for_zeep)
        service = made(profile).bind(*PORTS[profile, request.param])
        return service[operation](**arguments)

    return call


def _for_zeep(attributes: dict[str, str], text: str | None, children: dict[str, Any]) -> Any:
    return attributes | ({"_value_1": text} if text is not None else {}) | children


@pytest.mark.parametrize("name", [REFERENCE, SAP])
def test_zeep_posts_every_example(
    name: str, call: Call, erp: Sandbox, examples: tuple[Claim, ...], chart: Chart
) -> None:
    """What zeep makes of the contract is taken in, and zeep reads each number."""
    profile = load_profile(name)
    claims = [claim for claim in examples if claim.company == "CN01"]
    replies = [call(name, profile.submit([posting(claim, chart)])) for claim in claims]
    held = erp.ledger()
    assert [one.reference for one in held] == [claim.id for claim in claims]
    numbers = [(one.journal_entry or "").split(" / ")[0] for one in held]
    assert [_number(name, reply) for reply in replies] == numbers


def _number(name: str, reply: Any) -> Any:
    if name == REFERENCE:
        return reply.JournalEntry.Number
    (confirmed,) = reply.JournalEntryCreateConfirmation
    return confirmed.JournalEntryCreateConfirmation.AccountingDocument


def test_zeep_reads_what_the_contract_answers(
    call: Call, erp: Sandbox, trip: Claim, chart: Chart
) -> None:
    """A batch, a query, changes, a reversal: zeep's objects hold what was promised."""
    profile = load_profile(REFERENCE)
    first, second = posting(trip, chart), posting(renamed(trip, "Z-2"), chart)
    shown = call(REFERENCE, profile.submit([first]))
    assert (shown.Reference, shown.Status) == (trip.id, "posted")
    assert shown.DebitTotal[0].Amount == first.voucher.totals["CNY"]

    batch = call(REFERENCE, profile.submit([first, second]))
    assert batch[0].Duplicate.Document.JournalEntry.Number == shown.JournalEntry.Number
    assert batch[1].Document.Reference == "Z-2"

    known, unknown = call(REFERENCE, profile.query([trip.id, "Z-3"]))
    assert known.Document.JournalEntry.Number == shown.JournalEntry.Number
    assert (unknown.Reference, unknown.Document) == ("Z-3", None)

    entry = JournalEntry(shown.JournalEntry.Number, "CN01", "2026")
    assert call(REFERENCE, profile.reverse(reversing(first, entry))).Status == "posted"
    page = call(REFERENCE, profile.changes("", 2))
    assert (len(page.Document), page.More) == (2, True)
    rest = call(REFERENCE, profile.changes(page.Cursor, 2))
    assert [document.Status for document in (*page.Document, *rest.Document)] == [
        "posted",
        "posted",
        "reversed",
    ]


def test_zeep_reads_typed_faults(
    call: Call, made: Callable[[str], zeep.Client], trip: Claim, chart: Chart
) -> None:
    """Each fault's detail is an element of the contract, and zeep's own types read it."""
    profile, posted = load_profile(REFERENCE), posting(trip, chart)
    early = posting(msgspec.structs.replace(trip, posting_date=dt.date(2025, 12, 31)), chart)
    nothing = reversing(posted, JournalEntry("999999", "CN01", "2026"))

    def detail(asked: Request) -> Any:
        with pytest.raises(zeep.exceptions.Fault) as refused:
            call(REFERENCE, asked)
        held = refused.value.detail
        assert isinstance(held, etree._Element)
        (told,) = held
        return made(REFERENCE).get_element(told.tag).parse(told, made(REFERENCE).wsdl.types)

    assert [reason.Code for reason in detail(profile.submit([early])).Reason] == ["period-closed"]
    assert detail(profile.reverse(nothing)).JournalEntry.Number == "999999"
    assert detail(profile.changes("nonsense", 1)).Cursor == "nonsense"
    call(REFERENCE, profile.submit([posted]))
    assert detail(profile.submit([posted])).Document.JournalEntry.Number == "000001"


def test_zeep_reads_sap_s_refusal(call: Call, erp: Sandbox, trip: Claim, chart: Chart) -> None:
    """SAP refuses in a reply that raises nothing: no number, and a log of severity 3."""
    early = posting(msgspec.structs.replace(trip, posting_date=dt.date(2025, 12, 31)), chart)
    (confirmed,) = call(SAP, load_profile(SAP).submit([early])).JournalEntryCreateConfirmation
    assert confirmed.Log.MaximumLogItemSeverityCode == "3"
    assert not (confirmed.JournalEntryCreateConfirmation.AccountingDocument or "").strip()
    assert erp.ledger() == []
