"""Both clients and the profile sap-bapi against ``mock-sap``, a server that nobody here wrote."""

from __future__ import annotations

import datetime as dt
import json
import sys
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.peers.conftest import configured
from tests.peers.mock_sap import PATH, TABLES, MockSap
from tests.peers.senders import CLIENTS, opened
from tests.profiles.samples import TRIP, reply
from tests.profiles.samples import submission as submitted
from tests.withstand.relay import Fate, Order, Relay, Stage
from tests.withstand.scene import claim

from claimbridge import (
    Claim,
    LedgerRejection,
    LedgerUnavailable,
    OutcomeUnknown,
    SchemaViolation,
    State,
    Timeouts,
)
from claimbridge.errors import ContractDriftWarning, DeliveryError, NotDelivered
from claimbridge.model import OutcomeKind
from claimbridge.profiles.sap.bapi import SapBapi
from claimbridge.submission import ProbeChoice

pytestmark = pytest.mark.filterwarnings(
    "ignore::claimbridge.errors.ContractDriftWarning"  # its names are spelt otherwise than SAP's
)
POST, COMMIT = "BAPI_ACC_DOCUMENT_POST", "BAPI_TRANSACTION_COMMIT"
ROLLBACK, READ = "BAPI_TRANSACTION_ROLLBACK", "RFC_READ_TABLE"
MARCH = dt.date(2026, 3, 31)
CHART = """
[chart]
name = "without tax codes"
default_cost_centre = "1000"
[accounts]
employee_payable = "2241"
card_payable = "2242"
input_tax = "2221"
rounding = "6603"
[company.CN01]
currency = "CNY"
[[expense]]
type = "taxi"
name = "Taxi"
account = "6602"
[[expense]]
type = "hotel"
name = "Hotel"
account = "6604"
deductible = 1
"""
"""mock-sap knows no ACCOUNTTAX; a tax without a code is a G/L item."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, peer: Callable[..., str]) -> Iterator[MockSap]:
    beside = Path(sys.executable).with_name("mock-sap")
    program = str(beside) if beside.exists() else peer("mock-sap")
    with MockSap.serving(program, tmp_path_factory.mktemp("mock-sap")) as mock:
        yield mock


@pytest.fixture
def sap(served: MockSap) -> MockSap:
    served.reset()
    return served


@pytest.fixture
def relay(sap: MockSap) -> Iterator[Relay]:
    with Relay(sap.port) as between:
        yield between


@pytest.fixture(params=CLIENTS)
def client(request: pytest.FixtureRequest, relay: Relay, tmp_path: Path) -> Iterator[Any]:
    with opened(request.param, ledger(relay.port, tmp_path)) as made:
        yield made


def ledger(port: int, folder: Path, *, chart: str = CHART, **changes: Any) -> Any:
    (folder / "chart.toml").write_text(chart)
    settings: dict[str, Any] = {
        "profile": "sap-bapi",
        "options": {"tables": msgspec.to_builtins(TABLES)},
        "chart": str(folder / "chart.toml"),
        "timeouts": Timeouts(connect=0.5, total=0.8),
        "quiet_period": 0.9,
        "retries": 0,
    }
    endpoint = f"http://127.0.0.1:{port}{PATH}"
    return configured(endpoint, folder / "claims.db", **settings | changes)


def test_a_claim_is_posted_once_committed_and_found(client: Any, sap: MockSap) -> None:
    """Asked for, posted, committed, and looked for; submitted again, nothing is called."""
    ack = client.submit(claim("T-1"))
    assert sap.calls() == [READ, POST, COMMIT, READ]
    (document,) = sap.documents()
    assert document["ReferenceDocument"] == ack.reference == "T-1"
    assert ack.state is State.POSTED
    assert str(ack.journal_entry) == f"{document['AccountingDocument']} / CN01 / 2026"
    assert document["AccountingDocumentType"] == "KR"
    assert client.submit(claim("T-1")) == ack
    assert sap.calls() == [READ, POST, COMMIT, READ]


def test_items_carry_what_the_voucher_says(client: Any, sap: MockSap) -> None:
    """Accounts, sides, amounts, texts, cost centre and vendor arrive as they were built."""
    ack = client.submit(claim("T-1"))
    named = ("GLAccount", "DebitCreditCode", "AmountInTransactionCurrency", "CostCenter")
    items = sap.items(ack.journal_entry.number)
    assert [tuple(item[name] for name in named) for item in items] == [
        ("0000006604", "S", "100.000", "0000001000"),
        ("0000002221", "S", "6.000", ""),
        ("0000006602", "S", "30.000", "0000001000"),
        ("", "H", "136.000", ""),
    ]
    assert items[3]["Supplier"] == "E1024"
    assert items[2]["DocumentItemText"] == "Taxi 站 → office"


@pytest.mark.parametrize("soap", ["1.1", "1.2"])
def test_either_version_of_soap_is_taken(
    sap: MockSap, relay: Relay, tmp_path: Path, soap: str
) -> None:
    """mock-sap answers in SOAP 1.1, whatever it was asked in; the envelope's own version counts."""
    with opened("Client", ledger(relay.port, tmp_path, soap=soap)) as client:
        assert client.submit(claim("T-1")).state is State.POSTED


