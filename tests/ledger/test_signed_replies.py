"""Signed replies: whatever stands between the ERP and us can neither acknowledge nor refuse."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from signxml.verifier import XMLVerifier
from tests.ledger.between import Between
from tests.withstand.scene import claim, configured, ledger_of

from claimbridge.aio import AsyncClient
from claimbridge.client import Client
from claimbridge.clock import SYSTEM, Uptime
from claimbridge.config import AuthConfig, Replies
from claimbridge.errors import ConfigurationError, DeliveryRefused, LedgerRejection, OutcomeUnknown
from claimbridge.model import State
from claimbridge.sandbox import Sandbox
from claimbridge.signing import Identity, Signer
from claimbridge.signing.keys.throwaway import Throwaway, make

Meddle = Callable[[bytes], bytes]
OTHER = make("erp")
SOAP = b'<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/">'
REFUSAL = (
    b'<R:RejectedFault xmlns:R="urn:claimbridge:voucher-service:1"><R:Reference>%b</R:Reference>'
    b"<R:Reason><R:Code>closed</R:Code><R:Text>no</R:Text></R:Reason></R:RejectedFault>"
)
FAULT = (
    SOAP + b"<soap:Body><soap:Fault><faultcode>soap:Client</faultcode><faultstring>no, says "
    b"nobody</faultstring><detail>" + REFUSAL + b"</detail></soap:Fault></soap:Body>"
    b"</soap:Envelope>"
)


class At:
    """A clock that is wrong by ``off`` seconds."""

    def __init__(self, off: float) -> None:
        self._off = timedelta(seconds=off)

    def now(self) -> datetime:
        return SYSTEM.now() + self._off

    def monotonic(self) -> float:
        return SYSTEM.monotonic()

    def uptime(self) -> Uptime:
        return Uptime("test", self.monotonic())


class Stage:
    """A sandbox that signs, someone in the middle, and a client that asks for signatures."""

    def __init__(self, folder: Path, erp: Throwaway) -> None:
        self.erp = erp
        (folder / "ca.pem").write_bytes(erp.trust)
        self.sandbox = Sandbox(profiles=["reference"], identity=Identity.from_pem(erp.pem()))
        self.sandbox.start()
        self.between = Between(self.sandbox.port)
        self.config = configured(
            "reference",
            port=self.between.port,
            journal=folder / "claims.db",
            folder=str(folder),
        )
        self.use(max_age=300, addressing=True)

    def use(self, **settings: Any) -> None:
        replies = Replies(trust="ca.pem", subjects=("erp",), **settings)
        self.config = msgspec.structs.replace(self.config, replies=replies)

    def meddle(self, meddle: Meddle, *, status: int = 200) -> None:
        """Put another reply in the place of each from now on, and this status over it."""
        self.between.stands = lambda _, serve: meddle(serve())
        self.between.status = status

    def client(self) -> Client:
        return Client(self.config, ledger=ledger_of(self.config))

    def close(self) -> None:
        self.between.close()
        self.sandbox.close()


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    built = Stage(tmp_path, make("erp", clock=At(-3600)))
    yield built
    built.close()


def _body(reply: bytes) -> bytes:
    start = reply.index(b">", reply.index(b"<soap:Body")) + 1
    return reply[start : reply.index(b"</soap:Body>")]


def _unsigned(reply: bytes) -> bytes:
    return SOAP + b"<soap:Body>" + _body(reply) + b"</soap:Body></soap:Envelope>"


def _refusing(reply: bytes) -> bytes:
    """Put a refusal into the signed reply's Body, all else as it was."""
    fault = _body(FAULT % b"CB-WS-1")
    return reply.replace(_body(reply), fault)


def _wrapping(reply: bytes) -> bytes:
    """Hide the signed Body in the Header, and put a Fault in its place."""
    start, end = reply.index(b"<soap:Body"), reply.index(b"</soap:Body>") + len(b"</soap:Body>")
    signed = reply[start:end]
    forged = b"<soap:Body>" + _body(FAULT % b"CB-WS-1") + b"</soap:Body>"
    return (
        reply[:start].replace(b"</soap:Header>", b"<x>" + signed + b"</x></soap:Header>")
        + forged
        + reply[end:]
    )


