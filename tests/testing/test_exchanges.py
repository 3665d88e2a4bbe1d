"""Every recorded exchange, through the profile; and recording itself."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from lxml import etree
from tests.testing.record import EXAMPLES, FIXTURES, SCENES, Noon, claim, profile_at

from claimbridge import Client
from claimbridge.config import AuthConfig, LedgerConfig
from claimbridge.errors import ConfigurationError
from claimbridge.journal import MemoryJournal
from claimbridge.ledger import Ledger
from claimbridge.mapping import Chart
from claimbridge.model import Key, Purpose, State, Submission
from claimbridge.profiles.reference.voucher_xml import NAMESPACE, voucher_from
from claimbridge.sandbox import Sandbox
from claimbridge.soap.envelope import open_envelope
from claimbridge.testing import (
    RecordedExchange,
    assert_same_xml,
    load_exchanges,
    shown_outcomes,
)
from claimbridge.xmlio import canonical, parse

EXCHANGES = list(load_exchanges(FIXTURES))
VOUCHER = f"{{{NAMESPACE}}}Voucher"


def ledger_for(profile: str, options: dict[str, object]) -> Ledger:
    config = LedgerConfig(name="CN01", profile=profile, endpoint="http://127.0.0.1:9/")
    chart = Chart.load(EXAMPLES / "chart.toml")
    made = profile_at(profile, Noon(), options)
    return Ledger(config, profile=made, chart=chart, clock=Noon())


LEDGERS: dict[str, Ledger] = {}


def ledger_of(exchange: RecordedExchange) -> Ledger:
    """The ledger of an exchange, opened once for each profile and its options."""
    options = exchange.about.get("options", {})
    key = f"{exchange.profile} {options}"
    if key not in LEDGERS:
        LEDGERS[key] = ledger_for(exchange.profile, options)
    return LEDGERS[key]


def body_of(request: bytes) -> bytes:
    body = open_envelope(request).body
    assert body is not None
    # Not canonical: that would drop the prefixes that only an xsi:type uses.
    return etree.tostring(body, with_tail=False)


def test_every_scene_is_recorded_and_nothing_else() -> None:
    """The table of scenes and the folders are the same list."""
    scenes = {f"{one.profile}/{one.operation}/{one.case}" for one in SCENES}
    assert {str(exchange) for exchange in EXCHANGES} == scenes


@pytest.mark.parametrize("exchange", EXCHANGES, ids=str)
def test_the_reply_is_read_as_expected(exchange: RecordedExchange) -> None:
    """Each recorded reply gives the outcomes that its case.toml lists, and no more drift."""
    ledger = ledger_of(exchange)
    if exchange.reply is None:
        assert not exchange.expected
        return
    outcomes = ledger.read_bytes(exchange.reply)
    if not exchange.expected:
        assert [outcome.kind for outcome in outcomes] == ["unknown"]
        return
    assert shown_outcomes(outcomes) == exchange.expected
    body = open_envelope(exchange.reply).body
    if body is not None:
        assert bool(ledger.setup.contract.drift(body)) == exchange.about.get("drift", False)


@pytest.mark.parametrize("exchange", EXCHANGES, ids=str)
def test_the_request_is_valid_by_the_contract(exchange: RecordedExchange) -> None:
    """What was recorded is what the contract allows, still."""
    assert ledger_of(exchange).setup.contract.check(body_of(exchange.request)) == ()


@pytest.mark.parametrize("exchange", [one for one in EXCHANGES if "claim" in one.about], ids=str)
def test_the_same_claim_gives_the_same_request(exchange: RecordedExchange) -> None:
    """A change in mapping, profile or renderer that alters what is sent is seen here."""
    made = ledger_of(exchange).preview(claim(exchange.about["claim"]))
    assert made.operation == exchange.operation
    assert_same_xml(made.body, body_of(exchange.request))


CARRYING = [one for one in EXCHANGES if f"{NAMESPACE}".encode() in one.request]


@pytest.mark.parametrize(
    "exchange", [one for one in CARRYING if "Voucher" in one.operation[:14]], ids=str
)
def test_vouchers_read_from_a_request_give_the_request_again(exchange: RecordedExchange) -> None:
    """Every voucher of a request is read back and written again, batches and reversals too."""
    ledger = ledger_of(exchange)
    body = parse(body_of(exchange.request))
    found = list(body.iter(VOUCHER))
    if not found:
        assert exchange.operation == "QueryVouchers"
        return
    submissions = []
    for element in found:
        voucher = voucher_from(element)
        key = Key("CN01", voucher.claim_id, voucher.revision, voucher.purpose)
        reference = element.findtext(f"{{{NAMESPACE}}}Reference") or ""
        submissions.append(
            Submission(
                key=key, reference=reference, digest="", voucher=voucher, state=State.PENDING
            )
        )
    if submissions[0].key.purpose is Purpose.REVERSE:
        request = ledger.setup.profile.reverse(submissions[0])
    else:
        request = ledger.setup.profile.submit(submissions)
    assert request.operation == exchange.operation
    assert_same_xml(ledger.setup.contract.render(request.operation, request.body), canonical(body))


@pytest.mark.parametrize("digest", [False, True])
def test_no_password_lands_in_a_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, digest: bool
) -> None:
    """The UsernameToken's password, its digest and its nonce are scrubbed; the user stays."""
    monkeypatch.setenv("ERP_PASSWORD", "s3cret-Passwort")
    with Sandbox(profiles=["reference"], record=tmp_path) as erp:
        config = LedgerConfig(
            endpoint=erp.url(),
            auth=AuthConfig(
                kind="username-token", user="svc", password="env:ERP_PASSWORD", digest=digest
            ),
        )
        ledger = Ledger(config, chart=Chart.load(EXAMPLES / "chart.toml"))
        sent: list[bytes] = []
        message = ledger.writer.message
        monkeypatch.setattr(
            ledger.writer,
            "message",
            lambda *what: sent.append((made := message(*what)).body) or made,
        )
        with Client(config, ledger=ledger, journal=MemoryJournal()) as client:
            client.submit(claim())
    (exchange,) = load_exchanges(tmp_path)
    secrets = [
        part.text.encode()
        for part in parse(sent[0]).iter("{*}Password", "{*}Nonce")
        if part.text is not None
    ]
    assert secrets
    everything = b"".join(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())
    assert b"s3cret-Passwort" not in everything
    assert not [secret for secret in secrets if secret in everything]
    assert b"<wsse:Username>svc</wsse:Username>" in exchange.request