def test_its_spelling_is_told_as_a_drift(sap: MockSap, relay: Relay, tmp_path: Path) -> None:
    """ABAP's names in a namespace of camel case: read all the same, and told."""
    with (
        pytest.warns(ContractDriftWarning, match="OBJ_KEY"),
        opened("Client", ledger(relay.port, tmp_path)) as client,
    ):
        client.submit(claim("T-1"))


@pytest.mark.parametrize("kind", ["E", "A"])
def test_a_message_of_type_e_or_a_refuses(client: Any, sap: MockSap, kind: str) -> None:
    """A refusal in a 200 is rolled back and told in SAP's words; corrected, it can be sent."""
    sap.answer(POST, kind, "Posting period 003 2026 is not open")
    with pytest.raises(LedgerRejection) as refused:
        client.submit(claim("T-1"))
    (reason,) = refused.value.reasons
    assert (reason.code, reason.text) == ("201(F5)", "Posting period 003 2026 is not open")
    assert sap.calls() == [READ, POST, ROLLBACK]
    assert sap.documents() == []
    assert client.status("T-1").state is State.REJECTED


REFUSALS: dict[str, tuple[Callable[[dict[str, Any]], object], str, str]] = {
    "no company": (lambda body: body["Documentheader"].pop("CompCode"), "165(F5)", "COMP_CODE"),
    "no items": (
        lambda body: [body.pop(name) for name in ("Accountgl", "Accountpayable")],
        "166(F5)",
        "ACCOUNTGL",
    ),
    "no amount": (
        lambda body: body["Currencyamount"]["item"].pop(),
        "167(F5)",
        "CURRENCYAMOUNT[1]",
    ),
    "no date": (
        lambda body: body["Documentheader"].update(PstngDate="2026-02-31"),
        "000(SR)",
        "DOCUMENTHEADER/PSTNG_DATE",
    ),
    "no balance": (
        lambda body: body["Currencyamount"]["item"][0].update(AmtDoccur="1"),
        "702(F5)",
        "",
    ),
}
"""What mock-sap refuses by itself: how a request comes to it, its message, and the place."""


@pytest.mark.parametrize("why", REFUSALS)
def test_each_refusal_is_read_with_its_place(sap: MockSap, why: str) -> None:
    """Most of these never leave a client; sent by hand, each answer reads as a refusal."""
    spoil, code, place = REFUSALS[why]
    profile = SapBapi(tables=TABLES)
    plain = tuple(msgspec.structs.replace(leg, tax_code="", tax_base=None) for leg in TRIP.postings)
    request = profile.submit([submitted(msgspec.structs.replace(TRIP, postings=plain))])
    body: Any = json.loads(msgspec.json.encode(request.body))
    spoil(body)
    (outcome,) = profile.read(reply(sap.called(request.operation, body)))
    assert outcome.kind is OutcomeKind.REJECTED
    (reason,) = outcome.reasons
    assert reason.code == code
    assert reason.field.endswith(place)
    assert sap.documents() == []


@pytest.mark.parametrize("kind", ["W", "S"])
def test_a_warning_refuses_nothing(client: Any, sap: MockSap, kind: str) -> None:
    """A posted document with a message beside it is posted."""
    sap.answer(POST, kind, "Check the payment terms")
    assert client.submit(claim("T-1")).state is State.POSTED
    assert len(sap.documents()) == 1