def _signed_by(identity: Throwaway, *, off: float = 0) -> Meddle:
    signer = Signer(Identity.from_pem(identity.pem()), clock=At(off))
    return lambda reply: signer.sign_envelope(_unsigned(reply))


def _altered(reply: bytes) -> bytes:
    return reply.replace(_body(reply), _body(reply).replace(b"CB-WS-1", b"CB-WS-2"))


MEDDLERS: dict[str, tuple[Callable[[Stage], Meddle], set[str]]] = {
    "altered": (lambda _: _altered, {"CB-328"}),
    "unsigned": (lambda _: _unsigned, {"CB-320"}),
    "refusing in the signed Body": (lambda _: _refusing, {"CB-347"}),
    "wrapped": (lambda _: _wrapping, {"CB-347"}),
    "unsigned refusal": (lambda _: lambda _: FAULT % b"CB-WS-1", {"CB-347"}),
    "signed by another": (lambda _: _signed_by(OTHER), {"CB-330"}),
    "stale": (lambda stage: _signed_by(stage.erp, off=-900), {"CB-341"}),
    "from the future": (lambda stage: _signed_by(stage.erp, off=900), {"CB-341"}),
    "no XML": (lambda _: lambda reply: reply[: len(reply) // 2], {"CB-422"}),
}


@pytest.mark.parametrize("how", MEDDLERS)
def test_meddling_neither_acknowledges_nor_refuses(stage: Stage, how: str) -> None:
    """Whatever is done to replies, the outcome is unknown; the honest reply then settles it."""
    meddler, codes = MEDDLERS[how]
    stage.meddle(meddler(stage))
    with stage.client() as client:
        with pytest.raises(OutcomeUnknown) as unknown:
            client.submit(claim("CB-WS-1"))
        assert unknown.value.code in codes
        assert client.status("CB-WS-1", ask=False).state is State.IN_DOUBT
        stage.meddle(lambda reply: reply)
        assert client.submit(claim("CB-WS-1")).reference == "CB-WS-1"
    assert len(stage.sandbox.ledger()) == 1


def test_a_second_opinion_is_asked_about_every_reply(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it accepts is acknowledged; while it refuses, the outcome is unknown."""
    stage.use(max_age=300, addressing=True, second_opinion=True)
    theirs, asked = XMLVerifier.verify, []

    def refusing(self: XMLVerifier, data: bytes, **given: Any) -> Any:
        asked.append(data)
        return theirs(self, data.replace(b"CB-WS-2", b"CB-WS-3"), **given)

    with stage.client() as client:
        assert client.submit(claim("CB-WS-1")).reference == "CB-WS-1"
        monkeypatch.setattr(XMLVerifier, "verify", refusing)
        with pytest.raises(OutcomeUnknown) as unknown:
            client.submit(claim("CB-WS-2"))
        assert unknown.value.code == "CB-357"
        assert client.status("CB-WS-2", ask=False).state is State.IN_DOUBT
        monkeypatch.undo()
        assert client.submit(claim("CB-WS-2")).reference == "CB-WS-2"
    assert asked
    assert len(stage.sandbox.ledger()) == 2


def test_a_reply_counts_once_also_after_a_restart(stage: Stage) -> None:
    """An old signed reply that is sent again is refused, by another process's client too."""
    kept: list[bytes] = []

    def keep(reply: bytes) -> bytes:
        kept.append(reply)
        return reply

    stage.use(max_age=300)
    stage.meddle(keep)
    with stage.client() as client:
        client.submit(claim("CB-WS-1"))
        client.status("CB-WS-1")
    stage.meddle(lambda _: kept[-1])
    with stage.client() as client, pytest.raises(Exception, match="received before"):
        client.status("CB-WS-1")


def test_an_unsigned_fault_is_told_and_is_no_refusal(stage: Stage) -> None:
    """A gateway's unsigned Fault shows its text, marked unauthenticated; asking resolves it."""
    stage.sandbox.set_faults("any:unsigned-fault")
    with stage.client() as client:
        with pytest.raises(OutcomeUnknown, match="unauthenticated fault Server") as unknown:
            client.submit(claim("CB-WS-1"))
        assert "the gateway could not process the message" in str(unknown.value)
        assert unknown.value.code == "CB-347"
        stage.sandbox.set_faults("")
        assert client.submit(claim("CB-WS-1")).journal_entry is not None
    assert len(stage.sandbox.ledger()) == 1


DOOR = (
    SOAP.replace(b">", b' xmlns:wsse="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-'
                 b'wssecurity-secext-1.0.xsd">')
    + b"<soap:Body><soap:Fault><faultcode>wsse:FailedAuthentication</faultcode>"
    b"<faultstring>who are you?</faultstring></soap:Fault></soap:Body></soap:Envelope>"
)  # fmt: skip


def test_an_unsigned_fault_of_the_door_proves_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anybody on the way can write one after the commit; where nothing is signed it counts."""
    monkeypatch.setenv("DOOR_PASSWORD", "right")
    token = AuthConfig(kind="username-token", user="svc", password="env:DOOR_PASSWORD")
    stage.config = msgspec.structs.replace(stage.config, auth=token)
    stage.meddle(lambda _: DOOR, status=500)
    with stage.client() as client:
        with pytest.raises(OutcomeUnknown, match="unauthenticated fault FailedAuthentication"):
            client.submit(claim("CB-WS-1"))
        stage.meddle(lambda reply: reply)
        assert client.submit(claim("CB-WS-1")).journal_entry is not None
    assert len(stage.sandbox.ledger()) == 1
    stage.between.stands, stage.between.status = lambda *_: DOOR, 500
    stage.config = msgspec.structs.replace(stage.config, replies=None)
    with stage.client() as client, pytest.raises(DeliveryRefused, match="who are you"):
        client.submit(claim("CB-WS-2"))


def test_a_signed_refusal_counts(stage: Stage) -> None:
    """The ERP's own signed Fault is a refusal."""
    stage.sandbox.set_faults("fault")
    with stage.client() as client, pytest.raises(LedgerRejection):
        client.submit(claim("CB-WS-1"))


def test_the_asynchronous_client_verifies_too(stage: Stage) -> None:
    """AsyncClient takes signed replies, and no others."""

    async def submit() -> str:
        async with AsyncClient(stage.config, ledger=ledger_of(stage.config)) as client:
            return (await client.submit(claim("CB-WS-1"))).reference

    stage.meddle(_unsigned)
    with pytest.raises(OutcomeUnknown):
        asyncio.run(submit())
    stage.meddle(lambda reply: reply)
    assert asyncio.run(submit()) == "CB-WS-1"


def test_requests_name_themselves_where_asked(stage: Stage) -> None:
    """With addressing each request carries a MessageID of its own; without, none."""
    ledger = ledger_of(stage.config)
    first, second = (next(ledger.page("B", "", 5)).message for _ in range(2))
    assert first.id != second.id
    assert first.id.encode() in first.body


def test_contradictory_settings_are_refused_at_once(stage: Stage) -> None:
    """Neither trust nor pin, or a file that is not there, is a ConfigurationError when opened."""
    for replies in (Replies(), Replies(trust="ca.pem", pin="ca.pem"), Replies(trust="no.pem")):
        config = configured("reference", port=1, journal=Path("x.db"), replies=replies)
        with pytest.raises(ConfigurationError):
            ledger_of(config)


@pytest.mark.parametrize("status", [401, 403, 404, 429, 503])
def test_a_status_line_that_nobody_signed_proves_nothing(stage: Stage, status: int) -> None:
    """Written over the answer after the ERP has committed, it leaves the outcome unknown."""
    mine = claim(f"EXP-2026-{status}")
    stage.meddle(lambda _: b"no, says nobody", status=status)
    with stage.client() as client, pytest.raises(OutcomeUnknown):
        client.submit(mine)
    assert len(stage.sandbox.ledger()) == 1
    stage.meddle(lambda reply: reply)
    with stage.client() as client:
        found = client.submit(mine)
    assert [entry.reference for entry in stage.sandbox.ledger()] == [found.reference]
