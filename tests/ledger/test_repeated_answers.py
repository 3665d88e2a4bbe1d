"""Signed answers that are repeated or held back: "there is no such document" is never believed.

Somebody stands between client and ERP and forges nothing: he drops requests and answers, and gives
true answers of the ERP a second time, or late. The ERP is one that does not refuse duplicates.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.ledger.between import Between, Serve
from tests.withstand.scene import chart, claim, configured, contract, ledger_of

from claimbridge.aio import AsyncClient
from claimbridge.client import Client
from claimbridge.clock import SYSTEM, Uptime
from claimbridge.config import Replies
from claimbridge.errors import (
    ClaimBridgeError,
    ConfigurationError,
    OutcomeUnknown,
    SignatureInvalid,
)
from claimbridge.ledger import Ledger
from claimbridge.model import Acknowledgement, State
from claimbridge.sandbox import Sandbox
from claimbridge.signing import Identity, Policy, Signer
from claimbridge.signing.keys.throwaway import make
from claimbridge.soap.authenticator import Authenticator

pytestmark = pytest.mark.filterwarnings("ignore::claimbridge.errors.ContractDriftWarning")
PROFILE = "sap-bapi"
QUIET = 300.0
OVER = QUIET + 121
"""After so long a signed answer by its moment alone is one from after the quiet period."""
MINE = claim("EXP-1")


class Watch:
    """The clock of client and ERP, which a test moves on."""

    def __init__(self) -> None:
        self.off = 0.0

    def now(self) -> datetime:
        return SYSTEM.now() + timedelta(seconds=self.off)

    def monotonic(self) -> float:
        return SYSTEM.monotonic() + self.off

    def uptime(self) -> Uptime:
        return Uptime("test", self.monotonic())


class Scene:
    """A signing ERP, somebody between, and a client of either kind."""

    def __init__(self, folder: Path, *, asynchronous: bool) -> None:
        self.folder = folder
        self.watch = Watch()
        erp = make("erp")
        (folder / "ca.pem").write_bytes(erp.trust)
        identity = Identity.from_pem(erp.pem())
        self.sandbox = Sandbox(profiles=[PROFILE], identity=identity, clock=self.watch)
        self.sandbox.start()
        self.between = Between(self.sandbox.port)
        self.asynchronous = asynchronous
        self.settings: dict[str, Any] = {}

    def use(self, **settings: Any) -> None:
        self.settings = settings

    def _opened(self) -> Ledger:
        config = configured(
            PROFILE,
            port=self.between.port,
            journal=self.folder / "claims.db",
            folder=str(self.folder),
            replies=Replies(trust="ca.pem", subjects=("erp",), **self.settings),
            quiet_period=QUIET,
            retries=0,
        )
        return Ledger(config, contract=contract(PROFILE), chart=chart(), clock=self.watch)

    def submit(self) -> Acknowledgement | ClaimBridgeError:
        """Submit the claim, from a process that has just begun."""
        opened = self._opened()

        async def awaited() -> Acknowledgement:
            async with AsyncClient(opened.setup.config, ledger=opened, clock=self.watch) as client:
                return await client.submit(MINE)

        try:
            if self.asynchronous:
                return asyncio.run(awaited())
            with Client(opened.setup.config, ledger=opened, clock=self.watch) as client:
                return client.submit(MINE)
        except ClaimBridgeError as error:
            return error

    def refused(self) -> str:
        """Submit the claim, which leaves it open; return the code."""
        error = self.submit()
        assert isinstance(error, OutcomeUnknown)
        return error.code

    def settle_not_posted(self) -> None:
        """Record that people found nothing in the ERP."""
        opened = self._opened()
        with Client(opened.setup.config, ledger=opened, clock=self.watch) as client:
            client.settle("EXP-1", revision=1, posted=None)

    def state(self) -> State:
        opened = self._opened()
        with Client(opened.setup.config, ledger=opened, clock=self.watch) as client:
            return client.status("EXP-1", ask=False).state

    def posted(self) -> int:
        return len(self.sandbox.ledger())

    def close(self) -> None:
        self.between.close()
        self.sandbox.close()


@pytest.fixture(params=["Client", "AsyncClient"])
def scene(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Scene]:
    built = Scene(tmp_path, asynchronous=request.param == "AsyncClient")
    yield built
    built.close()


def asks(body: bytes) -> bool:
    """Whether a request only looks something up."""
    return b"RfcReadTable" in body


def drop_postings(body: bytes, serve: Serve) -> bytes:
    """Let questions through, and no posting arrive."""
    return serve() if asks(body) else b""


def lose_commits(body: bytes, serve: Serve) -> bytes:
    """Let everything through, and lose the answer to each commit."""
    answer = serve()
    return b"" if b"TransactionCommit" in body else answer


def test_without_binding_absent_parks_and_never_resends(scene: Scene) -> None:
    """Neither addressing nor max_age: a lost sending ends with a person, and one document."""
    scene.use()
    scene.between.stands = drop_postings
    assert scene.refused() == "CB-423"
    scene.watch.off += OVER
    scene.between.stands = lose_commits
    assert scene.refused() == "CB-421"
    assert scene.state() is State.PARKED
    assert scene.posted() == 0
    scene.settle_not_posted()
    scene.between.stands = lambda _, serve: serve()
    assert isinstance(scene.submit(), Acknowledgement)
    assert scene.posted() == 1


@pytest.mark.parametrize("settings", [{"max_age": 240}, {"addressing": True}])
def test_the_true_absent_given_again_posts_nothing_twice(
    scene: Scene, settings: dict[str, Any]
) -> None:
    """The first "absent" leads to a second sending; repeated after that, it leads to none."""
    scene.use(**settings)
    old: list[bytes] = []
    scene.between.stands = drop_postings
    scene.refused()
    scene.watch.off += OVER

    def second(body: bytes, serve: Serve) -> bytes:
        if asks(body) and not scene.posted():
            old.append(serve())
            return old[-1]
        return old[0] if asks(body) else lose_commits(body, serve)

    scene.between.stands = second
    scene.refused()
    assert scene.posted() == 1
    for _ in range(4):
        scene.refused()
        scene.watch.off += OVER
    assert scene.posted() == 1
    scene.between.stands = lambda _, serve: serve()
    assert isinstance(scene.submit(), Acknowledgement)
    assert scene.posted() == 1


@pytest.mark.parametrize("settings", [{"max_age": 240}, {"addressing": True}])
@pytest.mark.parametrize("before", [0, 100, 200, 299])
def test_absent_held_back_posts_nothing_twice(
    scene: Scene, settings: dict[str, Any], before: float
) -> None:
    """Fresh answers that the client never saw, of any moment of the quiet period, count no more."""
    scene.use(**settings)
    held: list[bytes] = []
    commits: list[Serve] = []

    def late(body: bytes, serve: Serve) -> bytes:
        """Keep answers to questions; the commit will arrive within the quiet period."""
        if asks(body) and commits:  # the one before the first sending is answered
            held.append(serve())
            return b""
        if b"TransactionCommit" in body:
            commits.append(serve)
            return b""
        return serve()

    scene.between.stands = late
    scene.refused()
    scene.watch.off += before
    scene.refused()
    commits[0]()
    assert scene.posted() == 1
    scene.watch.off += OVER - before
    scene.between.stands = lambda body, serve: held.pop() if asks(body) else serve()
    while held:
        scene.refused()
    assert scene.posted() == 1
    scene.between.stands = lambda _, serve: serve()
    assert isinstance(scene.submit(), Acknowledgement)
    assert scene.posted() == 1


def test_a_refusal_of_before_given_again_is_none(scene: Scene) -> None:
    """A signed refusal, repeated to the sending that the ERP took, leaves it in doubt."""
    scene.use(max_age=240)
    refusals: list[bytes] = []
    scene.sandbox.set_faults("AccDocumentPost:fault@1")

    def first(body: bytes, serve: Serve) -> bytes:
        refusals.append(serve())
        return refusals[-1]

    scene.between.stands = first
    assert isinstance(scene.submit(), ClaimBridgeError)
    scene.sandbox.set_faults("")

    def again(body: bytes, serve: Serve) -> bytes:
        answer = serve()
        if asks(body):
            return b""
        return refusals[0] if b"TransactionCommit" in body else answer

    scene.between.stands = again
    scene.refused()
    assert scene.posted() == 1
    scene.between.stands = lambda _, serve: serve()
    assert isinstance(scene.submit(), Acknowledgement)
    assert scene.posted() == 1


def test_a_refusal_that_nothing_binds_is_a_doubt(scene: Scene) -> None:
    """Without addressing and max_age a refusal may be an old one: the claim is not free to go."""
    scene.use()
    scene.sandbox.set_faults("AccDocumentPost:fault@1")
    scene.refused()
    assert scene.state() is State.IN_DOUBT


def test_settings_that_can_never_allow_it_are_refused(tmp_path: Path) -> None:
    """A quiet period shorter than an answer's greatest age, and a minute: CB-269, when opened."""
    (tmp_path / "ca.pem").write_bytes(make("erp").trust)
    for max_age, quiet, fits in ((240, 300, True), (241, 300, False), (300, 359, False)):
        config = configured(
            PROFILE,
            port=1,
            journal=tmp_path / "claims.db",
            folder=str(tmp_path),
            replies=Replies(trust="ca.pem", max_age=max_age),
            quiet_period=quiet,
        )
        if fits:
            ledger_of(config)
            continue
        with pytest.raises(ConfigurationError) as refused:
            ledger_of(config)
        assert refused.value.code == "CB-269"