def test_what_does_not_balance_there_is_refused(sap: MockSap, relay: Relay, tmp_path: Path) -> None:
    """mock-sap does not know ACCOUNTTAX, which SAP documents: it misses the tax, and says so."""
    chart = CHART + 'tax_code = "J6"\n'
    with (
        opened("Client", ledger(relay.port, tmp_path, chart=chart)) as client,
        pytest.raises(LedgerRejection) as refused,
    ):
        client.submit(claim("T-1"))
    assert [reason.code for reason in refused.value.reasons] == ["702(F5)"]
    assert "-6.00 CNY" in refused.value.reasons[0].text
    assert sap.documents() == []


def test_what_it_would_refuse_never_leaves(client: Any, sap: MockSap) -> None:
    """A vendor of eleven characters is no CHAR10: refused here, with the claim's field."""
    with pytest.raises(SchemaViolation) as refused:
        client.submit(msgspec.structs.replace(claim("T-1"), employee="E" * 11))
    assert {finding.claim_field for finding in refused.value.findings} == {"employee"}
    assert sap.calls() == []


@pytest.mark.parametrize("exchange", [2, 3, 4], ids=["post", "commit", "look"])
@pytest.mark.parametrize("stage", [Stage.ANSWERED, Stage.HALF_ANSWERED])
def test_a_lost_answer_is_found_by_its_reference(
    client: Any, sap: MockSap, relay: Relay, exchange: int, stage: Stage
) -> None:
    """Whichever answer after the question's is lost: in doubt, asked for, adopted; one document."""
    relay.order(Order(exchange, stage, fate=Fate.LOSE))
    ack = client.submit(claim("T-1"))
    (document,) = sap.documents()
    assert ack.journal_entry.number == document["AccountingDocument"]
    assert sap.calls().count(POST) == 1
    # The documents under the reference, and their items for the amounts.
    assert sap.calls()[-2:] == [READ, READ]


def test_a_request_lost_on_its_way_is_sent_again_after_the_quiet_period(
    client: Any, sap: MockSap, relay: Relay
) -> None:
    """Nothing is found under the reference, and it may still arrive: wait, ask, send."""
    relay.order(Order(2, Stage.SENT, fate=Fate.LOSE))
    with pytest.raises(OutcomeUnknown):
        client.submit(claim("T-1"))
    assert POST not in sap.calls()
    ack = settled(client, claim("T-1"))
    assert ack.state is State.POSTED
    assert len(sap.documents()) == 1


def test_an_answer_too_late_is_found(client: Any, sap: MockSap, relay: Relay) -> None:
    """By its control plane: 1.2 s where 0.8 are allowed; it posts after we gave up."""
    relay.order(Order(2, Stage.SENT, act=lambda: sap.fail(scenario="slow")))
    with pytest.raises(OutcomeUnknown):
        client.submit(claim("T-1"))
    ack = settled(client, claim("T-1"))
    assert ack.state is State.POSTED
    assert sap.calls().count(POST) == 1
    assert len(sap.documents()) == 1


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"scenario": "busy"}, LedgerUnavailable),
        ({"scenario": "auth"}, NotDelivered),
        ({"scenario": "forbidden"}, DeliveryError),
        ({"scenario": "error"}, OutcomeUnknown),
        ({"status": 429}, LedgerUnavailable),
        ({"status": 502}, OutcomeUnknown),
    ],
    ids=lambda case: "-".join(map(str, case.values())) if isinstance(case, dict) else "",
)
def test_an_injected_fault_posts_nothing_twice(
    client: Any, sap: MockSap, relay: Relay, rule: dict[str, Any], expected: type[DeliveryError]
) -> None:
    """Each is told for what it is; afterwards the claim is posted, once."""
    relay.order(Order(2, Stage.SENT, act=lambda: sap.fail(**rule)))
    with pytest.raises(expected):
        client.submit(claim("T-1"))
    assert sap.documents() == []
    assert settled(client, claim("T-1")).state is State.POSTED
    assert len(sap.documents()) == 1


def test_a_commit_that_was_refused_is_judged_by_the_ledger(client: Any, sap: MockSap) -> None:
    """mock-sap has posted before the commit, unlike SAP: what is found in the ledger counts."""
    sap.answer(COMMIT, "E", "Posting could not be carried out")
    ack = client.submit(claim("T-1"))
    (document,) = sap.documents()
    assert ack.journal_entry.number == document["AccountingDocument"]