def test_no_authorisation_header_lands_in_a_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HTTP headers are not recorded at all."""
    monkeypatch.setenv("ERP_PASSWORD", "s3cret-Passwort")
    with Sandbox(profiles=["reference"], record=tmp_path) as erp:
        auth = AuthConfig(kind="basic", user="svc", password="env:ERP_PASSWORD")
        config = LedgerConfig(endpoint=erp.url(), auth=auth)
        ledger = Ledger(config, chart=Chart.load(EXAMPLES / "chart.toml"))
        with Client(config, ledger=ledger, journal=MemoryJournal()) as client:
            client.submit(claim())
    everything = b"".join(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())
    for secret in (b"s3cret", b"c3ZjOnMzY3JldC1QYXNzd29ydA==", b"Authorization"):
        assert secret not in everything


def test_a_recording_by_hand_needs_two_files(tmp_path: Path) -> None:
    """A case is whatever has a case.toml and a request.xml; a missing reply is None."""
    place = tmp_path / "own-erp" / "Post" / "lost"
    place.mkdir(parents=True)
    (place / "case.toml").write_text('note = "the line was cut"\n')
    (place / "request.xml").write_text("<a/>")
    (exchange,) = load_exchanges(tmp_path)
    assert str(exchange) == "own-erp/Post/lost"
    assert (exchange.reply, exchange.expected) == (None, ())
    assert exchange.about == {"note": "the line was cut"}


@pytest.mark.parametrize("broken", ["no toml", "missing request"])
def test_a_broken_recording_is_named(tmp_path: Path, broken: str) -> None:
    """A fixture that cannot be read is an error that names its folder, not a skipped case."""
    place = tmp_path / "p" / "o" / "c"
    place.mkdir(parents=True)
    (place / "case.toml").write_text("= 1" if broken == "no toml" else "a = 1")
    if broken == "no toml":
        (place / "request.xml").write_text("<a/>")
    with pytest.raises(ConfigurationError, match=r"p.o.c") as caught:
        list(load_exchanges(tmp_path))
    assert caught.value.code == "CB-250"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (b'<a b="1" c="2"/>', b"<a c='2' b='1'></a>", True),
        (b'<x:a xmlns:x="urn:x"/>', b'<y:a xmlns:y="urn:x"/>', False),
        (b"<a>1</a>", b"<a>2</a>", False),
        (b"<a><b/></a>", b"<a><b/><b/></a>", False),
    ],
)
def test_documents_are_compared_after_canonicalisation(
    one: bytes, other: bytes, same: bool
) -> None:
    """Order of attributes and quoting do not matter; content does, and is shown."""
    if same:
        assert_same_xml(one, other)
        return
    with pytest.raises(AssertionError, match="the documents differ at character"):
        assert_same_xml(one, other)


def test_case_tables_are_what_the_sandbox_wrote(
    shared_case: Callable[[str], dict[str, object]],
) -> None:
    """The recorder notes which fault made a reply what it is."""
    assert shared_case("reference/SubmitVoucher/drifted")["fault"] == "drift"
    assert "fault" not in shared_case("reference/SubmitVoucher/accepted")


@pytest.fixture
def shared_case() -> Callable[[str], dict[str, object]]:
    return lambda case: tomllib.loads((FIXTURES / case / "case.toml").read_text())
