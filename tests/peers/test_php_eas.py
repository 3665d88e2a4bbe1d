"""Kingdee EAS in PHP's own SoapServer, which reads and writes rpc/encoded by the contract alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.peers.conftest import configured, renamed
from tests.peers.php_ledger import PhpLedger
from tests.peers.senders import CLIENTS, opened

from claimbridge import Claim, JournalEntry, LedgerRejection, State
from claimbridge.config import AuthConfig
from claimbridge.errors import ClaimBridgeError
from claimbridge.model import Side

SERVICE = Path(__file__).parent / "php" / "eas.php"
LISTING = ["reference", "number", "debit", "type", "year", "period"]


class Eas:
    """The server as its own people see it."""

    def __init__(self, ledger: PhpLedger, folder: Path) -> None:
        self.url: str = ledger.endpoint.rpartition("/")[0]
        self.folder = folder

    def calls(self, operation: str) -> list[tuple[str, Any]]:
        """What PHP made of each call: the session, and its arguments."""
        lines = (self.folder / "calls.jsonl").read_text().splitlines()
        read = [json.loads(line, parse_float=Decimal) for line in lines]
        return [(session, held) for name, session, held in read if name == operation]


@pytest.fixture
def eas(peer: Callable[..., str], tmp_path: Path) -> Iterator[Eas]:
    folder = tmp_path / "php"
    folder.mkdir()
    php = peer("php", "--ri", "soap")
    with PhpLedger.serving(php, folder, service=SERVICE, wsdl="kingdee-eas.wsdl") as ledger:
        yield Eas(ledger, folder)


@pytest.fixture(params=CLIENTS)
def to_eas(
    request: pytest.FixtureRequest, eas: Eas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Any]:
    """Each client; the login is on the port beside the facade."""
    monkeypatch.setenv("EAS_PASSWORD", "geheim 密")
    config = configured(
        f"{eas.url}/WSGLWebServiceFacade",
        tmp_path / "claims.db",
        profile="kingdee-eas",
        auth=AuthConfig(kind="eas-login", user="svc", password="env:EAS_PASSWORD"),
        options={"credit": -1, "listing": LISTING, "data_centre": "001", "batch": 5},
    )
    with opened(request.param, config) as client:
        yield client


def test_php_reads_every_row_as_it_was_meant(to_eas: Any, eas: Eas, trip: Claim) -> None:
    """The array, its structs and each value with its type: int, float and text as the WSDL says."""
    ack = to_eas.submit(trip)
    voucher = to_eas.preview(trip).voucher
    assert ack.journal_entry == JournalEntry(
        f"记-{voucher.posting_date.month}-0001", trip.company, str(voucher.posting_date.year)
    )
    ((session, held),) = eas.calls("importVoucher")
    assert session == "session-of-svc"
    assert held["isSubmit"] == 1
    assert len(held["rows"]) == len(voucher.postings)
    for number, (row, posting) in enumerate(
        zip(held["rows"], voucher.postings, strict=True), start=1
    ):
        debit = posting.side is Side.DEBIT
        assert row["entrySeq"] == number
        assert type(row["entrySeq"]) is int
        assert Decimal(row["debitAmount" if debit else "creditAmount"]) == posting.amount
        assert ("creditAmount" if debit else "debitAmount") not in row
        assert row["entryDC"] == (1 if debit else -1)
        assert (row["description"], row["voucherNumber"]) == (trip.id, trip.id)
        assert row["voucherAbstract"] == posting.narration
        assert row["accountNumber"] == posting.account


def test_php_reads_the_login(to_eas: Any, eas: Eas, trip: Claim) -> None:
    """The six parts of EASLogin's login in their order, and one login for two vouchers."""
    to_eas.submit(trip)
    to_eas.submit(renamed(trip, "P-2"))
    assert eas.calls("login") == [("", ["svc", "geheim 密", "eas", "001", "L2", 2])]


def test_a_batch_comes_back_from_php(to_eas: Any, eas: Eas, trip: Claim) -> None:
    """PHP's arrays of strings, whose members it calls item, are read and matched."""
    claims = [renamed(trip, f"B-{n}") for n in range(3)]
    results = list(to_eas.submit_many(claims, batch=3))
    month = to_eas.preview(trip).voucher.posting_date.month
    assert [one.acknowledgement.journal_entry.number for one in results] == [
        f"记-{month}-{n:04}" for n in (1, 2, 3)
    ]
    assert len(eas.calls("importVoucher")) == 1


def test_a_session_that_php_calls_dead_is_replaced(to_eas: Any, eas: Eas, trip: Claim) -> None:
    """The fault comes before anything is done; the voucher is sent once more, and once only."""
    to_eas.submit(trip)
    (eas.folder / "dead-session-of-svc").touch()
    to_eas.submit(renamed(trip, "S-2"))
    assert len(eas.calls("login")) == 2
    assert len(eas.calls("importVoucher")) == 2


def test_an_answer_that_php_lost_is_asked_for(to_eas: Any, eas: Eas, trip: Claim) -> None:
    """PHP saves and then ends: the voucher is found by its reference and its amounts."""
    (eas.folder / "mute").touch()
    ack = to_eas.submit(trip)
    assert (ack.state, ack.journal_entry.number[-4:]) == (State.POSTED, "0001")
    assert len(eas.calls("importVoucher")) == 1


def test_other_amounts_are_not_adopted(to_eas: Any, eas: Eas, trip: Claim) -> None:
    """A voucher of our reference with other amounts is for a person, not for adoption."""
    date = to_eas.preview(trip).voucher.posting_date
    strange = [trip.id, "0077", "1.00", "记", date.year, date.month]
    (eas.folder / "books.json").write_text(json.dumps([strange]))
    (eas.folder / "mute-before").touch()
    with pytest.raises(ClaimBridgeError, match="other amounts"):
        to_eas.submit(trip)
    assert to_eas.status(trip.id).state is State.PARKED


def test_what_php_refuses_is_told_in_its_words(
    to_eas: Any, eas: Eas, trip: Claim, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Code and text of EAS's own string."""
    chart = (Path(__file__).resolve().parents[2] / "examples" / "chart.toml").read_text()
    account = to_eas.preview(trip).voucher.postings[0].account
    place = tmp_path / "chart.toml"
    place.write_text(chart.replace(f'"{account}"', '"9999.01"'))
    config = configured(
        f"{eas.url}/WSGLWebServiceFacade",
        tmp_path / "other.db",
        profile="kingdee-eas",
        options={"credit": -1},
        chart=str(place),
        auth=AuthConfig(kind="eas-login", user="svc", password="env:EAS_PASSWORD"),
    )
    with (
        opened("Client", config, new_journal=True) as client,
        pytest.raises(LedgerRejection) as refused,
    ):
        client.submit(trip)
    (reason,) = refused.value.reasons
    assert (reason.code, reason.text) == ("1002", f"凭证{trip.id}没有找到科目")