@pytest.mark.parametrize(
    ("exchange", "fate"), [(1, Fate.GO_ON), (2, Fate.LOSE)], ids=["asked first", "in doubt"]
)
def test_another_document_under_the_reference_is_not_adopted(
    client: Any, sap: MockSap, relay: Relay, tmp_path: Path, exchange: int, fate: Fate
) -> None:
    """Anybody can type a reference: with other amounts it is not ours, and a person looks.

    Typed before the question it is found there; after it, once our posting was lost.
    """
    other = tmp_path / "other"
    other.mkdir()

    def type_it() -> None:
        with opened("Client", ledger(sap.port, other)) as stranger:
            stranger.submit(claim("T-1", taxi="31.00"))

    relay.order(Order(exchange, Stage.SENT, type_it, fate))
    with pytest.raises(OutcomeUnknown) as parked:
        client.submit(claim("T-1"))
    assert "137.00 CNY, ours 136.00 CNY" in str(parked.value)
    assert client.status("T-1", ask=False).state is State.PARKED
    assert sap.calls().count(POST) == len(sap.documents()) == 1


def test_a_reversal_is_a_document_of_its_own(client: Any, sap: MockSap) -> None:
    """The sides exchanged, under its own reference; together both are nothing."""
    first = client.submit(claim("T-1"))
    ack = client.reverse("T-1", posting_date=MARCH, reason="paid twice")
    assert ack.reference == "T-1.X1"
    assert [document["ReferenceDocument"] for document in sap.documents()] == ["T-1", "T-1.X1"]
    sums: dict[str, Decimal] = {}
    for number in (first.journal_entry.number, ack.journal_entry.number):
        for item in sap.items(number):
            amount = Decimal(item["AmountInTransactionCurrency"])
            account = item["GLAccount"] + item["Supplier"]
            signed = amount if item["DebitCreditCode"] == "S" else -amount
            sums[account] = sums.get(account, Decimal(0)) + signed
    assert set(sums.values()) == {Decimal(0)}
    assert client.status("T-1", ask=False).state is State.REVERSED


def test_a_lost_reversal_is_found(client: Any, sap: MockSap, relay: Relay) -> None:
    """By its own reference, as a posting is; the answer to its commit is lost."""
    client.submit(claim("T-1"))
    before = len(sap.calls())
    relay.order(Order(5, Stage.ANSWERED, fate=Fate.LOSE))
    client.reverse("T-1", posting_date=MARCH)
    # The entry and its items, then whether its reversal is there; afterwards, what became of it.
    assert sap.calls()[before:] == [READ, READ, READ, POST, COMMIT, READ, READ]
    assert len(sap.documents()) == 2
    assert client.status("T-1", ask=False).state is State.REVERSED


PROBED = ProbeChoice(company="CN01", type="taxi", employee="E1024", posting_date=MARCH)


def probed(client: Any) -> list[str]:
    """Probe; return the steps."""
    return [step.name for step in client.probe(client.intend_probe(PROBED))]


def test_a_probe_goes_there_and_back(client: Any, sap: MockSap) -> None:
    """Posted, found, taken back and found: two documents under two references."""
    assert probed(client) == ["posted", "found", "reversed", "found_reversed"]
    references = [document["ReferenceDocument"] for document in sap.documents()]
    assert references[1] == f"{references[0]}.X1"
    assert sap.calls().count(POST) == sap.calls().count(COMMIT) == 2


@pytest.mark.parametrize("exchange", range(1, 14))
def test_a_probe_that_loses_an_answer_goes_on(
    client: Any, sap: MockSap, relay: Relay, exchange: int
) -> None:
    """Whichever answer is lost: probed again until it ends, and nothing is there twice."""
    relay.order(Order(exchange, Stage.ANSWERED, fate=Fate.LOSE))
    for _ in range(6):
        try:
            steps = probed(client)
            break
        except DeliveryError:
            time.sleep(0.4)
    assert steps[-1] == "found_reversed"
    assert len(sap.documents()) == 2


def settled(client: Any, mine: Claim) -> Any:
    """Submit again until it is no longer in doubt, as a caller would: a little later."""
    for _ in range(6):
        try:
            return client.submit(mine)
        except OutcomeUnknown as error:
            last = error
            time.sleep(0.4)
    raise last