WSA = "http://www.w3.org/2005/08/addressing"
RELATED = f'<w:RelatesTo xmlns:w="{WSA}">urn:x</w:RelatesTo>'.encode()
ENVELOPE = (
    b'<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/">'
    b"<soap:Header>%b</soap:Header><soap:Body><a/></soap:Body></soap:Envelope>"
)
ERP = make("erp")


def opened(header: bytes, message_id: str, *, signed: bool, out: bool = False) -> str:
    """Open a reply with this header; return the code of its refusal, "" for none."""
    covered = (f"{{{WSA}}}RelatesTo",) if signed else ()
    reply = Signer(Identity.from_pem(ERP.pem())).sign_envelope(ENVELOPE % header, headers=covered)
    if out:
        start = reply.index(b"<w:RelatesTo")
        reply = reply[:start] + reply[reply.index(b"</w:RelatesTo>") + len(b"</w:RelatesTo>") :]
    opener = Authenticator(Policy(placement="soap", trust=ERP.trust), clock=SYSTEM)
    try:
        reply_opened = opener.open(reply, message_id=message_id)
    except SignatureInvalid as error:
        return error.code
    assert reply_opened.bound is bool(message_id)
    return ""


def test_relates_to_counts_under_the_signature_alone() -> None:
    """One that is missing, taken out, not covered or another's is refused, where we ask for one."""
    assert opened(RELATED, "urn:x", signed=True) == ""
    assert opened(RELATED, "urn:y", signed=True) == "CB-344"
    assert opened(RELATED, "urn:x", signed=False) == "CB-354"
    assert opened(RELATED, "urn:y", signed=False) == "CB-344"
    assert opened(b"", "urn:x", signed=False) == "CB-353"
    assert opened(RELATED, "urn:x", signed=True, out=True) == "CB-325"
    assert opened(RELATED, "urn:x", signed=False, out=True) == "CB-353"
    assert opened(b"", "", signed=False) == ""
